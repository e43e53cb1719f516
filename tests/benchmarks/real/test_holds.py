"""Holds beside labels: touching is counted, resting hands that touch are faults, tips and palm are measured."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from dexman_pose.benchmarks.real.holds import score_holds
from dexman_pose.contact.detect import JOINT_RADIUS
from dexman_pose.data import Camera, Contacts, HandTrack, Mesh, PoseTrack, RigidObject, Trajectory

FRAMES = 12


@pytest.fixture
def trajectory() -> Trajectory:
    """A hand over a tetrahedron, touching it in frames 3 to 8, skin 2 mm off; its palm moves away by 1 mm a frame."""
    corners = np.array([[0.0, 0.0, 0.0], [0.1, 0.0, 0.0], [0.0, 0.1, 0.0], [0.0, 0.0, 0.1]])
    mesh = Mesh(corners, np.array([[0, 2, 1], [0, 1, 3], [0, 3, 2], [1, 2, 3]]))
    known = np.ones(FRAMES, np.bool_)
    poses = np.tile(np.eye(4), (FRAMES, 1, 1))
    poses[:, 2, 3] = 0.6
    cup = RigidObject("cup", mesh, PoseTrack(poses, known, known.astype(float)))
    joints = np.zeros((FRAMES, 21, 3))
    joints += np.append(mesh.center[:2], 0.0)
    joints[:, :, 2] = 0.6 + mesh.center[2] - 0.1 - 0.001 * np.arange(FRAMES)[:, None]
    hand = HandTrack(
        "right",
        joints,
        np.zeros((FRAMES, 21, 2)),
        known,
        ~known,
        known.astype(float),
        np.full(21, 0.03),
    )
    touching = np.zeros((1, FRAMES, 21), np.bool_)
    touching[0, 3:9, 4] = True
    distance = np.tile(JOINT_RADIUS + 0.002, (1, FRAMES, 1))
    contacts = Contacts(
        (("right", "cup"),), distance, touching, np.zeros((1, FRAMES, 21, 3)), known[None], 0.01, 0.02
    )
    return Trajectory(
        Camera.from_focal(200, 160, 120),
        np.arange(FRAMES) / 30.0,
        {"cup": cup},
        {"right": hand},
        contacts,
    )


def rows(**right: str | None) -> list[dict[str, object]]:
    return [{"frame": int(k[1:]), "right": v, "left": None} for k, v in right.items()]


def test_holds_and_rests_are_counted(trajectory: Trajectory) -> None:
    found = score_holds(
        trajectory, rows(f0="rest", f3="cup", f5="cup", f8="cup", f9="cup", f10="reach", f11=None)
    )
    assert (found.holds, found.flagged, found.rests, found.false) == (4, 3, 1, 0)
    assert score_holds(trajectory, rows(f4="rest")).false == 1
    assert found.tip_mm == pytest.approx(2.0)
    # Frames 3 to 9: six steps of 1 mm, 5 % cut off at either end.
    assert found.palm_range_mm == pytest.approx(6.0 * 0.9, abs=1e-6)


def test_what_is_not_there_is_not_flagged(trajectory: Trajectory) -> None:
    found = score_holds(trajectory, rows(f3="pan", f4="pan"))
    assert (found.holds, found.flagged) == (2, 0)
    assert found.tip_mm is None and found.palm_range_mm is None
    bare = replace(trajectory, contacts=None)
    assert score_holds(bare, rows(f4="cup")).flagged == 0
