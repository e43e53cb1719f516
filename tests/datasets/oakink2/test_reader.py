"""OakInk2 written with known truth, damaged in known ways, and read back."""

from __future__ import annotations

import pickle
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dexman_pose.datasets.oakink2.reader import list_sequences, read_oakink2
from dexman_pose.datasets.recording import Problem, Recording
from dexman_pose.errors import InputError
from dexman_pose.geometry import so3_exp
from dexman_pose.synthetic.tiny_datasets.oakink2 import OAKINK2_NAME, write_small_oakink2
from dexman_pose.synthetic.tiny_datasets.shared import SmallTruth

CAN, MUG = "O02@0010@00001", "O02@0010@00002"


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, SmallTruth]]:
    root = tmp_path_factory.mktemp("oakink2") / "tiny"
    return root, write_small_oakink2(root)


@pytest.fixture
def root(written: tuple[Path, dict[str, SmallTruth]], tmp_path: Path) -> Path:
    """A copy that a test may damage."""
    return Path(shutil.copytree(written[0], tmp_path / "tiny"))


def _read(root: Path, **options: object) -> tuple[list[Recording], list[Problem]]:
    problems: list[Problem] = []
    return list(read_oakink2(root, on_problem=problems.append, **options)), problems  # type: ignore[arg-type]


def _change(root: Path, change: Any) -> None:
    path = root / "anno_preview" / f"{OAKINK2_NAME}.pkl"
    value = pickle.loads(path.read_bytes())
    change(value)
    path.write_bytes(pickle.dumps(value))


def test_truth_comes_back(written: tuple[Path, dict[str, SmallTruth]]) -> None:
    recordings, problems = _read(written[0])
    assert not problems and [r.view for r in recordings] == ["allocentric_top", "egocentric"]
    for recording, truth in zip(recordings, written[1].values(), strict=True):
        for name, poses in truth.poses.items():
            valid = truth.valid[name]
            thing = recording.objects[name]
            np.testing.assert_array_equal(thing.valid, valid)
            np.testing.assert_allclose(thing.camera_from_object[valid], poses[valid], atol=1e-6)
            np.testing.assert_allclose(thing.mesh.vertices, truth.meshes[name].vertices, atol=1e-7)
        np.testing.assert_allclose(recording.camera_from_world, truth.camera_from_world, atol=1e-9)
        np.testing.assert_allclose(recording.frame_times, np.array([0, 4, 8, 12]) / 120)
        np.testing.assert_allclose(recording.camera.K, truth.camera.K)
        assert (recording.camera.width, recording.camera.height) == (96, 72)
        assert all(path.is_file() for path in recording.images) and recording.group == "scene_01__A001"
        assert not recording.hands and "MANO" in recording.missing[0] and len(recording.missing) == 1
    assert [p.name for p in recordings[1].images] == ["000008.jpg", "000012.jpg", "000016.jpg", "000020.jpg"]
    np.testing.assert_allclose(
        recordings[0].world_from_object(CAN), recordings[1].world_from_object(CAN), atol=1e-9
    )


def test_quaternions_become_axis_angle(written: tuple[Path, dict[str, SmallTruth]]) -> None:
    mano = _read(written[0], views=["egocentric"])[0][0].mano
    truth = written[1]["egocentric"].mano
    assert mano["left"].valid.tolist() == [True, True, False, True] and mano["right"].valid.all()
    for i, side in enumerate(("left", "right")):
        good = mano[side].valid
        read, true = (so3_exp(p[good].reshape(-1, 16, 3)) for p in (mano[side].pose, truth["pose"][i]))
        np.testing.assert_allclose(read, true, atol=1e-6)
        np.testing.assert_allclose(mano[side].translation[good], truth["translation"][i][good], atol=1e-6)
        np.testing.assert_allclose(
            mano[side].shape[good], np.tile(truth["shape"], (good.sum(), 1)), atol=1e-6
        )
        assert mano[side].frame == "world" and mano[side].center_joint == 0 and not mano[side].pca


def test_partial_roots_name_what_is_missing(root: Path) -> None:
    shutil.rmtree(root / "data")
    shutil.rmtree(root / "object_raw/align_ds" / MUG)
    recordings, problems = _read(root)
    assert len(recordings) == 2 and list(recordings[0].objects) == [CAN]
    assert len(problems) == 1 and f"{MUG} is left out" in problems[0].what  # told once, not per view
    assert any("4 of 4 pictures" in m for m in recordings[0].missing)
    assert (recordings[0].camera.width, recordings[0].camera.height) == (848, 480)


def test_repaired_models_stand_in_for_raw_ones(root: Path) -> None:
    (root / "object_raw").rename(root / "object_repair")
    recordings, problems = _read(root)
    assert not problems and list(recordings[0].objects) == [CAN, MUG]


def test_a_frame_without_camera_pose_is_not_valid(root: Path) -> None:
    _change(root, lambda anno: anno["cam_extr"]["egocentric"].pop(16))
    one, two = _read(root)[0]
    assert one.objects[CAN].valid.all() and two.objects[CAN].valid.tolist() == [True, True, False, True]
    assert any("1 frames have no camera pose" in m for m in two.missing)


@pytest.mark.parametrize(
    ("change", "what"),
    [
        (lambda a: a.pop("frame_id_list"), "frame_id_list must be a list"),
        (lambda a: a.update(frame_id_list=[12, 8]), "increasing"),
        (lambda a: a.update(mocap_frame_id_list=[100, 101]), "do not count alike"),
        (lambda a: a.update(obj_transf=None), "obj_transf must be a dict"),
    ],
)
def test_bad_sequences_are_problems(root: Path, change: Any, what: str) -> None:
    _change(root, change)
    recordings, problems = _read(root)
    assert not recordings and len(problems) == 1 and what in problems[0].what


def test_a_bad_view_is_a_problem_and_the_other_goes_on(root: Path) -> None:
    _change(root, lambda a: a["cam_intr"]["allocentric_top"].update({12: np.diag([90.0, 90.0, 1.0])}))
    recordings, problems = _read(root)
    assert [r.view for r in recordings] == ["egocentric"]
    assert "intrinsics of allocentric_top change" in problems[0].what


def test_wrong_roots_are_refused(root: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="anno_preview"):
        read_oakink2(tmp_path / "nowhere")
    with pytest.raises(InputError, match="of that name"):
        read_oakink2(root, sequences=["scene_09"])
    assert list_sequences(root) == [OAKINK2_NAME]
    assert len(_read(root, sequences=[OAKINK2_NAME.replace("++", "/")])[0]) == 2
