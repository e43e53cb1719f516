"""Scores of the ``valid`` flags: a row per frame, counted into two shares per case, group and in total."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Any

TOTAL = "total"
"""Name of the score over all rows."""


@dataclass(frozen=True)
class FlagTargets:
    """When a frame counts as wrong or good, and the shares asked for. The bounds between the two count neither way.

    Attributes:
        wrong_mm: a frame is wrong above so many millimetres ...
        wrong_degrees: ... or so many degrees; both leave room for the errors of real truth (2 to 4 mm, 1 to 2 degrees).
        good_mm: a frame is good up to so many millimetres ...
        good_degrees: ... and so many degrees.
        least_visible: visible share of the silhouette above which a frame can be good; that of the stress suite. An
            object that is hidden may be called lost although its last pose still holds.
        flagged: share of the wrong frames that has to be not valid.
        kept: share of the good frames that has to be valid.
    """

    wrong_mm: float = 10.0
    wrong_degrees: float = 6.0
    good_mm: float = 5.0
    good_degrees: float = 3.0
    least_visible: float = 0.15
    flagged: float = 0.90
    kept: float = 0.97


@dataclass(frozen=True)
class FlagRow:
    """One frame of one case.

    Attributes:
        group: of the case.
        case: its name, unique in the group.
        frame: index in the clip; 0 for a single picture.
        millimetres: error of the object's middle.
        degrees: error of rotation modulo the object's symmetry.
        valid: the engine calls its pose usable.
        visible: share of the object's whole silhouette that is seen.
        pose: camera_from_object, its first three rows, 12 numbers, metres; empty when there is none.
        signals: what else the engine says of the frame (confidence, mask overlap, margin, ...), plain values.
        error: message of the exception when the run raised one; there is no pose then, and the row counts nowhere.
    """

    group: str
    case: str
    frame: int
    millimetres: float
    degrees: float
    valid: bool
    visible: float = 1.0
    pose: tuple[float, ...] = ()
    signals: dict[str, Any] = field(default_factory=dict)
    error: str = ""

    def wrong(self, targets: FlagTargets) -> bool:
        """Whether the pose is so far off that it must not be valid."""
        return not self.error and (
            self.millimetres > targets.wrong_mm or self.degrees > targets.wrong_degrees
        )

    def good(self, targets: FlagTargets) -> bool:
        """Whether the pose is so near that it should be valid."""
        near = self.millimetres <= targets.good_mm and self.degrees <= targets.good_degrees
        return not self.error and near and self.visible > targets.least_visible


@dataclass(frozen=True)
class FlagScore:
    """Counts over the frames of a case, of a group, or of all.

    Attributes:
        name: of the case or group, or :data:`TOTAL`.
        cases: how many.
        failed: cases that raised an exception.
        frames: with a known truth, those of failed cases left out.
        valid: of them, valid.
        wrong: wrong frames.
        flagged: of them, not valid.
        good: good frames.
        kept: of them, valid.
        mm_median: error of the object's middle over all frames, valid or not; None without a frame.
        deg_median: of rotation modulo symmetry, the same.
    """

    name: str
    cases: int
    failed: int
    frames: int
    valid: int
    wrong: int
    flagged: int
    good: int
    kept: int
    mm_median: float | None = None
    deg_median: float | None = None

    @property
    def flagged_share(self) -> float | None:
        """Share of the wrong frames that is not valid; None without a wrong frame."""
        return self.flagged / self.wrong if self.wrong else None

    @property
    def kept_share(self) -> float | None:
        """Share of the good frames that is valid; None without a good frame."""
        return self.kept / self.good if self.good else None

    def passed(self, targets: FlagTargets) -> bool | None:
        """Whether both shares reach their targets; a share of no frames counts as reached; None without any frames."""
        shares = ((self.flagged_share, targets.flagged), (self.kept_share, targets.kept))
        known = [share >= target for share, target in shares if share is not None]
        return all(known) if known else None


def score_rows(name: str, rows: Iterable[FlagRow], targets: FlagTargets) -> FlagScore:
    """Count rows.

    Args:
        name: of the score.
        rows: of one or many cases.
        targets: when a frame is wrong or good.
    """
    held = list(rows)
    counted = [r for r in held if not r.error]
    wrong = [r for r in counted if r.wrong(targets)]
    good = [r for r in counted if r.good(targets)]
    return FlagScore(
        name=name,
        cases=len({(r.group, r.case) for r in held}),
        failed=len({(r.group, r.case) for r in held if r.error}),
        frames=len(counted),
        valid=sum(r.valid for r in counted),
        wrong=len(wrong),
        flagged=sum(not r.valid for r in wrong),
        good=len(good),
        kept=sum(r.valid for r in good),
        mm_median=median(r.millimetres for r in counted) if counted else None,
        deg_median=median(r.degrees for r in counted) if counted else None,
    )


def group_scores(rows: Sequence[FlagRow], targets: FlagTargets) -> list[FlagScore]:
    """A score per group, in the order in which groups first appear, and last the total."""
    names = list(dict.fromkeys(r.group for r in rows))
    scores = [score_rows(name, [r for r in rows if r.group == name], targets) for name in names]
    return [*scores, score_rows(TOTAL, rows, targets)]


def case_scores(rows: Sequence[FlagRow], targets: FlagTargets) -> list[tuple[str, FlagScore]]:
    """Group and score of every case, in the order in which cases first appear."""
    cases: dict[tuple[str, str], list[FlagRow]] = {}
    for row in rows:
        cases.setdefault((row.group, row.case), []).append(row)
    return [(group, score_rows(name, held, targets)) for (group, name), held in cases.items()]
