"""Objects of a run: those that are tracked, from given poses where there are some, and those whose poses are given."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from dexman_pose.arrays import Bools
from dexman_pose.data.camera import Camera
from dexman_pose.data.masks import MaskSequence
from dexman_pose.data.tracks import HandObservations, HandTrack, RigidObject
from dexman_pose.pipeline.given import starts_of
from dexman_pose.pipeline.inputs import Inputs

if TYPE_CHECKING:
    from dexman_pose.pipeline.before_masks.followed import FollowedObjects


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
) -> dict[str, RigidObject]:
    """All objects of a clip, in the order of the prompts; some may have been followed before there were masks."""
    from dexman_pose.pose import reconstruct_objects
    from dexman_pose.symmetry.cache import symmetry_of

    fixed = inputs.given.fixed_poses()
    tracked = {name: prompt for name, prompt in inputs.prompts.items() if name not in fixed}
    found: Mapping[str, RigidObject] = {}
    if tracked:
        # Of all masks, which may be still in the making, only where there are poses to choose from.
        shown = {name: _shown(masks, name) for name in tracked} if inputs.given.poses else {}
        starts = starts_of(inputs.given, tracked, shown)
        found = reconstruct_objects(
            inputs.clip,
            masks,
            tracked,
            inputs.meshes,
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
        else:
            out[name] = found[name]
    return out


def _shown(masks: MaskSequence, name: str) -> Bools:
    """(T,) frames in which an object has a mask."""
    return np.array([masks.mask(t, name).any() for t in range(masks.num_frames)], np.bool_)
