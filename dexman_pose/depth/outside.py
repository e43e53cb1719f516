"""Backend ``outside``: depth guessed by a function of another Python environment, MoGe's or VGGT's say."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dexman_pose.data import Camera, Clip
from dexman_pose.data.depth import DepthSequence
from dexman_pose.depth.predicted import DepthKind, PredictedDepth
from dexman_pose.errors import EstimationError, InputError
from dexman_pose.networks.outside.call import call_outside
from dexman_pose.networks.outside.environment import Environment


def predict(
    clip: Clip,
    camera: Camera | None = None,
    *,
    weights: str | Path | Environment | None = None,
    out: Path | None = None,
) -> PredictedDepth:
    """Guess depth with a function of another environment.

    The function gets the frames and, where it is known, ``K`` (3, 3). It returns ``depth`` (T, H, W) in metres along
    the optical axis, 0 where it knows none; or, of a method without a scale, ``inverse`` (T, H, W), its inverse up to
    scale and shift; and may return ``focal_length`` (T,) pixels of the frames.

    Args:
        clip: the video.
        camera: intrinsics in pixels of the video, or None.
        weights: the environment, or the YAML file that tells it: ``backend="outside:moge.yaml"``.
        out: a ``.npy`` file to write, or None.

    Raises:
        InputError: no such environment.
        MissingExtraError: what the function needs is missing there.
        EstimationError: the function failed, or answered what is no depth.
    """
    if weights is None:
        raise InputError(
            "the depth backend 'outside' needs the file of an environment: outside:FILE.yaml with python and function "
            "(docs/backends.md)"
        )
    environment = weights if isinstance(weights, Environment) else Environment.read(weights)
    known = {} if camera is None else {"K": camera.K}
    answer = call_outside(environment, clip, known)
    field, kind, focal = _checked(answer.arrays, clip, environment.function)
    if out is not None:
        out.parent.mkdir(parents=True, exist_ok=True)
        np.save(out, field)
    names = [f"{environment.function} frame {i}" for i in range(clip.num_frames)]
    return PredictedDepth(DepthSequence(lambda i: field[i], names, 1.0), kind, focal, "outside")


def _checked(
    arrays: Mapping[str, NDArray[Any]], clip: Clip, who: str
) -> tuple[NDArray[np.float32], DepthKind, NDArray[np.float64] | None]:
    key, kind = ("depth", "metric") if "depth" in arrays else ("inverse", "relative")
    shape = (clip.num_frames, clip.height, clip.width)
    if key not in arrays or arrays[key].shape != shape:
        got = f"of shape {arrays[key].shape}" if key in arrays else "missing"
        raise EstimationError(f"{who} must return 'depth' or 'inverse' of shape {shape}, but it is {got}")
    field = np.ascontiguousarray(arrays[key], np.float32)
    field = np.where(np.isfinite(field) & (field > 0), field, 0).astype(np.float32)
    if not (field > 0).any():
        raise EstimationError(f"{who} returned no depth in any pixel")
    focal = arrays.get("focal_length")
    if focal is not None and (
        focal.shape != (clip.num_frames,) or not (np.isfinite(focal) & (focal > 0)).all()
    ):
        raise EstimationError(f"{who} must return a positive 'focal_length' of shape ({clip.num_frames},)")
    return field, "metric" if kind == "metric" else "relative", None if focal is None else focal.astype(float)
