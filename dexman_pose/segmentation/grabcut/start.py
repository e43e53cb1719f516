"""The state from which objects are followed: their masks on the prompt frames, the background, the hands."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from dexman_pose.arrays import Mask
from dexman_pose.data import Clip, HandObservations, ObjectPrompt
from dexman_pose.imaging.masks import Float, dilated, mask_at, resized
from dexman_pose.segmentation.grabcut.background import build_plate, sample_frames
from dexman_pose.segmentation.grabcut.color import COLOR_WEIGHT, ColorModel, to_bins, to_lab
from dexman_pose.segmentation.grabcut.evidence import Scene
from dexman_pose.segmentation.grabcut.hands import HandModel
from dexman_pose.segmentation.grabcut.prompt_mask import PromptFrame, prompt_mask
from dexman_pose.segmentation.grabcut.state import ObjectState

_WORKING_SIDE = 960
"""Larger frames are followed at this size; only the final outlines are drawn at full size."""


def working_size(clip: Clip) -> tuple[int, int]:
    """Width and height at which a clip is worked on."""
    scale = min(1.0, _WORKING_SIDE / max(clip.width, clip.height))
    return max(16, round(clip.width * scale)), max(16, round(clip.height * scale))


def start(
    clip: Clip, prompts: dict[str, ObjectPrompt], hands: HandObservations | None
) -> tuple[dict[str, ObjectState], Scene]:
    """Objects as they are on their prompt frames, and what surrounds them.

    Raises:
        EstimationError: a prompt under which no object can be told from its surroundings.
    """
    size = working_size(clip)
    scale = size[0] / clip.width
    hand_model = HandModel.learn(clip, hands, scale, size) if hands is not None else None
    samples = sample_frames(clip, size)
    frames = {
        index: PromptFrame(rgb, samples, _hand_evidence(hand_model, index, rgb))
        for index in {p.frame for p in prompts.values()}
        for rgb in [resized(clip.frame(index), size)]
    }
    masks = {name: prompt_mask(frames[p.frame], _scaled(p, scale, size), name) for name, p in prompts.items()}
    states = _states(prompts, masks, frames, hand_model)
    first = min(prompts.values(), key=lambda p: p.frame).frame
    return states, _scene(to_lab(frames[first].rgb), samples, states, hand_model, first)


def _scaled(prompt: ObjectPrompt, scale: float, size: tuple[int, int]) -> ObjectPrompt:
    """The prompt in pixels of the working size."""
    if scale == 1.0:
        return prompt
    box = None if prompt.box is None else (prompt.box + 0.5) * scale - 0.5
    points = None if prompt.points is None else prompt.points.copy()
    if points is not None:
        points[:, :2] = np.clip((points[:, :2] + 0.5) * scale - 0.5, 0, np.array(size) - 1)
    mask = None if prompt.mask is None else mask_at(prompt.mask, size)
    return replace(prompt, box=box, points=points, mask=mask)


def _states(
    prompts: dict[str, ObjectPrompt],
    masks: dict[str, Mask],
    frames: dict[int, PromptFrame],
    hands: HandModel | None,
) -> dict[str, ObjectState]:
    states = {}
    for name, prompt in prompts.items():
        lab = to_lab(frames[prompt.frame].rgb)
        others = np.zeros(lab.shape[:2], bool)
        mine = masks[name].copy()
        for other, mask in masks.items():
            if other != name and prompts[other].frame == prompt.frame:
                others |= mask
                if mask.sum() < masks[name].sum():  # what both claim goes to the smaller: a tool in a tray
                    mine &= ~mask
        others |= _hand_area(hands, prompt.frame, lab.shape[:2])
        states[name] = ObjectState.start(name, mine, lab, to_bins(lab), others)
    return states


def _hand_evidence(hands: HandModel | None, frame: int, rgb: NDArray[np.uint8]) -> Float | None:
    """Weighted log likelihood plus log prior of a hand at each pixel of a frame."""
    if hands is None or not hands.present(frame):
        return None
    window = (slice(0, rgb.shape[0]), slice(0, rgb.shape[1]))
    skin = hands.skin.density(to_bins(to_lab(rgb)))
    return np.asarray(COLOR_WEIGHT * np.log(skin) + hands.log_prior(frame, window), np.float32)


def _hand_area(hands: HandModel | None, frame: int, shape: tuple[int, ...]) -> Mask:
    """Pixels (H, W) that a hand or forearm may cover."""
    out = np.zeros(shape, bool)
    if hands is not None and hands.present(frame):
        for window in hands.reach(frame, (shape[0], shape[1])):
            out[window] |= hands.log_prior(frame, window) > -2.0
    return out


def _scene(
    lab: NDArray[np.uint8],
    samples: NDArray[np.uint8],
    states: dict[str, ObjectState],
    hands: HandModel | None,
    frame: int,
) -> Scene:
    """Background and its colours, as seen on ``frame`` (whose picture is ``lab``) and, where covered, later."""
    covered = np.zeros(lab.shape[:2], bool)
    for state in states.values():
        covered |= dilated(state.visible, 3)
    covered |= _hand_area(hands, frame, lab.shape[:2])
    colors = ColorModel()
    colors.add(to_bins(lab)[~covered])
    foreground = [(s.first_color, s.around) for s in states.values()]
    if hands is not None and not hands.skin.empty:
        foreground.append((hands.skin, colors))
    plate = build_plate(samples, lab, covered, foreground)
    return Scene(plate, colors, hands)
