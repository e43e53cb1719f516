"""Objects of a run: those that are tracked, from given poses where there are some, and those whose poses are given."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from dexman_pose.arrays import Bools
from dexman_pose.backends import MESH
from dexman_pose.data.camera import Camera
from dexman_pose.data.masks import MaskSequence
from dexman_pose.data.tracks import HandObservations, HandTrack, RigidObject
from dexman_pose.errors import EstimationError
from dexman_pose.pipeline.given import starts_of
from dexman_pose.pipeline.inputs import Inputs

if TYPE_CHECKING:
    from dexman_pose.meshing.generated.request import MadeMesh
    from dexman_pose.pipeline.before_masks.followed import FollowedObjects

_log = logging.getLogger(__name__)

OWN_SHAPES = "silhouette"
"""The mesh backend that is the engine's own way: it tries shapes in the clip."""


def checked_depth(
    inputs: Inputs, masks: MaskSequence, camera: Camera, observations: HandObservations | None
) -> None:
    """See that depth is in the unit it is taken to be in, by known meshes and hands.

    Raises:
        InputError: it is plainly in another.
    """
    if inputs.depth is None:
        return
    from dexman_pose.given.depth_check import check_unit

    known = {name: m for name, m in inputs.meshes.items() if inputs.prompts[name].mesh_scale == "known"}
    check_unit(inputs.depth, masks, camera, known, observations)


def make_objects(
    inputs: Inputs,
    masks: MaskSequence,
    camera: Camera,
    hands: dict[str, HandTrack],
    followed: FollowedObjects | None = None,
    backend: str = OWN_SHAPES,
) -> dict[str, RigidObject]:
    """All objects of a clip, in the order of the prompts; some may have been followed before there were masks.

    Args:
        inputs: of the run.
        masks: of all objects.
        camera: intrinsics.
        hands: metric hands.
        followed: objects that were followed.
        backend: that makes meshes of objects without one.
    """
    from dexman_pose.pose import reconstruct_objects
    from dexman_pose.symmetry.cache import symmetry_of

    fixed = inputs.given.fixed_poses()
    tracked = {name: prompt for name, prompt in inputs.prompts.items() if name not in fixed}
    made = made_meshes(inputs, masks, camera, backend, [name for name in tracked if not inputs.meshes[name]])
    tracked = {
        name: replace(prompt, mesh_scale="known" if made[name].metric else "unknown")
        if name in made
        else prompt
        for name, prompt in tracked.items()
    }
    found: Mapping[str, RigidObject] = {}
    if tracked:
        # Of all masks, which may be still in the making, only where there are poses to choose from.
        shown = {name: _shown(masks, name) for name in tracked} if inputs.given.poses else {}
        starts = starts_of(inputs.given, tracked, shown)
        found = reconstruct_objects(
            inputs.clip,
            masks,
            tracked,
            {**inputs.meshes, **{name: one.mesh for name, one in made.items()}},
            camera,
            hands=hands,
            depth=inputs.depth,
            starts=starts if followed is None else {**starts, **followed.starts()},
            followed=None if followed is None else followed.tracks,
        )
    out = {}
    for name in inputs.prompts:
        if name in fixed:
            mesh = inputs.meshes[name]
            assert mesh is not None
            track = fixed[name].track()
            out[name] = RigidObject(
                name, mesh, track, scale_source="given", symmetry=symmetry_of(mesh).sampled()
            )
        elif followed is not None and name in followed.tracks:
            # Its mask is the outline of its own pose: how well the two overlap says nothing.
            out[name] = replace(found[name], track=replace(found[name].track, mask_iou=None))
        elif name in made:
            mesh = replace(found[name].mesh, notes=made[name].notes)
            source = "depth" if made[name].metric else found[name].scale_source
            out[name] = replace(found[name], mesh=mesh, scale_source=source)
        else:
            out[name] = found[name]
    return out


def made_meshes(
    inputs: Inputs, masks: MaskSequence, camera: Camera, backend: str, names: Sequence[str]
) -> dict[str, MadeMesh]:
    """Meshes of objects without one, by the backend; none where the engine makes shapes by itself.

    Raises:
        InputError: the backend cannot be used with what was given.
        EstimationError: an object's mesh could not be made.
    """
    if backend == OWN_SHAPES:
        return {}
    from dexman_pose.meshing.generated.request import MadeMesh, MeshRequest

    make = MESH.load(backend)
    out = {}
    for name in names:
        made = make(MeshRequest(inputs.clip, masks, name, camera, inputs.depth))
        if not isinstance(made, MadeMesh):
            raise EstimationError(
                f"the mesh backend {backend!r} must return a MadeMesh, but returned {type(made)}"
            )
        for note in made.notes:
            _log.info("%s: %s", name, note)
        out[name] = made
    return out


def _shown(masks: MaskSequence, name: str) -> Bools:
    """(T,) frames in which an object has a mask."""
    return np.array([masks.mask(t, name).any() for t in range(masks.num_frames)], np.bool_)
