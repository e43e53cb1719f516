"""Tiny TACO downloads made in code, in exactly the dataset's formats with all their traps, for tests and examples."""

from __future__ import annotations

import io
import pickle
import shutil
from collections import OrderedDict
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dexman_pose._optional import require
from dexman_pose.arrays import Array
from dexman_pose.data.files import write_json
from dexman_pose.data.tracks import SIDES
from dexman_pose.data.video.writer import write_video
from dexman_pose.datasets.taco.cameras import EGOCENTRIC
from dexman_pose.datasets.taco.media import DEPTH_UNITS_PER_METRE, FRAMES_PER_MASK
from dexman_pose.errors import InputError
from dexman_pose.render.scene import SceneRendering
from dexman_pose.synthetic.demo.files import write_obj
from dexman_pose.synthetic.tiny_datasets.taco_defects import DEFECTS, apply_defect
from dexman_pose.synthetic.tiny_datasets.taco_scene import SERIALS, TacoScene, taco_scenes

LAYOUTS = ("v1", "prerelease")
MASK_LABELS = {1: "tool", 2: "target", 3: "hand", 4: "hand"}
"""What the numbers in the masks written here mean; the dataset itself does not say what its own mean."""


def write_taco(
    root: str | Path,
    *,
    sequences: int = 4,
    frames: int = 12,
    layout: str = "v1",
    size: tuple[int, int] = (160, 120),
    seed: int = 0,
    defects: Sequence[str] = (),
) -> list[str]:
    """Write a small download and return the names of its sequences; the same numbers for the same arguments.

    The truth is :func:`dexman_pose.synthetic.tiny_datasets.taco_scene.taco_scenes` of the same arguments. Two fixed
    cameras and one on the head see a tool, a target and two hands of our own model (the MANO parameters are plausible
    numbers, not those of the hands drawn). Every second sequence has tensors that were saved from a GPU. Version 1 has
    joints, masks, pictures without markers and the list of splits; the pre-release has none of them, and its head
    camera's parameters lie in a folder of their own.

    Args:
        root: folder, made when missing.
        sequences: how many.
        frames: of each.
        layout: ``"v1"`` or ``"prerelease"``.
        size: width and height of all pictures, even numbers.
        seed: of motions and cameras.
        defects: faults planted afterwards, names of
            :data:`dexman_pose.synthetic.tiny_datasets.taco_defects.DEFECTS`; in the first sequence, or the n-th as
            ``"name:n"`` counting from 0.

    Raises:
        InputError: unknown layout or defect, sizes that are not positive and even.
    """
    root = Path(root)
    planted = [_defect(text, sequences) for text in defects]
    if layout not in LAYOUTS:
        raise InputError(f"layout must be one of {', '.join(LAYOUTS)}, but got {layout!r}")
    if sequences < 1 or frames < 1 or any(n < 2 or n % 2 for n in size):
        raise InputError(f"sequences and frames must be positive and size even, but got {size}")
    scenes = taco_scenes(sequences, frames, size=size, seed=seed)
    for index, scene in enumerate(scenes):
        _write_sequence(root, scene, layout == "v1", from_gpu=index % 2 == 1)
    if layout == "v1":
        lines = [f"{scene.name},{scene.split}" for scene in scenes]
        (root / "v1_overall_data_train_test_split.txt").write_text("\n".join(lines) + "\n")
    for name, index in planted:
        apply_defect(root, scenes[index], name)
    return [scene.name for scene in scenes]


def _defect(text: str, sequences: int) -> tuple[str, int]:
    name, _, number = text.partition(":")
    index = int(number) if number.isdigit() else 0
    if name not in DEFECTS or (number and not number.isdigit()) or index >= sequences:
        raise InputError(
            f"no defect {text!r}; there are {', '.join(DEFECTS)}, each with :n for the n-th sequence"
        )
    return name, index


def _write_sequence(root: Path, scene: TacoScene, v1: bool, *, from_gpu: bool) -> None:
    def folder(kind: str) -> Path:
        made = root / kind / scene.triplet / scene.name
        made.mkdir(parents=True, exist_ok=True)
        return made

    _write_objects(
        root / ("object_models_released" if v1 else "Object_Models"), folder("Object_Poses"), scene
    )
    _write_hands(folder("Hand_Poses"), scene, v1, from_gpu)
    _write_cameras(
        folder("Allocentric_Camera_Parameters"),
        folder("Egocentric_Camera_Parameters" if v1 else "camera/Egocentric_Camera_Parameters"),
        scene,
    )
    seen = list(scene.renderings())
    fixed, head = folder("Allocentric_RGB_Videos"), folder("Egocentric_RGB_Videos")
    for name in scene.cameras:
        path = head / "color.mp4" if name == EGOCENTRIC else fixed / f"{name}.mp4"
        write_video(path, [picture(frame[name]) for frame in seen], 30.0, preset="ultrafast")
    depth = [frame[EGOCENTRIC].depth for frame in seen]
    write_depth(folder("Egocentric_Depth_Videos") / "egocentric_depth.avi", depth)
    if not v1:
        return
    for serial in SERIALS:
        shutil.copyfile(
            fixed / f"{serial}.mp4", folder("Marker_Removed_Allocentric_RGB_Videos") / f"{serial}.mp4"
        )
        labels = [frame[serial].object_id + 1 for frame in seen[::FRAMES_PER_MASK]]
        np.save(folder("2D_Segmentation") / f"{serial}_masks.npy", np.stack(labels).astype(np.uint8))


def _write_objects(models: Path, poses: Path, scene: TacoScene) -> None:
    models.mkdir(parents=True, exist_ok=True)
    for role, object_id in scene.object_ids.items():
        path = models / f"{object_id}_cm.obj"
        if not path.exists():
            write_obj(path, scene.meshes[role].scaled(100.0))
        np.save(poses / f"{role}_{object_id}.npy", scene.world_from_object[role])


def _write_hands(folder: Path, scene: TacoScene, joints: bool, from_gpu: bool) -> None:
    for s, side in enumerate(SIDES):
        entries = {
            str(t + 1): {
                "hand_pose": _tensor(scene.hand_pose[t, s], from_gpu),
                "hand_trans": _tensor(scene.joints[t, s, 0], from_gpu),
            }
            for t in range(scene.num_frames)
        }
        (folder / f"{side}_hand.pkl").write_bytes(pickle.dumps(entries))
        shape = {"hand_shape": _tensor(scene.hand_shape[s], from_gpu)}
        (folder / f"{side}_hand_shape.pkl").write_bytes(pickle.dumps(shape))
    if joints:
        np.save(folder / "hand_joints.npy", scene.joints)


class _Reduced:
    """Pickles as what its function and arguments pickle as."""

    def __init__(self, *reduced: Any) -> None:
        self.reduced = reduced

    def __reduce__(self) -> Any:
        return self.reduced


def _tensor(values: Array, from_gpu: bool) -> Any:
    """A torch tensor, or what pickles as one that was on a GPU, which need not be here."""
    import torch

    tensor = torch.tensor(values, dtype=torch.float32)
    if not from_gpu:
        return tensor
    stored: Any = torch.storage.TypedStorage
    storage = stored(wrap_storage=tensor.untyped_storage(), dtype=tensor.dtype, _internal=True)
    stream = io.BytesIO()
    torch.save(storage, stream, _use_new_zipfile_serialization=False)
    here, there = (b"X" + len(name).to_bytes(4, "little") + name for name in (b"cpu", b"cuda:0"))
    archive = stream.getvalue().replace(here, there)
    embedded = _Reduced(torch.storage._load_from_bytes, (archive,))
    rebuild = torch._utils._rebuild_tensor_v2
    return _Reduced(rebuild, (embedded, 0, tuple(tensor.shape), tensor.stride(), False, OrderedDict()))


def _write_cameras(fixed: Path, head: Path, scene: TacoScene) -> None:
    entries: dict[str, Any] = {}
    for serial in SERIALS:
        camera, pose = scene.cameras[serial], scene.camera_from_world[serial][0]
        entries[serial] = {
            "imgSize": [camera.width, camera.height],
            "K": camera.K.reshape(-1).tolist(),
            "R": pose[:3, :3].reshape(-1).tolist(),
            "T": pose[:3, 3].tolist(),
            "distCoeff": np.zeros(5).tolist() if camera.distortion is None else camera.distortion.tolist(),
        }
    write_json(fixed / "calibration.json", entries)
    np.savetxt(head / "egocentric_intrinsic.txt", scene.cameras[EGOCENTRIC].K)
    np.save(head / "egocentric_frame_extrinsic.npy", scene.camera_from_world[EGOCENTRIC])


def picture(seen: SceneRendering) -> NDArray[np.uint8]:
    """RGB (H, W, 3): the things in a simple light before a plain, slightly patterned wall."""
    assert seen.color is not None and seen.normal is not None
    height, width = seen.mask.shape
    wall = 96 + 10 * ((np.arange(height)[:, None] // 8 + np.arange(width) // 8) % 2)
    light = 0.35 + 0.65 * np.abs(seen.normal @ np.array([0.4, -0.5, -0.77]))
    lit = 255 * np.clip(seen.color * light[..., None], 0.0, 1.0)
    out: NDArray[np.uint8] = np.where(seen.mask[..., None], lit, wall[..., None]).astype(np.uint8)
    return out


def write_depth(path: Path, depth: Sequence[NDArray[np.float32]]) -> None:
    """Depth (H, W) in metres as the dataset has it: FFV1, 16 bits of grey, 4000 a metre, a header that says 15 fps."""
    av = require("av", "video", "writing depth videos")
    height, width = depth[0].shape
    with av.open(str(path), "w", format="avi") as container:
        stream = container.add_stream("ffv1", rate=15)
        stream.width, stream.height, stream.pix_fmt = width, height, "gray16le"
        for index, image in enumerate(depth):
            raw = np.clip(np.rint(image * DEPTH_UNITS_PER_METRE), 0, 65535).astype(np.uint16)
            frame = av.VideoFrame.from_ndarray(raw, format="gray16le")
            frame.pts, frame.time_base = index, Fraction(1, 15)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
