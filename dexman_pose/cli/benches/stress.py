"""``dexman-pose bench stress``: how well the pose engine does where it is hard, on rendered scenes with exact truth."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dexman_pose.cli.run import positive

if TYPE_CHECKING:
    from dexman_pose.benchmarks.stress.score import StressRecord

QUICK = {"conditions": ("clean", "occluded_50", "symmetric"), "shapes": ("box", "can", "mug"), "seeds": 1}
"""What ``--quick`` runs."""


def add(subparsers: Any) -> None:
    """Add the command to a parser."""
    p: argparse.ArgumentParser = subparsers.add_parser(
        "stress",
        help="accuracy on rendered scenes with exact truth",
        description="Render shapes under thirteen conditions, refine, search and track them, and print the errors.",
    )
    p.add_argument("--shapes", type=_names, metavar="A,B", help="some shapes (default: all)")
    p.add_argument("--conditions", type=_names, metavar="A,B", help="some conditions (default: all thirteen)")
    p.add_argument("--seeds", type=positive, metavar="N", help="clips of each kind (default: 2)")
    p.add_argument("--what", type=_names, metavar="A,B", help="some of refine, search, track (default: all)")
    p.add_argument("--pictures", type=positive, default=2, metavar="N", help="pictures per seed (default: 2)")
    p.add_argument("--frames", type=positive, default=40, metavar="N", help="frames per clip (default: 40)")
    p.add_argument(
        "--depth", choices=("yes", "no", "both"), default="both", help="with depth images or without"
    )
    p.add_argument("--quick", action="store_true", help="a small part, in a few minutes")
    p.add_argument(
        "--out", type=Path, metavar="DIR", help="write stress.md, CSV files and reliability.png here"
    )
    p.set_defaults(handler=handle)


def _names(text: str) -> tuple[str, ...]:
    return tuple(name for name in text.replace(",", " ").split() if name)


def handle(args: argparse.Namespace) -> int:
    """Run the suite and print the tables."""
    from dexman_pose.benchmarks.stress.run import KINDS, run_stress
    from dexman_pose.benchmarks.stress.table import stress_markdown, write_stress_tables

    chosen: dict[str, Any] = dict(QUICK) if args.quick else {"seeds": 2}
    given = {"conditions": args.conditions, "shapes": args.shapes, "seeds": args.seeds}
    chosen |= {name: value for name, value in given.items() if value}
    depth = {"yes": (True,), "no": (False,), "both": (False, True)}[args.depth]
    table = run_stress(
        **chosen,
        what=args.what or KINDS,
        with_depth=depth,
        pictures=args.pictures,
        frames=args.frames,
        report=_say,
    )
    print()
    print(stress_markdown(table))
    if args.out is not None:
        for path in write_stress_tables(table, args.out):
            print(path)
    return 0


def _say(record: StressRecord) -> None:
    """One line per run, as it is done."""
    import numpy as np

    r = record
    counted = r.seen & r.valid
    mm = f"{np.median(r.millimetres[counted]):8.1f} mm" if counted.any() else "       - mm"
    degrees = f"{np.median(r.degrees[counted]):7.1f} deg" if counted.any() else "      - deg"
    depth = "depth" if r.with_depth else "-"
    case = f"{r.condition:<15} {r.shape:<10} {r.seed:>2} {r.what:<13} {depth:<6}"
    print(f"{case} {mm} {degrees} {1e3 * r.seconds:7.0f} ms  {r.error}".rstrip(), flush=True)
