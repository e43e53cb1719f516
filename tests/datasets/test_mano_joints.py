"""Data sets with MANO parameters alone get joints where the user has the files."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from dexman_pose.data.mano import ManoParameters
from dexman_pose.datasets.mano_joints import ManoModels, joints_from_mano
from dexman_pose.datasets.oakink2.reader import read_oakink2
from dexman_pose.datasets.recording import Recording
from dexman_pose.datasets.taco.reader import read_taco
from dexman_pose.errors import InputError
from dexman_pose.geometry import transform_points
from dexman_pose.hands.mano import load_mano, parameter_joints
from dexman_pose.synthetic.tiny_datasets.mano import write_small_mano
from dexman_pose.synthetic.tiny_datasets.oakink2 import write_small_oakink2
from dexman_pose.synthetic.tiny_datasets.taco import write_taco


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    write_small_mano(folder)
    return folder


def _agree(recording: Recording, files: ManoModels) -> int:
    """Frames in which the hands are where the parameters put them, seen by the camera."""
    frames = 0
    for side, hand in recording.hands.items():
        world = parameter_joints(
            recording.mano[side], files.files[side], tips=files.tips, left_fixed=files.left_fixed
        )
        seen = transform_points(recording.camera_from_world, world)
        assert not (hand.valid & ~recording.mano[side].valid).any()
        np.testing.assert_allclose(hand.joints[hand.valid], seen[hand.valid], atol=1e-9)
        pixels = recording.camera.project(seen[hand.valid])
        np.testing.assert_allclose(hand.joints_2d[hand.valid], pixels, atol=1e-6)
        frames += int(hand.valid.sum())
    return frames


def test_oakink2(models: Path, tmp_path: Path) -> None:
    write_small_oakink2(tmp_path)
    without = next(read_oakink2(tmp_path))
    assert not without.hands and any("joints need MANO's own file" in note for note in without.missing)
    files = replace(ManoModels(ManoModels.of(models).files), left_fixed=False)  # type: ignore[union-attr]
    for recording in read_oakink2(tmp_path, mano=files):
        assert _agree(recording, files) > 0
        assert any("right hand: joints are made" in note for note in recording.missing)
        assert not any("joints need" in note for note in recording.missing)


def test_taco_without_joints(models: Path, tmp_path: Path) -> None:
    write_taco(tmp_path, sequences=1, frames=4, size=(32, 24), layout="prerelease")
    without = next(read_taco(tmp_path))
    assert not without.hands and without.mano
    files = ManoModels({side: load_mano(models, side) for side in ("left", "right")}, left_fixed=True)
    found = list(read_taco(tmp_path, mano=files))
    assert sum(_agree(recording, files) for recording in found) > 0


def test_joints_of_the_data_set_come_first(models: Path, tmp_path: Path) -> None:
    write_taco(tmp_path, sequences=1, frames=4, size=(32, 24))
    plain, given = next(read_taco(tmp_path)), next(read_taco(tmp_path, mano=models))
    for side in ("left", "right"):
        np.testing.assert_array_equal(plain.hands[side].joints, given.hands[side].joints)


def _parameters(side: str) -> ManoParameters:
    return ManoParameters(side, np.zeros((2, 48)), np.zeros((2, 3)), np.ones(10), np.ones(2, np.bool_))


def test_what_is_not_known_is_said(models: Path) -> None:
    files = ManoModels.of(models)
    assert files is not None
    notes: list[str] = []
    both = {side: _parameters(side) for side in ("left", "right")}
    found = joints_from_mano(both, files, notes)
    assert list(found) == ["right"] and "left hand: no joints" in notes[0] and "left_fixed" in notes[0]
    notes = []
    alone = ManoModels({"left": files.files["left"]}, left_fixed=True)
    assert list(joints_from_mano(both, alone, notes)) == ["left"] and "no MANO_RIGHT.pkl" in notes[1]
    with pytest.raises(InputError, match="neither"):
        ManoModels.of(models / "none")
