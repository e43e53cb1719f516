"""``dexman-pose depth``: what is written, and what is said before anything is computed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from dexman_pose import _optional
from dexman_pose import backends as registry
from dexman_pose.backends import DEPTH
from dexman_pose.cli.main import main


@pytest.fixture
def film(tmp_path: Path) -> Path:
    folder = tmp_path / "film"
    folder.mkdir()
    for i in range(3):
        Image.new("RGB", (32, 24), (100 + 10 * i, 50, 50)).save(folder / f"{i}.png")
    return folder


def test_missing_weights_are_told_first(
    film: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(_optional, "find_spec", lambda module: object())
    monkeypatch.setenv("DEXMAN_POSE_MODELS", str(tmp_path / "empty"))
    out = tmp_path / "depth.npy"
    assert main(["depth", str(film), "--backend", "depth_pro", "--out", str(out)]) == 2
    assert "dexman-pose models fetch depth-pro --accept-licence" in capsys.readouterr().err
    assert main(["depth", str(film), "--out", str(tmp_path / "depth.png")]) == 2
    assert "must be a .npy file" in capsys.readouterr().err
    assert not out.exists()


def brightness(clip, camera=None, *, out=None):  # type: ignore[no-untyped-def]
    """A depth backend of another package: what is brighter is nearer."""
    from dexman_pose.depth.predicted import predicted_frame_by_frame

    def one(rgb: np.ndarray) -> tuple[np.ndarray, float]:
        return (100.0 / rgb[..., 0]).astype(np.float32), 40.0

    return predicted_frame_by_frame(clip, one, "metric", "brightness", out)


def test_a_backend_of_another_package_writes_metres(
    film: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class Entry:
        name = "brightness"

        def load(self) -> object:
            return brightness

    monkeypatch.setattr(registry, "entry_points", lambda group: [Entry()] * (group == DEPTH.group))
    registry._installed.cache_clear()
    try:
        assert (
            main(["depth", str(film), "--backend", "brightness", "--out", str(tmp_path / "depth.npy")]) == 0
        )
    finally:
        registry._installed.cache_clear()
    out = capsys.readouterr().out
    assert "3 frames, metric" in out and "focal length 40.0 px" in out
    depth = np.load(tmp_path / "depth.npy")
    assert depth.shape == (3, 24, 32) and np.allclose(depth[:, 0, 0], [1.0, 100 / 110, 100 / 120])
