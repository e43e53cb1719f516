"""Plan OakInk2 for a robot's hands and judge it by the protocol of the field: whole episodes, ten replays each.

    python eval/oakink2.py --root DIR --mano DIR --out DIR [--sequences A,B] [--view NAME] [--limit N] [--json FILE]

Every primitive of a sequence's program is one task. Prints a row per primitive and the share of all replays that
succeed at every step (3 cm, 0.5 rad), in worlds that differ by 5 mm, 20 % of friction and of mass; E_t and E_r over the
successful ones. Hands are free Shadow hands: rates published for a humanoid's arms are another task.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
from dexman_pose.benchmarks.plans.oakink2 import OakInkJob, run_oakink2, summary, table
from dexman_pose.robot.assets.shadow import shadow_hand
from dexman_pose.robot.planning.options import PlanOptions


def say(text: str) -> None:
    """Print a line."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def main(arguments: list[str] | None = None) -> int:
    """Plan and print; 1 where no primitive could be planned."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--root", type=Path, required=True, help="the data set's folder")
    parser.add_argument("--mano", type=Path, help="folder of MANO's own files: hands have no joints without")
    parser.add_argument("--robots", type=Path, help="folder of robots (default: $DEXMAN_ROBOTS)")
    parser.add_argument("--out", type=Path, help="folder of plans")
    parser.add_argument("--sequences", default="", help="names, with commas")
    parser.add_argument("--view", help="camera that stands still and looks down on the table")
    parser.add_argument("--limit", type=int, help="primitives at most")
    parser.add_argument("--seed", type=int, default=0, help="of the search")
    parser.add_argument("--json", type=Path, help="write the figures here")
    given = parser.parse_args(arguments)
    job = OakInkJob(
        given.root,
        lambda side: shadow_hand(side, given.robots),
        mano=given.mano,
        view=given.view,
        sequences=tuple(n for n in given.sequences.split(",") if n),
        limit=given.limit,
        out=given.out,
        options=PlanOptions(seed=given.seed),
    )
    results = run_oakink2(job, say)
    say("")
    for line in table(results):
        say(line)
    if given.json is not None:
        given.json.write_text(json.dumps(summary(results), indent=1) + "\n", encoding="utf-8")
    return 0 if any(r.evaluation is not None for r in results) else 1


if __name__ == "__main__":
    sys.exit(main())
