"""Backend ``outside``: masks made by a function of another Python environment."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dexman_pose.data import OCCLUDER, Clip, HandObservations, MaskSequence, ObjectPrompt
from dexman_pose.errors import EstimationError, InputError
from dexman_pose.networks.outside.call import call_outside
from dexman_pose.networks.outside.environment import Environment
from dexman_pose.segmentation.checks import check_prompts


def segment_outside(
    clip: Clip,
    prompts: dict[str, ObjectPrompt],
    hands: HandObservations | None,
    weights: str | Path | Environment | None = None,
) -> MaskSequence:
    """Make masks with a function of another environment.

    The function gets the arrays of :func:`prompt_arrays`, and returns ``labels`` (T, H, W) uint8, numbered by the order
    of the prompts from 1, 255 for hands, and ``confidence`` (T, N) in [0, 1].

    Args:
        clip: the video.
        prompts: by object name.
        hands: 2D joints per frame, or None.
        weights: the environment, or the YAML file that tells it: ``segmentation="outside:method.yaml"``.

    Raises:
        InputError: prompts that do not fit the clip, or no such environment.
        MissingExtraError: what the function needs is missing there.
        EstimationError: the function failed, or answered what are no masks.
    """
    check_prompts(clip, prompts, hands)
    if weights is None:
        raise InputError(
            "the segmentation backend 'outside' needs the file of an environment: outside:FILE.yaml with python and "
            "function (docs/backends.md)"
        )
    environment = weights if isinstance(weights, Environment) else Environment.read(weights)
    answer = call_outside(environment, clip, prompt_arrays(clip, prompts, hands))
    return _masks(answer.arrays, clip, tuple(prompts), environment.function)


def prompt_arrays(
    clip: Clip, prompts: Mapping[str, ObjectPrompt], hands: HandObservations | None
) -> dict[str, NDArray[Any]]:
    """Prompts and hands as plain arrays.

    Returns:
        ``names`` (N,) text; ``prompt_frames`` (N,) indices; ``boxes`` (N, 4) x0, y0, x1, y1 in pixels, and
        ``has_box`` (N,); ``points`` (P, 4) number of the object from 0, x, y, label 1 or 0; ``masks`` (N, H, W)
        bool and ``has_mask`` (N,); with hands ``joints_2d`` (T, 2, 21, 2) pixels and ``hand_detected`` (T, 2), left
        first.
    """
    shown = list(prompts.values())
    points = [
        np.concatenate([np.full((len(p.points), 1), float(i)), p.points], 1)
        for i, p in enumerate(shown)
        if p.points is not None
    ]
    empty = np.zeros((clip.height, clip.width), bool)
    arrays: dict[str, NDArray[Any]] = {
        "names": np.array(list(prompts)),
        "prompt_frames": np.array([p.frame for p in shown], np.int64),
        "boxes": np.array([np.zeros(4) if p.box is None else p.box for p in shown]),
        "has_box": np.array([p.box is not None for p in shown]),
        "points": np.concatenate(points) if points else np.zeros((0, 4)),
        "masks": np.array([empty if p.mask is None else p.mask for p in shown]),
        "has_mask": np.array([p.mask is not None for p in shown]),
    }
    if hands is not None:
        arrays |= {"joints_2d": hands.joints_2d, "hand_detected": hands.detected}
    return arrays


def _masks(arrays: Mapping[str, NDArray[Any]], clip: Clip, names: tuple[str, ...], who: str) -> MaskSequence:
    shapes = {
        "labels": (clip.num_frames, clip.height, clip.width),
        "confidence": (clip.num_frames, len(names)),
    }
    for key, shape in shapes.items():
        if key not in arrays or arrays[key].shape != shape:
            got = f"of shape {arrays[key].shape}" if key in arrays else "missing"
            raise EstimationError(f"{who} must return {key!r} of shape {shape}, but it is {got}")
    labels, confidence = arrays["labels"], arrays["confidence"].astype(np.float32)
    known = (labels >= 0) & ((labels <= len(names)) | (labels == OCCLUDER))
    if labels.dtype.kind not in "iu" or not known.all():
        raise EstimationError(
            f"{who} must return whole labels 0 to {len(names)} and {OCCLUDER}, but it returned {labels.dtype} with "
            f"{np.unique(labels[~known])[:3].tolist()}"
        )
    if not (np.isfinite(confidence).all() and (confidence >= 0).all() and (confidence <= 1).all()):
        raise EstimationError(f"{who} must return confidence within 0 and 1")
    out = MaskSequence(names, clip.height, clip.width, clip.num_frames, confidence)
    for frame in range(clip.num_frames):
        out.set(frame, np.ascontiguousarray(labels[frame], np.uint8))
    return out
