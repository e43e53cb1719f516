"""Made-up chunks of depth: a table, two objects that move, and a distortion of its own for every chunk."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from dexman_pose.data import MaskSequence
from dexman_pose.data.depth import DepthSequence
from dexman_pose.depth.alignment.chunks import DepthChunk

HEIGHT, WIDTH = 72, 96
LENGTH, SHARED = 8, 2


@dataclass
class World:
    """Truth and what a network made of it.

    Attributes:
        depth: (T, H, W) true depth, metres.
        labels: (T, H, W) true labels of the objects ``ball`` and ``box``.
        masks: the same with the errors of a segmentation.
        chunks: distorted.
    """

    depth: NDArray[np.float64]
    labels: NDArray[np.uint8]
    masks: MaskSequence
    chunks: list[DepthChunk]

    def error(self, images: NDArray[np.floating], name: str, frames: slice = slice(None)) -> float:
        """Mean error of an object's depth in metres, edges left out."""
        label = self.masks.label_of(name)
        off = []
        for t in range(len(self.depth))[frames]:
            inside = cv2.erode((self.labels[t] == label).astype(np.uint8), np.ones((5, 5), np.uint8)).astype(
                bool
            )
            measured = inside & (images[t] > 0)
            off.append(np.median(np.abs(images[t] - self.depth[t])[measured]))
        return float(np.mean(off))


def scene(count: int) -> tuple[NDArray[np.float64], NDArray[np.uint8]]:
    v, u = np.mgrid[0:HEIGHT, 0:WIDTH].astype(float)
    depth = np.empty((count, HEIGHT, WIDTH))
    labels = np.zeros((count, HEIGHT, WIDTH), np.uint8)
    for t in range(count):
        depth[t] = 1.5 - 0.008 * v + 0.001 * u
        cx, cy = 30 + 18 * np.sin(0.06 * t), 30 + 8 * np.cos(0.09 * t)
        away = ((u - cx) ** 2 + (v - cy) ** 2) / 11.0**2
        ball = away < 1
        depth[t][ball] = 0.85 + 0.1 * np.sin(0.05 * t) - 0.05 * np.sqrt(1 - away[ball])
        labels[t][ball] = 1
        bx, by = 68 - 14 * np.sin(0.05 * t), 44 + 6 * np.sin(0.08 * t)
        box = (np.abs(u - bx) < 10) & (np.abs(v - by) < 7)
        depth[t][box] = 0.75 + 0.05 * np.cos(0.07 * t) + 0.004 * (u - bx)[box]
        labels[t][box] = 2
    return depth, labels


def wrong_masks(labels: NDArray[np.uint8], rng: np.random.Generator) -> MaskSequence:
    """Masks that are too large by a pixel and lie off by another, in a direction that changes."""
    count = len(labels)
    out = MaskSequence(("ball", "box"), HEIGHT, WIDTH, count, np.ones((count, 2), np.float32))
    for t in range(count):
        grown = np.zeros((HEIGHT, WIDTH), np.uint8)
        for label in (1, 2):
            mask = cv2.dilate((labels[t] == label).astype(np.uint8), np.ones((3, 3), np.uint8))
            grown[np.roll(mask, rng.integers(-1, 2, 2), (0, 1)) > 0] = label
        out.set(t, grown)
    return out


def world(
    seed: int,
    chunks: int = 20,
    bend: float = 0.15,
    outliers: float = 0.02,
    affine: bool = True,
    scale: bool = True,
    lens: float = 0.0,
) -> World:
    rng = np.random.default_rng(seed)
    count = chunks * (LENGTH - SHARED) + SHARED
    depth, labels = scene(count)
    made = []
    for k in range(chunks):
        first = k * (LENGTH - SHARED)
        true = depth[first : first + LENGTH]
        factor = rng.uniform(0.7, 1.4) if scale else 1.0
        shift = rng.uniform(-0.1, 0.1) if affine else 0.0
        curve = rng.uniform(-bend, bend)
        if k == 0:  # the first is what the others are brought to
            factor, shift, curve = 1.0, 0.0, 0.0
        seen = factor * true + shift + curve * (true - 1.1) ** 2
        v, u = np.mgrid[-1 : 1 : HEIGHT * 1j, -1 : 1 : WIDTH * 1j]
        if k > 0:  # waves over depth and a bowl over the picture, which no map of ours can follow
            seen = seen + lens * (np.sin(9 * true + rng.uniform(0, 6)) + rng.uniform(-1, 1) * (u**2 + v**2))
        seen = seen * (1 + 0.003 * rng.normal(size=seen.shape))
        wild = rng.random(seen.shape) < outliers
        seen[wild] *= rng.uniform(0.3, 3.0, int(wild.sum()))
        made.append(DepthChunk(first, DepthSequence.from_arrays(seen.astype(np.float32))))
    return World(depth, labels, wrong_masks(labels, rng), made)


@pytest.fixture(scope="session")
def make_world():  # type: ignore[no-untyped-def]
    return world
