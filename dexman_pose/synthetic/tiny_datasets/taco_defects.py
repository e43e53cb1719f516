"""Faults planted in a synthetic TACO download: what real ones have, and what a hostile one might."""

from __future__ import annotations

import os
import pickle
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from dexman_pose.data import Clip
from dexman_pose.data.video.writer import write_video
from dexman_pose.datasets.taco.hands import JOINT_ORDERS
from dexman_pose.synthetic.tiny_datasets.taco_scene import SERIALS, TacoScene

MALICE = "malice_has_run"
"""File beside the folders that the malicious pickle makes when it is run."""


def apply_defect(root: Path, scene: TacoScene, name: str) -> None:
    """Plant one of :data:`DEFECTS` in the files of a sequence that has been written."""
    DEFECTS[name](root, scene)


def _file(root: Path, scene: TacoScene, kind: str, name: str) -> Path:
    near = root / kind / scene.triplet / scene.name / name
    return near if near.exists() else root / "camera" / kind / scene.triplet / scene.name / name


def _objects(root: Path, scene: TacoScene, role: str) -> Path:
    return _file(root, scene, "Object_Poses", f"{role}_{scene.object_ids[role]}.npy")


def _truncated_npy(root: Path, scene: TacoScene) -> None:
    path = _objects(root, scene, "tool")
    path.write_bytes(path.read_bytes()[:-100])


def _wrong_shape(root: Path, scene: TacoScene) -> None:
    np.save(_objects(root, scene, "target"), scene.world_from_object["target"][:, :3])


def _pickled_poses(root: Path, scene: TacoScene) -> None:
    """An ``.npy`` of objects, which numpy itself would unpickle."""
    poses = np.array([_Call(os.system, f"touch '{root / MALICE}'")], dtype=object)
    np.save(_objects(root, scene, "tool"), poses, allow_pickle=True)


def _no_objects(root: Path, scene: TacoScene) -> None:
    shutil.rmtree(_objects(root, scene, "tool").parent)


def _nan_poses(root: Path, scene: TacoScene) -> None:
    poses = scene.world_from_object["tool"].copy()
    poses[0], poses[min(2, len(poses) - 1)] = np.nan, 0.0
    np.save(_objects(root, scene, "tool"), poses)


def _short_poses(root: Path, scene: TacoScene) -> None:
    np.save(_objects(root, scene, "target"), scene.world_from_object["target"][:-2])


def _missing_mesh(root: Path, scene: TacoScene) -> None:
    for path in root.glob(f"[Oo]bject_[Mm]odels*/{scene.object_ids['tool']}_cm.obj"):
        path.unlink()


def _escaping_material(root: Path, scene: TacoScene) -> None:
    for path in root.glob(f"[Oo]bject_[Mm]odels*/{scene.object_ids['tool']}_cm.obj"):
        path.write_text("mtllib ../../../secret.mtl\n" + path.read_text())


class _Call:
    """A pickle of it calls something when it is read by Python's own reader."""

    def __init__(self, *reduced: Any) -> None:
        self.function, *self.args = reduced

    def __reduce__(self) -> Any:
        return self.function, tuple(self.args)


def _malicious_pickle(root: Path, scene: TacoScene) -> None:
    call = _Call(os.system, f"touch '{root / MALICE}'")
    _file(root, scene, "Hand_Poses", "right_hand.pkl").write_bytes(pickle.dumps({"1": call}))


def _truncated_pickle(root: Path, scene: TacoScene) -> None:
    path = _file(root, scene, "Hand_Poses", "left_hand.pkl")
    path.write_bytes(path.read_bytes()[:-40])


def _lost_hand_frames(root: Path, scene: TacoScene) -> None:
    """The left hand is unknown in the third frame: no key in one file, NaN in the other."""
    path = _file(root, scene, "Hand_Poses", "left_hand.pkl")
    entries = pickle.loads(path.read_bytes())  # written by us just now
    entries.pop("3", None)
    path.write_bytes(pickle.dumps(entries))
    joints = scene.joints.copy()
    joints[2:3, 0] = np.nan
    np.save(_file(root, scene, "Hand_Poses", "hand_joints.npy"), joints)


def _wrong_joint_order(root: Path, scene: TacoScene) -> None:
    stored = scene.joints[:, :, np.argsort(JOINT_ORDERS["mano"])]
    np.save(_file(root, scene, "Hand_Poses", "hand_joints.npy"), stored)


def _swapped_hands(root: Path, scene: TacoScene) -> None:
    np.save(_file(root, scene, "Hand_Poses", "hand_joints.npy"), scene.joints[:, ::-1])


def _missing_calibration(root: Path, scene: TacoScene) -> None:
    _file(root, scene, "Allocentric_Camera_Parameters", "calibration.json").unlink()


def _garbage_calibration(root: Path, scene: TacoScene) -> None:
    _file(root, scene, "Allocentric_Camera_Parameters", "calibration.json").write_text('{"1": [}')


def _escaping_serial(root: Path, scene: TacoScene) -> None:
    path = _file(root, scene, "Allocentric_Camera_Parameters", "calibration.json")
    path.write_text(path.read_text().replace(SERIALS[0], "../../../secret"))


def _missing_video(root: Path, scene: TacoScene) -> None:
    _file(root, scene, "Allocentric_RGB_Videos", f"{SERIALS[0]}.mp4").unlink()


def _garbage_video(root: Path, scene: TacoScene) -> None:
    _file(root, scene, "Allocentric_RGB_Videos", f"{SERIALS[0]}.mp4").write_bytes(bytes(1000))


def _lost_frames(root: Path, scene: TacoScene) -> None:
    path = _file(root, scene, "Egocentric_RGB_Videos", "color.mp4")
    frames = [frame for index, frame in Clip.open(path).frames() if index not in (3, 4)]
    write_video(path, frames, 30.0)


def _resized_videos(root: Path, scene: TacoScene) -> None:
    """Half the size that the calibration names."""
    for serial in SERIALS:
        path = _file(root, scene, "Allocentric_RGB_Videos", f"{serial}.mp4")
        write_video(path, [frame[::2, ::2] for _, frame in Clip.open(path).frames()], 30.0)


def _cropped_videos(root: Path, scene: TacoScene) -> None:
    """Pictures of another aspect than the calibration's."""
    path = _file(root, scene, "Allocentric_RGB_Videos", f"{SERIALS[0]}.mp4")
    width = scene.cameras[SERIALS[0]].width
    write_video(path, [frame[:, : width // 4 * 2] for _, frame in Clip.open(path).frames()], 30.0)


def _nan_head_path(root: Path, scene: TacoScene) -> None:
    path = _file(root, scene, "Egocentric_Camera_Parameters", "egocentric_frame_extrinsic.npy")
    poses = np.load(path)
    poses[1] = np.nan
    np.save(path, poses)


DEFECTS: dict[str, Callable[[Path, TacoScene], None]] = {
    "truncated_npy": _truncated_npy,
    "wrong_shape": _wrong_shape,
    "pickled_poses": _pickled_poses,
    "no_objects": _no_objects,
    "nan_poses": _nan_poses,
    "short_poses": _short_poses,
    "missing_mesh": _missing_mesh,
    "escaping_material": _escaping_material,
    "malicious_pickle": _malicious_pickle,
    "truncated_pickle": _truncated_pickle,
    "lost_hand_frames": _lost_hand_frames,
    "wrong_joint_order": _wrong_joint_order,
    "swapped_hands": _swapped_hands,
    "missing_calibration": _missing_calibration,
    "garbage_calibration": _garbage_calibration,
    "escaping_serial": _escaping_serial,
    "missing_video": _missing_video,
    "garbage_video": _garbage_video,
    "lost_frames": _lost_frames,
    "resized_videos": _resized_videos,
    "cropped_videos": _cropped_videos,
    "nan_head_path": _nan_head_path,
}
"""Faults by name."""
