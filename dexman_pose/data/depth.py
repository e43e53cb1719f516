"""Depth images of a clip, read when asked for, in metres along the optical axis."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dexman_pose.data.clip import natural_key
from dexman_pose.errors import InputError

Depth = NDArray[np.float32]
_SUFFIXES = (".png", ".tif", ".tiff", ".npy")


class DepthSequence:
    """One depth image per frame: z in metres along the optical axis, aligned with the colour image.

    A pixel without a measurement is stored as 0; ask :meth:`valid` instead of comparing. NaN, infinite and
    negative values of the source are such pixels too. Made by :meth:`from_folder` or :meth:`from_arrays`.

    Attributes:
        width: image width in pixels.
        height: image height in pixels.
    """

    def __init__(
        self, read: Callable[[int], NDArray[np.generic]], names: Sequence[str], unit_m: float
    ) -> None:
        if not (np.isfinite(unit_m) and unit_m > 0):
            raise InputError(
                f"unit_m, the metres of one unit of the depth files, must be positive, got {unit_m}"
            )
        if not names:
            raise InputError("a depth sequence needs at least one image, but got none")
        self._read, self._names, self._unit = read, tuple(names), float(unit_m)
        first = _checked(read(0), self._names[0])
        self.height, self.width = first.shape

    @classmethod
    def from_folder(cls, path: str | Path, unit_m: float = 0.001, *, pattern: str = "*") -> DepthSequence:
        """Depth files of a folder in natural order (2 before 10), or one ``.npy`` stack (T, H, W).

        Args:
            path: folder of 16-bit PNG or TIFF images or ``.npy`` arrays (H, W), or a single ``.npy`` file.
            unit_m: metres of one unit; 0.001 for files in millimetres, 1 for files in metres.
            pattern: which files of the folder, e.g. ``depth_*.png`` where colour images lie beside them.

        Raises:
            InputError: nothing there, or an image that is no depth image (8 bits, several channels).
        """
        path = Path(path)
        if path.is_file() and path.suffix == ".npy":
            stack = _load_npy(path)
            if stack.ndim != 3:
                raise InputError(
                    f"{path} must hold depth of shape (frames, height, width), but got {stack.shape}"
                )
            return cls(lambda i: stack[i], [f"{path}[{i}]" for i in range(len(stack))], unit_m)
        if not path.is_dir():
            raise InputError(f"no folder of depth images at {path}")
        files = [p for p in path.glob(pattern) if p.suffix.lower() in _SUFFIXES and p.name[0] != "."]
        files.sort(key=natural_key)
        if not files:
            raise InputError(f"{path} holds no depth images ({pattern}: {', '.join(_SUFFIXES)})")
        return cls(lambda i: _read_file(files[i]), [str(p) for p in files], unit_m)

    @classmethod
    def from_arrays(
        cls, images: Sequence[ArrayLike] | NDArray[np.generic], unit_m: float = 1.0
    ) -> DepthSequence:
        """Depth in memory: (T, H, W) or a list of (H, W), in metres unless ``unit_m`` says otherwise."""
        arrays = [np.asarray(image) for image in images]
        out = cls(lambda i: arrays[i], [f"depth image {i}" for i in range(len(arrays))], unit_m)
        for i in range(len(arrays)):
            out.frame(i)
        return out

    def __len__(self) -> int:
        return len(self._names)

    def __repr__(self) -> str:
        size = f"{len(self)} images of {self.width}x{self.height}"
        return f"DepthSequence({size}, from {self._names[0]}, {self._unit:g} m a unit)"

    def frame(self, index: int) -> Depth:
        """(H, W) float32 metres of one frame; 0 stands for no measurement (see :meth:`valid`).

        Raises:
            InputError: no such frame, or its image is damaged or of another size.
        """
        if not 0 <= index < len(self):
            raise InputError(f"depth frame {index} is not in the sequence of {len(self)} frames")
        raw = _checked(self._read(index), self._names[index])
        if raw.shape != (self.height, self.width):
            raise InputError(
                f"{self._names[index]} is {raw.shape[1]}x{raw.shape[0]}, but the first depth image is "
                f"{self.width}x{self.height}"
            )
        metres = raw.astype(np.float32) * np.float32(self._unit)
        metres[~(np.isfinite(metres) & (metres > 0))] = 0.0
        return metres

    def valid(self, index: int) -> NDArray[np.bool_]:
        """(H, W) bool, pixels of one frame that hold a measurement."""
        measured: NDArray[np.bool_] = self.frame(index) > 0
        return measured


def _checked(raw: NDArray[np.generic], name: str) -> NDArray[np.generic]:
    if raw.ndim == 3 and raw.shape[2] == 1:
        raw = raw[..., 0]
    if raw.ndim != 2 or 0 in raw.shape:
        raise InputError(f"{name} must hold one depth value per pixel, but its shape is {raw.shape}")
    if raw.dtype.kind not in "uif" or raw.dtype.itemsize == 1:
        raise InputError(f"{name} must be a 16-bit image or an array of numbers, but its type is {raw.dtype}")
    return raw


def _load_npy(path: Path) -> NDArray[np.generic]:
    try:
        loaded: NDArray[np.generic] = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise InputError(f"{path} cannot be read as an array of depth: {error}") from error
    return loaded


def _read_file(path: Path) -> NDArray[np.generic]:
    if path.suffix.lower() == ".npy":
        return _load_npy(path)
    from PIL import Image

    try:
        with Image.open(path) as image:
            return np.array(image)
    except (OSError, SyntaxError, ValueError) as error:
        raise InputError(f"{path} cannot be read as a depth image: {error}") from error
