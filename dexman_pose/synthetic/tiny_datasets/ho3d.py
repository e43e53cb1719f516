"""A tiny HO-3D download, in the data set's own format."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np

from dexman_pose.arrays import Array
from dexman_pose.data.files import write_bytes
from dexman_pose.geometry import inverse, se3, so3_exp
from dexman_pose.synthetic.demo.files import write_obj
from dexman_pose.synthetic.tiny_datasets.scene import SmallPicture, SmallScene, depth_steps, write_image
from dexman_pose.synthetic.tiny_datasets.shared import (
    FRAMES,
    SmallTruth,
    hand_betas,
    hand_joints,
    tiny_camera,
    tiny_mesh,
)

_FLIP = np.diag([1.0, -1.0, -1.0])


def write_small_ho3d(root: str | Path) -> dict[str, SmallTruth]:
    """Sequences ``train/ABF10`` and ``evaluation/AP10``; truth by sequence.

    Frame 1 of ABF10 has None for annotations; AP10 has the wrist only. ABF10 is the second camera of a calibrated
    pair.
    """
    root = Path(root)
    name = "025_mug"
    write_obj(root / "models" / name / "textured_simple.obj", tiny_mesh("mug"))
    world = se3(so3_exp([0.0, 0.2, 0.0]), [0.1, 0.0, 0.0])
    calibration = root / "calibration" / "ABF1" / "calibration"
    write_bytes(calibration / "cam_orders.txt", b"1\n0\n")
    for place, camera_from_world in enumerate((np.eye(4), world)):
        lines = [" ".join(repr(float(x)) for x in row) for row in inverse(camera_from_world)]
        write_bytes(calibration / f"trans_{place}.txt", "\n".join(lines).encode())
    return {
        "ABF10": _ho3d_sequence(root / "train" / "ABF10", name, world, whole_hand=True),
        "AP10": _ho3d_sequence(root / "evaluation" / "AP10", name, np.eye(4), whole_hand=False),
    }


def _ho3d_sequence(folder: Path, name: str, world: Array, *, whole_hand: bool) -> SmallTruth:
    camera, meshes = tiny_camera(), {name: tiny_mesh("mug")}
    turns = np.array(
        [[0.3 + 0.1 * t, -0.2, 2.6] for t in range(FRAMES)]
    )  # in OpenGL axes, as the files have them
    shifts = np.array([[0.01 * t, -0.02, -0.6] for t in range(FRAMES)])
    poses = se3(_FLIP @ so3_exp(turns), shifts @ _FLIP)
    valid = np.array([True, not whole_hand, True, True])
    joints = hand_joints()
    order = (
        0,
        5,
        6,
        7,
        9,
        10,
        11,
        17,
        18,
        19,
        13,
        14,
        15,
        1,
        2,
        3,
        4,
        8,
        12,
        16,
        20,
    )  # MANO's order from ours
    drawer = SmallScene(meshes)
    mano = {"pose": np.random.default_rng(5).normal(size=(FRAMES, 48)), "shape": hand_betas()}
    mano["root_joint"] = np.array([0.09, 0.006, 0.004])
    mano["translation"] = joints[:, 0] @ _FLIP - mano["root_joint"]
    for t in range(FRAMES):
        _write_ho3d_pictures(folder, t, drawer.picture(camera, {name: (name, poses[t])}))
        in_opengl = joints[t][list(order)] @ _FLIP
        entry: dict[str, Any] = {
            "objRot": turns[t].reshape(3, 1),
            "objTrans": shifts[t],
            "objName": name,
            "objLabel": 14,
            "objCorners3DRest": np.zeros((8, 3)),
            "camMat": camera.K,
            "handJoints3D": in_opengl if whole_hand else in_opengl[0],
        }
        if whole_hand:
            entry |= {
                "handPose": mano["pose"][t],
                "handTrans": mano["translation"][t],
                "handBeta": mano["shape"],
            }
        if not valid[t]:
            entry = dict.fromkeys(entry)
        write_bytes(folder / "meta" / f"{t:04d}.pkl", pickle.dumps(entry, protocol=2))
    worlds = np.tile(world, (FRAMES, 1, 1))
    seen = valid & whole_hand
    return SmallTruth(camera, worlds, {name: poses}, {name: valid}, joints, seen, mano, meshes)


def _write_ho3d_pictures(folder: Path, t: int, picture: SmallPicture) -> None:
    write_image(folder / "rgb" / f"{t:04d}.jpg", picture.rgb)
    steps = depth_steps(picture.depth, 0.00012498664727900177)
    channels = np.stack([steps % 256, steps // 256, np.zeros_like(steps)], -1)
    write_image(folder / "depth" / f"{t:04d}.png", channels.astype(np.uint8))
