"""Sizes of objects that nothing else sizes: what stands on the table is as far away as the table is."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from dexman_pose.data.camera import Camera
from dexman_pose.data.tracks import HandTrack, RigidObject
from dexman_pose.data.world.sizing import sized
from dexman_pose.data.world.table import TablePlane
from dexman_pose.geometry.se3 import transform_points
from dexman_pose.scene.options import SceneOptions
from dexman_pose.scene.rests import HELD, holding
from dexman_pose.scene.stillness import still_stretches


def sizes_on_table(
    objects: Mapping[str, RigidObject],
    table: TablePlane,
    camera: Camera,
    hands: Mapping[str, HandTrack],
    options: SceneOptions | None = None,
) -> dict[str, float]:
    """Find by which factor objects of unknown size have to grow for their feet to be on a table of known height.

    An object that is larger and as many times farther away looks the same. Only one is right: that whose lowest point
    lies on the table where it rests.

    Args:
        objects: by name; only those whose size is unknown are looked at.
        table: in metres.
        camera: of the clip.
        hands: by side; what they hold does not stand on the table.
        options: what is at rest, and which factors are believed.

    Returns:
        Factors by name. Left out is what never rests, what stands on the table in one place and not in another, and
        what would have to become unlikely large or small.
    """
    o = options or SceneOptions()
    out = {}
    for name, obj in objects.items():
        if obj.scale_source != "unknown":
            continue
        vertices = obj.mesh.vertices[np.unique(obj.mesh.faces)]
        factors, errors = [], []
        for stretch in still_stretches(obj.track, obj.mesh.center, o.rests):
            if holding(stretch, obj, camera, hands, o.rests) == HELD:
                continue
            points = transform_points(stretch.pose, vertices)
            low = points[int(np.argmin(points @ table.normal))]
            deep = -float(low @ table.normal)
            if deep <= 0 or table.offset <= 0:
                continue
            factor = table.offset / deep
            factors.append(factor)
            errors.append(float(np.hypot(table.height_std(factor * low), o.sizes.foot)) / table.offset)
        if not factors:
            continue
        middle = float(np.median(factors))
        apart = float(np.abs(np.log(np.array(factors) / middle)).max())
        likely = 1 / o.sizes.factor <= middle <= o.sizes.factor
        if likely and apart < o.sizes.apart and min(errors) < o.sizes.error:
            out[name] = middle
    return out


def sized_by_table(
    objects: Mapping[str, RigidObject], factors: Mapping[str, float]
) -> dict[str, RigidObject]:
    """Give objects the sizes that :func:`sizes_on_table` found; their pictures stay the same."""
    return {
        name: sized(obj, factors[name], "table") if name in factors else obj for name, obj in objects.items()
    }
