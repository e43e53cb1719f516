"""Objects of scipy and chumpy in a pickle: their states are read, and a plain array is made of each.

Model files of hands and bodies hold sparse matrices and expressions of chumpy, a library of symbolic arrays that no
longer installs. Neither is imported. A class here is a name and a function of our own that makes an array of the
state that pickling writes for it.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dexman_pose.data.pickles.values import ClassName, Forbidden

MAX_DENSE = 1 << 22
"""Most entries of a sparse matrix that is written out."""

_Settle = Callable[[Any], Any]


@dataclass(frozen=True)
class ObjectClass(ClassName):
    """A class whose objects become arrays.

    Attributes:
        name: as the file spells it.
        evaluate: makes the array of a state; the second argument settles a part of it.
    """

    name: str = ""
    evaluate: Callable[[dict[str, Any], _Settle], NDArray[Any]] | None = None


class PendingObject:
    """An object that has been announced, and its state once it has come."""

    __slots__ = ("kind", "state")

    def __init__(self, kind: ObjectClass) -> None:
        self.kind = kind
        self.state: dict[str, Any] | None = None

    def build(self, state: Any) -> None:
        """Take the dict of attributes that pickling writes."""
        if type(state) is tuple and len(state) == 2 and state[1] is None:
            state = state[0]
        if type(state) is not dict:
            raise Forbidden(f"a {self.kind.name} whose state is a {type(state).__name__}")
        self.state = state

    def evaluated(self, settle: _Settle) -> NDArray[Any]:
        """The array that the object stands for."""
        if self.state is None or self.kind.evaluate is None:
            raise Forbidden(f"a {self.kind.name} without content")
        return self.kind.evaluate(self.state, settle)


def new_object(kind: Any, base: Any = None, state: Any = None) -> PendingObject:
    """What announces an object of a known class; ``base`` and ``state`` say that nothing was inherited."""
    plain = base is None or base is _OBJECT
    if not isinstance(kind, ObjectClass) or kind.evaluate is None or not plain or state is not None:
        raise Forbidden("an object of a class that holds no numbers")
    return PendingObject(kind)


def _array(value: Any, what: str, kinds: str = "biuf") -> NDArray[Any]:
    array = np.asarray(value) if isinstance(value, (np.ndarray, np.generic, int, float)) else None
    if array is None or array.dtype.kind not in kinds:
        raise Forbidden(f"{what} that is a {type(value).__name__}")
    return array


def _shape(value: Any, what: str) -> tuple[int, ...]:
    sizes = value.tolist() if isinstance(value, np.ndarray) and value.ndim == 1 else value
    if not isinstance(sizes, (tuple, list)) or len(sizes) > 4:
        raise Forbidden(f"{what} of shape {value!r:.40}")
    if any(isinstance(n, bool) or not isinstance(n, (int, np.integer)) or n < 0 for n in sizes):
        raise Forbidden(f"{what} of shape {value!r:.40}")
    return tuple(map(int, sizes))


def _ch(state: dict[str, Any], settle: _Settle) -> NDArray[Any]:
    """An array of chumpy: its numbers are ``x``."""
    return _array(settle(state.get("x")), "an array of chumpy")


def _select(state: dict[str, Any], settle: _Settle) -> NDArray[Any]:
    """Entries ``idxs`` of the flattened ``a``, in the shape ``preferred_shape``."""
    source = _array(settle(state.get("a")), "a selection of chumpy").ravel()
    chosen = _array(settle(state.get("idxs")), "places of a selection", "iu").ravel()
    shape = _shape(settle(state.get("preferred_shape", (len(chosen),))), "a selection")
    if math.prod(shape) != len(chosen):
        raise Forbidden(f"a selection of {len(chosen)} numbers in the shape {shape}")
    if len(chosen) and not (int(chosen.min()) >= 0 and int(chosen.max()) < len(source)):
        raise Forbidden(f"a selection that looks beyond its {len(source)} numbers")
    return source[chosen].reshape(shape)


def _sparse(by_columns: bool) -> Callable[[dict[str, Any], _Settle], NDArray[Any]]:
    """Compressed columns, or rows, written out; entries of one place add up, as in scipy."""

    def evaluate(state: dict[str, Any], settle: _Settle) -> NDArray[Any]:
        shape = _shape(settle(state.get("_shape", state.get("shape"))), "a sparse matrix")
        if len(shape) != 2 or math.prod(shape) > MAX_DENSE:
            raise Forbidden(f"a sparse matrix of shape {shape}")
        data = _array(settle(state.get("data")), "numbers of a sparse matrix").ravel()
        minor = _array(settle(state.get("indices")), "places of a sparse matrix", "iu").ravel()
        starts = (
            _array(settle(state.get("indptr")), "lines of a sparse matrix", "iu").ravel().astype(np.int64)
        )
        lines, width = (shape[1], shape[0]) if by_columns else shape
        counts = np.diff(starts)
        told = len(starts) == lines + 1 and starts[0] == 0 and (counts >= 0).all()
        if not told or starts[-1] > min(len(data), len(minor)):
            raise Forbidden("a sparse matrix whose lines do not fit its numbers")
        used = int(starts[-1])
        minor = minor[:used].astype(np.int64)
        if used and not (minor.min() >= 0 and minor.max() < width):
            raise Forbidden("a sparse matrix with numbers outside of it")
        dense = np.zeros((lines, width), data.dtype if data.dtype.kind == "f" else np.float64)
        np.add.at(dense, (np.repeat(np.arange(lines), counts), minor), data[:used])
        return dense.T if by_columns else dense

    return evaluate


_OBJECT = ObjectClass(name="object")

OBJECT_CLASSES: dict[tuple[str, str], ObjectClass] = {
    **{(module, "object"): _OBJECT for module in ("builtins", "__builtin__")},
    ("chumpy.ch", "Ch"): ObjectClass(name="chumpy.ch.Ch", evaluate=_ch),
    ("chumpy.reordering", "Select"): ObjectClass(name="chumpy.reordering.Select", evaluate=_select),
    **{
        (f"scipy.sparse.{old}{form}", f"{form}_{kind}"): ObjectClass(
            name=f"scipy.sparse.{form}_{kind}", evaluate=_sparse(form == "csc")
        )
        for old in ("", "_")
        for form in ("csc", "csr")
        for kind in ("matrix", "array")
    },
}
"""Classes whose objects are made into arrays, by module and name; ``object``, which some are said to derive from."""

RECONSTRUCTORS: tuple[tuple[str, str], ...] = (
    ("copy_reg", "_reconstructor"),
    ("copyreg", "_reconstructor"),
)
"""Names that stand for :func:`new_object`."""
