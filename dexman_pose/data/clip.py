"""A video as frames on demand: RGB uint8, upright, with real times, in constant memory for any length."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dexman_pose.data.frames.guard import damage_is_bad_input
from dexman_pose.data.frames.kept import FrameStore, KeptFrames, Source
from dexman_pose.data.frames.picture import picture_header, read_picture
from dexman_pose.data.frames.picture_folder import frames_in, natural_key
from dexman_pose.data.video.reader import VideoSource
from dexman_pose.errors import InputError, VideoError

__all__ = ["Clip", "Frame", "natural_key", "numbers_of"]

Frame = NDArray[np.uint8]
_LAST_NUMBER = re.compile(r"\d+(?!.*\d)", re.ASCII | re.DOTALL)
_TOO_LARGE = 1 << 63


class Clip:
    """Frames of a video, RGB uint8 (H, W, 3).

    Made by :meth:`open`, :meth:`from_frames` or :meth:`from_images`. Frames given out belong to the caller.

    Attributes:
        frame_times: (T,) seconds from the first frame, strictly increasing, as the file has them.
        num_frames: number of frames T.
        width: picture width in pixels, upright.
        height: picture height in pixels, upright.
        path: the file or folder it comes from, or None for frames in memory.
        frame_names: (T,) names of the image files without folder and suffix, in order; empty for videos and frames in
            memory.
    """

    def __init__(
        self,
        source: Source,
        frame_times: NDArray[np.float64],
        size: tuple[int, int],
        *,
        path: Path | None = None,
        files: Sequence[Path] = (),
        frame_names: Sequence[str] = (),
    ) -> None:
        self._source = source
        self._files = tuple(files)
        self.frame_names = tuple(frame_names)
        self.frame_times = frame_times
        self.width, self.height = size
        self.num_frames = len(frame_times)
        self.path = path

    @classmethod
    def open(cls, path: str | Path, *, max_frames: int | None = None) -> Clip:
        """Open a video file; its frames are decoded when asked for.

        Turns and mirrors of the display matrix are applied, so the picture is upright. Colours are those of the file's
        tags; untagged ones are BT.709 from 720 rows or 1280 columns on, else BT.601; HLG and PQ are mapped to display
        colours, with a warning. Of several video streams the largest is taken, with a warning. Pixels that are not
        square are used as stored, with a warning.

        Args:
            path: any container and codec that FFmpeg reads.
            max_frames: use the first ones only; also the way to use the good part of a damaged file.

        Raises:
            VideoError: no such file, not a video, no frame that decodes, or a file cut off or damaged.
        """
        path = Path(path)
        _check_file(path)
        _check_count(max_frames)
        with damage_is_bad_input(path, "{path} cannot be read as a video"):
            source = VideoSource(path, max_frames)
        index = source.index
        return cls(source, index.times, (index.width, index.height), path=path, files=[path])

    @classmethod
    def from_frames(cls, frames: Sequence[ArrayLike] | NDArray[np.uint8], fps: float = 30.0) -> Clip:
        """A clip of frames in memory: (T, H, W, 3) uint8 RGB, or a list of (H, W, 3)."""
        arrays = [_checked(frame, f"frame {i}") for i, frame in enumerate(frames)]
        if not arrays:
            raise VideoError("a clip needs at least one frame, but got none")
        for i, frame in enumerate(arrays):
            if frame.shape != arrays[0].shape:
                raise VideoError(f"frame {i} has shape {frame.shape}, but frame 0 has {arrays[0].shape}")
        height, width = arrays[0].shape[:2]
        return cls(_Memory(arrays), _even_times(len(arrays), fps), (width, height))

    @classmethod
    def from_images(
        cls,
        folder_or_paths: str | Path | Sequence[str | Path],
        fps: float = 30.0,
        *,
        max_frames: int | None = None,
    ) -> Clip:
        """A clip of image files, read when asked for.

        Args:
            folder_or_paths: a folder (its frames in natural order: 2 before 10; depth, masks and hidden files are left
                out, see :func:`dexman_pose.data.frames.picture_folder.frames_in`) or the files in order.
            fps: frames per second.
            max_frames: use the first ones only.

        Raises:
            VideoError: nothing there, a damaged image, images of several sizes, or several kinds of images.
        """
        _check_count(max_frames)
        folder = Path(folder_or_paths) if isinstance(folder_or_paths, (str, Path)) else None
        paths = frames_in(folder) if folder else [Path(str(p)) for p in folder_or_paths]  # type: ignore[union-attr]
        paths = paths[:max_frames]
        if not paths:
            raise VideoError("a clip needs at least one image, but got none")
        width, height = _common_size(paths)
        source = _Images(paths, (height, width, 3))
        times, names = _even_times(len(paths), fps), [p.stem for p in paths]
        return cls(source, times, (width, height), path=folder, files=paths, frame_names=names)

    @property
    def frame_numbers(self) -> NDArray[np.int64] | None:
        """(T,) int64 numbers of the frames by the names of their files, strictly increasing.

        None for videos and frames in memory, and where names hold no number that increases: then only the place of a
        frame counts.
        """
        return numbers_of(self.frame_names)

    @property
    def fps(self) -> float:
        """Frames per second, by the usual distance of two frames; 30 for a single frame."""
        if self.num_frames < 2:
            return 30.0
        steps = np.diff(self.frame_times)
        usual = np.abs(steps - np.median(steps)) <= 0.25 * np.median(steps)
        return float(1.0 / steps[usual].mean())  # the mean undoes the rounding of times to whole milliseconds

    def __len__(self) -> int:
        return self.num_frames

    def __repr__(self) -> str:
        size = f"{self.num_frames} frames of {self.width}x{self.height}"
        return f"Clip({str(self.path)!r}, {size}, {self.fps:.3g} fps)"

    def frame(self, index: int) -> Frame:
        """Frame ``index``, (H, W, 3) uint8 RGB. In order is quick; a jump decodes from the last key frame.

        Raises:
            InputError: there is no such frame.
        """
        if not 0 <= index < self.num_frames:
            raise InputError(f"frame {index} is not in the clip, whose frames are 0 to {self.num_frames - 1}")
        return self._source.one(int(index))

    def frames(
        self, start: int = 0, stop: int | None = None, *, reverse: bool = False, shared: bool = False
    ) -> Iterator[tuple[int, Frame]]:
        """(index, frame) for start <= index < stop, from the last to the first when ``reverse``.

        Backwards costs up to a few times the decoding of forwards; memory stays bounded in both. ``shared`` frames may
        be the clip's own memory and are then read-only; others are the caller's to change.
        """
        stop = self.num_frames if stop is None else stop
        if not 0 <= start <= stop <= self.num_frames:
            raise InputError(f"frames {start} to {stop} are not in the clip of {self.num_frames} frames")
        if start == stop:
            return iter(())
        if shared and type(self._source) is _Memory:
            order = range(stop - 1, start - 1, -1) if reverse else range(start, stop)
            return zip(order, map(self._source.shared, order))
        if reverse:
            return zip(range(stop - 1, start - 1, -1), self._source.backward(start, stop))
        return zip(range(start, stop), self._source.forward(start, stop))

    @contextmanager
    def keeping(self, folder: Path | None = None) -> Iterator[None]:
        """Keep decoded frames inside the block: each is decoded once, however often it is read.

        Memory stays bounded: frames are kept in a nameless file in ``folder`` (at most 4 GB, a quarter of what is free
        on its disk), without one in memory (at most 64 MiB); those beyond are decoded whenever they are read.

        Args:
            folder: of the run.
        """
        source = self._source
        if type(source) is _Memory or isinstance(source, KeptFrames):
            yield
            return
        store = FrameStore((self.height, self.width, 3), folder)
        self._source = KeptFrames(source, store)
        try:
            yield
        finally:
            self._source = source
            store.close()

    def sha256(self) -> str:
        """Hash of the content of the file (or files, or frames in memory), for manifests."""
        digest = hashlib.sha256()
        for path in self._files:
            with path.open("rb") as stream:
                for block in iter(lambda: stream.read(1 << 20), b""):
                    digest.update(block)
        if not self._files:
            for _, frame in self.frames():
                digest.update(frame.tobytes())
            digest.update(f"{self.width}x{self.height}".encode())
        if len(self._files) != 1:
            digest.update(self.frame_times.tobytes())
        return digest.hexdigest()


class _Memory:
    def __init__(self, frames: list[Frame]) -> None:
        self._frames = frames

    def one(self, index: int) -> Frame:
        return self._frames[index].copy()

    def shared(self, index: int) -> Frame:
        """The frame itself, read-only."""
        frame = self._frames[index].view()
        frame.flags.writeable = False
        return frame

    def forward(self, start: int, stop: int) -> Iterator[Frame]:
        return (self.one(i) for i in range(start, stop))

    def backward(self, start: int, stop: int) -> Iterator[Frame]:
        return (self.one(i) for i in range(stop - 1, start - 1, -1))


class _Images(_Memory):
    def __init__(self, paths: list[Path], shape: tuple[int, int, int]) -> None:
        self._paths = paths
        self._shape = shape

    def one(self, index: int) -> Frame:
        image = read_picture(self._paths[index])
        if image.shape != self._shape:
            raise VideoError(
                f"{self._paths[index]} has shape {image.shape}, but the first image {self._shape}"
            )
        return image


def _check_count(max_frames: int | None) -> None:
    if max_frames is not None and max_frames < 1:
        raise VideoError(f"max_frames must be 1 or more, but got {max_frames}")


def _check_file(path: Path) -> None:
    if path.is_dir():
        raise VideoError(f"{path} is a folder, not a video file; for a folder of images use Clip.from_images")
    if not path.is_file():
        raise VideoError(f"no video file at {path}")
    if path.stat().st_size == 0:
        raise VideoError(f"{path} is empty (0 bytes); copy it again")


def _checked(frame: ArrayLike, name: str) -> Frame:
    array = np.asarray(frame)
    if array.dtype != np.uint8 or array.ndim != 3 or array.shape[2] != 3 or 0 in array.shape:
        raise VideoError(
            f"{name} must be RGB uint8 of shape (height, width, 3), but got {array.dtype} {array.shape}"
        )
    return np.ascontiguousarray(array)


def _even_times(count: int, fps: float) -> NDArray[np.float64]:
    if not (np.isfinite(fps) and fps > 0):
        raise VideoError(f"fps must be positive, but got {fps}")
    return np.arange(count, dtype=np.float64) / fps


def _common_size(paths: Sequence[Path]) -> tuple[int, int]:
    """Width and height of pictures, which must all have the same; by their headers, and the first by its pixels."""
    height, width = read_picture(paths[0]).shape[:2]
    sizes = [picture_header(path)[0] for path in paths]
    odd = [i for i, size in enumerate(sizes) if size != (width, height)]
    if odd:
        w, h = sizes[odd[0]]
        others = f" ({len(odd)} images differ from it)" if len(odd) > 1 else ""
        raise VideoError(
            f"{paths[odd[0]]} has shape {(h, w, 3)}, but the first image {(height, width, 3)}{others}; all frames of a "
            "clip must have one size"
        )
    return width, height


def numbers_of(names: Sequence[str]) -> NDArray[np.int64] | None:
    """(T,) int64 frame numbers that file names end with, or None unless each has one and they strictly increase.

    A number counts wherever no digit follows it: ``color_000013`` and ``000013-color`` are both number 13.
    """
    found = [_LAST_NUMBER.search(name) for name in names]
    if not found or None in found:
        return None
    values = [int(match[0]) for match in found if match]
    if values[-1] >= _TOO_LARGE or any(a >= b for a, b in pairwise(values)):
        return None
    return np.array(values, np.int64)
