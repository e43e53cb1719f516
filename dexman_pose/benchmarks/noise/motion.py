"""Measured grasps on their table before a camera: what is true, and the same with noise, as tracks and a plane."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dexman_pose.arrays import Array
from dexman_pose.benchmarks.noise.planted import NoiseOptions, kept_frames, noisy_joints, noisy_poses
from dexman_pose.data import Camera, HandTrack, Mesh, PoseTrack, RigidObject
from dexman_pose.data.tracks import JOINT_PARENTS
from dexman_pose.data.world.table import TablePlane
from dexman_pose.geometry.se3 import so3_exp, transform_points
from dexman_pose.hands.lifting.filling import interpolate
from dexman_pose.synthetic.demo.clip import look_at
from dexman_pose.synthetic.grasps.placed import FPS, PlacedGrasp
from dexman_pose.synthetic.grasps.touch import TouchOptions, skin_gaps

_EYE, _AIM = (0.55, 0.45, 0.55), (0.0, 0.0, 0.1)
"""Metres, the world: a camera 0.8 m away and 32 degrees above the table, opposite the person and to a side."""


@dataclass(frozen=True)
class TrueMotion:
    """A grasp as it is: T frames, camera frame, metres.

    Attributes:
        name: of the object.
        mesh: of it.
        side: of the hand.
        camera: that sees it.
        camera_from_object: (T, 4, 4).
        joints: (T, 21, 3).
        touching: (T, 5) finger tips whose skin is on the surface.
        held: (T,) the object is carried.
        normal: (3,) of the table.
        offset: metres, of it.
    """

    name: str
    mesh: Mesh
    side: str
    camera: Camera
    camera_from_object: Array
    joints: Array
    touching: NDArray[np.bool_]
    held: NDArray[np.bool_]
    normal: Array
    offset: float

    @property
    def num_frames(self) -> int:
        """Number of frames T."""
        return len(self.held)

    @property
    def times(self) -> Array:
        """(T,) seconds."""
        return np.arange(self.num_frames) / FPS


@dataclass(frozen=True)
class NoisyMotion:
    """The same as an estimator would have it.

    Attributes:
        thing: the object; frames without a pose are not valid.
        hand: the hand; frames without joints are bridged, or not valid at the ends.
        table: the plane, with its covariance.
    """

    thing: RigidObject
    hand: HandTrack
    table: TablePlane


def true_motion(grasp: PlacedGrasp, measured: NDArray[np.bool_]) -> TrueMotion:
    """A grasp that was put on its table, before a camera.

    Args:
        grasp: on its table.
        measured: (T,) frames of the recording with a hand; those before the first one are left out.
    """
    view = look_at(_EYE, _AIM)
    coarse = grasp.hand.model(resolution=TouchOptions().resolution)
    fit = grasp.hand
    gaps = skin_gaps(coarse, fit.angles, fit.frame_from_hand, grasp.mesh, grasp.world_from_object)
    up, first = view[:3, 2], int(np.argmax(measured))
    return TrueMotion(
        grasp.object_name,
        grasp.mesh,
        fit.side,
        Camera.from_focal(600, 640, 480),
        view @ grasp.world_from_object[first:],
        transform_points(view, fit.joints[first:]),
        gaps.distance[first:, :5] < TouchOptions().touching,
        grasp.held[first:],
        up,
        -float(up @ view[:3, 3]),
    )


def noisy_motion(true: TrueMotion, seed: int, options: NoiseOptions | None = None) -> NoisyMotion:
    """The motion with noise; the same seed gives the same."""
    o = options or NoiseOptions()
    words = np.frombuffer(true.name.encode(), np.uint8)
    rng = np.random.default_rng([61, seed, *words.tolist()])
    poses = noisy_poses(rng, true.camera_from_object, true.mesh.center, FPS, o)
    joints = noisy_joints(rng, true.joints, FPS, o)
    valid = kept_frames(rng, true.num_frames, o)
    track = PoseTrack(poses, valid, valid.astype(np.float64))
    thing = RigidObject(true.name, true.mesh, track, scale_source="given")
    return NoisyMotion(thing, _hand(true, joints, kept_frames(rng, true.num_frames, o)), _table(true, rng, o))


def _hand(true: TrueMotion, joints: Array, seen: NDArray[np.bool_]) -> HandTrack:
    """The track of a hand that was seen in some frames, between them on straight lines."""
    filled = interpolate(joints, seen, ~seen, true.times)
    parents = np.maximum(np.array(JOINT_PARENTS), 0)
    lengths = np.median(np.linalg.norm(joints - joints[:, parents], axis=-1)[seen], axis=0)
    return HandTrack(
        true.side,
        filled,
        true.camera.project(filled),
        np.ones(len(seen), np.bool_),
        ~seen,
        np.where(seen, 1.0, 0.5),
        lengths,
        "given",
    )


def _table(true: TrueMotion, rng: np.random.Generator, o: NoiseOptions) -> TablePlane:
    """The plane, off by as much as it is said to be."""
    x = np.cross(true.normal, np.eye(3)[int(np.argmin(np.abs(true.normal)))])
    x /= np.linalg.norm(x)
    axes = np.stack([x, np.cross(true.normal, x)])
    under = transform_points(true.camera_from_object[0], true.mesh.center[None])[0]
    point = under - (float(true.normal @ under) + true.offset) * true.normal
    tilt = o.normal * rng.standard_normal(2)
    normal = so3_exp(tilt @ axes) @ true.normal
    offset = -float(normal @ point) + o.height * float(rng.standard_normal())
    spread = np.zeros((4, 3))
    spread[:3, :2] = axes.T
    spread[3] = [-float(axes[0] @ point), -float(axes[1] @ point), 1.0]
    covariance = spread @ np.diag([o.normal**2, o.normal**2, o.height**2]) @ spread.T
    return TablePlane(normal, offset, covariance, ("given with noise",))
