"""The focal length when nobody gives it: estimated from a known mesh, else assumed and said to be.

A mesh of known shape fixes the focal length through perspective: its near side looks larger than its far side by an
amount that depends on distance, and so on the focal length. Without one nothing in a fixed view does, and a typical
field of view is assumed.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from dexman_pose.arrays import Array
from dexman_pose.data import Camera, Clip, HandObservations, MaskSequence, Mesh, ObjectPrompt
from dexman_pose.data.accept import ClipLike, MasksLike, MeshLike, as_clip, as_masks, as_prompts
from dexman_pose.errors import EstimationError
from dexman_pose.pose.matching.options import FINE_TEXTURE
from dexman_pose.pose.observation.checked import checked_meshes
from dexman_pose.pose.observation.view import ObjectView
from dexman_pose.pose.refinement.refiner import refiner_for
from dexman_pose.pose.refinement.texture import TextureOptions, refine_with_texture
from dexman_pose.pose.search.search import search_pose
from dexman_pose.pose.solver.options import RefineOptions

_log = logging.getLogger(__name__)

TYPICAL_FOCAL = 1.1
"""Assumed focal length over the longer image side: 49 degrees across, between a webcam and a cropped camera."""

_GRID = np.geomspace(0.6, 2.6, 15)
"""Focal lengths over the longer image side that are tried."""


_TEXTURE = TextureOptions(least_matches=8, iterations=10, matching=FINE_TEXTURE, use_edges=False)


@dataclass(frozen=True)
class FocalOptions:
    """How the focal length is found. Chosen on rendered scenes.

    Attributes:
        decisive: share by which the worst focal length must cost more than the best, or the picture does not tell.
        iterations: of the refinement on the outline under each focal length.
        texture: of the rounds on the mesh's texture after it.
    """

    decisive: float = 0.03
    iterations: int = 15
    texture: TextureOptions = _TEXTURE


_FOCAL = FocalOptions()


def estimate_camera(
    clip: ClipLike,
    masks: MasksLike,
    prompts: Mapping[str, ObjectPrompt],
    meshes: Mapping[str, MeshLike | None],
    observations: HandObservations | None = None,
) -> Camera:
    """Intrinsics for a clip that comes without: square pixels, principal point in the middle, one focal length.

    Args:
        clip: the frames.
        masks: label images.
        prompts: where each object was pointed at.
        meshes: the user's mesh per object in metres, None where there is none.
        observations: hand detections; not used by this estimator.

    Returns:
        A camera whose ``source`` is ``estimated`` when a mesh fixed the focal length and ``assumed`` otherwise.
    """
    del observations
    clip = as_clip(clip)
    masks, prompts = as_masks(masks, clip), as_prompts(prompts, "prompts")
    shapes = checked_meshes(meshes, prompts)
    for name, prompt in prompts.items():
        masks.label_of(name)
        prompt.check_inside(name, clip.width, clip.height, clip.num_frames)
    longer = max(clip.width, clip.height)
    assumed = Camera.from_focal(TYPICAL_FOCAL * longer, clip.width, clip.height, "assumed")
    curves = []
    for name, mesh in shapes.items():
        if mesh is not None:
            try:
                curves.append(_cost_curve(clip, masks, name, prompts[name].frame, mesh, assumed, longer))
            except EstimationError as error:
                _log.info("focal length not estimated from %s: %s", name, error)
    if not curves:
        return assumed
    total = np.sum(curves, axis=0)
    best = int(np.argmin(total))
    if total.max() - total.min() < _FOCAL.decisive * total.min() or best in (0, len(_GRID) - 1):
        _log.info("the picture does not fix the focal length; a typical one is assumed")
        return assumed
    focal = (
        float(np.exp(_parabola_minimum(np.log(_GRID[best - 1 : best + 2]), total[best - 1 : best + 2])))
        * longer
    )
    return Camera.from_focal(focal, clip.width, clip.height, "estimated")


def _cost_curve(
    clip: Clip, masks: MaskSequence, name: str, frame: int, mesh: Mesh, start: Camera, longer: int
) -> Array:
    """(len(_GRID),) refinement cost of the prompted frame under each focal length of the grid."""
    view = ObjectView(clip.frame(frame), masks.labels(frame), masks.label_of(name), start)
    if view.mask_box is None:
        raise EstimationError(f"object {name!r} has no mask in frame {frame}")
    refiner = refiner_for(mesh, view.own)
    pose = search_pose(refiner, view)[0].camera_from_object
    costs = []
    for ratio in _GRID:
        camera = Camera.from_focal(ratio * longer, start.width, start.height)
        moved = pose.copy()
        moved[2, 3] *= camera.fx / start.fx
        here = replace(view, camera=camera)
        evidence = here.evidence()
        result = refiner.refine(moved, evidence, RefineOptions(iterations=_FOCAL.iterations))
        result = refine_with_texture(refiner, result, evidence, here, _FOCAL.texture).refined
        costs.append(result.cost)
    return np.array(costs)


def _parabola_minimum(x: Array, y: Array) -> float:
    """Abscissa of the vertex of the parabola through three points, kept between the outer two."""
    a, b, _ = np.polyfit(x - x[1], y, 2)
    return float(x[1]) if a <= 0 else float(np.clip(x[1] - b / (2 * a), x[0], x[2]))
