"""Per-frame label images of a clip, held compressed so that memory stays small for any length."""

from __future__ import annotations

import zlib
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from dexman_pose.data.numbers import cast, count, described, plain, text
from dexman_pose.errors import InputError

BACKGROUND = 0
OCCLUDER = 255
"""Label of what hides objects and is none of them: hands, forearms."""


@dataclass
class MaskSequence:
    """One label image per frame: 0 background, ``i + 1`` the object ``names[i]``, 255 an occluder (hand, arm).

    Attributes:
        names: the objects, in the order of their labels.
        height: image height in pixels.
        width: image width in pixels.
        confidence: (T, N) in [0, 1], how far the mask of object n in frame t can be trusted; 0 where there is none.
        faults: (T, N) uint8, what the gate found wrong with masks, sums of
            :class:`~dexman_pose.segmentation.gate.checks.Fault`; None where it judged none.
    """

    names: tuple[str, ...]
    height: int
    width: int
    num_frames: int
    confidence: NDArray[np.float32] = field(default_factory=lambda: np.zeros((0, 0), np.float32))
    _frames: list[bytes] = field(default_factory=list, repr=False)
    faults: NDArray[np.uint8] | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.names, (list, tuple)):
            raise InputError(f"names must be a tuple of texts, but got {described(self.names)}")
        self.names = tuple(text(name, "an object's name") for name in self.names)
        if not 0 < len(self.names) < OCCLUDER:
            raise InputError(f"a mask sequence holds 1 to {OCCLUDER - 1} objects, but got {len(self.names)}")
        if len(set(self.names)) < len(self.names):
            raise InputError(f"objects need different names, but got {', '.join(self.names)}")
        self.height, self.width = count(self.height, "height", least=1), count(self.width, "width", least=1)
        self.num_frames = count(self.num_frames, "num_frames")
        self.confidence = cast(plain(self.confidence, "confidence"), np.float32, "confidence")
        if self.confidence.shape != (self.num_frames, len(self.names)):
            self.confidence = np.zeros((self.num_frames, len(self.names)), np.float32)
        if self.faults is not None:
            self.faults = cast(plain(self.faults, "faults"), np.uint8, "faults")
            if self.faults.shape != self.confidence.shape:
                raise InputError(
                    f"faults must have shape {self.confidence.shape}, but got {self.faults.shape}"
                )
        if not self._frames:
            self._frames = [b""] * self.num_frames

    def set(self, frame: int, labels: NDArray[np.uint8]) -> None:
        """Store the label image (H, W) uint8 of one frame."""
        given = plain(labels, "labels")
        if given.shape != (self.height, self.width) or given.dtype != np.uint8:
            raise InputError(
                f"labels of frame {frame} must be uint8 of shape {(self.height, self.width)}, "
                f"but got {given.dtype} {given.shape}"
            )
        highest = int(given[given != OCCLUDER].max(initial=0))
        if highest > len(self.names):
            raise InputError(
                f"labels of frame {frame} hold {highest}, but there are {len(self.names)} objects: use 0 for the "
                f"background, 1 to {len(self.names)} for them, {OCCLUDER} for what hides them"
            )
        self._frames[self._index(frame)] = zlib.compress(given.tobytes(), 1)

    def labels(self, frame: int) -> NDArray[np.uint8]:
        """The label image (H, W) uint8 of one frame; all background where none was stored."""
        data = self._frames[self._index(frame)]
        if not data:
            return np.zeros((self.height, self.width), np.uint8)
        return np.frombuffer(zlib.decompress(data), np.uint8).reshape(self.height, self.width)

    def mask(self, frame: int, name: str) -> NDArray[np.bool_]:
        """The visible pixels (H, W) bool of one object in one frame."""
        return self.labels(frame) == self.label_of(name)

    def confidence_of(self, frame: int, name: str) -> float:
        """How far the mask of an object in a frame can be trusted, in [0, 1]; 0 where there is none."""
        return float(self.confidence[self._index(frame), self.label_of(name) - 1])

    def settled(self, frame: int) -> None:
        """Hear that a frame is not going to change any more, from whoever makes the masks; here nobody waits for it."""

    def _index(self, frame: int) -> int:
        if not isinstance(frame, (int, np.integer)) or not 0 <= frame < self.num_frames:
            raise InputError(f"frame {frame!r} is not in the masks of {self.num_frames} frames")
        return int(frame)

    def __repr__(self) -> str:
        names = ", ".join(self.names)
        return f"MaskSequence({self.num_frames} frames of {self.width}x{self.height}: {names})"

    def label_of(self, name: str) -> int:
        """The label value of an object."""
        if not isinstance(name, str) or name not in self.names:
            raise InputError(f"no object named {described(name)}; the masks hold: {', '.join(self.names)}")
        return self.names.index(name) + 1

    def to_arrays(self) -> dict[str, NDArray[np.generic]]:
        """Plain arrays for an npz file; :meth:`from_arrays` is the inverse."""
        ends = np.cumsum([len(b) for b in self._frames], dtype=np.int64)
        return {
            "names": np.array(self.names),
            "size": np.array([self.height, self.width, self.num_frames], np.int64),
            "confidence": self.confidence,
            "ends": ends,
            "data": np.frombuffer(b"".join(self._frames), np.uint8),
            **({} if self.faults is None else {"faults": self.faults}),
        }

    @classmethod
    def from_arrays(cls, arrays: dict[str, NDArray[np.generic]]) -> MaskSequence:
        """Rebuild from what :meth:`to_arrays` gave."""
        height, width, count = (int(n) for n in arrays["size"])
        data, ends = arrays["data"].tobytes(), arrays["ends"].astype(np.int64).tolist()
        starts = [0, *ends[:-1]]
        frames = [data[a:b] for a, b in zip(starts, ends)]
        names = tuple(str(n) for n in arrays["names"])
        faults = arrays["faults"].astype(np.uint8) if "faults" in arrays else None
        return cls(names, height, width, count, arrays["confidence"].astype(np.float32), frames, faults)
