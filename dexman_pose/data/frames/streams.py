"""Which of several video streams of a file is the clip."""

from __future__ import annotations

from logging import getLogger
from pathlib import Path
from typing import Any

from dexman_pose.errors import VideoError

log = getLogger(__name__)

# Bits of FFmpeg's dispositions; their names print as numbers, so only the bits can be asked for.
_DEFAULT, _COVER, _THUMBNAILS, _STILL = 0x1, 0x400, 0x800, 0x100000
_NOT_THE_CLIP = _COVER | _THUMBNAILS | _STILL
_DEPTH_FORMATS = ("gray16", "gray14", "gray12", "gray10")


def pick_stream(container: Any, path: Path) -> Any:
    """The video stream of a file: no cover art, colour before 16-bit grey, then the largest picture, then the one
    flagged as default, then the first.

    Args:
        container: PyAV's.
        path: the file, for messages.

    Raises:
        VideoError: there is none, or none that can be decoded.
    """
    streams = _candidates(container)
    if not streams or container.format.name == "tty":
        kinds = sorted({_kind(s) for s in container.streams})
        raise VideoError(f"{path} holds no video, only {', '.join(kinds) or 'nothing'} (or is cut off)")
    known = [s for s in streams if s.codec_context is not None]
    if not known:
        raise VideoError(f"{path} holds video in a codec that cannot be decoded; convert it to H.264")
    return max(known, key=_rank)


def note_choice(container: Any, taken: Any, path: Path) -> None:
    """Warn where a file holds several video streams, and name the one that is taken."""
    streams = _candidates(container)
    if len(streams) > 1:
        log.warning(
            "%s holds %d video streams (%s); stream %d, %s, is used",
            path,
            len(streams),
            ", ".join(_size(s) for s in streams),
            taken.index,
            _size(taken),
        )


def _candidates(container: Any) -> list[Any]:
    return [s for s in container.streams.video if not _flags(s) & _NOT_THE_CLIP]


def _rank(stream: Any) -> tuple[bool, int, bool, int]:
    context = stream.codec_context
    depth = str(context.pix_fmt or "").startswith(_DEPTH_FORMATS)
    area = int(context.width or 0) * int(context.height or 0)
    return not depth, area, bool(_flags(stream) & _DEFAULT), -int(stream.index)


def _size(stream: Any) -> str:
    context = stream.codec_context
    return "of an unknown codec" if context is None else f"{context.width}x{context.height}"


def _kind(stream: Any) -> str:
    return "cover art" if _flags(stream) & _COVER else str(stream.type)


def _flags(stream: Any) -> int:
    return int(getattr(stream, "disposition", 0))
