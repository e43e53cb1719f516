"""What counts as trembling, as rest, and as a jump."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from dexman_pose.benchmarks.real.jitter import (
    JitterOptions,
    compare_runs,
    count_jumps,
    mask_travel,
    second_differences,
    table,
    trembling,
)
from dexman_pose.data import Camera, MaskSequence, Mesh, PoseTrack, RigidObject, Trajectory
from dexman_pose.pipeline.artefacts import save_masks

FRAMES, TURNED = 60, 30
Array = np.ndarray


def block(noise: float = 0.0) -> RigidObject:
    """It rests for 30 frames, then moves 5 mm a frame; every other frame is off by ``noise`` metres."""
    poses = np.tile(np.eye(4), (FRAMES, 1, 1))
    t = np.arange(FRAMES)
    poses[:, 0, 3] = 0.005 * np.maximum(t - TURNED, 0) + noise * (t % 2)
    poses[:, 2, 3] = 0.6
    mesh = Mesh(np.array([[0.0, 0, 0], [0.02, 0, 0], [0, 0.02, 0], [0, 0, 0.02]]), [[0, 2, 1], [0, 1, 3]])
    track = PoseTrack(poses, np.ones(FRAMES, bool), np.ones(FRAMES), mask_iou=np.full(FRAMES, 0.9))
    return RigidObject("block", mesh, track)


def masks_of_it() -> MaskSequence:
    masks = MaskSequence(("block",), 60, 200, FRAMES)
    for i in range(FRAMES):
        labels = np.zeros((60, 200), np.uint8)
        at = 10 + 4 * max(i - TURNED, 0)
        labels[20:40, at : at + 20] = 1
        masks.set(i, labels)
        masks.confidence[i] = 1.0
    return masks


def test_second_differences_are_those_of_centre_and_rotation() -> None:
    motion = second_differences(block(0.001))
    assert motion.shift[:20] == pytest.approx(0.002) and motion.turn.max() < 1e-9
    assert motion.known.all()


def test_rest_is_read_off_the_mask() -> None:
    travel = mask_travel(masks_of_it(), "block", 10)
    assert (travel[: TURNED - 9] == 0).all() and travel[TURNED + 10] == pytest.approx(80.0)


def test_trembling_at_rest_and_in_the_hand() -> None:
    travel = mask_travel(masks_of_it(), "block", 10)
    calm, nervous = (trembling(block(n), travel, JitterOptions()) for n in (0.0, 0.001))
    assert calm.rest_mm == pytest.approx(0.0, abs=1e-9) and nervous.rest_mm == pytest.approx(2.0)
    assert nervous.hand_mm is not None and nervous.hand_mm > 1.5


def test_jumps_count_only_between_valid_frames() -> None:
    found = block()
    found.track.camera_from_object[40, 1, 3] += 0.1
    assert count_jumps(found, JitterOptions()) == 2
    found.track.valid[40] = False
    assert count_jumps(found, JitterOptions()) == 0


def test_two_runs_are_compared(tmp_path: Path) -> None:
    for name, noise in (("new", 0.0), ("old", 0.001)):
        (tmp_path / name / "stages").mkdir(parents=True)
        save_masks(masks_of_it(), tmp_path / name / "stages" / "masks.npz")
        camera = Camera.from_focal(200.0, 200, 60)
        objects = {"block": block(noise)}
        Trajectory(camera, np.arange(FRAMES) / 30.0, objects).save(tmp_path / name / "trajectory.npz")
    rows = compare_runs(tmp_path / "new", tmp_path / "old")
    new, old = rows["block"]
    assert new.rest_mm is not None and old.rest_mm is not None and new.rest_mm < old.rest_mm
    assert "block" in table(rows) and "0.00 / 2.00" in table(rows)
