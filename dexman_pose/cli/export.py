"""``dexman-pose export``: a trajectory, plans, or demonstrations in the format of another program."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dexman_pose.errors import InputError

if TYPE_CHECKING:
    from dexman_pose.exports.registry import ExportFormat

SKILLS = ("lerobot", "mujoco")
"""Formats of plans and demonstrations; all others are of trajectories."""
OPTIONS = ("hands", "bodies", "density", "sequence", "mano_right", "mano_left")
"""Of formats, as options of the command; each has the format's own default where it is not given."""


def add(subparsers: Any) -> None:
    """Add the command to the parser."""
    p: argparse.ArgumentParser = subparsers.add_parser(
        "export",
        help="write a trajectory, plans or demonstrations in the format of another program",
        description="Write a trajectory in the format of another program: gltf, usd, mjcf, bop, bop-csv, taco, mano, "
        "maniptrans, dexmachina, rerun. Axes, units and times of each are in docs/exports.md. Or a plan, or all "
        "demonstrations that synth --skill has made: lerobot, a data set (version 3.0); mujoco, models with a keyframe "
        "for every frame.",
    )
    p.add_argument(
        "run",
        metavar="RUN|PLAN|DIR",
        help="run folder or trajectory file; for lerobot and mujoco plan.npz, its folder, or demonstrations",
    )
    p.add_argument("--format", required=True, metavar="NAME", help="one of the above")
    p.add_argument(
        "--out", type=Path, required=True, metavar="PATH", help="file or folder, as the format has it"
    )
    p.add_argument(
        "--hands", choices=("skin", "joints", "both"), help="gltf, usd: what is shown of hands (both)"
    )
    p.add_argument("--bodies", choices=("mocap", "free"), help="mjcf: how objects move (mocap)")
    p.add_argument("--density", type=float, metavar="KG_M3", help="mjcf: of free objects (500)")
    p.add_argument("--sequence", metavar="NAME", help="taco: name of the sequence (20000101_001)")
    p.add_argument("--mano-right", type=Path, metavar="FILE", help="mano: your MANO_RIGHT.pkl, or a copy")
    p.add_argument("--mano-left", type=Path, metavar="FILE", help="mano: your MANO_LEFT.pkl, or a copy")
    p.add_argument("--pictures", action="store_true", help="bop, rerun: with the pictures of the run's video")
    p.add_argument("--video", metavar="FILE", help="the video, when it is not where the run found it")
    p.set_defaults(handler=handle)


def handle(args: argparse.Namespace) -> int:
    """Write the export and print its path."""
    if args.format.lower() in SKILLS:
        return _skill(args)
    from dexman_pose.cli.parts.console import shown
    from dexman_pose.exports import export
    from dexman_pose.exports.registry import format_of

    chosen = format_of(args.format)
    given = {name: getattr(args, name) for name in OPTIONS if getattr(args, name) is not None}
    source = Path(args.run).expanduser()
    with shown():
        given |= _pictures(chosen, source, args)
        path = export(source, chosen.name, args.out, **given)
    if chosen.name == "mano":
        _tell_errors(path)
    print(path)
    return 0


def _skill(args: argparse.Namespace) -> int:
    """Write plans or demonstrations, and say what."""
    from dexman_pose.robot.export.formats import export_plans

    for line in export_plans(Path(args.run).expanduser(), args.format.lower(), args.out):
        print(line)
    return 0


def _pictures(chosen: ExportFormat, source: Path, args: argparse.Namespace) -> dict[str, Any]:
    """Clip and masks of a run, where they are asked for."""
    if not (args.pictures or args.video):
        return {}
    if "clip" not in chosen.options:
        raise InputError(f"format {chosen.name!r} holds no pictures; leave out --pictures and --video")
    from dexman_pose.cli.view import run_clip, run_masks
    from dexman_pose.data import Trajectory

    result = Trajectory.load(source)
    folder = source if source.is_dir() else source.parent
    found: dict[str, Any] = {"clip": run_clip(folder, args.video, result)}
    if "masks" in chosen.options:
        found["masks"] = run_masks(folder, result)
    return found


def _tell_errors(path: Path) -> None:
    """How far the joints of the parameters are from those they were fitted to."""
    import numpy as np

    with np.load(path) as stored:
        for side in ("left", "right"):
            if f"{side}_joint_error" in stored:
                error = 1000.0 * stored[f"{side}_joint_error"]
                print(
                    f"{side} hand: joints {np.median(error):.1f} mm off (median), the worst joint {error.max():.1f}"
                )
