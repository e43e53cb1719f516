"""Poses followed beside a network that makes masks, which is shown an object again where its masks turn away."""

from __future__ import annotations

from collections.abc import Mapping

from dexman_pose.data.masks import MaskSequence
from dexman_pose.data.prompts import ObjectPrompt
from dexman_pose.data.tracks import HandObservations
from dexman_pose.pipeline.before_masks.followable import SEGMENTATION, of_known_shape
from dexman_pose.pipeline.inputs import Inputs


def followed_beside(inputs: Inputs, segmentation: str) -> dict[str, ObjectPrompt]:
    """Objects whose poses are followed beside a backend that can be shown them again; none for others."""
    from dexman_pose.segmentation import expects

    if segmentation == SEGMENTATION or not expects(segmentation):
        return {}
    return of_known_shape(inputs)


def expected_of(
    inputs: Inputs,
    prompts: Mapping[str, ObjectPrompt],
    observations: HandObservations | None,
    segmentation: str,
) -> MaskSequence | None:
    """Outlines of these objects through the clip; None where there are none.

    Args:
        inputs: of the run.
        prompts: of all objects.
        observations: hands, which hide objects.
        segmentation: the backend.
    """
    known = followed_beside(inputs, segmentation)
    if not known:
        return None
    from dexman_pose.pipeline.before_masks.followed import expected_masks

    return expected_masks(inputs, {name: prompts[name] for name in known}, observations, segmentation)
