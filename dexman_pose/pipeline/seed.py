"""Fixed random state for a stage, given back afterwards: same input, same output, nothing leaks out."""

from __future__ import annotations

import random
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec

import numpy as np

SEED = 0
"""State of every random generator at the start of a stage."""


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Seed Python, numpy, torch and OpenCV inside the block and restore the first three after it.

    OpenCV has no way to read its generator's state, so it is left seeded. Torch counts where it has been imported
    already: importing it takes seconds, no stage of this package draws from it, and a fresh import begins with a fixed
    seed of its own.
    """
    python_state, numpy_state = random.getstate(), np.random.get_state()
    random.seed(seed)
    np.random.seed(seed % 2**32)
    opencv_seeded(seed)
    try:
        with _torch_seeded(seed):
            yield
    finally:
        random.setstate(python_state)
        np.random.set_state(numpy_state)


@contextmanager
def _torch_seeded(seed: int) -> Iterator[None]:
    torch = sys.modules.get("torch")
    if torch is None:
        yield
        return
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        yield


def opencv_seeded(seed: int) -> None:
    """Seed OpenCV in this thread: it has a generator in each."""
    if find_spec("cv2") is not None:
        import cv2

        cv2.setRNGSeed(seed % 2**31)
