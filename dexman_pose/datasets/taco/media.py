"""Depth and masks of a TACO sequence, one frame at a time.

The depth video's header says 15 frames a second though there are 30: frames are counted, times are not believed.
Masks come at 6 a second, one for every fifth frame.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dexman_pose._optional import require
from dexman_pose.data import BACKGROUND, OCCLUDER
from dexman_pose.datasets.taco.files import map_array
from dexman_pose.errors import InputError
from dexman_pose.imaging.resize import resize_labels

DEPTH_UNITS_PER_METRE = 4000.0
FRAMES_PER_MASK = 5
LABELS = ("background", "tool", "target", "hand", "other")
"""What a label of the masks can be said to mean."""

_ASPECT = 0.02


class DepthVideo:
    """Depth images of a 16-bit grey video by the number of the frame, decoded when asked for.

    In order is quickest; going back starts again from the last point before. Not to be shared between threads.

    Args:
        path: the video.
        size: width and height of the images given out; others are resampled to it, nearest pixel.
        count: frames.
    """

    def __init__(self, path: Path, size: tuple[int, int], count: int) -> None:
        self.path, self.size, self.count = path, size, count
        self._container: Any = None
        self._frames: Iterator[Any] = iter(())
        self._next = 0
        self._last: tuple[int, NDArray[np.float32]] | None = None

    def __call__(self, index: int) -> NDArray[np.float32]:
        """(H, W) metres of a frame, 0 where there is no measurement.

        Raises:
            InputError: no such frame, or it cannot be decoded.
        """
        if not 0 <= index < self.count:
            raise InputError(f"depth frame {index} is not among the {self.count} of {self.path}")
        if self._last is None or self._last[0] != index:
            self._last = (index, self._image(self._decoded(index)))
        return self._last[1].copy()

    def __getstate__(self) -> dict[str, Any]:
        """An open decoder cannot be sent to another process: it is opened there again."""
        return {**self.__dict__, "_container": None, "_frames": iter(()), "_next": 0, "_last": None}

    def close(self) -> None:
        """Close the file; it is opened again when needed."""
        if self._container is not None:
            self._container.close()
        self._container, self._frames, self._next = None, iter(()), 0

    def _decoded(self, index: int) -> Any:
        av = require("av", "video", "reading depth videos")
        try:
            if self._container is None or index < self._next:
                self.close()
                self._container = av.open(str(self.path))
                self._frames = self._container.decode(self._container.streams.video[0])
            for frame in self._frames:
                self._next += 1
                if self._next == index + 1:
                    return frame
        except (av.error.FFmpegError, OSError, IndexError, AttributeError, UnicodeDecodeError) as error:
            raise InputError(f"{self.path}: depth frame {index} cannot be decoded ({error})") from error
        raise InputError(f"{self.path} ends before depth frame {index}")

    def _image(self, frame: Any) -> NDArray[np.float32]:
        if not str(frame.format.name).startswith("gray16"):
            raise InputError(f"{self.path} holds {frame.format.name} pictures, not 16-bit depth")
        raw = frame.to_ndarray(format="gray16le")
        metres = raw.astype(np.float32) / np.float32(DEPTH_UNITS_PER_METRE)
        return resampled(metres, self.size)


class MaskFile:
    """Label images of a camera: one for every fifth frame, None for the others.

    What the numbers in the files mean is not documented; ``labels`` says what they are taken for.

    Args:
        path: ``<serial>_masks.npy``, (M, H, W) whole numbers.
        size: width and height of the images given out.
        labels: number in the file to one of :data:`LABELS`. 0 is background when left out, any other number not
            named is something else that may hide an object.
        objects: objects in the order of their labels.

    Raises:
        InputError: no such array, or its aspect is not the pictures'.
    """

    def __init__(
        self, path: Path, size: tuple[int, int], labels: Mapping[int, str], objects: tuple[str, ...]
    ) -> None:
        self._stack = map_array(path)
        if self._stack.ndim != 3 or self._stack.dtype.kind not in "uib" or 0 in self._stack.shape:
            raise InputError(
                f"{path.name} must be whole numbers (masks, height, width), but is {self._stack.dtype} "
                f"{self._stack.shape}"
            )
        check_aspect(path, (self._stack.shape[2], self._stack.shape[1]), size)
        self.path, self.size = path, size
        self._labels = {0: BACKGROUND, **{int(k): _label(v, objects) for k, v in labels.items()}}

    def __len__(self) -> int:
        return len(self._stack)

    def __call__(self, index: int) -> NDArray[np.uint8] | None:
        """(H, W) labels: 0 background, i + 1 the i-th object, 255 anything else; None where there is no mask."""
        mask, rest = divmod(index, FRAMES_PER_MASK)
        if index < 0 or rest or mask >= len(self._stack):
            return None
        raw = np.asarray(self._stack[mask])
        out = np.full(raw.shape, OCCLUDER, np.uint8)
        for number, label in self._labels.items():
            out[raw == number] = label
        return resampled(out, self.size)


def check_labels(labels: Mapping[int, str] | None) -> None:
    """Refuse a mapping that names something unknown."""
    for number, name in (labels or {}).items():
        if name not in LABELS or not isinstance(number, (int, np.integer)):
            raise InputError(f"mask_labels maps numbers to {', '.join(LABELS)}, but got {number!r}: {name!r}")


def _label(name: str, objects: tuple[str, ...]) -> int:
    if name == "background":
        return BACKGROUND
    return objects.index(name) + 1 if name in objects else OCCLUDER


def check_aspect(path: Path, found: tuple[int, int], wanted: tuple[int, int]) -> None:
    """Refuse images that are no resized version of the pictures."""
    if abs(found[0] / found[1] / (wanted[0] / wanted[1]) - 1) > _ASPECT:
        raise InputError(
            f"{path.name} is {found[0]}x{found[1]}, which does not go with {wanted[0]}x{wanted[1]} pictures"
        )


def resampled(image: NDArray[Any], size: tuple[int, int]) -> NDArray[Any]:
    """The image (H, W) at another size (width, height), nearest pixel; no value is made up."""
    return resize_labels(image, size)
