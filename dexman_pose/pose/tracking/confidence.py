"""Whether a pose is believed at once, and how much: outline, colours and what is seen of the object."""

from __future__ import annotations

import numpy as np

from dexman_pose.pose.observation.crop import CropObservation
from dexman_pose.pose.tracking.options import LossOptions
from dexman_pose.pose.tracking.state import Candidate
from dexman_pose.pose.tracking.tracked_object import TrackedObject


def colors_confirm(ncc: float, agreeing: float, good_ncc: float, options: LossOptions) -> bool:
    """Whether colours, and surface points that agree, confirm a pose.

    Args:
        ncc: correlation of the mesh's colours with the picture.
        agreeing: number of surface points that agree.
        good_ncc: correlation in good frames.
        options: shares of it that have to be reached.
    """
    confirmed = agreeing >= options.confirming
    enough = options.ncc_share_confirmed if confirmed else options.ncc_share
    return ncc > max(options.ncc, enough * good_ncc)


def is_lost(tracked: TrackedObject, candidate: Candidate, good_ncc: float) -> bool:
    """Whether a pose explains so little that the object is lost."""
    o = tracked.options.loss
    if tracked.is_texture_guided(
        good_ncc
    ):  # a mask may have wandered off to something else: the colours decide
        return not colors_confirm(candidate.ncc, 0.0, good_ncc, o)
    if candidate.refined.iou < o.iou:
        return True
    if tracked.trusted is not None:  # a mesh coloured from one view: another side of it may look different
        return False
    return tracked.colored and good_ncc > o.textured_ncc and candidate.ncc < o.ncc


def visible_share(candidate: Candidate, evidence: CropObservation) -> float:
    """Pixels of the mask as a share of those the rendered object covers; above 1 where the mask is larger."""
    return int(np.count_nonzero(evidence.mask)) / max(candidate.refined.area, 1)


def confidence(
    tracked: TrackedObject, candidate: Candidate, evidence: CropObservation, good_ncc: float
) -> float:
    """In (0, 1]: how well outline and colours agree and how much of the object was seen."""
    o, iou, least = tracked.options.confidence, candidate.refined.iou, tracked.options.loss.iou
    outline = float(np.clip((iou - least) / (o.good_iou - least), 0.0, 1.0))
    share = o.seen_factor * int(np.count_nonzero(evidence.mask)) / max(candidate.refined.area, 1)
    seen = float(np.clip(share, 0.0, 1.0))
    if tracked.is_texture_guided(good_ncc):  # the mask is not asked; the share of points that agree is
        outline, seen = max(outline, candidate.refined.point_inliers), 1.0
    color = 1.0
    if tracked.colored and good_ncc > o.least_ncc:
        color = float(np.clip(candidate.ncc / good_ncc, 0.0, 1.0))
        color = color if tracked.trusted is None else 1.0 - o.partly_seen + o.partly_seen * color
    return max(float(outline * np.sqrt(seen) * color), o.least)
