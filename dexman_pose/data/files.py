"""Files that are wholly there or not at all: written beside their place, flushed, renamed into it."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import tempfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile, ZipInfo

import numpy as np
import yaml
from numpy.typing import NDArray

from dexman_pose.errors import InputError, MissingExtraError, MissingModelError

TEMPORARY = ".tmp-"
"""Prefix of a file that is being written; one found later was left behind by a killed run."""

_UNWRITABLE = {
    errno.EACCES,
    errno.EPERM,
    errno.EROFS,
    errno.ENOSPC,
    errno.EDQUOT,
    errno.ENOTDIR,
    errno.EEXIST,
}


_HARDLY = 0.95  # share of its size from which on compressing something is not worth the time
_LONGEST = 800  # characters of a message; more of a damaged file than of words
_PIECE = 1 << 20  # bytes that are read at once


@contextmanager
def door(path: str | Path, what: str, kind: type[InputError] = InputError) -> Iterator[None]:
    """Turn whatever a damaged file makes a library raise into one line that names the file.

    Put it around the whole reading of a file, what is done with its values included: values of the wrong type or size
    break later than the bytes do. Every exception is caught, for there is no list of them: numpy alone raises those of
    zip, zlib, Python's tokenizer and its parser. The cause is kept. Errors of this package get the file's name where
    they lack it.

    Args:
        path: the file, or the folder it is part of.
        what: what it should have been, e.g. ``"a depth image"``.
        kind: which error to raise.
    """
    try:
        with np.errstate(all="ignore"):  # what a damaged number overflows is looked at afterwards
            yield
    except (MissingExtraError, MissingModelError):
        raise
    except InputError as error:
        text = single_line(str(error))
        named = Path(path).name in text
        if named and isinstance(error, kind) and text == str(error):
            raise
        raise (type(error) if isinstance(error, kind) else kind)(
            text if named else f"{path}: {text}"
        ) from error
    except Exception as error:
        if isinstance(error, OSError) and error.strerror:
            raise kind(f"{path} cannot be read: {error.strerror}") from error
        raise kind(f"{path} is damaged, cut off or not {what}: {reason(error)}") from error


def reason(error: BaseException) -> str:
    """One line of words for an error of another library."""
    if isinstance(error, RecursionError):
        return "its values are nested beyond reason"
    if isinstance(error, MemoryError):
        return "it asks for more memory than there is"
    if isinstance(error, yaml.MarkedYAMLError) and error.problem and error.problem_mark:
        return f"line {error.problem_mark.line + 1}: {printable(error.problem)}"
    if isinstance(error, KeyError):
        return f"it lacks {one_line(error)}"
    return one_line(error)


def printable(text: str) -> str:
    """Text that any terminal can show: what cannot be encoded or would steer the terminal is escaped."""
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


@contextmanager
def atomic_file(path: str | Path) -> Iterator[IO[bytes]]:
    """A binary stream whose content appears at ``path`` when the block ends, and not at all when it raises.

    Missing folders are made. Another process sees the old file or the new one, never a part.

    Raises:
        InputError: the place cannot be written to.
    """
    path = Path(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".part", dir=path.parent)
    except OSError as error:
        raise InputError(f"cannot write {path}: {error.strerror or error}") from error
    try:
        with unwritable_is_bad_input(path):  # a disk that is full says so while it is written to
            with os.fdopen(handle, "wb") as stream:
                yield stream
                stream.flush()
                os.fsync(stream.fileno())
            os.chmod(name, 0o666 & ~_umask())  # temporary files are private, results are as any file
            os.replace(name, path)
    except BaseException:
        with suppress(OSError):
            os.unlink(name)
        raise


def write_bytes(path: str | Path, data: bytes) -> Path:
    """Write ``data`` to ``path`` atomically; returns the path."""
    with atomic_file(path) as stream:
        stream.write(data)
    return Path(path)


def write_json(path: str | Path, value: Any) -> Path:
    """Write ``value`` as indented JSON (no NaN, which is no JSON) atomically; returns the path."""
    return write_bytes(path, (json.dumps(value, indent=2, allow_nan=False) + "\n").encode())


def write_npz(path: str | Path, arrays: Mapping[str, Any]) -> Path:
    """Write ``arrays`` as a compressed npz file without pickles atomically; returns the path.

    Bytes that are coded already are stored as they are: nothing is gained by doing it twice.
    """
    plain = {name: np.asarray(value) for name, value in arrays.items()}
    pickled = [name for name, value in plain.items() if value.dtype.hasobject]
    if pickled:
        raise InputError(f"arrays of Python objects cannot be written: {', '.join(pickled)}")
    with atomic_file(path) as stream, ZipFile(stream, "w", ZIP_DEFLATED) as archive:
        for name, value in plain.items():
            entry = ZipInfo(f"{name}.npy")  # of no date: the same content makes the same file
            entry.compress_type = ZIP_STORED if _is_coded(value) else ZIP_DEFLATED
            with archive.open(entry, "w", force_zip64=True) as member:
                np.lib.format.write_array(member, value, allow_pickle=False)
    return Path(path)


def _is_coded(value: NDArray[Any], probe: int = 1 << 14) -> bool:
    """Whether an array of bytes cannot be compressed, as its first ones tell."""
    if value.dtype != np.uint8 or value.ndim != 1 or value.size < probe:
        return False
    first = value[:probe].tobytes()
    return len(zlib.compress(first, 1)) > _HARDLY * len(first)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def sha256_of(path: Path) -> str:
    """SHA-256 of a file's bytes, read in pieces so that a long video costs no memory."""
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while piece := stream.read(_PIECE):
            digest.update(piece)
    return digest.hexdigest()


def read_json(path: Path) -> Any:
    """Content of a JSON file.

    Raises:
        InputError: missing, or no JSON.
    """
    with door(path, "a JSON file"):
        return json.loads(path.read_text(encoding="utf-8-sig"))


def read_yaml(path: Path) -> Any:
    """Content of a YAML file, plain values only.

    Raises:
        InputError: missing, or no YAML.
    """
    with door(path, "a YAML file"):
        return yaml.safe_load(path.read_text(encoding="utf-8"))


@contextmanager
def unwritable_is_bad_input(path: Path) -> Iterator[None]:
    """Turn a full disk, a read-only folder or a file in a folder's place into an :class:`InputError`."""
    try:
        yield
    except OSError as error:
        if error.errno not in _UNWRITABLE:
            raise
        reason = error.strerror or type(error).__name__
        raise InputError(
            f"cannot write to {path}: {reason}; choose a folder you may write to, on a disk with free space"
        ) from error


def make_folder(path: Path) -> None:
    """Create a folder and its parents where they are missing, and see that files can be written into it.

    Raises:
        InputError: it cannot be created, is a file, or takes no files.
    """
    with unwritable_is_bad_input(path):
        try:
            path.mkdir(parents=True, exist_ok=True)
            probe = path / (TEMPORARY + "probe")
            probe.touch()
            probe.unlink()
        except FileNotFoundError as error:  # what a file system says that holds no files of users, as /proc
            raise OSError(errno.EACCES, error.strerror) from error


def write_atomically(path: Path, write: Callable[[Path], Any]) -> None:
    """Let ``write`` produce a temporary file beside ``path``, then rename it there.

    The temporary name keeps the suffix, because writers choose their format by it.
    """
    temporary = path.with_name(TEMPORARY + path.name)
    try:
        write(temporary)
        with temporary.open("rb") as stream:
            os.fsync(stream.fileno())
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def read_json_or_none(path: Path) -> Any:
    """The values of a JSON file, or None when it is missing or damaged."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return None


def read_arrays(path: Path) -> dict[str, NDArray[Any]]:
    """The arrays of an npz file; nothing is ever unpickled.

    Raises:
        InputError: the file is missing, damaged, or holds pickled objects.
    """
    with door(path, "a readable npz file"), np.load(path, allow_pickle=False) as stored:
        return {name: stored[name] for name in stored.files}


def one_line(error: BaseException) -> str:
    """The first line of another library's error, fit to be part of a message."""
    lines = str(error).strip().splitlines()
    return single_line(lines[0]) if lines else type(error).__name__


def single_line(text: str) -> str:
    """Text as one line of printable characters; of what a damaged file put into it, the middle is left out."""
    text = printable(" ".join(text.split()))
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST // 2]} ... {text[-_LONGEST // 4 :]}"


def existing_folder(path: str | Path, what: str) -> Path:
    """The folder, or an :class:`InputError` that says what was looked for."""
    path = Path(path)
    if not path.is_dir():
        raise InputError(f"{path} is no folder; give {what}")
    return path


def hold(lock: IO[str], root: Path) -> None:
    """Lock a folder until a file is closed; a killed process gives its lock back by itself.

    Args:
        lock: an open file in the folder.
        root: the folder, for the message.

    Raises:
        InputError: another process holds it.
    """
    try:
        import fcntl
    except ImportError:  # no such lock on this system: the last writer wins
        return
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        raise InputError(
            f"another run is writing into {root}: wait for it, or give another output folder"
        ) from error
