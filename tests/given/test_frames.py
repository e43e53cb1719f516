"""Which frame a name, a number or a time belongs to."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pytest

from dexman_pose.data import Clip
from dexman_pose.errors import InputError
from dexman_pose.given.frames import place_names, place_numbers, place_times

Pictures = Callable[[Sequence[str]], Clip]


def of(names: Sequence[str], clip: Clip) -> list[int]:
    return place_names(names, clip, "things").frames.tolist()


def test_the_names_of_pictures_count_before_places(pictures: Pictures) -> None:
    clip = pictures(["0000", "0001", "0003", "0004"])
    assert of(["0000", "0001", "0002", "0003", "0004"], clip) == [0, 1, -1, 2, 3]
    assert of(["depth_3", "depth_4"], clip) == [2, 3]
    assert of(["frame_000001-mask"], clip) == [1]


def test_time_stamps_go_to_the_nearest_picture_within_half_a_step(pictures: Pictures) -> None:
    clip = pictures(["1305031102.175304", "1305031102.211214", "1305031102.243211", "1305031102.275326"])
    assert of(["1305031102.160407", "1305031102.226738", "1305031102.275300"], clip) == [0, 1, 3]
    with pytest.raises(InputError, match="none of the things was made within"):
        of(["1305031109.000000", "1305031110.000000"], clip)


def test_nanoseconds_are_times(pictures: Pictures) -> None:
    clip = pictures(["1403636579763555584", "1403636579813555456", "1403636579863555584"])
    assert of(["1403636579813555999", "1403636579863555000"], clip) == [1, 2]


@pytest.mark.parametrize(
    ("names", "frames"),
    [
        (["00000", "00001", "00002", "00003"], [0, 1, 2, 3]),
        (["00001", "00002", "00003", "00004"], [0, 1, 2, 3]),  # as ffmpeg numbers them
        (["00001", "00004"], [0, 3]),
        (["00000", "00002"], [0, 2]),
        (["f1", "f2", "f3", "f4", "f5", "f6"], [0, 1, 2, 3, -1, -1]),  # the clip was cut short
        (["a", "b", "c", "d"], [0, 1, 2, 3]),
        (["100", "101", "102", "103"], [0, 1, 2, 3]),
        (["0.000", "0.033", "0.100"], [0, 1, 3]),
    ],
)
def test_frames_of_a_video_count_from_0_or_from_1(clip: Clip, names: list[str], frames: list[int]) -> None:
    assert of(names, clip) == frames


def test_what_was_assumed_is_said(clip: Clip, pictures: Pictures) -> None:
    assert "number 0" in place_names(["1", "2"], clip, "masks").note
    assert "in their order" in place_names(["a", "b", "c", "d"], clip, "masks").note
    assert place_names(["0", "1"], clip, "masks").note == ""
    shot = pictures(["IMG_10", "IMG_11"])
    assert "in their order" in place_names(["d0", "d1"], shot, "masks").note


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["a", "b"], "cannot be told which frames the 2 things belong to"),
        (["7", "9"], "numbered 7 to 9"),
        ([], "there are no things"),
    ],
)
def test_names_of_no_frame(clip: Clip, names: list[str], message: str) -> None:
    with pytest.raises(InputError, match=message):
        of(names, clip)


def test_as_many_files_numbered_one_off_are_refused(pictures: Pictures) -> None:
    clip = pictures(["0001", "0002", "0003"])
    with pytest.raises(InputError, match="numbered 0 to 2 and the pictures 1 to 3"):
        of(["d0", "d1", "d2"], clip)
    with pytest.raises(InputError, match="numbered 0 to 2 and the pictures 1 to 3"):
        of(["0000", "0001", "0002"], clip)  # two of them have a picture's name
    with pytest.raises(InputError, match="numbered 2 to 4 and the pictures 1 to 3"):
        place_numbers([4, 3, 2], clip, "things", places=False)
    assert of(["0001", "0003"], clip) == [0, 2]


def test_numbers_are_pictures_or_places_whichever_fit(pictures: Pictures) -> None:
    clip = pictures(["0010", "0020", "0030"])
    assert place_numbers([30, 10], clip, "x", places=True).frames.tolist() == [2, 0]
    assert place_numbers([0, 2], clip, "x", places=False).frames.tolist() == [0, 2]


def test_numbers_that_may_be_either_are_said(tmp_path: object, pictures: Pictures) -> None:
    clip = pictures(["1", "2", "3", "4"])
    places, pictured = (place_numbers([1, 2], clip, "x", places=p) for p in (True, False))
    assert places.frames.tolist() == [1, 2] and pictured.frames.tolist() == [0, 1]
    assert "might be the other" in places.note and "might be the other" in pictured.note


def test_two_things_of_one_frame(clip: Clip) -> None:
    with pytest.raises(InputError, match="two of the x belong to frame 1"):
        place_numbers([1, 1, 0], clip, "x", places=True)


def test_times_of_a_video_count_from_its_start_or_since_1970(clip: Clip) -> None:
    times = clip.frame_times
    assert place_times(times[1:] + 0.004, clip, "x").frames.tolist() == [1, 2, 3]
    assert place_times(1.7e9 + times, clip, "x").frames.tolist() == [0, 1, 2, 3]
    assert np.array_equal(place_times(times, clip, "x").frames, np.arange(4))


def test_whole_numbers_in_place_of_times_are_numbers_of_frames(pictures: Pictures) -> None:
    clip = Clip.from_frames(np.zeros((70, 4, 4, 3), np.uint8), fps=30.0)
    assert place_times(np.arange(70.0), clip, "x").frames.tolist() == list(range(70))
    assert place_times(np.arange(1.0, 71.0), clip, "x").frames.tolist() == list(range(70))
    assert place_times(np.array([0.0, 40.0]), clip, "x").frames.tolist() == [0, 40]
    assert place_times(np.arange(3.0), pictures(["1", "2", "3"]), "x").frames.tolist() == [0, 1, 2]
    slow = Clip.from_frames(np.zeros((4, 4, 4, 3), np.uint8), fps=0.5)
    assert place_times(np.arange(0.0, 8.0, 2.0), slow, "x").frames.tolist() == [0, 1, 2, 3]
