"""What the reader does when files are missing, damaged, hostile, or disagree: it says so and goes on."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from dexman_pose.data import Clip
from dexman_pose.datasets.recording import Problem, Recording
from dexman_pose.datasets.taco.cameras import EGOCENTRIC
from dexman_pose.datasets.taco.files import list_sequences, open_root
from dexman_pose.datasets.taco.reader import read_taco
from dexman_pose.errors import InputError
from dexman_pose.synthetic.tiny_datasets.taco import MASK_LABELS, write_taco
from dexman_pose.synthetic.tiny_datasets.taco_defects import MALICE, apply_defect
from dexman_pose.synthetic.tiny_datasets.taco_scene import SERIALS, TacoScene, taco_scenes

FRAMES = 7
SIZE = (48, 36)
ALL = [*SERIALS, EGOCENTRIC]


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("base")
    write_taco(root, sequences=2, frames=FRAMES, size=SIZE)
    return root


@pytest.fixture
def root(base: Path, tmp_path: Path) -> Path:
    shutil.copytree(base, tmp_path / "root")
    return tmp_path / "root"


@pytest.fixture(scope="module")
def scenes() -> list[TacoScene]:
    return taco_scenes(2, FRAMES, size=SIZE)


def _read(root: Path, *, rest: bool = False, **options: object) -> tuple[list[Recording], list[Problem]]:
    """Recordings and problems of the first sequence; with ``rest``, the second one is read too and must be whole."""
    problems: list[Problem] = []
    first, second = (s.name for s in list_sequences(root))
    names = [first, second] if rest else [first]
    found = list(read_taco(root, sequences=names, on_problem=problems, **options))  # type: ignore[arg-type]
    assert [r.view for r in found if r.name == second] == ALL * rest
    assert all(p.sequence == first and "\n" not in str(p) for p in problems)
    assert not (root / MALICE).exists()
    return [r for r in found if r.name == first], problems


def _views(found: list[Recording]) -> list[str]:
    return [r.view for r in found]


def _says(recording: Recording, *words: str) -> bool:
    return any(all(word in note for word in words) for note in recording.missing)


@pytest.mark.parametrize(
    ("defect", "lost", "word"),
    [
        ("truncated_npy", "tool", "tool_001.npy is cut off"),
        ("wrong_shape", "target", "target_135.npy must have the shape (any, 4, 4), but has (7, 3, 4)"),
        ("pickled_poses", "tool", "tool_001.npy is cut off or no array of numbers"),
        ("missing_mesh", "tool", "the mesh 001_cm.obj is missing"),
        ("escaping_material", "tool", "001_cm.obj names a file outside its folder"),
    ],
)
def test_one_object_is_lost(root: Path, scenes: list[TacoScene], defect: str, lost: str, word: str) -> None:
    apply_defect(root, scenes[0], defect)
    found, problems = _read(root)
    assert _views(found) == ALL and problems == []
    for recording in found:
        assert set(recording.objects) == {"tool", "target"} - {lost}
        assert _says(recording, f"no {lost}", word)


def test_sequence_without_objects_is_reported(root: Path, scenes: list[TacoScene]) -> None:
    apply_defect(root, scenes[0], "no_objects")
    found, problems = _read(root, rest=True)
    assert found == []
    assert [p.sequence for p in problems] == [scenes[0].name] and "tool" in problems[0].what


def test_nan_and_zero_poses_are_not_valid(root: Path, scenes: list[TacoScene]) -> None:
    apply_defect(root, scenes[0], "nan_poses")
    found, _ = _read(root)
    for recording in found:
        valid = np.ones(FRAMES, dtype=bool)
        valid[[0, 2]] = False
        np.testing.assert_array_equal(recording.objects["tool"].valid, valid)
        assert recording.objects["target"].valid.all()
        assert np.isfinite(recording.objects["tool"].camera_from_object).all()
        assert _says(recording, "tool_001.npy: 2 of 7 frames have no pose")


def test_common_part_of_different_lengths(root: Path, scenes: list[TacoScene]) -> None:
    apply_defect(root, scenes[0], "short_poses")
    found, problems = _read(root, lost_frames="common")
    assert _views(found) == ALL and problems == []
    for recording in found:
        assert recording.num_frames == FRAMES - 2 == len(recording.hands["left"])
        assert len(recording.mano["left"].pose) == FRAMES - 2
        assert _says(recording, "poses differ in number (tool 7, target 5)")
        np.testing.assert_allclose(
            recording.world_from_object("tool"), scenes[0].world_from_object["tool"][:-2], atol=1e-9
        )


def test_lost_frames_of_the_head(root: Path, scenes: list[TacoScene]) -> None:
    apply_defect(root, scenes[0], "lost_frames")
    found, problems = _read(root)
    assert _views(found) == list(SERIALS)
    assert len(problems) == 1 and "frames were lost" in problems[0].what
    found, problems = _read(root, lost_frames="common")
    assert _views(found) == ALL and problems == []
    assert found[-1].num_frames == FRAMES - 2
    assert _says(found[-1], "video 5", "the first 5 are used")


@pytest.mark.parametrize("defect", ["missing_calibration", "garbage_calibration"])
def test_no_calibration(root: Path, scenes: list[TacoScene], defect: str) -> None:
    apply_defect(root, scenes[0], defect)
    found, problems = _read(root, rest=True)
    assert _views(found) == [EGOCENTRIC]
    assert len(problems) == 1 and "calibration.json" in problems[0].what
    found, problems = _read(root, view=SERIALS[0])
    assert found == [] and len(problems) == 1


def test_names_in_files_lead_nowhere(root: Path, scenes: list[TacoScene]) -> None:
    apply_defect(root, scenes[0], "escaping_serial")
    found, problems = _read(root)
    assert _views(found) == [SERIALS[1], EGOCENTRIC] and problems == []
    for view in ("../x", "a/b", "/etc", ""):
        with pytest.raises(InputError, match="is not a camera"):
            read_taco(root, view=view)


@pytest.mark.parametrize("defect", ["missing_video", "garbage_video"])
def test_truth_without_pictures(root: Path, scenes: list[TacoScene], defect: str) -> None:
    apply_defect(root, scenes[0], defect)
    found, problems = _read(root)
    assert _views(found) == ALL and problems == []
    assert found[0].video is None and found[0].objects["tool"].valid.all()
    assert _says(found[0], f"{SERIALS[0]}.mp4") and found[1].missing == _kept(found[1])


def _kept(recording: Recording) -> tuple[str, ...]:
    """Only the note on masks, whose meaning was not given."""
    return tuple(note for note in recording.missing if "mask_labels" in note)


def test_resized_pictures_scale_the_intrinsics(root: Path, scenes: list[TacoScene]) -> None:
    apply_defect(root, scenes[0], "resized_videos")
    found, _ = _read(root, mask_labels=MASK_LABELS)
    recording = found[0]
    camera, true = recording.camera, scenes[0].cameras[SERIALS[0]]
    assert (camera.width, camera.height) == (SIZE[0] // 2, SIZE[1] // 2)
    assert recording.video is not None and Clip.open(recording.video).width == camera.width
    joints = recording.hands["left"].joints
    expected = (true.project(joints) + 0.5) / 2 - 0.5  # pixel (0, 0) is the centre of the first one
    np.testing.assert_allclose(camera.project(joints), expected, atol=1e-9)
    assert _says(recording, "24x18", "imgSize 48x36", "scaled")
    assert recording.masks is not None
    labels = recording.masks(5)
    assert labels is not None and labels.shape == (18, 24) and set(np.unique(labels)) <= {0, 1, 2, 255}


def test_pictures_of_another_aspect_are_refused(root: Path, scenes: list[TacoScene]) -> None:
    apply_defect(root, scenes[0], "cropped_videos")
    found, problems = _read(root)
    assert _views(found) == [SERIALS[1], EGOCENTRIC]
    assert len(problems) == 1 and "24x36" in problems[0].what


def test_unknown_path_of_the_head_is_not_valid(root: Path, scenes: list[TacoScene]) -> None:
    apply_defect(root, scenes[0], "nan_head_path")
    found, _ = _read(root)
    head = found[-1]
    for valid in (head.objects["tool"].valid, head.objects["target"].valid, head.hands["right"].valid):
        np.testing.assert_array_equal(valid, np.arange(FRAMES) != 1)
    assert np.isfinite(head.camera_from_world).all() and _says(head, "1 of 7 frames")
    assert found[0].objects["tool"].valid.all()


@pytest.mark.parametrize("kind", ["videos", "cameras", "head", "hands", "masks", "objects_only"])
def test_partial_roots(root: Path, scenes: list[TacoScene], kind: str) -> None:
    parts = {
        "videos": ["Allocentric_RGB_Videos", "Egocentric_RGB_Videos", "Egocentric_Depth_Videos"],
        "cameras": ["Allocentric_Camera_Parameters"],
        "head": ["Egocentric_Camera_Parameters"],
        "hands": ["Hand_Poses"],
        "masks": ["2D_Segmentation", "Marker_Removed_Allocentric_RGB_Videos"],
        "objects_only": ["Allocentric_Camera_Parameters", "Egocentric_Camera_Parameters"],
    }
    for folder in parts[kind]:
        shutil.rmtree(root / folder)
    problems: list[Problem] = []
    found = list(read_taco(root, sequences=[scenes[0].name], on_problem=problems, mask_labels=MASK_LABELS))
    views = {"cameras": [EGOCENTRIC], "head": list(SERIALS), "objects_only": []}.get(kind, ALL)
    assert _views(found) == views
    if kind == "videos":
        assert all(r.video is None and r.depth is None for r in found)
        size = (found[-1].camera.width, found[-1].camera.height)
        assert size == (1920, 1080) and _says(found[-1], "taken for 1920x1080")
    if kind == "hands":
        assert all(r.hands == {} and r.mano == {} and _says(r, "left_hand.pkl is missing") for r in found)
    if kind == "masks":
        assert all(r.masks is None for r in found)
    if kind in ("cameras", "objects_only"):
        assert problems and "calibration.json" in problems[0].what


def test_views_splits_and_sequences(root: Path, scenes: list[TacoScene]) -> None:
    first, second = (scene.name for scene in scenes)
    found = list(read_taco(root, view=EGOCENTRIC))
    assert [r.key for r in found] == [f"{first}/egocentric", f"{second}/egocentric"]
    assert [r.name for r in read_taco(root, split="test_1", view=SERIALS[1])] == [second]
    assert [r.name for r in read_taco(root, sequences=second)] == [second] * 3
    assert [r.name for r in read_taco(open_root(root), sequences=second)] == [second] * 3
    listed = list_sequences(root)
    assert [(s.name, s.triplet, s.split) for s in listed] == [(s.name, s.triplet, s.split) for s in scenes]
    with pytest.raises(InputError, match="no sequence '20240101_000'"):
        read_taco(root, sequences=["20240101_000"])
    with pytest.raises(InputError, match=r"split 'test_9'; its sequences are in test_1, train"):
        read_taco(root, split="test_9")
    (root / "v1_overall_data_train_test_split.txt").unlink()
    with pytest.raises(InputError, match="no list of splits"):
        read_taco(root, split="train")


def test_options_are_checked_at_once(root: Path) -> None:
    with pytest.raises(InputError, match="joint_order"):
        read_taco(root, joint_order="openpose")
    with pytest.raises(InputError, match="lost_frames"):
        read_taco(root, lost_frames="guess")
    with pytest.raises(InputError, match="mask_labels"):
        read_taco(root, mask_labels={1: "spoon"})
    with pytest.raises(InputError, match="no folder"):
        read_taco(root / "nowhere")


def test_other_pictures_and_other_meanings(root: Path, scenes: list[TacoScene]) -> None:
    recording = next(iter(read_taco(root, marker_removed=True, distortion=False)))
    assert recording.video is not None and "Marker_Removed" in str(recording.video)
    assert recording.camera.distortion is None
    assert recording.masks is None and _says(recording, "_masks.npy", "mask_labels")
    swapped = next(iter(read_taco(root, mask_labels={1: "target", 2: "tool"})))
    right = next(iter(read_taco(root, mask_labels={1: "tool", 2: "target"})))
    assert swapped.masks is not None and right.masks is not None
    a, b = swapped.masks(0), right.masks(0)
    assert a is not None and b is not None
    np.testing.assert_array_equal(a == 1, b == 2)
    assert (a == 255).any()  # numbers without a meaning may hide objects


def test_meshes_are_read_once_and_again_when_they_change(root: Path, scenes: list[TacoScene]) -> None:
    (first, *_), _ = _read(root)
    (again, *_), _ = _read(root)
    assert again.objects["tool"].mesh is first.objects["tool"].mesh
    path = root / "object_models_released" / f"{scenes[0].object_ids['tool']}_cm.obj"
    path.write_text(path.read_text() + "v 1 2 3\n")
    (changed, *_), _ = _read(root)
    np.testing.assert_allclose(changed.objects["tool"].mesh.vertices[-1], [0.01, 0.02, 0.03])


def test_problems_by_callback_and_log(
    root: Path, scenes: list[TacoScene], caplog: pytest.LogCaptureFixture
) -> None:
    apply_defect(root, scenes[0], "missing_calibration")
    seen: list[str] = []
    list(read_taco(root, on_problem=lambda problem: seen.append(problem.what)))
    assert len(seen) == 1
    list(read_taco(root))
    assert "calibration.json" in caplog.text


def test_single_precision_poses_are_mended(root: Path, scenes: list[TacoScene]) -> None:
    for path in (root / "Object_Poses" / scenes[0].triplet / scenes[0].name).iterdir():
        np.save(path, (np.load(path) * (1 + 1e-6)).astype(np.float32))
    found, _ = _read(root)
    pose = found[0].objects["tool"].camera_from_object
    r = pose[:, :3, :3]
    np.testing.assert_allclose(r @ np.swapaxes(r, 1, 2), np.tile(np.eye(3), (FRAMES, 1, 1)), atol=1e-9)


def test_calibration_keys_of_other_spellings(root: Path, scenes: list[TacoScene]) -> None:
    path = root / "Allocentric_Camera_Parameters" / scenes[0].triplet / scenes[0].name / "calibration.json"
    value = json.loads(path.read_text())
    entry = value[SERIALS[0]]
    entry["dist_coeffs"] = [entry.pop("distCoeff")]
    entry["K"] = np.reshape(entry["K"], (3, 3)).tolist()
    entry["T"] = np.reshape(entry["T"], (3, 1)).tolist()
    value[SERIALS[1]]["R"] = [[1, 0, 0], [0, 1, 0], [0, 0, 2]]
    path.write_text(json.dumps(value))
    found, problems = _read(root)
    assert _views(found) == [SERIALS[0], EGOCENTRIC] and "R is no rotation" in problems[0].what
    np.testing.assert_array_equal(found[0].camera.distortion, scenes[0].cameras[SERIALS[0]].distortion)
