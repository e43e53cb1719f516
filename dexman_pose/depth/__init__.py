"""Depth guessed from pictures by networks, and chunks of it brought to one scale."""

from __future__ import annotations

from pathlib import Path

from dexman_pose.backends import DEPTH
from dexman_pose.data import Camera
from dexman_pose.data.accept import CameraLike, ClipLike, as_camera, as_clip
from dexman_pose.depth.predicted import PredictedDepth

__all__ = ["PredictedDepth", "predict_depth"]


def predict_depth(
    clip: ClipLike,
    *,
    camera: CameraLike | None = None,
    backend: str = "depth_anything",
    out: str | Path | None = None,
) -> PredictedDepth:
    """Guess the depth of every frame of a clip with a network.

    It is a guess: metric networks are off by some 10 % and more in scale, and what they say of one object in two frames
    differs. ``reconstruct(depth=...)`` takes depth for measured, so hand it only what you have checked.

    Args:
        clip: the video.
        camera: intrinsics in pixels of the video, where they are known; networks that guess the focal length use it
            instead of their guess.
        backend: ``"depth_anything"`` or ``"depth_pro"``, or another package's; a colon and a model's name or path may
            follow.
        out: a ``.npy`` file that keeps the depth (T, H, W) float32.

    Raises:
        InputError: no such backend, or weights that cannot be loaded.
        MissingExtraError: a package is missing; the message holds the command that installs it.
        MissingModelError: the weights are missing; the message holds the command that fetches them.
    """
    film = as_clip(clip)
    known: Camera | None = None if camera is None else as_camera(camera, (film.height, film.width))
    path = None if out is None else Path(out)
    found: PredictedDepth = DEPTH.load(backend)(film, known, out=path)
    return found
