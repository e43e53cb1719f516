"""Kept scores come back as they were, and only for the same inputs."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from dexman_pose.evaluation.results import ContactScores, Finding, HandScores, ObjectScores
from dexman_pose.evaluation.scoring import RecordingScores
from dexman_pose.evaluation.store import load_scores, save_scores


def example() -> RecordingScores:
    return RecordingScores(
        [
            ObjectScores(
                "s", "v", "g", "", "tool", "049", 0.2, "C1 (none)", np.arange(3), np.array([True, False, True]),
                {"add": np.array([0.1, 0.0, 0.3])}, vsd=np.zeros((2, 10)), vsd_frames=np.array([0, 2]),
                jitter=0.25, notes=("a", "b"),
            )
        ],
        [HandScores("s", "v", "left", np.arange(2), np.ones(2, bool), {"root": np.ones((2, 21))})],
        [ContactScores("s", "v", 0.5, 0.25, 1 / 3, 0.001, 7)],
        [Finding("lag", "s/v/tool", "late")],
    )  # fmt: skip


def test_scores_come_back_as_they_were(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "s.npz"
    save_scores(path, "key", [example(), RecordingScores([], [], [], [])])
    back = load_scores(path, "key")
    assert back is not None and len(back) == 2
    first, other = example().objects[0], back[0].objects[0]
    assert (other.key, other.notes, other.jitter, other.diameter) == (
        first.key, first.notes, first.jitter, first.diameter,
    )  # fmt: skip
    np.testing.assert_array_equal(other.errors["add"], first.errors["add"])
    np.testing.assert_array_equal(other.valid, first.valid)
    assert back[0].contacts == example().contacts
    assert back[0].findings == example().findings
    np.testing.assert_array_equal(back[0].hands[0].joints["root"], np.ones((2, 21)))


def test_other_inputs_and_damaged_files_are_made_anew(tmp_path: Path) -> None:
    path = tmp_path / "s.npz"
    assert load_scores(path, "key") is None
    save_scores(path, "key", [example()])
    assert load_scores(path, "other") is None
    path.write_bytes(path.read_bytes()[:200])
    assert load_scores(path, "key") is None
