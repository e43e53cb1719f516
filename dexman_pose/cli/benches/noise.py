"""``dexman-pose bench noise``: measured grasps with planted noise, before and after they are solved."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dexman_pose.cli.synth import seeds

if TYPE_CHECKING:
    from dexman_pose.benchmarks.noise.run import MotionResult


def add(subparsers: Any) -> None:
    """Add the command to a parser."""
    p: argparse.ArgumentParser = subparsers.add_parser(
        "noise",
        help="measured grasps with planted noise, before and after hands and objects are solved together",
        description="Plant noise in measured grasps (an offset that stays, a slow drift, jitter, dropped frames), "
        "solve hands and objects together as the pipeline does, and print errors, penetration, slip and contacts "
        "before and after.",
    )
    p.add_argument("--grasps", type=Path, required=True, metavar="DIR", help="measured grasps (.npz)")
    p.add_argument(
        "--meshes", type=Path, required=True, metavar="DIR", help="meshes of their objects, metres"
    )
    p.add_argument("--seeds", type=seeds, default=(1, 2, 3, 4, 5), metavar="1,2,3", help="of the noise")
    p.add_argument(
        "--jitter",
        type=_share,
        metavar="SHARE",
        help="of the noise's variance that changes from frame to frame (default: 0.5); drift and offset share the rest",
    )
    p.add_argument("--json", type=Path, metavar="FILE", help="write the numbers here, too")
    p.set_defaults(handler=handle)


def handle(args: argparse.Namespace) -> int:
    """Run the bench and print the table."""
    from dexman_pose.benchmarks.noise.planted import NoiseOptions
    from dexman_pose.benchmarks.noise.run import run_noise
    from dexman_pose.benchmarks.noise.table import as_json, lines
    from dexman_pose.data.files import write_json

    options = NoiseOptions()
    if args.jitter is not None:
        slow = 0.5 * (1.0 - args.jitter)
        options = NoiseOptions(drift=slow, offset=slow)
    results = run_noise(args.grasps, args.meshes, args.seeds, options, report=_say)
    for line in lines(results, options):
        print(line)
    if args.json is not None:
        write_json(args.json, as_json(results, options))
    return 0


def _share(text: str) -> float:
    """A number from 0 to 1."""
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0.0 <= value <= 1.0:
        raise argparse.ArgumentTypeError(f"{text!r} is no share from 0 to 1")
    return value


def _say(result: MotionResult) -> None:
    """One line per motion, as it is done."""
    b, a = result.before, result.after
    print(
        f"{result.name}, seed {result.seed}: object {b.object_mm:.1f} to {a.object_mm:.1f} mm, "
        f"joints {b.joint_mm:.1f} to {a.joint_mm:.1f}, "
        f"penetration {b.penetration_mm:.1f} to {a.penetration_mm:.1f}; {result.seconds:.1f} s",
        flush=True,
    )
