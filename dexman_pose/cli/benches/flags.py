"""``dexman-pose bench flags``: how truthful the ``valid`` flags of the pose engine are, where the truth is known."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dexman_pose.cli.run import positive

if TYPE_CHECKING:
    from dexman_pose.benchmarks.flags.options import FlagOptions
    from dexman_pose.benchmarks.flags.scores import FlagScore


def add(subparsers: Any) -> None:
    """Add the command to a parser."""
    p: argparse.ArgumentParser = subparsers.add_parser(
        "flags",
        help="whether wrong poses are marked not valid, and good ones valid",
        description="Search and track objects whose poses are known, on rendered scenes with planted failures and, "
        "with --data, on real pictures, and count how often the valid flags tell the truth.",
    )
    p.add_argument(
        "--only", type=_names, metavar="A,B", help="some groups (default: all whose data is given)"
    )
    p.add_argument("--shapes", type=_names, metavar="A,B", help="some shapes (default: all six)")
    p.add_argument("--conditions", type=_names, metavar="A,B", help="some conditions (default: all ten)")
    p.add_argument("--seeds", type=positive, default=1, metavar="N", help="cases of each kind (default: 1)")
    p.add_argument(
        "--first-seed",
        type=int,
        default=0,
        metavar="N",
        help="of the cases of each kind (default: 0; the engine's limits were set on 0 to 2)",
    )
    p.add_argument("--frames", type=positive, metavar="N", help="frames per rendered clip (default: 24)")
    p.add_argument("--quick", action="store_true", help="a small part, in two or three minutes")
    p.add_argument("--data", type=Path, metavar="DIR", help="folder of real data that holds clips/ and rgbd/")
    p.add_argument(
        "--meshes", type=Path, metavar="DIR", help="folder of textured meshes to render on a ground"
    )
    p.add_argument("--json", type=Path, metavar="FILE", help="write scores and every frame's row here")
    p.add_argument("--out", type=Path, metavar="DIR", help="keep masks of real data here, and write flags.md")
    p.set_defaults(handler=handle)


def _names(text: str) -> tuple[str, ...]:
    return tuple(name for name in text.replace(",", " ").split() if name)


def handle(args: argparse.Namespace) -> int:
    """Run the benchmark and print its table."""
    from dexman_pose.benchmarks.flags.report import flags_markdown, write_flags_json
    from dexman_pose.benchmarks.flags.run import run_flags
    from dexman_pose.data.files import write_bytes

    table = run_flags(_options(args), args.only, report=_say)
    text = flags_markdown(table)
    print(f"\n{text}")
    if args.json is not None:
        print(write_flags_json(args.json, table))
    if args.out is not None:
        args.out.mkdir(parents=True, exist_ok=True)
        print(write_bytes(args.out / "flags.md", text.encode()))
    return 0


def _options(args: argparse.Namespace) -> FlagOptions:
    """The options of the arguments: those of a quick run first, where one is asked for, then what is given."""
    from dexman_pose.benchmarks.flags import options

    chosen: dict[str, Any] = {}
    if args.quick:
        chosen = {
            "shapes": options.QUICK_SHAPES,
            "conditions": options.QUICK_CONDITIONS,
            "frames": options.QUICK_FRAMES,
            "most_meshes": options.QUICK_MESHES,
        }
    given = {"shapes": args.shapes, "conditions": args.conditions, "frames": args.frames}
    chosen |= {name: value for name, value in given.items() if value}
    cache = None if args.out is None else args.out / "cache"
    return options.FlagOptions(
        seeds=args.seeds,
        first_seed=args.first_seed,
        data=args.data,
        meshes=args.meshes,
        cache=cache,
        **chosen,
    )


def _say(group: str, score: FlagScore) -> None:
    """One line per case, as it is done."""
    from dexman_pose.benchmarks.flags.report import score_line

    print(score_line(group, score), flush=True)
