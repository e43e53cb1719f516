"""Synthetic clips with exact masks: textured shapes over a textured background, and things in front of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from dexman_pose.data import Clip

WIDTH, HEIGHT = 200, 150
SKIN = np.array([205, 150, 120], float)


@dataclass
class Truth:
    """A clip and, per object, the visible mask of every frame (T, H, W)."""

    clip: Clip
    masks: dict[str, NDArray[np.bool_]]
    bar: NDArray[np.bool_]

    def iou(self, found: NDArray[np.bool_], name: str, frame: int) -> float:
        true = self.masks[name][frame]
        return float((found & true).sum() / max((found | true).sum(), 1))

    def box(self, name: str, frame: int, loose: int = 4) -> NDArray[np.float64]:
        ys, xs = np.nonzero(self.masks[name][frame])
        return np.array([xs.min() - loose, ys.min() - loose, xs.max() + loose, ys.max() + loose], float)


def texture(seed: int, base: tuple[int, int, int], contrast: float, grain: float) -> NDArray[np.float64]:
    """(2H, 2W, 3) smooth random colours around ``base``."""
    noise = np.random.default_rng(seed).normal(size=(2 * HEIGHT, 2 * WIDTH, 3))
    noise = gaussian_filter(noise, (grain, grain, 0))
    return np.array(base, float) + contrast * noise / noise.std()


Path = Callable[[int], tuple[float, float, float]]
"""Centre x, centre y and turn (radians) of a shape in each frame."""


@dataclass
class Shape:
    name: str
    path: Path
    half: tuple[float, float] = (22.0, 15.0)
    base: tuple[int, int, int] = (200, 60, 50)
    seed: int = 5
    round_: bool = True


def _stamp(shape: Shape, frame: int) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
    cx, cy, turn = shape.path(frame)
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH]
    u = np.cos(turn) * (x - cx) + np.sin(turn) * (y - cy)
    v = -np.sin(turn) * (x - cx) + np.cos(turn) * (y - cy)
    a, b = np.abs(u / shape.half[0]), np.abs(v / shape.half[1])
    mask = a**2 + b**2 < 1 if shape.round_ else np.maximum(a, b) < 1
    color = texture(shape.seed, shape.base, 22, 3.0)
    rows = np.clip(v + HEIGHT, 0, 2 * HEIGHT - 1).round().astype(int)
    cols = np.clip(u + WIDTH, 0, 2 * WIDTH - 1).round().astype(int)
    return mask, color[rows, cols]


@pytest.fixture(scope="session")
def make_clip() -> Callable[..., Truth]:
    """``make_clip(shapes, num_frames, bar=None)``: later shapes lie in front; ``bar(t)`` is the x range of a
    skin-coloured bar in front of everything, or None."""

    def make(
        shapes: list[Shape], num_frames: int, bar: Callable[[int], tuple[float, float] | None] | None = None
    ) -> Truth:
        background = texture(1, (90, 110, 130), 14, 2.5)[:HEIGHT, :WIDTH]
        rng = np.random.default_rng(0)
        frames = []
        masks = {s.name: np.zeros((num_frames, HEIGHT, WIDTH), bool) for s in shapes}
        bars = np.zeros((num_frames, HEIGHT, WIDTH), bool)
        for t in range(num_frames):
            image = background.copy()
            for s in shapes:
                mask, color = _stamp(s, t)
                image[mask] = color[mask]
                for other in masks.values():
                    other[t] &= ~mask
                masks[s.name][t] = mask
            span = bar(t) if bar else None
            if span is not None:
                columns = np.arange(WIDTH)
                bars[t] = ((columns >= span[0]) & (columns < span[1]))[None, :]
                image[bars[t]] = SKIN + 6 * rng.normal(size=(int(bars[t].sum()), 3))
                for other in masks.values():
                    other[t] &= ~bars[t]
            image = gaussian_filter(image, (0.5, 0.5, 0)) + 2 * rng.normal(size=image.shape)
            frames.append(np.clip(image, 0, 255).astype(np.uint8))
        return Truth(Clip.from_frames(frames), masks, bars)

    return make


@pytest.fixture(scope="session")
def moving(make_clip: Callable[..., Truth]) -> Truth:
    """One object that moves and turns through 24 frames."""
    return make_clip([Shape("thing", lambda t: (55 + 3.5 * t, 75 + 12 * np.sin(t / 5), 0.05 * t))], 24)


@pytest.fixture(scope="session")
def shape_type() -> type[Shape]:
    return Shape
