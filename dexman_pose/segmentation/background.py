"""What a fixed camera sees where no object is: one colour per pixel, and how far it can be trusted."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dexman_pose.data import Clip
from dexman_pose.segmentation.color import Float, to_lab

_SAMPLES = 24
_SAME = np.array([14.0, 7.0, 7.0], np.float32)
"""Two samples of a pixel show the same surface when L, a and b differ by less than this."""


@dataclass
class Plate:
    """Background colour per pixel.

    Attributes:
        lab: (H, W, 3) float32.
        trust: (H, W) float32 in [0, 1], share of the time the pixel shows this colour when no object covers it;
            0 where the background was never seen.
    """

    lab: Float
    trust: Float

    def learn(self, lab: NDArray[np.uint8], where: NDArray[np.bool_], window: tuple[slice, slice]) -> None:
        """Take over pixels now seen uncovered (``where``, in ``window``) that the plate did not know."""
        unknown = where & (self.trust[window] < 0.1)
        self.lab[window][unknown] = lab[unknown]
        self.trust[window][unknown] = 0.6


def sample_frames(clip: Clip, size: tuple[int, int]) -> NDArray[np.uint8]:
    """At most 24 Lab frames (S, H, W, 3) spread over the clip, resized to ``size`` (width, height)."""
    from dexman_pose.segmentation.images import resized

    count = min(_SAMPLES, clip.num_frames)
    picked = np.unique(np.linspace(0, clip.num_frames - 1, count).round().astype(int))
    out = np.empty((len(picked), size[1], size[0], 3), np.uint8)
    for k, index in enumerate(picked):
        out[k] = to_lab(resized(clip.frame(int(index)), size))
    return out


def build_plate(
    samples: NDArray[np.uint8], prompt_lab: NDArray[np.uint8], covered: NDArray[np.bool_]
) -> Plate:
    """The background of a clip.

    Outside the objects of the prompt frame the picture itself is background. Under them, the colour most often seen
    at other times once those samples are left out that still show the object.

    Args:
        samples: (S, H, W, 3) Lab frames spread over the clip.
        prompt_lab: (H, W, 3) Lab of the prompt frame.
        covered: (H, W) bool, pixels that objects (or hands) cover in the prompt frame, a few pixels loose.
    """
    lab = prompt_lab.astype(np.float32)
    trust = np.zeros(covered.shape, np.float32)
    for rows in np.array_split(np.arange(len(lab)), max(1, len(lab) // 64)):
        part = slice(rows[0], rows[-1] + 1)
        _fill_rows(samples[:, part], lab[part], trust[part], covered[part])
    return Plate(lab, trust)


def _fill_rows(
    samples: NDArray[np.uint8], lab: Float, trust: Float, covered: NDArray[np.bool_]
) -> None:
    stack = samples.astype(np.float32)
    same = (np.abs(stack - lab) < _SAME).all(-1)
    trust[...] = np.where(covered, 0.0, same.mean(0))
    ys, xs = np.nonzero(covered)
    if len(ys) == 0:
        return
    values, gone = stack[:, ys, xs], ~same[:, ys, xs]
    hidden = np.where(gone[..., None], values, np.nan)
    enough = gone.sum(0) >= max(2, 0.12 * len(samples))
    with np.errstate(all="ignore"):
        middle = np.nan_to_num(_nanmedian(hidden[:, enough]))
    agree = ((np.abs(values[:, enough] - middle) < _SAME).all(-1) & gone[:, enough]).sum(0)
    share = agree / np.maximum(gone[:, enough].sum(0), 1)
    lab[ys[enough], xs[enough]] = middle
    trust[ys[enough], xs[enough]] = np.where(share > 0.5, share, 0.0)


def _nanmedian(values: Float) -> Float:
    ordered = np.sort(values, axis=0)
    count = (~np.isnan(ordered[..., 0])).sum(0)
    middle = np.maximum((count - 1) // 2, 0)
    return np.take_along_axis(ordered, middle[None, :, None], 0)[0]
