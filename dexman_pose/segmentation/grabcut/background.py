"""What a fixed camera sees where no object is: one colour per pixel, and how far it can be trusted."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from dexman_pose.data import Clip
from dexman_pose.segmentation.grabcut.color import (
    Bins,
    ColorModel,
    Float,
    Lab,
    shaded_density,
    to_bins,
    to_lab,
)
from dexman_pose.segmentation.grabcut.kernels.workspace import shared
from dexman_pose.segmentation.grabcut.model_options import BackgroundOptions
from dexman_pose.segmentation.grabcut.options import DEFAULTS, GrabCutOptions

_CHUNK_ROWS = 64
"""Rows of the picture that are compared with all samples at a time, for memory."""


@dataclass
class BackgroundModel:
    """Holds the background's colour per pixel.

    Attributes:
        lab: (H, W, 3) uint8.
        trust: (H, W) float32 in [0, 1], share of the time the pixel shows this colour when no object covers it;
            ``options.guessed_trust`` where the background was never seen.
        options: trust in what is guessed or learned.
    """

    lab: Lab
    trust: Float
    options: BackgroundOptions = DEFAULTS.background

    def learn(self, lab: NDArray[np.uint8], where: NDArray[np.bool_], window: tuple[slice, slice]) -> None:
        """Take over pixels now seen uncovered (``where``, in ``window``) that the model did not know for sure."""
        unknown = where & (self.trust[window] <= self.options.guessed_trust)
        self.lab[window][unknown] = lab[unknown]
        self.trust[window][unknown] = self.options.learned_trust

    @cached_property
    def arrays(self) -> tuple[Any, Any]:
        """``lab`` and ``trust`` as flat Warp arrays."""
        return shared(self.lab), shared(self.trust)

    def copy(self) -> BackgroundModel:
        """An independent copy."""
        return BackgroundModel(self.lab.copy(), self.trust.copy(), self.options)


def sample_frames(
    clip: Clip, size: tuple[int, int], options: BackgroundOptions = DEFAULTS.background
) -> NDArray[np.uint8]:
    """Read frames spread over the clip.

    Args:
        clip: the video.
        size: (width, height) in pixels that the frames are resized to.
        options: how many frames.

    Returns:
        (S, H, W, 3) uint8 Lab.
    """
    from dexman_pose.imaging.resize import resize_picture

    count = min(options.samples, clip.num_frames)
    picked = np.unique(np.linspace(0, clip.num_frames - 1, count).round().astype(int))
    out = np.empty((len(picked), size[1], size[0], 3), np.uint8)
    for k, index in enumerate(picked):
        out[k] = to_lab(resize_picture(clip.frame(int(index)), size))
    return out


def build_background(
    samples: NDArray[np.uint8],
    prompt_lab: NDArray[np.uint8],
    covered: NDArray[np.bool_],
    objects: list[tuple[ColorModel, ColorModel]],
    options: GrabCutOptions = DEFAULTS,
) -> BackgroundModel:
    """Build the background of a clip.

    Outside the objects of the prompt frame the picture itself is background. Under them, the usual colour at other
    times, once those samples are left out that still show the object, or look like it.

    Args:
        samples: (S, H, W, 3) Lab frames spread over the clip.
        prompt_lab: (H, W, 3) Lab of the prompt frame.
        covered: (H, W) bool, pixels that objects (or hands) cover in the prompt frame, a few pixels loose.
        objects: colours of each object, and of its surroundings.
        options: thresholds of the background, and the colour model.
    """
    o = options.background
    same_lab = np.array(o.same_lab, np.int16)
    lab = prompt_lab.copy()
    trust = np.zeros(covered.shape, np.float32)
    for rows in np.array_split(np.arange(len(lab)), max(1, len(lab) // _CHUNK_ROWS)):
        part = slice(rows[0], rows[-1] + 1)
        low, high = np.int16(prompt_lab[part]) - same_lab, np.int16(prompt_lab[part]) + same_lab
        same = _in_all_channels((samples[:, part] > low) & (samples[:, part] < high))
        hidden = _shows_object(to_bins(samples[:, part].reshape(-1, lab.shape[1], 3)), objects, o)
        free = np.maximum((~hidden.reshape(same.shape) | same).sum(0), o.least_free_share * len(samples))
        trust[part] = np.where(covered[part], 0.0, same.sum(0) / free)
    ys, xs = np.nonzero(covered)
    if len(ys):
        lab[ys, xs], trust[ys, xs] = _uncovered(samples[:, ys, xs], prompt_lab[ys, xs], objects, options)
    background = BackgroundModel(lab, trust, o)
    _guess_unknown(background)
    return background


def _in_all_channels(found: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """(...) of (..., 3): channel by channel, which is several times as fast as an ``all`` over them."""
    return found[..., 0] & found[..., 1] & found[..., 2]


def _guess_unknown(background: BackgroundModel) -> None:
    """Fill pixels that objects always covered with the nearest known background, at low trust."""
    known = background.trust > background.options.agreement
    if not known.any() or known.all():
        return
    _, nearest = cv2.distanceTransformWithLabels(
        (~known).astype(np.uint8), cv2.DIST_L2, 3, labelType=cv2.DIST_LABEL_PIXEL
    )
    color_of = np.zeros((int(nearest.max()) + 1, 3), np.uint8)
    color_of[nearest[known]] = background.lab[known]
    unknown = background.trust == 0
    background.lab[unknown] = color_of[nearest[unknown]]
    background.trust[unknown] = background.options.guessed_trust


def _shows_object(
    bins: Bins, objects: list[tuple[ColorModel, ColorModel]], options: BackgroundOptions
) -> NDArray[np.bool_]:
    """Pixels that are likelier under an object's colours than under those around it."""
    out = np.zeros(bins.shape, bool)
    for own, around in objects:
        out |= own.density(bins) > options.object_ratio * around.density(bins)
    return out


def _uncovered(
    values: NDArray[np.uint8],
    now: NDArray[np.uint8],
    objects: list[tuple[ColorModel, ColorModel]],
    options: GrabCutOptions,
) -> tuple[Float, Float]:
    """Colour (M, 3) and trust (M,) of pixels covered now, from their values (S, M, 3) at other times."""
    o = options.background
    same_lab = np.array(o.same_lab, np.int16)
    gone = ~_in_all_channels(np.abs(np.int16(values) - np.int16(now)) < same_lab)
    bins = to_bins(values)
    gone &= ~_shows_object(bins, objects, o)
    if objects:
        familiar = o.familiar_ratio * options.color.uniform_density
        gone &= np.max([around.density(bins) for _, around in objects], axis=0) > familiar
    gone &= shaded_density(values, now.astype(np.float32), o.darkest, options.color) < o.same_density
    count = gone.sum(0)
    ordered = np.sort(np.where(gone[..., None], values.astype(np.float32), np.inf), axis=0)
    middle = np.take_along_axis(ordered, np.maximum((count - 1) // 2, 0)[None, :, None], 0)[0]
    known = count >= max(o.least_samples, o.least_sample_share * len(values))
    middle[~known] = now[~known]
    agree = ((np.abs(values - middle) < same_lab).all(-1) & gone).sum(0)
    share = agree / np.maximum(count, 1)
    return middle, np.where(known & (share > o.agreement), share, 0.0).astype(np.float32)
