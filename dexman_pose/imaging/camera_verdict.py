"""What corners of the background say about the camera: still, moved, or nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from dexman_pose.arrays import Array

Flags = NDArray[np.bool_]

STILL, MOVED, UNKNOWN = 0, 1, 2
State = Literal["still", "moved", "unknown"]
STATES: tuple[State, ...] = ("still", "moved", "unknown")


@dataclass(frozen=True)
class VerdictOptions:
    """When corners say that the camera stands still or has moved; lengths are pixels of the reduced picture.

    Attributes:
        moved: a median displacement above it is a motion; still clips with few corners reach half of it.
        near: a corner this near to where a motion takes it obeys that motion; twice the 90th percentile of corners
            that stand still in compressed clips.
        gain: a motion has to explain so many times as many corners as a simpler one: four free numbers pick up some
            corners of whatever else moves, a real motion leaves hardly any standing.
        noise: a corner missed by less says nothing; the 75th percentile of corners that stand still.
        parallax: share of its displacement by which a corner may miss the common motion besides, for things at
            different distances and motion blur.
        points: least number of corners to say anything.
        still_zones: least number of zones of the picture in which corners stand still, so that one thing lying still
            in a moving picture's corner is not the world.
        still_share: least share of the corners found again that stand still although a common motion leaves them
            behind; a person who moves leaves more.
        agree: least share of the corners found again that obey the common motion of a moved camera.
        left_behind: largest share of them that stand still against it: a burnt-in clock, a speck on the lens.
        zones: columns and rows of zones.
        moved_zones: least number of zones with corners that obey the motion; a person before half of the picture
            fills 12 of 24.
        moved_span: least shares of width and of height over which they lie; a person seldom reaches both sides, and
            tables are plain.
        rounds: RANSAC's limit; 60 % of corners obeying need 12 rounds to be found almost surely.
        sure: RANSAC's confidence.
        kept: share of a frame's corners that have to be found for the frame to be followed from further on.
        lost: at a cut fewer of the corners of the frame before are found again than this share.
        cut_zones: least number of zones with corners before and after a cut; a hand on the lens shows none.
        alike: correlation from which a zone shows what it showed; light switched on leaves 0.5 and more, other
            contents 0.0 to 0.3.
        alike_share: at a cut fewer zones than this share show what they showed.
        flash: a picture that comes back within so many frames was not cut but dazzled or covered.
    """

    moved: float = 0.4
    near: float = 0.25
    gain: float = 1.3
    noise: float = 0.1
    parallax: float = 0.08
    points: int = 12
    still_zones: int = 3
    still_share: float = 0.15
    agree: float = 0.6
    left_behind: float = 0.1
    zones: tuple[int, int] = (6, 4)
    moved_zones: int = 11
    moved_span: tuple[float, float] = (0.85, 0.5)
    rounds: int = 300
    sure: float = 0.995
    kept: float = 0.3
    lost: float = 0.15
    cut_zones: int = 6
    alike: float = 0.4
    alike_share: float = 0.2
    flash: int = 6


@dataclass(frozen=True)
class Verdict:
    """What one frame says.

    Attributes:
        code: :data:`STILL`, :data:`MOVED` or :data:`UNKNOWN`.
        displacement: median displacement of the corners that obey, reduced pixels; 0 when unknown.
        motion: (3, 3) reference pixel to frame pixel; the identity when still.
        support: number of corners that obey it.
        found: number of corners found again.
    """

    code: int
    displacement: float
    motion: Array
    support: int
    found: int


NOTHING = Verdict(UNKNOWN, 0.0, np.eye(3), 0, 0)


def judge(reference: Array, now: Array, shape: tuple[int, ...], options: VerdictOptions) -> Verdict:
    """Decide what corners say that lay at ``reference`` (N, 2) and lie ``now`` (N, 2), in a picture (h, w)."""
    count = len(now)
    if count < options.points:
        return NOTHING
    motion, obeys, there = _common_motion(reference, now, options)
    displaced = np.linalg.norm(there - reference, axis=1)
    displacement = float(np.median(displaced[obeys])) if obeys.any() else 0.0
    still = np.linalg.norm(now - reference, axis=1) < options.near
    if displacement <= options.moved and obeys.sum() >= options.points:
        if zone_count(now[obeys], shape, options) >= options.still_zones:
            return Verdict(STILL, displacement, np.eye(3), int(obeys.sum()), count)
        return NOTHING
    # A motion that mends a standing and a moving half into one zoom leaves neither where it really is.
    missed = np.linalg.norm(now - there, axis=1)
    behind = still & (missed > options.noise) & (missed > np.linalg.norm(now - reference, axis=1))
    if _moves_all_over(now[obeys], shape, options) and obeys.mean() >= options.agree:
        if behind.mean() <= options.left_behind:
            return Verdict(MOVED, displacement, motion, int(obeys.sum()), count)
        return NOTHING
    enough = behind.sum() >= options.points and behind.mean() >= options.still_share
    if enough and zone_count(now[behind], shape, options) >= options.still_zones:
        stays = float(np.median(np.linalg.norm(now - reference, axis=1)[still]))
        return Verdict(STILL, stays, np.eye(3), int(still.sum()), count)
    return NOTHING


def _common_motion(reference: Array, now: Array, options: VerdictOptions) -> tuple[Array, Flags, Array]:
    """The motion (3, 3) that most corners obey, which do, and where it takes each.

    Standing still comes first, then a similarity, then a homography: the simplest that enough corners obey.
    """
    identity = np.eye(3)
    best = (identity, _obeys(identity, reference, now, options), reference)
    usual = float(np.median(np.linalg.norm(now - reference, axis=1)))
    reach = options.near + options.parallax * usual
    for homography in (False, True):
        motion = _ransac(reference, now, reach, homography, options)
        if motion is None:
            continue
        obeys = _obeys(motion, reference, now, options)
        if obeys.sum() > options.gain * best[1].sum():
            best = (motion, obeys, carried(motion, reference))
        if best[1].mean() >= options.agree:
            break
    return best


def _ransac(
    reference: Array, now: Array, reach: float, homography: bool, options: VerdictOptions
) -> Array | None:
    if homography:
        found, _ = cv2.findHomography(
            reference, now, cv2.RANSAC, reach, maxIters=options.rounds, confidence=options.sure
        )
        return None if found is None else np.asarray(found, np.float64)
    half, _ = cv2.estimateAffinePartial2D(
        reference,
        now,
        method=cv2.RANSAC,
        ransacReprojThreshold=reach,
        maxIters=options.rounds,
        confidence=options.sure,
    )
    return None if half is None else np.vstack([half, np.eye(3)[2]])


def _obeys(motion: Array, reference: Array, now: Array, options: VerdictOptions) -> Flags:
    there = carried(motion, reference)
    reach = options.near + options.parallax * np.linalg.norm(there - reference, axis=1)
    return np.linalg.norm(now - there, axis=1) < reach


def carried(motion: Array, points: Array) -> Array:
    """Where a motion (3, 3) takes points (N, 2)."""
    out = points @ motion[:2, :2].T + motion[:2, 2]
    depth = points @ motion[2, :2] + motion[2, 2]
    return out / np.where(np.abs(depth) > np.finfo(np.float64).eps, depth, 1.0)[:, None]


def zone_count(points: Array, shape: tuple[int, ...], options: VerdictOptions) -> int:
    """Count the zones of a picture (h, w) in which points (N, 2) lie."""
    columns, rows = options.zones
    x = (points[:, 0] * columns / shape[1]).astype(int).clip(0, columns - 1)
    y = (points[:, 1] * rows / shape[0]).astype(int).clip(0, rows - 1)
    return len(np.unique(y * columns + x))


def _moves_all_over(points: Array, shape: tuple[int, ...], options: VerdictOptions) -> bool:
    if len(points) < options.points:
        return False
    span = (points.max(0) - points.min(0)) / np.array(shape[1::-1])
    return (
        bool((span >= options.moved_span).all()) and zone_count(points, shape, options) >= options.moved_zones
    )


def alike_share(first: NDArray[np.uint8], second: NDArray[np.uint8], options: VerdictOptions) -> float:
    """Share of zones in which two evened pictures (h, w) correlate."""
    columns, rows = options.zones
    a, b = (_zones_of(picture, columns, rows) for picture in (first, second))
    product = (a * b).sum(1) / np.sqrt((a * a).sum(1) * (b * b).sum(1) + 1)
    return float((product > options.alike).mean())


def _zones_of(picture: NDArray[np.uint8], columns: int, rows: int) -> Array:
    """Brightness without its mean, a row per zone (rows * columns, pixels)."""
    h, w = picture.shape[0] // rows, picture.shape[1] // columns
    zones = picture[: h * rows, : w * columns].reshape(rows, h, columns, w).swapaxes(1, 2)
    flat = zones.reshape(rows * columns, h * w).astype(np.float64)
    return flat - flat.mean(1, keepdims=True)
