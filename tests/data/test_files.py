"""Files appear whole or not at all."""

from __future__ import annotations

import json
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile

import numpy as np
import pytest

from dexman_pose.data.files import atomic_file, write_bytes, write_json, write_npz
from dexman_pose.errors import InputError


def test_a_file_appears_only_at_the_end(tmp_path: Path) -> None:
    path = tmp_path / "new" / "a.bin"
    with atomic_file(path) as stream:
        stream.write(b"half")
        stream.flush()
        assert not path.exists()
    assert path.read_bytes() == b"half" and list(path.parent.iterdir()) == [path]


def test_a_failure_keeps_the_old_file_and_leaves_nothing(tmp_path: Path) -> None:
    path = write_bytes(tmp_path / "a.bin", b"old")
    with pytest.raises(KeyboardInterrupt), atomic_file(path) as stream:
        stream.write(b"new")
        raise KeyboardInterrupt
    assert path.read_bytes() == b"old" and list(tmp_path.iterdir()) == [path]


def test_results_are_as_readable_as_other_files(tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.touch()
    assert write_bytes(tmp_path / "a", b"").stat().st_mode == other.stat().st_mode


def test_json_and_npz(tmp_path: Path) -> None:
    assert json.loads(write_json(tmp_path / "a.json", {"b": [1, None]}).read_text()) == {"b": [1, None]}
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_json(tmp_path / "b.json", float("nan"))
    with np.load(write_npz(tmp_path / "a.npz", {"x/y": np.arange(3)}), allow_pickle=False) as file:
        np.testing.assert_array_equal(file["x/y"], [0, 1, 2])
    with pytest.raises(InputError, match="Python objects cannot be written: bad"):
        write_npz(tmp_path / "b.npz", {"bad": np.array([{}], dtype=object)})
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.json", "a.npz"]


def test_places_that_cannot_be_written_are_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="cannot write"):
        write_bytes(tmp_path / "file" / "a.bin", b"")


def test_bytes_that_are_coded_are_stored_as_they_are(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    coded, plain = rng.integers(0, 256, 40000, dtype=np.uint8), np.zeros((200, 200), np.uint8)
    path = write_npz(tmp_path / "a.npz", {"x/coded": coded, "plain": plain})
    with ZipFile(path) as archive:
        kinds = {entry.filename: entry.compress_type for entry in archive.infolist()}
    assert kinds == {"x/coded.npy": ZIP_STORED, "plain.npy": ZIP_DEFLATED}
    with np.load(path) as back:
        np.testing.assert_array_equal(back["x/coded"], coded)
        np.testing.assert_array_equal(back["plain"], plain)
