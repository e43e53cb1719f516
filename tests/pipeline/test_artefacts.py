"""What stages keep on disk comes back as it was."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from dexman_pose.data import Camera, Contacts, HandObservations, MaskSequence, ObjectPrompt
from dexman_pose.data.files import read_arrays
from dexman_pose.errors import InputError
from dexman_pose.pipeline import artefacts


def test_hand_observations(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    seen = HandObservations(
        rng.normal(size=(5, 2, 21, 2)),
        rng.normal(size=(5, 2, 21, 3)),
        rng.random((5, 2)) > 0.5,
        rng.random((5, 2)) > 0.5,
        rng.random((5, 2)),
    )
    artefacts.save_observations(seen, tmp_path / "h.npz")
    back = artefacts.load_observations(tmp_path / "h.npz")
    for name in ("joints_2d", "joints_local", "detected", "bridged", "score"):
        np.testing.assert_array_equal(getattr(back, name), getattr(seen, name))


def test_prompts(tmp_path: Path) -> None:
    prompts = {
        "cup": ObjectPrompt(box=np.array([1.0, 2, 3, 4]), points=np.array([[1.0, 2, 0]]), frame=5),
        "lid": ObjectPrompt(mask=np.eye(3, dtype=bool)),
    }
    artefacts.save_prompts(prompts, tmp_path / "p.npz")
    back = artefacts.load_prompts(tmp_path / "p.npz")
    assert list(back) == ["cup", "lid"] and back["cup"].frame == 5 and back["lid"].frame == 0
    assert back["cup"].mask is None and back["lid"].box is None and back["lid"].points is None
    np.testing.assert_array_equal(back["cup"].box, [1, 2, 3, 4])
    np.testing.assert_array_equal(back["cup"].points, [[1, 2, 0]])
    np.testing.assert_array_equal(back["lid"].mask, np.eye(3, dtype=bool))


def test_masks(tmp_path: Path) -> None:
    masks = MaskSequence(("a", "b"), 4, 6, 3, np.full((3, 2), 0.5, np.float32))
    labels = np.arange(24, dtype=np.uint8).reshape(4, 6) % 3
    masks.set(1, labels)
    artefacts.save_masks(masks, tmp_path / "m.npz")
    back = artefacts.load_masks(tmp_path / "m.npz")
    assert back.names == ("a", "b") and back.num_frames == 3
    np.testing.assert_array_equal(back.labels(1), labels)
    assert not back.labels(0).any()
    np.testing.assert_array_equal(back.confidence, masks.confidence)


@pytest.mark.parametrize("distortion", [None, [0.1, -0.2, 0.0, 0.01]])
def test_camera(tmp_path: Path, distortion: list[float] | None) -> None:
    k = np.array([[500.0, 0, 319.5], [0, 510, 239.5], [0, 0, 1]])
    camera = Camera(k, 640, 480, None if distortion is None else np.array(distortion), source="estimated")
    artefacts.save_camera(camera, tmp_path / "c.npz")
    back = artefacts.load_camera(tmp_path / "c.npz")
    np.testing.assert_array_equal(back.K, k)
    assert (back.width, back.height, back.source) == (640, 480, "estimated")
    assert (back.distortion is None) == (distortion is None)
    if distortion is not None:
        np.testing.assert_array_equal(back.distortion, distortion)


@pytest.mark.parametrize("pairs", [(), (("left", "cup"), ("right", "cup"))])
def test_contacts(tmp_path: Path, pairs: tuple[tuple[str, str], ...]) -> None:
    rng = np.random.default_rng(2)
    p = len(pairs)
    contacts = Contacts(
        pairs,
        rng.normal(size=(p, 4, 21)),
        rng.random((p, 4, 21)) > 0.5,
        rng.normal(size=(p, 4, 21, 3)),
        np.ones((p, 4), bool),
        0.01,
        0.02,
    )
    artefacts.save_contacts(contacts, tmp_path / "k.npz")
    back = artefacts.load_contacts(tmp_path / "k.npz")
    assert back.pairs == pairs and (back.threshold_on, back.threshold_off) == (0.01, 0.02)
    for name in ("distance", "touching", "nearest", "valid"):
        np.testing.assert_array_equal(getattr(back, name), getattr(contacts, name))


def test_pickled_objects_are_never_read(tmp_path: Path) -> None:
    np.savez(tmp_path / "evil.npz", a=np.array([{"x": 1}], dtype=object))
    with pytest.raises(InputError, match="not a readable npz"):
        read_arrays(tmp_path / "evil.npz")


def test_a_cut_off_file_is_bad_input(tmp_path: Path) -> None:
    artefacts.save_masks(MaskSequence(("a",), 4, 6, 3), tmp_path / "m.npz")
    whole = (tmp_path / "m.npz").read_bytes()
    (tmp_path / "m.npz").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(InputError, match="not a readable npz"):
        artefacts.load_masks(tmp_path / "m.npz")
