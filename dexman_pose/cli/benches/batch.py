"""``dexman-pose bench batch``: whether a batch keeps what it promises when its driver is killed."""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path
from typing import Any

from dexman_pose.cli.run import positive


def add(subparsers: Any) -> None:
    """Add the command to a parser."""
    p: argparse.ArgumentParser = subparsers.add_parser(
        "batch",
        help="a batch with files that are no clips, whose driver is killed once",
        description="Render short clips, put files among them that are none, run a batch, kill its driver when a third "
        "is done, run it again, and see that the rest is done exactly once and as single runs do it, byte for byte.",
    )
    p.add_argument("--clips", type=positive, default=40, metavar="N", help="in all (default: 40)")
    p.add_argument(
        "--poisoned", type=int, default=3, metavar="N", help="files that are no clips (default: 3)"
    )
    p.add_argument("--workers", type=positive, default=2, metavar="N", help="clips at once (default: 2)")
    p.add_argument("--keep", type=Path, metavar="DIR", help="keep clips and results here")
    p.set_defaults(handler=handle)


def handle(args: argparse.Namespace) -> int:
    """Run it; 1 where a promise is broken."""
    from dexman_pose.benchmarks.endurance.batch import lines, prove_batch

    with tempfile.TemporaryDirectory(prefix="dexman_pose_") as temporary:
        folder = args.keep or Path(temporary)
        proof = prove_batch(
            folder, args.clips, args.poisoned, args.workers, said=lambda s: print(s, flush=True)
        )
    for line in lines(proof):
        print(line)
    return 0 if proof.passed else 1
