"""Runs the pose engine over the stress suite."""

from __future__ import annotations

import inspect
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from dexman_pose.arrays import Array
from dexman_pose.benchmarks.stress.case import OBJECT, StressCase
from dexman_pose.benchmarks.stress.cases import (
    ALL_SHAPES,
    CONDITIONS,
    NEEDS_DEPTH,
    applies,
    build_case,
)
from dexman_pose.benchmarks.stress.on_table import ON_TABLE
from dexman_pose.benchmarks.stress.parts import BOX_GIVEN, parts_missed, prompted, silhouettes
from dexman_pose.benchmarks.stress.score import (
    StressRecord,
    StressTable,
    count_jumps,
    pose_errors,
    score_gaps,
)
from dexman_pose.data.masks import OCCLUDER
from dexman_pose.errors import DexmanError, InputError
from dexman_pose.metrics import add_s
from dexman_pose.pose import estimate_pose, refine_pose, track
from dexman_pose.progress import progress

KINDS = ("refine", "search", "track")
"""What can be measured; ``track`` runs with the start given, with the start searched, and without masks."""

_LOST_MM, _LOST_DEG = 1e4, 180.0  # errors of a run that gave no pose


class _Poses(NamedTuple):
    """What a run gave: poses (T, 4, 4), valid (T,), confidence (T,), factor on the mesh or None."""

    poses: Array
    valid: NDArray[np.bool_]
    confidence: Array
    scale: float | None
    told: NDArray[np.bool_] | None = None


def run_stress(
    conditions: Sequence[str] | None = None,
    shapes: Sequence[str] | None = None,
    seeds: int = 2,
    what: Sequence[str] = KINDS,
    with_depth: Sequence[bool] = (False, True),
    *,
    pictures: int = 2,
    frames: int = 40,
    report: Callable[[StressRecord], None] | None = None,
) -> StressTable:
    """Render the suite and run the engine over it.

    Args:
        conditions: some of :data:`~dexman_pose.benchmarks.stress.cases.CONDITIONS`; None for all.
        shapes: some of :data:`~dexman_pose.benchmarks.stress.cases.ALL_SHAPES`; None for all.
        seeds: clips per condition and shape.
        what: some of :data:`KINDS`.
        with_depth: without and with depth images; conditions that mean nothing without run with depth only.
        pictures: single pictures per seed.
        frames: length of the clips.
        report: called with every record when it is there.

    Raises:
        InputError: a name that does not exist.
    """
    unknown = [w for w in what if w not in KINDS]
    if unknown:
        raise InputError(f"nothing called {unknown[0]!r} to measure; there are: {', '.join(KINDS)}")
    cases = [
        (c, s, seed)
        for c in conditions or CONDITIONS
        for s in shapes or ALL_SHAPES
        if applies(c, s)
        for seed in range(seeds)
    ]
    _warm_up()
    records = []
    for condition, shape, seed in progress(cases, "stress", len(cases)):
        for record in _runs(condition, shape, seed, what, with_depth, pictures, frames):
            records.append(record)
            if report is not None:
                report(record)
    return StressTable(records)


def _runs(
    condition: str,
    shape: str,
    seed: int,
    what: Sequence[str],
    with_depth: Sequence[bool],
    pictures: int,
    frames: int,
) -> Iterator[StressRecord]:
    """All runs of one condition, shape and seed."""
    depths = [d for d in with_depth if d or condition not in NEEDS_DEPTH]
    singles = [w for w in ("refine", "search") if w in what]
    singles += ["search-box"] if "search" in what and condition in BOX_GIVEN else []
    for k in range(pictures if singles else 0):
        case = build_case(condition, shape, seed * pictures + k, 1)
        yield from (run_case(case, w, d) for w in singles for d in depths)
    if "track" in what:
        case = build_case(condition, shape, seed, frames)
        yield from (run_case(case, w, d) for w in ("track", "track-search") for d in depths)
        if False in depths:  # depth does not lead a track without masks
            yield run_case(case, "track-alone", False)


def run_case(case: StressCase, what: str, with_depth: bool) -> StressRecord:
    """One run of the engine on one case.

    Args:
        case: a single picture (``refine``, ``search``) or a clip.
        what: ``refine``, ``search``, ``search-box``: with the box too, ``track``, ``track-search``, or ``track-alone``:
            without masks.
        with_depth: give the depth images.
    """
    work = {
        "refine": _refine,
        "search": _search,
        "search-box": _search_box,
        "track": _track,
        "track-search": _track_search,
        "track-alone": _track_alone,
    }[what]
    error, start = "", time.perf_counter()
    try:
        case = prompted(case)
        start = time.perf_counter()
        found = work(case, with_depth)
    except (DexmanError, ArithmeticError, ValueError, IndexError, AssertionError) as raised:
        # A run that fails is a result of the suite, not its end.
        error, n = f"{type(raised).__name__}: {raised}", case.num_frames
        found = _Poses(np.repeat(np.eye(4)[None], n, 0), np.zeros(n, np.bool_), np.zeros(n), None)
    seconds = (time.perf_counter() - start) / case.num_frames
    return _record(case, what, with_depth, seconds, found, error)


def _record(
    case: StressCase, what: str, with_depth: bool, seconds: float, found: _Poses, error: str
) -> StressRecord:
    true, n = case.camera_from_object, case.num_frames
    factor = 1.0 if found.scale is None else found.scale
    mm, degrees = pose_errors(
        found.poses, true, case.center, case.symmetry, found_center=case.mesh.center * factor
    )
    if error:
        mm, degrees = np.full(n, _LOST_MM), np.full(n, _LOST_DEG)
    wrong = (degrees > 15.0) | (mm > 20.0)
    scale_error = None
    if case.true_scale != 1.0 and not error and found.scale is not None:
        scale_error = abs(factor / case.true_scale - 1)
    return StressRecord(
        condition=case.condition,
        shape=case.shape,
        seed=case.seed,
        what=what,
        with_depth=with_depth,
        seconds=seconds,
        valid=found.valid,
        confidence=found.confidence,
        millimetres=mm,
        degrees=degrees,
        distance=(true[:, :3, :3] @ case.center + true[:, :3, 3])[:, 2],
        visible=case.visible,
        jumps=count_jumps(found.poses, true, found.valid) if not error else 0,
        gaps=score_gaps(case.visible, found.valid, wrong) if n > 1 else (),
        scale_error=scale_error,
        error=error,
        told=found.told,
        **_on_table(case, found, error),
    )


def _on_table(case: StressCase, found: _Poses, error: str) -> dict[str, Any]:
    """Scores of the conditions on the table: ADD-S, and parts that mask or pose do not cover."""
    if case.condition not in ON_TABLE:
        return {}
    distances = add_s(found.poses, case.camera_from_object, case.mesh.vertices)
    return {
        "add_s": np.full(case.num_frames, 1e-3 * _LOST_MM) if error else distances,
        "mask_missed": parts_missed(case, (labels == 1 for labels in case.labels)),
        "pose_missed": parts_missed(case, silhouettes(case, found.poses)),
    }


def _refine(case: StressCase, with_depth: bool) -> _Poses:
    labels = case.labels[0]
    extra = _extra(refine_pose, case, with_depth)
    result = refine_pose(
        case.mesh, case.disturbed_start(), labels == 1, case.camera, image=case.images[0], **extra
    )
    return _single(result)


def _search(case: StressCase, with_depth: bool) -> _Poses:
    labels = case.labels[0]
    extra = _extra(estimate_pose, case, with_depth)
    return _single(estimate_pose(case.mesh, case.images[0], labels == 1, case.camera, **extra))


def _search_box(case: StressCase, with_depth: bool) -> _Poses:
    extra = _extra(estimate_pose, case, with_depth)
    mask = case.labels[0] == 1
    return _single(estimate_pose(case.mesh, case.images[0], mask, case.camera, box=case.boxes()[0], **extra))


def _single(result: Any) -> _Poses:
    confidence = getattr(result, "confidence", result.mask_iou)
    pose = np.asarray(result.camera_from_object, np.float64)[None]
    told = np.array([bool(result.valid)])
    return _Poses(pose, np.ones(1, np.bool_), np.array([float(confidence)]), _scale_of(result), told)


def _track(case: StressCase, with_depth: bool, start: Array | None = None) -> _Poses:
    extra = _extra(track, case, with_depth)
    start = case.camera_from_object[0] if start is None else start
    return _tracked(
        track(case.mesh, case.clip(), case.masks(), case.camera, name=OBJECT, start=start, **extra)
    )


def _track_search(case: StressCase, with_depth: bool) -> _Poses:
    extra = _extra(track, case, with_depth)
    return _tracked(track(case.mesh, case.clip(), case.masks(), case.camera, name=OBJECT, **extra))


def _track_alone(case: StressCase, with_depth: bool) -> _Poses:
    start = case.camera_from_object[0]
    return _tracked(track(case.mesh, case.clip(), None, case.camera, start=start))


def _tracked(result: Any) -> _Poses:
    return _Poses(
        np.asarray(result.camera_from_object), result.valid, np.asarray(result.confidence), _scale_of(result)
    )


def _scale_of(result: Any) -> float | None:
    """The factor on the mesh (geometric mean of three), or None where the engine says nothing of it."""
    scale = getattr(result, "scale", None)
    if scale is None:
        return None
    return float(np.exp(np.mean(np.log(np.atleast_1d(np.asarray(scale, np.float64))))))


def _extra(function: Callable[..., Any], case: StressCase, with_depth: bool) -> dict[str, Any]:
    """Keyword arguments of a case that the function has."""
    clip = function is track
    out: dict[str, Any] = {}
    if with_depth:
        out["depth"] = case.depth_sequence() if clip else case.depth[0]
    if not clip:
        out["occluders"] = case.labels[0] == OCCLUDER
    if case.condition == "wrong_scale":
        out["scale"] = "unknown"
    if case.condition == "symmetric":
        out["symmetry"] = case.symmetry.for_engine()
    return _known(function, out)


def _known(function: Callable[..., Any], arguments: dict[str, Any]) -> dict[str, Any]:
    names: Iterable[str] = inspect.signature(function).parameters
    return {k: v for k, v in arguments.items() if k in names}


def _warm_up() -> None:
    """Compile kernels and load libraries before any clock starts."""
    case = build_case("clean", "box", 99, 2)
    for what in ("refine", "search", "track"):
        run_case(case, what, True)
