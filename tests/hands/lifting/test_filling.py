"""Gaps and jitter."""

from __future__ import annotations

import numpy as np
import pytest

from dexman_pose.hands.lifting import filling


def _flags(text: str) -> np.ndarray:
    return np.array([c == "x" for c in text])


def test_runs() -> None:
    assert filling.runs(_flags(".xx.x")) == [(1, 3), (4, 5)]
    assert filling.runs(_flags("....")) == []
    assert filling.runs(_flags("xxx")) == [(0, 3)]


def test_only_short_inner_gaps_are_bridged() -> None:
    detected = _flags("..xx..xx......x..")
    gaps = filling.short_gaps(detected, np.arange(17) / 10.0, 0.35)
    assert np.flatnonzero(gaps).tolist() == [4, 5]  # 0.3 s; the other inner gap is 0.7 s, the ends are open


def test_gap_length_is_seconds_not_frames() -> None:
    detected = _flags("x..x")
    assert filling.short_gaps(detected, np.array([0.0, 0.01, 0.02, 0.03]), 0.05).sum() == 2
    assert filling.short_gaps(detected, np.array([0.0, 1.0, 2.0, 3.0]), 0.05).sum() == 0


def test_interpolation_follows_time() -> None:
    values = np.array([[0.0], [9.0], [10.0]])
    out = filling.interpolate(values, _flags("x.x"), _flags(".x."), np.array([0.0, 1.0, 4.0]))
    assert out[:, 0] == pytest.approx([0.0, 2.5, 10.0])


def test_hold_takes_the_nearest_known() -> None:
    values = np.arange(6.0)[:, None]
    assert filling.hold(values, _flags(".x..x."))[:, 0].tolist() == [1, 1, 1, 4, 4, 4]
    assert np.array_equal(filling.hold(values, _flags("......")), values)


def test_smoothing_keeps_acceleration_and_removes_jitter() -> None:
    t = np.arange(40.0)
    path = np.stack([0.05 * t**2, 3.0 * t], -1)[:, None]
    valid = np.ones(40, dtype=bool)
    assert np.allclose(filling.smooth(path, valid, 1.0), path)
    noisy = path + np.random.default_rng(0).normal(0, 0.5, path.shape)
    before = np.abs(noisy - path)[2:-2].mean()
    assert np.abs(filling.smooth(noisy, valid, 0.5) - path)[2:-2].mean() < 0.8 * before


def test_smoothing_leaves_a_jump_alone() -> None:
    path = np.zeros((20, 1, 2))
    path[10:] = 100.0
    assert np.abs(filling.smooth(path, np.ones(20, dtype=bool), 0.5) - path).max() < 0.5


def test_smoothing_does_not_mix_across_gaps() -> None:
    path = np.zeros((14, 1, 2))
    path[7:] = 1.0
    valid = _flags("xxxxxx..xxxxxx")
    assert np.allclose(filling.smooth(path, valid, 10.0), path, atol=1e-12)
