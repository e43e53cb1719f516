"""DexYCB written with known truth, damaged in known ways, and read back."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from dexman_pose.datasets.dexycb import YCB_NAMES, list_sequences, read_dexycb, split_of
from dexman_pose.datasets.recording import Problem, Recording
from dexman_pose.errors import InputError
from dexman_pose.synthetic.tiny_datasets.dexycb import write_small_dexycb
from dexman_pose.synthetic.tiny_datasets.shared import SmallTruth

SECOND = "932122062010"


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, SmallTruth]]:
    root = tmp_path_factory.mktemp("dexycb") / "tiny"
    return root, write_small_dexycb(root)


@pytest.fixture
def root(written: tuple[Path, dict[str, SmallTruth]], tmp_path: Path) -> Path:
    """A copy that a test may damage."""
    return Path(shutil.copytree(written[0], tmp_path / "tiny"))


def _read(root: Path, **options: object) -> tuple[list[Recording], list[Problem]]:
    problems: list[Problem] = []
    return list(read_dexycb(root, on_problem=problems.append, **options)), problems  # type: ignore[arg-type]


def test_truth_comes_back(written: tuple[Path, dict[str, SmallTruth]]) -> None:
    recordings, problems = _read(written[0])
    assert not problems and [r.view for r in recordings] == list(written[1])
    for recording, truth in zip(recordings, written[1].values(), strict=True):
        assert not recording.missing and recording.name == "20200709_141754" and recording.group == "025_mug"
        assert list(recording.objects) == list(truth.poses)
        for name, poses in truth.poses.items():
            valid = truth.valid[name]
            np.testing.assert_array_equal(recording.objects[name].valid, valid)
            np.testing.assert_allclose(
                recording.objects[name].camera_from_object[valid], poses[valid], atol=1e-6
            )
            vertices = recording.objects[name].mesh.vertices
            np.testing.assert_allclose(vertices, truth.meshes[name].vertices, atol=1e-7)
        np.testing.assert_allclose(recording.camera_from_world, truth.camera_from_world, atol=1e-9)
        np.testing.assert_allclose(recording.camera.K, truth.camera.K)
        np.testing.assert_allclose(recording.frame_times, np.arange(4) / 30)
    assert recordings[0].object_ids == {"002_master_chef_can": "1", "025_mug": "14"}


def test_both_views_agree_on_the_world(written: tuple[Path, dict[str, SmallTruth]]) -> None:
    one, two = _read(written[0])[0]
    can = "002_master_chef_can"
    np.testing.assert_allclose(one.world_from_object(can), two.world_from_object(can), atol=1e-6)
    assert np.abs(one.objects[can].camera_from_object - two.objects[can].camera_from_object).max() > 0.05


def test_the_hand_is_absent_where_its_joints_are_minus_one(
    written: tuple[Path, dict[str, SmallTruth]],
) -> None:
    recording, truth = _read(written[0], views=[SECOND])[0][0], written[1][SECOND]
    hand, mano = recording.hands["left"], recording.mano["left"]
    assert hand.valid.tolist() == mano.valid.tolist() == [False, True, True, False]
    assert truth.joints is not None
    np.testing.assert_allclose(hand.joints[1:3], truth.joints[1:3], atol=1e-6)
    np.testing.assert_allclose(hand.joints_2d[1:3], truth.camera.project(truth.joints[1:3]), atol=1e-4)
    assert (hand.joints[..., 2] > 0.3).all()  # no -1 has come through
    assert hand.bone_lengths[1] == pytest.approx(0.058, abs=1e-3) and hand.scale_source == "given"
    np.testing.assert_allclose(mano.pose[1:3], truth.mano["pose"][1:3], atol=1e-6)
    np.testing.assert_allclose(mano.translation[1:3], truth.mano["translation"][1:3], atol=1e-6)
    np.testing.assert_allclose(mano.shape, truth.mano["shape"])
    assert mano.pca and not mano.flat_hand_mean and mano.frame == "camera" and mano.left_fixed is False


def test_labels_and_depth(written: tuple[Path, dict[str, SmallTruth]]) -> None:
    recording = _read(written[0])[0][0]
    assert recording.masks is not None and recording.depth is not None
    labels = recording.masks(1)
    assert labels is not None and set(np.unique(labels)) == {0, 1, 2, 255}
    depth = recording.depth(1)
    can = recording.objects["002_master_chef_can"].camera_from_object[1, 2, 3]
    assert np.median(depth[labels == 1]) == pytest.approx(can, abs=0.05)
    assert 2 not in np.unique(recording.masks(0))


def test_a_missing_mesh_leaves_its_object_out_and_keeps_its_pixels(root: Path) -> None:
    shutil.rmtree(root / "models/002_master_chef_can")
    recordings, problems = _read(root, views=[SECOND])
    assert list(recordings[0].objects) == ["025_mug"] and len(problems) == 1
    assert any("002_master_chef_can is left out" in m for m in recordings[0].missing)
    assert recordings[0].masks is not None
    labels = recordings[0].masks(1)
    assert labels is not None and set(np.unique(labels)) == {0, 1, 255}
    assert (labels[6:] == 255).sum() > 50  # below the hand: the can's own pixels, now something else


def test_partial_roots_name_what_is_missing(root: Path) -> None:
    view = root / "20200709-subject-01/20200709_141754" / SECOND
    (view / "labels_000002.npz").unlink()
    (view / "color_000001.jpg").unlink()
    for path in view.glob("aligned_depth*"):
        path.unlink()
    shutil.rmtree(root / "calibration/extrinsics_20200702_151821")
    shutil.rmtree(root / "calibration/mano_20200709-subject-01_left")
    (recording,), problems = _read(root, views=[SECOND])
    assert not problems and recording.depth is None and not recording.mano
    assert recording.objects["025_mug"].valid.tolist() == [False, True, False, True]
    assert recording.masks is not None and recording.masks(2) is None
    for what in ("labels_000002", "color_000001", "aligned_depth", "extrinsics.yml", "mano.yml"):
        assert any(what in m for m in recording.missing), what


def test_bad_files_are_problems_and_the_rest_goes_on(root: Path) -> None:
    view = root / "20200709-subject-01/20200709_141754"
    (view / SECOND / "labels_000001.npz").write_bytes(b"PK\x03\x04 cut off")
    recordings, problems = _read(root)
    assert [r.view for r in recordings] == ["836212060125"]
    assert (
        len(problems) == 1 and "labels_000001.npz is damaged, cut off or not a label file" in problems[0].what
    )
    (view / "meta.yml").write_text("serials: [")
    recordings, problems = _read(root)
    assert not recordings and "not a YAML file" in problems[0].what
    (view / "meta.yml").write_text("num_frames: 3\nserials: []\nycb_ids: [22]\nycb_grasp_ind: 0\n")
    assert "meta.yml" in _read(root)[1][0].what


def test_wrong_roots_are_refused(root: Path, tmp_path: Path) -> None:
    for bad in (tmp_path / "nowhere", tmp_path / "tiny/models"):
        with pytest.raises(InputError):
            read_dexycb(bad)
    with pytest.raises(InputError, match="of that name"):
        read_dexycb(root, sequences=["20200101_000000"])
    with pytest.raises(InputError, match="s0, s1, s2 or s3"):
        read_dexycb(root, setup="s4")
    assert list_sequences(root) == ["20200709_141754"] and list_sequences(tmp_path / "nowhere") == []
    assert len(_read(root, sequences=["20200709-subject-01/20200709_141754"])[0]) == 2


def test_splits() -> None:
    assert [split_of("s0", s, 0, i) for s, i in ((0, 0), (0, 4), (2, 99))] == ["train", "val", "test"]
    assert [split_of("s1", s, 0, None) for s in (9, 6, 7, 8)] == ["train", "val", "test", "test"]
    assert [split_of("s2", 0, c, None) for c in (5, 6, 7)] == ["train", "val", "test"]
    assert [split_of("s3", 0, 0, i) for i in (0, 15, 99, 35, 79)] == ["train", "val", "val", "test", "test"]
    counts = [split_of("s0", s, 0, i) for s in range(10) for i in range(100)]
    assert {name: counts.count(name) for name in set(counts)} == {"train": 800, "val": 40, "test": 160}
    assert split_of("s0", 0, 0, None) == "" and len(YCB_NAMES) == 21


def test_split_needs_the_place_in_a_whole_subject(root: Path) -> None:
    recordings = _read(root, setup="s2")[0]
    assert [r.split for r in recordings] == ["train", "test"]
    assert {r.split for r in _read(root)[0]} == {""}
    for i in range(99):
        (root / "20200709-subject-01" / f"20200709_{200000 + i}").mkdir()
    assert {r.split for r in _read(root)[0]} == {"train"}
