"""Masks that leak as a segmentation does: onto clutter of like colours beside the object, while a bit is missing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from dexman_pose.arrays import Array, Bools
from dexman_pose.benchmarks.flags.mask_defects import relabelled
from dexman_pose.data import Camera

Labels = NDArray[np.uint8]


@dataclass(frozen=True)
class LeakShares:
    """How much leaks.

    Attributes:
        overlap: intersection over union of given and exact mask, drawn between the two for each clip.
        missing: share of the object that is not in the mask, drawn between the two.
        sway: by how much of itself the leaking part grows and shrinks in the course of a clip.
        period: frames of this.
        around: pixels around the object to which a leak is confined.
        alike: grey levels by which a colour differs from the object's to count as twice as far away.
        places: shares of the leaking part at the first and at the second place.
        smooth: pixels over which the outline is smoothed; odd.
    """

    overlap: tuple[float, float] = (0.76, 0.83)
    missing: tuple[float, float] = (0.04, 0.09)
    sway: float = 0.12
    period: float = 45.0
    around: int = 45
    alike: float = 30.0
    places: tuple[float, float] = (0.65, 0.35)
    smooth: int = 5


@dataclass(frozen=True)
class Frame:
    """What a leak is made of in one frame: picture (H, W, 3), labels and depth (H, W), camera_from_object (4, 4)."""

    image: NDArray[np.uint8]
    labels: Labels
    depth: NDArray[np.float32]
    pose: Array


def leaking(
    frames: Sequence[Frame],
    surface: Array,
    camera: Camera,
    rng: np.random.Generator,
    shares: LeakShares | None = None,
) -> list[Labels]:
    """Labels of a clip whose object (1) leaks at two places and lacks a bit; the places are fixed to the object.

    Args:
        frames: of the clip, exact.
        surface: (V, 3) points of the object's surface, object frame.
        camera: of the pictures.
        rng: random numbers.
        shares: how much.
    """
    s = shares or LeakShares()
    overlap, missing, phase = rng.uniform(*s.overlap), rng.uniform(*s.missing), rng.uniform(0, 2 * np.pi)
    added = (1 - missing) / overlap - 1
    places = _places(frames[0], surface, rng)
    out = []
    for k, frame in enumerate(frames):
        factor = 1 + s.sway * np.sin(phase + 2 * np.pi * k / s.period)
        mask = _torn(frame, places, camera, added * factor, missing, s)
        out.append(relabelled(frame.labels, mask))
    return out


def _places(frame: Frame, surface: Array, rng: np.random.Generator) -> Array:
    """(3, 3) points of the object: two at its outline where it leaks, one in sight where it lacks a bit."""
    seen = surface @ frame.pose[:3, :3].T + frame.pose[:3, 3]
    across = seen[:, :2] / seen[:, 2:]
    around = across - across.mean(0)
    angle = rng.uniform(0, 2 * np.pi) + np.array([0.0, rng.uniform(1.5, 4.5)])
    ways = np.stack([np.cos(angle), np.sin(angle)])
    leaks = surface[np.argmax(around @ ways, axis=0)]
    near = np.flatnonzero(seen[:, 2] < np.percentile(seen[:, 2], 40))
    return np.concatenate([leaks, surface[rng.choice(near)][None]])


def _torn(
    frame: Frame, places: Array, camera: Camera, added: float, missing: float, shares: LeakShares
) -> Bools:
    """The mask (H, W) of one frame; ``added`` and ``missing`` are shares of the object's area."""
    own = frame.labels == 1
    out = own.copy()
    area = int(own.sum())
    if area < 50:
        return out
    v, u = np.nonzero(own)
    n = shares.around
    part = (
        slice(max(int(v.min()) - n, 0), int(v.max()) + n + 1),
        slice(max(int(u.min()) - n, 0), int(u.max()) + n + 1),
    )
    local, free = own[part], frame.labels[part] == 0
    y, x = np.mgrid[part].astype(np.float32)
    pixels = np.stack([x[local], y[local]], -1)
    inside = _distances(pixels, frame.depth[part][local], frame.pose, places[2], camera)
    mask = local.copy()
    mask[local] = inside > np.partition(inside, int(missing * area))[int(missing * area)]
    unlike = _unlike(frame.image[part], local, shares.alike)
    for place, share in zip(places[:2], shares.places):
        spot = camera.project(frame.pose[:3, :3] @ place + frame.pose[:3, 3])
        far = np.hypot(x - np.float32(spot[0]), y - np.float32(spot[1])) * unlike
        open_ = free & ~mask
        count = min(int(share * added * area), int(open_.sum()) - 1)
        if count > 0:
            mask |= open_ & (far < np.partition(far[open_], count)[count])
    out[part] = cv2.medianBlur(mask.astype(np.uint8), shares.smooth) > 0
    return out


def _distances(
    pixels: NDArray[np.float32], depth: NDArray[np.float32], pose: Array, place: Array, camera: Camera
) -> Array:
    """Metres (N,) from what the pixels (N, 2) show at depths (N,) to a point (3,) of the object."""
    points = camera.unproject(pixels.astype(np.float64), depth.astype(np.float64))
    return np.linalg.norm(points - pose[:3, :3] @ place - pose[:3, 3], axis=1)


def _unlike(image: NDArray[np.uint8], own: Bools, alike: float) -> NDArray[np.float32]:
    """Factors (h, w) of distance: 1 for the object's mean colour, 2 for one ``alike`` grey levels away."""
    soft = cv2.GaussianBlur(image, (0, 0), 2.0).astype(np.float32)
    off = soft - soft[own].mean(0)
    return 1 + np.sqrt(np.einsum("hwc,hwc->hw", off, off)) / np.float32(alike)
