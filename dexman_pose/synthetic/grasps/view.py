"""A camera that stands still and has everything that matters in its picture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from dexman_pose.arrays import Array
from dexman_pose.data import Camera
from dexman_pose.errors import EstimationError
from dexman_pose.geometry.se3 import transform_points
from dexman_pose.hands.model.kinematics import hand_joints
from dexman_pose.synthetic.demo.clip import look_at
from dexman_pose.synthetic.grasps.scene import Scene, SceneObject


@dataclass(frozen=True)
class ViewOptions:
    """Where cameras stand.

    Attributes:
        distance: metres from the middle of what happens, drawn between the two.
        elevation: degrees above the table, drawn between the two.
        beside: degrees between the way to the camera and the way to the person, drawn between the two, to either side:
            180 is opposite.
        focal: shortest and longest focal length, as a share of the picture's width.
        filled: share of the longest focal length that still shows everything, drawn between the two.
        nearest: metres, depth of the nearest point.
        margin: share of the picture that stays free along its edges.
        hand_frames: share of the joints of the hands, over the frames in which they are near, that the picture shows.
        near: metres between wrist and an object's middle within which a hand is near.
        aim: metres by which the camera looks beside the middle.
        tries: distances that are tried.
    """

    distance: tuple[float, float] = (0.6, 1.5)
    elevation: tuple[float, float] = (25.0, 60.0)
    beside: tuple[float, float] = (60.0, 180.0)
    focal: tuple[float, float] = (0.75, 1.6)
    filled: tuple[float, float] = (0.85, 1.0)
    nearest: float = 0.1
    margin: float = 0.03
    hand_frames: float = 0.97
    near: float = 0.3
    aim: float = 0.05
    tries: int = 30


def choose_view(
    scene: Scene, size: tuple[int, int], rng: np.random.Generator, options: ViewOptions | None = None
) -> tuple[Camera, Array]:
    """A camera, and camera_from_world (4, 4): one that shows all objects all the time.

    Args:
        scene: what is filmed.
        size: width and height of the picture.
        rng: of the view.
        options: where cameras stand.

    Raises:
        EstimationError: no drawn view shows everything.
    """
    o = options or ViewOptions()
    things = corners_of(scene.objects)
    return view_of(things, _near_joints(scene, o), f"the scene ({scene.kind})", size, rng, o)


def view_of(
    things: Array,
    joints: Array,
    what: str,
    size: tuple[int, int],
    rng: np.random.Generator,
    options: ViewOptions | None = None,
) -> tuple[Camera, Array]:
    """A camera, and camera_from_world (4, 4), that shows some points always and others mostly.

    Args:
        things: (M, 3) world points of objects: all are shown.
        joints: (K, 3) of hands: a share of them.
        what: is filmed, for the message.
        size: width and height of the picture.
        rng: of the view.
        options: where cameras stand.

    Raises:
        EstimationError: no drawn view shows everything.
    """
    o = options or ViewOptions()
    everything = np.concatenate([things, joints])
    middle = 0.5 * (everything.min(0) + everything.max(0))
    elevation = np.radians(rng.uniform(*o.elevation))
    azimuth = -np.pi / 2 + np.radians(rng.uniform(*o.beside)) * rng.choice([-1.0, 1.0])
    aim = middle + rng.uniform(-o.aim, o.aim, 3) * [1.0, 1.0, 0.5]
    way = np.array(
        [np.cos(azimuth) * np.cos(elevation), np.sin(azimuth) * np.cos(elevation), np.sin(elevation)]
    )
    first, filled = rng.uniform(*o.distance), rng.uniform(*o.filled)
    for distance in np.linspace(first, o.distance[1], o.tries):
        pose = look_at(aim + distance * way, aim)
        widest = _longest_focal(pose, things, joints, size, o)
        if widest >= o.focal[0]:
            share = float(np.clip(filled * widest, o.focal[0], o.focal[1]))
            return Camera.from_focal(share * size[0], *size), pose
    raise EstimationError(
        f"no camera within {o.distance[1]} m shows all of {what}; it is "
        f"{np.ptp(everything, axis=0).round(2).tolist()} m large"
    )


def joints_in_world(scene: Scene, index: int) -> Array:
    """(T, 21, 3) metres, of a hand of a scene."""
    hand = scene.hands[index]
    flip = np.array([1.0, -1.0, 1.0]) if hand.side == "left" else np.ones(3)
    still = np.tile(np.eye(4), (scene.num_frames, 1, 1))
    own = hand_joints(hand.fit.shape, hand.angles, still) * flip
    return transform_points(hand.world_from_hand, own)


def _near_joints(scene: Scene, o: ViewOptions) -> Array:
    """(M, 3) joints of the hands in the frames in which they are near an object."""
    middles = np.stack([t.world_from_object @ np.append(t.mesh.center, 1.0) for t in scene.objects])[..., :3]
    out = []
    for k, hand in enumerate(scene.hands):
        apart = np.linalg.norm(hand.world_from_hand[:, :3, 3] - middles, axis=-1).min(0)
        near = apart < max(o.near, float(apart.min()) + o.near / 2)
        out.append(joints_in_world(scene, k)[near].reshape(-1, 3))
    return np.concatenate(out)


def corners_of(objects: Sequence[SceneObject]) -> Array:
    """(M, 3) some points of objects in some of their poses, world."""
    return np.concatenate([_corners(t.mesh.vertices, t.world_from_object) for t in objects])


def _corners(vertices: Array, poses: Array) -> Array:
    """(M, 3) some points of a mesh under some of its poses."""
    step = max(1, len(vertices) // 50)
    out: Array = transform_points(poses[::3], vertices[::step]).reshape(-1, 3)
    return out


def _longest_focal(pose: Array, things: Array, joints: Array, size: tuple[int, int], o: ViewOptions) -> float:
    """The longest focal length, as a share of the width, that keeps everything in the picture; 0 where none does."""
    half = (0.5 - o.margin) * np.array(size) / size[0]
    out = np.inf
    for points, share in ((things, 1.0), (joints, o.hand_frames)):
        seen = transform_points(pose, points)
        if (seen[:, 2] <= o.nearest).any():
            return 0.0
        fits = (half / np.maximum(np.abs(seen[:, :2] / seen[:, 2:]), 1e-9)).min(1)
        out = min(out, float(np.quantile(fits, 1.0 - share)))
    return out
