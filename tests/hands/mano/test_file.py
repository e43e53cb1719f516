"""A MANO file is read whole, from whatever its copies are saved as, or refused in one line."""

from __future__ import annotations

import os
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.sparse

from dexman_pose.errors import InputError
from dexman_pose.hands.mano.file import ManoFile, load_mano, load_mano_folder, mano_from, shown_side
from dexman_pose.synthetic.tiny_datasets.mano import as_old_objects, mano_entries, write_small_mano
from dexman_pose.synthetic.tiny_datasets.old_pickles import OldPickler


def _same(file: ManoFile, side: str) -> None:
    entries = mano_entries(side)
    assert file.side == side
    for name in ("v_template", "shapedirs", "posedirs", "weights", "hands_mean", "hands_components"):
        np.testing.assert_array_equal(getattr(file, name), entries[name])
    np.testing.assert_array_equal(file.j_regressor, entries["J_regressor"])
    np.testing.assert_array_equal(file.faces, entries["f"])
    assert file.faces.dtype == np.int32


@pytest.mark.parametrize("protocol", [0, 1, 2])
def test_distributed_structure(tmp_path: Path, protocol: int) -> None:
    for side, path in write_small_mano(tmp_path, protocol).items():
        _same(load_mano(path), side)
        _same(load_mano(path, side), side)
        _same(load_mano(tmp_path, side), side)


def _cleaned(path: Path, entries: dict[str, Any]) -> None:
    if path.suffix == ".npz":
        np.savez(path, **entries)
    elif path.suffix == ".npy":
        held: Any = entries
        np.save(path, held, allow_pickle=True)
    else:
        path.write_bytes(
            pickle.dumps({**entries, "J_regressor": scipy.sparse.csc_matrix(entries["J_regressor"])}, 4)
        )


@pytest.mark.parametrize("suffix", [".npz", ".npy", ".pkl"])
def test_copies_without_chumpy(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"MANO_LEFT{suffix}"
    _cleaned(path, mano_entries("left"))
    _same(load_mano(path), "left")
    _same(load_mano_folder(tmp_path)["left"], "left")


def test_folders(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="neither"):
        load_mano_folder(tmp_path)
    with pytest.raises(InputError, match=r"no MANO_LEFT\.pkl"):
        load_mano(tmp_path, "left")
    with pytest.raises(InputError, match="say which side"):
        load_mano(tmp_path)
    (tmp_path / "models").mkdir()
    write_small_mano(tmp_path / "models")
    assert sorted(load_mano_folder(tmp_path)) == ["left", "right"]


def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no MANO file at .*MANO_RIGHT\.pkl; .*mano\.is\.tue\.mpg\.de"):
        load_mano(tmp_path / "MANO_RIGHT.pkl")
    with pytest.raises(InputError, match="'left' or 'right'"):
        load_mano(tmp_path / "MANO_RIGHT.pkl", "middle")


def _with(**change: Any) -> Callable[[dict[str, Any]], dict[str, Any]]:
    return lambda entries: {**entries, **change}


def _times(name: str, factor: float) -> Callable[[dict[str, Any]], dict[str, Any]]:
    return lambda entries: {**entries, name: entries[name] * factor}


def _holed(entries: dict[str, Any]) -> dict[str, Any]:
    holed = entries["posedirs"].copy()
    holed[0, 0, 0] = np.nan
    return {**entries, "posedirs": holed}


def _other_tree(entries: dict[str, Any]) -> dict[str, Any]:
    table = entries["kintree_table"].copy()
    table[0, 5] = 3
    return {**entries, "kintree_table": table}


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (lambda e: {k: v for k, v in e.items() if k not in ("weights", "f")}, "lacks weights, f"),
        (_with(posedirs=None), "lacks posedirs"),
        (
            _with(v_template=np.zeros((6890, 3))),
            r"v_template must have shape \(778, 3\), but has \(6890, 3\)",
        ),
        (_with(hands_components=np.eye(6)), r"hands_components must have shape \(45, 45\)"),
        (_with(shapedirs=["a"]), "shapedirs must be numbers"),
        (_with(f=np.full((1538, 3), 778)), "f must hold numbers of vertices"),
        (_times("v_template", 1000.0), "is the unit right"),
        (_times("weights", 0.5), "weights of every vertex must add up to 1"),
        (_times("J_regressor", 0.5), "J_regressor of every joint must add up to 1"),
        (_holed, "posedirs holds NaN"),
        (_other_tree, "not MANO's tree of joints"),
    ],
)
def test_each_fault_has_its_line(fault: Callable[[dict[str, Any]], dict[str, Any]], words: str) -> None:
    with pytest.raises(InputError, match=words) as error:
        mano_from(fault(mano_entries()), "MANO_RIGHT.pkl")
    assert "\n" not in str(error.value) and str(error.value).startswith("MANO_RIGHT.pkl")


def test_no_dict(tmp_path: Path) -> None:
    path = tmp_path / "MANO_RIGHT.pkl"
    path.write_bytes(pickle.dumps([1, 2]))
    with pytest.raises(InputError, match="must hold a dict of arrays, but holds a list"):
        load_mano(path)


def test_the_other_side_is_refused(mano_folder: Path) -> None:
    with pytest.raises(InputError, match=r"is a left hand .* but the right one is asked for"):
        load_mano(mano_folder / "MANO_LEFT.pkl", "right")


def test_a_flat_mean_shows_no_side() -> None:
    entries = {**mano_entries("left"), "hands_mean": np.zeros(45)}
    with pytest.raises(InputError, match="say side"):
        mano_from(entries, "m.npz")
    assert mano_from(entries, "m.npz", "left").side == "left"


def test_sides_are_told_in_any_axes() -> None:
    turn = np.linalg.qr(np.random.default_rng(3).normal(size=(3, 3)))[0]
    turn *= np.linalg.det(turn)
    for side in ("left", "right"):
        entries = mano_entries(side)
        joints = entries["J_regressor"] @ entries["v_template"]
        assert shown_side(joints @ turn.T, (entries["hands_mean"].reshape(15, 3) @ turn.T).ravel()) == side


@pytest.mark.parametrize("keep", [0.1, 0.6, 0.999])
def test_truncated(tmp_path: Path, keep: float) -> None:
    for protocol in (0, 2):
        path = write_small_mano(tmp_path, protocol)["right"]
        data = path.read_bytes()
        path.write_bytes(data[: int(keep * len(data))])
        with pytest.raises(InputError, match=r"MANO_RIGHT\.pkl is") as error:
            load_mano(path)
        assert "\n" not in str(error.value)


class _Call:
    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> Any:
        return os.system, (f"touch {self.mark}",)


def test_malice_is_not_run(tmp_path: Path) -> None:
    mark, path = tmp_path / "run", tmp_path / "MANO_RIGHT.pkl"
    path.write_bytes(pickle.dumps({**mano_entries(), "betas": _Call(mark)}, 2))
    with pytest.raises(InputError, match=r"posix\.system"):
        load_mano(path)
    data = OldPickler(2).dumps(as_old_objects(mano_entries()))
    path.write_bytes(data.replace(b"cchumpy.reordering\nSelect\n", b"cos\nsystem\n"))
    with pytest.raises(InputError, match=r"os\.system"):
        load_mano(path)
    assert not mark.exists()


@pytest.mark.parametrize("protocol", [0, 2])
def test_damage_raises_nothing_else(tmp_path: Path, protocol: int) -> None:
    """Bytes changed among the operations, the arrays taken small so that most bytes are operations."""
    rng = np.random.default_rng(protocol)
    entries = mano_entries()
    few = as_old_objects({**entries, "shapedirs": entries["shapedirs"][:, :, :1]})
    small = {
        k: few[k] for k in ("shapedirs", "J_regressor", "kintree_table", "bs_style", "betas", "hands_mean")
    }
    data = OldPickler(protocol).dumps({**small, "shapedirs": few["betas"]})
    path = tmp_path / "MANO_RIGHT.pkl"
    refused = 0
    for _ in range(400):
        bad = bytearray(data)
        for at in rng.integers(0, len(bad), 2):
            bad[at] = rng.integers(0, 256)
        path.write_bytes(bytes(bad))
        with pytest.raises(InputError) as error:  # it lacks entries in any case
            load_mano(path)
        assert "\n" not in str(error.value)
        refused += "lacks" not in str(error.value)
    assert refused > 50
