"""The comparison with PyTorch3D says nothing where that is not installed, and times both where it is."""

from __future__ import annotations

import importlib.util
import sys

import pytest

from dexman_pose.benchmarks.speed.pytorch3d import bench_pytorch3d, bench_pytorch3d_gradient
from dexman_pose.benchmarks.speed.rasterise import icosphere


def test_without_the_peer_there_is_no_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pytorch3d.renderer", None)
    assert bench_pytorch3d(icosphere(1, 0.1)) is None
    assert bench_pytorch3d_gradient(icosphere(1, 0.1)) is None


@pytest.mark.skipif(importlib.util.find_spec("pytorch3d") is None, reason="pytorch3d is not installed")
def test_with_the_peer_both_are_timed() -> None:
    found = bench_pytorch3d(icosphere(4, 0.1), repeats=2)
    assert found is not None and min(found) > 0
    slow = bench_pytorch3d_gradient(icosphere(2, 0.1), repeats=1)
    assert slow is not None and min(slow) > 0
