"""Which clips a batch is of."""

from __future__ import annotations

from pathlib import Path

import pytest

from dexman_pose.batch import list_clips
from dexman_pose.errors import InputError


def _touched(*files: Path) -> None:
    for file in files:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()


def test_a_folder_gives_all_its_videos_by_their_way(tmp_path: Path) -> None:
    _touched(tmp_path / "b.MP4", tmp_path / "a" / "c.mov", tmp_path / "a" / "note.txt")
    assert list_clips([tmp_path]) == {"a__c": tmp_path / "a" / "c.mov", "b": tmp_path / "b.MP4"}


def test_a_folder_without_videos_is_one_clip_of_images(tmp_path: Path) -> None:
    _touched(tmp_path / "frames" / "000.png")
    assert list_clips([tmp_path / "frames"]) == {"frames": tmp_path / "frames"}


def test_a_list_names_clips_that_need_not_be_there(tmp_path: Path) -> None:
    (tmp_path / "clips.txt").write_text("# two\nday1/x.mp4\n\n../elsewhere/y.mp4\n", encoding="utf-8")
    found = list_clips([tmp_path / "clips.txt"])
    assert found == {"day1__x": tmp_path / "day1" / "x.mp4", "y": tmp_path / ".." / "elsewhere" / "y.mp4"}


def test_the_same_clip_twice_is_one(tmp_path: Path) -> None:
    _touched(tmp_path / "a.mp4")
    assert list(list_clips([tmp_path / "a.mp4", tmp_path])) == ["a"]


@pytest.mark.parametrize("kind", ["twice", "missing", "empty list", "nothing"])
def test_what_cannot_be_named_is_refused(tmp_path: Path, kind: str) -> None:
    _touched(tmp_path / "x" / "a.mp4", tmp_path / "y" / "a.mp4")
    (tmp_path / "none.txt").write_text("# nothing\n", encoding="utf-8")
    sources = {
        "twice": [tmp_path / "x" / "a.mp4", tmp_path / "y" / "a.mp4"],
        "missing": [tmp_path / "z.mp4"],
        "empty list": [tmp_path / "none.txt"],
        "nothing": [],
    }[kind]
    with pytest.raises(InputError):
        list_clips(sources)
