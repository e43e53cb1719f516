"""What was written of every film, so that an interrupted ``synth`` goes on where it was."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from dexman_pose.data.files import read_json_or_none, write_json
from dexman_pose.pipeline.hashing import hash_code, hash_file, hash_json
from dexman_pose.synthetic.grasps.casting import Casting

FOLDER = "films"
"""In the output folder: the films, and beside each the list of what was written of it."""

_ROOMS = ("synthetic", "render", "hands", "meshing", "imaging")


@dataclass(frozen=True)
class WrittenFilm:
    """A film that is complete.

    Attributes:
        key: of all that it depends on.
        film: its folder, relative to the output folder.
        sequence: its name in TACO's layout, or "".
        files: SHA-256 of every file by its path, relative to the output folder.
    """

    key: str
    film: str
    sequence: str
    files: dict[str, str]


def key_of(casting: Casting, seed: int, layout: str) -> str:
    """Of all that a film depends on: grasps and meshes by size and time, stories, options, seed, layout, this code."""
    given = [*casting.paths, *sorted(f for f in casting.meshes.rglob("*") if f.is_file())]
    stamps = [[f.name, f.stat().st_size, f.stat().st_mtime_ns] for f in given]
    settings: list[Any] = [list(casting.kinds), repr(casting.options), casting.frames, seed, layout]
    return hash_json([stamps, settings, hash_code(*_ROOMS)])


def written_film(out: Path, seed: int, key: str) -> WrittenFilm | None:
    """The film of a seed where it is there, whole, and depends on the same; else None."""
    content = read_json_or_none(_record(out, seed))
    if not isinstance(content, dict) or content.get("key") != key:
        return None
    try:
        film = WrittenFilm(**content)
        whole = all(hash_file(out / name) == digest for name, digest in film.files.items())
    except (TypeError, AttributeError, OSError):
        return None
    return film if whole and film.files else None


def remember_film(out: Path, seed: int, key: str, film: Path, sequence: str) -> WrittenFilm:
    """Note that a film is complete; the last thing that is written of it."""
    files = [f for f in (*film.rglob("*"), *_in_taco_layout(out, sequence)) if f.is_file()]
    digests = {f.relative_to(out).as_posix(): hash_file(f) for f in sorted(files)}
    written = WrittenFilm(key, film.relative_to(out).as_posix(), sequence, digests)
    write_json(_record(out, seed), asdict(written))
    return written


def _in_taco_layout(out: Path, sequence: str) -> Iterator[Path]:
    """Files of a sequence, and of its objects' meshes."""
    if sequence:
        for file in out.glob(f"*/*/{sequence}/*"):
            yield file
            if file.parents[2].name == "Object_Poses":
                yield from (out / "object_models_released").glob(f"{file.stem.partition('_')[2]}_cm.*")


def _record(out: Path, seed: int) -> Path:
    return out / FOLDER / f"{seed:03d}.json"
