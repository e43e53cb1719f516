"""What is tried until a plan is sure: grips as measured, grasps that stay, a search over frames."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from dexman_pose.errors import InputError
from dexman_pose.robot.assets.body import BodyDescription
from dexman_pose.robot.assets.hand import HandDescription
from dexman_pose.robot.motion.types import Motion
from dexman_pose.robot.planning.grasp import search_grasps
from dexman_pose.robot.planning.kept import Keeper
from dexman_pose.robot.planning.kept_grasp import GraspKeeper
from dexman_pose.robot.planning.options import PlanOptions
from dexman_pose.robot.planning.own import own_grasps
from dexman_pose.robot.planning.planner import Found, holds_well, judged_controls, plan_controls
from dexman_pose.robot.planning.prepare import Prepared, PrepareOptions, prepare
from dexman_pose.robot.planning.task import Task
from dexman_pose.robot.planning.ways import fixed, ways

UNFINISHED = "unfinished.npz"
"""Of the file, in a plan's folder, that an interrupted search goes on from; those of other tries end like this."""

GRIPS = ("bearing", "plain")
"""Names of the ways of gripping, in the order of :func:`~dexman_pose.robot.planning.ways.ways`."""

_OWN_KEPT = 8  # files of searches that begin with grasps of the robot's own

FILES = (
    UNFINISHED,
    *(f"{g}_{kind}{UNFINISHED}" for g in GRIPS for kind in ("", "grasps_", "steady_")),
    *(f"own_{i}_{UNFINISHED}" for i in range(_OWN_KEPT)),
)
"""Names of all of them."""

RETARGETING, GRASPS, OWN, SEARCH, LEARNING = "retargeting", "grasp search", "own grasp", "search", "learning"
"""What may have found a plan."""


@dataclass(frozen=True)
class Tried:
    """A way of gripping, and what was found with it.

    Attributes:
        ready: what it made of the motion.
        found: controls, and how they do.
        preparing: options of the way.
        grips: its name.
        is_fixed: whether grasps stay as they are while they hold.
        by: what found the controls.
        is_own: whether some grasp is the robot's own, not the person's.
    """

    ready: Prepared
    found: Found
    preparing: PrepareOptions
    grips: str
    is_fixed: bool = False
    by: str = RETARGETING
    is_own: bool = False

    @property
    def name(self) -> str:
        """In words."""
        return f"{self.grips} grips, {'fixed' if self.is_fixed else 'as measured'}"


@dataclass(frozen=True)
class Tries:
    """Tries of a motion.

    Attributes:
        motion: that is planned.
        describe: the robot's hand of a side.
        body: whose arms carry the hands; None for free hands.
        preparing: how the motion becomes a task.
        options: of the searches.
        out: folder in which interrupted searches are kept; None for none.
        said: called with a line on what is found on the way.
    """

    motion: Motion
    describe: Callable[[str], HandDescription]
    body: BodyDescription | None
    preparing: PrepareOptions | None
    options: PlanOptions
    out: Path | None
    said: Callable[[str], object]

    def all(self) -> list[Tried]:
        """Everything that was tried until something was sure."""
        o, found = self.options, ways(self.preparing)
        named = tuple(zip(GRIPS[-len(found) :], found))[: 1 if o.other <= 0.0 else None]
        first = self._ready(*named[0])
        for line in _told(first.ready):
            self.said(line)
        if self._is_sure(first):
            return [first]
        tried = [first]
        for one in self._grasps(named) if o.grasp is not None else ():
            tried.append(one)
            if one.found.share >= max(o.other, o.enough):
                return tried
        if any(t.is_fixed and t.found.share >= o.other and t.found.share > 0.0 for t in tried):
            return tried
        return [*tried, *self._searched(first, named)]

    def _grasps(self, named: tuple[tuple[str, PrepareOptions], ...]) -> Iterator[Tried]:
        """Grasps that stay: by themselves, then searched for, then made steady frame by frame."""
        o = self.options
        begun = []
        for grips, way in named:
            try:
                one = self._ready(grips, fixed(way))
            except InputError as error:
                self.said(f"{grips} grips, fixed: {error}")
                continue
            begun.append(one)
            if self._is_sure(one):
                yield one
                return
        found: list[Tried] = []
        for one in _promising(begun):
            searched = self._with_grasps(one)
            if searched is None:
                continue
            found.append(searched)
            yield searched
            if o.other <= 0.0 or searched.found.share >= o.other:
                break
        if o.other > 0.0 and found and all(t.found.share < o.other for t in found):
            for one in self._own(max(found, key=lambda t: t.found.rank)):
                found.append(one)
                yield one
                if one.found.share >= o.enough:  # another start is searched from sooner than frames are
                    break
        best = max(found, key=lambda t: t.found.rank, default=None)
        if best is not None and 0.0 < best.found.share < o.enough:
            yield self._steadied(best)

    def _searched(self, first: Tried, named: tuple[tuple[str, PrepareOptions], ...]) -> Iterator[Tried]:
        """Searches over all frames of the measured motion, with one way of gripping and perhaps the other."""
        o = self.options
        begun = [first, *(self._ready(*one) for one in named[1:])]
        for number, one in enumerate(_promising(begun)):
            if number:
                self.said(f"the same with {one.grips} grips")
            found = self._over_frames(one, one.ready, o, "" if one.grips == GRIPS[0] else f"{one.grips}_")
            yield self._told_of(found)
            if found.found.share >= o.other:
                break

    def _ready(self, grips: str, way: PrepareOptions) -> Tried:
        ready = prepare(self.motion, self.describe, way, self.body)
        is_fixed = way.fixed is not None
        found = judged_controls(ready.task, ready.task.controls, self.options)
        return self._told_of(Tried(ready, found, way, grips, is_fixed))

    def _is_sure(self, one: Tried) -> bool:
        """Whether a motion need not be searched: it holds by itself, with room to spare."""
        o = self.options
        return one.found.share >= max(o.other, o.enough) and holds_well(one.ready.task, o)

    def _with_grasps(self, one: Tried) -> Tried | None:
        """What a search for grasps finds; None where nothing is held."""
        found = self._found(one.ready.task, f"{one.grips}_grasps_")
        if found is None:
            return None
        if one.found.rank > found.rank:
            return self._told_of(replace(one, found=replace(one.found, steps=found.steps)))
        return self._told_of(replace(one, found=found, by=GRASPS))

    def _own(self, one: Tried) -> Iterator[Tried]:
        """What searches for grasps find that begin with some of the robot's own, where the person's hold nothing."""
        task = replace(one.ready.task, controls=one.found.controls)
        tasks, steps = own_grasps(task, self.options)
        for number, begun in enumerate(tasks):
            found = self._found(begun, f"own_{number % _OWN_KEPT}_")
            if found is not None:
                found = replace(found, steps=found.steps + (0 if number else steps))
                yield self._told_of(replace(one, found=found, by=OWN, is_own=True))

    def _found(self, task: Task, mark: str) -> Found | None:
        """What a search for grasps finds; gone on with where it was interrupted."""
        if self.out is None:
            return search_grasps(task, self.options)
        keeper = GraspKeeper(self._file(mark), task, self.options)
        return search_grasps(task, self.options, begun=keeper.begun(), keep=keeper.keep)

    def _steadied(self, one: Tried) -> Tried:
        """What a search over frames makes of grasps that hold in some worlds."""
        o = replace(self.options, wide=None, passes=max(self.options.passes - 1, min(self.options.passes, 1)))
        if one.is_own:  # where it touches is not where the person did
            o = replace(o, cost=replace(o.cost, contact=0.0))
        task = replace(one.ready.task, controls=one.found.controls)
        return self._told_of(self._over_frames(one, replace(one.ready, task=task), o, f"{one.grips}_steady_"))

    def _over_frames(self, one: Tried, ready: Prepared, o: PlanOptions, mark: str) -> Tried:
        """What a search over frames finds, or what it began with; gone on with where it was interrupted."""
        if self.out is None:
            found = plan_controls(ready.task, o)
        else:
            keeper = Keeper(self._file(mark), ready.task, o)
            found = plan_controls(ready.task, o, begun=keeper.begun(), keep=keeper.keep)
        if not found.passes or one.found.rank > found.rank:
            return replace(one, found=replace(one.found, steps=found.steps))
        return replace(one, found=found, by=SEARCH)

    def _file(self, mark: str) -> Path:
        assert self.out is not None
        return self.out / f"{mark}{UNFINISHED}"

    def _told_of(self, one: Tried) -> Tried:
        self.said(f"{one.name}, by {one.by}: {one.found.share:.0%} of the trial worlds")
        return one


def _promising(tries: list[Tried]) -> list[Tried]:
    """The most promising way first.

    It is the one that holds by itself in more of the trial worlds; where none does in any, the plain one, from which a
    search finds more.
    """
    if not any(t.found.share for t in tries):
        return tries[::-1]
    return sorted(tries, key=lambda t: -t.found.share)


def _told(ready: Prepared) -> list[str]:
    """What is worth knowing before the search."""
    lines = list(ready.motion.notes)
    lines += [
        f"{thing.name}: {len(thing.pieces)} convex pieces, {thing.mass.source}" for thing in ready.things
    ]
    for name, p in ready.placements.items():
        lines.append(
            f"{name} stands {1e3 * p.moved:.0f} mm and {p.turned:.2f} rad from where it was measured"
        )
    lines += [hand.told() for hand in ready.hands]
    if ready.carried is not None:
        lines.append(ready.carried.told())
    return lines + [f"doubt: {line}" for line in ready.doubts]
