"""Hysteresis on hand-made sequences, and against a plain loop."""

from __future__ import annotations

import numpy as np
import pytest

from dexman_pose.contact import hysteresis
from dexman_pose.errors import InputError


def flags(text: str) -> list[bool]:
    return [c == "#" for c in text]


def test_between_the_thresholds_the_state_is_kept() -> None:
    #        far  mid  on  mid  mid  far  mid  on
    values = [3.0, 1.5, 0.5, 1.5, 1.9, 2.5, 1.5, 0.9]
    found = hysteresis(values, np.ones(8, bool), 1.0, 2.0)
    assert found.tolist() == flags("..###..#")


def test_values_on_the_thresholds_decide_nothing() -> None:
    found = hysteresis([0.5, 1.0, 2.0, 2.1, 2.0, 1.0], np.ones(6, bool), 1.0, 2.0)
    assert found.tolist() == flags("###...")


def test_invalid_frames_end_a_contact() -> None:
    values = [0.5, 0.5, 0.5, 1.5, 1.5, 0.5]
    valid = [True, True, False, True, True, True]
    assert hysteresis(values, valid, 1.0, 2.0).tolist() == flags("##...#")


def test_short_runs_are_removed_also_at_the_ends() -> None:
    values = [0, 9, 0, 0, 9, 0, 0, 0, 9, 0, 0]
    ok = np.ones(11, bool)
    assert hysteresis(values, ok, 1.0, 2.0, min_frames=2).tolist() == flags("..##.###.##")
    assert hysteresis(values, ok, 1.0, 2.0, min_frames=3).tolist() == flags(".....###...")
    assert hysteresis([0, 0], [True, True], 1.0, 2.0, min_frames=3).tolist() == flags("..")
    assert hysteresis([0, 0, 0], np.ones(3, bool), 1.0, 2.0, min_frames=3).tolist() == flags("###")


def test_batches_equal_a_plain_loop() -> None:
    rng = np.random.default_rng(0)
    values = rng.uniform(0, 3, (4, 5, 60))
    valid = rng.uniform(size=(4, 1, 60)) > 0.1
    found = hysteresis(values, valid, 1.0, 2.0)
    for p in range(4):
        for j in range(5):
            state = False
            for t in range(60):
                if not valid[p, 0, t] or values[p, j, t] > 2.0:
                    state = False
                elif values[p, j, t] < 1.0:
                    state = True
                assert found[p, j, t] == state


def test_bad_settings() -> None:
    with pytest.raises(InputError, match="threshold_on"):
        hysteresis([0.0], [True], 2.0, 1.0)
    with pytest.raises(InputError, match="min_frames"):
        hysteresis([0.0], [True], 1.0, 2.0, min_frames=0)


def test_empty() -> None:
    assert hysteresis(np.zeros((2, 0)), np.zeros((2, 0), bool), 1.0, 2.0).shape == (2, 0)
