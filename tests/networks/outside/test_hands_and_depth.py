"""Hands and depth of a function of another environment, here the same interpreter."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from dexman_pose.data import Camera, Clip
from dexman_pose.data.accept import as_clip
from dexman_pose.depth import predict_depth
from dexman_pose.errors import EstimationError, InputError
from dexman_pose.hands import detect_hands
from dexman_pose.pipeline.given import detector_of

INSIDE = """
import numpy as np
def hands(frames, inputs, options):
    t = len(frames)
    score = np.zeros((t, 2)); score[:, 1] = 0.8; score[2, 1] = 0.0
    joints = np.zeros((t, 2, 21, 2)); joints[:, 1] = np.arange(21)[:, None] + 5.0 + np.arange(t)[:, None, None]
    joints[:, 0] = np.nan
    return {"joints_2d": joints, "joints_local": np.full((t, 2, 21, 3), 0.02), "score": score}
def few(frames, inputs, options):
    return {"joints_2d": np.zeros((1, 2, 21, 2))}
def depth(frames, inputs, options):
    assert inputs["K"][0, 0] == 50.0
    field = np.full(frames.shape[:3], 0.7); field[:, 0, 0] = np.nan
    return {"depth": field, "focal_length": np.full(len(frames), 50.0)}
def inverse(frames, inputs, options):
    assert "K" not in inputs
    return {"inverse": np.ones(frames.shape[:3])}
"""


def clip() -> Clip:
    return as_clip(np.zeros((5, 24, 32, 3), np.uint8))


def backend(folder: Path, function: str) -> str:
    (folder / "inside_two.py").write_text(INSIDE)
    file = folder / f"{function}.yaml"
    file.write_text(f"python: {sys.executable}\nfunction: inside_two:{function}\npaths: [.]\n")
    return f"outside:{file}"


def test_hands_keep_their_pixels_and_short_gaps_are_bridged(tmp_path: Path) -> None:
    found = detect_hands(clip(), backend=backend(tmp_path, "hands"))
    assert found.detected.tolist() == [[False, s] for s in (True, True, False, True, True)]
    assert found.bridged[2, 1] and not found.detected[:, 0].any()
    np.testing.assert_allclose(found.joints_2d[0, 1, :, 0], np.arange(21) + 5.0, atol=0.5)
    assert np.isfinite(found.joints_2d).all() and np.abs(found.joints_local[:, 1]).max() < 1e-6


def test_depth_in_metres_with_the_known_camera(tmp_path: Path) -> None:
    camera = Camera(np.array([[50.0, 0, 15.5], [0, 50.0, 11.5], [0, 0, 1]]), 32, 24)
    found = predict_depth(clip(), camera=camera, backend=backend(tmp_path, "depth"), out=tmp_path / "d.npy")
    assert found.kind == "metric" and found.focal_length is not None
    assert found.frames.frame(3)[0, 0] == 0 and found.frames.frame(3)[5, 5] == np.float32(0.7)
    assert np.load(tmp_path / "d.npy").shape == (5, 24, 32)
    assert predict_depth(clip(), backend=backend(tmp_path, "inverse")).kind == "relative"


def test_what_is_neither_is_said(tmp_path: Path) -> None:
    with pytest.raises(EstimationError, match=r"must return 'joints_2d' of shape \(5, 2, 21, 2\)"):
        detect_hands(clip(), backend=backend(tmp_path, "few"))
    with pytest.raises(EstimationError, match="must return 'depth' or 'inverse'"):
        predict_depth(clip(), backend=backend(tmp_path, "few"))
    for ask in (detect_hands, predict_depth):
        with pytest.raises(InputError, match=r"outside:FILE\.yaml"):
            ask(clip(), backend="outside")  # type: ignore[operator]


def test_a_detectors_name_with_a_file_is_no_file_of_hands(tmp_path: Path) -> None:
    named = backend(tmp_path, "hands")
    assert detector_of(named) == (named, None)
    assert detector_of(str(tmp_path / "hands.yaml"))[1] is not None
