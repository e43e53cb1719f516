"""Hand skeletons and contact marks of one frame."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from dexman_pose.arrays import Array
from dexman_pose.data import JOINT_PARENTS, HandTrack, Trajectory
from dexman_pose.viewer.canvas import Canvas
from dexman_pose.viewer.palette import GREY, HAND_COLORS, RGB, WHITE, mixed

Project = Callable[[Array], Array]


def draw_hand(canvas: Canvas, hand: HandTrack, index: int, project: Project) -> None:
    """Bones and joints of a valid hand; thin lines and hollow joints where it is bridged, not seen."""
    joints = hand.joints[index]
    front = joints[:, 2] > 0.01
    if not front.any():
        return
    pixels = np.zeros((21, 2))
    pixels[front] = project(joints[front])
    bridged = bool(hand.bridged[index])
    color = HAND_COLORS[hand.side]
    color = mixed(color, GREY, 0.5) if bridged else color
    bones = [pixels[[p, j]] for j, p in enumerate(JOINT_PARENTS) if p >= 0 and front[p] and front[j]]
    canvas.lines(bones, color, 1.0 if bridged else 2.0, rim=not bridged)
    size = _mark_size(canvas, pixels[front])
    for at in pixels[front]:
        canvas.disc(at, color, size * 2.8, hollow=bridged)


def draw_contacts(
    canvas: Canvas, trajectory: Trajectory, side: str, index: int, project: Project, colors: dict[str, RGB]
) -> None:
    """A large disc in the colour of the object, with a white rim, at every joint that touches it."""
    contacts, joints = trajectory.contacts, trajectory.hands[side].joints[index]
    front = joints[:, 2] > 0.01
    for k, (hand, name) in enumerate(contacts.pairs if contacts is not None else ()):
        if contacts is None or hand != side:
            continue
        touching = contacts.touching[k, index] & front
        if touching.any():
            radius = 4.5 * _mark_size(canvas, project(joints[front]))
            for at in project(joints[touching]):
                canvas.disc(at, colors.get(name, GREY), radius, rim=WHITE)


def _mark_size(canvas: Canvas, pixels: Array) -> float:
    """Factor that keeps the joints of a hand far away from covering it."""
    return float(np.clip(np.ptp(pixels, axis=0).max() / (110.0 * canvas.unit), 0.45, 1.0))
