"""Evaluate on TACO: predict with the default pipeline, score, report.

    python eval/taco.py --root DIR --out DIR [--protocol taco] [--limit N] [--workers N]
    python eval/taco.py --root DIR --out DIR --predictions truth        # must score perfectly
    python eval/taco.py --root DIR --out DIR --predictions results.csv  # anyone's results

The same as ``dexman-pose eval predict`` and ``dexman-pose eval score`` one after the other.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from dexman_pose.cli.main import main as dexman_pose


def main(arguments: list[str] | None = None) -> int:
    """Run both steps; the status of the first that fails, 0 when all went well."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--root", required=True, help="TACO's folder, whole or in part")
    parser.add_argument("--out", required=True, type=Path, help="folder for predictions, scores and report")
    parser.add_argument("--protocol", default="taco", help="taco, taco_head, taco_paper or a YAML file")
    parser.add_argument("--predictions", help="score these; without it the default pipeline makes them")
    parser.add_argument("--split", help="train, test_1 ... test_4 (default: the protocol's)")
    parser.add_argument("--view", help="a camera's serial number, egocentric, first_fixed or all")
    parser.add_argument("--sequences", help="some sequences, A,B")
    parser.add_argument("--limit", help="only the first N sequences")
    parser.add_argument("--workers", default="1", help="processes side by side")
    given = parser.parse_args(arguments)
    common = ["--root", given.root, "--protocol", given.protocol, "--workers", given.workers]
    for name in ("split", "view", "sequences", "limit"):
        if getattr(given, name) is not None:
            common += [f"--{name}", getattr(given, name)]
    predictions = given.predictions
    if predictions is None:
        predictions = str(given.out / "predictions")
        status = dexman_pose(["eval", "predict", *common, "--out", predictions])
        if status != 0:
            return status
    return dexman_pose(["eval", "score", *common, "--predictions", predictions, "--out", str(given.out)])


if __name__ == "__main__":
    sys.exit(main())
