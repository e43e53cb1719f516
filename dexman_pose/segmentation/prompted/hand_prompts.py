"""Hands shown to a network by boxes and clicks, from their 2D joints."""

from __future__ import annotations

import numpy as np

from dexman_pose.arrays import Array
from dexman_pose.data import HandObservations, ObjectPrompt
from dexman_pose.data.tracks import SIDES
from dexman_pose.segmentation.prompted.options import HandPromptOptions


def hand_prompts(
    hands: HandObservations | None, frame: int, width: int, height: int, options: HandPromptOptions
) -> dict[str, ObjectPrompt]:
    """A prompt for each hand that was detected in a frame, by side; none for bridged ones, whose place is a guess.

    Args:
        hands: joints in pixels of the clip's frames, or None.
        frame: index of the frame.
        width: of the picture in pixels.
        height: of it.
        options: box and clicks.
    """
    if hands is None:
        return {}
    found = {}
    for side, name in enumerate(SIDES):
        if hands.detected[frame, side]:
            prompt = _prompt(hands.joints_2d[frame, side], frame, width, height, options)
            if prompt is not None:
                found[name] = prompt
    return found


def _prompt(
    joints: Array, frame: int, width: int, height: int, options: HandPromptOptions
) -> ObjectPrompt | None:
    low, high = joints.min(0), joints.max(0)
    margin = options.margin * float((high - low).max())
    edge = np.array([width - 1.0, height - 1.0])
    low, high = np.clip(low - margin, 0, edge), np.clip(high + margin, 0, edge)
    if not (high - low > 1).all():
        return None
    clicks = joints[list(options.clicks)]
    inside = ((clicks >= 0) & (clicks <= edge)).all(1)
    points = np.concatenate([clicks[inside], np.ones((int(inside.sum()), 1))], 1)
    return ObjectPrompt(box=np.concatenate([low, high]), points=points if len(points) else None, frame=frame)
