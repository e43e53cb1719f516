"""A film's truth without pictures, and a trajectory that says the same: one box, one hand, in a plain depth image."""

from __future__ import annotations

from typing import Protocol

import numpy as np
import pytest
import trimesh

from dexman_pose.contact import detect_contacts
from dexman_pose.data import Camera, HandTrack, Mesh, PoseTrack, RigidObject, Trajectory
from dexman_pose.geometry.se3 import se3, so3_exp, transform_points
from dexman_pose.hands.model.hand_model import HandModel
from dexman_pose.render import Rasterizer
from dexman_pose.synthetic.demo.clip import look_at
from dexman_pose.synthetic.demo.files import write_obj
from dexman_pose.synthetic.grasps.record import DEPTH_UNITS_PER_METRE, FilmRecord
from dexman_pose.synthetic.grasps.truth import FilmTruth

FRAMES = 10
CAMERA = Camera.from_focal(200, 160, 120)


def box_mesh() -> Mesh:
    """A box with vertices on its sides, so that distances between vertices say something."""
    box = trimesh.creation.box((0.06, 0.08, 0.1)).subdivide().subdivide()
    return Mesh(np.asarray(box.vertices), np.asarray(box.faces))


@pytest.fixture(scope="session")
def record(tmp_path_factory: pytest.TempPathFactory) -> FilmRecord:
    """A box that is lifted from frame 4 on by a hand that touches it with thumb and index; another box beside."""
    folder = tmp_path_factory.mktemp("film")
    mesh = box_mesh()
    for name in ("box", "brick"):
        write_obj(folder / "objects" / f"{name}.obj", mesh)
    view = look_at([0.0, -0.6, 0.4], [0.0, 0.0, 0.1])
    height = 0.05 + 0.02 * np.maximum(np.arange(FRAMES) - 3.0, 0.0)
    moved = se3(so3_exp([0.0, 0.0, 0.3]), np.stack([0 * height, 0 * height, height], 1))
    still = np.tile(se3(np.eye(3), [0.15, 0.05, 0.05]), (FRAMES, 1, 1))
    poses = view @ np.stack([moved, still])
    hand = HandModel(resolution=0.005)
    places = se3(np.eye(3), np.stack([0 * height - 0.12, 0 * height - 0.02, height + 0.06], 1))
    joints = transform_points(view, hand.joints(hand.pose(finger_flexion=0.3), places))
    held = np.zeros((1, 2, FRAMES), np.bool_)
    held[0, 0, 4:] = True
    touching = np.zeros((1, 2, FRAMES, 6), np.bool_)
    touching[0, 0, 3:, :2] = True
    depth = np.stack([_depth(mesh, poses[:, t]) for t in range(FRAMES)])
    labels = np.zeros(depth.shape, np.uint8)
    gaps = np.where(touching, 0.0, 0.5)
    truth = FilmTruth(
        ("box", "brick"), ("right",), CAMERA.K, (160, 120), np.arange(FRAMES) / 30.0, view, poses,
        np.ones((2, FRAMES)), joints[None], np.ones((1, FRAMES)), np.ones((1, FRAMES)), hand.bone_lengths[None],
        gaps, touching, held, -view[:3, 2], np.array([*view[:3, 2], np.linalg.inv(view)[2, 3]]), np.zeros(1),
    )  # fmt: skip
    return FilmRecord(folder, truth, labels, labels, depth)


def _depth(mesh: Mesh, poses: np.ndarray) -> np.ndarray:
    seen = Rasterizer(mesh).render(poses, CAMERA.K, 160, 120)
    assert seen.depth is not None
    nearest = np.where(seen.mask, seen.depth, 3.0).min(0)
    return np.rint(nearest * DEPTH_UNITS_PER_METRE).astype(np.uint16)


@pytest.fixture
def meshes() -> dict[str, Mesh]:
    """The true meshes."""
    return {"box": box_mesh(), "brick": box_mesh()}


@pytest.fixture
def perfect(record: FilmRecord, meshes: dict[str, Mesh]) -> Trajectory:
    """The truth as a trajectory."""
    return _trajectory_of(record, meshes)


class Told(Protocol):
    """Makes a trajectory of a film; see :func:`_trajectory_of`."""

    def __call__(self, record: FilmRecord, meshes: dict[str, Mesh], **changes: np.ndarray) -> Trajectory:
        """The trajectory."""
        ...


@pytest.fixture
def told() -> Told:
    """Trajectories that say what is true but for one thing."""
    return _trajectory_of


def _trajectory_of(
    record: FilmRecord,
    meshes: dict[str, Mesh],
    *,
    moved: np.ndarray | None = None,
    hand_moved: np.ndarray | None = None,
    valid: np.ndarray | None = None,
) -> Trajectory:
    """A trajectory of a film with its box moved by ``moved`` (4, 4) and its hand by ``hand_moved`` (3,)."""
    truth = record.truth
    known = np.ones(FRAMES, np.bool_) if valid is None else valid
    objects = {}
    for k, name in enumerate(truth.objects):
        poses = truth.camera_from_object[k]
        poses = moved @ poses if moved is not None and k == 0 else poses
        objects[name] = RigidObject(name, meshes[name], PoseTrack(poses, known, known.astype(float)))
    joints = truth.joints[0] + (0.0 if hand_moved is None else hand_moved)
    hand = HandTrack(
        "right",
        joints,
        np.zeros((FRAMES, 21, 2)),
        known,
        ~known & False,
        known.astype(float),
        truth.bone_lengths[0],
    )
    hands = {"right": hand}
    contacts = detect_contacts(objects, hands)
    return Trajectory(truth.camera, truth.frame_times, objects, hands, contacts)
