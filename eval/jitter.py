"""Measure how much tracks tremble on clips without known poses.

    python eval/jitter.py --prompts FILE --out DIR [--against DIR] [--max-frames N] CLIP ...

Runs the pipeline on each clip (a run that is there already is gone on with), and prints the second difference of every
object's centre and rotation at rest and in the hand, and jumps that are left valid. With --against, the folder of runs
made by another version, both are measured on the frames that are valid in both, the other's figures after a slash.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
import dexman_pose as dp
from dexman_pose.benchmarks.real.jitter import compare_runs, table
from dexman_pose.pipeline.prompt_file import load_prompts


def main(arguments: list[str] | None = None) -> int:
    """Run and measure every clip; 0 when no jump is left valid, 1 when one is."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("clips", nargs="+", type=Path, metavar="CLIP", help="video files")
    parser.add_argument("--prompts", type=Path, required=True, help="prompt file that names the clips")
    parser.add_argument("--out", type=Path, required=True, help="one run folder per clip goes here")
    parser.add_argument("--against", type=Path, help="run folders of the same names to compare with")
    parser.add_argument("--max-frames", type=int, help="use only the first N frames")
    parser.add_argument("--no-run", action="store_true", help="measure what is in --out as it is")
    given = parser.parse_args(arguments)
    rows = {}
    for clip in given.clips:
        run = given.out / clip.stem
        if not given.no_run:
            prompts = load_prompts(given.prompts, clip)
            dp.reconstruct(clip, prompts, out=run, max_frames=given.max_frames, overlay=False)
        other = given.against / clip.stem if given.against is not None else None
        rows |= {f"{clip.stem} {name}": found for name, found in compare_runs(run, other).items()}
    sys.stdout.write(table(rows) + "\n")
    return 1 if any(found[0].jumps for found in rows.values()) else 0


if __name__ == "__main__":
    raise SystemExit(main())
