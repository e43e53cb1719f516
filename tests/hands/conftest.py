"""Fixtures of the hand tests."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(
    0, str(Path(__file__).parent)
)  # tests are imported one by one: their helper module is found here

from hand_scenes import articulated


@pytest.fixture
def open_hand() -> np.ndarray:
    """(21, 2) pixels of an open right hand, fingers up, about 100 pixels high."""
    return articulated(0.0)[:, :2] * 550.0
