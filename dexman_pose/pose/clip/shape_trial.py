"""Whether a better shape is worth a second track: both shapes are tried on a few frames at the poses of the first."""

from __future__ import annotations

import numpy as np

from dexman_pose.data import Mesh, PoseTrack
from dexman_pose.pose.clip.options import TrialOptions
from dexman_pose.pose.observation.view import ObjectClip, ObjectView
from dexman_pose.pose.refinement.refiner import refiner_for
from dexman_pose.pose.solver.options import RefineOptions

_DEFAULTS = TrialOptions()


def trial_gain(
    object_clip: ObjectClip,
    before: Mesh,
    after: Mesh,
    track: PoseTrack,
    start: int,
    options: TrialOptions = _DEFAULTS,
) -> float:
    """By how much the outline of ``after`` covers the masks better than that of ``before``, mean over some frames.

    Each shape is refined from the same poses, so that neither has the advantage of having been tracked.

    Args:
        object_clip: frames and masks.
        before: the shape that was tracked.
        after: another one in the same object frame.
        track: poses of ``before``.
        start: frame both shapes were made from.
        options: of the trial.

    Returns:
        Difference of the mean overlaps, in [-1, 1]; 0 where no frame has a mask.
    """
    masks, name = object_clip.masks, object_clip.name
    label = masks.label_of(name)
    chosen = np.unique(np.linspace(0, masks.num_frames - 1, options.frames).round().astype(int))
    refine = RefineOptions(iterations=options.iterations)
    refiners = [refiner_for(mesh, masks.mask(start, name)) for mesh in (before, after)]
    gains = []
    for frame in chosen.tolist():
        view = ObjectView(object_clip.clip.frame(frame), masks.labels(frame), label, object_clip.camera)
        if view.mask_box is None:
            continue
        evidence, pose = view.evidence(), track.camera_from_object[frame]
        first, second = (refiner.refine(pose, evidence, refine).iou for refiner in refiners)
        gains.append(second - first)
    return float(np.mean(gains)) if gains else 0.0
