"""Which clips a batch is of, and what each is called."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from dexman_pose.data.files import door
from dexman_pose.errors import InputError

VIDEOS = frozenset({".mp4", ".mov", ".avi", ".mkv", ".webm", ".m4v", ".mpg", ".mpeg", ".ts"})
"""Ends of the names of video files."""
LISTS = frozenset({".txt", ".list"})
"""Ends of the names of lists of clips."""
_BETWEEN = "__"  # in place of the folders' separator in a clip's name


def list_clips(sources: Iterable[str | Path]) -> dict[str, Path]:
    """Name every clip of some sources.

    Args:
        sources: video files; folders, of which all videos count, those of folders within too; and text files with a
            clip per line, paths relative to the list, lines that begin with ``#`` left out. A folder without any video
            is taken as one clip of images.

    Returns:
        Paths by name: the file's without its end, or the way to it within its folder. A clip that a list names need not
        exist: whoever asks for thousands wants the others.

    Raises:
        InputError: a source is not there, a list cannot be read or names nothing, or two clips have one name.
    """
    out: dict[str, Path] = {}
    for source in sources:
        for name, path in _of(Path(source).expanduser()):
            if name in out and out[name].absolute() != path.absolute():
                raise InputError(
                    f"two clips would be called {name!r}: {out[name]} and {path}; give the folder that "
                    "holds both, or run two batches"
                )
            out[name] = path
    if not out:
        raise InputError("a batch needs at least one clip, but none was given")
    return out


def _of(source: Path) -> Iterator[tuple[str, Path]]:
    if source.is_dir():
        yield from _in_folder(source)
    elif not source.is_file():
        raise InputError(f"there is no clip, folder or list {source}")
    elif source.suffix.lower() in LISTS:
        yield from _in_list(source)
    else:
        yield source.stem, source


def _in_folder(folder: Path) -> list[tuple[str, Path]]:
    files = sorted(f for f in folder.rglob("*") if f.suffix.lower() in VIDEOS and f.is_file())
    if not files:
        return [(folder.absolute().name, folder)]
    return [(_BETWEEN.join(f.relative_to(folder).with_suffix("").parts), f) for f in files]


def _in_list(file: Path) -> list[tuple[str, Path]]:
    with door(file, "a list of clips"):
        lines = file.read_text(encoding="utf-8").splitlines()
    named = [line.strip() for line in lines if line.strip() and not line.lstrip().startswith("#")]
    if not named:
        raise InputError(f"the list {file} names no clip; it holds a path per line")
    paths = [Path(line).expanduser() for line in named]
    return [(_BETWEEN.join(_plain(p)), file.parent / p) for p in paths]


def _plain(path: Path) -> tuple[str, ...]:
    """The parts of a listed path that name it: all of one within the list's folder, the last of others."""
    inside = not path.is_absolute() and ".." not in path.parts
    return path.with_suffix("").parts if inside else (path.stem,)
