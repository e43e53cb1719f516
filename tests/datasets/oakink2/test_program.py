"""Programs whose keys are Python pairs as text: read as literals, never run."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from dexman_pose.datasets.oakink2.program import read_oakink2_program
from dexman_pose.errors import InputError


def _file(path: Path, program: object) -> Path:
    file = path / "program.json"
    file.write_text(json.dumps(program))
    return file


def test_steps_are_sorted_and_typed(tmp_path: Path) -> None:
    program = {
        "((30, 90), (20, 80))": {
            "primitive": "pour",
            "obj_list": ["a", "b"],
            "interaction_mode": "bh_main",
            "obj_list_lh": ["a"],
            "obj_list_rh": None,
        },
        "(None, (5, 19))": {"primitive": "hold", "obj_list": ["b"], "interaction_mode": "rh_main"},
        "('(100, 110)', 'None')": {"primitive": "place"},
    }
    hold, pour, place = read_oakink2_program(_file(tmp_path, program))
    assert (hold.left, hold.right, hold.frames, hold.mode) == (None, (5, 19), (5, 19), "rh_main")
    assert (pour.left, pour.right, pour.frames) == ((30, 90), (20, 80), (20, 90))
    assert (pour.objects, pour.left_objects, pour.right_objects) == (("a", "b"), ("a",), ())
    assert (place.left, place.right, place.mode) == ((100, 110), None, "")


@pytest.mark.parametrize(
    "key",
    [
        "__import__('os').abort()",
        "(None, None)",
        "((1, 2),)",
        "((5, 1), None)",
        "((1.5, 2), None)",
        "((1, 2), ",
        "(" * 5000,
        "7",
    ],
)
def test_keys_that_are_no_intervals_are_refused(tmp_path: Path, key: str) -> None:
    with pytest.raises(InputError, match=r"program\.json: the step"):
        read_oakink2_program(_file(tmp_path, {key: {"primitive": "x"}}))


def test_bad_entries_are_refused(tmp_path: Path) -> None:
    key = "((1, 2), None)"
    for entry in ({}, {"primitive": "x", "interaction_mode": "feet"}, None):
        with pytest.raises(InputError, match="not a step of a program"):
            read_oakink2_program(_file(tmp_path, {key: entry}))
    with pytest.raises(InputError, match="must map intervals"):
        read_oakink2_program(_file(tmp_path, []))
