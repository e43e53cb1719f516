"""What carries the poses of a track is kept, told, and written."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from dexman_pose.data import Camera, Evidence, Mesh, PoseTrack, RigidObject, Trajectory
from dexman_pose.data.evidence import EVIDENCE_TEXT, evidence_summary
from dexman_pose.errors import InputError


def track(evidence: list[int] | None) -> PoseTrack:
    poses = np.tile(np.eye(4), (4, 1, 1))
    poses[:, 2, 3] = 0.5
    return PoseTrack(poses, [True, True, True, False], [1.0, 1.0, 1.0, 0.0], evidence=evidence)


def test_every_kind_has_a_bit_and_words() -> None:
    kinds = [kind for kind in Evidence if kind]
    assert set(EVIDENCE_TEXT) == set(kinds)
    assert sum(int(k) for k in kinds) == 2 ** len(kinds) - 1


def test_shares_are_of_the_frames_with_a_pose() -> None:
    both = int(Evidence.REGION | Evidence.TEXTURE)
    found = track([both, both, int(Evidence.REGION), 0])
    assert evidence_summary(np.array([both, both, 1, 0], np.uint16)) == (
        "colours along the outline 100 %, texture 67 % of 3 frames"
    )
    assert "carried by colours along the outline 100 %" in repr(found)
    assert "carried" not in repr(track(None))
    assert evidence_summary(np.zeros(3, np.uint16)) == "nothing carried a pose"


def test_it_must_cover_all_frames() -> None:
    with pytest.raises(InputError, match="evidence"):
        track([1, 1])


def test_it_is_in_the_file(tmp_path: Path) -> None:
    mesh = Mesh(np.eye(3), np.array([[0, 1, 2]]))
    for evidence in (None, [1, 4, 5, 0]):
        objects = {"a": RigidObject("a", mesh, track(evidence))}
        saved = Trajectory(Camera.from_focal(100.0, 64, 48), np.arange(4.0), objects).save(tmp_path)
        read = Trajectory.load(saved).objects["a"].track.evidence
        assert (read is None) == (evidence is None)
        if evidence is not None:
            np.testing.assert_array_equal(read, evidence)
