"""What is written is what is read: both layouts, all cameras, pictures, masks and depth."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from dexman_pose.data import Clip
from dexman_pose.data.pickles.load import load_pickle
from dexman_pose.datasets.recording import Problem, Recording
from dexman_pose.datasets.taco.cameras import EGOCENTRIC, video_header
from dexman_pose.datasets.taco.reader import read_taco
from dexman_pose.errors import InputError
from dexman_pose.geometry.se3 import transform_points
from dexman_pose.render import Rasterizer
from dexman_pose.render.scene import render_scene
from dexman_pose.synthetic.tiny_datasets.taco import LAYOUTS, MASK_LABELS, picture, write_taco
from dexman_pose.synthetic.tiny_datasets.taco_scene import DISTORTION, SERIALS, TacoScene, taco_scenes

FRAMES = 7
SIZE = (128, 96)


@pytest.fixture(scope="module", params=LAYOUTS)
def written(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, str, list[TacoScene], list[Recording]]:
    root = tmp_path_factory.mktemp("taco")
    names = write_taco(root, sequences=2, frames=FRAMES, layout=request.param, size=SIZE, seed=3)
    scenes = taco_scenes(2, FRAMES, size=SIZE, seed=3)
    assert names == [scene.name for scene in scenes]
    problems: list[Problem] = []
    recordings = list(read_taco(root, on_problem=problems, mask_labels=MASK_LABELS))
    assert problems == []
    return root, request.param, scenes, recordings


def _pairs(
    written: tuple[Path, str, list[TacoScene], list[Recording]],
) -> list[tuple[TacoScene, Recording]]:
    _, _, scenes, recordings = written
    by_name = {scene.name: scene for scene in scenes}
    return [(by_name[recording.name], recording) for recording in recordings]


def test_every_camera_of_every_sequence(written: tuple[Path, str, list[TacoScene], list[Recording]]) -> None:
    _, layout, scenes, recordings = written
    views = (*SERIALS, EGOCENTRIC)
    assert [r.key for r in recordings] == [f"{s.name}/{view}" for s in scenes for view in views]
    for scene, recording in _pairs(written):
        assert recording.dataset == "taco" and recording.group == scene.triplet
        assert recording.split == (scene.split if layout == "v1" else "")
        assert recording.object_ids == scene.object_ids
        assert recording.num_frames == FRAMES
        np.testing.assert_allclose(recording.frame_times, np.arange(FRAMES) / 30.0)
        assert recording.missing == () or layout == "prerelease"


def test_cameras_and_poses(written: tuple[Path, str, list[TacoScene], list[Recording]]) -> None:
    for scene, recording in _pairs(written):
        camera, true = recording.camera, scene.cameras[recording.view]
        np.testing.assert_allclose(camera.K, true.K, atol=1e-9)
        assert (camera.width, camera.height) == SIZE
        if recording.view == EGOCENTRIC:
            assert camera.distortion is None
        else:
            np.testing.assert_array_equal(camera.distortion, DISTORTION)
        from_world = scene.camera_from_world[recording.view]
        np.testing.assert_allclose(recording.camera_from_world, from_world, atol=1e-9)
        for role, poses in scene.world_from_object.items():
            found = recording.objects[role]
            np.testing.assert_allclose(found.camera_from_object, from_world @ poses, atol=1e-9)
            np.testing.assert_allclose(recording.world_from_object(role), poses, atol=1e-9)
            assert found.valid.all() and found.scale_source == "given"


def test_meshes_keep_the_vertices_of_the_file(
    written: tuple[Path, str, list[TacoScene], list[Recording]],
) -> None:
    textured = 0
    for scene, recording in _pairs(written):
        for role, mesh in scene.meshes.items():
            found = recording.objects[role].mesh
            np.testing.assert_allclose(found.vertices, mesh.vertices, atol=1e-6)  # centimetres in the file
            np.testing.assert_array_equal(found.faces, mesh.faces)
            textured += found.texture is not None
    assert textured > 0


def test_hands(written: tuple[Path, str, list[TacoScene], list[Recording]]) -> None:
    _, layout, _, _ = written
    for scene, recording in _pairs(written):
        assert set(recording.mano) == {"left", "right"}
        for s, side in enumerate(("left", "right")):
            mano = recording.mano[side]
            np.testing.assert_allclose(mano.pose, scene.hand_pose[:, s], atol=1e-6)
            np.testing.assert_allclose(mano.translation, scene.joints[:, s, 0], atol=1e-6)
            np.testing.assert_allclose(mano.shape, scene.hand_shape[s], atol=1e-6)
            assert (mano.frame, mano.flat_hand_mean, mano.center_joint, mano.left_fixed) == (
                "world", True, 0, None,
            )  # fmt: skip
            if layout == "prerelease":
                assert recording.hands == {} and "hand_joints.npy" in recording.missing[0]
                continue
            hand = recording.hands[side]
            joints = transform_points(scene.camera_from_world[recording.view], scene.joints[:, s])
            np.testing.assert_allclose(hand.joints, joints, atol=1e-6)
            np.testing.assert_allclose(hand.joints_2d, recording.camera.project(joints), atol=1e-6)
            assert hand.valid.all() and not hand.bridged.any() and hand.scale_source == "given"
            assert 0.08 < hand.bone_lengths[9] < 0.11  # wrist to the middle finger's first joint


def _rendered(recording: Recording, frame: int) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """Tool and target alone as the truth that was read puts them."""
    drawn = [Rasterizer(o.mesh) for o in recording.objects.values()]
    poses = np.stack([o.camera_from_object[frame] for o in recording.objects.values()])
    seen = render_scene(drawn, poses, recording.camera.K, *SIZE)
    return seen.object_id, seen.depth


def test_masks_belong_to_every_fifth_frame(
    written: tuple[Path, str, list[TacoScene], list[Recording]],
) -> None:
    _, layout, _, _ = written
    for _, recording in _pairs(written):
        if recording.view == EGOCENTRIC or layout == "prerelease":
            assert recording.masks is None
            continue
        assert recording.masks is not None
        for frame in range(FRAMES):
            labels = recording.masks(frame)
            assert (labels is None) == (frame % 5 != 0)
            if labels is not None:
                objects, _ = _rendered(recording, frame)
                free = labels != 255
                np.testing.assert_array_equal(labels[free], (objects + 1)[free])
                assert all((labels == value).any() for value in (0, 1, 2, 255))


def test_depth_of_the_head(written: tuple[Path, str, list[TacoScene], list[Recording]]) -> None:
    for scene, recording in _pairs(written):
        if recording.view != EGOCENTRIC:
            assert recording.depth is None
            continue
        assert recording.depth is not None
        true = [frame[EGOCENTRIC].depth for frame in scene.renderings()]
        for frame in (0, 4, 2, 2, FRAMES - 1):  # forwards and back
            np.testing.assert_allclose(recording.depth(frame), true[frame], atol=0.5001 / 4000)
        with pytest.raises(InputError, match=f"depth frame {FRAMES}"):
            recording.depth(FRAMES)
        copy = pickle.loads(pickle.dumps(recording.depth))
        np.testing.assert_array_equal(copy(3), recording.depth(3))


def test_pictures_show_the_truth(written: tuple[Path, str, list[TacoScene], list[Recording]]) -> None:
    scene = written[2][0]
    *_, last = scene.renderings()
    for recording in written[3][:3]:
        assert recording.video is not None
        clip = Clip.open(recording.video)
        assert clip.num_frames == FRAMES and (clip.width, clip.height) == SIZE
        wanted = picture(last[recording.view])
        error = np.abs(clip.frame(FRAMES - 1).astype(float) - wanted).mean()
        assert error < 6.0  # what compression costs at this size
        assert np.abs(clip.frame(0).astype(float) - wanted).mean() > error


def test_formats_have_their_traps(written: tuple[Path, str, list[TacoScene], list[Recording]]) -> None:
    root, layout, scenes, _ = written
    scene = scenes[1]
    keys = load_pickle(root / "Hand_Poses" / scene.triplet / scene.name / "left_hand.pkl")
    assert isinstance(keys, dict) and list(keys) == [str(n) for n in range(1, FRAMES + 1)]
    raw = (root / "Hand_Poses" / scene.triplet / scene.name / "left_hand.pkl").read_bytes()
    assert b"cuda:0" in raw
    video = root / "Egocentric_Depth_Videos" / scene.triplet / scene.name / "egocentric_depth.avi"
    assert video_header(video).frames == FRAMES
    av = pytest.importorskip("av")
    with av.open(str(video)) as container:
        stream = container.streams.video[0]
        assert (stream.codec_context.name, stream.pix_fmt) == ("ffv1", "gray16le")
        assert float(stream.average_rate) == 15.0
    models = root / ("object_models_released" if layout == "v1" else "Object_Models")
    path = models / f"{scene.object_ids['target']}_cm.obj"
    first = next(line for line in path.read_text().splitlines() if line.startswith("v "))
    in_cm = np.array([float(x) for x in first.split()[1:4]])
    np.testing.assert_allclose(in_cm, 100 * scene.meshes["target"].vertices[0], atol=1e-4)


def test_same_arguments_same_files(tmp_path: Path) -> None:
    for name in ("a", "b"):
        write_taco(tmp_path / name, sequences=1, frames=2, size=(32, 24))
    files = sorted(p.relative_to(tmp_path / "a") for p in (tmp_path / "a").rglob("*.npy"))
    assert len(files) == 6
    for file in files:
        assert (tmp_path / "a" / file).read_bytes() == (tmp_path / "b" / file).read_bytes()


def test_bad_arguments(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="layout"):
        write_taco(tmp_path, layout="v2")
    with pytest.raises(InputError, match="no defect 'rust'"):
        write_taco(tmp_path, defects=["rust"])
    with pytest.raises(InputError, match="no defect 'nan_poses:4'"):
        write_taco(tmp_path, defects=["nan_poses:4"])
    with pytest.raises(InputError, match="even"):
        write_taco(tmp_path, size=(33, 24))
