"""Scores of contacts, holds, gaps and drift."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from dexman_pose.benchmarks.scene.scores.contacts import score_contacts
from dexman_pose.contact.detect import JOINT_RADIUS
from dexman_pose.data import Contacts, Mesh, Trajectory
from dexman_pose.synthetic.grasps.record import FilmRecord

FRAMES = 10
TIPS = [4, 8, 12, 16, 20]


def _told(trajectory: Trajectory, record: FilmRecord, *, late: int = 0, gap: float = 0.0) -> Trajectory:
    """The trajectory with the truth's contacts, ``late`` frames late, all skin ``gap`` metres off."""
    assert trajectory.contacts is not None
    touching = np.zeros((1, FRAMES, 21), np.bool_)
    touching[0][:, TIPS] = record.truth.touching[0, 0, :, :5]
    touching = np.roll(touching, late, axis=1)
    touching[:, :late] = False
    distance = np.tile(JOINT_RADIUS + gap, (1, FRAMES, 1))
    contacts = Contacts(
        (("right", "box"),),
        distance,
        touching,
        np.zeros((1, FRAMES, 21, 3)),
        np.ones((1, FRAMES), bool),
        0.01,
        0.02,
    )
    return replace(trajectory, contacts=contacts)


def test_true_contacts_score_one(record: FilmRecord, meshes: dict[str, Mesh], perfect: Trajectory) -> None:
    scores = score_contacts(record, meshes, _told(perfect, record))
    assert scores["contact_f"] == scores["contact_f_thumb"] == scores["contact_f_index"] == 1.0
    assert scores["contact_f_middle"] is None  # it never touches, in truth or claimed
    assert scores["hold_f"] == pytest.approx(
        12 / 13
    )  # held from 4, touched from 3: one frame claimed too many
    assert scores["gap_mm"] == scores["gap_bias_mm"] == pytest.approx(0.0, abs=1e-9)
    assert scores["drift_mm"] == pytest.approx(0.0, abs=1e-6)


def test_late_contacts_and_gaps(record: FilmRecord, meshes: dict[str, Mesh], perfect: Trajectory) -> None:
    scores = score_contacts(record, meshes, _told(perfect, record, late=2, gap=-0.007))
    assert scores["contact_f"] == pytest.approx(2 * 5 / (2 * 5 + 2))
    assert scores["gap_mm"] == pytest.approx(7.0) and scores["gap_bias_mm"] == pytest.approx(-7.0)


def test_a_hand_that_wanders_on_what_it_holds(
    record: FilmRecord, meshes: dict[str, Mesh], told: Callable[..., Trajectory]
) -> None:
    wander = np.zeros((FRAMES, 1, 3))
    wander[:, 0, 0] = 0.01 * (-1.0) ** np.arange(FRAMES)
    scores = score_contacts(record, meshes, told(record, meshes, hand_moved=wander))
    assert scores["drift_mm"] == pytest.approx(10.0, abs=0.01)


def test_nothing_claimed_is_nothing_found(
    record: FilmRecord, meshes: dict[str, Mesh], perfect: Trajectory
) -> None:
    without = score_contacts(record, meshes, replace(perfect, contacts=None))
    assert without["contact_f"] is None and without["hold_f"] is None and without["gap_mm"] is None
    assert perfect.contacts is not None
    empty = Contacts((), np.zeros((0, FRAMES, 21)), np.zeros((0, FRAMES, 21), bool), np.zeros((0, FRAMES, 21, 3)),
                     np.zeros((0, FRAMES), bool), 0.01, 0.02)  # fmt: skip
    scores = score_contacts(record, meshes, replace(perfect, contacts=empty))
    assert scores["contact_f"] == scores["hold_f"] == 0.0 and scores["gap_mm"] is None
