"""Whether the camera of a clip moved: the background followed against the clip's first frame.

A camera cannot move and leave a part of the background where it was. So a frame is *still* when enough corners
lie where they lay at first, whatever else moves, and it is *moved* only when corners all over the picture agree on
one motion and none is left behind. Everything else cannot be told: plain walls, a person before the whole picture.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from dexman_pose.data.clip import Clip
from dexman_pose.data.masks import BACKGROUND, MaskSequence
from dexman_pose.imaging.background_points import PointOptions, reduced
from dexman_pose.imaging.camera_follower import CameraFollower
from dexman_pose.imaging.camera_verdict import MOVED, STATES, STILL, UNKNOWN, State, VerdictOptions

Foreground = Callable[[int], NDArray[np.bool_]]


@dataclass(frozen=True)
class CameraMotionOptions:
    """How camera motion is looked for.

    Attributes:
        every: frames between two looks while nothing happens; the frames between are looked at one by one as soon as
            something does. 2: what lasts two frames is never missed; what lasts one may be.
        alone: a moved frame between two that are not counts only from this many times the threshold; one frame's
            error in a thousand reaches 1.5 times.
        points: how corners are chosen and followed.
        verdict: when corners say still or moved.
    """

    every: int = 2
    alone: float = 2.0
    points: PointOptions = field(default_factory=PointOptions)
    verdict: VerdictOptions = field(default_factory=VerdictOptions)


@dataclass(frozen=True)
class CameraMotion:
    """How the camera moved relative to the first frame of a clip.

    Attributes:
        displacement: (T,) pixels of the full picture by which the background is displaced (median over its points);
            the picture's diagonal after a cut; 0 where the state is unknown.
        codes: (T,) uint8, index into ``("still", "moved", "unknown")``.
        cuts: frames at which the picture was replaced by another.
    """

    displacement: NDArray[np.float64]
    codes: NDArray[np.uint8]
    cuts: tuple[int, ...] = ()

    @property
    def moved(self) -> NDArray[np.bool_]:
        """(T,) frames in which the camera is not where it was in the first frame."""
        return self.codes == MOVED

    @property
    def unknown(self) -> NDArray[np.bool_]:
        """(T,) frames in which the motion is unknown."""
        return self.codes == UNKNOWN

    @property
    def displaced(self) -> NDArray[np.bool_]:
        """(T,) frames that are moved, or unknown since the last one that was: nothing shows that it came back."""
        known = np.where(self.unknown, 0, np.arange(len(self.codes)))
        return self.codes[np.maximum.accumulate(known)] == MOVED

    @property
    def state(self) -> tuple[State, ...]:
        """``still``, ``moved`` or ``unknown`` per frame."""
        return tuple(STATES[code] for code in self.codes)

    @property
    def moves(self) -> bool:
        """Whether the camera moved in any frame."""
        return bool(self.moved.any())

    @property
    def ranges(self) -> list[tuple[int, int]]:
        """First and last frame of every stretch in which the camera is not where it was."""
        edges = np.flatnonzero(np.diff(np.concatenate([[False], self.moved, [False]]).astype(np.int8)))
        return [(int(a), int(b) - 1) for a, b in zip(edges[::2], edges[1::2])]

    @property
    def summary(self) -> str:
        """One sentence for people."""
        count = int(self.unknown.sum())
        if not self.moves:
            told, all_frames = len(self.codes) - count, len(self.codes)
            untold = f"; in {count} of {all_frames} frames it cannot be told" if count else ""
            if count and told <= 1:
                return f"nothing of the background can be followed{untold}"
            if count > told:  # no word on the whole clip from a small part of it
                return (
                    f"the camera stands still in {told} of {all_frames} frames; in {count} it cannot be told"
                )
            return f"the camera stands still{untold}"
        found = self.ranges
        where = ", ".join(f"{a} to {b}" if b > a else f"{a}" for a, b in found[:3])
        where += f" and {len(found) - 3} more" if len(found) > 3 else ""
        text = f"the camera moves from frame {where} (up to {self.displacement[self.moved].max():.1f} px)"
        if self.cuts:
            text += f", with a cut at frame {', '.join(str(cut) for cut in self.cuts[:3])}"
        return text + (f"; in {count} frames it cannot be told" if count else "")


def detect_camera_motion(
    clip: Clip,
    *,
    masks: MaskSequence | None = None,
    foreground: Foreground | None = None,
    options: CameraMotionOptions | None = None,
) -> CameraMotion:
    """Tell for every frame whether the camera is where it was in the first.

    Reads the clip once, in order, and keeps a handful of small pictures.

    Args:
        clip: the frames.
        masks: label images of the same frames; objects and occluders are not background.
        foreground: gives more pixels (H, W) bool of a frame that are not background, e.g. :func:`hand_boxes`.
        options: thresholds.
    """
    options = options or CameraMotionOptions()
    follower = CameraFollower(options.points, options.verdict)
    displacement, codes = np.zeros(clip.num_frames), np.full(clip.num_frames, UNKNOWN, np.uint8)
    waiting: list[tuple[int, NDArray[np.uint8]]] = []
    factor = 1
    for index, image in clip.frames():
        picture, factor = reduced(image, options.points)
        waiting.append((index, picture))
        last = index == clip.num_frames - 1
        if index > 0 and len(waiting) < options.every and not last:
            continue
        _look(
            follower,
            waiting,
            _hidden(index, masks, foreground),
            factor,
            displacement,
            codes,
            masks,
            foreground,
        )
        waiting = []
    cuts = _confirmed(follower, codes, options.verdict.flash)
    diagonal = float(np.hypot(clip.width, clip.height))
    displacement = np.where(codes == UNKNOWN, 0.0, np.minimum(displacement * factor, diagonal))
    least = options.alone * options.verdict.moved * factor
    return CameraMotion(displacement, _without_lone(codes, displacement, least), cuts)


def hand_boxes(joints: NDArray[np.float64], valid: NDArray[np.bool_], shape: tuple[int, int]) -> Foreground:
    """Make a foreground of the boxes around hands, half as large again on every side.

    Args:
        joints: (T, N, J, 2) pixels of N hands.
        valid: (T, N) hands that were seen.
        shape: height and width of the picture.
    """

    def at(frame: int) -> NDArray[np.bool_]:
        out = np.zeros(shape, bool)
        for hand in joints[frame][valid[frame]]:
            low, high = hand.min(0), hand.max(0)
            grown = 0.5 * (high - low)
            x0, y0 = np.floor(low - grown).astype(int).clip(0)
            x1, y1 = np.ceil(high + grown).astype(int).clip(0) + 1
            out[y0:y1, x0:x1] = True
        return out

    return at


def _look(
    follower: CameraFollower,
    waiting: list[tuple[int, NDArray[np.uint8]]],
    hidden: NDArray[np.bool_] | None,
    factor: int,
    displacement: NDArray[np.float64],
    codes: NDArray[np.uint8],
    masks: MaskSequence | None,
    foreground: Foreground | None,
) -> None:
    """Decide the frames that wait: all at once where nothing happens, one by one otherwise."""
    index, picture = waiting[-1]
    seen = follower.peek(picture, _small(hidden, factor, picture.shape))
    if seen is not None:
        frames = [i for i, _ in waiting]
        codes[frames], displacement[frames] = STILL, seen
        return
    for i, gray in waiting:
        mask = hidden if i == index else _hidden(i, masks, foreground)
        codes[i], displacement[i] = follower.step(i, gray, _small(mask, factor, gray.shape))


def _hidden(
    frame: int, masks: MaskSequence | None, foreground: Foreground | None
) -> NDArray[np.bool_] | None:
    """Pixels (H, W) of a frame that are not background, or None when nothing was said about it."""
    hidden = foreground(frame) if foreground is not None else None
    if masks is None:
        return hidden
    labelled: NDArray[np.bool_] = np.asarray(masks.labels(frame) != BACKGROUND, dtype=np.bool_)
    return labelled if hidden is None else hidden | labelled


def _small(hidden: NDArray[np.bool_] | None, factor: int, shape: tuple[int, ...]) -> NDArray[np.bool_] | None:
    """Background pixels at the reduced size: those with nothing of the foreground in them."""
    if hidden is None:
        return None
    height, width = shape
    cells = hidden[: height * factor, : width * factor]
    rows = np.logical_or.reduce([cells[k::factor] for k in range(factor)])
    # Pixel by pixel of a cell: ten times as fast as all of a cell at once.
    return ~np.logical_or.reduce([rows[:, k::factor] for k in range(factor)])


def _confirmed(follower: CameraFollower, codes: NDArray[np.uint8], window: int) -> tuple[int, ...]:
    """The cuts after which another picture could be followed; frames called moved after the others become unknown."""
    for a, b in follower.restored:
        codes[a:b] = UNKNOWN
    kept = []
    for cut in follower.cuts:
        after = codes[cut : cut + window]
        if (after == MOVED).mean() > 0.5:
            kept.append(cut)
        else:
            after[after == MOVED] = UNKNOWN
    return tuple(kept)


def _without_lone(
    codes: NDArray[np.uint8], displacement: NDArray[np.float64], least: float
) -> NDArray[np.uint8]:
    """Call a single moved frame unknown unless it moved by ``least`` pixels."""
    moved = np.concatenate([[False], codes == MOVED, [False]])
    alone = moved[1:-1] & ~moved[:-2] & ~moved[2:] & (displacement < least)
    return np.where(alone, np.uint8(UNKNOWN), codes)
