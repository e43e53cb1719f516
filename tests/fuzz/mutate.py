"""Files as they come out of broken disks, broken downloads and other people's scripts: mutations of right ones.

Every mutation is made from a seed, so that a failure is repeated by its number. ``mutated`` takes the bytes of a right
file and its name; what it knows of the format (JSON, YAML, npy, npz, numbers in text) it uses to change values, for
random bytes hardly ever get past a checksum.
"""

from __future__ import annotations

import io
import json
import random
import re
import resource
import sys
import time
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from dexman_pose.errors import DexmanError

SLOWEST = 10.0
"""Seconds after which reading counts as hanging."""


MOST_MEMORY = 2 * 2**30
"""Bytes by which the peak of the process may grow over all inputs together."""


class Inputs:
    """What :func:`checked` has seen: the number of inputs, and by how much memory (bytes) the peak grew with them."""

    total = 0
    grown = 0
    _before: int | None = None

    def count(self) -> None:
        """One more input has been read."""
        self.total += 1
        if self._before is not None:
            self.grown = max(self.grown, _peak() - self._before)

    def begin(self) -> None:
        """The first input is about to be read."""
        if self._before is None:
            self._before = _peak()


INPUTS = Inputs()


def _peak() -> int:
    """The most memory (bytes) that this process has held; Linux counts in KiB, macOS in bytes."""
    held = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return held if sys.platform == "darwin" else 1024 * held


VALUES: tuple[Any, ...] = (
    None,
    True,
    "",
    "x",
    "\ud800",
    "nan",
    -1,
    0,
    0.5,
    256,
    -(2**31),
    2**63,
    10**30,
    float("nan"),
    float("inf"),
    -float("inf"),
    1e-300,
    1e300,
    [],
    {},
    [1, 2],
    [[[1]], "a"],
    {"a": {"b": 1}},
)
"""What stands where something else should."""

_WORDS = ("nan", "inf", "-1", "0", "1e400", "1e39", "99999999999999999999", "x", "", "0x10", "１", "-0.0")
_NUMBER = re.compile(rb"-?\d+\.?\d*(?:e[-+]?\d+)?")


def mutated(name: str, data: bytes, seed: int) -> bytes:
    """``data`` of a right file called ``name``, changed in one way that the seed chooses."""
    rng = random.Random(seed)
    suffix = Path(name).suffix.lower()
    choices: list[Callable[[bytes, random.Random], bytes]] = [flip, cut, doubled, filled, swapped_blocks]
    choices += 3 * _KNOWN.get(suffix, [])
    try:
        return rng.choice(choices)(data, rng)
    except (ValueError, KeyError, IndexError, TypeError, OverflowError, RecursionError, yaml.YAMLError):
        return flip(data, rng)


def flip(data: bytes, rng: random.Random) -> bytes:
    """Some bytes changed; more often near the start, where headers are."""
    out = bytearray(data or b"\0")
    for _ in range(rng.choice((1, 1, 2, 8, 64))):
        end = len(out) if rng.random() < 0.5 else min(len(out), 128)
        out[rng.randrange(end)] = rng.randrange(256)
    return bytes(out)


def cut(data: bytes, rng: random.Random) -> bytes:
    """Cut off somewhere, also at the end of a line."""
    at = rng.randrange(len(data) + 1)
    line = data.rfind(b"\n", 0, at)
    return data[: line + 1] if line >= 0 and rng.random() < 0.3 else data[:at]


def doubled(data: bytes, rng: random.Random) -> bytes:
    """A piece of it twice, as from a download that was resumed."""
    a, b = sorted(rng.randrange(len(data) + 1) for _ in range(2))
    return data[:b] + data[a:]


def filled(data: bytes, rng: random.Random) -> bytes:
    """A piece of it zeros, or the whole something else."""
    if rng.random() < 0.3:
        return rng.choice((b"", b"\0" * len(data), b"\xff\xfe", b"[" * 100_000, b"<html>404</html>", b"\n\n"))
    a, b = sorted(rng.randrange(len(data) + 1) for _ in range(2))
    return data[:a] + b"\0" * (b - a) + data[b:]


def swapped_blocks(data: bytes, rng: random.Random) -> bytes:
    """Two pieces exchanged."""
    a, b, c = sorted(rng.randrange(len(data) + 1) for _ in range(3))
    return data[:a] + data[b:c] + data[a:b] + data[c:]


def text_number(data: bytes, rng: random.Random) -> bytes:
    """One number of a text replaced."""
    found = list(_NUMBER.finditer(data))
    one = rng.choice(found)
    return data[: one.start()] + rng.choice(_WORDS).encode() + data[one.end() :]


def text_line(data: bytes, rng: random.Random) -> bytes:
    """One line left out, twice, or cut."""
    lines = data.split(b"\n")
    i = rng.randrange(len(lines))
    lines[i : i + 1] = rng.choice(
        ([], [lines[i]] * 2, [lines[i][: len(lines[i]) // 2]], [b" ".join(lines[i : i + 2])])
    )
    return b"\n".join(lines)


def json_value(data: bytes, rng: random.Random) -> bytes:
    """One value of a JSON file replaced, deleted or nested deeply."""
    return json.dumps(changed(json.loads(data), rng)).encode()


def json_nested(data: bytes, rng: random.Random) -> bytes:
    """A JSON file whose first value is nested beyond reason."""
    deep = b"[" * 50_000 + b"]" * 50_000
    at = data.find(b":")
    return data[: at + 1] + deep + b"," * rng.randrange(2) + data[at + 1 :]


def glb_value(data: bytes, rng: random.Random) -> bytes:
    """A GLB file whose description has one value replaced or deleted, with right lengths."""
    length = int.from_bytes(data[12:16], "little")
    text = json.dumps(changed(json.loads(data[20 : 20 + length]), rng)).encode()
    text += b" " * (-len(text) % 4)
    chunks = len(text).to_bytes(4, "little") + data[16:20] + text + data[20 + length :]
    return data[:8] + (12 + len(chunks)).to_bytes(4, "little") + chunks


def yaml_value(data: bytes, rng: random.Random) -> bytes:
    """One value of a YAML file replaced or deleted."""
    return yaml.safe_dump(changed(yaml.safe_load(data), rng)).encode("utf-8", "surrogatepass")


def npy_value(data: bytes, rng: random.Random) -> bytes:
    """An npy file with other numbers, another type or another shape."""
    return npy_bytes(other_array(np.load(io.BytesIO(data), allow_pickle=False), rng))


def npz_value(data: bytes, rng: random.Random) -> bytes:
    """An npz archive with one array changed, gone, renamed, or its bytes damaged inside a right archive."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        entries = {name: archive.read(name) for name in archive.namelist()}
    name = rng.choice(list(entries))
    what = rng.randrange(6)
    if what == 0:
        del entries[name]
    elif what == 1:
        entries[rng.choice(("x.npy", "\u1234.npy", "a/b.npy"))] = entries.pop(name)
    elif what == 2:
        entries[name] = flip(entries[name], rng)
    elif what == 3 and "header.npy" in entries:
        header = np.load(io.BytesIO(entries["header.npy"])).tobytes()
        entries["header.npy"] = npy_bytes(np.frombuffer(json_value(header, rng), np.uint8))
    else:
        entries[name] = npy_value(entries[name], rng)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", rng.choice((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED))) as archive:
        for key, value in entries.items():
            archive.writestr(key, value)
    return out.getvalue()


def npy_bytes(array: Any) -> bytes:
    """An array as an npy file."""
    out = io.BytesIO()
    np.save(out, array, allow_pickle=True)
    return out.getvalue()


def other_array(array: Any, rng: random.Random) -> Any:
    """An array that is not what it should be."""
    what = rng.randrange(9)
    if what == 0:
        return array[:-1] if array.ndim and len(array) else array[None]
    if what == 1:
        return array[..., None] if rng.random() < 0.5 else array.reshape(-1)
    if what == 2:
        return array.astype(rng.choice(("f4", "i8", "?", "c16", "S3", "U3", "u1", "O", "f2")))
    if what == 3:
        return np.array(rng.choice(VALUES[4:18]))
    if what == 4:
        return np.zeros((0, *array.shape[1:]), array.dtype)
    out = array.astype(np.float64) if array.dtype.kind in "biu" and what == 5 else array.copy()
    if out.size == 0:
        return out
    bad = rng.choice((np.nan, np.inf, -np.inf, 1e300, -1e30, 0.5, -1, 255, 0))
    at = rng.randrange(out.size)
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        out.reshape(-1)[at if what < 8 else slice(None)] = np.array(bad).astype(out.dtype)
    return out


def changed(value: Any, rng: random.Random) -> Any:
    """A value of containers with one thing in it replaced, deleted, doubled or nested."""
    places: list[tuple[Any, Any]] = []
    _collect(value, places)
    if not places:
        return rng.choice(VALUES)
    holder, key = rng.choice(places)
    what = rng.randrange(6)
    if what == 0:
        del holder[key]
    elif what == 1:
        holder[key] = [holder[key]]
    elif what == 2 and isinstance(holder, dict):
        holder[rng.choice(("", "x", "-1", "007", "1.5", "９", "../x"))] = holder.pop(key)
    elif what == 2:
        holder.append(holder[key])
    else:
        holder[key] = rng.choice(VALUES)
    return value


def _collect(value: Any, places: list[tuple[Any, Any]]) -> None:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        places.append((value, key))
        _collect(inner, places)


_TEXT: list[Callable[[bytes, random.Random], bytes]] = [text_number, text_line]
_KNOWN: dict[str, list[Callable[[bytes, random.Random], bytes]]] = {
    ".json": [json_value, json_value, json_nested, text_number],
    ".gltf": [json_value, json_value, json_nested, text_number],
    ".glb": [glb_value, glb_value],
    ".xml": _TEXT,
    ".pincam": _TEXT,
    ".yml": [yaml_value, text_number, text_line],
    ".yaml": [yaml_value, text_number, text_line],
    ".npy": [npy_value],
    ".npz": [npz_value],
    ".txt": _TEXT,
    ".csv": _TEXT,
    ".obj": _TEXT,
    ".mtl": _TEXT,
    ".ply": _TEXT,
    ".off": _TEXT,
}


def checked(read: Callable[[], Any], what: str) -> str:
    """Run ``read``: it must give a result or one line of a :class:`DexmanError`, and within :data:`SLOWEST` seconds.

    Args:
        read: reads the mutated file and looks at all of it.
        what: name and seed, for the failure's message.

    Returns:
        The line, or "" where there was a result.

    Raises:
        AssertionError: any other exception, more than one line, a hang, or too much memory.
    """
    INPUTS.begin()
    began = time.monotonic()
    said = ""
    try:
        read()
    except DexmanError as error:
        said = str(error)
        assert said and is_one_line(said), f"{what}: not one line that a terminal shows: {said!r}"
    except Exception as error:
        raise AssertionError(f"{what}: {type(error).__name__} reached the user: {error}") from error
    INPUTS.count()
    took = time.monotonic() - began
    assert took < SLOWEST, f"{what}: took {took:.1f} s"
    assert INPUTS.grown < MOST_MEMORY, f"{what}: memory grew by {INPUTS.grown / 2**20:.0f} MiB"
    return said


def is_one_line(text: str) -> bool:
    """Whether a text is one line of characters that can be printed, short enough to be read."""
    return text.isprintable() and len(text) < 2000
