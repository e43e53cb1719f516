"""``dexman-pose bench simulators``: how fast a plan is simulated, and whether other simulators do as MuJoCo does."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from dexman_pose.errors import InputError


def add(subparsers: Any) -> None:
    """Add the command to a parser."""
    p: argparse.ArgumentParser = subparsers.add_parser(
        "simulators",
        help="a plan in many copies, in each simulator that searches can run in",
        description="Play a plan in many copies that differ in friction, masses and places, as a search does, and "
        "print steps a second, and how far objects are from where MuJoCo has them.",
    )
    p.add_argument("plan", type=Path, metavar="PLAN", help="plan.npz, or its folder")
    p.add_argument(
        "--simulators",
        default="mujoco,warp",
        metavar="A,B",
        help="of mujoco, warp, warp-gpu (default: mujoco,warp); mujoco is always among them",
    )
    p.add_argument("--copies", default="32,128", metavar="N,N", help="at once (default: 32,128)")
    p.add_argument("--seconds", type=float, metavar="S", help="of the motion (default: all of it)")
    p.add_argument("--json", type=Path, metavar="FILE", help="write the numbers here, too")
    p.set_defaults(handler=handle)


def handle(args: argparse.Namespace) -> int:
    """Measure, and print a line for each."""
    from dexman_pose.benchmarks.plans.simulators import run_simulators
    from dexman_pose.data.files import write_json
    from dexman_pose.robot.skill.plan_file import read_plan
    from dexman_pose.threads import cores

    names = args.simulators.replace(",", " ").split()
    rows = run_simulators(
        read_plan(args.plan),
        names,
        _numbers(args.copies),
        args.seconds,
        report=lambda row: print(row.told(), flush=True),
    )
    if args.json is not None:
        write_json(args.json, {"cores": cores(), "rows": [row.values() for row in rows]})
    return 0


def _numbers(text: str) -> tuple[int, ...]:
    try:
        found = tuple(int(word) for word in text.replace(",", " ").split())
    except ValueError:
        found = ()
    if not found or min(found) < 1:
        raise InputError(
            f"--copies takes whole numbers from 1 with commas between, as 32,128, but got {text!r}"
        )
    return found
