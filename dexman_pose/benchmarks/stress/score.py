"""Scores of the stress suite: one record per run, summed up per condition."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike

from dexman_pose.arrays import Array, Bools
from dexman_pose.metrics import auc
from dexman_pose.synthetic.scenes.true_symmetry import TrueSymmetry, rotation_errors

SEEN = 0.15
"""Least visible share of the silhouette at which a frame is counted in errors."""

BASIN = (5.0, 0.05)
"""A search is in the right basin below so many degrees and this share of the depth."""

REFINED = (3.0, 0.02)
"""A refinement has succeeded below so many degrees and this share of the depth."""

WRONG = (15.0, 0.02)
"""A tracked pose is wrong above so many degrees or metres."""

OFF = (6.0, 0.010)
"""A pose is off above so many degrees or metres, valid or not."""

GROSS = 20.0
"""A pose is grossly off above so many degrees."""

_HIDDEN = 0.01  # visible share below which an object counts as gone
_GRACE = 3  # frames in which a loss has to be noticed
_CLEAR = 0.3  # visible share at which an object is back
_JUMP = 10.0  # degrees a frame-to-frame turn may exceed the true one


@dataclass(frozen=True)
class StressRecord:
    """One run of the engine on one case.

    Attributes:
        condition: of the case.
        shape: of the case.
        seed: of the case.
        what: ``refine``, ``search``, ``search-box`` (the box is given too), ``track`` (start given), ``track-search``
            (start searched) or ``track-alone`` (start given, no masks).
        with_depth: depth was given.
        seconds: taken, per picture or frame.
        valid: (T,) the engine calls its pose usable; all False when it raised.
        confidence: (T,) in [0, 1]; for single pictures the mask overlap.
        millimetres: (T,) error of the object's middle.
        degrees: (T,) error of rotation modulo symmetry.
        distance: (T,) true depth of the middle, metres.
        visible: (T,) visible share.
        jumps: frame-to-frame turns that exceed the true ones by more than 10 degrees, between valid frames.
        gaps: per stretch of hidden frames: (loss noticed, recovered).
        scale_error: of the size found, relative; None where size was known or the engine cannot find it.
        error: message of the exception, if any.
        add_s: (T,) mean distance to the nearest vertex, metres; of the conditions on the table, else None.
        mask_missed: (T,) the mask given covers hardly anything of a part in sight; of many-coloured objects.
        pose_missed: (T,) the same of the silhouette of the pose.
        told: (T,) whether the engine says that a single picture's pose may be used; None where ``valid`` says so.
    """

    condition: str
    shape: str
    seed: int
    what: str
    with_depth: bool
    seconds: float
    valid: Bools
    confidence: Array
    millimetres: Array
    degrees: Array
    distance: Array
    visible: Array
    jumps: int = 0
    gaps: tuple[tuple[bool, bool], ...] = ()
    scale_error: float | None = None
    error: str = ""
    add_s: Array | None = None
    mask_missed: Bools | None = None
    pose_missed: Bools | None = None
    told: Bools | None = None

    @property
    def believed(self) -> Bools:
        """(T,) the engine says that its pose may be used."""
        return self.valid if self.told is None else self.told

    @property
    def seen(self) -> Bools:
        """(T,) frames in which enough of the object is visible."""
        return self.visible > SEEN

    def within(self, degrees: float, share: float) -> Bools:
        """(T,) below an angle and a share of the depth, valid or not."""
        return (self.degrees < degrees) & (self.millimetres < 1e3 * share * self.distance)

    @property
    def wrong(self) -> Bools:
        """(T,) off by more than :data:`WRONG`, valid or not."""
        return (self.degrees > WRONG[0]) | (self.millimetres > 1e3 * WRONG[1])

    @property
    def off(self) -> Bools:
        """(T,) off by more than :data:`OFF`, valid or not."""
        return (self.degrees > OFF[0]) | (self.millimetres > 1e3 * OFF[1])


@dataclass(frozen=True)
class StressScore:
    """A line of the table: all runs of one kind. Numbers that do not apply are None.

    Attributes:
        condition: of the runs.
        shape: ``all``, or one shape.
        what: as in :class:`StressRecord`.
        with_depth: depth was given.
        runs: how many.
        failed: runs that raised an exception.
        mm_median: translation error over seen, valid frames.
        mm_p90: its 90th percentile.
        deg_median: rotation error modulo symmetry, over the same frames.
        deg_p90: its 90th percentile.
        success: share of seen frames that are right: in the basin (search), refined (refine), or valid and not
            wrong (track).
        valid_share: of seen frames, tracking.
        wrong_share: valid but wrong, of seen frames, tracking.
        jumps: per hundred frames, tracking.
        loss_noticed: share of hidden stretches noticed in time.
        recovered: share of hidden stretches after which the track is right again.
        scale_error: median, per cent.
        per_second: pictures or frames a second, one at a time (median).
        off_share: share of seen frames, valid or not, off by more than :data:`OFF`.
        gross_share: share of seen frames, valid or not, off by more than :data:`GROSS`.
        add_s_area: area under the curve of ADD-S up to 0.1 m over seen frames; frames not valid are failures.
        mask_part_share: share of seen frames in which the mask takes a part for the whole.
        pose_part_share: share of seen frames in which the pose does.
        believed_share: share of the seen frames that are not off whose pose the engine says may be used.
        off_believed_share: share of seen frames that are off, and yet the engine says so.
    """

    condition: str
    shape: str
    what: str
    with_depth: bool
    runs: int
    failed: int
    mm_median: float | None
    mm_p90: float | None
    deg_median: float | None
    deg_p90: float | None
    success: float
    valid_share: float | None = None
    wrong_share: float | None = None
    jumps: float | None = None
    loss_noticed: float | None = None
    recovered: float | None = None
    scale_error: float | None = None
    per_second: float | None = None
    off_share: float | None = None
    gross_share: float | None = None
    add_s_area: float | None = None
    mask_part_share: float | None = None
    pose_part_share: float | None = None
    believed_share: float | None = None
    off_believed_share: float | None = None


@dataclass(frozen=True)
class StressTable:
    """What :func:`~dexman_pose.benchmarks.stress.run.run_stress` returns: every run and the lines made of them."""

    records: list[StressRecord] = field(repr=False)

    @property
    def scores(self) -> list[StressScore]:
        """A line per condition, kind and depth, all shapes together."""
        return summarise(self.records)

    @property
    def shape_scores(self) -> list[StressScore]:
        """The same, shape by shape."""
        return summarise(self.records, by_shape=True)


def pose_errors(
    found: Array,
    true: Array,
    center: ArrayLike,
    symmetry: TrueSymmetry,
    *,
    found_center: ArrayLike | None = None,
) -> tuple[Array, Array]:
    """Millimetres at the object's middle and degrees modulo symmetry.

    Args:
        found: (T, 4, 4).
        true: (T, 4, 4).
        center: (3,) of the true object, object frame. Symmetries leave it where it is, or the middle's distance
            from the axis would count; all shapes of the suite have it on the axis.
        symmetry: of the true object.
        found_center: (3,) of the object as the engine believes it to be (another size); None for the true one.
    """
    c = np.asarray(center, np.float64)
    f = c if found_center is None else np.asarray(found_center, np.float64)
    shift = found[:, :3, :3] @ f + found[:, :3, 3] - true[:, :3, :3] @ c - true[:, :3, 3]
    return 1e3 * np.linalg.norm(shift, axis=1), rotation_errors(found, true, symmetry)


def count_jumps(found: Array, true: Array, valid: Bools) -> int:
    """Neighbouring valid frames between which the pose turns by 10 degrees more than the object does.

    Turns are those of the poses as given, not modulo symmetry: a track must not hop between symmetric equivalents.
    """
    if len(found) < 2:
        return 0
    own, real = rotation_errors(found[1:], found[:-1]), rotation_errors(true[1:], true[:-1])
    return int((valid[1:] & valid[:-1] & (own > real + _JUMP)).sum())


def hidden_stretches(visible: Array) -> list[tuple[int, int]]:
    """First and last frame of every stretch in which the object is gone."""
    gone = np.concatenate([[False], visible < _HIDDEN, [False]]).astype(np.int8)
    change = np.diff(gone)
    return [(int(a), int(b) - 1) for a, b in zip(np.flatnonzero(change > 0), np.flatnonzero(change < 0))]


def score_gaps(visible: Array, valid: Bools, wrong: Bools) -> tuple[tuple[bool, bool], ...]:
    """Per hidden stretch: whether the loss was noticed, and whether the track came back.

    Noticed: no frame is called valid from the third hidden one on (nor before the third from the end, for a
    track may also be continued backwards). Recovered: of the frames after it in which the object is clearly
    seen, until the next stretch, at least seven tenths are valid and right.
    """
    out = []
    stretches = hidden_stretches(visible)
    for k, (first, last) in enumerate(stretches):
        inner = valid[first + _GRACE : max(last - _GRACE + 1, first + _GRACE + 1)]
        until = stretches[k + 1][0] if k + 1 < len(stretches) else len(visible)
        clear = np.arange(last + 1, until)
        clear = clear[visible[clear] > _CLEAR]
        right = valid[clear] & ~wrong[clear]
        out.append((not bool(inner.any()), bool(len(clear) and right.mean() >= 0.7)))
    return tuple(out)


def summarise(records: Iterable[StressRecord], *, by_shape: bool = False) -> list[StressScore]:
    """Lines of the table, in the order in which their kinds first appear."""
    groups: dict[tuple[str, str, str, bool], list[StressRecord]] = defaultdict(list)
    for r in records:
        groups[r.condition, r.shape if by_shape else "all", r.what, r.with_depth].append(r)
    return [_score(key, group) for key, group in groups.items()]


def _score(key: tuple[str, str, str, bool], group: list[StressRecord]) -> StressScore:
    tracking = key[2].startswith("track")
    seen = np.concatenate([r.seen for r in group])
    valid = np.concatenate([r.valid for r in group])
    wrong = np.concatenate([r.wrong for r in group])
    counted = seen & valid
    mm = np.concatenate([r.millimetres for r in group])[counted]
    degrees = np.concatenate([r.degrees for r in group])[counted]
    limits = BASIN if key[2].startswith("search") else REFINED
    right = ~wrong if tracking else np.concatenate([r.within(*limits) for r in group])
    gaps = [gap for r in group for gap in r.gaps]
    off, believed = np.concatenate([r.off for r in group]), np.concatenate([r.believed for r in group])
    total = max(int(seen.sum()), 1)
    return StressScore(
        *key,
        runs=len(group),
        failed=sum(bool(r.error) for r in group),
        mm_median=_percentile(mm, 50),
        mm_p90=_percentile(mm, 90),
        deg_median=_percentile(degrees, 50),
        deg_p90=_percentile(degrees, 90),
        success=float((counted & right).sum() / total),
        valid_share=float(counted.sum() / total) if tracking else None,
        wrong_share=float((counted & wrong).sum() / total) if tracking else None,
        jumps=100 * sum(r.jumps for r in group) / max(len(valid), 1) if tracking else None,
        loss_noticed=float(np.mean([g[0] for g in gaps])) if gaps else None,
        recovered=float(np.mean([g[1] for g in gaps])) if gaps else None,
        scale_error=_percentile(
            np.array([100 * r.scale_error for r in group if r.scale_error is not None]), 50
        ),
        per_second=1 / max(float(np.median([r.seconds for r in group])), 1e-9),
        off_share=_share(off, seen),
        gross_share=_share(np.concatenate([r.degrees > GROSS for r in group]), seen),
        add_s_area=_area([r.add_s for r in group], seen, valid),
        mask_part_share=_share_of([r.mask_missed for r in group], seen),
        pose_part_share=_share_of([r.pose_missed for r in group], seen),
        believed_share=_share(believed, seen & ~off) if (seen & ~off).any() else None,
        off_believed_share=_share(off & believed, seen),
    )


def _share(flags: Bools, seen: Bools) -> float:
    return float((flags & seen).sum() / max(int(seen.sum()), 1))


def _share_of(flags: list[Bools | None], seen: Bools) -> float | None:
    there = [f for f in flags if f is not None]
    return _share(np.concatenate(there), seen) if there and len(there) == len(flags) else None


def _area(distances: list[Array | None], seen: Bools, valid: Bools) -> float | None:
    there = [d for d in distances if d is not None]
    if not there or len(there) < len(distances) or not seen.any():
        return None
    return auc(np.concatenate(there)[seen], valid[seen])


def _percentile(values: Array, q: float) -> float | None:
    return float(np.percentile(values, q)) if len(values) else None


@dataclass(frozen=True)
class ReliabilityBin:
    """Tracked frames of one band of confidence.

    Attributes:
        low: lowest confidence in the band.
        high: highest.
        frames: how many.
        right: share of them that is right.
        mm_median: translation error.
        deg_median: rotation error.
    """

    low: float
    high: float
    frames: int
    right: float
    mm_median: float
    deg_median: float


def reliability(records: Sequence[StressRecord], bins: int = 10) -> list[ReliabilityBin]:
    """Tracked frames (hidden ones too) in ``bins`` bands of confidence; empty bands are left out."""
    tracks = [r for r in records if r.what.startswith("track") and not r.error]
    if not tracks:
        return []
    confidence = np.concatenate([r.confidence for r in tracks])
    wrong = np.concatenate([r.wrong for r in tracks])
    mm = np.concatenate([r.millimetres for r in tracks])
    degrees = np.concatenate([r.degrees for r in tracks])
    band = np.clip((confidence * bins).astype(int), 0, bins - 1)
    return [
        ReliabilityBin(
            k / bins,
            (k + 1) / bins,
            int((band == k).sum()),
            float(1 - wrong[band == k].mean()),
            float(np.median(mm[band == k])),
            float(np.median(degrees[band == k])),
        )
        for k in range(bins)
        if (band == k).any()
    ]
