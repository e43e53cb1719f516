"""Where the files of a TACO download lie, whichever of its zips were unpacked, and wherever.

Every kind of file comes in a zip of its own, with ``<triplet>/<sequence>/...`` inside. A root may hold any of them,
side by side or each in a folder of its own (``camera/Egocentric_Camera_Parameters/...``), of either release.
Names of files come from listing folders, never from what a file says; names asked for are checked to be plain.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from logging import getLogger
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dexman_pose.arrays import Array
from dexman_pose.datasets.recording import Problem
from dexman_pose.errors import InputError

log = getLogger(__name__)
OnProblem = Callable[[Problem], None] | list[Problem] | None

FOLDERS: dict[str, tuple[str, ...]] = {
    "objects": ("Object_Poses",),
    "models": ("object_models_released", "Object_Models"),
    "hands": ("Hand_Poses", "Hand_Poses_3D"),
    "videos": ("Allocentric_RGB_Videos",),
    "marker_removed": ("Marker_Removed_Allocentric_RGB_Videos",),
    "cameras": ("Allocentric_Camera_Parameters",),
    "head_video": ("Egocentric_RGB_Videos",),
    "head_depth": ("Egocentric_Depth_Videos",),
    "head_camera": ("Egocentric_Camera_Parameters",),
    "masks": ("2D_Segmentation",),
}
"""Folders by what is in them."""

SPLITS = ("train", "test_1", "test_2", "test_3", "test_4")
"""Splits of version 1: nothing new, new tool geometry, new triplet, and both, in the four tests."""

_SPLIT_FILE = "v1_overall_data_train_test_split.txt"
_PLAIN = re.compile(r"[0-9A-Za-z][0-9A-Za-z_-]*")
_ONLY_V1 = ("marker_removed", "masks")


@dataclass(frozen=True)
class TacoSequence:
    """One sequence by name.

    Attributes:
        name: the dataset's id, e.g. ``"20231105_019"``: unique without the triplet.
        triplet: action, tool and target as the folder spells them, e.g. ``"(stir, spoon, bowl)"``.
        split: one of :data:`SPLITS`, "" where the list is not there.
        folders: its folders by kind, as in :data:`FOLDERS`.
    """

    name: str
    triplet: str
    split: str = ""
    folders: dict[str, tuple[Path, ...]] = field(default_factory=dict, compare=False, repr=False)

    def find(self, kind: str, name: str) -> Path | None:
        """The file of that name in the folders of a kind, or None."""
        for folder in self.folders.get(kind, ()):
            if (folder / name).is_file():
                return folder / name
        return None

    def listed(self, kind: str, pattern: str) -> list[Path]:
        """Files of a kind by pattern, in order of their names."""
        found = [p for folder in self.folders.get(kind, ()) for p in folder.glob(pattern) if p.is_file()]
        return sorted(found, key=lambda p: p.name)


@dataclass(frozen=True)
class TacoRoot:
    """A download.

    Attributes:
        path: its folder.
        layout: ``"v1"`` or ``"prerelease"``.
        models: folders of meshes.
        sequences: by name.
        problems: what is wrong with the folders.
    """

    path: Path
    layout: str
    models: tuple[Path, ...]
    sequences: dict[str, TacoSequence]
    problems: tuple[Problem, ...]

    def mesh_path(self, object_id: str) -> Path | None:
        """The file of a mesh, in centimetres."""
        name = f"{plain_name(object_id, 'an object id')}_cm.obj"
        return next((folder / name for folder in self.models if (folder / name).is_file()), None)


def open_root(root: str | Path) -> TacoRoot:
    """Look through the folders of a download.

    Raises:
        InputError: no such folder, or nothing of the dataset in it.
    """
    path = Path(root)
    if not path.is_dir():
        raise InputError(f"no folder {path}: give the folder the dataset's zips were unpacked in")
    folders = {kind: _folders(path, names) for kind, names in FOLDERS.items()}
    if not any(folders.values()):
        known = ", ".join(names[0] for names in FOLDERS.values())
        raise InputError(f"{path} holds nothing of TACO; expected one of the folders {known}")
    splits = read_splits(path)
    sequences, problems = _sequences(folders, splits)
    released = any(f.name == FOLDERS["models"][0] for f in folders["models"])
    joints = any(s.find("hands", "hand_joints.npy") for s in sequences.values())
    newer = released or joints or bool(splits) or any(folders[kind] for kind in _ONLY_V1)
    return TacoRoot(path, "v1" if newer else "prerelease", folders["models"], sequences, tuple(problems))


def list_sequences(root: str | Path | TacoRoot) -> list[TacoSequence]:
    """All sequences of a download, ordered by name, whether or not they can be read.

    Raises:
        InputError: no such folder, or nothing of the dataset in it.
    """
    found = root if isinstance(root, TacoRoot) else open_root(root)
    return list(found.sequences.values())


def _folders(root: Path, names: tuple[str, ...]) -> tuple[Path, ...]:
    """Folders of these names in the root or one level down; of two within each other, the inner one."""
    found: list[Path] = []
    for name in names:
        near = [root / name, *(p / name for p in _subfolders(root))]
        found += [p / name if (p / name).is_dir() else p for p in near if p.is_dir()]
    inner = list(dict.fromkeys(found))
    return tuple(p for p in inner if not any(q != p and p in q.parents for q in inner))


def _subfolders(folder: Path) -> Iterator[Path]:
    try:
        yield from sorted(p for p in folder.iterdir() if p.is_dir() and p.name[0] not in "._")
    except OSError as error:
        log.warning("%s cannot be listed: %s", folder, error.strerror or error)


def _sequences(
    folders: dict[str, tuple[Path, ...]], splits: dict[str, str]
) -> tuple[dict[str, TacoSequence], list[Problem]]:
    triplets: dict[str, str] = {}
    places: dict[str, dict[str, tuple[Path, ...]]] = {}
    problems: list[Problem] = []
    for kind in (k for k in FOLDERS if k != "models"):
        for triplet in (t for folder in folders[kind] for t in _subfolders(folder)):
            for path in _subfolders(triplet):
                if not _PLAIN.fullmatch(path.name):
                    continue
                owner = triplets.setdefault(path.name, triplet.name)
                if owner != triplet.name:
                    what = f"a sequence of the same name belongs to {owner}; this one is left out"
                    problems.append(Problem(path.name, path, what))
                    continue
                mine = places.setdefault(path.name, {})
                mine[kind] = (*mine.get(kind, ()), path)
    made = {
        name: TacoSequence(name, triplets[name], splits.get(name, ""), places[name])
        for name in sorted(places)
    }
    return made, problems


def read_splits(root: Path) -> dict[str, str]:
    """Split of every sequence by the dataset's list, in the root or its folder ``data_lists``; empty without one."""
    for path in (
        root / _SPLIT_FILE,
        root / "data_lists" / _SPLIT_FILE,
        *sorted(root.glob(f"*/{_SPLIT_FILE}")),
    ):
        if not path.is_file():
            continue
        out: dict[str, str] = {}
        for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
            name, _, split = (part.strip() for part in line.partition(","))
            if name and split:
                out[name] = split
        return out
    return {}


def plain_name(name: str, what: str) -> str:
    """``name``, if it is letters, digits, underscores and hyphens: no path can be made with it."""
    if not _PLAIN.fullmatch(name):
        raise InputError(f"{name!r:.60} is not {what}: letters, digits, - and _ are expected")
    return name


def load_array(path: Path, shape: tuple[int | None, ...]) -> Array:
    """A ``.npy`` file of numbers as float64; None stands for any length.

    Raises:
        InputError: damaged, cut off, not numbers, another shape. Names the file.
    """
    found = map_array(path)
    fits = len(found.shape) == len(shape) and all(
        want in (None, got) for want, got in zip(shape, found.shape)
    )
    if not fits:
        wanted = ", ".join("any" if n is None else str(n) for n in shape)
        raise InputError(f"{path.name} must have the shape ({wanted}), but has {found.shape}")
    return np.array(found, dtype=np.float64)


def map_array(path: Path) -> NDArray[Any]:
    """A ``.npy`` file of numbers without reading it whole; what its header promises must be there."""
    try:
        with path.open("rb") as stream:
            if stream.read(6) != b"\x93NUMPY":  # numpy would open zip archives too
                raise InputError(f"{path.name} is no .npy file")
        found: NDArray[Any] = np.load(path, mmap_mode="r", allow_pickle=False)
    except InputError:
        raise
    except (
        Exception
    ) as error:  # numpy reads the header as Python text, whose parsers raise whatever they like
        reason = " ".join(str(error).split())[:120]
        raise InputError(f"{path.name} is cut off or no array of numbers ({reason})") from error
    if not isinstance(found, np.ndarray) or found.dtype.kind not in "fiub":
        raise InputError(f"{path.name} holds no array of numbers")
    return found


def report(problem: Problem, on_problem: OnProblem) -> None:
    """Report a problem to the callback, or to the log where there is none."""
    if on_problem is None:
        log.warning("%s", problem)
    elif isinstance(on_problem, list):
        on_problem.append(problem)
    else:
        on_problem(problem)
