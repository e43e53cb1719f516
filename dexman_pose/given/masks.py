"""Masks that a user brings: read from whatever holds them, named after the objects, used as they are."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np

from dexman_pose.arrays import Array, Mask
from dexman_pose.data.clip import Clip
from dexman_pose.data.masks import OCCLUDER, MaskSequence
from dexman_pose.data.prompts import ObjectPrompt
from dexman_pose.errors import InputError
from dexman_pose.given.door import reading
from dexman_pose.given.mask_archives import (
    from_arrays,
    from_value,
    npz_arrays,
    read_coco,
    read_npy,
    read_pickle,
)
from dexman_pose.given.mask_files import VIDEO_SUFFIXES, read_folder, read_video
from dexman_pose.given.mask_store import GivenMasks
from dexman_pose.imaging.masks import mask_box

FORMS = (
    "a folder of label images, or of one folder of pictures per object; .npz or .npy arrays; COCO's .json; a video of "
    "black and white"
)
_OWN_FILE = {"names", "size", "confidence", "ends", "data"}
"""Arrays of the file that a run keeps its masks in."""
_OWN_EXTRAS = {"faults"}
"""Those that are not in all of them."""
_LEAST_OVERLAP = 0.3
"""Overlap of the boxes of prompt and mask from which they are of one object. Set by hand."""


@dataclass(frozen=True)
class ObjectMasks:
    """Given masks with the names of the objects they are of.

    Attributes:
        masks: by frame and key.
        keys: key of each object, by its name.
        occluder: key of what hides objects and is none, or None.
        notes: sentences for people about what was assumed.
    """

    masks: GivenMasks
    keys: dict[str, str]
    occluder: str | None = None
    notes: tuple[str, ...] = field(default=())

    def mask(self, frame: int, name: str) -> Mask:
        """(H, W) bool of one object in one frame."""
        return self.masks.mask(frame, self.keys[name])

    def known(self, name: str) -> set[int]:
        """Frames for which the object's mask was given, be it empty."""
        return self.masks.known[self.keys[name]]

    def prompt(self, name: str, mesh: Any) -> ObjectPrompt:
        """A prompt by the largest of the first masks that show the object.

        Raises:
            InputError: it is in none of them.
        """
        best, size = -1, 0
        for frame in sorted(self.known(name)):
            area = int(self.mask(frame, name).sum())
            if area > size:
                best, size = frame, area
        if best < 0:
            raise InputError(f"the masks of {name!r} are empty in all frames")
        return ObjectPrompt(mask=self.mask(best, name), frame=best, mesh=mesh)


def read_masks(source: Any, clip: Clip) -> GivenMasks:
    """Masks of a file or folder, a dict ``{name: file or folder or array}``, arrays, or a mask sequence.

    Raises:
        InputError: nothing there, damaged, none of these, or masks that do not fit the clip.
    """
    with reading(source):
        return _read(source, clip)


def _read(source: Any, clip: Clip) -> GivenMasks:
    if isinstance(source, MaskSequence):
        return _of_sequence(source, clip)
    if (
        isinstance(source, Mapping)
        and source
        and all(isinstance(v, (str, PathLike)) for v in source.values())
    ):
        out = GivenMasks(clip)
        for name, path in source.items():
            found = read_masks(path, clip)
            out.add(str(name), found if len(found.known) == 1 else found.merged())
        return out
    if not isinstance(source, (str, PathLike)):
        return from_value(source, clip, "masks")
    path = Path(source).expanduser()
    if path.is_dir():
        return read_folder(path, clip)
    if not path.is_file():
        raise InputError(f"there are no masks at {path}; give {FORMS}")
    suffix = path.suffix.lower()
    if suffix in VIDEO_SUFFIXES:
        return read_video(path, clip)
    readers = {
        ".npz": _read_npz,
        ".npy": read_npy,
        ".json": read_coco,
        ".pkl": read_pickle,
        ".pickle": read_pickle,
    }
    if suffix not in readers:
        raise InputError(f"{path} holds no masks that can be read; give {FORMS}")
    return readers[suffix](path, clip)


def _read_npz(path: Path, clip: Clip) -> GivenMasks:
    """Masks of an npz file, that of an earlier run among them."""
    arrays = npz_arrays(path)
    if set(arrays) - _OWN_EXTRAS == _OWN_FILE:
        return _of_sequence(MaskSequence.from_arrays(arrays), clip)
    return from_arrays(arrays, clip, path)


def _of_sequence(masks: MaskSequence, clip: Clip) -> GivenMasks:
    if masks.num_frames != clip.num_frames:
        raise InputError(f"there are {masks.num_frames} masks, but the clip has {clip.num_frames} frames")
    out = GivenMasks(clip)
    for frame in range(clip.num_frames):
        labels = masks.labels(frame)
        parts = {name: labels == i for i, name in enumerate(masks.names, 1)}
        if (labels == OCCLUDER).any():
            parts[str(OCCLUDER)] = labels == OCCLUDER
        out.put(frame, parts, f"masks of frame {frame}")
    out.complete()
    return out


def named_masks(given: GivenMasks, objects: Mapping[str, Any]) -> ObjectMasks:
    """Tell which masks are of which object: by name, by number, by the prompts, else by order where numbers agree.

    Args:
        given: what was read.
        objects: prompts by name; entries that are no prompts do not help.

    Raises:
        InputError: it cannot be told; the message lists both.
    """
    keys, names = list(given.known), list(objects)
    occluder = (
        str(OCCLUDER) if str(OCCLUDER) in keys and len(keys) > 1 and str(OCCLUDER) not in names else None
    )
    keys = [key for key in keys if key != occluder]
    notes = list(given.notes)
    found = _by_name(names, keys) or _by_number(names, keys)
    if found is None and len(names) == len(keys) == 1:
        found = {names[0]: keys[0]}
    if found is None:
        found = _by_prompt(given, objects, keys)
        if found is not None:
            pairs = ", ".join(f"{key} as {name}" for name, key in found.items())
            notes.append(f"Masks were named by the prompts they overlap: {pairs}.")
    if found is None and len(names) == len(keys) and all(key.isdigit() for key in keys):
        found = dict(zip(names, sorted(keys, key=int)))
        pairs = ", ".join(f"{key} as {name}" for name, key in found.items())
        notes.append(f"Masks were named in the order of their numbers: {pairs}.")
    if found is None:
        raise InputError(
            f"the masks are of {_listed(keys)}, but the objects are {_listed(names)}: give masks their names, or "
            "numbers in the order of the objects"
        )
    left = [key for key in keys if key not in found.values()]
    if left:
        notes.append(f"Masks of {_listed(left)} were left out: no object has that name.")
    return ObjectMasks(given, found, occluder, tuple(notes))


def _by_name(names: list[str], keys: list[str]) -> dict[str, str] | None:
    folded = {key.casefold(): key for key in keys}
    found = {name: folded[name.casefold()] for name in names if name.casefold() in folded}
    return found if len(found) == len(names) else None


def _by_number(names: list[str], keys: list[str]) -> dict[str, str] | None:
    """Objects named with a number, as ``obj_000005``, and masks that bear it."""
    numbered = {int(key): key for key in keys if key.isdigit()}
    ends = [re.search(r"(\d+)$", name) for name in names]
    wanted = [int(end[1]) for end in ends if end]
    if len(wanted) < len(names) or len(set(wanted)) < len(wanted) or not set(wanted) <= set(numbered):
        return None
    return {name: numbered[number] for name, number in zip(names, wanted)}


def _by_prompt(given: GivenMasks, objects: Mapping[str, Any], keys: list[str]) -> dict[str, str] | None:
    """The key whose mask overlaps each prompt's box or mask in its frame; None unless all are clear."""
    found: dict[str, str] = {}
    for name, prompt in objects.items():
        if not isinstance(prompt, ObjectPrompt):
            return None
        box = prompt.box if prompt.box is not None else None if prompt.mask is None else mask_box(prompt.mask)
        if box is None:
            return None
        overlaps = {key: _overlap(box, mask_box(given.mask(prompt.frame, key))) for key in keys}
        best = max(overlaps, key=lambda key: overlaps[key])
        if overlaps[best] < _LEAST_OVERLAP or best in found.values():
            return None
        found[name] = best
    return found


def _overlap(a: Array, b: Array | None) -> float:
    if b is None:
        return 0.0
    low, high = np.maximum(a[:2], b[:2]), np.minimum(a[2:], b[2:])
    both = float(np.prod(np.maximum(high - low, 0.0)))
    return both / max(float(np.prod(a[2:] - a[:2]) + np.prod(b[2:] - b[:2])) - both, 1e-9)


def _listed(names: list[str]) -> str:
    return ", ".join(name or "one object without a name" for name in names) or "nothing"


def merged_if_single(given: GivenMasks, objects: Mapping[str, Any]) -> GivenMasks:
    """For one object whose masks are in colours or soft and hard by turns: all that is on as one mask."""
    numeric = all(key == "" or key.isdigit() for key in given.known)
    several = {key for key in given.known if key != str(OCCLUDER)}
    if len(objects) == 1 and len(several) > 1 and numeric and "" in several:
        return replace(given.merged(), notes=given.notes)
    return given
