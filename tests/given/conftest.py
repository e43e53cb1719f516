"""Small clips of pictures and in memory, and their true masks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from dexman_pose.data import Clip

HEIGHT, WIDTH, COUNT = 24, 32, 4


@pytest.fixture
def pictures(tmp_path: Path) -> Callable[[Sequence[str]], Clip]:
    """Makes a clip of pictures by their names."""

    def make(names: Sequence[str]) -> Clip:
        folder = tmp_path / "rgb"
        folder.mkdir(exist_ok=True)
        for name in names:
            Image.fromarray(np.zeros((HEIGHT, WIDTH, 3), np.uint8)).save(folder / f"{name}.png")
        return Clip.from_images(folder)

    return make


@pytest.fixture
def clip() -> Clip:
    """Four frames in memory."""
    return Clip.from_frames([np.zeros((HEIGHT, WIDTH, 3), np.uint8)] * COUNT)


@pytest.fixture
def truth() -> dict[str, NDArray[np.bool_]]:
    """Masks (T, H, W) of a cup that moves and a spoon that is out of sight at the end."""
    cup, spoon = (np.zeros((COUNT, HEIGHT, WIDTH), np.bool_) for _ in range(2))
    for t in range(COUNT):
        cup[t, 4:12, 3 + t : 11 + t] = True
        spoon[t, 14:20, 16:24] = t < 3
    return {"cup": cup, "spoon": spoon}
