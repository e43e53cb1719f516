"""Scores before and after as a table: means over all motions, by grasp, and the motions that came out worse."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from dexman_pose.benchmarks.noise.planted import NoiseOptions
from dexman_pose.benchmarks.noise.run import MotionResult


@dataclass(frozen=True)
class Aim:
    """What is wanted of a score.

    Attributes:
        text: what it is.
        unit: of it.
        less: share by which its mean is to fall; None for no aim. 0 with ``more``: it is to rise.
        more: whether more is better.
    """

    text: str
    unit: str
    less: float | None = None
    more: bool = False

    def met(self, before: float, after: float) -> bool | None:
        """Whether it is reached; None where there is no aim."""
        if self.less is None:
            return None
        return after > before if self.more else after <= (1.0 - self.less) * before


ROWS: dict[str, Aim] = {
    "object_mm": Aim("object: points of its mesh", "mm", 0.40),
    "object_s_mm": Aim("object: to the nearest points", "mm"),
    "shift_mm": Aim("object: middle", "mm"),
    "turn_deg": Aim("object: rotation", "deg"),
    "joint_mm": Aim("hand: joints", "mm", 0.25),
    "penetration_mm": Aim("hand: deepest skin inside the object", "mm", 0.70),
    "deep": Aim("hand: frames with skin over 3 mm inside", ""),
    "slip_mm": Aim("hand: slip of finger tips beyond the truth", "mm/frame", 0.60),
    "contact_f": Aim("contact: finger tips, F-score", "", 0.0, more=True),
}
GROWTH = 0.02
"""Share by which the error of an object or a hand may grow in a single motion."""


def means(results: Sequence[MotionResult]) -> dict[str, tuple[float, float]]:
    """Of every score before and after, over motions."""
    out = {}
    for name in ROWS:
        pairs = [(r.before.as_dict()[name], r.after.as_dict()[name]) for r in results]
        before, after = np.mean(pairs, axis=0)
        out[name] = (float(before), float(after))
    return out


def worse(results: Sequence[MotionResult]) -> list[str]:
    """Motions in which object or hand came out worse than may be, a line each."""
    out = []
    for r in results:
        for name in ("object_mm", "joint_mm"):
            before, after = r.before.as_dict()[name], r.after.as_dict()[name]
            if after > (1.0 + GROWTH) * before:
                out.append(f"{r.name}, seed {r.seed}: {ROWS[name].text} {before:.2f} to {after:.2f} mm")
    return out


def lines(results: Sequence[MotionResult], options: NoiseOptions) -> list[str]:
    """The table as text."""
    grasps = list(dict.fromkeys(r.name for r in results))
    o, jitter = options, 1.0 - options.drift - options.offset
    out = [
        f"{len(grasps)} grasps, {len(results)} motions; object {1e3 * o.shift:g} mm, {np.degrees(o.turn):g} degrees, "
        f"joints {1e3 * o.joints:g} mm,",
        f"root mean square; of the variance {jitter:.0%} jitter, {o.drift:.0%} drift, {o.offset:.0%} offset; "
        f"{o.dropped:.0%} of frames dropped",
        f"{'means':<46} {'before':>8} {'after':>8} {'change':>8}",
    ]
    for name, (before, after) in means(results).items():
        aim = ROWS[name]
        change = f"{100 * (after / before - 1):+.0f} %" if before else ""
        met = aim.met(before, after)
        said = "" if met is None else f"  {'met' if met else 'missed'}"
        out.append(f"{aim.text:<46} {before:>8.2f} {after:>8.2f} {change:>8} {aim.unit:<8}{said}".rstrip())
    out.append(f"{'by grasp: object mm, joints mm, penetration mm, slip mm/frame, F-score':<46}")
    for grasp in grasps:
        found = means([r for r in results if r.name == grasp])
        cells = [
            f"{a:.2f} to {b:.2f}" for a, b in (found[n] for n, aim in ROWS.items() if aim.less is not None)
        ]
        out.append(f"  {grasp}: {', '.join(cells)}")
    bad = worse(results)
    out.append(f"motions in which object or hand is more than {GROWTH:.0%} worse: {len(bad)}")
    out += [f"  {line}" for line in bad]
    out.append(f"seconds a motion, median: {np.median([r.seconds for r in results]):.1f}")
    return out


def as_json(results: Sequence[MotionResult], options: NoiseOptions) -> dict[str, Any]:
    """Everything, for a file."""
    return {
        "noise": asdict(options),
        "means": {name: {"before": b, "after": a} for name, (b, a) in means(results).items()},
        "worse": worse(results),
        "motions": [asdict(r) for r in results],
    }
