"""Backend ``outside``: a mesh made by a function of another Python environment."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dexman_pose.data import Clip, Mesh
from dexman_pose.errors import EstimationError, InputError, MeshError
from dexman_pose.meshing.generated.clean import cleaned
from dexman_pose.meshing.generated.picture import ObjectPicture, best_picture
from dexman_pose.meshing.generated.request import MadeMesh, MeshRequest
from dexman_pose.networks.outside.call import call_outside
from dexman_pose.networks.outside.environment import Environment


def make_outside(request: MeshRequest, weights: str | Path | Environment | None = None) -> MadeMesh:
    """Make a mesh with a function of another environment.

    The function gets one frame, that of :func:`~dexman_pose.meshing.generated.picture.best_picture`, and the arrays of
    :func:`picture_arrays`. It returns ``vertices`` (V, 3) and ``faces`` (F, 3), counter-clockwise seen from outside, in
    any frame and of any size, and may return ``vertex_colors`` (V, 3) uint8, or ``uv`` (F, 3, 2), (0, 0) at the bottom
    left, with ``texture`` (H, W, 3) uint8.

    Args:
        request: the object.
        weights: the environment, or the YAML file that tells it: ``mesh="outside:trellis.yaml"``.

    Raises:
        InputError: no such environment.
        MissingExtraError: what the function needs is missing there.
        EstimationError: the object has no usable mask, or the function failed, or answered what is no mesh.
    """
    if weights is None:
        raise InputError(
            "the mesh backend 'outside' needs the file of an environment: outside:FILE.yaml with python and function "
            "(docs/backends.md)"
        )
    environment = weights if isinstance(weights, Environment) else Environment.read(weights)
    picture = best_picture(request.clip, request.masks, request.name)
    answer = call_outside(
        environment, _one_frame(request.clip, picture.frame), picture_arrays(request, picture)
    )
    source = str(environment.options.get("name", environment.function.partition(":")[0].rpartition(".")[2]))
    try:
        mesh = cleaned(_mesh(answer.arrays, environment.function), source, metric=False)
    except MeshError as error:
        raise EstimationError(f"{environment.function} returned what is no mesh: {error}") from error
    return MadeMesh(mesh, metric=False, frame=picture.frame, notes=_notes(picture, source))


def picture_arrays(request: MeshRequest, picture: ObjectPicture) -> dict[str, NDArray[Any]]:
    """What a function that makes a mesh gets.

    Returns:
        ``rgba`` (S, S, 4) uint8, the object alone in the middle of a square; ``hidden`` (S, S) bool, where something
        may hide it; ``mask`` (H, W) bool of the whole frame; ``frame`` its index; ``crop`` (3,) x, y of the square's
        upper left corner in the frame and pixels of the frame per pixel; ``K`` (3, 3) of the frame; ``name``.
    """
    return {
        "rgba": picture.rgba,
        "hidden": picture.hidden,
        "mask": request.masks.mask(picture.frame, request.name),
        "frame": np.array(picture.frame),
        "crop": picture.crop,
        "K": request.camera.K,
        "name": np.array(request.name),
    }


def _one_frame(clip: Clip, frame: int) -> Clip:
    from dexman_pose.data.accept import as_clip

    return as_clip(clip.frame(frame)[None])


def _mesh(arrays: Mapping[str, NDArray[Any]], who: str) -> Mesh:
    for key in ("vertices", "faces"):
        if key not in arrays:
            raise EstimationError(
                f"{who} must return {key!r}, but it returned {', '.join(arrays) or 'nothing'}"
            )
    if not np.isfinite(arrays["vertices"]).all():
        raise EstimationError(f"{who} returned vertices that are NaN or infinite")
    return Mesh(
        arrays["vertices"],
        arrays["faces"],
        arrays.get("uv"),
        arrays.get("texture"),
        None if "uv" in arrays else arrays.get("vertex_colors"),
    )


def _notes(picture: ObjectPicture, source: str) -> tuple[str, ...]:
    hidden = 1.0 - picture.free
    said = f"its mesh was made by {source} of frame {picture.frame}"
    return (said if hidden <= 0 else f"{said}, where {hidden:.0%} of its edge touch other things",)
