"""What a fixed camera sees where no object is: one colour per pixel, and how far it can be trusted."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dexman_pose._optional import require
from dexman_pose.data import Clip
from dexman_pose.segmentation.grabcut.color import (
    FLOOR,
    Bins,
    ColorModel,
    Float,
    near_shaded,
    to_bins,
    to_lab,
)

_SAMPLES = 24
_FAMILIAR = 1.5 * FLOOR
"""Density under the colours around an object from which a sample may be what lies behind it."""
_DARKEST, _SHADED = 0.4, 1e-3
"""A sample that is the pixel of the prompt frame in shadow, down to this share of its light, is still the object."""
GUESSED = 0.25
"""Trust in background that was guessed from its neighbourhood."""
_SAME = np.array([14, 7, 7], np.int16)
"""Two samples of a pixel show the same surface when L, a and b differ by less than this."""


@dataclass
class Plate:
    """Background colour per pixel.

    Attributes:
        lab: (H, W, 3) float32.
        trust: (H, W) float32 in [0, 1], share of the time the pixel shows this colour when no object covers it;
            :data:`GUESSED` where the background was never seen.
    """

    lab: Float
    trust: Float

    def learn(self, lab: NDArray[np.uint8], where: NDArray[np.bool_], window: tuple[slice, slice]) -> None:
        """Take over pixels now seen uncovered (``where``, in ``window``) that the plate did not know for sure."""
        unknown = where & (self.trust[window] <= GUESSED)
        self.lab[window][unknown] = lab[unknown]
        self.trust[window][unknown] = 0.6


def sample_frames(clip: Clip, size: tuple[int, int]) -> NDArray[np.uint8]:
    """At most 24 Lab frames (S, H, W, 3) spread over the clip, resized to ``size`` (width, height)."""
    from dexman_pose.imaging.masks import resized

    count = min(_SAMPLES, clip.num_frames)
    picked = np.unique(np.linspace(0, clip.num_frames - 1, count).round().astype(int))
    out = np.empty((len(picked), size[1], size[0], 3), np.uint8)
    for k, index in enumerate(picked):
        out[k] = to_lab(resized(clip.frame(int(index)), size))
    return out


def build_plate(
    samples: NDArray[np.uint8],
    prompt_lab: NDArray[np.uint8],
    covered: NDArray[np.bool_],
    objects: list[tuple[ColorModel, ColorModel]],
) -> Plate:
    """The background of a clip.

    Outside the objects of the prompt frame the picture itself is background. Under them, the usual colour at other
    times, once those samples are left out that still show the object, or look like it.

    Args:
        samples: (S, H, W, 3) Lab frames spread over the clip.
        prompt_lab: (H, W, 3) Lab of the prompt frame.
        covered: (H, W) bool, pixels that objects (or hands) cover in the prompt frame, a few pixels loose.
        objects: colours of each object, and of its surroundings.
    """
    lab = prompt_lab.astype(np.float32)
    trust = np.zeros(covered.shape, np.float32)
    for rows in np.array_split(np.arange(len(lab)), max(1, len(lab) // 64)):
        part = slice(rows[0], rows[-1] + 1)
        low, high = np.int16(prompt_lab[part]) - _SAME, np.int16(prompt_lab[part]) + _SAME
        same = ((samples[:, part] > low) & (samples[:, part] < high)).all(-1)
        hidden = _shows_object(to_bins(samples[:, part].reshape(-1, lab.shape[1], 3)), objects)
        free = np.maximum((~hidden.reshape(same.shape) | same).sum(0), 0.2 * len(samples))
        trust[part] = np.where(covered[part], 0.0, same.sum(0) / free)
    ys, xs = np.nonzero(covered)
    if len(ys):
        lab[ys, xs], trust[ys, xs] = _uncovered(samples[:, ys, xs], prompt_lab[ys, xs], objects)
    plate = Plate(lab, trust)
    _guess_unknown(plate)
    return plate


def _guess_unknown(plate: Plate) -> None:
    """Where nothing was ever seen but objects, the nearest known background goes on, with little trust."""
    cv2 = require("cv2", "video", "segmenting a video")
    known = plate.trust > 0.5
    if not known.any() or known.all():
        return
    _, nearest = cv2.distanceTransformWithLabels(
        (~known).astype(np.uint8), cv2.DIST_L2, 3, labelType=cv2.DIST_LABEL_PIXEL
    )
    color_of = np.zeros((int(nearest.max()) + 1, 3), np.float32)
    color_of[nearest[known]] = plate.lab[known]
    unknown = plate.trust == 0
    plate.lab[unknown] = color_of[nearest[unknown]]
    plate.trust[unknown] = GUESSED


def _shows_object(bins: Bins, objects: list[tuple[ColorModel, ColorModel]]) -> NDArray[np.bool_]:
    out = np.zeros(bins.shape, bool)
    for own, around in objects:
        out |= own.density(bins) > 1.5 * around.density(bins)
    return out


def _uncovered(
    values: NDArray[np.uint8], now: NDArray[np.uint8], objects: list[tuple[ColorModel, ColorModel]]
) -> tuple[Float, Float]:
    """Colour (M, 3) and trust (M,) of pixels covered now, from their values (S, M, 3) at other times."""
    gone = (np.abs(np.int16(values) - np.int16(now)) >= _SAME).any(-1)
    bins = to_bins(values)
    gone &= ~_shows_object(bins, objects)
    if objects:
        gone &= np.max([around.density(bins) for _, around in objects], axis=0) > _FAMILIAR
    gone &= near_shaded(values, now.astype(np.float32), _DARKEST) < _SHADED
    count = gone.sum(0)
    ordered = np.sort(np.where(gone[..., None], values.astype(np.float32), np.inf), axis=0)
    middle = np.take_along_axis(ordered, np.maximum((count - 1) // 2, 0)[None, :, None], 0)[0]
    known = count >= max(2, 0.12 * len(values))
    middle[~known] = now[~known]
    agree = ((np.abs(values - middle) < _SAME).all(-1) & gone).sum(0)
    share = agree / np.maximum(count, 1)
    return middle, np.where(known & (share > 0.5), share, 0.0).astype(np.float32)
