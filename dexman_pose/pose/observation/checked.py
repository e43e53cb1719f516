"""What the public functions of this room are given, checked and converted once, before the engine sees it."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from os import PathLike
from pathlib import Path
from typing import Any

from dexman_pose.arrays import Array
from dexman_pose.data import Camera, Clip, DepthSequence, HandTrack, MaskSequence, Mesh, ObjectPrompt
from dexman_pose.data.accept import (
    as_camera,
    as_clip,
    as_picture,
    as_pose,
    by_name,
    check_in_sight,
    clip_inputs,
)
from dexman_pose.data.numbers import count, described, instance
from dexman_pose.errors import InputError, MeshError
from dexman_pose.geometry.symmetry import SymmetryGroup
from dexman_pose.meshing.convert import as_mesh

_log = logging.getLogger(__name__)

_LARGEST = 20.0
"""Metres; a mesh of known size that is longer was not given in metres."""


def checked_mesh(mesh: Any, *, known: bool = True) -> Mesh:
    """The mesh of a call.

    Args:
        mesh: a mesh, a path, or a mesh of trimesh.
        known: whether its size counts.

    Raises:
        MeshError: none of these, or so large that it is not in metres.
    """
    found = as_mesh(mesh)
    longest = float(found.extents.max())
    if known and longest > _LARGEST:
        raise MeshError(
            f"the mesh is {longest:.4g} m long: give it in metres, mesh.scaled(0.001) if it is in millimetres, or "
            'scale="unknown"'
        )
    return found


def checked_views(
    clip: Any, masks: Any, camera: Any, depth: Any = None, name: str | None = None
) -> tuple[Clip, MaskSequence, Camera, DepthSequence | None]:
    """Clip, masks, camera and depth of one call, all of one size and length.

    Depth that comes as a path is matched with the frames by name and brought to metres, as a run does it; what is
    assumed in that is logged.

    Raises:
        InputError: something cannot be used, or does not fit the rest.
    """
    clip = as_clip(clip)
    if isinstance(depth, (str, PathLike)):
        from dexman_pose.given.depth import read_depth

        found = read_depth(Path(depth).expanduser(), clip)
        for note in found.notes:
            _log.warning("depth: %s", note)
        depth = found.depth
    return clip_inputs(clip, masks, camera, depth, name)


def checked_meshes(meshes: Any, prompts: Mapping[str, ObjectPrompt]) -> dict[str, Mesh | None]:
    """The mesh of every prompted object, None where one has to be made."""
    if not isinstance(meshes, Mapping):
        raise InputError(f"meshes must be a dict of meshes by name, but got {described(meshes)}")
    given = {name: meshes.get(name) for name in prompts}
    return {
        name: None if mesh is None else checked_mesh(mesh, known=prompts[name].mesh_scale == "known")
        for name, mesh in given.items()
    }


def checked_camera(camera: Any, image: Any) -> Camera:
    """The camera of a picture, or of a mask where there is no picture; sizes are compared elsewhere."""
    if isinstance(camera, Camera):
        return camera
    return as_camera(camera, as_picture(image).shape[:2])


def checked_start(pose: Any, mesh: Mesh, camera: Camera, name: str) -> Array:
    """A start pose (4, 4) that puts its object where the camera sees it."""
    found = as_pose(pose, name)
    check_in_sight(found, mesh, camera, name)
    return found


def checked_symmetry(symmetry: Any) -> SymmetryGroup | None:
    """The symmetry of a call, None where it is to be detected."""
    if symmetry is not None:
        how = "make one with SymmetryGroup(discrete=(S, 4, 4)), or leave it out"
        instance(symmetry, SymmetryGroup, "symmetry", how)
    found: SymmetryGroup | None = symmetry
    return found


def checked_hands(hands: Any, clip: Clip) -> dict[str, HandTrack]:
    """The hands of a clip by side; none where they are left out."""
    found = {} if hands is None else by_name(hands, HandTrack, "hands")
    for side, hand in found.items():
        if len(hand) != clip.num_frames:
            raise InputError(f"the {side} hand has {len(hand)} frames, but the clip has {clip.num_frames}")
    return found


def checked_frame(frame: Any, clip: Clip) -> int:
    """The frame in which a track starts."""
    try:
        index = count(frame, "start_frame", least=-clip.num_frames)
    except InputError as error:
        raise InputError(f"start_frame must be the number of a frame, but got {described(frame)}") from error
    if not 0 <= index < clip.num_frames:
        raise InputError(f"start_frame {index} is not in the clip of {clip.num_frames} frames")
    return index
