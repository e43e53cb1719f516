"""The mask of one object on its prompt frame: GrabCut started from a box, clicks or a mask."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from dexman_pose.arrays import Mask
from dexman_pose.data import ObjectPrompt
from dexman_pose.errors import EstimationError
from dexman_pose.imaging.masks import EIGHT_CONNECTED, Float, Window, fill_small_holes
from dexman_pose.segmentation.grabcut.background import build_background
from dexman_pose.segmentation.grabcut.color import ColorModel, to_bins, to_lab
from dexman_pose.segmentation.grabcut.first_mask.enclosed import enclosed_log_odds
from dexman_pose.segmentation.grabcut.first_mask.local_color import refine_prompt_mask
from dexman_pose.segmentation.grabcut.model_options import PromptMaskOptions
from dexman_pose.segmentation.grabcut.options import DEFAULTS, GrabCutOptions

_MIXTURE_SIZE = 65
"""Numbers in which OpenCV keeps a Gaussian mixture of five components: weight, mean and covariance of each."""


@dataclass(frozen=True)
class PromptFrame:
    """A prompt's frame and what is known around it, all at one size.

    Attributes:
        rgb: (H, W, 3) uint8.
        samples: (S, H, W, 3) Lab frames spread over the clip.
        hand: (H, W) weighted log evidence of a hand, colour and place; or None.
    """

    rgb: NDArray[np.uint8]
    samples: NDArray[np.uint8]
    hand: Float | None = None


def prompt_mask(
    frame: PromptFrame, prompt: ObjectPrompt, name: str, options: GrabCutOptions = DEFAULTS
) -> Mask:
    """Find the object that ``prompt`` points at, (H, W) bool.

    Args:
        frame: the prompt's frame.
        prompt: in pixels of ``frame``.
        name: for the message.
        options: of the prompt mask, the colours, the labels and the background.

    Raises:
        EstimationError: nothing that stands out from its surroundings was found there.
    """
    mask = prompt.mask.copy() if prompt.mask is not None else _grab_cut(frame, prompt, options)
    if prompt.points is not None and prompt.mask is None:
        mask = _parts_clicked(mask, prompt.points)
    if mask.sum() < options.prompt.least_pixels:
        raise EstimationError(
            f"object {name!r}: no object could be told from its surroundings in frame {prompt.frame}. "
            "Draw the box a few pixels loose around the whole object, add clicks (x, y, label 1 on it, 0 off it), "
            "give a mask, or choose a frame in which it is less covered"
        )
    return fill_small_holes(mask, options.prompt.largest_hole)


def _grab_cut(frame: PromptFrame, prompt: ObjectPrompt, options: GrabCutOptions) -> Mask:
    """The mask (H, W) by GrabCut (Rother et al., 2004) in a crop, labelled again with local colours."""
    o = options.prompt
    window, trimap = _trimap(frame.rgb.shape[:2], prompt, o)
    allowed, clicked = trimap > 0, trimap == cv2.GC_FGD
    hand = None if frame.hand is None else frame.hand[window]
    if hand is not None:
        likely = hand > options.color.weight * np.log(o.hand_density)
        trimap[likely & (trimap == cv2.GC_PR_FGD)] = cv2.GC_PR_BGD
    tight = prompt.box is not None
    lab = to_lab(np.ascontiguousarray(frame.rgb[window]))
    enclosed = enclosed_log_odds(lab, allowed, options.enclosed) if tight else None
    if enclosed is not None:
        out_of_it = enclosed < options.enclosed.sure
        trimap[out_of_it & (trimap == cv2.GC_PR_FGD)] = cv2.GC_PR_BGD
    out = np.zeros(frame.rgb.shape[:2], bool)
    if not (trimap & 1).any() or (trimap & 1).all():
        return out
    crop = np.ascontiguousarray(frame.rgb[window])
    mixtures = np.zeros((1, _MIXTURE_SIZE)), np.zeros((1, _MIXTURE_SIZE))
    cv2.setRNGSeed(0)
    cv2.grabCut(crop, trimap, None, *mixtures, o.iterations, cv2.GC_INIT_WITH_MASK)
    first = (trimap & 1).astype(bool) | clicked
    models = ColorModel(options.color), ColorModel(options.color)
    models[0].add(to_bins(lab)[first])
    models[1].add(to_bins(lab)[~first])
    background = build_background(frame.samples[(slice(None), *window)], lab, allowed, [models], options)
    found = refine_prompt_mask(
        lab, first, allowed, background, hand, tight=tight, enclosed=enclosed, options=options
    )
    out[window] = _without_small_parts(found, o)
    return out


def _trimap(
    shape: tuple[int, ...], prompt: ObjectPrompt, options: PromptMaskOptions
) -> tuple[Window, NDArray[np.uint8]]:
    """The crop that GrabCut looks at, and its start: 0 sure background, 1 sure object, 3 probable object, ..."""
    h, w = shape[:2]
    x0, y0, x1, y1 = prompt.box if prompt.box is not None else _box_of_clicks(prompt, w, h, options)
    x0, y0 = max(0, int(np.floor(x0))), max(0, int(np.floor(y0)))
    x1, y1 = min(w, int(np.ceil(x1)) + 1), min(h, int(np.ceil(y1)) + 1)
    margin = int(options.margin * max(x1 - x0, y1 - y0)) + options.margin_pixels
    window = (
        slice(max(0, y0 - margin), min(h, y1 + margin)),
        slice(max(0, x0 - margin), min(w, x1 + margin)),
    )
    trimap = np.zeros((window[0].stop - window[0].start, window[1].stop - window[1].start), np.uint8)
    inside = trimap[y0 - window[0].start : y1 - window[0].start, x0 - window[1].start : x1 - window[1].start]
    inside[...] = 3 if prompt.box is not None else 2
    if prompt.points is not None:
        _mark_clicks(trimap, prompt, window, options)
    return window, trimap


def _box_of_clicks(
    prompt: ObjectPrompt, width: int, height: int, options: PromptMaskOptions
) -> NDArray[np.float64]:
    """Without a box: the surroundings of the clicks, generous, since nothing tells the object's size."""
    assert prompt.points is not None
    on = prompt.points[prompt.points[:, 2] > 0.5][:, :2]
    if len(on) == 0:
        return np.zeros(4)
    spread = float(np.ptp(on, axis=0).max())
    reach = max(spread * options.click_spread, options.click_reach * min(width, height))
    return np.concatenate([on.min(0) - reach, on.max(0) + reach])


def _mark_clicks(
    trimap: NDArray[np.uint8], prompt: ObjectPrompt, window: Window, options: PromptMaskOptions
) -> None:
    """Write into the trimap what clicks say: sure discs, and without a box probable ones around positive clicks."""
    assert prompt.points is not None
    if prompt.box is None:
        radius = max(options.probable_radius, int(options.probable_share * min(trimap.shape)))
        for x, y, label in prompt.points:
            if label > 0.5:
                centre = (round(x) - window[1].start, round(y) - window[0].start)
                cv2.circle(trimap, centre, radius, 3, -1)
    for x, y, label in prompt.points:
        centre = (round(x) - window[1].start, round(y) - window[0].start)
        cv2.circle(trimap, centre, options.sure_radius, 1 if label > 0.5 else 0, -1)


def _without_small_parts(mask: Mask, options: PromptMaskOptions) -> Mask:
    """Drops parts that are small beside the largest one: noise that happens to have the object's colours."""
    _, parts, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=EIGHT_CONNECTED)
    area = stats[:, cv2.CC_STAT_AREA].copy()
    area[0] = 0
    keep = area >= max(options.least_part, options.least_part_share * area.max())
    keep[0] = False
    out: Mask = keep[parts]
    return out


def _parts_clicked(mask: Mask, points: NDArray[np.float64]) -> Mask:
    """The connected parts that hold a positive click; all of them when no click lies on one."""
    _, parts = cv2.connectedComponents(mask.astype(np.uint8), connectivity=EIGHT_CONNECTED)
    on = points[points[:, 2] > 0.5][:, :2].round().astype(int)
    hit = {int(parts[y, x]) for x, y in on if parts[y, x] > 0}
    return np.isin(parts, list(hit)) if hit else mask
