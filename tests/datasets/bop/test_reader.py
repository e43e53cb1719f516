"""BOP datasets written with known truth, damaged in known ways, and read back."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from dexman_pose.datasets.bop.models import BopModels
from dexman_pose.datasets.bop.reader import image_ids, instance_of, read_bop, scene_id
from dexman_pose.datasets.bop.scene import read_bop_targets
from dexman_pose.datasets.recording import Problem, Recording
from dexman_pose.errors import InputError
from dexman_pose.geometry import se3, so3_exp
from dexman_pose.render import Rasterizer
from dexman_pose.synthetic.scenes.shapes import stress_shape
from dexman_pose.synthetic.tiny_datasets.bop import BopTruth, demo_bop


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[int, BopTruth]]:
    root = tmp_path_factory.mktemp("bop") / "tiny"
    return root, demo_bop(root)


@pytest.fixture
def root(written: tuple[Path, dict[int, BopTruth]], tmp_path: Path) -> Path:
    """A copy that a test may damage."""
    return Path(shutil.copytree(written[0], tmp_path / "tiny"))


def _read(root: Path, **options: object) -> tuple[list[Recording], list[Problem]]:
    problems: list[Problem] = []
    return list(read_bop(root, on_problem=problems.append, **options)), problems  # type: ignore[arg-type]


def _edit(path: Path, change: object) -> None:
    value = json.loads(path.read_text())
    assert callable(change)
    change(value)
    path.write_text(json.dumps(value))


def test_poses_and_cameras_are_the_truth_in_metres(written: tuple[Path, dict[int, BopTruth]]) -> None:
    root, truth = written
    recordings, problems = _read(root)
    assert not problems
    still = recordings[0]
    for (obj_id, poses, valid), name in zip(
        truth[1].objects, ("obj_000001", "obj_000005", "obj_000001_1"), strict=True
    ):
        assert instance_of(name)[0] == obj_id and still.object_ids[name] == str(obj_id)
        np.testing.assert_array_equal(still.objects[name].valid, valid)
        np.testing.assert_allclose(still.objects[name].camera_from_object[valid], poses[valid], atol=1e-9)
    np.testing.assert_array_equal(still.camera_from_world, np.tile(np.eye(4), (4, 1, 1)))
    np.testing.assert_allclose(still.camera.K, truth[1].cameras[0].K, atol=1e-9)
    assert (still.camera.width, still.camera.height) == (160, 120)
    assert (still.dataset, still.name, still.view, still.split) == ("bop", "000001", "rgb", "test")
    assert not still.missing


def test_changed_intrinsics_make_another_run(written: tuple[Path, dict[int, BopTruth]]) -> None:
    root, truth = written
    _, first, second = _read(root)[0]
    assert (first.name, second.name) == ("000002_000003", "000002_000015")
    assert image_ids(first).tolist() == [3, 7, 11] and image_ids(second).tolist() == [15]
    assert scene_id(second) == 2
    np.testing.assert_allclose(first.frame_times, np.array([3, 7, 11]) / 30.0)
    np.testing.assert_allclose(second.camera.K, truth[2].cameras[-1].K, atol=1e-9)
    world = truth[2].camera_from_world
    assert world is not None
    np.testing.assert_allclose(first.camera_from_world, world[:3], atol=1e-9)
    mug = first.world_from_object("obj_000007")
    np.testing.assert_allclose(mug, np.tile(mug[:1], (3, 1, 1)), atol=1e-9)  # only the camera moves


def test_meshes_keep_the_vertices_of_their_files(written: tuple[Path, dict[int, BopTruth]]) -> None:
    models = BopModels(written[0])
    assert models.ids == [1, 5, 7]
    mug = stress_shape("mug", textured=False).mesh
    np.testing.assert_allclose(models.mesh(7).vertices, mug.vertices, atol=1e-12)
    np.testing.assert_array_equal(models.mesh(7).faces, mug.faces)
    assert models.path(7).parent.name == "models_eval" and models.path(7, "display").parent.name == "models"
    apart = np.linalg.norm(mug.vertices[:, None] - mug.vertices, axis=-1).max()
    assert models.diameter(7) == pytest.approx(apart, abs=1e-9)


def test_symmetries_are_declared_ones(written: tuple[Path, dict[int, BopTruth]]) -> None:
    models = BopModels(written[0])
    assert [models.symmetry(i).name for i in models.ids] == ["D2", "Dinf", "C1"]
    still = _read(written[0])[0][0]
    assert {name: group.name for name, group in still.symmetries.items()} == {
        "obj_000001": "D2",
        "obj_000001_1": "D2",
        "obj_000005": "Dinf",
    }
    can = still.objects["obj_000005"]
    assert len(can.symmetry) == 2 * 315  # as BOP samples them, turned over or not
    assert len(still.objects["obj_000001"].symmetry) == 4
    radius = np.linalg.norm(can.mesh.vertices[:, :2], axis=1).max()
    step = np.linalg.norm(can.symmetry[1, :3, :3] @ [radius, 0, 0] - [radius, 0, 0])
    assert step < 0.01 * models.diameter(5)


def test_fitted_symmetries_are_taken_as_they_stand(root: Path) -> None:
    """Half turns of 178.5 degrees, as fitted to some scans, close to no group."""
    rotation = so3_exp(np.radians(178.5) * np.array([0.0, 0.02, 1.0]) / np.hypot(0.02, 1.0))
    fitted = np.round(se3(rotation, [-0.33, -0.94, 0.08]), 6)

    def declare(info: dict[str, dict[str, object]]) -> None:
        info["7"]["symmetries_discrete"] = [fitted.reshape(-1).tolist()]
        info["5"]["symmetries_discrete"] = [[1, 0, 0, 0, 0, -1, 0, 0, 0, 0, -1, 0, 0, 0, 0]]
        info["1"]["symmetries_discrete"] = [[2, 0, 0, 0, 0, 2, 0, 0, 0, 0, 2, 0, 0, 0, 0, 1]]

    _edit(root / "models_eval/models_info.json", declare)
    models = BopModels(root)
    (_, one) = models.symmetry_transforms(7)
    np.testing.assert_allclose(one[:3, :3], rotation, atol=1e-5)
    np.testing.assert_allclose(one[:3, 3], fitted[:3, 3] / 1000)
    with pytest.raises(InputError, match="object 5: each of symmetries_discrete must hold 16"):
        models.symmetry(5)
    with pytest.raises(InputError, match=r"object 1: .*must be a rotation"):
        models.symmetry(1)


def test_masks_and_depth_agree_with_the_poses(written: tuple[Path, dict[int, BopTruth]]) -> None:
    recording = _read(written[0])[0][0]
    assert recording.masks is not None and recording.depth is not None
    c = recording.camera
    labels, depth = recording.masks(2), recording.depth(2)
    assert labels is not None and set(np.unique(labels)) == {0, 1, 2, 3}
    for label, thing in enumerate(recording.objects.values(), start=1):
        alone = Rasterizer(thing.mesh).render(thing.camera_from_object[2], c.K, c.width, c.height)
        mine = labels == label
        assert mine.sum() > 200 and not (mine & ~alone.mask[0]).any()
        assert alone.depth is not None
        np.testing.assert_allclose(depth[mine], alone.depth[0][mine], atol=1e-4)
    assert 2 not in np.unique(recording.masks(1))  # the second box is not there


def test_targets_choose_images_and_the_most_visible_instances(root: Path) -> None:
    targets = [{"scene_id": 1, "im_id": i, "obj_id": 1, "inst_count": 1} for i in (0, 2)]
    (root / "few.json").write_text(json.dumps(targets))

    def hide_first(info: dict[str, list[dict[str, float]]]) -> None:
        info["2"][0]["visib_fract"] = 0.3

    _edit(root / "test/000001/scene_gt_info.json", hide_first)
    (recording,), problems = _read(root, targets="few.json")
    assert not problems and image_ids(recording).tolist() == [0, 2]
    assert list(recording.objects) == ["obj_000001"]
    whole = _read(root, scenes=[1])[0][0]
    chosen = recording.objects["obj_000001"].camera_from_object[1]
    np.testing.assert_array_equal(chosen, whole.objects["obj_000001_1"].camera_from_object[2])
    assert recording.masks is not None
    assert set(np.unique(recording.masks(1))) == {0, 1, 255}  # can and other box are something else


def test_targets_file_of_the_writer_lists_every_visible_instance(
    written: tuple[Path, dict[int, BopTruth]],
) -> None:
    targets = read_bop_targets(written[0] / "test_targets_bop19.json")
    boxes = {t.im_id: t.inst_count for t in targets if (t.scene_id, t.obj_id) == (1, 1)}
    assert boxes == {0: 2, 1: 1, 2: 2, 3: 2}


def test_a_bad_scene_is_a_problem_and_the_rest_goes_on(root: Path) -> None:
    (root / "test/000001/scene_gt.json").write_text("{")
    recordings, problems = _read(root)
    assert [r.name for r in recordings] == ["000002_000003", "000002_000015"]
    assert len(problems) == 1 and problems[0].sequence == "000001" and "scene_gt.json" in str(problems[0])


def test_a_missing_mesh_leaves_its_object_out(root: Path) -> None:
    for folder in ("models", "models_eval"):
        (root / folder / "obj_000005.ply").unlink()
    recordings, problems = _read(root, scenes=[1])
    assert list(recordings[0].objects) == ["obj_000001", "obj_000001_1"]
    assert any("obj_000005" in m for m in recordings[0].missing) and len(problems) == 1
    assert recordings[0].masks is not None
    assert set(np.unique(recordings[0].masks(0))) == {0, 1, 2, 255}


def test_what_is_missing_is_named(root: Path) -> None:
    scene = root / "test/000001"
    for name in ("depth", "mask_visib"):
        shutil.rmtree(scene / name)
    (scene / "rgb/000001.png").unlink()
    (scene / "scene_gt_info.json").unlink()
    (recording,), _ = _read(root, scenes=[1])
    assert recording.depth is None and recording.masks is None
    for name in ("depth", "mask_visib", "000001.png", "scene_gt_info.json"):
        assert any(name in m for m in recording.missing)


def test_hidden_truth_gives_a_recording_without_objects(root: Path) -> None:
    (root / "test/000001/scene_gt.json").unlink()
    (recording,), problems = _read(root, scenes=[1])
    assert not recording.objects and not problems and "scene_gt.json" in recording.missing[0]


def test_a_camera_that_is_no_pinhole_is_refused(root: Path) -> None:
    def fisheye(cameras: dict[str, dict[str, object]]) -> None:
        cameras["0"] = {"cam_model": {"projection_model_type": "fisheye624"}}

    _edit(root / "test/000001/scene_camera.json", fisheye)
    _, problems = _read(root, scenes=[1])
    assert "not a pinhole" in problems[0].what


def test_models_are_used_where_models_eval_is_missing(root: Path) -> None:
    shutil.rmtree(root / "models_eval")
    assert BopModels(root).path(1).parent.name == "models"


def test_wrong_roots_are_refused_at_once(root: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no folder"):
        read_bop(tmp_path / "nowhere")
    with pytest.raises(InputError, match=r"models_info\.json"):
        read_bop(tmp_path)
    with pytest.raises(InputError, match="no folder"):
        read_bop(root, "val")
    with pytest.raises(InputError, match="fps"):
        read_bop(root, fps=0.0)
