"""HO3D written with known truth, damaged in known ways, and read back."""

from __future__ import annotations

import pickle
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from dexman_pose.datasets.ho3d import decode_depth, list_sequences, read_ho3d
from dexman_pose.datasets.recording import Problem, Recording
from dexman_pose.errors import InputError
from dexman_pose.geometry import so3_exp
from dexman_pose.synthetic.tiny_datasets.ho3d import write_small_ho3d
from dexman_pose.synthetic.tiny_datasets.shared import SmallTruth

FLIP = np.diag([1.0, -1.0, -1.0])


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, SmallTruth]]:
    root = tmp_path_factory.mktemp("ho3d") / "tiny"
    return root, write_small_ho3d(root)


@pytest.fixture
def root(written: tuple[Path, dict[str, SmallTruth]], tmp_path: Path) -> Path:
    """A copy that a test may damage."""
    return Path(shutil.copytree(written[0], tmp_path / "tiny"))


def _read(root: Path, split: str = "train", **options: object) -> tuple[list[Recording], list[Problem]]:
    problems: list[Problem] = []
    return list(read_ho3d(root, split, on_problem=problems.append, **options)), problems  # type: ignore[arg-type]


def _change(path: Path, **entries: object) -> None:
    value = pickle.loads(path.read_bytes())
    path.write_bytes(pickle.dumps(value | entries))


def test_truth_comes_back_in_opencv_axes(written: tuple[Path, dict[str, SmallTruth]]) -> None:
    (recording,), problems = _read(written[0])
    truth = written[1]["ABF10"]
    assert not problems and not recording.missing
    mug = recording.objects["025_mug"]
    valid = truth.valid["025_mug"]
    assert mug.valid.tolist() == valid.tolist() == [True, False, True, True]
    np.testing.assert_allclose(mug.camera_from_object[valid], truth.poses["025_mug"][valid], atol=1e-6)
    assert (mug.camera_from_object[:, 2, 3] > 0.5).all()
    np.testing.assert_allclose(recording.camera.K, truth.camera.K)
    np.testing.assert_allclose(recording.camera_from_world, truth.camera_from_world, atol=1e-9)
    hand = recording.hands["right"]
    assert truth.joints is not None and hand.valid.tolist() == valid.tolist()
    np.testing.assert_allclose(hand.joints[valid], truth.joints[valid], atol=1e-6)
    np.testing.assert_allclose(hand.joints_2d[valid], truth.camera.project(truth.joints[valid]), atol=1e-6)


def test_mano_parameters_give_the_flipped_hand(written: tuple[Path, dict[str, SmallTruth]]) -> None:
    mano = _read(written[0])[0][0].mano["right"]
    truth = written[1]["ABF10"].mano
    template = np.random.default_rng(0).normal(size=(50, 3)) + truth["root_joint"]
    for t in np.flatnonzero(mano.valid):

        def posed(root: np.ndarray, shift: np.ndarray) -> np.ndarray:
            j = truth["root_joint"]
            return (template - j) @ so3_exp(root).T + j + shift

        in_opengl = posed(truth["pose"][t, :3], truth["translation"][t])
        np.testing.assert_allclose(posed(mano.pose[t, :3], mano.translation[t]), in_opengl @ FLIP, atol=1e-9)
        np.testing.assert_array_equal(mano.pose[t, 3:], truth["pose"][t, 3:])
    assert mano.flat_hand_mean and not mano.pca and mano.center_joint is None
    np.testing.assert_allclose(mano.shape[0], truth["shape"])


def test_depth_is_decoded_with_sixteen_bits() -> None:
    image = np.zeros((1, 3, 3), np.uint8)
    image[0, 1] = (255, 255, 7)
    image[0, 2] = (1, 2, 0)
    depth = decode_depth(image)
    np.testing.assert_allclose(depth[0], np.array([0, 65535, 513]) * 0.00012498664727900177, rtol=1e-6)
    with pytest.raises(InputError, match="8-bit red, green, blue"):
        decode_depth(image[..., 0])


def test_depth_agrees_with_the_pose(written: tuple[Path, dict[str, SmallTruth]]) -> None:
    recording = _read(written[0])[0][0]
    assert recording.depth is not None
    depth = recording.depth(0)
    u, v = np.round(
        recording.camera.project(recording.objects["025_mug"].camera_from_object[0, :3, 3])
    ).astype(int)
    assert 0.45 < depth[v, u] < 0.65 and depth.max() == pytest.approx(1.5, abs=1e-3)


def test_evaluation_has_only_the_wrist(written: tuple[Path, dict[str, SmallTruth]]) -> None:
    (recording,), problems = _read(written[0], "evaluation")
    assert not problems and not recording.hands and not recording.mano
    assert recording.missing == ("hand joints: only the wrist is given",)
    assert recording.objects["025_mug"].valid.all() and recording.split == "evaluation"
    np.testing.assert_array_equal(recording.camera_from_world[0], np.eye(4))  # not calibrated


def test_partial_roots_name_what_is_missing(root: Path) -> None:
    sequence = root / "train/ABF10"
    (sequence / "meta/0003.pkl").unlink()
    (sequence / "rgb/0002.jpg").unlink()
    shutil.rmtree(sequence / "depth")
    (recording,), problems = _read(root)
    assert not problems and recording.num_frames == 4 and recording.depth is None
    assert recording.objects["025_mug"].valid.tolist() == [True, False, True, False]
    for what in ("0003.pkl", "0002.jpg", "depth"):
        assert any(what in m for m in recording.missing)


def test_a_missing_mesh_leaves_the_hand(root: Path) -> None:
    shutil.rmtree(root / "models")
    (recording,), problems = _read(root)
    assert not recording.objects and "right" in recording.hands
    assert len(problems) == 1 and "025_mug is left out" in recording.missing[-1]


def test_version_two_has_png_pictures(root: Path) -> None:
    rgb = root / "train/ABF10/rgb"
    for path in rgb.glob("*.jpg"):
        with Image.open(path) as image:
            image.save(path.with_suffix(".png"))
        path.unlink()
    (recording,), _ = _read(root)
    assert all(p.suffix == ".png" and p.is_file() for p in recording.images)


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({"camMat": np.diag([50.0, 50.0, 1.0])}, "intrinsics change"),
        ({"objName": "003_cracker_box"}, "must have one object"),
        ({"objTrans": np.zeros(4)}, "objTrans must be"),
    ],
)
def test_bad_annotations_are_problems(root: Path, change: dict[str, object], what: str) -> None:
    _change(root / "train/ABF10/meta/0002.pkl", **change)
    recordings, problems = _read(root)
    assert not recordings and len(problems) == 1 and what in problems[0].what


def test_a_pickle_that_runs_code_is_refused(root: Path) -> None:
    marker = root / "ran"

    class Bomb:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return (open, (str(marker),))

    (root / "train/ABF10/meta/0000.pkl").write_bytes(pickle.dumps({"objRot": Bomb()}))
    recordings, problems = _read(root)
    assert not recordings and not marker.exists() and "0000.pkl" in problems[0].what


def test_wrong_roots_are_refused(root: Path) -> None:
    with pytest.raises(InputError, match="train or evaluation"):
        read_ho3d(root, "val")
    with pytest.raises(InputError, match="root of HO3D"):
        read_ho3d(root / "none")
    assert list_sequences(root) == ["ABF10", "AP10"] == [r.name for r in read_ho3d(root)]
    with pytest.raises(InputError, match="of that name"):
        read_ho3d(root, sequences=["XYZ1"])
