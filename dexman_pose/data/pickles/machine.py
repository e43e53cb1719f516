"""A stack machine for pickles that makes values itself and calls nothing.

A pickle is a program for a stack machine, and Python's own machine imports and calls whatever the program names. The
one here knows no import and no call: it keeps a table of some forty names (containers, numpy arrays, torch tensors,
sparse matrices, arrays of chumpy) and makes those values itself (:mod:`dexman_pose.data.pickles.values`,
:mod:`dexman_pose.data.pickles.objects`); any other name, and every operation that could make an object of another
class, ends the reading. Tensors saved from a GPU become numpy arrays.
"""

from __future__ import annotations

import codecs
import io
import pickletools
import re
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dexman_pose.data.pickles.objects import OBJECT_CLASSES, RECONSTRUCTORS, PendingObject, new_object
from dexman_pose.data.pickles.values import (
    CLASSES,
    MAKERS,
    ClassName,
    Forbidden,
    PendingArray,
    Storage,
    hashable,
    raw_bytes,
)

MAX_BYTES = 1 << 26
MAX_DEPTH = 64
"""Containers in containers, at most."""
_MAX_MADE = 1 << 29
_MAX_EVALUATED = 1 << 28
_TORCH_MAGIC = 0x1950A86A20F9469CFC6C  # first of the pickles of a file that torch.save wrote before its 1.6
_MARK = object()
_UNKNOWN_ESCAPE = re.compile(rb"(?<!\\)(?:\\\\)*\\(?![\\x'\"nrt])")
"""A backslash, itself not escaped, before what Python 2 never wrote there."""
_OPCODES = {opcode.code: opcode for opcode in pickletools.opcodes}


@dataclass(frozen=True)
class _Maker:
    """A name that may be called."""

    name: str
    make: Callable[..., Any]


class Machine:
    """One run over one pickle; the stream is left behind its last byte.

    Args:
        stream: positioned at the first byte.
        storages: where tensors of a torch archive find their numbers, filled in by :func:`archive`.
    """

    def __init__(self, stream: io.BytesIO, storages: dict[str, Storage] | None = None) -> None:
        self.stream, self.storages = stream, storages
        self.stack: list[Any] = []
        self.memo: dict[int, Any] = {}
        self.made = 0  # bytes copied by makers: a small file can ask for the same thing many times

    def run(self, *, settle: bool = True) -> Any:
        """The value that the pickle makes; with ``settle`` False announced arrays are left as they are."""
        for name, arg in _operations(self.stream):
            if name in _CONSTANTS:
                self.stack.append(_CONSTANTS[name])
            elif name in _LITERALS:
                self.stack.append(arg)
            elif name in _OPERATIONS:
                _OPERATIONS[name](self, arg)
            elif name == "STOP":
                value = self.pop()
                return settled(value) if settle else value
            elif name not in ("PROTO", "FRAME"):
                raise Forbidden(f"the operation {name}" + (f" of {arg!r:.80}" if arg is not None else ""))
        raise ValueError("it has no end")

    def pop(self) -> Any:
        value = self.stack.pop()
        if value is _MARK:
            raise ValueError("a mark where a value should be")
        return value

    def drop(self, *, marked: bool = False) -> None:
        if marked:
            self.marked()
        else:
            self.stack.pop()

    def top(self, kind: type) -> Any:
        value = self.stack[-1]
        if type(value) is not kind:
            raise ValueError(f"a {type(value).__name__} where a {kind.__name__} should be")
        return value

    def marked(self) -> list[Any]:
        """What lies above the last mark."""
        start = len(self.stack) - 1
        while self.stack[start] is not _MARK:
            start -= 1
            if start < 0:
                raise ValueError("no mark where one should be")
        items = self.stack[start + 1 :]
        del self.stack[start:]
        return items

    def pairs(self, into: dict[Any, Any], items: list[Any]) -> None:
        if len(items) % 2:
            raise ValueError("a key without a value")
        for key, value in zip(items[::2], items[1::2]):
            into[hashable(key)] = value

    def set_items(self) -> None:
        items = self.marked()
        self.pairs(self.top(dict), items)

    def set_item(self) -> None:
        value, key = self.pop(), self.pop()
        self.pairs(self.top(dict), [key, value])

    def append(self, items: list[Any]) -> None:
        self.top(list).extend(items)

    def add(self, items: list[Any]) -> None:
        self.top(set).update(hashable(item) for item in items)

    def new_dict(self) -> None:
        made: dict[Any, Any] = {}
        self.pairs(made, self.marked())
        self.stack.append(made)

    def tuple_of(self, count: int) -> None:
        items = [self.pop() for _ in range(count)]
        self.stack.append(tuple(reversed(items)))

    def named(self, module: Any, name: Any) -> None:
        key = (module, name)
        if key in MAKERS:
            self.stack.append(_Maker(f"{module}.{name}", MAKERS[key]))
        elif key in CLASSES:
            self.stack.append(CLASSES[key])
        elif key in OBJECT_CLASSES:
            self.stack.append(OBJECT_CLASSES[key])
        elif key in RECONSTRUCTORS:
            self.stack.append(_Maker(f"{module}.{name}", new_object))
        elif key == ("torch.storage", "_load_from_bytes"):
            self.stack.append(_Maker(f"{module}.{name}", _embedded))
        else:
            raise Forbidden(f"{module!s:.80}.{name!s:.80}")

    def stack_global(self) -> None:
        name, module = self.pop(), self.pop()
        self.named(module, name)

    def reduce(self) -> None:
        args, maker = self.pop(), self.pop()
        if not isinstance(maker, _Maker) or type(args) is not tuple:
            raise Forbidden(f"a call of a {type(maker).__name__}")
        made = maker.make(*args)
        self.made += _size(made)
        if self.made > _MAX_MADE:
            raise MemoryError
        self.stack.append(made)

    def new_object(self) -> None:
        args, kind = self.pop(), self.pop()
        if args != ():
            raise Forbidden(f"an object made of {args!r:.40}")
        self.stack.append(new_object(kind))

    def build(self) -> None:
        state, value = self.pop(), self.stack[-1]
        if not isinstance(value, (PendingArray, PendingObject)):
            raise Forbidden(f"a {type(value).__name__} with a state")
        value.build(state)

    def persistent(self, pid: Any) -> None:
        """A storage of a torch archive: ('storage', class, key, device, count, view)."""
        if self.storages is None or type(pid) is not tuple or len(pid) < 5 or pid[0] != "storage":
            raise Forbidden("a reference to something outside it")
        _, kind, key, _, count, *view = pid
        known = isinstance(kind, ClassName) and kind.dtype is not None
        if not known or not isinstance(count, int) or any(v is not None for v in view):
            raise Forbidden("a storage of an unknown kind")
        self.stack.append(self.storages.setdefault(str(key), Storage(kind, count)))

    def memoize(self, index: int) -> None:
        self.memo[index] = self.stack[-1]


def settled(value: Any) -> Any:
    """The same value with every announced array replaced by the array; shared parts stay shared."""
    return _Settling().of(value, 0)


class _Settling:
    """One pass over a value; remembers what is done, and how much was made of sparse and selected numbers."""

    def __init__(self) -> None:
        self.done: dict[int, Any] = {}
        self.made = 0

    def of(self, value: Any, depth: int) -> Any:
        """The value itself, or what an announced one has become."""
        if depth > MAX_DEPTH:
            raise RecursionError
        if isinstance(value, PendingArray):
            return self.of(value.content[0], depth + 1) if value.content else value.settled()
        if isinstance(value, (_Maker, ClassName, Storage)) or value is _MARK:
            raise Forbidden("a class or function as a value")
        if not isinstance(value, (list, tuple, dict, PendingObject)):
            return value
        if id(value) not in self.done:
            self.done[id(value)] = self._made(value, depth + 1)
        return self.done[id(value)]

    def _made(self, value: Any, depth: int) -> Any:
        if isinstance(value, PendingObject):
            array = value.evaluated(lambda part: self.of(part, depth))
            self.made += array.nbytes
            if self.made > _MAX_EVALUATED:
                raise MemoryError
            return array
        if isinstance(value, dict):
            return {k: self.of(v, depth) for k, v in value.items()}
        return type(value)(self.of(v, depth) for v in value)


def _operations(stream: io.BytesIO) -> Iterator[tuple[str, Any]]:
    """Names and arguments of a pickle's operations up to its end.

    ``pickletools.genops`` does the same, but refuses texts of Python 2 that hold bytes of arrays.
    """
    while True:
        code = stream.read(1)
        opcode = _OPCODES.get(code.decode("latin-1"))
        if opcode is None:
            raise ValueError("it has no end" if not code else f"operation {code!r} is unknown")
        if opcode.name == "STRING":
            yield opcode.name, _old_text(stream)
        else:
            yield opcode.name, None if opcode.arg is None else opcode.arg.reader(stream)
        if opcode.name == "STOP":
            return


def _old_text(stream: io.BytesIO) -> str:
    """A quoted, escaped text of protocol 0; every byte is one character."""
    line = stream.readline()
    quoted = line[:-1]
    if line[-1:] != b"\n" or len(quoted) < 2 or quoted[:1] not in (b"'", b'"') or quoted[-1:] != quoted[:1]:
        raise ValueError("a text without its quotes")
    if _UNKNOWN_ESCAPE.search(quoted):
        raise ValueError("a text with an unknown escape")
    raw, _ = codecs.escape_decode(quoted[1:-1])
    return str(raw, "latin-1")


def _size(value: Any) -> int:
    """Bytes a maker has copied, roughly."""
    if isinstance(value, Storage):
        return int(getattr(value.numbers, "nbytes", 0))
    if isinstance(value, (bytes, bytearray)):
        return len(value)
    return 8 * len(value) if isinstance(value, (list, tuple, dict, set, frozenset)) else 64


def is_magic(value: Any) -> bool:
    return isinstance(value, int) and value == _TORCH_MAGIC


def _embedded(data: Any) -> Storage:
    """A storage inside a pickle: a small archive of its own, whose value is the storage."""
    stream = io.BytesIO(raw_bytes(data))
    if not is_magic(Machine(stream).run()):
        raise Forbidden("an embedded value that torch did not write")
    value = archive(stream, settle=False)
    if not isinstance(value, Storage) or value.numbers is None:
        raise Forbidden("an embedded value that is no storage")
    return value


def archive(stream: io.BytesIO, *, settle: bool = True) -> Any:
    """What follows the magic number in a file that torch.save wrote before torch 1.6, and in every pickled tensor.

    Version, sizes of types, the value, the storages' keys, then their numbers one after the other. The value is read
    twice: its tensors can be made only when the numbers are known.
    """
    Machine(stream).run()
    system = Machine(stream).run()
    if not isinstance(system, dict) or system.get("little_endian") is not True:
        raise Forbidden("numbers of a big-endian machine")
    start, storages = stream.tell(), dict[str, Storage]()
    Machine(stream, storages).run(settle=False)
    for key in Machine(stream).run():
        storages[str(key)].numbers = _numbers(stream, storages[str(key)])
    stream.seek(start)
    return Machine(stream, storages).run(settle=settle)


def _numbers(stream: io.BytesIO, storage: Storage) -> NDArray[Any]:
    (count,) = struct.unpack("<q", stream.read(8))
    dtype = np.dtype(storage.kind.dtype)
    raw = stream.read(max(0, min(count, MAX_BYTES)) * dtype.itemsize)
    if count != storage.count or len(raw) != count * dtype.itemsize:
        raise ValueError(f"a storage of {storage.count} numbers holds {len(raw)} bytes")
    numbers: NDArray[Any] = np.frombuffer(raw, dtype)
    if storage.kind.is_bfloat16:
        numbers = (numbers.astype("<u4") << 16).view("<f4")
    return numbers


_CONSTANTS: dict[str, Any] = {
    "MARK": _MARK,
    "NONE": None,
    "NEWTRUE": True,
    "NEWFALSE": False,
    "EMPTY_TUPLE": (),
}
_NUMBERS = ("INT", "BININT", "BININT1", "BININT2", "LONG", "LONG1", "LONG4", "FLOAT", "BINFLOAT")
_TEXTS = (
    "STRING",
    "BINSTRING",
    "SHORT_BINSTRING",
    "UNICODE",
    "BINUNICODE",
    "SHORT_BINUNICODE",
    "BINUNICODE8",
)
_LITERALS = frozenset((*_NUMBERS, *_TEXTS, "BINBYTES", "SHORT_BINBYTES", "BINBYTES8", "BYTEARRAY8"))
_OPERATIONS: dict[str, Callable[[Machine, Any], None]] = {
    "POP": lambda m, _: m.drop(),
    "POP_MARK": lambda m, _: m.drop(marked=True),
    "DUP": lambda m, _: m.stack.append(m.stack[-1]),
    "TUPLE": lambda m, _: m.stack.append(tuple(m.marked())),
    "TUPLE1": lambda m, _: m.tuple_of(1),
    "TUPLE2": lambda m, _: m.tuple_of(2),
    "TUPLE3": lambda m, _: m.tuple_of(3),
    "EMPTY_LIST": lambda m, _: m.stack.append([]),
    "LIST": lambda m, _: m.stack.append(m.marked()),
    "APPEND": lambda m, _: m.append([m.pop()]),
    "APPENDS": lambda m, _: m.append(m.marked()),
    "EMPTY_DICT": lambda m, _: m.stack.append({}),
    "DICT": lambda m, _: m.new_dict(),
    "SETITEM": lambda m, _: m.set_item(),
    "SETITEMS": lambda m, _: m.set_items(),
    "EMPTY_SET": lambda m, _: m.stack.append(set()),
    "ADDITEMS": lambda m, _: m.add(m.marked()),
    "FROZENSET": lambda m, _: m.stack.append(frozenset(hashable(i) for i in m.marked())),
    "PUT": lambda m, arg: m.memoize(arg),
    "BINPUT": lambda m, arg: m.memoize(arg),
    "LONG_BINPUT": lambda m, arg: m.memoize(arg),
    "MEMOIZE": lambda m, _: m.memoize(len(m.memo)),
    "GET": lambda m, arg: m.stack.append(m.memo[arg]),
    "BINGET": lambda m, arg: m.stack.append(m.memo[arg]),
    "LONG_BINGET": lambda m, arg: m.stack.append(m.memo[arg]),
    "GLOBAL": lambda m, arg: m.named(*arg.split(" ", 1)),
    "STACK_GLOBAL": lambda m, _: m.stack_global(),
    "REDUCE": lambda m, _: m.reduce(),
    "NEWOBJ": lambda m, _: m.new_object(),
    "BUILD": lambda m, _: m.build(),
    "BINPERSID": lambda m, _: m.persistent(m.pop()),
}
