"""A tiny DexYCB download, in the data set's own format."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from dexman_pose.arrays import Array
from dexman_pose.data import Mesh
from dexman_pose.data.files import write_bytes, write_npz
from dexman_pose.geometry import inverse, se3, so3_exp
from dexman_pose.synthetic.demo.files import write_obj
from dexman_pose.synthetic.tiny_datasets.scene import SmallScene, depth_steps, write_image
from dexman_pose.synthetic.tiny_datasets.shared import (
    FRAMES,
    SmallTruth,
    hand_betas,
    hand_joints,
    tiny_camera,
    tiny_mesh,
    world_from_objects,
)


def write_small_dexycb(root: str | Path) -> dict[str, SmallTruth]:
    """One sequence ``20200709-subject-01/20200709_141754`` of two cameras; truth by serial number.

    The mug is absent in frame 0 (zeros), the hand in frames 0 and 3 (-1 and zeros); the name of the extrinsics is
    not quoted in ``meta.yml``.
    """
    root = Path(root)
    meshes = {"002_master_chef_can": tiny_mesh("can"), "025_mug": tiny_mesh("mug")}
    folder = root / "20200709-subject-01" / "20200709_141754"
    serials = ("836212060125", "932122062010")
    for name, mesh in meshes.items():
        write_obj(root / "models" / name / "textured_simple.obj", mesh)
    worlds = {serials[0]: np.eye(4), serials[1]: se3(so3_exp([0.02, -0.15, 0.05]), [0.08, 0.01, 0.03])}
    _dexycb_calibration(root, worlds)
    meta = [
        "serials:",
        *(f"- '{s}'" for s in serials),
        f"num_frames: {FRAMES}",
        "extrinsics: 20200702_151821",
        "ycb_ids: [1, 14]",
        "ycb_grasp_ind: 1",
        "mano_calib: [20200709-subject-01_left]",
        "mano_sides: [left]",
    ]
    write_bytes(folder / "meta.yml", ("\n".join(meta) + "\n").encode())
    return {s: _dexycb_view(folder / s, world, meshes) for s, world in worlds.items()}


def _dexycb_calibration(root: Path, worlds: Mapping[str, Array]) -> None:
    c = tiny_camera()
    color = f"color:\n  fx: {c.fx}\n  fy: {c.fy}\n  ppx: {c.cx}\n  ppy: {c.cy}\n"
    lines = ["extrinsics:"]
    for serial, camera_from_world in worlds.items():
        path = root / "calibration" / "intrinsics" / f"{serial}_{c.width}x{c.height}.yml"
        write_bytes(path, color.encode())
        lines.append(f"  '{serial}': {inverse(camera_from_world)[:3].reshape(-1).tolist()}")
    lines.append(f"master: '{next(iter(worlds))}'")
    path = root / "calibration" / "extrinsics_20200702_151821" / "extrinsics.yml"
    write_bytes(path, "\n".join(lines).encode())
    betas = root / "calibration" / "mano_20200709-subject-01_left" / "mano.yml"
    write_bytes(betas, f"betas: {hand_betas().tolist()}\n".encode())


def _dexycb_view(folder: Path, camera_from_world: Array, meshes: dict[str, Mesh]) -> SmallTruth:
    camera, ids = tiny_camera(), (1, 14)
    poses = {name: camera_from_world @ world for name, world in zip(meshes, world_from_objects())}
    valid = {name: np.ones(FRAMES, np.bool_) for name in poses}
    valid["025_mug"][0] = False
    hand_valid = np.array([False, True, True, False])
    joints = hand_joints() @ camera_from_world[:3, :3].T + camera_from_world[:3, 3]
    rng = np.random.default_rng(3)
    pose_m = rng.normal(size=(FRAMES, 51))
    drawer = SmallScene(meshes)
    for t in range(FRAMES):
        picture = drawer.picture(camera, {n: (n, p[t]) for n, p in poses.items() if valid[n][t]})
        write_image(folder / f"color_{t:06d}.jpg", picture.rgb)
        write_image(folder / f"aligned_depth_to_color_{t:06d}.png", depth_steps(picture.depth, 0.001))
        labels = np.zeros(picture.rgb.shape[:2], np.uint8)
        for number, name in zip(ids, meshes):
            labels[picture.seen.get(name, np.zeros_like(labels, np.bool_))] = number
        labels[:6] = 255
        pose_y = [p[t, :3] if valid[n][t] else np.zeros((3, 4)) for n, p in poses.items()]
        there = hand_valid[t]
        arrays = {
            "seg": labels,
            "pose_y": np.array(pose_y, np.float32),
            "pose_m": (pose_m[t : t + 1] * there).astype(np.float32),
            "joint_3d": (joints[t : t + 1] if there else np.full((1, 21, 3), -1.0)).astype(np.float32),
            "joint_2d": (camera.project(joints[t : t + 1]) if there else np.full((1, 21, 2), -1.0)).astype(
                np.float32
            ),
        }
        write_npz(folder / f"labels_{t:06d}.npz", arrays)
    worlds = np.tile(camera_from_world, (FRAMES, 1, 1))
    mano = {"pose": pose_m[:, :48], "translation": pose_m[:, 48:], "shape": hand_betas()}
    return SmallTruth(camera, worlds, poses, valid, joints, hand_valid, mano, dict(meshes))
