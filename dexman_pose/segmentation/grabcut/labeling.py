"""Labels from likelihoods: mean field in a contrast-sensitive Potts model on the pixel grid.

Every label (background, hand, each object) competes for every pixel, so the masks exclude each other by
construction. The pairwise weight between neighbours falls with their colour difference, as in GrabCut (Rother,
Kolmogorov and Blake, 2004); the update is the naive mean field of Kraehenbuehl and Koltun (2011) on 8 neighbours.
"""

from __future__ import annotations

import cv2
import numpy as np

from dexman_pose.imaging.resize import Way, resize_picture
from dexman_pose.segmentation.grabcut.color import LIGHTNESS, Float, Lab
from dexman_pose.segmentation.grabcut.model_options import LabelingOptions
from dexman_pose.segmentation.grabcut.options import DEFAULTS

_STEPS = ((0, 1, 1.0), (1, 0, 1.0), (1, 1, 0.7), (1, -1, 0.7))
"""Rows and columns to half of a pixel's eight neighbours, and the weight of each: the inverse of its distance."""
_L_PER_BIN = 8
"""Lab units that a bin of lightness stands for beside a and b; in the dark that stretches what differs little."""


def posterior(log_evidence: Float, lab: Lab, options: LabelingOptions = DEFAULTS.labeling) -> Float:
    """Compute the probability of each label at each pixel, (K, H, W) float32.

    Args:
        log_evidence: (K, H, W) log likelihood plus log prior of each label.
        lab: (H, W, 3) the picture, whose edges the labels may follow at little cost.
        options: how strongly neighbours agree, and how long it is iterated.
    """
    small_shape = lab.shape[1] // 2, lab.shape[0] // 2
    q, iterations = _softmax(log_evidence), options.iterations
    if min(small_shape) >= options.least_coarse_side:
        small = np.stack([resize_picture(e, small_shape, Way.AREA) for e in log_evidence])
        small_lab = resize_picture(lab, small_shape, Way.AREA)
        coarse = _solve(small, _softmax(small), small_lab, iterations, options)
        q = np.stack([resize_picture(c, lab.shape[1::-1], Way.LINEAR) for c in coarse])
        iterations = options.fine_iterations
    return _solve(log_evidence, q, lab, iterations, options)


def _solve(log_evidence: Float, q: Float, lab: Lab, iterations: int, options: LabelingOptions) -> Float:
    weights = _pair_weights(lab, options)
    energy, scratch = np.empty_like(q), np.empty_like(q)
    for _ in range(iterations):
        np.copyto(energy, log_evidence)
        for (a, b), w in weights:
            part = scratch[:, : w.shape[0], : w.shape[1]]
            energy[a] += np.multiply(q[b], w, out=part)
            energy[b] += np.multiply(q[a], w, out=part)
        q = _softmax(energy, out=q)
    return q


_Slices = tuple[slice, slice, slice]


def _pair_weights(lab: Lab, options: LabelingOptions) -> list[tuple[tuple[_Slices, _Slices], Float]]:
    image = lab.astype(np.float32)
    image[..., 0] = _L_PER_BIN * LIGHTNESS[lab[..., 0]]
    pairs, differences = [], []
    for dy, dx, share in _STEPS:
        a, b = _shifted(dy, dx)
        d = cv2.absdiff(image[a[1:]], image[b[1:]])
        np.multiply(d, d, out=d)
        differences.append((d[..., 0] + d[..., 1] + d[..., 2], share))
        pairs.append((a, b))
    scale = max(options.contrast_factor * float(np.mean(differences[0][0])), options.least_contrast)
    uncut = options.uncut_share
    return [
        (pair, (options.smoothness * share * (uncut + (1 - uncut) * np.exp(-d / scale))).astype(np.float32))
        for pair, (d, share) in zip(pairs, differences)
    ]


def _shifted(dy: int, dx: int) -> tuple[_Slices, _Slices]:
    everything = slice(None)
    rows = (slice(None, -dy or None), slice(dy, None))
    cols = (slice(None, -dx or None), slice(dx, None)) if dx >= 0 else (slice(-dx, None), slice(None, dx))
    return (everything, rows[0], cols[0]), (everything, rows[1], cols[1])


def _softmax(energy: Float, out: Float | None = None) -> Float:
    out = np.subtract(energy, energy.max(0), out=out)
    np.exp(out, out=out)
    out /= out.sum(0)
    return out
