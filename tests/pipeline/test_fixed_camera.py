"""What is left of flags where the camera moved."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import dexman_pose as dp
from dexman_pose.data import Doubt
from dexman_pose.data.tracks import HandTrack, PoseTrack, RigidObject
from dexman_pose.imaging.camera_motion import CameraMotion
from dexman_pose.pipeline import fixed_camera


@pytest.fixture
def motion() -> CameraMotion:
    """Still, moved, unknown after it, still again, unknown after that."""
    return CameraMotion(np.array([0.0, 5.0, 0.0, 0.1, 0.0]), np.array([0, 1, 2, 0, 2], np.uint8))


def test_only_shapes_made_from_the_clip_lose_their_flag(tiny_scene: Any, motion: CameraMotion) -> None:
    track = PoseTrack(np.tile(np.eye(4), (5, 1, 1)), np.array([True, True, True, True, False]), np.ones(5))
    objects = {name: RigidObject(name, tiny_scene.mesh, track) for name in ("made", "given")}
    left = fixed_camera.withhold_objects(objects, {"made": None, "given": tiny_scene.mesh}, motion)
    assert left["made"].valid.tolist() == [True, False, False, True, False]
    assert left["given"].valid.tolist() == [True, True, True, True, False]
    assert objects["made"].valid.tolist() == [True, True, True, True, False]
    judged = replace(objects["made"], track=replace(track, doubt=np.array([512, 512, 0, 0, 1], np.uint16)))
    told = fixed_camera.withhold_objects({"made": judged}, {"made": None}, motion)["made"].track
    assert told.doubt is not None and told.confidence[~told.valid].max() == 0.0
    assert told.doubt.tolist() == [512, 512 | Doubt.CAMERA, Doubt.CAMERA, 0, 1]


def test_only_bridged_hands_lose_their_flag(motion: CameraMotion) -> None:
    bridged = np.array([True, True, False, True, False])
    hand = HandTrack(
        "left", np.zeros((5, 21, 3)), np.zeros((5, 21, 2)), np.ones(5, bool), bridged, np.ones(5), np.ones(21)
    )
    left = fixed_camera.withhold_hands({"left": hand}, motion)["left"]
    assert left.valid.tolist() == [True, False, True, True, True]
    assert left.bridged.tolist() == [True, False, False, True, False]


def test_what_is_said(tiny_scene: Any, motion: CameraMotion, tmp_path: Path) -> None:
    said = fixed_camera.camera_motion_notices(motion, {"cup": None, "can": tiny_scene.mesh})
    assert len(said) == 1 and "The camera moves from frame 1 (up to 5.0 px)" in said[0]
    assert "cup, whose shape" in said[0] and "can" not in said[0].split("world")[1].split()
    still = CameraMotion(np.zeros(3), np.zeros(3, np.uint8))
    assert fixed_camera.camera_motion_notices(still, {"cup": None}) == []
    assert json.loads(json.dumps(fixed_camera.camera_motion_provenance(motion)))["ranges"] == [[1, 1]]
    fixed_camera.save_camera_motion(motion, tmp_path / "m.npz")
    loaded = fixed_camera.load_camera_motion(tmp_path / "m.npz")
    assert loaded.state == motion.state and loaded.displacement.tolist() == motion.displacement.tolist()


def test_a_panned_clip_is_noted_and_flagged() -> None:
    import cv2

    rng = np.random.default_rng(0)
    wall = cv2.GaussianBlur(rng.normal(0, 1, (240, 400, 3)), (0, 0), 2)
    wall = (110 + 35 * wall / wall.std()).clip(0, 255).astype(np.uint8)
    frames = []
    for k in range(6):
        shift = 5 * max(0, k - 2)
        frame = wall[:, shift : shift + 320].copy()
        frame[90:150, 130 - shift : 190 - shift] = (250, 20, 20)
        frames.append(frame)
    result = dp.reconstruct(
        dp.Clip.from_frames(frames), {"box": dp.ObjectPrompt(box=(128, 88, 192, 152))}, hands=None
    )
    found = result.provenance["camera_motion"]
    assert found["moves"] and found["ranges"] == [[3, 5]]
    assert not result.objects["box"].valid[3:].any() and result.objects["box"].valid[:3].all()
    assert any("The camera moves from frame 3 to 5" in text for text in result.provenance["notices"])
