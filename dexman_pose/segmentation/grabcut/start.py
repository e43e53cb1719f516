"""The state from which objects are followed: their masks on the prompt frames, the background, the hands."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from dexman_pose.arrays import Mask
from dexman_pose.data import Clip, HandObservations, ObjectPrompt
from dexman_pose.imaging.masks import Float, dilated, mask_at, mask_box
from dexman_pose.imaging.resize import resize_picture
from dexman_pose.segmentation.grabcut.background import build_background, sample_frames
from dexman_pose.segmentation.grabcut.color import ColorModel, to_bins, to_lab
from dexman_pose.segmentation.grabcut.first_mask.prompt_mask import PromptFrame, prompt_mask
from dexman_pose.segmentation.grabcut.hands import HandModel
from dexman_pose.segmentation.grabcut.options import DEFAULTS, GrabCutOptions, PropagationOptions
from dexman_pose.segmentation.grabcut.scene import Scene
from dexman_pose.segmentation.grabcut.state import ObjectState
from dexman_pose.threads import side_by_side


def working_size(
    clip: Clip, prompts: Mapping[str, ObjectPrompt], options: PropagationOptions = DEFAULTS.propagation
) -> tuple[int, int]:
    """Compute the width and height in pixels at which a clip is worked on.

    Large frames are made smaller, and so are those whose smallest object is large: by halves, which pictures are
    reduced by in no time.
    """
    scale = _largest_scale(clip, options)
    sides = [side for side in map(_longer_side, prompts.values()) if side is not None]
    if len(sides) == len(prompts):
        half = 0.5
        while half * min(sides) >= options.object_side:
            scale, half = min(scale, half), half / 2
    return _sized(clip, scale, options)


def _largest_scale(clip: Clip, options: PropagationOptions) -> float:
    return min(1.0, options.working_side / max(clip.width, clip.height))


def _sized(clip: Clip, scale: float, options: PropagationOptions) -> tuple[int, int]:
    least = options.least_side
    return max(least, round(clip.width * scale)), max(least, round(clip.height * scale))


def _longer_side(prompt: ObjectPrompt) -> float | None:
    """Pixels, of the box around an object; None where clicks alone point at it."""
    box = prompt.box if prompt.mask is None else mask_box(prompt.mask)
    return None if box is None else float(max(box[2] - box[0], box[3] - box[1]))


def start(
    clip: Clip,
    prompts: dict[str, ObjectPrompt],
    hands: HandObservations | None,
    options: GrabCutOptions = DEFAULTS,
) -> tuple[dict[str, ObjectState], Scene]:
    """Find objects as they are on their prompt frames, and what surrounds them.

    Raises:
        EstimationError: a prompt under which no object can be told from its surroundings.
    """
    size = working_size(clip, prompts, options.propagation)
    # Prompts are looked at in full: half the size hides what is thin, a long handle, from its surroundings.
    largest = _sized(clip, _largest_scale(clip, options.propagation), options.propagation)
    whole = _Looked.at(clip, prompts, hands, largest, options)

    def found(name: str) -> Mask:
        p = prompts[name]
        return prompt_mask(whole.frames[p.frame], _scaled(p, largest[0] / clip.width, largest), name, options)

    # Most of the time goes to GrabCut, which lets go of Python's lock; objects know nothing of each other.
    masks = dict(zip(prompts, side_by_side(found, prompts)))
    looked = whole
    if size != largest:
        looked = _Looked.at(clip, prompts, hands, size, options)
        masks = {name: mask_at(mask, size) for name, mask in masks.items()}
    frames, hand_model, samples = looked.frames, looked.hands, looked.samples
    states = _states(prompts, masks, frames, hand_model, options)
    first = min(prompts.values(), key=lambda p: p.frame).frame
    return states, _scene(to_lab(frames[first].rgb), samples, states, hand_model, first, options)


@dataclass(frozen=True)
class _Looked:
    """A clip as its prompts are looked at, at one size.

    Attributes:
        frames: those of the prompts.
        hands: how hands look, or None.
        samples: (S, H, W, 3) Lab frames spread over the clip.
    """

    frames: dict[int, PromptFrame]
    hands: HandModel | None
    samples: NDArray[np.uint8]

    @classmethod
    def at(
        cls,
        clip: Clip,
        prompts: Mapping[str, ObjectPrompt],
        hands: HandObservations | None,
        size: tuple[int, int],
        options: GrabCutOptions,
    ) -> _Looked:
        scale = size[0] / clip.width
        model = HandModel.learn(clip, hands, scale, size, options) if hands is not None else None
        samples = sample_frames(clip, size, options.background)
        frames = {
            index: PromptFrame(rgb, samples, _hand_evidence(model, index, rgb, options.color.weight))
            for index in {p.frame for p in prompts.values()}
            for rgb in [resize_picture(clip.frame(index), size)]
        }
        return cls(frames, model, samples)


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
    options: GrabCutOptions,
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
        others |= _hand_area(hands, prompt.frame, (lab.shape[0], lab.shape[1]))
        states[name] = ObjectState.start(name, mine, lab, to_bins(lab), others, options)
    return states


def _hand_evidence(
    hands: HandModel | None, frame: int, rgb: NDArray[np.uint8], weight: float
) -> Float | None:
    """Weighted log likelihood plus log prior of a hand at each pixel of a frame."""
    if hands is None or not hands.present(frame):
        return None
    window = (slice(0, rgb.shape[0]), slice(0, rgb.shape[1]))
    place = [hand.through(window) for hand in hands.fields(frame, (rgb.shape[0], rgb.shape[1]))]
    skin = hands.skin.density(to_bins(to_lab(rgb)))
    prior = np.maximum.reduce(place) if place else np.full(skin.shape, hands.options.far_log_odds, np.float32)
    return np.asarray(weight * np.log(skin) + prior, np.float32)


def _hand_area(hands: HandModel | None, frame: int, shape: tuple[int, int]) -> Mask:
    """Pixels (H, W) that a hand or forearm may cover."""
    out = np.zeros(shape, bool)
    if hands is not None:
        for hand in hands.fields(frame, shape):
            out[hand.window] |= hand.through(hand.window) > hands.options.area_log_odds
    return out


def _scene(
    lab: NDArray[np.uint8],
    samples: NDArray[np.uint8],
    states: dict[str, ObjectState],
    hands: HandModel | None,
    frame: int,
    options: GrabCutOptions,
) -> Scene:
    """Background and its colours, as seen on ``frame`` (whose picture is ``lab``) and, where covered, later."""
    covered = np.zeros(lab.shape[:2], bool)
    whole = (slice(0, lab.shape[0]), slice(0, lab.shape[1]))
    for state in states.values():
        covered |= dilated(state.visible_through(whole), options.propagation.covered_margin)
    covered |= _hand_area(hands, frame, (lab.shape[0], lab.shape[1]))
    colors = ColorModel(options.color)
    colors.add(to_bins(lab)[~covered])
    foreground = [(s.initial_color, s.surround_color) for s in states.values()]
    if hands is not None and not hands.skin.empty:
        foreground.append((hands.skin, colors))
    background = build_background(samples, lab, covered, foreground, options)
    return Scene(background, colors, hands, options)
