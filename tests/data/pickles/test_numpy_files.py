"""What numpy saved comes back, pickled dicts too; what would run something does not."""

from __future__ import annotations

import io
import os
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.sparse

from dexman_pose.data.pickles.numpy_files import load_numpy_file
from dexman_pose.errors import InputError


def test_arrays_of_both_kinds_of_file(tmp_path: Path) -> None:
    array = np.arange(6.0).reshape(2, 3)
    np.save(tmp_path / "a.npy", array)
    np.savez_compressed(tmp_path / "a.npz", a=array, f=np.asfortranarray(array))
    np.testing.assert_array_equal(load_numpy_file(tmp_path / "a.npy"), array)
    found = load_numpy_file(tmp_path / "a.npz")
    assert list(found) == ["a", "f"]
    np.testing.assert_array_equal(found["f"], array)


def test_pickled_dicts(tmp_path: Path) -> None:
    dense = np.eye(3)[:2]
    value: Any = {"J": scipy.sparse.csc_matrix(dense), "n": {"deep": [1, "a"]}}
    np.save(tmp_path / "d.npy", value, allow_pickle=True)
    found = load_numpy_file(tmp_path / "d.npy")
    np.testing.assert_array_equal(found["J"], dense)
    assert found["n"] == {"deep": [1, "a"]}
    np.savez(tmp_path / "d.npz", J=np.array(value["J"], dtype=object), plain=dense)
    found = load_numpy_file(tmp_path / "d.npz")
    np.testing.assert_array_equal(found["J"], dense)


class _Call:
    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> Any:
        return os.system, (f"touch {self.mark}",)


def test_nothing_is_run(tmp_path: Path) -> None:
    mark = tmp_path / "run"
    held: Any = {"x": _Call(mark)}
    np.save(tmp_path / "m.npy", held, allow_pickle=True)
    np.savez(tmp_path / "m.npz", x=np.array({"x": _Call(mark)}, dtype=object))
    for name in ("m.npy", "m.npz"):
        with pytest.raises(InputError, match=r"posix\.system"):
            load_numpy_file(tmp_path / name)
    assert not mark.exists()


def test_objects_in_axes_are_refused(tmp_path: Path) -> None:
    np.save(tmp_path / "o.npy", np.array([{}, None], dtype=object), allow_pickle=True)
    with pytest.raises(InputError, match="Python objects"):
        load_numpy_file(tmp_path / "o.npy")


def test_damage_and_bombs(tmp_path: Path) -> None:
    stream = io.BytesIO()
    np.save(stream, np.arange(100.0))
    path = tmp_path / "cut.npy"
    for end in (3, 20, 200):
        path.write_bytes(stream.getvalue()[:end])
        with pytest.raises(InputError, match=r"cut\.npy"):
            load_numpy_file(path)
    with zipfile.ZipFile(tmp_path / "bomb.npz", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.npy", bytes(1 << 20))
    with pytest.raises(InputError, match="unpacks to more than 100000 bytes"):
        load_numpy_file(tmp_path / "bomb.npz", max_bytes=100_000)
