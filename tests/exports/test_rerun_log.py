"""The recording is read back by Rerun's own reader."""

from __future__ import annotations

import io
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from dexman_pose.data import Clip, MaskSequence, Trajectory
from dexman_pose.errors import InputError
from dexman_pose.exports import export
from dexman_pose.exports.scene import world_from_object, world_joints
from dexman_pose.geometry import matrix_from_quaternion

pytest.importorskip("rerun")

CAN, BALL = "soup can / 1", "ball"
FLOAT32 = 1e-6


@pytest.fixture(scope="module")
def clip(trajectory: Trajectory) -> Clip:
    camera = trajectory.camera
    grey = [
        np.full((camera.height, camera.width, 3), 100 + 5 * i, np.uint8) for i in range(trajectory.num_frames)
    ]
    return Clip.from_frames(grey, 25.0)


@pytest.fixture(scope="module")
def masks(trajectory: Trajectory) -> MaskSequence:
    camera = trajectory.camera
    found = MaskSequence((CAN, BALL), camera.height, camera.width, trajectory.num_frames)
    labels = np.zeros((camera.height, camera.width), np.uint8)
    labels[50:80, 60:90], labels[10:20, 5:9] = 2, 255
    for i in range(trajectory.num_frames):
        found.set(i, labels)
    return found


@pytest.fixture(scope="module")
def logged(
    trajectory: Trajectory, clip: Clip, masks: MaskSequence, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, dict[str, Any]]:
    """By entity and component, rows in the order of frames."""
    path = export(trajectory, "rerun", tmp_path_factory.mktemp("rerun") / "a.rrd", clip=clip, masks=masks)
    return read(path)


def read(path: Path) -> dict[str, dict[str, Any]]:
    from rerun.chunk import RrdReader

    rows: dict[str, dict[str, Any]] = defaultdict(lambda: defaultdict(list))
    for chunk in RrdReader(path).stream().collect().stream():
        batch = chunk.to_record_batch()
        columns = batch.schema.names
        frames = (
            batch.column(columns.index("frame")).to_pylist() if "frame" in columns else [-1] * batch.num_rows
        )
        times = (
            batch.column(columns.index("clip")).to_pylist() if "clip" in columns else [None] * batch.num_rows
        )
        for name in columns:
            if ":" in name:
                values = batch.column(columns.index(name)).to_pylist()
                rows[chunk.entity_path][name.split(":")[1]] += list(zip(frames, times, values))
    return {e: {c: sorted(v, key=lambda r: r[0]) for c, v in by.items()} for e, by in rows.items()}


def column(logged: dict[str, dict[str, Any]], entity: str, component: str) -> list[Any]:
    return [value for _, _, value in logged[entity][component]]


def test_transforms_are_whole_and_the_trajectorys(trajectory: Trajectory, logged: Any) -> None:
    for name, plain in ((CAN, "soup_can_1"), (BALL, "ball")):
        entity, obj = f"/world/{plain}", trajectory.objects[name]
        wanted = world_from_object(trajectory, name)
        places = np.array(column(logged, entity, "translation"))[:, 0]
        turns = np.array(column(logged, entity, "quaternion"))[:, 0]
        sizes = np.array(column(logged, entity, "scale"))[:, 0]
        np.testing.assert_allclose(places, wanted[:, :3, 3], atol=FLOAT32)
        found = matrix_from_quaternion(np.roll(turns, 1, axis=1))
        np.testing.assert_allclose(found, wanted[:, :3, :3], atol=FLOAT32)
        np.testing.assert_array_equal(sizes[:, 0] == 1.0, obj.valid)


def test_one_timeline_of_frames_and_one_of_seconds(trajectory: Trajectory, logged: Any) -> None:
    rows = logged["/world/ball"]["translation"]
    assert [frame for frame, _, _ in rows] == list(range(trajectory.num_frames))
    seconds = [time.total_seconds() for _, time, _ in rows]
    np.testing.assert_allclose(seconds, trajectory.frame_times, atol=1e-6)


def test_hands_contacts_table_confidence(trajectory: Trajectory, logged: Any) -> None:
    for side, hand in trajectory.hands.items():
        joints = np.array(column(logged, f"/world/{side}_hand/joints", "positions"))
        np.testing.assert_allclose(joints, world_joints(trajectory, side), atol=FLOAT32)
        curve = np.array(column(logged, f"/confidence/{side}_hand", "scalars"))[:, 0]
        np.testing.assert_allclose(curve, np.where(hand.valid, hand.confidence, 0))
    assert "/world/table" in logged and "/world/contacts/right_hand_ball" in logged


def test_pictures_and_masks(logged: Any, trajectory: Trajectory) -> None:
    for entity, value in (("film", 120), ("masks", 0)):
        blobs = column(logged, f"/world/camera/image/{entity}", "blob")
        assert len(blobs) == trajectory.num_frames
        picture = np.array(Image.open(io.BytesIO(bytes(np.array(blobs[4][0], np.uint8)))))
        assert picture.shape[:2] == (240, 320) and abs(int(picture[200, 200, 0]) - value) <= 2
    assert picture[60, 70, 3] > 0 and picture[15, 6, 3] > 0


def test_the_camera_is_in_the_viewers_pixels(trajectory: Trajectory, logged: Any) -> None:
    (K,) = column(logged, "/world/camera/image", "image_from_camera")
    wanted = trajectory.camera.K + np.array([[0, 0, 0.5], [0, 0, 0.5], [0, 0, 0]])
    np.testing.assert_allclose(np.array(K[0]).reshape(3, 3).T, wanted, rtol=1e-6)


def test_a_blueprint_is_in_the_file(trajectory: Trajectory, tmp_path: Path) -> None:
    from rerun.chunk import RrdReader

    reader = RrdReader(export(trajectory, "rerun", tmp_path / "b.rrd"))
    assert len(reader.blueprints()) == 1 and reader.recordings()[0].application_id == "dexman_pose"


def test_a_clip_of_another_size_is_refused(trajectory: Trajectory, tmp_path: Path) -> None:
    small = Clip.from_frames([np.zeros((10, 10, 3), np.uint8)] * trajectory.num_frames, 25.0)
    with pytest.raises(InputError, match="12 frames of 10x10, but the trajectory 12 of 320x240"):
        export(trajectory, "rerun", tmp_path / "c.rrd", clip=small)
    assert not list(tmp_path.iterdir())
