"""The registry of hand detectors, and what happens where weights are missing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dexman_pose import backends as registry
from dexman_pose.data import Clip, HandObservations
from dexman_pose.errors import InputError, MissingModelError
from dexman_pose.hands import backends, detect_hands
from dexman_pose.hands.mediapipe.backend import finish, gather
from dexman_pose.hands.mediapipe.landmarks import Sighting
from dexman_pose.hands.mediapipe.network import load_bundle
from dexman_pose.hands.mediapipe.roi import Roi
from dexman_pose.hands.mediapipe.tracking import Tracklet

CLIP = Clip.from_frames([np.zeros((32, 48, 3), dtype=np.uint8)] * 3, 30.0)


def test_unknown_backend_lists_the_known() -> None:
    with pytest.raises(InputError, match=r"'kinect'.*mediapipe"):
        detect_hands(CLIP, backend="kinect")


def test_missing_weights_name_the_command(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DEXMAN_POSE_MODELS", str(tmp_path))
    with pytest.raises(MissingModelError, match="dexman-pose models fetch mediapipe-hands"):
        detect_hands(CLIP)


def test_a_file_that_is_no_bundle(tmp_path: Path) -> None:
    path = tmp_path / "x.task"
    path.write_bytes(b"nonsense")
    with pytest.raises(InputError, match=r"x\.task is not a hand_landmarker"):
        load_bundle(path)


def test_a_backend_of_another_package(monkeypatch: pytest.MonkeyPatch) -> None:
    nothing = np.zeros((3, 2), dtype=bool)
    answer = HandObservations(
        np.zeros((3, 2, 21, 2)), np.zeros((3, 2, 21, 3)), nothing, nothing, nothing.astype(float)
    )

    class Point:
        @staticmethod
        def load() -> Any:
            return lambda clip, model=None: answer

    monkeypatch.setattr(registry, "_installed", lambda group: {"theirs": Point()})
    assert detect_hands(CLIP, backend="theirs") is answer
    assert backends() == ["mediapipe", "outside", "theirs"]


def _sighting(x: float, presence: float = 1.0) -> Sighting:
    joints = np.full((21, 2), x) + np.arange(42).reshape(21, 2)
    return Sighting(joints, np.ones((21, 3)) * x, presence, 0.9, Roi(x, x, 50.0, 0.0))


def test_tracklets_become_arrays() -> None:
    a = Tracklet({i: _sighting(float(i)) for i in range(5)})
    b = Tracklet({i: _sighting(100.0 + i, 0.7) for i in range(3, 10)})
    dropped = Tracklet({i: _sighting(500.0) for i in range(10)})
    seen = gather([a, b, dropped], [1, 1, -1], 12)
    assert seen.detected[:, 1].tolist() == [True] * 10 + [False] * 2
    assert not seen.detected[:, 0].any()
    assert seen.joints_2d[4, 1, 0, 0] == 4.0  # where both are, the clearer one
    assert seen.joints_2d[5, 1, 0, 0] == 105.0
    assert seen.score[9, 1] == pytest.approx(0.7)


def test_short_gaps_are_bridged_and_marked() -> None:
    a = Tracklet({i: _sighting(float(i)) for i in [*range(5), *range(8, 12)]})
    done = finish(gather([a], [0], 30), np.arange(30) / 30.0)
    assert np.flatnonzero(done.bridged[:, 0]).tolist() == [5, 6, 7]
    assert done.joints_2d[6, 0, 0, 0] == pytest.approx(6.0)
    assert done.joints_local[6, 0, 0, 0] == pytest.approx(6.0)
    assert 0 < done.score[6, 0] < done.score[4, 0]
    assert done.joints_2d[20, 0, 0, 0] == pytest.approx(11.0)  # held, and not valid
    assert not done.valid[20, 0] and not done.valid[:, 1].any()


def test_a_clip_without_hands() -> None:
    done = finish(gather([], [], 4), np.arange(4) / 30.0)
    assert not done.valid.any() and done.joints_2d.shape == (4, 2, 21, 2)
