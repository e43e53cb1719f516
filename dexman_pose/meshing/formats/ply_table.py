"""The elements of a PLY file as columns: ASCII and both binary orders, lists of equal and of unequal length.

Format: Turk, "The PLY Polygon File Format" (1994). Files that end before the rows their header promises are refused.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dexman_pose.errors import MeshError

_TYPES = {
    **{
        "char": "i1",
        "int8": "i1",
        "uchar": "u1",
        "uint8": "u1",
        "short": "i2",
        "int16": "i2",
        "ushort": "u2",
    },
    **{
        "uint16": "u2",
        "int": "i4",
        "int32": "i4",
        "uint": "u4",
        "uint32": "u4",
        "float": "f4",
        "float32": "f4",
    },
    **{"double": "f8", "float64": "f8", "int64": "i8", "uint64": "u8", "long": "i8", "half": "f2"},
}
_ORDERS = {"ascii": "", "binary_little_endian": "<", "binary_big_endian": ">"}


@dataclass(frozen=True)
class Lists:
    """A column of lists: the values one after another, and where each row's begin.

    Attributes:
        values: (N,) of all rows.
        starts: (rows + 1,) the first is 0, the last N.
    """

    values: NDArray[Any]
    starts: NDArray[np.int64]


@dataclass
class _Property:
    name: str
    kind: str
    count: str | None = None  # type of the length, for lists


@dataclass
class _Element:
    name: str
    rows: int
    properties: list[_Property] = field(default_factory=list)


@dataclass
class PlyTable:
    """What a PLY file holds.

    Attributes:
        comments: in order, without the word itself.
        columns: by element and property: (rows,) arrays, or lists.
        rows: number of rows by element.
    """

    comments: list[str]
    columns: dict[str, dict[str, NDArray[Any] | Lists]]
    rows: dict[str, int]

    def column(self, element: str, *names: str) -> NDArray[Any] | None:
        """The first scalar column there is of some names, or None."""
        found = self.columns.get(element, {})
        for name in names:
            values = found.get(name)
            if isinstance(values, np.ndarray):
                return values
        return None

    def lists(self, element: str, *names: str) -> Lists | None:
        """The first column of lists there is of some names, or None."""
        found = self.columns.get(element, {})
        for name in names:
            values = found.get(name)
            if isinstance(values, Lists):
                return values
        return None


def read_table(path: Path) -> PlyTable:
    """All elements of a PLY file.

    Raises:
        MeshError: no PLY, or shorter than its header says.
    """
    data = path.read_bytes()
    order, elements, comments, start = _header(path, data)
    if sum(e.rows for e in elements if e.properties) > len(data):
        raise _short(path, max(elements, key=lambda e: e.rows), "fewer")
    table = PlyTable(comments, {}, {})
    body = _Ascii(path, data[start:]) if order == "ascii" else _Binary(path, data, start, _ORDERS[order])
    for element in elements:
        table.rows[element.name] = element.rows
        table.columns[element.name] = body.element(element)
    return table


def _header(path: Path, data: bytes) -> tuple[str, list[_Element], list[str], int]:
    """Order of bytes, elements, comments, and where the body starts."""
    if data[:3] != b"ply":
        raise MeshError(f"{path} cannot be read as PLY: it does not begin with 'ply'")
    end = data.find(b"end_header")
    stop = data.find(b"\n", end)
    if end < 0 or (stop < 0 and len(data) > end + 10):
        raise MeshError(f"{path} cannot be read as PLY: its header has no end_header")
    order, elements, comments = "", list[_Element](), list[str]()
    for line in data[:end].decode("latin-1").splitlines()[1:]:
        words = line.split()
        try:
            match words:
                case ["format", name, *_] if name in _ORDERS:
                    order = name
                case ["comment" | "obj_info", *_]:
                    comments.append(line.strip().partition(" ")[2].strip())
                case ["element", name, rows] if int(rows) >= 0:
                    elements.append(_Element(name, int(rows)))
                case ["property", "list", count, kind, name]:
                    elements[-1].properties.append(_Property(name, _TYPES[kind], _TYPES[count]))
                case ["property", kind, name]:
                    elements[-1].properties.append(_Property(name, _TYPES[kind]))
                case []:
                    pass
                case _:
                    raise ValueError
        except (ValueError, KeyError, IndexError) as error:
            raise MeshError(f"{path} cannot be read as PLY: header line {line.strip()[:80]!r}") from error
    if not order or not elements:
        raise MeshError(
            f"{path} cannot be read as PLY: its header names no {'elements' if order else 'format'}"
        )
    return order, elements, comments, stop + 1


def _short(path: Path, element: _Element, found: Any) -> MeshError:
    return MeshError(
        f"{path} is cut short: its header promises {element.rows} rows of {element.name}, but {found} are there; "
        "copy it again"
    )


class _Ascii:
    """Rows of numbers in text, one after another whatever the line ends."""

    def __init__(self, path: Path, body: bytes) -> None:
        self._path, self._at = path, 0
        self._values, self._odd = _numbers(body)

    def element(self, element: _Element) -> dict[str, NDArray[Any] | Lists]:
        """The columns of the next element."""
        if not element.properties or element.rows == 0:
            return {p.name: _empty(p) for p in element.properties}
        widths = self._row_widths(element, self._at)
        width = 0 if widths is None else sum(widths)
        if widths is not None and self._at + width * element.rows <= len(self._values):
            block = self._values[self._at : self._at + width * element.rows].reshape(element.rows, width)
            found = _fixed(element, block, widths)
            if found is not None:
                self._at += width * element.rows
                return found
        return self._varying(element)

    def _row_widths(self, element: _Element, at: int) -> list[int] | None:
        """Numbers of each property in the row that starts at a place, None where the numbers end before."""
        widths = []
        for p in element.properties:
            if p.count is None:
                widths.append(1)
            elif at < len(self._values):
                widths.append(1 + self._length(at))
            else:
                return None
            at += widths[-1]
        return widths if at <= len(self._values) else None

    def _length(self, at: int) -> int:
        value = self._values[at]
        if not (0 <= value <= len(self._values) and value == int(value)):
            raise MeshError(f"{self._path} cannot be read as PLY: {value:g} is no length of a list")
        return int(value)

    def _varying(self, element: _Element) -> dict[str, NDArray[Any] | Lists]:
        """Row by row, where the lists differ in length."""
        begin, lengths = self._at, np.zeros((element.rows, len(element.properties)), np.int64)
        for row in range(element.rows):
            widths = self._row_widths(element, self._at)
            if widths is None:
                if self._odd:
                    raise MeshError(f"{self._path} cannot be read as PLY: {self._odd!r} is no number")
                raise _short(self._path, element, row)
            lengths[row] = widths
            self._at += sum(widths)
        values = self._values[begin : self._at]
        ends = np.cumsum(lengths.reshape(-1)).reshape(lengths.shape)
        out: dict[str, NDArray[Any] | Lists] = {}
        for i, p in enumerate(element.properties):
            first = ends[:, i] - lengths[:, i]  # in the values of this element
            if p.count is None:
                out[p.name] = _typed(values[first], p.kind)
                continue
            count = lengths[:, i] - 1
            starts = np.concatenate([[0], np.cumsum(count)])
            take = np.repeat(first + 1 - starts[:-1], count) + np.arange(starts[-1])
            out[p.name] = Lists(_typed(values[take], p.kind), starts)
        return out


class _Binary:
    """Rows of bytes."""

    def __init__(self, path: Path, data: bytes, start: int, order: str) -> None:
        self._path, self._data, self._at, self._order = path, data, start, order

    def element(self, element: _Element) -> dict[str, NDArray[Any] | Lists]:
        """The columns of the next element."""
        if not element.properties or element.rows == 0:
            return {p.name: _empty(p) for p in element.properties}
        lengths = self._lengths(element)
        kind = np.dtype(
            [field for i, p in enumerate(element.properties) for field in self._fields(i, p, lengths[i])]
        )
        if kind.itemsize * element.rows <= len(self._data) - self._at:
            block = np.frombuffer(self._data, kind, element.rows, self._at)
            if all((block[f"n{i}"] == lengths[i]).all() for i, p in enumerate(element.properties) if p.count):
                self._at += kind.itemsize * element.rows
                return {
                    p.name: self._equal(block, i, p, lengths[i]) for i, p in enumerate(element.properties)
                }
        elif all(p.count is None for p in element.properties):
            raise _short(self._path, element, (len(self._data) - self._at) // kind.itemsize)
        return self._varying(element)

    def _fields(self, index: int, p: _Property, length: int) -> list[tuple[Any, ...]]:
        if p.count is None:
            return [(f"v{index}", self._order + p.kind)]
        return [(f"n{index}", self._order + p.count), (f"v{index}", self._order + p.kind, (length,))]

    def _lengths(self, element: _Element) -> list[int]:
        """Lengths of the lists of the first row."""
        at, out = self._at, []
        for p in element.properties:
            length = 1 if p.count is None else self._length(element, p, at, 0)
            out.append(length)
            at += length * np.dtype(p.kind).itemsize + (0 if p.count is None else np.dtype(p.count).itemsize)
        return out

    def _length(self, element: _Element, p: _Property, at: int, row: int) -> int:
        try:
            length = int(np.frombuffer(self._data, self._order + str(p.count), 1, at)[0])
        except ValueError as error:
            raise _short(self._path, element, row) from error
        if length < 0:
            raise MeshError(f"{self._path} cannot be read as PLY: a list of length {length}")
        if at + length * np.dtype(p.kind).itemsize > len(self._data):
            raise _short(self._path, element, row)
        return length

    def _equal(self, block: NDArray[Any], index: int, p: _Property, length: int) -> NDArray[Any] | Lists:
        values = block[f"v{index}"].astype(p.kind)
        if p.count is None:
            return values
        return Lists(values.reshape(-1), np.arange(len(block) + 1) * length)

    def _varying(self, element: _Element) -> dict[str, NDArray[Any] | Lists]:
        """Row by row, where the lists differ in length."""
        pieces: list[list[NDArray[Any]]] = [[] for _ in element.properties]
        for row in range(element.rows):
            for i, p in enumerate(element.properties):
                length = 1
                if p.count is not None:
                    length = self._length(element, p, self._at, row)
                    self._at += np.dtype(p.count).itemsize
                size = length * np.dtype(p.kind).itemsize
                if self._at + size > len(self._data):
                    raise _short(self._path, element, row)
                pieces[i].append(np.frombuffer(self._data, self._order + p.kind, length, self._at))
                self._at += size
        out: dict[str, NDArray[Any] | Lists] = {}
        for p, rows in zip(element.properties, pieces):
            values = np.concatenate(rows).astype(p.kind)
            starts = np.concatenate([[0], np.cumsum([len(r) for r in rows])])
            out[p.name] = values if p.count is None else Lists(values, starts)
        return out


def _numbers(body: bytes) -> tuple[NDArray[np.float64], str]:
    """The numbers of a text up to the first word that is none, and that word."""
    with warnings.catch_warnings():
        warnings.simplefilter(
            "error", DeprecationWarning
        )  # older numpy stops at such a word without an error
        try:
            return np.fromstring(body, dtype=np.float64, sep=" "), ""
        except (ValueError, DeprecationWarning):
            pass
    found: list[float] = []
    for word in body.split():
        try:
            found.append(float(word))
        except ValueError:
            return np.array(found), word[:20].decode("latin-1")
    return np.array(found), ""


def _fixed(
    element: _Element, block: NDArray[np.float64], widths: list[int]
) -> dict[str, NDArray[Any] | Lists] | None:
    """Columns of rows of equal widths; None when the lists turn out to differ in length."""
    out: dict[str, NDArray[Any] | Lists] = {}
    at = 0
    for p, width in zip(element.properties, widths):
        if p.count is None:
            out[p.name] = _typed(block[:, at], p.kind)
        else:
            if not (block[:, at] == width - 1).all():
                return None
            values = _typed(block[:, at + 1 : at + width].reshape(-1), p.kind)
            out[p.name] = Lists(values, np.arange(len(block) + 1) * (width - 1))
        at += width
    return out


def _typed(values: NDArray[np.float64], kind: str) -> NDArray[Any]:
    """Numbers in the type of the header, where they fit it; text files lie about it."""
    if kind[0] in "iu":
        limit = np.iinfo(kind)
        whole = np.isfinite(values).all() and (values == np.rint(values)).all()
        if not whole or (len(values) and (values.min() < limit.min or values.max() > limit.max)):
            return values
    return values.astype(kind)


def _empty(p: _Property) -> NDArray[Any] | Lists:
    values = np.zeros(0, p.kind)
    return values if p.count is None else Lists(values, np.zeros(1, np.int64))
