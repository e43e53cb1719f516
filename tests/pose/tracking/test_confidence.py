from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from dexman_pose.pose.observation.crop import gather
from dexman_pose.pose.refinement.refiner import PoseRefiner, Refined
from dexman_pose.pose.tracking.confidence import colors_confirm, confidence, is_lost, visible_share
from dexman_pose.pose.tracking.options import LossOptions
from dexman_pose.pose.tracking.state import Candidate
from dexman_pose.pose.tracking.tracked_object import TrackedObject
from dexman_pose.render import Rasterizer


def candidate(iou: float, area: int = 400, ncc: float = 0.0) -> Candidate:
    return Candidate(Refined(np.eye(4), 0.0, iou, np.eye(6), True, 1, area=area), ncc)


def test_a_hidden_part_costs_correlation_but_points_confirm() -> None:
    options = LossOptions()
    assert not colors_confirm(0.45, 0.0, 0.9, options)
    assert colors_confirm(0.45, 40.0, 0.9, options)
    assert not colors_confirm(0.2, 40.0, 0.3, options)


def test_outline_decides_on_a_plain_mesh(scene: Any) -> None:
    plain = replace(scene.mesh, texture=None, uv=None, vertex_colors=None)
    tracked = TrackedObject(PoseRefiner(Rasterizer(plain), plain.center), scene.camera, 1)
    assert is_lost(tracked, candidate(0.39), 0.0)
    assert not is_lost(tracked, candidate(0.41), 0.0)
    labels = np.zeros((scene.camera.height, scene.camera.width), np.uint8)
    labels[100:120, 100:120] = 1
    evidence = gather(labels, 1, scene.camera, (90, 90, 40, 40))
    assert visible_share(candidate(1.0), evidence) == pytest.approx(1.0)
    assert confidence(tracked, candidate(0.92), evidence, 0.0) == pytest.approx(1.0)
    assert confidence(tracked, candidate(0.92, area=1600), evidence, 0.0) == pytest.approx(np.sqrt(0.5))
    assert confidence(tracked, candidate(0.1), evidence, 0.0) == pytest.approx(0.02)
