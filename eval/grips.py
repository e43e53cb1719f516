"""Measure how hands hold things in real clips: the pipeline on the cube clip and on the whisking clip.

    python eval/grips.py --data DIR [--out DIR] [cube] [whisking]

Prints a table per clip: how deep the skin lies inside of what it holds, which fingers touch, and for the whisk how far
hands and whisk agree with another system's. With --out the run folders are kept, and gone on with.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
from dexman_pose.benchmarks.real import grip, whisk_hands

CASES = {"cube": grip.run_cube, "whisking": whisk_hands.run}


def main(arguments: list[str] | None = None) -> int:
    """Run the named cases, both by default; 0 when every target is met."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("cases", nargs="*", metavar="CASE", help=f"{', '.join(CASES)}; both by default")
    parser.add_argument("--data", type=Path, default=None, help="test data (default: $DEXMAN_TEST_DATA)")
    parser.add_argument("--out", type=Path, help="folder for the runs")
    given = parser.parse_args(arguments)
    unknown = set(given.cases) - set(CASES)
    if unknown:
        parser.error(f"no case named {', '.join(sorted(unknown))}; there are {', '.join(CASES)}")
    data = given.data or Path(os.environ.get("DEXMAN_TEST_DATA", ""))
    if not (data / "clips").is_dir():
        parser.error(f"no test data at {data}: give --data the folder that holds clips/")
    missed = 0
    for name in given.cases or list(CASES):
        report = CASES[name](data, given.out)
        missed += sum(row.passed is False for row in report.rows)
        sys.stdout.write(report.text() + "\n")
        sys.stdout.flush()
    return 1 if missed else 0


if __name__ == "__main__":
    raise SystemExit(main())
