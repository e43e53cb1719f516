"""Outlines are traced while the block runs, and those that were not when they are asked for."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
import pytest

from dexman_pose.data import PoseTrack, RigidObject
from dexman_pose.pipeline.results import outlines_ahead
from dexman_pose.pipeline.results.outlines_ahead import OutlinesAhead
from dexman_pose.viewer.outline import SceneOutlines

COUNT = 4


@pytest.fixture
def objects(tiny_scene: Any) -> dict[str, RigidObject]:
    pose = np.eye(4)
    pose[2, 3] = 5.0 * tiny_scene.mesh.radius
    track = PoseTrack(np.repeat(pose[None], COUNT, 0), np.ones(COUNT, bool), np.ones(COUNT))
    return {"box": RigidObject("box", tiny_scene.mesh, track, scale_source="given")}


@pytest.mark.parametrize("most", [COUNT, 1])
def test_what_was_traced_is_handed_out(
    tiny_scene: Any, objects: dict[str, RigidObject], most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outlines_ahead, "cores", lambda: 2)
    monkeypatch.setattr(outlines_ahead, "MOST", most)
    ahead = OutlinesAhead(objects, tiny_scene.camera, COUNT)
    with ahead.begun():
        for thread in threading.enumerate():
            if thread.name == "outlines":
                thread.join(60)
    assert all(thread.name != "outlines" for thread in threading.enumerate())
    traced: list[int] = []
    trace = SceneOutlines._trace
    monkeypatch.setattr(SceneOutlines, "_trace", lambda self, i: traced.append(i) or trace(self, i))
    found = [ahead.outlines.trace(i)["box"] for i in range(COUNT)]
    assert traced == list(range(most, COUNT))
    assert all(len(curves) == 1 for curves in found)


def test_what_fails_is_not_raised_here(tiny_scene: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outlines_ahead, "cores", lambda: 2)
    monkeypatch.setattr(SceneOutlines, "_trace", lambda self, i: 1 / 0)
    with OutlinesAhead({}, tiny_scene.camera, COUNT).begun():
        pass
