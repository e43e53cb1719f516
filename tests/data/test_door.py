"""One door for every file: whatever breaks inside comes out as one line that names the file."""

from __future__ import annotations

import json
import struct
import zipfile
import zlib
from pathlib import Path

import numpy as np
import pytest

from dexman_pose.data._check import array
from dexman_pose.data.files import door, one_line, read_arrays, read_json, read_yaml, single_line
from dexman_pose.errors import InputError, MeshError, MissingExtraError, TrajectoryError

RAISED = [
    RecursionError("maximum recursion depth exceeded"),
    OverflowError("too large"),
    UnicodeDecodeError("utf-8", b"\xff", 0, 1, "invalid start byte"),
    UnicodeEncodeError("utf-8", "\ud800", 0, 1, "surrogates not allowed"),
    zlib.error("Error -3"),
    MemoryError(),
    SyntaxError("not a PNG file"),
    ZeroDivisionError("division by zero"),
    KeyError("camera"),
    TypeError("unhashable type"),
    AttributeError("no attribute"),
    struct.error("unpack requires 4 bytes"),
    zipfile.BadZipFile("no zip"),
    EOFError(),
    AssertionError(),
]


@pytest.mark.parametrize("error", RAISED, ids=lambda error: type(error).__name__)
def test_whatever_is_raised_comes_out_as_one_line_that_names_the_file(error: Exception) -> None:
    said = r"/a/t\.npz is damaged, cut off or not a thing: ."
    with (
        pytest.raises(TrajectoryError, match=said) as caught,
        door(Path("/a/t.npz"), "a thing", TrajectoryError),
    ):
        raise error
    assert str(caught.value).isprintable() and caught.value.__cause__ is error


def test_errors_of_the_package_keep_their_kind_and_get_the_name() -> None:
    with pytest.raises(MeshError, match=r"^/a/t\.npz: no faces; repair it$"), door("/a/t.npz", "a thing"):
        raise MeshError("no faces;\nrepair it")
    with pytest.raises(InputError, match=r"^/a/t\.npz has none$"), door("/a/t.npz", "a thing"):
        raise InputError("/a/t.npz has none")
    with pytest.raises(MissingExtraError, match=r"^pip install x$"), door("/a/t.npz", "a thing"):
        raise MissingExtraError("pip install x")
    with pytest.raises(KeyboardInterrupt), door("/a/t.npz", "a thing"):
        raise KeyboardInterrupt


def test_what_a_file_says_cannot_flood_or_steer_a_terminal() -> None:
    assert single_line("a\n\tb\x1b[2J\ud800") == "a b\\x1b[2J\\ud800"
    long = single_line("start " + "\0" * 10_000 + " end")
    assert len(long) < 1000 and long.startswith("start ") and long.endswith(" end")
    assert one_line(ValueError("first\nsecond")) == "first" and one_line(MemoryError()) == "MemoryError"


@pytest.mark.parametrize(
    ("name", "data", "read"),
    [
        ("deep.json", b"[" * 100_000, read_json),
        ("text.json", b'{"a": "\xff"}', read_json),
        ("big.json", b"9" * 5000, read_json),
        ("deep.yaml", b"[" * 5000, read_yaml),
        ("date.yaml", b"a: 2024-99-99", read_yaml),
        ("key.yaml", b"{[1]: 2}", read_yaml),
        ("none.npz", b"PK\x03\x04", read_arrays),
    ],
)
def test_readers_of_small_files_are_doors(tmp_path: Path, name: str, data: bytes, read: object) -> None:
    (tmp_path / name).write_bytes(data)
    with pytest.raises(InputError, match=name) as caught:
        read(tmp_path / name)  # type: ignore[operator]
    assert str(caught.value).isprintable() and len(str(caught.value)) < 1000


def test_a_byte_order_mark_before_json_is_no_damage(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_bytes(b"\xef\xbb\xbf" + json.dumps({"a": 1}).encode())
    assert read_json(tmp_path / "a.json") == {"a": 1}


@pytest.mark.parametrize(
    ("value", "dtype"),
    [
        ([1 + 2j], np.float64),
        ([np.nan], np.bool_),
        ([-1], np.bool_),
        ([0.5], np.bool_),
        ([255], np.bool_),
        ([0.5], np.uint8),
        ([300], np.uint8),
        ([-1], np.uint8),
        ([np.nan], np.int32),
        ([2**40], np.int32),
    ],
)
def test_arrays_are_converted_only_where_no_value_changes(value: list[object], dtype: type) -> None:
    with pytest.raises(InputError, match=r"^x (must|holds) "):
        array(value, "x", (None,), dtype)


def test_arrays_that_mean_the_same_are_converted() -> None:
    assert array([1, 0], "x", (None,), np.bool_).tolist() == [True, False]
    assert array([7.0], "x", (None,), np.uint8).tolist() == [7]
    assert array([True], "x", (None,)).tolist() == [1.0]
