"""Which files of a folder are the frames of a clip: recorders put depth, masks and other cameras beside them."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from logging import getLogger
from pathlib import Path

from dexman_pose.data.frames.picture import SUFFIXES, is_deep_gray, picture_header
from dexman_pose.errors import VideoError

log = getLogger(__name__)

_COLOR = {"color", "colors", "colour", "colours", "rgb", "rgba", "bgr", "rgbs"}
_FOLDERS = (_COLOR, {"images", "image", "frames", "imgs", "img", "jpegimages"}, {"gray", "grey"})
_OTHER = re.compile(
    r"(a?depths?|depthmaps?|masks?|segm?|segs|segmentations?|labels?|normals?|disp|disparity|disparities|ir|infra"
    r"|infrareds?|conf|confidences?|flows?|alphas?|mattes?|nocs|xyz|instances?|semantics?|overlays?|visib|visualizations?"
    r"|silhouettes?|thumbs?|thumbnails?)"
)
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
_LAST_NUMBER = re.compile(r"\d+(?!.*\d)", re.ASCII | re.DOTALL)
_SHARED = 0.5  # of the numbers of the smaller kind; kinds that share fewer are parts of one sequence


def natural_key(path: Path) -> list[tuple[int, int, str]]:
    """Sorting key that puts ``2.png`` before ``10.png``; upper and lower case count as one."""
    parts = re.split(r"(\d+)", path.name.casefold(), flags=re.ASCII)
    key = [(0, int(part), "") if i % 2 else (1, 0, part) for i, part in enumerate(parts)]
    return [*key, (2, 0, path.name)]


def frames_in(folder: Path) -> list[Path]:
    """The frames among the files of a folder, in natural order; what is left out is told in a warning.

    Hidden files are no frames, and neither are pictures that their names call depth, mask or the like, single-channel
    pictures of 16 bits beside colour ones, and pictures without the word *color* or *rgb* where others with the same
    numbers have it. A folder without pictures stands for its one subfolder of colour pictures (``rgb``, ``color``,
    ``images``, ...).

    Raises:
        VideoError: no such folder, no pictures, depth alone, or several pictures for every frame.
    """
    if folder.is_file():
        raise VideoError(
            f"{folder} is a file, not a folder of images; open a video with Clip.open, give single images as a list"
        )
    if not folder.is_dir():
        raise VideoError(f"no folder of images at {folder}")
    found = _pictures(folder)
    if not found:
        found = _pictures(_subfolder(folder))
    frames = _of_one_kind(_without_deep(_without_others(found), folder), folder)
    left_out = len(found) - len(frames)
    if left_out:
        example = next(p for p in found if p not in set(frames))
        log.warning(
            "%s: %d of %d pictures are taken as frames; left out: those like %s",
            folder,
            len(frames),
            len(found),
            example.name,
        )
    return frames


def _pictures(folder: Path) -> list[Path]:
    files = (p for p in folder.iterdir() if p.suffix.lower() in SUFFIXES and p.name[0] != "." and p.is_file())
    return sorted(files, key=natural_key)


def _subfolder(folder: Path) -> Path:
    inside = sorted(p for p in folder.iterdir() if p.is_dir() and p.name[0] not in "._")
    for names in _FOLDERS:
        found = [p for p in inside if p.name.lower() in names and _pictures(p)]
        if len(found) == 1:
            return found[0]
        if found:
            break
    listed = ", ".join(p.name for p in inside if _pictures(p))
    other = sorted({p.suffix for p in folder.iterdir() if p.is_file() and p.name[0] != "." and p.suffix})
    holds = (
        f"; give one of its folders: {listed}" if listed else f", only {', '.join(other)}" if other else ""
    )
    raise VideoError(f"{folder} holds no images ({', '.join(SUFFIXES)}){holds}")


def _words(path: Path) -> list[str]:
    """Words of a file's name, up to the *to* of names such as ``depth_aligned_to_color``."""
    words = [word.lower() for word in _WORD.findall(path.stem)]
    return words[: words.index("to")] if "to" in words else words


def _without_others(paths: list[Path]) -> list[Path]:
    """Pictures whose names do not say that they show something else; all of them where every name says so."""
    kept = [p for p in paths if not any(_OTHER.fullmatch(word) for word in _words(p))]
    return kept or paths


def _without_deep(paths: list[Path], folder: Path) -> list[Path]:
    """Pictures without the 16-bit grey ones beside colour ones."""
    kept = [p for p in paths if not is_deep_gray(_mode(p))]
    if not kept and any(_OTHER.fullmatch(word) for p in paths for word in _words(p)):
        raise VideoError(
            f"{folder} holds depth images alone ({paths[0].name}); give the folder of the colour images"
        )
    return kept or paths


def _mode(path: Path) -> str:
    """Mode of a picture by its header; a damaged one counts as colour, so that reading it names it."""
    try:
        return picture_header(path)[1]
    except VideoError:
        return "RGB"


def _of_one_kind(paths: list[Path], folder: Path) -> list[Path]:
    """The pictures of one kind of name, where several kinds have the same numbers.

    Raises:
        VideoError: there are several, and none is the colour picture.
    """
    kinds: dict[tuple[str, str, str], dict[int, Path]] = defaultdict(dict)
    for path in paths:
        number = _LAST_NUMBER.search(path.stem)
        if number:
            kind = (path.stem[: number.start()], path.stem[number.end() :], path.suffix)
            kinds[kind][int(number[0])] = path
    if not _overlap(list(kinds.values())):
        return paths
    color = [kind for kind in kinds.values() if set(_words(next(iter(kind.values())))) & _COLOR]
    if len(color) == 1:
        return list(color[0].values())
    names = ", ".join(next(iter(kind.values())).name for kind in list(kinds.values())[:4])
    raise VideoError(
        f"{folder} holds several pictures for every frame ({names}, ...); give the files of one kind: "
        "Clip.from_images(sorted(...)), or move them to a folder of their own"
    )


def _overlap(kinds: Sequence[dict[int, Path]]) -> bool:
    """Whether two kinds of names number the same frames."""
    large = [set(kind) for kind in kinds if len(kind) > 1]
    return any(
        len(a & b) > _SHARED * min(len(a), len(b)) for i, a in enumerate(large) for b in large[i + 1 :]
    )
