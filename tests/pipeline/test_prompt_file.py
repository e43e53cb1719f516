"""Prompt files: what is understood, and the one line that says what is not."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from dexman_pose.errors import InputError
from dexman_pose.pipeline.prompt_file import load_prompts


def write(folder: Path, content: Any) -> Path:
    path = folder / "prompts.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


def test_boxes_of_one_clip(tmp_path: Path) -> None:
    path = write(tmp_path, {"frame": 3, "objects": {"cup": [1, 2, 30, 40], "lid": [5.5, 6, 7, 8]}})
    prompts = load_prompts(path)
    assert list(prompts) == ["cup", "lid"]
    assert prompts["cup"].frame == 3
    assert prompts["lid"].box is not None and prompts["lid"].box.tolist() == [5.5, 6, 7, 8]


def test_everything_an_object_may_say(tmp_path: Path) -> None:
    Image.fromarray(np.eye(4, dtype=np.uint8) * 200).save(tmp_path / "m.png")
    value = {
        "box": [0, 0, 3, 3],
        "points": [[1, 1, 1], [2, 0, 0]],
        "mask": "m.png",
        "frame": 7,
        "mesh": "a/b.obj",
    }
    prompt = load_prompts(write(tmp_path, {"objects": {"cup": value}}))["cup"]
    assert prompt.frame == 7
    assert prompt.points is not None and prompt.points.tolist() == [[1, 1, 1], [2, 0, 0]]
    assert prompt.mask is not None and np.array_equal(prompt.mask, np.eye(4, dtype=bool))
    assert prompt.mesh == tmp_path / "a/b.obj"


CLIPS = {
    "clips": {
        "cube/video.mp4": {"objects": {"cube": [0, 0, 1, 1]}},
        "mug/video.mp4": {"objects": {"mug": [0, 0, 1, 1]}},
        "mug/other.mp4": {"objects": {"pot": [0, 0, 1, 1]}},
    }
}


@pytest.mark.parametrize(
    ("video", "name"),
    [("/data/clips/cube/video.mp4", "cube"), ("mug/video.mp4", "mug"), ("/anywhere/other.mp4", "pot")],
)
def test_a_clip_is_found_by_the_longest_common_path_ending(tmp_path: Path, video: str, name: str) -> None:
    assert list(load_prompts(write(tmp_path, CLIPS), video)) == [name]


@pytest.mark.parametrize(
    ("video", "message"),
    [("/x/video.mp4", "several entries"), ("/x/none.mp4", "no prompts for none.mp4"), (None, "which video")],
)
def test_a_clip_that_is_not_found(tmp_path: Path, video: str | None, message: str) -> None:
    with pytest.raises(InputError, match=message):
        load_prompts(write(tmp_path, CLIPS), video)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('{"objects": {', "not valid JSON: .* line 1"),
        ("", "not valid JSON"),
        ("[]", "must be a JSON object"),
        ("{}", 'holds no "objects"'),
        ({"objects": {}}, "names no object"),
        ({"objects": [1]}, '"objects" must be a JSON object'),
        ({"objects": {"cup": 5}}, "'cup' must be a box"),
        ({"objects": {"cup": [1, 2, 3]}}, r"'cup': prompt box must have shape \(4,\)"),
        ({"objects": {"cup": [9, 2, 3, 4]}}, "x0 < x1"),
        ({"objects": {"cup": [1, 2, 3, "4"]}}, "list of numbers"),
        ({"objects": {"cup": [1, 2, 3, True]}}, "list of numbers"),
        ('{"objects": {"cup": [1, 2, 3, NaN]}}', "NaN"),
        ({"objects": {"cup": {"points": [[1, 2, 1], [3]]}}}, "different lengths"),
        ({"objects": {"cup": {"bix": [1, 2, 3, 4]}}}, "unknown keys bix; known are box"),
        ({"objects": {"cup": {}}}, "needs a box"),
        ({"objects": {"cup": {"mask": "none.png"}}}, "cannot read the mask"),
        ({"objects": {"cup": {"mask": 3}}}, "path of a file"),
        ({"frame": -1, "objects": {"cup": [1, 2, 3, 4]}}, "frame must be 0"),
        ({"frame": 1.5, "objects": {"cup": [1, 2, 3, 4]}}, "frame must be 0"),
        ('{"objects": {"cup": [1, 2, 3, 4], "cup": [5, 6, 7, 8]}}', "'cup' stands there twice"),
        ("[" * 100_000, "prompt"),
    ],
)
def test_what_is_wrong_is_said(tmp_path: Path, content: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        load_prompts(write(tmp_path, content))


def test_a_missing_file_and_a_binary_file(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot read the prompt file"):
        load_prompts(tmp_path / "none.json")
    (tmp_path / "prompts.json").write_bytes(b"\xff\xfe\x00\x81")
    with pytest.raises(InputError, match="not a text file"):
        load_prompts(tmp_path / "prompts.json")


def test_a_mask_that_is_black_everywhere(tmp_path: Path) -> None:
    Image.new("L", (4, 4)).save(tmp_path / "m.png")
    with pytest.raises(InputError, match="black everywhere"):
        load_prompts(write(tmp_path, {"objects": {"cup": {"mask": "m.png"}}}))


@pytest.mark.parametrize("name", ["\ud800.png", "a\tb.png", "\0" * 9000])
def test_a_mask_of_an_impossible_name_is_told_in_one_printable_line(tmp_path: Path, name: str) -> None:
    with pytest.raises(InputError, match="object 'cup'") as told:
        load_prompts(write(tmp_path, {"objects": {"cup": {"mask": name}}}))
    assert str(told.value).isprintable() and len(str(told.value)) < 2000
