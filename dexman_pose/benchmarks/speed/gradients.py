"""How long a differentiable rendering takes, forward and backward, in milliseconds per image."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch

from dexman_pose.benchmarks.speed.fastest import warm_up
from dexman_pose.benchmarks.speed.rasterise import icosphere
from dexman_pose.data.camera import Camera
from dexman_pose.data.mesh import Mesh
from dexman_pose.render.functional import Images, render

Renderer = Callable[..., Images]


@dataclass(frozen=True)
class GradientTiming:
    """One measurement.

    Attributes:
        width: image width in pixels.
        height: image height in pixels.
        faces: faces of the mesh.
        batch: images per call.
        outputs: which images carried the loss.
        forward: milliseconds per image from pose to images, the fastest of the repeats.
        backward: milliseconds per image from the images' gradients to that of the pose, the fastest of the repeats.
    """

    width: int
    height: int
    faces: int
    batch: int
    outputs: tuple[str, ...]
    forward: float
    backward: float


def bench_gradient(device: str = "cpu", repeats: int = 10) -> list[GradientTiming]:
    """Time the gradient of the poses of an icosphere of 5,120 faces that fills most of the image.

    Every call renders mask, depth, normal and colour; the loss takes the mask alone, or all four. What the loss does
    itself, in torch, is not timed. The kernels are compiled, or loaded from Warp's cache, before the clock starts.
    """
    mesh = icosphere(4, 0.1)
    everything = ("mask", "depth", "normal", "colour")
    cases = [
        (128, 128, 1, ("mask",)),
        (128, 128, 1, everything),
        (128, 128, 16, everything),
        (640, 480, 1, everything),
    ]
    return [time_gradient(render, mesh, *case, device=device, repeats=repeats) for case in cases]


def time_gradient(
    renderer: Renderer,
    mesh: Mesh,
    width: int,
    height: int,
    batch: int,
    outputs: tuple[str, ...],
    *,
    device: str,
    repeats: int,
) -> GradientTiming:
    """Time one renderer with the interface of :func:`dexman_pose.render.render`, once it is warm."""
    camera = Camera.from_focal(1.7 * min(width, height), width, height)
    pose = torch.eye(4, device=device).repeat(batch, 1, 1)
    pose[:, 2, 3] = 0.5
    pose.requires_grad_()
    seconds: list[tuple[float, float]] = []

    def step() -> None:
        start = _now(device)
        images = renderer(mesh, pose, camera)
        middle = _now(device)
        chosen = [getattr(images, name) for name in outputs]
        gradients = [2.0 * image.detach() / image.numel() for image in chosen]  # of the mean of squares
        before = _now(device)
        torch.autograd.grad(chosen, pose, gradients)
        seconds.append((middle - start, _now(device) - before))

    warm_up(step)
    seconds.clear()
    for _ in range(max(1, repeats)):
        step()
    forward, backward = 1e3 * np.min(seconds, 0) / batch
    return GradientTiming(width, height, len(mesh.faces), batch, outputs, float(forward), float(backward))


def _now(device: str) -> float:
    """The clock, once the device has done what it was asked."""
    if device != "cpu":
        torch.cuda.synchronize(device)
    return time.perf_counter()
