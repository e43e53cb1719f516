"""Sparse matrices and arrays of chumpy come out as plain arrays; other objects do not come out."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.sparse

from dexman_pose.data.pickles.load import load_pickle
from dexman_pose.errors import InputError
from dexman_pose.synthetic.tiny_datasets.old_pickles import OldObject, OldPickler

PROTOCOLS = range(pickle.HIGHEST_PROTOCOL + 1)


def _load(tmp_path: Path, data: bytes) -> Any:
    path = tmp_path / "MODEL.pkl"
    path.write_bytes(data)
    return load_pickle(path)


def _old(tmp_path: Path, value: Any, protocol: int = 2) -> Any:
    return _load(tmp_path, OldPickler(protocol).dumps(value))


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("form", ["csc_matrix", "csr_matrix", "csc_array", "csr_array"])
def test_sparse_matrices_of_this_scipy(tmp_path: Path, protocol: int, form: str) -> None:
    dense = np.array([[0.0, 1.5, 0.0], [2.0, 0.0, -3.0]])
    found = _load(tmp_path, pickle.dumps({"J": getattr(scipy.sparse, form)(dense)}, protocol))
    assert type(found["J"]) is np.ndarray
    np.testing.assert_array_equal(found["J"], dense)


def _sparse(name: str, dense: np.ndarray, **other: Any) -> OldObject:
    packed = scipy.sparse.csc_matrix(dense) if "csc" in name else scipy.sparse.csr_matrix(dense)
    state = {"data": packed.data, "indices": packed.indices, "indptr": packed.indptr, "maxprint": 50}
    return OldObject(name, {**state, "_shape": packed.shape, **other})


@pytest.mark.parametrize("protocol", [0, 1, 2])
@pytest.mark.parametrize("module", ["scipy.sparse.csc.csc_matrix", "scipy.sparse._csr.csr_matrix"])
def test_sparse_matrices_of_python_2(tmp_path: Path, protocol: int, module: str) -> None:
    dense = np.zeros((16, 40))
    dense[3, [0, 7, 39]] = 0.25, 0.5, 1.0
    found = _old(tmp_path, {"J": _sparse(module, dense)}, protocol)
    np.testing.assert_array_equal(found["J"], dense)


def test_sparse_entries_of_one_place_add_up(tmp_path: Path) -> None:
    state = {
        "data": np.array([1.0, 2.0]),
        "indices": np.array([1, 1]),
        "indptr": np.array([0, 2]),
        "shape": (3, 1),
    }
    found = _old(tmp_path, OldObject("scipy.sparse.csc.csc_matrix", state))
    np.testing.assert_array_equal(found, [[0.0], [3.0], [0.0]])


@pytest.mark.parametrize("protocol", [0, 1, 2])
def test_chumpy_is_evaluated(tmp_path: Path, protocol: int) -> None:
    whole = np.random.default_rng(0).normal(size=(7, 3, 20))
    chosen = np.arange(whole.size).reshape(whole.shape)[:, :, :10].ravel()
    ch = OldObject("chumpy.ch.Ch", {"x": whole, "_dirty_vars": {"x"}, "_itr": None})
    select = OldObject("chumpy.reordering.Select", {"a": ch, "idxs": chosen, "preferred_shape": (7, 3, 10)})
    found = _old(
        tmp_path, {"shapedirs": select, "betas": OldObject("chumpy.ch.Ch", {"x": np.zeros(10)})}, protocol
    )
    np.testing.assert_array_equal(found["shapedirs"], whole[:, :, :10])
    np.testing.assert_array_equal(found["betas"], np.zeros(10))


def test_bytes_above_127_in_texts_of_protocol_0(tmp_path: Path) -> None:
    numbers = np.array([-1.0, np.pi, 1e-300, 255.0])
    assert b"\\x" in OldPickler(0).dumps(numbers)
    np.testing.assert_array_equal(_old(tmp_path, numbers, 0), numbers)


@pytest.mark.parametrize(
    "name", ["chumpy.ch_ops.add", "chumpy.ch.Chain", "scipy.sparse.coo.coo_matrix", "os.system"]
)
@pytest.mark.parametrize("protocol", [0, 2])
def test_other_classes_are_refused(tmp_path: Path, name: str, protocol: int) -> None:
    with pytest.raises(InputError, match=name.replace(".", r"\.")):
        _old(tmp_path, {"v": OldObject(name, {"x": np.zeros(3)})}, protocol)


def _csc(**change: Any) -> OldObject:
    state = {
        "data": np.ones(2),
        "indices": np.array([0, 1]),
        "indptr": np.array([0, 1, 2]),
        "_shape": (2, 2),
    }
    return OldObject("scipy.sparse.csc.csc_matrix", {**state, **change})


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (_csc(_shape=(10**6, 10**6)), "shape"),
        (_csc(_shape=(2, -2)), "shape"),
        (_csc(_shape="ab"), "shape"),
        (_csc(indices=np.array([0, 2])), "outside"),
        (_csc(indices=np.array([0, -1])), "outside"),
        (_csc(indptr=np.array([0, 1, 9])), "lines"),
        (_csc(indptr=np.array([0, 2, 1])), "lines"),
        (_csc(indptr=np.array([0, 2])), "lines"),
        (_csc(data={"a": 1}), "numbers"),
        (_csc(indices=np.array([0.0, 1.0])), "places"),
        (OldObject("chumpy.ch.Ch", {}), "chumpy"),
        (OldObject("chumpy.ch.Ch", {"x": "text"}), "chumpy"),
        (OldObject("chumpy.ch.Ch", [1, 2]), "state"),
        (OldObject("chumpy.reordering.Select", {"a": np.ones(3), "idxs": np.array([3])}), "beyond"),
        (OldObject("chumpy.reordering.Select", {"a": np.ones(3), "idxs": np.array([-1])}), "beyond"),
        (
            OldObject(
                "chumpy.reordering.Select", {"a": np.ones(3), "idxs": np.array([1]), "preferred_shape": (2,)}
            ),
            "shape",
        ),
    ],
)
def test_states_that_do_not_fit(tmp_path: Path, value: Any, reason: str) -> None:
    with pytest.raises(InputError, match=reason) as error:
        _old(tmp_path, {"v": value})
    assert "\n" not in str(error.value) and "MODEL.pkl" in str(error.value)


@pytest.mark.parametrize(
    "data",
    [
        b"ccopy_reg\n_reconstructor\n(cchumpy.ch\nCh\nc__builtin__\nlist\n]tR.",  # a base with content
        b"ccopy_reg\n_reconstructor\n(c__builtin__\nobject\nc__builtin__\nobject\nNtR.",
        b"ccopy_reg\n_reconstructor\n(cos\nsystem\nc__builtin__\nobject\nNtR.",
        b"ccopy_reg\n_reconstructor\n.",
        b"cchumpy.ch\nCh\n.",
        b"cchumpy.ch\nCh\n(K\x01tR.",  # called
        b"cchumpy.ch\nCh\n)\x81.",  # without a state
        b"cchumpy.ch\nCh\n(K\x01t\x81.",  # with arguments
        b"c__builtin__\nobject\n)\x81.",
        b"cchumpy.ch\nCh\n)\x81q\x00}X\x01\x00\x00\x00xh\x00sb.",  # its own numbers
    ],
)
def test_tricks_with_objects(tmp_path: Path, data: bytes) -> None:
    with pytest.raises(InputError, match=r"MODEL\.pkl is"):
        _load(tmp_path, data)


def test_many_objects_are_not_believed(tmp_path: Path) -> None:
    big = OldObject("chumpy.reordering.Select", {"a": np.ones(1), "idxs": np.zeros(1 << 20, np.int64)})
    copies = [OldObject(big.name, dict(big.state)) for _ in range(40)]
    with pytest.raises(InputError, match="large beyond reason"):
        _old(tmp_path, copies)
