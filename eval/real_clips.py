"""Measure the pose engine on real pictures and clips whose poses are known.

    python eval/real_clips.py --data DIR [--out DIR] [--pose-only] [cube] [rbt_cube] [can] [bottle] [whisking]

Prints one table per case, each figure beside its target. With --out the poses (npz) and sheets of overlays (PNG, worst
first; green the known pose, red the estimate, blue the mask) are kept, and so are masks and hands: a second run makes
them anew only when their inputs or the code that makes them have changed, with --pose-only not even then.
"""

from __future__ import annotations

import argparse
import importlib
import logging
import os
import sys
import traceback
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
from dexman_pose.benchmarks.real.cache import Cache, code_digest

CASES = {
    "cube": ("cube", "run"),
    "rbt_cube": ("stills", "run_rbt_cube"),
    "can": ("stills", "run_can"),
    "bottle": ("stills", "run_bottle"),
    "whisking": ("whisking", "run"),
}


def main(arguments: list[str] | None = None) -> int:
    """Run the named cases, all of them by default; 0 when every target is met, 1 when one is missed."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("cases", nargs="*", metavar="CASE", help=f"{', '.join(CASES)}; all by default")
    parser.add_argument("--data", type=Path, default=None, help="test data (default: $DEXMAN_TEST_DATA)")
    parser.add_argument("--out", type=Path, help="folder for poses, overlays and the cache of masks")
    parser.add_argument("--pose-only", action="store_true", help="use cached masks and hands, however old")
    parser.add_argument("--verbose", action="store_true", help="show the package's log")
    given = parser.parse_args(arguments)
    unknown = set(given.cases) - set(CASES)
    if unknown:
        parser.error(f"no case named {', '.join(sorted(unknown))}; there are {', '.join(CASES)}")
    data = given.data or Path(os.environ.get("DEXMAN_TEST_DATA", ""))
    if not (data / "clips").is_dir() and not (data / "rgbd").is_dir():
        parser.error(f"no test data at {data}: give --data the folder that holds clips/ and rgbd/")
    if given.pose_only and given.out is None:
        parser.error("--pose-only needs --out, the folder whose cached masks it takes")
    logging.basicConfig(level=logging.INFO if given.verbose else logging.WARNING, format="%(message)s")
    if given.out is not None:
        given.out.mkdir(parents=True, exist_ok=True)
    cache = Cache(given.out / "cache" if given.out is not None else None, given.pose_only)
    say(
        f"pose code {code_digest(('pose', 'render', 'geometry'))}, segmentation {code_digest(('segmentation',))}\n"
    )
    missed = 0
    for name in given.cases or list(CASES):
        module, function = CASES[name]
        try:
            report = getattr(importlib.import_module(f"dexman_pose.benchmarks.real.{module}"), function)(
                data, cache, given.out
            )
        except Exception:  # one case that breaks must not take the others with it
            traceback.print_exc()
            missed += 1
            continue
        missed += sum(row.passed is False for row in report.rows)
        say(report.text())
        if given.out is not None:
            (given.out / f"{name}.txt").write_text(report.text())
    say(f"{missed} target{'' if missed == 1 else 's'} missed" if missed else "every target met")
    return 1 if missed else 0


def say(text: str) -> None:
    """One paragraph on standard output."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    raise SystemExit(main())
