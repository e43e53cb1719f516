"""What the contact term does for the planner: the same grasps and seeds with it and without.

    python eval/contact_term.py --grasps DIR --meshes DIR --robots DIR --only cracker,mustard,banana --seeds 0,1,2
        [--samples N] [--members N] [--passes N] [--other SHARE] [--json FILE]

Prints a row per grasp and seed: strict success in an independent replay, frames tracked, and perturbed replays of ten,
with the term and without. For PPO `eval/learn_grasps.py` has `--no-contact`.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")
from dexman_pose.benchmarks.grasps.motion import YCB_MASSES
from dexman_pose.benchmarks.grasps.run import GraspJob, GraspResult, run_grasps
from dexman_pose.robot.objects.model import ObjectOptions
from dexman_pose.robot.planning.options import PlanOptions
from dexman_pose.robot.planning.prepare import PrepareOptions


def say(text: str) -> None:
    """Print a line."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def main(arguments: list[str] | None = None) -> int:
    """Plan every grasp with the term and without; 1 where there is none."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    for name in ("grasps", "meshes"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    parser.add_argument("--robots", type=Path)
    parser.add_argument("--only", default="", help="parts of names, with commas")
    parser.add_argument("--seeds", default="0")
    for name in ("samples", "members", "passes"):
        parser.add_argument(f"--{name}", type=int, default=getattr(PlanOptions(), name), help="of the search")
    parser.add_argument(
        "--other",
        type=float,
        default=PlanOptions().other,
        help="share of the trials below which plain grips are tried, too; 0 for never, in half the time",
    )
    parser.add_argument("--json", type=Path)
    given = parser.parse_args(arguments)
    say(f"{'grasp':<32} seed  term     strict  tracked  perturbed")
    rows = []
    for seed in (int(s) for s in given.seeds.split(",") if s):
        for weight in (PlanOptions().cost.contact, 0.0):
            for result in run_grasps(_job(given, seed, weight)):
                rows.append(_row(result, seed, weight))
                say(_line(rows[-1]))
    for weight in sorted({row["contact"] for row in rows}, reverse=True):
        say(_summary([row for row in rows if row["contact"] == weight], weight))
    if given.json is not None:
        given.json.write_text(json.dumps(rows, indent=1), encoding="utf-8")
    return 0 if rows else 1


def _job(given: argparse.Namespace, seed: int, weight: float) -> GraspJob:
    options = PlanOptions(seed=seed, samples=given.samples, members=given.members, passes=given.passes)
    options = replace(options, other=given.other, grasp=None)  # the term is of the search over frames
    options = replace(options, cost=replace(options.cost, contact=weight))
    preparing = PrepareOptions(objects=ObjectOptions(masses=YCB_MASSES))
    only = tuple(p for p in given.only.split(",") if p)
    return GraspJob(given.grasps, given.meshes, given.robots, only=only, preparing=preparing, options=options)


def _row(result: GraspResult, seed: int, weight: float) -> dict[str, Any]:
    row: dict[str, Any] = {"grasp": result.name, "seed": seed, "contact": weight, "error": result.error}
    if result.evaluation is not None and result.plan is not None:
        played = result.evaluation.replay
        row |= {
            "strict": played.success,
            "tracked": played.tracked / played.frames,
            "perturbed": result.evaluation.succeeded,
            "of": len(result.evaluation.perturbed),
            "friction": result.plan.about["friction"],
        }
    return row


def _line(row: dict[str, Any]) -> str:
    head = f"{row['grasp'][-32:]:<32} {row['seed']:>4}  {'with' if row['contact'] else 'without':<7}"
    if "strict" not in row:
        return f"{head}  {row['error']}"
    return (
        f"{head}  {'yes' if row['strict'] else 'no':>6}  {100 * row['tracked']:5.0f} %  "
        f"{row['perturbed']:>5} of {row['of']}"
    )


def _summary(rows: list[dict[str, Any]], weight: float) -> str:
    count = max(len(rows), 1)
    strict = sum(bool(row.get("strict")) for row in rows)
    tracked = sum(row.get("tracked", 0.0) for row in rows) / count
    perturbed = sum(row.get("perturbed", 0) for row in rows) / count
    return (
        f"{'with' if weight else 'without'} the term: strict in {strict} of {len(rows)}, "
        f"{100 * tracked:.0f} % of frames tracked, {perturbed:.1f} of 10 perturbed replays"
    )


if __name__ == "__main__":
    sys.exit(main())
