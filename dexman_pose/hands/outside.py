"""Backend ``outside``: hands found by a function of another Python environment, HaMeR's or WiLoR's say."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dexman_pose.data.clip import Clip
from dexman_pose.data.tracks import HandObservations
from dexman_pose.errors import EstimationError, InputError
from dexman_pose.hands.mediapipe.backend import finish
from dexman_pose.networks.outside.call import call_outside
from dexman_pose.networks.outside.environment import Environment


def detect_outside(
    clip: Clip,
    *,
    model: str | Path | None = None,
    weights: str | Path | Environment | None = None,
) -> HandObservations:
    """Find hands with a function of another environment.

    The function gets the frames and no arrays. It returns ``joints_2d`` (T, 2, 21, 2) pixels of the frames, the
    person's left hand first, joints in the order of MediaPipe and OpenPose; ``joints_local`` (T, 2, 21, 3) metres,
    about any middle, +x right, +y down, +z away, of the side that the hand is of (a mirrored one mirrored back);
    ``score`` (T, 2) in [0, 1], 0 where there is no hand. A focal length that the method assumes must not be in the
    pixels: they are where the joints are seen. The place in space is found by the true one.

    Args:
        clip: the video.
        model: not used; weights are the function's own.
        weights: the environment, or the YAML file that tells it: ``hands="outside:wilor.yaml"``.

    Raises:
        InputError: no such environment.
        MissingExtraError: what the function needs is missing there.
        EstimationError: the function failed, or answered what are no hands.
    """
    del model
    if weights is None:
        raise InputError(
            "the hands backend 'outside' needs the file of an environment: outside:FILE.yaml with python and function "
            "(docs/backends.md)"
        )
    environment = weights if isinstance(weights, Environment) else Environment.read(weights)
    answer = call_outside(environment, clip, {})
    seen = _observed(answer.arrays, clip.num_frames, environment.function)
    return finish(seen, np.asarray(clip.frame_times))


def _observed(arrays: Mapping[str, NDArray[Any]], count: int, who: str) -> HandObservations:
    shapes = {
        "joints_2d": (count, 2, 21, 2),
        "joints_local": (count, 2, 21, 3),
        "score": (count, 2),
    }
    for key, shape in shapes.items():
        if key not in arrays or arrays[key].shape != shape:
            got = f"of shape {arrays[key].shape}" if key in arrays else "missing"
            raise EstimationError(f"{who} must return {key!r} of shape {shape}, but it is {got}")
    score = arrays["score"].astype(float)
    if not (np.isfinite(score).all() and (score >= 0).all() and (score <= 1).all()):
        raise EstimationError(f"{who} must return a score within 0 and 1")
    detected = score > 0
    for key in ("joints_2d", "joints_local"):
        if not np.isfinite(arrays[key][detected]).all():
            raise EstimationError(f"{who} returned {key} that are NaN or infinite for a hand with a score")
    pixels = np.where(detected[..., None, None], arrays["joints_2d"], 0.0)
    local = np.where(detected[..., None, None], arrays["joints_local"], 0.0)
    local = local - local.mean(2, keepdims=True)
    return HandObservations(pixels, local, detected, np.zeros_like(detected), score)
