"""A tiny OakInk2 download, in the data set's own format."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np

from dexman_pose.arrays import Array, Bools
from dexman_pose.data.files import write_bytes, write_json
from dexman_pose.geometry import quaternion_from_matrix, se3, so3_exp
from dexman_pose.synthetic.demo.files import write_obj
from dexman_pose.synthetic.tiny_datasets.scene import SmallScene, write_image
from dexman_pose.synthetic.tiny_datasets.shared import (
    FRAMES,
    SmallTruth,
    hand_betas,
    tiny_camera,
    tiny_mesh,
    world_from_objects,
)

OAKINK2_NAME = "scene_01__A001++seq__0123456789__2023-04-01-10-00-00"


def write_small_oakink2(root: str | Path) -> dict[str, SmallTruth]:
    """One sequence of a camera that stands and one that moves; truth by view, and its program.

    Frame numbers count mocap frames, 8, 12, 16, 20; the second object is not placed in frame 12; the left hand is
    missing in frame 16.
    """
    root = Path(root)
    meshes = {"O02@0010@00001": tiny_mesh("can"), "O02@0010@00002": tiny_mesh("mug")}
    for name, mesh in meshes.items():
        write_obj(root / "object_raw" / "align_ds" / name / "scan.obj", mesh)
    numbers = [8 + 4 * t for t in range(FRAMES)]
    still = np.tile(se3(so3_exp([0.0, 0.1, 0.0]), [0.0, 0.0, 0.05]), (FRAMES, 1, 1))
    steps = 0.02 * np.arange(FRAMES)[:, None]
    moving = se3(so3_exp(steps * [1.0, 2.0, 0.0]), steps * [1.0, 0.0, 1.0])
    worlds = {"allocentric_top": still, "egocentric": moving}
    world_from_object = dict(zip(meshes, world_from_objects()))
    valid = {name: np.ones(FRAMES, np.bool_) for name in meshes}
    valid["O02@0010@00002"][1] = False
    mano = _oakink2_mano()
    anno = _oakink2_annotation(numbers, worlds, world_from_object, valid, mano)
    write_bytes(root / "anno_preview" / f"{OAKINK2_NAME}.pkl", pickle.dumps(anno))
    program = {
        str(((8, 16), None)): {"primitive": "hold", "obj_list": list(meshes), "interaction_mode": "lh_main"},
        str((None, (6, 20))): {"primitive": "pour", "obj_list": [], "interaction_mode": "rh_main"},
    }
    write_json(root / "program" / "program_info" / f"{OAKINK2_NAME}.json", program)
    drawer, out = SmallScene(meshes), {}
    for (view, world), serial in zip(worlds.items(), ("100", "200")):
        poses = {name: world @ placed for name, placed in world_from_object.items()}
        for t, number in enumerate(numbers):
            picture = drawer.picture(tiny_camera(), {n: (n, p[t]) for n, p in poses.items()})
            write_image(root / "data" / OAKINK2_NAME / serial / f"{number:06d}.jpg", picture.rgb)
        out[view] = SmallTruth(tiny_camera(), world, poses, valid, mano=mano, meshes=meshes)
    return out


def _oakink2_mano() -> dict[str, Array]:
    rng = np.random.default_rng(9)
    turns = 0.5 * rng.normal(size=(2, FRAMES, 16, 3))
    return {
        "pose": turns.reshape(2, FRAMES, 48),
        "translation": rng.normal(size=(2, FRAMES, 3)),
        "shape": hand_betas(),
    }


def _oakink2_annotation(
    numbers: list[int],
    worlds: dict[str, Array],
    world_from_object: dict[str, Array],
    valid: dict[str, Bools],
    mano: dict[str, Array],
) -> dict[str, Any]:
    import torch

    def hands(t: int) -> dict[str, Any]:
        out = {}
        for i, side in enumerate(("lh", "rh")):
            if side == "lh" and t == 2:
                continue
            turns = so3_exp(mano["pose"][i, t].reshape(16, 3))
            out[f"{side}__pose_coeffs"] = torch.tensor(quaternion_from_matrix(turns))[None].float()
            out[f"{side}__tsl"] = torch.tensor(mano["translation"][i, t])[None].float()
            out[f"{side}__betas"] = torch.tensor(mano["shape"])[None].float()
        return out

    def by_frame(rows: Array, there: Bools | None = None) -> dict[int, Array]:
        return {n: rows[t] for t, n in enumerate(numbers) if there is None or there[t]}

    k = np.tile(tiny_camera().K, (FRAMES, 1, 1))
    return {
        "cam_def": {"100": "allocentric_top", "200": "egocentric"},
        "cam_selection": list(worlds),
        "frame_id_list": numbers,
        "cam_intr": {view: by_frame(k) for view in worlds},
        "cam_extr": {view: by_frame(world) for view, world in worlds.items()},
        "mocap_frame_id_list": list(range(numbers[0], numbers[-1] + 1)),
        "obj_list": list(world_from_object),
        "obj_transf": {name: by_frame(p, valid[name]) for name, p in world_from_object.items()},
        "raw_smplx": {n: {"world_tsl": torch.zeros(1, 3)} for n in numbers},
        "raw_mano": {n: hands(t) for t, n in enumerate(numbers)},
    }
