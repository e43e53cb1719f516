"""Objects at rest brought to where they stand: a thin thing shows little of how far it is, the table it lies on does.

An outline of few pixels' width tells badly how far a thing is and how it is tipped. What lies still lies on its foot,
so its pose is moved as far as its own covariance and that of the table say, by one step of a Kalman filter: what the
picture is sure of stays.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linprog

from dexman_pose.arrays import Array
from dexman_pose.data.camera import Camera
from dexman_pose.data.tracks import HandTrack, RigidObject
from dexman_pose.data.world.table import TablePlane
from dexman_pose.geometry.se3 import so3_exp, transform_points
from dexman_pose.optimize.problem import move_poses
from dexman_pose.scene.faces import hull_corners
from dexman_pose.scene.options import SceneOptions, StandingOptions
from dexman_pose.scene.rests import HELD, holding
from dexman_pose.scene.stillness import Stretch, still_stretches


@dataclass(frozen=True)
class Stood:
    """A rest of an object, brought onto the table.

    Attributes:
        frames: (N,) of the rest.
        twist: (6,) by which poses are moved about the object's centre, camera axes.
        off: standard deviations by which the pose was off before.
    """

    frames: NDArray[np.intp]
    twist: Array
    off: float


def standing_objects(
    objects: Mapping[str, RigidObject],
    table: TablePlane | None,
    camera: Camera,
    hands: Mapping[str, HandTrack],
    frame_times: Array,
    options: SceneOptions | None = None,
) -> dict[str, RigidObject]:
    """Bring objects to where they stand on a table while they rest, and fade that out from there.

    Args:
        objects: by name; those stay as they are whose shape is not known or whose poses have no covariance.
        table: None where it is not known: then all stay.
        camera: of the clip.
        hands: by side; what they hold still does not stand.
        frame_times: (T,) seconds.
        options: what rests, and what stands.
    """
    o = options or SceneOptions()
    if table is None:
        return dict(objects)
    return {
        name: _moved(obj, rests_on_table(obj, table, camera, hands, o), frame_times, o.standing)
        for name, obj in objects.items()
    }


def rests_on_table(
    obj: RigidObject, table: TablePlane, camera: Camera, hands: Mapping[str, HandTrack], options: SceneOptions
) -> list[Stood]:
    """How the rests of an object have to be moved to stand on a table; those that cannot stand there are left out.

    Arguments as for :func:`standing_objects`.
    """
    known = obj.mesh.seen is None and obj.mesh.source == "file"
    if not known or obj.track.covariance is None:
        return []
    corners = hull_corners(obj.mesh, options.faces)
    out = []
    for stretch in still_stretches(obj.track, obj.mesh.center, options.rests):
        if holding(stretch, obj, camera, hands, options.rests) == HELD:
            continue
        found = _stood(obj, stretch, corners, table, options)
        if found is not None and found.off <= options.standing.doubt:
            out.append(found)
    return out


def _stood(
    obj: RigidObject, stretch: Stretch, corners: Array, table: TablePlane, options: SceneOptions
) -> Stood | None:
    o, center = options.standing, obj.mesh.center
    settled = settled_turn(
        transform_points(stretch.pose, corners), stretch.pose, center, table.normal, o.reach
    )
    if settled is None:
        return None
    middle = stretch.pose[:3, :3] @ center + stretch.pose[:3, 3]
    arms = transform_points(stretch.pose, corners) - middle
    foot = arms[_foot((arms @ settled.T) @ table.normal, o.foot)]
    axes = _spanned(foot)
    points = middle + axes
    rows = np.concatenate([np.tile(table.normal, (len(axes), 1)), np.cross(axes, table.normal)], 1)
    assert obj.track.covariance is not None
    own = options.sigmas.covariance**2 * np.median(obj.track.covariance[stretch.frames], axis=0)
    planes = np.concatenate([points, np.ones((len(points), 1))], 1)
    seen = planes @ table.covariance @ planes.T + len(axes) * o.even**2 * np.eye(len(axes))
    spread = rows @ own @ rows.T
    if np.trace(spread) < o.surer**2 * np.trace(seen):
        return None
    total = spread + seen
    heights = table.heights(points)
    solved = np.linalg.solve(total, heights)
    return Stood(stretch.frames, -own @ rows.T @ solved, float(np.sqrt(heights @ solved)))


def settled_turn(
    points: Array, pose: Array, center: Array, normal: Array, reach: float
) -> NDArray[np.float64] | None:
    """(3, 3) the turn about its centre by which an object comes to stand on a level plane: its middle sinks lowest.

    Args:
        points: (N, 3) corners of its hull, camera frame.
        pose: (4, 4) of it.
        center: (3,) its middle, object frame.
        normal: (3,) upwards.
        reach: radians by which it is turned at most about either axis.
    """
    x = np.cross(normal, np.eye(3)[int(np.argmin(np.abs(normal)))])
    x /= np.linalg.norm(x)
    tilts = np.stack([x, np.cross(normal, x)])
    middle, turn = pose[:3, :3] @ center + pose[:3, 3], np.eye(3)
    for _ in range(2):  # turns are not small: once more from there
        arms = (points - middle) @ turn.T
        # How high the middle is above each corner, and how that changes with the turn; the highest counts.
        slopes = np.cross(arms, normal) @ tilts.T
        table = np.concatenate([-slopes, -np.ones((len(arms), 1))], 1)
        found = linprog([0.0, 0.0, 1.0], table, arms @ normal, bounds=[(-reach, reach)] * 2 + [(None, None)])
        if found.status != 0 or np.abs(found.x[:2]).max() >= reach:
            return None
        turn = so3_exp(found.x[:2] @ tilts) @ turn
    return turn


def _foot(heights: Array, within: float) -> NDArray[np.bool_]:
    out: NDArray[np.bool_] = heights < heights.min() + within
    return out


def _spanned(foot: Array) -> Array:
    """(4, 3) points that stand for those of a foot (N, 3): to both sides of its middle along its two axes."""
    middle = foot.mean(0)
    _, _, ways = np.linalg.svd(np.concatenate([foot - middle, np.zeros((3, 3))]))
    reach = np.abs((foot - middle) @ ways[:2].T).max(0)
    out: Array = np.concatenate([middle + reach[:, None] * ways[:2], middle - reach[:, None] * ways[:2]])
    return out


def _moved(obj: RigidObject, rests: list[Stood], times: Array, o: StandingOptions) -> RigidObject:
    """The object moved in its rests, and less and less before and after them."""
    if not rests:
        return obj
    count = len(obj.track)
    weights, twists = np.zeros((len(rests), count)), np.stack([rest.twist for rest in rests])
    for k, rest in enumerate(rests):
        away = np.abs(times[:, None] - times[rest.frames]).min(1)
        weights[k] = np.exp(-away / o.fade)
    total = np.maximum(weights.sum(0), 1.0)
    poses = move_poses(obj.track.camera_from_object, (weights / total).T @ twists, obj.mesh.center)
    return replace(obj, track=replace(obj.track, camera_from_object=poses))
