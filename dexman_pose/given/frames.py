"""Which frame of a clip a given file, key or row belongs to: by name, number or time, never by place in silence."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from dexman_pose.arrays import Array
from dexman_pose.data.clip import Clip, numbers_of
from dexman_pose.errors import InputError

_STAMP = re.compile(r"\d{1,12}\.\d{2,9}", re.ASCII)
_LONG_STAMP = re.compile(r"\d{13,19}", re.ASCII)
_SECOND_DIGITS = 10
"""Digits of the seconds since 1970, of which a long stamp is a decimal fraction."""

_SLOW = 0.9
"""Seconds from frame to frame from which on times in whole seconds are times."""
_SHOWN = 3

Places = NDArray[np.int64]


@dataclass(frozen=True)
class Placed:
    """Where given things belong.

    Attributes:
        frames: (N,) index of the frame of each, -1 for those of no frame of the clip.
        note: a sentence for people where something was assumed, else empty.
    """

    frames: Places
    note: str = ""


def place_names(names: Sequence[str], clip: Clip, what: str) -> Placed:
    """Find the frame of every file name.

    The same name as a picture of the clip counts first, then time stamps, then the last number in the name: the number
    of a picture, or for videos the number of the frame, counted from 0 or from 1.

    Args:
        names: (N,) names without folder and suffix, in natural order.
        clip: the frames.
        what: what messages call the things, in plural.

    Raises:
        InputError: no name belongs to a frame, or it cannot be told which.
    """
    if not names:
        raise InputError(f"there are no {what}")
    own = {name: i for i, name in enumerate(clip.frame_names)}
    same = np.array([own.get(name, -1) for name in names], np.int64)
    if (same >= 0).any():
        if (same < 0).any():
            _refuse_shifted(numbers_of(names), clip, what)
        return _once(same, names, what)
    given, frames = stamps(names), stamps(clip.frame_names)
    if given is not None and frames is not None:
        return _nearest(given, frames, what)
    if given is not None and not clip.frame_names:
        return _nearest(given - given[0], clip.frame_times, what, _FIRST.format(what))
    numbers = numbers_of(names)
    if numbers is None:
        return _in_order(names, clip, what, "their names hold no numbers that increase")
    if clip.frame_names:
        return _by_picture(numbers, names, clip, what)
    return _once(*_by_count(numbers, names, clip, what))


def place_numbers(numbers: Sequence[int], clip: Clip, what: str, *, places: bool) -> Placed:
    """Find the frame of every number that a program gave.

    Args:
        numbers: (N,) as they stand there, in any order.
        clip: the frames.
        what: what messages call the things, in plural.
        places: whether a number that may be either is a place counted from 0, and not the number of a picture.

    Raises:
        InputError: no number belongs to a frame.
    """
    given = np.asarray(numbers, np.int64)
    names = [str(n) for n in given]
    if len(given) == 0:
        raise InputError(f"there are no {what}")
    pictures = clip.frame_numbers
    if pictures is None:
        return _once(*_by_count(given, names, clip, what))
    by_number = _found_in(given, pictures)
    by_place = np.where((given >= 0) & (given < clip.num_frames), given, -1)
    scores = int((by_number >= 0).sum()), int((by_place >= 0).sum())
    if max(scores) < len(given):
        _refuse_shifted(np.sort(given), clip, what)
    if max(scores) == 0:
        raise InputError(_NONE.format(what, _some(names), _some(clip.frame_names)))
    if scores[0] == scores[1] and (by_number != by_place).any():
        meant = "places counted from 0" if places else "numbers of pictures"
        note = f"{_capital(what)}: numbers were taken as {meant}; they might be the other."
        return _once(by_place if places else by_number, names, what, note)
    return _once(by_number if scores[0] >= scores[1] else by_place, names, what)


def stamps(names: Sequence[str]) -> Array | None:
    """(N,) seconds that names are, as ``1305031102.175304`` or whole nano-, micro- or milliseconds; None for others."""
    if not names:
        return None
    if all(_STAMP.fullmatch(name) for name in names):
        return np.array([float(name) for name in names])
    if all(_LONG_STAMP.fullmatch(name) for name in names):
        return np.array([int(name) / 10.0 ** (len(name) - _SECOND_DIGITS) for name in names])
    return None


_FIRST = "The time of the first of the {} was taken as that of the first frame."
_NONE = "none of the {} belongs to a frame: they are named {}, the pictures {}; give both the same names or numbers"


def place_times(times: Array, clip: Clip, what: str) -> Placed:
    """Find the frame of every time in seconds: that of a picture named by its time, else from the first on.

    Programs without times write the number of the frame in their place.
    """
    frames = stamps(clip.frame_names)
    given = np.asarray(times, np.float64)
    if frames is not None:
        return _nearest(given, frames, what)
    own = clip.frame_times
    if _are_counts(given, own):
        return place_numbers(given.astype(np.int64).tolist(), clip, what, places=False)
    if given.min(initial=np.inf) > own[-1] + 1.0:
        return _nearest(given - given.min(), own, what, _FIRST.format(what))
    return _nearest(given, own, what)


def _are_counts(given: Array, own: Array) -> bool:
    """Whether times are whole numbers that step by whole seconds where frames follow faster: numbers of frames."""
    if (given != np.floor(given)).any() or (given < 0).any() or given.max(initial=0) >= 10.0**_SECOND_DIGITS:
        return False
    return len(given) > 1 and len(own) > 1 and bool(np.median(np.diff(own)) < _SLOW)


def _nearest(given: Array, frames: Array, what: str, note: str = "") -> Placed:
    """The frame nearest in time, where it is nearer than half the usual step; the nearest wins a frame."""
    order = np.argsort(frames, kind="stable")
    ordered = frames[order]
    limit = 0.5 * float(np.median(np.diff(ordered))) + 1e-6 if len(frames) > 1 else 0.5
    after = np.clip(np.searchsorted(ordered, given), 0, len(ordered) - 1)
    before = np.maximum(after - 1, 0)
    nearest = np.where(np.abs(given - ordered[before]) <= np.abs(given - ordered[after]), before, after)
    away = np.abs(given - ordered[nearest])
    out = np.where(away <= limit, order[nearest], -1).astype(np.int64)
    for frame in np.unique(out[out >= 0]):
        same = np.flatnonzero(out == frame)
        out[same[same != same[np.argmin(away[same])]]] = -1
    if (out < 0).all():
        raise InputError(
            f"none of the {what} was made within {limit:.3g} s of a frame: their times are {given[0]:.6f} to "
            f"{given[-1]:.6f}, those of the frames {ordered[0]:.6f} to {ordered[-1]:.6f}"
        )
    return Placed(out, note)


def _by_picture(numbers: Places, names: Sequence[str], clip: Clip, what: str) -> Placed:
    pictures = clip.frame_numbers
    if pictures is None:
        return _in_order(names, clip, what, "the pictures' names hold no numbers that increase")
    found = _found_in(numbers, pictures)
    if (found < 0).all():
        return _in_order(names, clip, what, "their numbers are not those of the pictures")
    _refuse_shifted(numbers, clip, what)
    return _once(found, names, what)


def _refuse_shifted(numbers: Places | None, clip: Clip, what: str) -> None:
    """As many as pictures, all off by the same number: they may belong together by place, or by number."""
    pictures = clip.frame_numbers
    if numbers is None or pictures is None or len(numbers) != len(pictures):
        return
    off = np.unique(numbers - pictures)
    if len(off) == 1 and off[0] != 0 and _found_in(numbers, pictures).max() >= 0:
        raise InputError(
            f"there are as many {what} as pictures, but they are numbered {numbers[0]} to {numbers[-1]} and the "
            f"pictures {pictures[0]} to {pictures[-1]}: name them alike, so that it is plain which belong together"
        )


def _by_count(
    numbers: Places, names: Sequence[str], clip: Clip, what: str
) -> tuple[Places, Sequence[str], str, str]:
    """Numbers of frames of a video, from 0 or from 1."""
    count, low, high = clip.num_frames, int(numbers.min()), int(numbers.max())
    first, note = 0, ""
    if low >= 1 and (high == count or (low == 1 and high > count)):
        first = 1
    elif low >= count or low < 0:
        if len(numbers) != count:
            raise InputError(
                f"the {what} are numbered {low} to {high}, but the frames 0 to {count - 1}, or 1 to {count}"
            )
        note = f"{_capital(what)}: as many as frames, taken in their order, for their numbers are not those of frames."
        rank = np.empty(count, np.int64)
        rank[np.argsort(numbers, kind="stable")] = np.arange(count)
        return rank, names, what, note
    elif low > 0:
        note = f"{_capital(what)}: the first frame of the video was taken as number 0."
    found = numbers - first
    return np.where((found >= 0) & (found < count), found, -1), names, what, note


def _in_order(names: Sequence[str], clip: Clip, what: str, reason: str) -> Placed:
    if len(names) != clip.num_frames:
        raise InputError(
            f"it cannot be told which frames the {len(names)} {what} belong to, {reason} and there are "
            f"{clip.num_frames} frames: give them the names or numbers of the frames, such as {_some(names)} for "
            f"{_some(clip.frame_names) if clip.frame_names else 'frame 0, 1, 2'}"
        )
    note = f"{_capital(what)}: as many as frames, taken in their order, because {reason}."
    return Placed(np.arange(len(names), dtype=np.int64), note)


def _found_in(numbers: Places, pictures: Places) -> Places:
    at = np.clip(np.searchsorted(pictures, numbers), 0, len(pictures) - 1)
    return np.where(pictures[at] == numbers, at, -1).astype(np.int64)


def _once(frames: Places, names: Sequence[str], what: str, note: str = "") -> Placed:
    used = [(int(f), name) for f, name in zip(frames, names) if f >= 0]
    if not used:
        raise InputError(f"none of the {what} belongs to a frame of the clip: they are named {_some(names)}")
    used.sort()
    for (a, first), (b, second) in pairwise(used):
        if a == b:
            raise InputError(f"two of the {what} belong to frame {a}: {first} and {second}")
    return Placed(np.asarray(frames, np.int64), note)


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:_SHOWN]) + (", ..." if len(names) > _SHOWN else "")


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
