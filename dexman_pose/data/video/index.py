"""One pass over a video file: how many frames it really holds, their times, and whether it is damaged.

Opening decodes the file once without the costly last steps (loop filter, inverse transform), because the
number of frames, their real times and damage can only be learned by decoding.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import pairwise
from logging import getLogger
from os import cpu_count
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dexman_pose._optional import require
from dexman_pose.data.frames.colors import matrix_of, note_colors
from dexman_pose.data.frames.display import Orientation, orientation_of
from dexman_pose.data.frames.streams import note_choice, pick_stream
from dexman_pose.errors import VideoError
from dexman_pose.progress import progress

log = getLogger(__name__)

_MISSING_TOLERATED = 0.01  # share of the frames a header may promise beyond what an undamaged file holds
_CHEAP = {"skip_loop_filter": "all", "skip_idct": "all"}  # decodes wrong pixels, but every frame and in order


@dataclass
class VideoIndex:
    """What one pass over a video found.

    Attributes:
        times: (T,) seconds from the first frame, strictly increasing.
        stamps: presentation time stamp of each frame in units of the stream, None where the file gives none.
        keys: indices of the frames decoding can start from; the first entry is 0.
        width: picture width in pixels, upright.
        height: picture height in pixels, upright.
        orientation: how the decoded picture is made upright.
    """

    times: NDArray[np.float64]
    stamps: list[int | None]
    keys: list[int]
    width: int
    height: int
    orientation: Orientation

    @property
    def seekable(self) -> bool:
        """Whether time stamps identify the frames."""
        s = self.stamps
        return None not in s and all(a < b for a, b in pairwise(s))  # type: ignore[operator]


@dataclass
class VideoDecoder:
    """One open file: decoded pictures in display order, with damage noted instead of raised."""

    path: Path
    cheap: bool = False
    options: dict[str, str] = field(default_factory=dict)
    damage: list[tuple[int, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        av = require("av", "video", "reading videos")
        self._error: type[Exception] = av.error.FFmpegError
        try:
            # Tags may be written in any encoding; they are not used, so none of them may stop the reading.
            self.container: Any = av.open(str(self.path), metadata_errors="replace", options=self.options)
        except (self._error, OSError) as error:
            raise VideoError(
                f"{self.path} cannot be opened as a video ({_reason(error)}): not a video, or cut off "
                "before its index was written; give a file that a video player opens"
            ) from error
        try:
            self.stream: Any = pick_stream(self.container, self.path)
        except VideoError:
            self.container.close()
            raise
        context = self.stream.codec_context
        context.thread_type = "AUTO"
        context.thread_count = min(4, cpu_count() or 1)  # every thread holds a picture
        if self.cheap:
            context.options = dict(_CHEAP)
        self._fresh = True

    def close(self) -> None:
        self.container.close()

    def rewind(self) -> None:
        """Go to the beginning of the file: by opening it again, because not every format can seek."""
        if not self._fresh:
            self.close()
            self.__post_init__()

    def seek(self, stamp: int) -> None:
        """Go to the last point at or before ``stamp`` that decoding can start from."""
        self.container.seek(stamp, stream=self.stream, backward=True, any_frame=False)

    def pictures(self) -> Iterator[Any]:
        """PyAV frames until the end of the file or the damage that hides the rest."""
        count = 0
        self._fresh = False
        for packet in self._packets():
            try:
                for picture in self.stream.codec_context.decode(packet):
                    if picture.is_corrupt:
                        self.damage.append((count, "a damaged picture"))
                    yield picture
                    count += 1
            except self._error as error:
                self.damage.append((count, _reason(error)))
            except EOFError:
                return

    def count_packets(self) -> int:
        """Number of stored pictures that can be read, none of them decoded."""
        self._fresh = False
        return sum(1 for packet in self._packets() if packet is not None)

    def _packets(self) -> Iterator[Any]:
        try:
            for packet in self.container.demux(self.stream):
                if packet.size:
                    yield packet
        except self._error as error:
            self.damage.append((-1, _reason(error)))
        yield None  # makes the decoder give what it still holds


def build_index(path: Path, max_frames: int | None) -> VideoIndex:
    """Decode ``path`` once, cheaply, up to ``max_frames``.

    Raises:
        VideoError: not a video, no frame decodes, frames change size, or damage before ``max_frames``.
    """
    decoder = VideoDecoder(path, cheap=True)
    try:
        stamps, keys, shape, orientation = _scan(decoder, max_frames)
        rate = decoder.stream.average_rate or decoder.stream.guessed_rate or Fraction(30)
        times = _times(stamps, float(decoder.stream.time_base or 1 / rate), float(rate))
        offset = max(0.0, float(stamps[0] or 0) * float(decoder.stream.time_base or 0)) if stamps else 0.0
        stored = _stored(decoder, len(times), max_frames)
        _refuse_damage(decoder, times, offset, max_frames, stored)
        note_choice(decoder.container, decoder.stream, path)
        _note_aspect(decoder)
    finally:
        decoder.close()
    width, height = orientation.size(shape[1], shape[0])
    return VideoIndex(times, stamps, keys, width, height, orientation)


def _scan(
    decoder: VideoDecoder, max_frames: int | None
) -> tuple[list[int | None], list[int], tuple[int, int], Orientation]:
    stamps: list[int | None] = []
    keys, shape, orientation = [0], (0, 0), Orientation()
    total = max_frames or decoder.stream.frames or None
    for picture in progress(decoder.pictures(), "reading video", total=total):
        index = len(stamps)
        if index == 0:
            shape, orientation = (picture.height, picture.width), orientation_of(picture, decoder.path)
            matrix_of(picture, decoder.path)
            note_colors(picture, decoder.path)
        elif (picture.height, picture.width) != shape:
            raise VideoError(
                f"{decoder.path} changes its picture size at frame {index}, from {shape[1]}x{shape[0]} to "
                f"{picture.width}x{picture.height}; cut it there, or use the part before it with "
                f"max_frames={index} (--max-frames {index})"
            )
        if picture.key_frame and index:
            keys.append(index)
        stamps.append(picture.pts)
        if len(stamps) == max_frames:
            break
    return stamps, keys, shape, orientation


def _stored(decoder: VideoDecoder, decoded: int, max_frames: int | None) -> int | None:
    """Number of pictures in an MP4 or MOV file whose header speaks of more than were decoded; None where it does not.

    Those that are there but hidden by the file's edit list are told, since a damaged list looks like a trimmed clip.
    """
    promised = int(decoder.stream.frames or 0)
    if decoded >= promised or decoded == max_frames or "mp4" not in decoder.container.format.name.split(","):
        return None
    whole = VideoDecoder(decoder.path, options={"ignore_editlist": "1"})
    try:
        stored = whole.count_packets()
    finally:
        whole.close()
    if decoded < stored and not decoder.damage:
        log.warning(
            "%s shows %d of its %d frames: its edit list or times hide the others, as after trimming; if that is not "
            "wanted, write the file again: ffmpeg -ignore_editlist 1 -i IN OUT.mp4",
            decoder.path,
            decoded,
            stored,
        )
    return stored


def _refuse_damage(
    decoder: VideoDecoder,
    times: NDArray[np.float64],
    offset: float,
    max_frames: int | None,
    stored: int | None,
) -> None:
    decoded = len(times)
    if decoded == 0:
        why = f" ({decoder.damage[0][1]})" if decoder.damage else ""
        raise VideoError(f"{decoder.path} holds no frame that can be decoded{why}")
    good = min([decoded, *(index for index, _ in decoder.damage if index >= 0)])
    if max_frames is not None and good >= max_frames:
        return
    promised = _promised(decoder, times, offset, stored)
    if not decoder.damage and not promised:
        return
    good = min(good, _before_gap(times))
    of = f"{decoded} of {max(promised, decoded)}" if promised else f"only {decoded}"
    where = f", with errors after the first {good}" if good < decoded else ""
    advice = f"use the good part with max_frames={good} (--max-frames {good})" if good else "copy it again"
    raise VideoError(f"{decoder.path} is cut off or damaged: {of} frames decode{where}; {advice}")


def _promised(decoder: VideoDecoder, times: NDArray[np.float64], offset: float, stored: int | None) -> int:
    """Number of frames by the header when fewer were found, else 0.

    In an MP4 file, every picture that its index lists must be there (``stored``). Other undamaged files reach the
    count of the header or its duration, which may be counted from before the first frame, at ``offset`` seconds.
    """
    count, duration = int(decoder.stream.frames or 0), _duration(decoder)
    if stored is not None:
        return count if stored < count else 0
    if count and len(times) >= count * (1.0 - _MISSING_TOLERATED) - 1.0:
        return 0
    steps = np.diff(times) if len(times) > 1 else np.array([1.0 / 30.0])
    covered = offset + times[-1] + 2.5 * float(steps.max())
    if duration and covered >= duration * (1.0 - _MISSING_TOLERATED):
        return 0
    return count or round(duration / float(np.median(steps)))


def _duration(decoder: VideoDecoder) -> float:
    """Seconds of the pictures by the header, 0 when it is silent or only speaks of the longest stream."""
    stream = decoder.stream
    if stream.duration and stream.time_base:
        return float(stream.duration * stream.time_base)
    named = re.fullmatch(r"(\d+):(\d\d):(\d\d\.?\d*)\0*", stream.metadata.get("DURATION", ""))  # Matroska
    if named:
        return 3600.0 * int(named[1]) + 60.0 * int(named[2]) + float(named[3])
    alone = len(decoder.container.streams) == 1
    return float(decoder.container.duration or 0) / 1e6 if alone else 0.0


def _before_gap(times: NDArray[np.float64]) -> int:
    """Frames before the first one missing near the end, where a cut loses pictures that are shown earlier."""
    first = max(0, len(times) - 17)  # no codec reorders more than 16 pictures
    steps = np.diff(times)
    gaps = np.flatnonzero(steps[first:] > 1.5 * np.median(steps)) if len(steps) else np.zeros(0, np.int64)
    return int(first + gaps[0] + 1) if len(gaps) else len(times)


def _times(stamps: list[int | None], unit: float, rate: float) -> NDArray[np.float64]:
    """Seconds from the first frame: the time stamp where it increases, else one period after the last."""
    times = np.zeros(len(stamps))
    first, guessed = (stamps[0] if stamps else None), 0
    for i in range(1, len(stamps)):
        stamp = stamps[i]
        time = (stamp - first) * unit if stamp is not None and first is not None else -1.0
        if time <= times[i - 1]:
            time, guessed = times[i - 1] + 1.0 / rate, guessed + 1
        times[i] = time
    if guessed:
        log.info(
            "%d of %d frames have no increasing time stamp; their times come from the rate",
            guessed,
            len(times),
        )
    return times


def _note_aspect(decoder: VideoDecoder) -> None:
    aspect = decoder.stream.sample_aspect_ratio
    if aspect and aspect != 1:
        log.warning(
            "%s has pixels that are not square (%s); they are used as stored, so fx and fy differ",
            decoder.path,
            aspect,
        )


def _reason(error: BaseException) -> str:
    return str(getattr(error, "strerror", None) or error).strip().lower() or type(error).__name__
