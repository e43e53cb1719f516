"""Tiny synthetic roots of DexYCB, HO3D and OakInk2 with known truth and everything that readers stumble over."""

from __future__ import annotations

import pickle
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dexman_pose.data import Camera, Mesh
from dexman_pose.data.atomic import write_bytes, write_json, write_npz
from dexman_pose.datasets.small_scene import SmallPicture, SmallScene, depth_steps, write_image
from dexman_pose.datasets.stress_shapes import stress_shape
from dexman_pose.datasets.synthetic_files import write_obj
from dexman_pose.geometry import inverse, quaternion_from_matrix, se3, so3_exp

Array = NDArray[np.float64]
Bools = NDArray[np.bool_]

FRAMES = 4
_SIZE = (96, 72)
_FLIP = np.diag([1.0, -1.0, -1.0])


@dataclass(frozen=True)
class SmallTruth:
    """What is true in one view of a tiny dataset.

    Attributes:
        camera: of the pictures.
        camera_from_world: (T, 4, 4).
        poses: camera from object (T, 4, 4) by name; rows that are not valid mean nothing.
        valid: (T,) by name.
        joints: (T, 21, 3) camera frame, in the order of ``JOINT_NAMES``; None without a hand.
        hand_valid: (T,).
        mano: arrays as written, by name, and those that depend on axes as they should be read.
        meshes: by name, metres.
    """

    camera: Camera
    camera_from_world: Array
    poses: dict[str, Array]
    valid: dict[str, Bools]
    joints: Array | None = None
    hand_valid: Bools = field(default_factory=lambda: np.zeros(FRAMES, np.bool_))
    mano: dict[str, Array] = field(default_factory=dict)
    meshes: dict[str, Mesh] = field(default_factory=dict)


def write_small_dexycb(root: str | Path) -> dict[str, SmallTruth]:
    """One sequence ``20200709-subject-01/20200709_141754`` of two cameras; truth by serial number.

    The mug is absent in frame 0 (zeros), the hand in frames 0 and 3 (-1 and zeros); the name of the extrinsics is
    not quoted in ``meta.yml``.
    """
    root = Path(root)
    meshes = {"002_master_chef_can": _mesh("can"), "025_mug": _mesh("mug")}
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
    c = _camera()
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
    write_bytes(betas, f"betas: {_betas().tolist()}\n".encode())


def _dexycb_view(folder: Path, camera_from_world: Array, meshes: dict[str, Mesh]) -> SmallTruth:
    camera, ids = _camera(), (1, 14)
    poses = {name: camera_from_world @ world for name, world in zip(meshes, _world_from_objects())}
    valid = {name: np.ones(FRAMES, np.bool_) for name in poses}
    valid["025_mug"][0] = False
    hand_valid = np.array([False, True, True, False])
    joints = _joints() @ camera_from_world[:3, :3].T + camera_from_world[:3, 3]
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
    mano = {"pose": pose_m[:, :48], "translation": pose_m[:, 48:], "shape": _betas()}
    return SmallTruth(camera, worlds, poses, valid, joints, hand_valid, mano, dict(meshes))


def write_small_ho3d(root: str | Path) -> dict[str, SmallTruth]:
    """Sequences ``train/ABF10`` and ``evaluation/AP10``; truth by sequence.

    Frame 1 of ABF10 has None for annotations; AP10 has the wrist only. ABF10 is the second camera of a calibrated
    pair.
    """
    root = Path(root)
    name = "025_mug"
    write_obj(root / "models" / name / "textured_simple.obj", _mesh("mug"))
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
    camera, meshes = _camera(), {name: _mesh("mug")}
    turns = np.array(
        [[0.3 + 0.1 * t, -0.2, 2.6] for t in range(FRAMES)]
    )  # in OpenGL axes, as the files have them
    shifts = np.array([[0.01 * t, -0.02, -0.6] for t in range(FRAMES)])
    poses = se3(_FLIP @ so3_exp(turns), shifts @ _FLIP)
    valid = np.array([True, not whole_hand, True, True])
    joints = _joints()
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
    mano = {"pose": np.random.default_rng(5).normal(size=(FRAMES, 48)), "shape": _betas()}
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


OAKINK2_NAME = "scene_01__A001++seq__0123456789__2023-04-01-10-00-00"


def write_small_oakink2(root: str | Path) -> dict[str, SmallTruth]:
    """One sequence of a camera that stands and one that moves; truth by view, and its program.

    Frame numbers count mocap frames, 8, 12, 16, 20; the second object is not placed in frame 12; the left hand is
    missing in frame 16.
    """
    root = Path(root)
    meshes = {"O02@0010@00001": _mesh("can"), "O02@0010@00002": _mesh("mug")}
    for name, mesh in meshes.items():
        write_obj(root / "object_raw" / "align_ds" / name / "scan.obj", mesh)
    numbers = [8 + 4 * t for t in range(FRAMES)]
    still = np.tile(se3(so3_exp([0.0, 0.1, 0.0]), [0.0, 0.0, 0.05]), (FRAMES, 1, 1))
    steps = 0.02 * np.arange(FRAMES)[:, None]
    moving = se3(so3_exp(steps * [1.0, 2.0, 0.0]), steps * [1.0, 0.0, 1.0])
    worlds = {"allocentric_top": still, "egocentric": moving}
    world_from_object = dict(zip(meshes, _world_from_objects()))
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
            picture = drawer.picture(_camera(), {n: (n, p[t]) for n, p in poses.items()})
            write_image(root / "data" / OAKINK2_NAME / serial / f"{number:06d}.jpg", picture.rgb)
        out[view] = SmallTruth(_camera(), world, poses, valid, mano=mano, meshes=meshes)
    return out


def _oakink2_mano() -> dict[str, Array]:
    rng = np.random.default_rng(9)
    turns = 0.5 * rng.normal(size=(2, FRAMES, 16, 3))
    return {
        "pose": turns.reshape(2, FRAMES, 48),
        "translation": rng.normal(size=(2, FRAMES, 3)),
        "shape": _betas(),
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

    k = np.tile(_camera().K, (FRAMES, 1, 1))
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


def _camera() -> Camera:
    width, height = _SIZE
    return Camera(np.array([[110.0, 0, 46.5], [0, 111.0, 37.25], [0, 0, 1]]), width, height)


def _mesh(name: str) -> Mesh:
    return stress_shape(name, textured=False).mesh


def _world_from_objects() -> tuple[Array, Array]:
    """(T, 4, 4) each of two things that move a little, half a metre before the first camera."""
    steps = np.arange(FRAMES)[:, None]
    one = se3(so3_exp([1.3, 0.1, 0.2] + 0.1 * steps), [-0.1, 0.02, 0.6] + 0.01 * steps * [1.0, 0.0, 1.0])
    two = se3(so3_exp([1.5, -0.2, 0.4] + 0.1 * steps), [0.08, 0.03, 0.62] - 0.01 * steps * [0.0, 1.0, 0.0])
    return one, two


def _joints() -> Array:
    """(T, 21, 3) of an open hand that moves, camera frame."""
    hand = np.zeros((21, 3))
    for finger in range(5):
        for k in range(4):
            reach = 0.03 + 0.028 * (k + 1)
            angle = 0.35 * (finger - 2)
            hand[1 + 4 * finger + k] = [reach * np.sin(angle), -reach * np.cos(angle), 0.004 * k]
    return (
        hand + (np.array([0.0, 0.08, 0.55]) + 0.01 * np.arange(FRAMES)[:, None] * [1.0, -1.0, 0.5])[:, None]
    )


def _betas() -> Array:
    return np.linspace(-0.9, 0.9, 10)
