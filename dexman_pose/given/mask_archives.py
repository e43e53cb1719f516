"""Masks out of npz, npy, pickle and JSON files, and out of values in memory of the same structure."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from dexman_pose.arrays import Mask
from dexman_pose.data.clip import Clip
from dexman_pose.data.files import one_line, read_arrays, read_json
from dexman_pose.data.pickles.load import load_pickle
from dexman_pose.errors import InputError
from dexman_pose.given.frames import place_names, place_numbers
from dexman_pose.given.mask_store import GivenMasks
from dexman_pose.given.mask_values import parts_of
from dexman_pose.given.rle import decode_rle

HOW_TO_SAVE = (
    "save it as np.savez_compressed(path, **{f'{frame}/{id}': mask for frame, masks in segments.items() "
    "for id, mask in masks.items()})"
)
_PAIR = re.compile(r"(?:frame_?)?(\d+)[/_.-](?:obj(?:ect)?_?|id_?)?(\w+)", re.ASCII | re.IGNORECASE)
_STACKS = ("masks", "mask", "labels", "segmentation", "arr_0")
_NUMBERS = ("frames", "frame_indices", "frame_ids")


def npz_arrays(path: Path) -> dict[str, NDArray[Any]]:
    """The arrays of an npz file.

    Raises:
        InputError: damaged, or pickled objects.
    """
    if not zipfile.is_zipfile(path):
        raise InputError(f"{path} is no npz file, or it is cut off")
    try:
        return read_arrays(path)
    except InputError as error:
        if "object" in str(error).lower():
            raise InputError(f"{path} holds pickled objects, which are never run; {HOW_TO_SAVE}") from error
        raise


def from_arrays(arrays: dict[str, NDArray[Any]], clip: Clip, path: Path) -> GivenMasks:
    """Masks of an npz file: arrays named FRAME/ID, a stack (T, H, W), or a stack for every object by its name.

    Raises:
        InputError: none of these.
    """
    numbers = next((arrays.pop(k) for k in _NUMBERS if k in arrays), None)
    pairs = [_PAIR.fullmatch(name) for name in arrays]
    if arrays and all(pairs):
        nested: dict[Any, dict[str, Any]] = {}
        for match, array in zip(pairs, arrays.values()):
            assert match is not None
            nested.setdefault(int(match[1]), {})[match[2]] = array
        return from_frames(nested, clip, str(path))
    if arrays and all(name.isdigit() for name in arrays):
        return from_frames({int(name): array for name, array in arrays.items()}, clip, str(path))
    if len(arrays) == 1 and next(iter(arrays)) in _STACKS:
        return from_stack(next(iter(arrays.values())), clip, str(path), numbers)
    out = GivenMasks(clip)
    for name, array in arrays.items():
        found = from_stack(array, clip, f"{path}: {name}", numbers)
        out.add(name, found if len(found.known) == 1 else found.merged())
    if not out.known:
        raise InputError(f"{path} holds no arrays; {HOW_TO_SAVE}")
    return out


def read_npy(path: Path, clip: Clip) -> GivenMasks:
    """Masks of an npy file (T, H, W).

    Raises:
        InputError: damaged, or a pickled dict.
    """
    try:
        stack = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        if "pickle" in str(error).lower() or "object" in str(error).lower():
            raise InputError(f"{path} holds a pickled dict, which is never run; {HOW_TO_SAVE}") from error
        raise InputError(f"{path} cannot be read as masks: {one_line(error)}") from error
    return from_stack(stack, clip, str(path), None)


def read_pickle(path: Path, clip: Clip) -> GivenMasks:
    """Masks of a pickle of plain arrays ``{frame: {id: mask}}``; nothing in the file is run."""
    return from_value(load_pickle(path), clip, str(path))


def from_value(value: Any, clip: Clip, where: str) -> GivenMasks:
    """Masks in memory: ``{frame: {id: mask}}``, ``{frame: labels}``, ``{name: (T, H, W)}``, or (T, H, W)."""
    if isinstance(value, Mapping) and value:
        if all(_is_number(key) for key in value):
            return from_frames({int(k): v for k, v in value.items()}, clip, where)
        out = GivenMasks(clip)
        for name, one in value.items():
            found = from_value(one, clip, f"{where} of {name!r}")
            out.add(str(name), found if len(found.known) == 1 else found.merged())
        return out
    if isinstance(value, Mapping):
        raise InputError(f"{where} must hold masks, but is an empty dict")
    return from_stack(_plain(value), clip, where, None)


def from_frames(frames: Mapping[int, Any], clip: Clip, where: str) -> GivenMasks:
    """``{frame: {id: mask}}`` or ``{frame: labels}``, as SAM 2 keeps them; frames that are not there are unknown."""
    out = GivenMasks(clip)
    keys = list(frames)
    placed = place_numbers(keys, clip, f"masks in {where}", places=True)
    out.notes += [placed.note] if placed.note else []
    for key, frame in zip(keys, placed.frames):
        if frame < 0:
            continue
        value, at = frames[key], f"{where}: frame {key}"
        if isinstance(value, Mapping):
            parts = {str(one): _together(mask, f"{at}, object {one}") for one, mask in value.items()}
        else:
            parts = parts_of(_plain(value), at)
        out.put(int(frame), parts, at)
    out.complete()
    return out


def from_stack(stack: NDArray[Any], clip: Clip, where: str, numbers: NDArray[Any] | None) -> GivenMasks:
    """Masks (T, H, W) of all frames, (T, N, H, W) of N objects, or of the frames that ``numbers`` name."""
    squeezed = stack[..., 0] if stack.ndim == 4 and stack.shape[-1] == 1 else stack
    if squeezed.ndim not in (3, 4):
        raise InputError(
            f"{where} must be masks of shape (frames, height, width), but its shape is {stack.shape}"
        )
    if numbers is None:
        if len(squeezed) != clip.num_frames:
            raise InputError(
                f"{where} holds {len(squeezed)} masks, but the clip has {clip.num_frames} frames: add an array frames "
                "that says which they are of, or give a dict by frame"
            )
        frames = np.arange(len(squeezed))
    else:
        if np.shape(numbers) != (len(squeezed),):
            raise InputError(f"{where}: frames must be {len(squeezed)} numbers, one per mask")
        frames = place_numbers(np.asarray(numbers).tolist(), clip, f"masks in {where}", places=True).frames
    out = GivenMasks(clip)
    for i, frame in enumerate(frames):
        at = f"{where}[{i}]"
        if squeezed.ndim == 3:
            out.put(int(frame), parts_of(squeezed[i], at), at)
        else:
            out.put(int(frame), {str(n + 1): _together(m, at) for n, m in enumerate(squeezed[i])}, at)
    out.complete()
    return out


def _together(value: Any, where: str) -> Mask:
    """One mask of one object, in any form: array, run lengths."""
    if isinstance(value, Mapping):
        return decode_rle(value, where)
    parts = parts_of(_plain(value), where)
    if not parts:
        return np.zeros(np.squeeze(_plain(value)).shape, np.bool_)
    if len(parts) > 1:
        raise InputError(f"{where} must be the mask of one object, but holds the labels {', '.join(parts)}")
    return next(iter(parts.values()))


def _plain(value: Any) -> NDArray[Any]:
    if hasattr(value, "detach"):
        value = value.detach().cpu().numpy()
    try:
        return np.asarray(value)
    except ValueError as error:
        raise InputError(f"masks must be arrays of one shape: {one_line(error)}") from error


def _is_number(key: Any) -> bool:
    return isinstance(key, (int, np.integer)) or (isinstance(key, str) and key.isdigit())


def read_coco(path: Path, clip: Clip) -> GivenMasks:
    """Masks of a JSON file: COCO's annotations, a list of results, YouTube-VIS, or ``{frame: {id: run lengths}}``.

    Raises:
        InputError: no JSON, none of these, or run lengths that are damaged.
    """
    content = read_json(path)
    if isinstance(content, Mapping) and content and all(_is_number(k) for k in content):
        return from_frames({int(k): v for k, v in content.items()}, clip, str(path))
    notes, images = (content, {}) if isinstance(content, list) else _annotations(content, path)
    if not isinstance(notes, Sequence) or not notes or not all(isinstance(n, Mapping) for n in notes):
        raise InputError(
            f'{path} holds no masks; expected COCO\'s "annotations", or {{"0": {{"1": run lengths}}}}'
        )
    names = _category_names(content)
    if "segmentations" in notes[0]:
        return _tracks(notes, names, clip, path)
    ids = list(dict.fromkeys(_entry(n, "image_id", path) for n in notes)) + list(images)
    ids = list(dict.fromkeys(ids))
    if images and all(i in images for i in ids):
        ids.sort(key=lambda i: _natural(images[i]))
        placed = place_names([Path(images[i]).stem for i in ids], clip, f"images of {path}")
    elif all(_is_number(i) for i in ids):
        placed = place_numbers([int(i) for i in ids], clip, f"images of {path}", places=False)
    else:
        placed = place_names([Path(str(i)).stem for i in ids], clip, f"images of {path}")
    frames = dict(zip(ids, placed.frames.tolist()))
    out = GivenMasks(clip)
    out.notes += [placed.note] if placed.note else []
    gathered: dict[int, dict[str, Mask]] = {f: {} for f in frames.values() if f >= 0}
    for number, note in enumerate(notes):
        frame = frames[note["image_id"]]
        if frame < 0:
            continue
        mask = _segmentation(note.get("segmentation"), clip, f"{path}: annotation {number}")
        key = _key(note, names)
        before = gathered[frame].get(key)
        gathered[frame][key] = mask if before is None else before | mask
    for frame, parts in gathered.items():
        out.put(frame, dict(parts), str(path))
    out.complete()
    return out


def _natural(name: str) -> list[tuple[int, int, str]]:
    return [(0, int(p), "") if p.isdigit() else (1, 0, p) for p in re.split(r"(\d+)", name)]


def _annotations(content: Any, path: Path) -> tuple[Any, dict[Any, str]]:
    if not isinstance(content, Mapping) or "annotations" not in content:
        raise InputError(
            f'{path} holds no "annotations"; expected COCO\'s form, or {{"0": {{"1": run lengths}}}}'
        )
    images = content.get("images") or []
    named = {
        i["id"]: str(i["file_name"])
        for i in images
        if isinstance(i, Mapping) and "id" in i and isinstance(i.get("file_name"), str)
    }
    return content["annotations"], named


def _category_names(content: Any) -> dict[Any, str]:
    categories = content.get("categories") if isinstance(content, Mapping) else None
    return {
        c["id"]: str(c["name"])
        for c in categories or []
        if isinstance(c, Mapping) and "id" in c and "name" in c
    }


def _key(note: Mapping[str, Any], names: Mapping[Any, str]) -> str:
    category = note.get("category_id", note.get("track_id", 1))
    return names.get(category, str(category))


def _entry(note: Mapping[str, Any], key: str, path: Path) -> Any:
    value = note.get(key)
    if not isinstance(value, (int, str)):
        raise InputError(f"{path}: every annotation needs {key}, a number or name")
    return value


def _tracks(notes: Sequence[Any], names: Mapping[Any, str], clip: Clip, path: Path) -> GivenMasks:
    """YouTube-VIS: a list of run lengths per object, null where it is not in sight."""
    out = GivenMasks(clip)
    parts: list[dict[str, Mask]] = [{} for _ in range(clip.num_frames)]
    for number, note in enumerate(notes):
        runs = note.get("segmentations")
        if not isinstance(runs, Sequence) or len(runs) != clip.num_frames:
            raise InputError(
                f"{path}: track {number} must have a mask or null for all {clip.num_frames} frames"
            )
        for frame, run in enumerate(runs):
            if run is not None:
                parts[frame][_key(note, names)] = _segmentation(
                    run, clip, f"{path}: track {number}, frame {frame}"
                )
    for frame, found in enumerate(parts):
        out.put(frame, dict(found), str(path))
    out.complete()
    return out


def _segmentation(value: Any, clip: Clip, where: str) -> Mask:
    """Run lengths, or polygons of the frames' pixels."""
    if isinstance(value, Mapping):
        return decode_rle(value, where)
    if not isinstance(value, Sequence) or isinstance(value, str):
        raise InputError(f"{where} has no segmentation: run lengths or polygons")
    canvas = np.zeros((clip.height, clip.width), np.uint8)
    for polygon in value:
        try:
            corners = np.asarray(polygon, np.float64).reshape(-1, 2)
        except (TypeError, ValueError):
            raise InputError(f"{where}: a polygon must be x, y, x, y, ...") from None
        if len(corners) < 3 or not np.isfinite(corners).all():
            raise InputError(f"{where}: a polygon must have three corners or more, all finite")
        # Corners are in pixels whose first spans 0 to 1; here its centre is 0.
        whole = np.rint((np.clip(corners, -9999, 9999) - 0.5) * 256).astype(np.int32)
        cv2.fillPoly(canvas, [whole], 1, shift=8)
    return canvas > 0
