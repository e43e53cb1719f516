"""The table of a clip, gravity, and the world frame: from evidence to a plane, or the reason why there is none."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from dexman_pose.arrays import Array
from dexman_pose.data.camera import Camera
from dexman_pose.data.depth import DepthSequence
from dexman_pose.data.masks import MaskSequence
from dexman_pose.data.tracks import HandTrack, RigidObject
from dexman_pose.data.world.table import TablePlane
from dexman_pose.scene.above import hands_above, objects_above
from dexman_pose.scene.candidates import distinct, ranked_candidates
from dexman_pose.scene.depth_plane import depth_planes
from dexman_pose.scene.evidence import Evidence, Rest
from dexman_pose.scene.faces import StandingFaces, standing_faces
from dexman_pose.scene.fit import PlaneFit, fit_plane
from dexman_pose.scene.hand_rests import hand_rests
from dexman_pose.scene.options import SceneOptions
from dexman_pose.scene.rests import object_rests
from dexman_pose.scene.sizes import sizes_on_table
from dexman_pose.scene.world import world_on_table

_SPANS = 3
"""Stretches at rest that are named."""


@dataclass(frozen=True)
class SceneEstimate:
    """The table and the world frame.

    Attributes:
        table: None where the clip does not tell it.
        world_from_camera: (4, 4) z up, origin on the table under the middle of the first object, x to the right in the
            picture; the identity without a table.
        reason: why there is no table; empty where there is one.
        left_out: what was not used, and why.
        sizes: factors by name for objects of unknown size that stand on the table.
    """

    table: TablePlane | None = None
    world_from_camera: Array = field(default_factory=lambda: np.eye(4))
    reason: str = ""
    left_out: tuple[str, ...] = ()
    sizes: dict[str, float] = field(default_factory=dict)


def estimate_scene(
    objects: Mapping[str, RigidObject],
    hands: Mapping[str, HandTrack],
    camera: Camera,
    frame_times: Array,
    *,
    depth: DepthSequence | None = None,
    masks: MaskSequence | None = None,
    options: SceneOptions | None = None,
) -> SceneEstimate:
    """Find the table that objects stand on, seen by a camera that stands still, and the world frame on it.

    The camera is taken to be roughly upright and to look down on the table, the table to be level.

    Args:
        objects: by name; those whose shape was made from the clip are left out.
        hands: by side.
        camera: of the clip.
        frame_times: (T,) seconds.
        depth: metres, registered to the pictures.
        masks: of objects and hands; needed with depth.
        options: every threshold.
    """
    o = options or SceneOptions()
    known = {name: obj for name, obj in objects.items() if _known_shape(obj)}
    faces = {name: standing_faces(obj.mesh, o.faces) for name, obj in known.items()}
    evidence = gather(known, faces, hands, camera, frame_times, depth, masks, o)
    left_out = tuple(f"{name}: its shape was made from the clip" for name in objects if name not in known)
    decided = _decided(evidence, o)
    if isinstance(decided, str):
        return SceneEstimate(reason=decided, left_out=left_out)
    found, table = decided
    sizes = sizes_on_table(objects, table, camera, hands, o) if _metric(found, objects) else {}
    world = world_on_table(table.normal, table.offset, _origin(found, objects, sizes))
    return SceneEstimate(table, world, "", left_out, sizes)


def gather(
    known: Mapping[str, RigidObject],
    faces: Mapping[str, StandingFaces],
    hands: Mapping[str, HandTrack],
    camera: Camera,
    frame_times: Array,
    depth: DepthSequence | None,
    masks: MaskSequence | None,
    options: SceneOptions,
) -> Evidence:
    """Everything a clip tells of its table."""
    rests = [
        r
        for name, obj in known.items()
        for r in object_rests(obj, faces[name], camera, hands, frame_times, options)
    ]
    votes = hand_rests(hands, frame_times, options)
    if depth is not None and masks is not None:
        votes += depth_planes(depth, masks, camera, options)
    corners = {name: f.corners for name, f in faces.items()}
    above = objects_above(known, corners, camera, options) + hands_above(hands, options)
    return Evidence(tuple(rests), tuple(votes), tuple(above))


def _decided(evidence: Evidence, o: SceneOptions) -> tuple[PlaneFit, TablePlane] | str:
    """The table, or why there is none."""
    if not evidence.rests and not any(vote.strong for vote in evidence.votes):
        return "no object of known shape is seen at rest, and depth shows no table"
    choices = distinct(ranked_candidates(evidence, o), o.fit)
    if not choices:
        return "nothing that was seen at rest stands on a plane that the camera looks down on"
    best, sure = choices[0]
    if sure < o.fit.sure:
        return f"{len(choices)} planes would explain the clip, the likeliest with {sure:.0%}"
    found = fit_plane(best, evidence, o.fit)
    if found is None or not (found.rests or any(v.strong for v in found.votes)):
        return "no object stands on the likeliest plane"
    if _stands(found) < o.fit.stands:
        return "what is at rest may be held by a hand that was not seen"
    table = TablePlane(found.normal, found.offset, found.covariance, _said(found))
    if table.normal_std > o.fit.tilt:
        return f"the table's normal is only known to +-{np.degrees(table.normal_std):.0f} degrees"
    return found, table


def _stands(found: PlaneFit) -> float:
    """Probability that anything on a plane is on the table, before it is known how well all agree."""
    wrong = [rest.wrong for rest in found.rests] + [vote.wrong for vote in found.votes if vote.strong]
    return 1 - float(np.prod(wrong))


def _metric(found: PlaneFit, objects: Mapping[str, RigidObject]) -> bool:
    """Whether anything tells how high the camera is above the table."""
    sized = any(objects[rest.name].scale_source != "unknown" for rest in found.rests)
    return sized or any(vote.strong for vote in found.votes)


def _known_shape(obj: RigidObject) -> bool:
    """Whether an object's shape is a given mesh's."""
    return obj.mesh.seen is None and obj.mesh.source == "file"


def _origin(found: PlaneFit, objects: Mapping[str, RigidObject], sizes: Mapping[str, float]) -> Array:
    """(3,) the middle of the first object where it first rests on the table, or is first seen."""
    for name, obj in objects.items():
        factor = sizes.get(name, 1.0)
        there = [rest for rest in found.rests if rest.name == name]
        if there:
            return factor * min(there, key=lambda rest: rest.first).middle
        if obj.valid.any():
            pose = obj.camera_from_object[int(np.argmax(obj.valid))]
            out: Array = factor * (pose[:3, :3] @ obj.mesh.center + pose[:3, 3])
            return out
    return found.votes[0].point


def _said(found: PlaneFit) -> tuple[str, ...]:
    """What a plane rests on, one phrase per object and per plane that was seen."""
    by_name: dict[str, list[Rest]] = {}
    for rest in found.rests:
        by_name.setdefault(rest.name, []).append(rest)
    return tuple(_rests_text(rests) for rests in by_name.values()) + tuple(v.name for v in found.votes)


def _rests_text(rests: list[Rest]) -> str:
    spans = [f"{rest.first} to {rest.last}" for rest in rests]
    more = f" and {len(spans) - _SPANS} more" if len(spans) > _SPANS else ""
    return f"{rests[0].name} at rest (frames {', '.join(spans[:_SPANS])}{more})"
