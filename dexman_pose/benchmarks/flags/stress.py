"""Groups made of the stress suite's scenes: single pictures, tracks, and both with masks that leak."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from dexman_pose.benchmarks.flags.cases import FlagCase, Work
from dexman_pose.benchmarks.flags.mask_defects import boxed, leaked, relabelled
from dexman_pose.benchmarks.flags.options import FlagOptions
from dexman_pose.benchmarks.stress.case import StressCase
from dexman_pose.benchmarks.stress.cases import NEEDS_DEPTH, applies, build_case, shapes_of

PICTURES, TRACKS, LEAKS, ALONE = "pictures", "tracks", "leaks", "no_masks"
"""Names of the groups."""

_SCALE, _PRINT = "wrong_scale", "print"


def pictures(options: FlagOptions) -> Iterator[FlagCase]:
    """Every condition and shape as a single picture, without and with depth."""
    for condition, shape, seed in _kinds(options):
        case = build_case(condition, shape, seed, 1)
        for depth in (False, True):
            if depth or condition not in NEEDS_DEPTH:
                yield flag_case(PICTURES, case, "picture", depth)


def tracks(options: FlagOptions) -> Iterator[FlagCase]:
    """Every condition and shape as a clip, start given and searched; every other one with depth."""
    for k, (condition, shape, seed) in enumerate(_kinds(options)):
        if condition == _SCALE:
            continue
        case = build_case(condition, shape, seed, options.frames)
        depth = condition in NEEDS_DEPTH or k % 2 == 1
        yield flag_case(TRACKS, case, "track", depth)
        yield flag_case(TRACKS, case, "track-search", depth)


def leaks(options: FlagOptions) -> Iterator[FlagCase]:
    """Clean scenes whose masks are filled boxes, or run over to one side: pictures and clips."""
    for k, (shape, seed) in enumerate((s, n) for s in options.shapes for n in options.all_seeds):
        for kind in ("box", "side"):
            case = with_leaks(build_case("clean", shape, seed, 1), kind)
            for depth in (False, True):
                yield flag_case(LEAKS, case, "picture", depth, f"{kind}/")
        kind = ("side", "box")[k % 2]
        case = with_leaks(build_case("clean", shape, seed, options.frames), kind)
        yield flag_case(LEAKS, case, "track", False, f"{kind}/")
        yield flag_case(LEAKS, case, "track-search", False, f"{kind}/")


def without_masks(options: FlagOptions) -> Iterator[FlagCase]:
    """Prints filmed by a moving camera, followed without masks: from the true pose, from one beside it, and with a
    mesh of another print, which no pose can be right for."""
    shapes = shapes_of(_PRINT)
    for k, (shape, seed) in enumerate((s, n) for s in shapes for n in options.all_seeds):
        case = build_case(_PRINT, shape, seed, options.frames)
        yield flag_case(ALONE, case, "track-alone", False, "exact/")
        beside = flag_case(ALONE, case, "track-alone", False, "beside/")
        yield replace(beside, start=case.disturbed_start())
        other = build_case(_PRINT, shapes[(k + 1) % len(shapes)], seed, 1).mesh
        stranger = flag_case(ALONE, case, "track-alone", False, "stranger/")
        yield replace(stranger, mesh=other, start=case.camera_from_object[0], possible=False)


def with_leaks(case: StressCase, kind: str) -> StressCase:
    """A stress case with other masks: ``box`` fills the box, ``side`` leaks to one side that turns slowly."""
    rng = rng_of("leak", kind, case.shape, case.seed)
    angle = rng.uniform(0, 2 * np.pi)
    drift = rng.uniform(-1, 1) * np.radians(2.0)
    masks = []
    state = rng.bit_generator.state
    for k, labels in enumerate(case.labels):
        rng.bit_generator.state = (
            state  # the same margins and reach in every frame, as a segmentation has them
        )
        mask: NDArray[np.bool_] = labels == 1
        masks.append(boxed(mask, rng) if kind == "box" else leaked(mask, rng, angle + drift * k))
    return replace(case, labels=[relabelled(a, m) for a, m in zip(case.labels, masks)])


def flag_case(group: str, case: StressCase, work: Work, depth: bool, prefix: str = "") -> FlagCase:
    """A stress case as one of this benchmark."""
    words = (f"{prefix}{case.condition}", case.shape, str(case.seed), work, *(("depth",) if depth else ()))
    return FlagCase(
        group,
        "/".join(words),
        work,
        case.mesh,
        case.camera,
        case.images,
        case.labels,
        case.camera_from_object,
        case.visible,
        case.symmetry,
        depth=case.depth if depth else None,
        known_symmetry=case.symmetry.for_engine() if case.condition == "symmetric" else None,
        scale="unknown" if case.condition == _SCALE else "known",
        true_scale=case.true_scale,
    )


def rng_of(*key: str | int) -> np.random.Generator:
    """Random numbers that are the same for the same words and numbers."""
    return np.random.default_rng([k if isinstance(k, int) else zlib.crc32(k.encode()) for k in key])


def _kinds(options: FlagOptions) -> list[tuple[str, str, int]]:
    return [
        (condition, shape, seed)
        for condition in options.conditions
        for shape in options.shapes
        if applies(condition, shape)
        for seed in options.all_seeds
    ]
