"""A camera that stands still and has everything that matters in its picture."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dexman_pose.arrays import Array
from dexman_pose.data import Camera
from dexman_pose.errors import EstimationError
from dexman_pose.geometry.se3 import transform_points
from dexman_pose.hands.model.kinematics import hand_joints
from dexman_pose.synthetic.demo.clip import look_at
from dexman_pose.synthetic.grasps.scene import Scene


@dataclass(frozen=True)
class ViewOptions:
    """Where cameras stand.

    Attributes:
        distance: metres from the middle of what happens, drawn between the two.
        elevation: degrees above the table, drawn between the two.
        beside: degrees between the way to the camera and the way to the person, drawn between the two, to either side:
            180 is opposite.
        focal: focal length as a share of the picture's width, drawn between the two.
        margin: share of the picture that stays free along its edges.
        hand_frames: share of the joints of the hands, over all frames, that the picture shows at least.
        aim: metres by which the camera looks beside the middle.
        tries: views that are drawn.
    """

    distance: tuple[float, float] = (0.6, 1.5)
    elevation: tuple[float, float] = (25.0, 60.0)
    beside: tuple[float, float] = (60.0, 180.0)
    focal: tuple[float, float] = (0.85, 1.35)
    margin: float = 0.03
    hand_frames: float = 0.93
    aim: float = 0.05
    tries: int = 400


def choose_view(
    scene: Scene, size: tuple[int, int], rng: np.random.Generator, options: ViewOptions | None = None
) -> tuple[Camera, Array]:
    """A camera, and camera_from_world (4, 4): the nearest of the drawn views that shows all objects all the time.

    Args:
        scene: what is filmed.
        size: width and height of the picture.
        rng: of the view.
        options: where cameras stand.

    Raises:
        EstimationError: no drawn view shows everything.
    """
    o = options or ViewOptions()
    things = np.concatenate([_corners(t.mesh.vertices, t.world_from_object) for t in scene.objects])
    joints = np.concatenate([joints_in_world(scene, k).reshape(-1, 3) for k in range(len(scene.hands))])
    everything = np.concatenate([things, joints])
    middle = 0.5 * (everything.min(0) + everything.max(0))
    elevation = np.radians(rng.uniform(*o.elevation))
    azimuth = -np.pi / 2 + np.radians(rng.uniform(*o.beside)) * rng.choice([-1.0, 1.0])
    aim = middle + rng.uniform(-o.aim, o.aim, 3) * [1.0, 1.0, 0.5]
    way = np.array(
        [np.cos(azimuth) * np.cos(elevation), np.sin(azimuth) * np.cos(elevation), np.sin(elevation)]
    )
    least = rng.uniform(o.distance[0], 0.5 * sum(o.distance))
    focal = rng.uniform(*o.focal)
    for step in np.linspace(0.0, 1.0, o.tries):
        distance = least + step * (o.distance[1] - least)
        share = focal + max(0.0, 2 * step - 1.0) * (o.focal[0] - focal)
        camera = Camera.from_focal(share * size[0], *size)
        pose = look_at(aim + distance * way, aim)
        if _inside(camera, pose, things, o).all() and _inside(camera, pose, joints, o).mean() > o.hand_frames:
            return camera, pose
    raise EstimationError(
        f"no camera within {o.distance[1]} m shows all of the scene ({scene.kind}); it is "
        f"{np.ptp(everything, axis=0).round(2).tolist()} m large"
    )


def joints_in_world(scene: Scene, index: int) -> Array:
    """(T, 21, 3) metres, of a hand of a scene."""
    hand = scene.hands[index]
    flip = np.array([1.0, -1.0, 1.0]) if hand.side == "left" else np.ones(3)
    still = np.tile(np.eye(4), (scene.num_frames, 1, 1))
    own = hand_joints(hand.fit.shape, hand.angles, still).joints * flip
    return transform_points(hand.world_from_hand, own)


def _corners(vertices: Array, poses: Array) -> Array:
    """(M, 3) some points of a mesh under some of its poses."""
    step = max(1, len(vertices) // 50)
    out: Array = transform_points(poses[::3], vertices[::step]).reshape(-1, 3)
    return out


def _inside(camera: Camera, pose: Array, points: Array, o: ViewOptions) -> NDArray[np.bool_]:
    seen = transform_points(pose, points)
    size = np.array([camera.width, camera.height])
    pixels = camera.project(np.maximum(seen, [-np.inf, -np.inf, 1e-3]))
    free = o.margin * size
    out: NDArray[np.bool_] = ((pixels > free) & (pixels < size - free)).all(1) & (seen[:, 2] > 0)
    return out
