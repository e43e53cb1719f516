"""Which frame a file of poses belongs to: by the name of its picture, by its number, or by its place."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dexman_pose.arrays import Array
from dexman_pose.data.clip import natural_key
from dexman_pose.datasets.pose_folder import POSE_SUFFIXES, read_pose_folder
from dexman_pose.errors import InputError


def read_named_poses(
    folder: str | Path, images: Sequence[Path], count: int
) -> tuple[NDArray[np.int64], Array, list[str]]:
    """Poses of a folder with one file per frame, placed among the frames of a recording by :func:`place_names`.

    Args:
        folder: as :func:`~dexman_pose.datasets.pose_folder.read_pose_folder` takes it.
        images: (T,) pictures of the recording, or none where it has a video.
        count: how many frames the recording has.

    Returns:
        (N,) places of frames, (N, 4, 4) poses, and what a reader of the results must know.

    Raises:
        InputError: no poses there, damaged ones, or names that belong to no frame.
    """
    folder = Path(folder)
    files = [p for p in folder.iterdir() if p.suffix in POSE_SUFFIXES and p.is_file() and p.name[0] != "."]
    stems = [p.stem for p in sorted(files, key=natural_key)]
    order, poses = read_pose_folder(folder, stems=stems)
    frames, notes = place_names(stems, [p.stem for p in images], count, str(folder))
    places = frames[order]
    return places[places >= 0], poses[places >= 0], notes


def place_names(
    names: Sequence[str], images: Sequence[str], count: int, what: str
) -> tuple[NDArray[np.int64], list[str]]:
    """The frame each name means, -1 for none.

    A name means the picture of the same name (``1581120424100262102``), else the one whose name ends in the same
    number (``12`` and ``color_000012``). Numbers that fit no pictures so, but run without gaps from 0 or from 1 over
    all of them, count places. Where there are no pictures, numbers are places from 0, or from 1 when the last one is
    the number of frames and none is 0.

    Args:
        names: file names without suffix.
        images: likewise, of the pictures in order; empty where there are none.
        count: how many frames there are.
        what: where the names are from, for messages.

    Returns:
        (N,) places, and notes on what was left out or assumed.

    Raises:
        InputError: no name means any frame, or two mean the same.
    """
    numbers = [_number(name) for name in names]
    tries = [_looked_up(list(names), list(images)), _looked_up(numbers, [_number(stem) for stem in images])]
    found = max(tries, key=lambda places: int((places >= 0).sum()))
    notes: list[str] = []
    if (found < 0).any():
        first = _first_place(numbers, count, bool(images))
        if first is not None:
            counted = np.array([number - first for number in numbers if number is not None], dtype=np.int64)
            found = np.where(counted < count, counted, -1)
            if images or first:
                notes.append(f"{what}: names are taken for places counted from {first}")
    lost = [name for name, place in zip(names, found) if place < 0]
    if len(lost) == len(names):
        shown = f"pictures such as {images[0]}" if images else f"any of {count} frames"
        raise InputError(
            f"{what}: names such as {names[0]} do not belong to {shown}; name poses as the pictures"
        )
    if lost:
        notes.append(f"{what}: {len(lost)} of {len(names)} poses belong to no frame, the first is {lost[0]}")
    kept = found[found >= 0]
    if len(np.unique(kept)) < len(kept):
        twice = int(np.flatnonzero(np.bincount(kept) > 1)[0])
        both = [name for name, place in zip(names, found) if place == twice]
        raise InputError(f"{what}: {both[0]} and {both[1]} belong to the same frame")
    return found, notes


def _looked_up(names: Sequence[str | int | None], images: Sequence[str | int | None]) -> NDArray[np.int64]:
    """Place of each name among the images' names, -1 where it is not there or not alone."""
    places: dict[str | int | None, int] = {}
    for i, image in enumerate(images):
        places[image] = -1 if image in places or image is None else i
    return np.array([places.get(name, -1) for name in names], dtype=np.int64)


def _first_place(numbers: Sequence[int | None], count: int, pictures: bool) -> int | None:
    """0 or 1, what numbers that count frames start from; None where they do not count."""
    known = {number for number in numbers if number is not None}
    if len(known) != len(numbers):
        return None
    if pictures:
        return next((first for first in (0, 1) if known == set(range(first, first + count))), None)
    return 1 if 0 not in known and max(known) == count else 0


def _number(name: str) -> int | None:
    """The last number in a name."""
    digits = re.findall(r"\d+", name)
    return int(digits[-1]) if digits else None
