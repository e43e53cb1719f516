"""Files of poses belong to the frames that their names mean."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from dexman_pose.datasets.pose_names import place_names, read_named_poses
from dexman_pose.errors import InputError
from dexman_pose.geometry import se3, so3_exp

FROM_ONE = [f"{i:06d}" for i in range(1, 5)]
GAPS = [f"{i:06d}" for i in (1, 36, 47, 83)]
STAMPS = ["1581120424100262102", "1581120424148532296", "1581120424197045329"]


@pytest.mark.parametrize(
    ("names", "images", "places"),
    [
        (FROM_ONE, FROM_ONE, [0, 1, 2, 3]),
        (["1", "2", "3", "4"], FROM_ONE, [0, 1, 2, 3]),
        (GAPS, GAPS, [0, 1, 2, 3]),
        (GAPS[1:3], GAPS, [1, 2]),
        (STAMPS, STAMPS, [0, 1, 2]),
        (["pose_000002", "pose_000003"], ["color_000002", "color_000003"], [0, 1]),
        (["000000", "000001", "000002", "000003"], FROM_ONE, [0, 1, 2, 3]),
        (["0", "1", "2"], STAMPS, [0, 1, 2]),
        (FROM_ONE, ["000000", "000001", "000002", "000003"], [0, 1, 2, 3]),
        (FROM_ONE[:3], ["000000", "000001", "000002", "000003"], [1, 2, 3]),
        (["000000", "000002"], [], [0, 2]),
        (FROM_ONE, [], [0, 1, 2, 3]),
        (["000001", "000004"], [], [0, 3]),
    ],
)
def test_names_mean_pictures_then_numbers_then_places(
    names: list[str], images: list[str], places: list[int]
) -> None:
    found, _ = place_names(names, images, len(images) or 4, "folder")
    assert found.tolist() == places


def test_what_is_assumed_or_left_out_is_said() -> None:
    assert place_names(FROM_ONE, FROM_ONE, 4, "f")[1] == []
    assert place_names(["000000", "000001", "000002", "000003"], FROM_ONE, 4, "f")[1] == [
        "f: names are taken for places counted from 0"
    ]
    assert place_names(FROM_ONE, [], 4, "f")[1] == ["f: names are taken for places counted from 1"]
    found, notes = place_names([*GAPS, "000099"], GAPS, 4, "f")
    assert found.tolist() == [0, 1, 2, 3, -1]
    assert notes == ["f: 1 of 5 poses belong to no frame, the first is 000099"]


def test_names_of_nothing_and_names_twice_are_refused() -> None:
    with pytest.raises(InputError, match="names such as a do not belong to pictures such as 000001"):
        place_names(["a", "b"], FROM_ONE, 4, "f")
    with pytest.raises(InputError, match="7 and 007 belong to the same frame"):
        place_names(["7", "007"], ["000007"], 1, "f")


def test_poses_of_a_folder_come_with_the_frames_of_their_pictures(tmp_path: Path) -> None:
    poses = np.stack([se3(so3_exp([0.1 * t, 0, 0]), [0, 0, 0.5 + 0.1 * t]) for t in range(4)])
    for name, pose in zip(GAPS, poses):
        np.savetxt(tmp_path / f"{name}.txt", pose)
    (tmp_path / "._000001.txt").write_bytes(b"\0")
    images = [tmp_path / f"{name}.png" for name in ("000000", *GAPS)]
    frames, found, notes = read_named_poses(tmp_path, images, 5)
    assert frames.tolist() == [1, 2, 3, 4] and notes == []
    np.testing.assert_allclose(found, poses, atol=1e-9)
