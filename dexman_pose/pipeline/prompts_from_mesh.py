"""Prompts made exact by a known mesh: the rendered outline of the object replaces a loose box.

A box leaves it to colour alone to tell an object from what is behind it, and a face that looks like the background is
lost for the whole clip. Where the user gives a coloured mesh, its pose in the prompted frame is found from what was
segmented, and the rendered mesh says where the rest is.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from dexman_pose.data import OCCLUDER, Camera, Clip, HandObservations, MaskSequence, Mesh, ObjectPrompt
from dexman_pose.errors import EstimationError
from dexman_pose.pose.observation.view import ObjectView
from dexman_pose.pose.refinement.refiner import PoseRefiner, refiner_for
from dexman_pose.pose.search.asked_box import off_box
from dexman_pose.pose.search.hypotheses import Hypothesis
from dexman_pose.pose.search.search import search_pose
from dexman_pose.segmentation import segment_clip

_log = logging.getLogger(__name__)

OWN = 1
"""Label of the object that is looked for."""

_SURE = 0.45  # colour correlation from which the rendered outline is believed more than the segmented one
_BOXED = 0.2  # share of a side by which it may miss the box that somebody drew, or it is another thing's


def sharpen_prompts(
    clip: Clip,
    prompts: dict[str, ObjectPrompt],
    meshes: dict[str, Mesh | None],
    camera: Camera,
    hands: HandObservations | None = None,
    *,
    segmentation: str = "grabcut",
) -> dict[str, ObjectPrompt]:
    """Replace the box of every object with a coloured mesh by the outline of that mesh, where it clearly fits.

    Args:
        clip: the frames.
        prompts: by object name.
        meshes: the user's mesh per object in metres, None where there is none.
        camera: intrinsics, given or assumed.
        hands: 2D hand joints of the whole clip, so that hands are cut out.
        segmentation: the segmentation backend.

    Returns:
        All prompts, some of them with a mask in place of the box.
    """
    out = dict(prompts)
    segmented: dict[int, MaskSequence | None] = {}
    for name, prompt in prompts.items():
        mesh = meshes.get(name)
        if mesh is None or prompt.mask is not None:
            continue
        if mesh.texture is not None or mesh.vertex_colors is not None:
            image = clip.frame(prompt.frame)
            labels = labels_of(image, name, prompts, hands_at(hands, prompt.frame), segmentation, segmented)
            if labels is None:  # told where masks are made, with the number of the frame in the whole clip
                continue
            view = ObjectView(image, labels, OWN, camera, asked=prompt.box)
            refiner = refiner_for(mesh, view.own)
            found = _best(refiner, view)
            if found is not None and found.ncc > _SURE:
                drawn = refiner.rasterizer.render(
                    found.camera_from_object[None], camera.K, clip.width, clip.height
                )
                _log.info("%s: outline of the mesh taken as prompt (correlation %.2f)", name, found.ncc)
                mask = drawn.mask[0] & (labels != OCCLUDER)
                if (off_box(mask, prompt.box) or 0.0) > _BOXED:
                    _log.info("%s: the outline of the mesh misses the box, and is not taken", name)
                    continue
                out[name] = replace(prompt, mask=mask)
    return out


def labels_of(
    image: NDArray[np.uint8],
    name: str,
    prompts: Mapping[str, ObjectPrompt],
    hands: HandObservations | None,
    backend: str,
    segmented: dict[int, MaskSequence | None] | None = None,
) -> NDArray[np.uint8] | None:
    """The label image (H, W) of one object in the frame of its prompt; what others are said to cover is an occluder's.

    None where it cannot be told from its surroundings.

    Args:
        image: that frame.
        name: of the object, ``OWN`` in the label image.
        prompts: of all objects.
        hands: of that frame.
        backend: of the segmentation.
        segmented: masks of all objects of a frame by its number, so that each is segmented once; filled here.
    """
    frame = prompts[name].frame
    segmented = {} if segmented is None else segmented
    if frame not in segmented:
        together = {n: p for n, p in prompts.items() if p.frame == frame}
        segmented[frame] = _segmented(image, together, hands, backend)
    found = segmented[frame]
    if found is None:  # one of them keeps the others from it
        found = _segmented(image, {name: prompts[name]}, hands, backend)
    if found is None:
        return None
    seen = found.labels(0)
    return np.where(seen == found.label_of(name), OWN, np.where(seen > 0, OCCLUDER, 0)).astype(np.uint8)


def _segmented(
    image: NDArray[np.uint8],
    prompts: Mapping[str, ObjectPrompt],
    hands: HandObservations | None,
    backend: str,
) -> MaskSequence | None:
    """Masks of a frame alone; None where one of the objects cannot be told from its surroundings."""
    there = {name: replace(prompt, frame=0, mesh=None) for name, prompt in prompts.items()}
    try:
        return segment_clip(Clip.from_frames(image[None]), there, hands, backend=backend)
    except EstimationError:
        return None


def _best(refiner: PoseRefiner, view: ObjectView) -> Hypothesis | None:
    try:
        return search_pose(refiner, view)[0]
    except EstimationError:
        return None


def hands_at(hands: HandObservations | None, frame: int) -> HandObservations | None:
    """The observations of one frame."""
    if hands is None:
        return None
    one = slice(frame, frame + 1)
    return HandObservations(
        hands.joints_2d[one],
        hands.joints_local[one],
        hands.detected[one],
        hands.bridged[one],
        hands.score[one],
    )
