"""Datasets by name: which sequences there are, and the recordings of one of them as a protocol wants them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from dexman_pose.datasets.recording import Problem, Recording
from dexman_pose.errors import InputError

if TYPE_CHECKING:
    from dexman_pose.datasets.taco.files import TacoRoot

EGOCENTRIC = "egocentric"
DATASETS = ("taco", "bop", "dexycb", "ho3d", "oakink2")
Report = Callable[[Problem], None]


@dataclass
class Source:
    """A dataset on disk.

    Attributes:
        dataset: one of :data:`DATASETS`.
        root: its folder.
        view: the protocol's choice of view.
        split: the protocol's split, "" for all.
        targets: the protocol's names of targets files.
    """

    dataset: str
    root: Path
    view: str = "all"
    split: str = ""
    targets: tuple[str, ...] = ()
    _listed: list[str] | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        if self.dataset not in DATASETS:
            raise InputError(f"no dataset named {self.dataset!r}; there are: {', '.join(DATASETS)}")
        if not self.root.is_dir():
            raise InputError(f"the dataset folder {self.root} does not exist")

    def sequences(self) -> list[str]:
        """Names of all sequences, in order."""
        if self._listed is None:
            self._listed = sorted(_LISTERS[self.dataset](self))
        if not self._listed:
            raise InputError(f"no sequence of {self.dataset} found in {self.root}; is this its top folder?")
        return self._listed

    def read(self, sequence: str, on_problem: Report) -> list[Recording]:
        """The recordings of one sequence that the view asks for; what cannot be read is reported, not raised."""
        try:
            found = list(_READERS[self.dataset](self, sequence, on_problem))
        except InputError as error:
            on_problem(Problem(sequence, self.root, str(error)))
            return []
        return _of_view(found, self.view, sequence, self.root, on_problem)


def _of_view(
    found: list[Recording], view: str, sequence: str, root: Path, on_problem: Report
) -> list[Recording]:
    if view == "all" or not found:
        return found
    if view == "first_fixed":
        fixed = sorted((r for r in found if r.view != EGOCENTRIC), key=lambda r: (len(r.view), r.view))
        chosen = fixed[:1]
    else:
        chosen = [r for r in found if r.view == view]
    if not chosen:
        there = ", ".join(r.view for r in found)
        on_problem(Problem(sequence, root, f"has no view {view!r}; there are: {there}"))
    return chosen


@lru_cache(maxsize=2)
def _taco_root(root: Path) -> TacoRoot:
    """The folders of a download, looked through once."""
    from dexman_pose.datasets.taco.files import open_root

    return open_root(root)


def _list_taco(source: Source) -> list[str]:
    found = _taco_root(source.root).sequences.values()
    return [s.name for s in found if not source.split or s.split == source.split]


def _read_taco(source: Source, sequence: str, on_problem: Report) -> Iterator[Recording]:
    from dexman_pose.datasets.taco.reader import read_taco

    # One view is read where one is wanted: the others' files need not even be there.
    view = None if source.view in ("all", "first_fixed") else source.view
    return read_taco(_taco_root(source.root), sequences=[sequence], view=view, on_problem=on_problem)


def _list_bop(source: Source) -> list[str]:
    folder = source.root / (source.split or "test")
    there = [p.name for p in folder.iterdir() if p.is_dir() and p.name.isdigit()] if folder.is_dir() else []
    targets = _bop_targets(source)
    if targets is None:
        return there
    from dexman_pose.datasets.bop.scene import read_bop_targets

    asked = {target.scene_id for target in read_bop_targets(targets)}
    return [name for name in there if int(name) in asked]


def _bop_targets(source: Source) -> Path | None:
    """The file that says what is scored: it belongs to the test images alone."""
    if not (source.split or "test").startswith("test"):
        return None
    return next((source.root / name for name in source.targets if (source.root / name).is_file()), None)


def _read_bop(source: Source, sequence: str, on_problem: Report) -> Iterator[Recording]:
    from dexman_pose.datasets.bop.reader import read_bop

    split, targets = source.split or "test", _bop_targets(source)
    found = read_bop(source.root, split, scenes=[int(sequence)], targets=targets, on_problem=on_problem)
    if targets is not None or not source.targets:
        return found
    note = f"none of {', '.join(source.targets)} is in {source.root}: every image is scored"
    return (replace(recording, missing=(*recording.missing, note)) for recording in found)


def _list_dexycb(source: Source) -> list[str]:
    from dexman_pose.datasets.dexycb import list_sequences

    return [str(name) for name in list_sequences(source.root)]


def _read_dexycb(source: Source, sequence: str, on_problem: Report) -> Iterator[Recording]:
    from dexman_pose.datasets.dexycb import read_dexycb

    return read_dexycb(source.root, sequences=[sequence], on_problem=on_problem)


def _list_ho3d(source: Source) -> list[str]:
    from dexman_pose.datasets.ho3d import list_sequences

    return [str(name) for name in list_sequences(source.root)]


def _read_ho3d(source: Source, sequence: str, on_problem: Report) -> Iterator[Recording]:
    from dexman_pose.datasets.ho3d import read_ho3d

    return read_ho3d(source.root, source.split or None, sequences=[sequence], on_problem=on_problem)


def _list_oakink2(source: Source) -> list[str]:
    return [p.stem for p in (source.root / "anno_preview").glob("*.pkl")]


def _read_oakink2(source: Source, sequence: str, on_problem: Report) -> Iterator[Recording]:
    from dexman_pose.datasets.oakink2.reader import read_oakink2

    return read_oakink2(source.root, sequences=[sequence], on_problem=on_problem)


_LISTERS: dict[str, Callable[[Source], list[str]]] = {
    "taco": _list_taco,
    "bop": _list_bop,
    "dexycb": _list_dexycb,
    "ho3d": _list_ho3d,
    "oakink2": _list_oakink2,
}
_READERS: dict[str, Callable[[Source, str, Report], Iterator[Recording]]] = {
    "taco": _read_taco,
    "bop": _read_bop,
    "dexycb": _read_dexycb,
    "ho3d": _read_ho3d,
    "oakink2": _read_oakink2,
}
