"""``dexman-pose export``: plans and demonstrations in the formats of others."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

FORMATS = ("lerobot", "mujoco")


def add(subparsers: Any) -> None:
    """Add the command to the parser."""
    p: argparse.ArgumentParser = subparsers.add_parser(
        "export",
        help="write plans or demonstrations in another format",
        description="Write a plan, or all demonstrations of a folder that synth --skill has made, in another format: a "
        "LeRobot data set (version 3.0), or models of MuJoCo with a keyframe for every frame.",
    )
    p.add_argument("source", type=Path, metavar="PLAN|DIR", help="plan.npz, its folder, or demonstrations")
    p.add_argument("--format", choices=FORMATS, required=True, help="of what is written")
    p.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder; for lerobot a new one")
    p.set_defaults(handler=handle)


def handle(args: argparse.Namespace) -> int:
    """Write, and say what."""
    from dexman_pose.robot.export.formats import export_plans

    for line in export_plans(args.source, args.format, args.out):
        print(line)
    return 0
