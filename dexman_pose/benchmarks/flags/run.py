"""Runs the flag benchmark: every group's cases, one after the other."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from dexman_pose.benchmarks.flags import meshes, planted, real_clip, real_pictures, stress
from dexman_pose.benchmarks.flags.cases import FlagCase, run_case
from dexman_pose.benchmarks.flags.options import FlagOptions
from dexman_pose.benchmarks.flags.scores import (
    FlagRow,
    FlagScore,
    FlagTargets,
    case_scores,
    group_scores,
    score_rows,
)
from dexman_pose.errors import InputError

Cases = Callable[[FlagOptions], Iterator[FlagCase]]
Rows = Callable[[FlagOptions], Iterator[list[FlagRow]]]

RENDERED: dict[str, Cases] = {
    stress.PICTURES: stress.pictures,
    stress.TRACKS: stress.tracks,
    stress.LEAKS: stress.leaks,
    stress.ALONE: stress.without_masks,
    planted.SWAPPED: planted.mask_swapped,
    planted.TELEPORTED: planted.teleported,
    planted.PANNED: planted.camera_panned,
    planted.HALF: planted.half_mask,
    planted.STRANGER: planted.wrong_mesh,
}
"""Groups that need nothing but the package."""

REAL: dict[str, Cases] = {
    real_pictures.CUBE_PICTURES: real_pictures.cube_pictures,
    real_pictures.CAN: real_pictures.can,
    real_pictures.BOTTLE: real_pictures.bottle,
}
"""Groups that need the folder of real data, and the clip besides."""

NAMES = (*RENDERED, meshes.MESHES, *REAL, real_clip.CUBE)
"""Names of all groups."""


@dataclass(frozen=True)
class FlagTable:
    """What the benchmark found: a row per frame and the scores made of them."""

    rows: list[FlagRow] = field(repr=False)
    targets: FlagTargets = field(default_factory=FlagTargets)

    @property
    def groups(self) -> list[FlagScore]:
        """A score per group, last the total."""
        return group_scores(self.rows, self.targets)

    @property
    def cases(self) -> list[tuple[str, FlagScore]]:
        """Group and score of every case."""
        return case_scores(self.rows, self.targets)


def groups_of(options: FlagOptions, only: Sequence[str] | None = None) -> dict[str, Rows]:
    """The groups to run, each as what yields the rows of one case after the other.

    Args:
        options: some groups need a folder of data or of meshes.
        only: names of some; None for all whose data is there.

    Raises:
        InputError: a name that does not exist, or a group whose folder is not given.
    """
    unknown = [name for name in only or () if name not in NAMES]
    if unknown:
        raise InputError(f"no group of flags named {unknown[0]!r}; there are: {', '.join(NAMES)}")
    built = dict(RENDERED)
    if options.meshes is not None or only is not None:
        built[meshes.MESHES] = meshes.meshes
    if options.data is not None or only is not None:
        built |= REAL
    ready = {name: _run(cases) for name, cases in built.items()}
    if options.data is not None or only is not None:
        ready[real_clip.CUBE] = _once(real_clip.cube_rows)
    return ready if only is None else {name: ready[name] for name in only}


def _run(cases: Cases) -> Rows:
    """The rows of cases that the engine is run on one by one."""
    return lambda options: (run_case(case) for case in cases(options))


def _once(rows: Callable[[FlagOptions], list[FlagRow]]) -> Rows:
    """The rows of a single case that runs itself."""
    return lambda options: iter([rows(options)])


def run_flags(
    options: FlagOptions | None = None,
    only: Sequence[str] | None = None,
    *,
    report: Callable[[str, FlagScore], None] | None = None,
) -> FlagTable:
    """Run the engine over the groups' cases.

    Args:
        options: size of the benchmark and folders of data.
        only: names of some groups; None for all whose data is there.
        report: called with the group and the score of every case when it is done.

    Raises:
        InputError: a group that does not exist or whose folder is not given.
    """
    options, targets = options or FlagOptions(), FlagTargets()
    rows: list[FlagRow] = []
    for name, cases in groups_of(options, only).items():
        for found in cases(options):
            rows += found
            if report is not None and found:
                report(name, score_rows(found[0].case, found, targets))
    return FlagTable(rows, targets)
