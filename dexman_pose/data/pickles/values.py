"""What a pickle may hold beside plain containers: numpy arrays and torch tensors, made here and by nothing else.

None of the named functions is imported or called: every name stands for a function of this file that checks what it
is given and copies bytes. Tensors become numpy arrays in main memory wherever they were saved from.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

MAX_ELEMENTS = 1 << 26
"""No array of a dataset's pickle comes near; a file that claims more is refused before memory is asked for."""


class Forbidden(Exception):
    """A value that no file of a dataset needs."""


class PendingArray:
    """An array that has been announced and whose content follows, or a dtype whose byte order follows.

    An array without axes that holds one Python value, as ``np.save`` of a dict writes it, stands for that value.
    """

    __slots__ = ("content", "dtype", "is_dtype", "value")

    def __init__(self, dtype: np.dtype[Any] | None = None) -> None:
        self.dtype = dtype
        self.is_dtype = dtype is not None
        self.value: NDArray[Any] | None = None
        self.content: list[Any] | None = None  # of an array without axes that holds one Python value

    def settled(self) -> NDArray[Any]:
        """The array, once its content has come."""
        if self.value is None:
            raise Forbidden("a dtype" if self.is_dtype else "an array without content")
        return self.value

    def build(self, state: Any) -> None:
        """Take the state that pickling an array or a dtype writes."""
        if not isinstance(state, tuple):
            raise Forbidden("an array whose state is no tuple")
        if self.is_dtype:
            self._set_order(state)
        else:
            self._fill(state)

    def _set_order(self, state: tuple[Any, ...]) -> None:
        """Version, byte order, then what only records and sub-arrays have."""
        assert self.dtype is not None
        if len(state) < 5 or state[1] not in ("<", ">", "|", "=") or state[2:5] != (None, None, None):
            raise Forbidden("an array of records")
        self.dtype = self.dtype.newbyteorder(state[1])

    def _fill(self, state: tuple[Any, ...]) -> None:
        *_, shape, dtype, fortran, raw = (None, *state)
        if isinstance(dtype, PendingArray) and dtype.dtype is not None and dtype.dtype.hasobject:
            if shape != () or type(raw) is not list or len(raw) != 1:
                raise Forbidden("an array of Python objects")
            self.content = raw
            return
        self.value = array_from_bytes(raw, dtype, shape, "F" if fortran else "C")


@dataclass(frozen=True)
class ClassName:
    """A class by its name: nothing to call.

    Attributes:
        dtype: of the numbers of a torch storage; None for other classes.
        is_bfloat16: they are the upper halves of float32.
    """

    dtype: np.dtype[Any] | None = None
    is_bfloat16: bool = False


@dataclass
class Storage:
    """The numbers a tensor looks at; None while only announced."""

    kind: ClassName
    count: int
    numbers: NDArray[Any] | None = None


def raw_bytes(value: Any) -> bytes:
    """Bytes, or the text that Python 2 and old protocols write them as."""
    if isinstance(value, str):
        return value.encode("latin-1")
    if isinstance(value, (bytes, bytearray)):
        return bytes(value)
    raise Forbidden(f"an array whose content is a {type(value).__name__}")


def array_from_bytes(raw: Any, dtype: Any, shape: Any, order: Any = "C") -> NDArray[Any]:
    """An array whose size agrees with its bytes; a read-only look at them, so that repeating it costs nothing."""
    if not isinstance(dtype, PendingArray) or dtype.dtype is None or order not in ("C", "F"):
        raise Forbidden("an array without a plain dtype")
    if dtype.dtype.hasobject:
        raise Forbidden("an array without a plain dtype")
    sizes = _sizes(shape)
    data = raw_bytes(raw)
    if math.prod(sizes) * dtype.dtype.itemsize != len(data):
        raise Forbidden(f"an array of shape {sizes} and {dtype.dtype} with {len(data)} bytes")
    return np.frombuffer(data, dtype.dtype).reshape(sizes, order=order)


def _sizes(value: Any) -> tuple[int, ...]:
    sizes = (value,) if isinstance(value, int) else value
    if not isinstance(sizes, (tuple, list)) or len(sizes) > 32:
        raise Forbidden("an array whose shape is no tuple")
    if any(isinstance(n, bool) or not isinstance(n, int) or n < 0 for n in sizes):
        raise Forbidden(f"an array of shape {tuple(sizes)!r:.80}")
    if math.prod(sizes) > MAX_ELEMENTS:
        raise Forbidden(f"an array of shape {tuple(sizes)!r:.80}, larger than any file of a dataset")
    return tuple(sizes)


def _dtype(name: Any, *_: Any) -> PendingArray:
    try:
        dtype = np.dtype(name) if isinstance(name, str) and len(name) < 16 else None
    except TypeError:
        dtype = None
    if dtype is None or dtype.kind not in "biufcSUO" or dtype.fields is not None or dtype.shape:
        raise Forbidden(f"an array of dtype {name!r:.40}")
    return PendingArray(dtype)


def _scalar(dtype: Any, raw: Any = b"") -> Any:
    return array_from_bytes(raw, dtype, ())[()]


def _tensor(storage: Any, offset: Any, size: Any, stride: Any, *_: Any) -> NDArray[Any] | None:
    """A strided look at a storage, bounds checked; None while the storage is only announced."""
    if not isinstance(storage, Storage):
        raise Forbidden("a tensor without its storage")
    if storage.numbers is None:
        return None
    sizes, strides, numbers = _sizes(size), _sizes_of_strides(stride), storage.numbers
    if len(sizes) != len(strides) or isinstance(offset, bool) or not isinstance(offset, int) or offset < 0:
        raise Forbidden("a tensor whose sizes and strides differ in number")
    last = offset + sum((n - 1) * s for n, s in zip(sizes, strides))
    if 0 in sizes:
        return np.zeros(sizes, numbers.dtype)
    if last >= len(numbers):
        raise Forbidden(
            f"a tensor of shape {sizes} that looks beyond the {len(numbers)} numbers of its storage"
        )
    step = numbers.dtype.itemsize
    return np.lib.stride_tricks.as_strided(
        numbers[offset:], sizes, tuple(s * step for s in strides), writeable=False
    )


def _sizes_of_strides(value: Any) -> tuple[int, ...]:
    if not isinstance(value, (tuple, list)) or any(not isinstance(n, int) or n < 0 for n in value):
        raise Forbidden("a tensor whose strides are no numbers")
    return tuple(value)


def _same(value: Any = None, *_: Any) -> Any:
    return value


def _encode(text: Any, encoding: Any = "latin1") -> bytes:
    if not isinstance(text, str) or encoding not in ("latin1", "latin-1", "utf-8", "ascii"):
        raise Forbidden("an encoding other than latin1")
    return text.encode(encoding)


def _bytes(value: Any = b"", encoding: Any = "latin1") -> bytes:
    if isinstance(value, (bytes, bytearray)):
        return bytes(value)
    return _encode(value, encoding)


def _items(value: Any) -> Any:
    if not isinstance(value, (list, tuple, set, frozenset)):
        raise Forbidden("a container made of something else than a list")
    return value


def _complex(real: Any = 0.0, imaginary: Any = 0.0) -> complex:
    if not isinstance(real, (int, float)) or not isinstance(imaginary, (int, float)):
        raise Forbidden("a complex number that is none")
    return complex(real, imaginary)


def _dict(items: Any = ()) -> dict[Any, Any]:
    return {hashable(k): v for k, v in (_items(pair) for pair in _items(items))}


def hashable(key: Any) -> Any:
    """A key of a dict or member of a set: only plain ones, whose hash cannot be made to recurse."""
    if key is None or isinstance(key, (str, bytes, int, float, complex)):
        return key
    raise Forbidden(f"a {type(key).__name__} as a key")


def new_array(*_: Any) -> PendingArray:
    """What announces an array; its arguments only say that it is empty so far."""
    return PendingArray()


_NUMPY_CORES = ("numpy.core", "numpy._core")
_BUILTINS = ("builtins", "__builtin__")
_KINDS: dict[str, str] = {
    "Double": "<f8",
    "Float": "<f4",
    "Half": "<f2",
    "Long": "<i8",
    "Int": "<i4",
    "Short": "<i2",
    "Char": "<i1",
    "Byte": "<u1",
    "Bool": "?",
}

CLASSES: dict[tuple[str, str], ClassName] = {
    ("numpy", "ndarray"): ClassName(),
    **{("torch", f"{name}Storage"): ClassName(np.dtype(code)) for name, code in _KINDS.items()},
    ("torch", "BFloat16Storage"): ClassName(np.dtype("<u2"), True),
}
"""Names that stand for a class and are not called."""

MAKERS: dict[tuple[str, str], Callable[..., Any]] = {
    ("numpy", "dtype"): _dtype,
    **{(f"{core}.multiarray", "_reconstruct"): new_array for core in _NUMPY_CORES},
    **{(f"{core}.multiarray", "scalar"): _scalar for core in _NUMPY_CORES},
    **{(f"{core}.numeric", "_frombuffer"): array_from_bytes for core in _NUMPY_CORES},
    ("torch._utils", "_rebuild_tensor"): _tensor,
    ("torch._utils", "_rebuild_tensor_v2"): _tensor,
    ("torch._utils", "_rebuild_parameter"): _same,
    ("torch", "Size"): lambda items=(): tuple(_items(items)),
    ("_codecs", "encode"): _encode,
    ("collections", "OrderedDict"): _dict,
    **{(module, "bytes"): _bytes for module in _BUILTINS},
    **{(module, "bytearray"): lambda *a: bytearray(_bytes(*a)) for module in _BUILTINS},
    **{(module, "complex"): _complex for module in _BUILTINS},
    **{(module, "list"): lambda items=(): list(_items(items)) for module in _BUILTINS},
    **{(module, "tuple"): lambda items=(): tuple(_items(items)) for module in _BUILTINS},
    **{(module, "dict"): _dict for module in _BUILTINS},
    **{(module, "set"): lambda items=(): {hashable(i) for i in _items(items)} for module in _BUILTINS},
    **{
        (module, "frozenset"): lambda items=(): frozenset(hashable(i) for i in _items(items))
        for module in _BUILTINS
    },
}
"""Names that may be called, and what is called in their place."""
