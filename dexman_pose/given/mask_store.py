"""Masks of a clip as they were given: by frame and by the label or name they have there, held small."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from dexman_pose.arrays import Mask
from dexman_pose.data.clip import Clip
from dexman_pose.given.mask_values import SINGLE, Parts, resized_mask


@dataclass
class GivenMasks:
    """Masks by frame and key.

    Attributes:
        clip: the frames they are of.
        known: by key, the frames for which something was given, be it an empty mask.
        notes: sentences for people about what was assumed.
    """

    clip: Clip
    known: dict[str, set[int]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    _masks: dict[tuple[int, str], bytes] = field(default_factory=dict, repr=False)
    _frames: set[int] = field(default_factory=set, repr=False)

    def put(self, frame: int, parts: Parts, where: str) -> None:
        """Keep the masks of one frame; frames below 0 are none of the clip's and left out.

        Raises:
            InputError: a mask of another shape than the frames.
        """
        if frame < 0:
            return
        self._frames.add(frame)
        for key, mask in parts.items():
            fitting = resized_mask(mask, self.clip.height, self.clip.width, where)
            self.known.setdefault(key, set()).add(frame)
            self._masks[frame, key] = zlib.compress(np.packbits(fitting).tobytes(), 1)

    def complete(self) -> None:
        """Say that a label that is not in a given frame is not in sight there, for all frames put so far."""
        if (
            len(self.known) > 1 and SINGLE in self.known
        ):  # soft in some frames, 0 and 1 or 0 and 255 in others
            self._merge_single()
        for frames in self.known.values():
            frames.update(self._frames)

    def _merge_single(self) -> None:
        others = [key for key in self.known if key != SINGLE]
        if len(others) != 1:
            return
        for frame in self.known.pop(SINGLE):
            self._masks.setdefault((frame, others[0]), self._masks[frame, SINGLE])

    def add(self, key: str, other: GivenMasks) -> None:
        """Take the only masks of ``other`` under a name of their own."""
        for (frame, _), data in other._masks.items():
            self._masks[frame, key] = data
        self.known[key] = set(other._frames)
        self._frames |= other._frames
        self.notes += [note for note in other.notes if note not in self.notes]

    def mask(self, frame: int, key: str) -> Mask:
        """(H, W) bool; nothing on where there is none."""
        data = self._masks.get((frame, key))
        shape = self.clip.height, self.clip.width
        if data is None:
            return np.zeros(shape, np.bool_)
        bits = np.unpackbits(np.frombuffer(zlib.decompress(data), np.uint8), count=shape[0] * shape[1])
        return bits.reshape(shape).astype(np.bool_)

    def digest(self) -> str:
        """Fingerprint of all masks and of the frames they were given for."""
        out = hashlib.sha256(
            repr(sorted((key, sorted(frames)) for key, frames in self.known.items())).encode()
        )
        for place in sorted(self._masks):
            out.update(repr(place).encode() + self._masks[place])
        return out.hexdigest()

    def mapped(self, change: Callable[[Mask], Mask]) -> GivenMasks:
        """The same with every mask changed, its size kept."""
        out = GivenMasks(
            self.clip, {key: set(frames) for key, frames in self.known.items()}, list(self.notes)
        )
        out._frames = set(self._frames)
        for frame, key in self._masks:
            changed = np.packbits(change(self.mask(frame, key))).tobytes()
            out._masks[frame, key] = zlib.compress(changed, 1)
        return out

    def merged(self) -> GivenMasks:
        """All that is on in any key as one mask: for pictures whose labels or colours are parts of one object."""
        out = GivenMasks(self.clip, notes=list(self.notes))
        for frame in sorted(self._frames):
            together = np.zeros((self.clip.height, self.clip.width), np.bool_)
            for key in self.known:
                together |= self.mask(frame, key)
            out.put(frame, {"": together}, "")
        return out
