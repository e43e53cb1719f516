"""Pickles of numbers come back as they were; pickles that would run something do not."""

from __future__ import annotations

import io
import os
import pickle
import struct
import tracemalloc
from collections import OrderedDict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from dexman_pose.data.pickles.load import load_pickle
from dexman_pose.errors import InputError


def _load(tmp_path: Path, data: bytes) -> Any:
    path = tmp_path / "left_hand.pkl"
    path.write_bytes(data)
    return load_pickle(path)


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_containers_and_scalars(tmp_path: Path, protocol: int) -> None:
    value = {
        "a": [1, -(2**40), 2.5, True, None, "wörd", b"\x00\xff", 10**30],
        "b": (1, (2,), ()),
        3: {"x", 4},
        "c": frozenset({1}),
        "d": bytearray(b"ab"),
        "e": 1 + 2j,
        "f": OrderedDict([("k", 1)]),
        "g": (1, 2, 3, 4, 5),
        "h": [],
        "i": b"",
    }
    assert _load(tmp_path, pickle.dumps(value, protocol)) == value


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize("old", [False, True])
def test_arrays_of_both_numpy_spellings(tmp_path: Path, protocol: int, old: bool) -> None:
    arrays = [
        np.arange(24, dtype=np.float32).reshape(2, 3, 4),
        np.asfortranarray(np.arange(6.0).reshape(2, 3)),
        np.arange(5, dtype=">i4"),
        np.zeros((0, 3)),
        np.array([True, False]),
        np.array(["ab", "c"]),
        np.array(7.5),
    ]
    data = pickle.dumps({"arrays": arrays, "s": np.float64(2.5), "i": np.int32(-4)}, protocol)
    if old:  # as numpy 1 spells it; framed and counted strings need their lengths mended
        data = data.replace(b"\x8c\x16numpy._core.multiarray", b"\x8c\x15numpy.core.multiarray")
        data = data.replace(b"\x8c\x13numpy._core.numeric", b"\x8c\x12numpy.core.numeric")
        data = data.replace(b"cnumpy._core.", b"cnumpy.core.")
    found = _load(tmp_path, data)
    for a, b in zip(found["arrays"], arrays):
        np.testing.assert_array_equal(a, b)
        assert a.dtype == b.dtype and type(a) is np.ndarray
    assert found["s"] == 2.5 and found["s"].dtype == np.float64 and found["i"] == -4


@pytest.mark.parametrize("protocol", range(1, pickle.HIGHEST_PROTOCOL + 1))
def test_tensors(tmp_path: Path, protocol: int) -> None:
    base = torch.arange(12, dtype=torch.float32).reshape(3, 4)
    value = {
        "plain": base,
        "turned": base.T,
        "part": base[1:, 2],
        "double": torch.tensor([1.5], dtype=torch.float64),
        "whole": torch.tensor([-3]),
        "half": torch.tensor([0.5, 3.0], dtype=torch.bfloat16),
        "gradient": torch.nn.Parameter(torch.ones(2)),
        "scalar": torch.tensor(2.0),
        "none": torch.zeros(0, 3),
    }
    found = _load(tmp_path, pickle.dumps(value, protocol))
    for name, tensor in value.items():
        assert isinstance(found[name], np.ndarray)
        np.testing.assert_array_equal(found[name], tensor.detach().float().numpy())


@pytest.mark.parametrize("zipped", [False, True])
def test_files_of_torch_save(tmp_path: Path, zipped: bool) -> None:
    shared = torch.arange(6.0)
    path = tmp_path / "shape.pkl"
    held = {"a": shared[2:], "b": [shared, 3], "h": torch.ones(1, dtype=torch.bfloat16)}
    torch.save(held, path, _use_new_zipfile_serialization=zipped)
    found: Any = load_pickle(path)
    np.testing.assert_array_equal(found["a"], [2, 3, 4, 5])
    np.testing.assert_array_equal(found["b"][0], np.arange(6.0))
    assert found["b"][1] == 3 and found["h"] == 1.0


def test_tensor_of_a_gpu_becomes_an_array(tmp_path: Path) -> None:
    stream = io.BytesIO()
    torch.save(torch.arange(4.0), stream, _use_new_zipfile_serialization=False)
    data = stream.getvalue().replace(b"X\x03\x00\x00\x00cpu", b"X\x06\x00\x00\x00cuda:0")
    assert b"cuda:0" in data
    np.testing.assert_array_equal(_load(tmp_path, data), np.arange(4.0))


class _Call:
    """A pickle of it calls something when it is read by Python's own machine."""

    def __init__(self, function: Any, *args: Any) -> None:
        self.reduced = (function, args)

    def __reduce__(self) -> Any:
        return self.reduced


def _touch(path: str) -> None:
    Path(path).touch()


@pytest.mark.parametrize("protocol", [0, 2, 4, 5])
@pytest.mark.parametrize("kind", ["system", "eval", "exec", "import", "getattr", "open", "nested", "torch"])
def test_nothing_is_run(tmp_path: Path, protocol: int, kind: str) -> None:
    mark = tmp_path / "run"
    code = f"open({str(mark)!r}, 'w').close()"
    calls: dict[str, Any] = {
        "system": _Call(os.system, f"touch {mark}"),
        "eval": _Call(eval, code),
        "exec": _Call(exec, code),
        "import": _Call(__import__, "os"),
        "getattr": _Call(getattr, OrderedDict(), "pop"),
        "open": _Call(open, str(mark), "w"),
        "nested": {"00001": {"hand_pose": [np.zeros(3), _Call(os.system, f"touch {mark}")]}},
        "torch": _Call(torch.load, str(mark)),
    }
    names = {"system": "posix.system", "nested": "posix.system", "torch": "torch.serialization.load"}
    with pytest.raises(InputError, match=r"left_hand\.pkl is not read") as error:
        _load(tmp_path, pickle.dumps(calls[kind], protocol))
    builtin = "__import__" if kind == "import" else kind
    assert names.get(kind, f".{builtin}") in str(error.value) and "\n" not in str(error.value)
    assert not mark.exists()


def _global(name: bytes) -> bytes:
    return b"c" + name.replace(b".", b"\n", name.count(b".")) + b"\n"


@pytest.mark.parametrize(
    "data",
    [
        b"\x80\x04\x8c\x08builtins\x8c\x10str.__class__.mro\x93.",  # a path of attributes
        b"\x80\x04\x8c\x15numpy.core.multiarray\x8c\x1b_reconstruct.__globals__.get\x93.",
        b"cnumpy.core.multiarray\n_reconstruct\n}X\x0c\x00\x00\x00__defaults__K\x01sb.",  # a state for a function
        b"cnumpy\nndarray\n(K\x01tR.",  # a class called
        b"ctorch\nFloatStorage\n.",  # a class as the value
        b"cnumpy\ndtype\n.",
        b"(S'touch'\nios\nsystem\n.",  # INST
        b"(cos\nsystem\nS'touch'\no.",  # OBJ
        b"\x80\x02cbuiltins\ndict\n)\x81.",  # NEWOBJ
        b"\x80\x02\x82\x01.",  # the registry of extensions
        b"]}X\x01\x00\x00\x00aK\x01sb.",  # attributes for a list
        b"cnumpy\ndtype\n(S'O8'\nI0\nI1\ntR.",  # arrays of objects
        b"}(K\x01K\x02tK\x03s.",  # a tuple as a key
        b"S'x'\nQ.",  # a persistent name without an archive
        b"ctorch.storage\n_load_from_bytes\n(Vnothing\ntR.",
    ],
)
def test_tricks_of_the_stack_machine(tmp_path: Path, data: bytes) -> None:
    with pytest.raises(InputError, match=r"left_hand\.pkl is"):
        _load(tmp_path, data)


def test_malice_inside_an_embedded_storage(tmp_path: Path) -> None:
    mark = tmp_path / "run"
    inner = pickle.dumps(_Call(os.system, f"touch {mark}"), 2)
    magic = pickle.dumps(0x1950A86A20F9469CFC6C, 2) + pickle.dumps(1001, 2)
    archive = magic + pickle.dumps({"little_endian": True}, 2) + inner
    outer = _Call(torch.storage._load_from_bytes, archive)
    for data in (pickle.dumps(outer, 4), archive):
        with pytest.raises(InputError, match=r"posix\.system"):
            _load(tmp_path, data)
    assert not mark.exists()


def test_every_cut_is_an_input_error(tmp_path: Path) -> None:
    value = {"00001": {"hand_pose": torch.zeros(4), "x": np.ones(3), "l": [1, (2, 3)]}}
    for protocol in (2, 4):
        data = pickle.dumps(value, protocol)
        for end in range(0, len(data), 7):
            with pytest.raises(InputError) as error:
                _load(tmp_path, data[:end])
            assert "\n" not in str(error.value)


def test_damaged_bytes_never_raise_anything_else(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    data = pickle.dumps({"00001": {"hand_pose": torch.zeros(4), "x": np.ones(3)}}, 4)
    for _ in range(300):
        bad = bytearray(data)
        for at in rng.integers(0, len(bad), 3):
            bad[at] = rng.integers(0, 256)
        try:
            _load(tmp_path, bytes(bad))
        except InputError as error:
            assert "\n" not in str(error)


def test_claims_of_memory_are_not_believed(tmp_path: Path) -> None:
    bombs = [
        b"\x80\x05\x96" + struct.pack("<Q", 1 << 40) + b".",  # a byte array of a terabyte
        b"\x80\x04\x8e" + struct.pack("<Q", 1 << 40) + b".",
        b"K\x01r\xff\xff\xff\x7f.",  # the last of two thousand million memo entries: allowed, and cheap
        b"cbuiltins\nbytes\n(K\xfftR.",
        b"cbuiltins\nbytearray\n(J\xff\xff\xff\x7ftR.",
    ]
    array = pickle.dumps(np.zeros(3), 2).replace(b"K\x03\x85", b"J\xff\xff\xff\x7f\x85")
    view = pickle.dumps(torch.zeros(3), 2).replace(b"K\x03\x85q", b"J\xff\xff\xff\x7f\x85q")
    many = b"Va" + b"a" * 2**20 + b"\n\x94" + b"c_codecs\nencode\n\x94" + b"h\x01h\x00\x85R0" * 600 + b"N."
    tracemalloc.start()
    for data in [*bombs, array, view, many]:
        try:
            _load(tmp_path, data)
        except InputError as error:
            assert "\n" not in str(error)
        else:
            assert data is bombs[2]
    assert tracemalloc.get_traced_memory()[1] < 1 << 27
    tracemalloc.stop()


def test_depth_and_cycles(tmp_path: Path) -> None:
    for data in (
        b"]" * 100_000 + b"a" * 99_999 + b".",
        b"]\x94h\x00a.",  # a list that holds itself
        b"N" + b"\x85" * 200_000 + b".",
    ):
        with pytest.raises(InputError, match="nested"):
            _load(tmp_path, data)


def test_sharing_is_not_unfolded(tmp_path: Path) -> None:
    value: list[Any] = [1]
    for _ in range(50):
        value = [value, value]
    found = _load(tmp_path, pickle.dumps(value, 4))
    assert found[0] is found[1]


def test_missing_empty_and_large(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        load_pickle(tmp_path / "none.pkl")
    with pytest.raises(InputError, match="cannot be read"):
        load_pickle(tmp_path)
    with pytest.raises(InputError, match="empty"):
        _load(tmp_path, b"")
    (tmp_path / "big.pkl").write_bytes(pickle.dumps(bytes(2000)))
    with pytest.raises(InputError, match="larger than 1000 bytes"):
        load_pickle(tmp_path / "big.pkl", max_bytes=1000)
