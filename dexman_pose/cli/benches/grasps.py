"""``dexman-pose bench grasps``: a folder of measured grasps planned and judged."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from dexman_pose.cli.plan import (
    add_learn,
    add_robot,
    add_search,
    check_learn,
    preparing_options,
    search_options,
)


def add(subparsers: Any) -> None:
    """Add the command to a parser."""
    p: argparse.ArgumentParser = subparsers.add_parser(
        "grasps",
        help="measured grasps planned for a robot's hand",
        description="Plan every measured grasp of a folder for a robot, play the controls again in a "
        "simulation that is made anew, and in ten worlds that differ by 5 mm, 20 % of friction and mass.",
    )
    p.add_argument("--grasps", type=Path, required=True, metavar="DIR", help="measured grasps (.npz)")
    p.add_argument(
        "--meshes", type=Path, required=True, metavar="DIR", help="meshes of their objects, metres"
    )
    p.add_argument("--only", metavar="A,B", help="grasps whose names hold one of these")
    p.add_argument("--mirrored", action="store_true", help="each in a mirror: the other hand")
    p.add_argument(
        "--hand",
        choices=("right", "left", "both"),
        help="each in a mirror where its hand is another one; both: every two at once, one for each hand",
    )
    p.add_argument("--json", type=Path, metavar="FILE", help="write the numbers here, too")
    p.add_argument(
        "--markdown", type=Path, metavar="FILE", help="write a table with the conditions here, too"
    )
    p.add_argument("--keep", type=Path, metavar="DIR", help="keep the plans here")
    add_robot(p)
    add_search(p)
    add_learn(p)
    p.set_defaults(handler=handle)


def handle(args: argparse.Namespace) -> int:
    """Plan and judge one grasp after the other."""
    from dexman_pose.benchmarks.grasps.motion import YCB_MASSES
    from dexman_pose.benchmarks.grasps.report import as_markdown
    from dexman_pose.benchmarks.grasps.run import GraspJob, as_json, lines, run_grasps
    from dexman_pose.cli.parts.console import shown
    from dexman_pose.data.files import write_bytes, write_json

    check_learn(args.learn, args.robot)
    names = tuple(n for n in args.only.split(",") if n) if args.only else ()
    job = GraspJob(
        grasps=args.grasps,
        meshes=args.meshes,
        robots=args.robots,
        robot=args.robot,
        only=names,
        mirrored=args.mirrored,
        hand=args.hand,
        keep=args.keep,
        learn=args.learn,
        preparing=preparing_options(args, YCB_MASSES),
        options=search_options(args),
    )
    with shown():
        results = run_grasps(job, report=lambda line: print(line, flush=True))
    for line in lines(results, job):
        print(line)
    if args.json is not None:
        write_json(args.json, as_json(results, job))
    if args.markdown is not None:
        write_bytes(args.markdown, as_markdown(results, job).encode())
    return 0
