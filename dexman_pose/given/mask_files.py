"""Masks out of folders of pictures and videos."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import numpy as np

from dexman_pose.data.clip import Clip, natural_key
from dexman_pose.errors import InputError
from dexman_pose.given.frames import place_names
from dexman_pose.given.mask_store import GivenMasks
from dexman_pose.given.mask_values import SUFFIXES, parts_of, read_picture, resized_mask
from dexman_pose.given.mask_values import WHITE as _WHITE

VIDEO_SUFFIXES = (".mp4", ".mov", ".avi", ".mkv", ".webm", ".m4v")
_PAIR = re.compile(r"(\d+)_(\d+)", re.ASCII)
_PURE = 24
"""Levels within which a decoded video's black and white lie."""
_EDGE = 0.05
"""Share of pixels of a video of black and white that may be neither: edges blurred by compression."""


def read_folder(folder: Path, clip: Clip) -> GivenMasks:
    """Masks of a folder: pictures of the frames, or one folder of pictures for every object.

    Pictures named ``IMAGE_OBJECT.png``, as BOP has them, hold one object each.

    Raises:
        InputError: no pictures there, no masks, or names that belong to no frame.
    """
    pictures, folders = _pictures(folder), _folders(folder)
    if pictures and folders:
        raise InputError(
            f"{folder} holds pictures and folders of pictures ({', '.join(f.name for f in folders)}): give one of them"
        )
    if not pictures and not folders:
        raise InputError(f"{folder} holds no pictures of masks ({', '.join(SUFFIXES)}), nor folders of such")
    if pictures:
        return _by_instance(pictures, clip) or _read(pictures, clip, str(folder))
    out = GivenMasks(clip)
    for one in folders:
        found = _read(_pictures(one), clip, str(one))
        if len(folders) == 1 and len(found.known) > 1:
            return found  # a folder in a folder, named by the clip, as DAVIS has it
        out.add(one.name, found if len(found.known) == 1 else found.merged())
    return out


def _pictures(folder: Path) -> list[Path]:
    files = [p for p in folder.iterdir() if p.suffix.lower() in SUFFIXES and p.name[0] != "." and p.is_file()]
    return sorted(files, key=natural_key)


def _folders(folder: Path) -> list[Path]:
    found = [p for p in folder.iterdir() if p.is_dir() and p.name[0] != "." and _pictures(p)]
    return sorted(found, key=natural_key)


def _read(files: list[Path], clip: Clip, where: str) -> GivenMasks:
    """Pictures of the frames; a label that is not in one is not in sight there."""
    out = GivenMasks(clip)
    placed = place_names([p.stem for p in files], clip, f"masks in {where}")
    out.notes += [placed.note] if placed.note else []
    for file, frame in zip(files, placed.frames):
        if frame >= 0:
            out.put(int(frame), read_picture(file), str(file))
    out.complete()
    if not out.known:
        raise InputError(f"the masks in {where} are black everywhere: no object is marked in them")
    return out


def _by_instance(files: list[Path], clip: Clip) -> GivenMasks | None:
    """Pictures named by image and object; None where they are named otherwise."""
    matches = [_PAIR.fullmatch(p.stem) for p in files]
    if None in matches:
        return None
    named = [(m[1], m[2]) for m in matches if m]
    images = Counter(image for image, _ in named)
    if {p.stem for p in files} & set(clip.frame_names):
        return None
    if len(images) == len(files) and len({one for _, one in named}) == len(files):
        return None
    out = GivenMasks(clip)
    for key in sorted({one for _, one in named}):
        chosen = [(p, image) for p, (image, one) in zip(files, named) if one == key]
        part = GivenMasks(clip)
        placed = place_names([image for _, image in chosen], clip, f"masks of object {key}")
        for (file, _), frame in zip(chosen, placed.frames):
            if frame >= 0:
                part.put(int(frame), read_picture(file), str(file))
        part.complete()
        if part.known:
            part.notes += [placed.note] if placed.note else []
            out.add(key, part.merged())
    return out


def read_video(path: Path, clip: Clip) -> GivenMasks:
    """Masks of a video with a frame for every frame of the clip: black and white, or levels of grey as labels.

    Raises:
        VideoError: it cannot be decoded.
        InputError: another number of frames, or colours.
    """
    video = Clip.open(path)
    if video.num_frames != clip.num_frames:
        raise InputError(
            f"{path} has {video.num_frames} frames, but the clip has {clip.num_frames}: give a mask for every "
            "frame, or pictures named by their frames"
        )
    binary = _is_binary(video, path)
    out = GivenMasks(clip)
    for index, frame in video.frames():
        grey = frame.astype(np.int16).mean(-1)
        parts = {"": grey > _WHITE // 2} if binary else parts_of(np.rint(grey).astype(np.uint8), f"{path}")
        out.put(
            index,
            {k: resized_mask(m, clip.height, clip.width, str(path)) for k, m in parts.items()},
            str(path),
        )
    out.complete()
    if not out.known or not any(out.mask(i, k).any() for k in out.known for i in range(clip.num_frames)):
        raise InputError(f"{path} is black everywhere: no object is marked in it")
    return out


def _is_binary(video: Clip, path: Path) -> bool:
    """Whether a video is black and white; else its levels are exact labels."""
    counts = np.zeros(_WHITE + 1, np.int64)
    for index in range(0, video.num_frames, max(1, video.num_frames // 10)):
        frame = video.frame(index).astype(np.int16)
        if (frame.max(-1) - frame.min(-1)).mean() > _PURE / 2:
            raise InputError(f"{path} is a video in colours; give masks in black and white or labels in grey")
        counts += np.bincount(np.rint(frame.mean(-1)).astype(np.int64).ravel(), minlength=_WHITE + 1)
    total = counts.sum()
    middle = counts[_PURE : _WHITE + 1 - _PURE].sum() / total
    white = counts[_WHITE + 1 - _PURE :].sum()
    if white and middle <= _EDGE:
        return True
    if np.count_nonzero(counts) <= _PURE:
        return False
    raise InputError(
        f"{path}: compression has changed its labels; write a video of black and white for one object, or PNG pictures"
    )
