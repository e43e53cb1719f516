"""Score runs on the eight real TACO clips against what a person saw in nine frames of each.

    python eval/taco_holds.py --runs DIR

DIR holds a run folder per clip, named as in eval/labels/taco_clips.json. Prints a row per clip and the totals.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
from dexman_pose.benchmarks.real.holds import score_holds
from dexman_pose.data import Trajectory


def say(text: str) -> None:
    """Print a line."""
    sys.stdout.write(text + "\n")


LABELS = Path(__file__).parent / "labels" / "taco_clips.json"


def main(arguments: list[str] | None = None) -> int:
    """Score every run that is there; 1 where there is none."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--runs", type=Path, required=True, help="folder of run folders, named as the clips")
    given = parser.parse_args(arguments)
    clips = json.loads(LABELS.read_text(encoding="utf-8"))["clips"]
    say("clip          holds flagged  rests flagged  tips mm  palm range mm")
    total = [0, 0, 0, 0]
    for name, rows in clips.items():
        path = given.runs / name / "trajectory.npz"
        if not path.is_file():
            continue
        found = score_holds(Trajectory.load(path), rows)
        counts = (found.flagged, found.holds, found.false, found.rests)
        total = [a + b for a, b in zip(total, counts)]
        tips, palm = (f"{x:.0f}" if x is not None else "-" for x in (found.tip_mm, found.palm_range_mm))
        say("{:13} {:>6} of {:<4}  {:>6} of {:<4}  {:>7}  {:>13}".format(name, *counts, tips, palm))
    say("{:13} {:>6} of {:<4}  {:>6} of {:<4}".format("all", *total))
    return 0 if total[1] else 1


if __name__ == "__main__":
    sys.exit(main())
