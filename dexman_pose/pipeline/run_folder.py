"""A run on disk: one artefact and one manifest per stage, reused when nothing it depends on has changed."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from os import PathLike
from pathlib import Path
from typing import Any, TypeVar

from dexman_pose.data.files import (
    TEMPORARY,
    hold,
    make_folder,
    read_json_or_none,
    unwritable_is_bad_input,
    write_atomically,
    write_json,
)
from dexman_pose.errors import InputError
from dexman_pose.pipeline.hashing import hash_code, hash_file, hash_json
from dexman_pose.pipeline.stage import Stage
from dexman_pose.pipeline.versions import versions

T = TypeVar("T")
MANIFESTS = "stages"
_log = logging.getLogger(__name__)


class RunFolder:
    """The folder of one run.

    A stage's key is the hash of its settings, of its code and of the *contents* of the artefacts it uses.
    An artefact is reused when its manifest holds the same key and its bytes still have the hash written
    there: a killed run goes on where it stopped, a changed setting redoes what depends on it, a damaged file
    is made again.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._contents: dict[str, str] = {}
        self._identity = _identity(path)

    @classmethod
    @contextmanager
    def open(cls, path: str | PathLike[str]) -> Iterator[RunFolder]:
        """Create the folder where needed and hold its lock inside the block.

        Raises:
            InputError: the folder cannot be written, another process is writing into it, or it was removed meanwhile.
        """
        root = Path(path).expanduser()
        make_folder(root / MANIFESTS)
        with unwritable_is_bad_input(root):
            lock = (root / MANIFESTS / ".lock").open("w")
        with lock:
            hold(lock, root)
            _sweep(root)
            folder = cls(root)
            yield folder
            folder.check_still_there()

    def check_still_there(self) -> None:
        """See that the folder is the one that the run began in: writing would make a new one, without what is lost.

        Raises:
            InputError: it was removed, moved or replaced.
        """
        if self._identity is None or _identity(self.path) != self._identity:
            raise InputError(
                f"the run folder {self.path} was removed or replaced while the run was writing into it, its results "
                "are lost; run again, and leave the folder in place"
            )

    def key(self, stage: Stage[Any]) -> str:
        """What the artefact of ``stage`` depends on, as one hash. The stages it uses must have run before."""
        parts = [stage.name, dict(stage.settings), self.upstream(stage), hash_code(*stage.rooms)]
        return hash_json(parts)

    def upstream(self, stage: Stage[Any]) -> dict[str, str]:
        """Content hash of the artefact of each stage that ``stage`` uses."""
        return {name: self._contents[name] for name in stage.after}

    def reuse(self, stage: Stage[T]) -> tuple[T] | None:
        """The stored result, in a tuple, when it is whole and up to date; else None."""
        manifest = self.manifest(stage.name)
        artefact = self.path / stage.artefact
        if manifest.get("key") != self.key(stage) or not artefact.is_file():
            return None
        content = hash_file(artefact)
        if content != manifest.get("sha256"):
            _log.warning("%s is damaged (its hash has changed): it is made again", artefact)
            return None
        try:
            result = stage.load(artefact)
        except (InputError, OSError, ValueError, KeyError) as error:
            _log.warning("%s cannot be read (%s): it is made again", artefact, error)
            return None
        self._contents[stage.name] = content
        return (result,)

    def store(self, stage: Stage[T], result: T, started: float) -> None:
        """Write the artefact, then its manifest, each atomically; ``started`` is a ``perf_counter``."""
        artefact = self.path / stage.artefact
        self.check_still_there()
        with unwritable_is_bad_input(artefact), self._removed_is_bad_input():
            write_atomically(artefact, lambda temporary: stage.save(result, temporary))
            content = hash_file(artefact)
            manifest = {
                "stage": stage.name,
                "key": self.key(stage),
                "settings": dict(stage.settings),
                "upstream": self.upstream(stage),
                "code": hash_code(*stage.rooms),
                "artefact": stage.artefact,
                "sha256": content,
                "versions": versions(),
                "seconds": round(time.perf_counter() - started, 3),
            }
            write_json(self._manifest_path(stage.name), manifest)
        self._contents[stage.name] = content

    @contextmanager
    def _removed_is_bad_input(self) -> Iterator[None]:
        """Say that the folder is gone where a file that was just written is not found."""
        try:
            yield
        except FileNotFoundError:
            self.check_still_there()
            raise
        self.check_still_there()

    def discard_outdated(self, stage: Stage[Any]) -> None:
        """Remove the artefact of a stage that is not going to run and shows something else than this run."""
        if self.manifest(stage.name).get("key") == self.key(stage):
            return
        self._manifest_path(stage.name).unlink(missing_ok=True)
        (self.path / stage.artefact).unlink(missing_ok=True)

    def manifest(self, name: str) -> dict[str, Any]:
        """The manifest of a stage; empty when there is none or it is damaged."""
        found = read_json_or_none(self._manifest_path(name))
        return found if isinstance(found, dict) else {}

    def _manifest_path(self, name: str) -> Path:
        return self.path / MANIFESTS / f"{name}.json"


def _identity(root: Path) -> tuple[int, int] | None:
    """What tells a folder from another of the same name; None where there is none."""
    try:
        found = (root / MANIFESTS).stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _sweep(root: Path) -> None:
    """Remove half-written files of a killed run."""
    for folder in (root, root / MANIFESTS):
        # A second dot began the names of unfinished overlays in runs of earlier versions.
        for pattern in (TEMPORARY + "*", "." + TEMPORARY + "*", ".*.part"):
            for leftover in folder.glob(pattern):
                leftover.unlink(missing_ok=True)
