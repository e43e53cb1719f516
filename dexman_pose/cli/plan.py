"""``dexman-pose plan``: a trajectory made into a physical skill of a robot's hands."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dexman_pose.cli.run import positive
from dexman_pose.errors import InputError

if TYPE_CHECKING:
    from dexman_pose.robot.motion.types import Motion
    from dexman_pose.robot.planning.options import PlanOptions
    from dexman_pose.robot.planning.planner import Found
    from dexman_pose.robot.planning.prepare import PrepareOptions
    from dexman_pose.robot.planning.task import Task
    from dexman_pose.robot.skill.plan import Plan


OBJECTS = "objects"
"""Folder beside a plan that holds its objects' meshes, metres: ``synth --skill`` draws them."""


def add(subparsers: Any) -> None:
    """Add the command to the parser."""
    p: argparse.ArgumentParser = subparsers.add_parser(
        "plan",
        help="find controls with which a robot's hand repeats a trajectory",
        description="Find controls with which robot hands repeat what hands and objects did in a trajectory, in a "
        "simulation (MuJoCo). Writes plan.npz; an interrupted search goes on where it was.",
    )
    add_motion(p)
    p.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder of the plan")
    p.add_argument("--no-film", action="store_true", help="write no plan.mp4")
    add_learn(p)
    add_robot(p)
    add_search(p)
    p.set_defaults(handler=handle)


def add_motion(p: argparse.ArgumentParser) -> None:
    """Add the options that say which motion is repeated."""
    p.add_argument(
        "trajectory",
        type=Path,
        metavar="TRAJECTORY",
        help="a trajectory file, or a run's folder; with --sequence the folder of OakInk2",
    )
    p.add_argument("--sequence", metavar="NAME", help="take the truth of a sequence of OakInk2")
    p.add_argument("--view", metavar="NAME", help="of the sequence: a camera that looks down on the table")
    p.add_argument("--frames", metavar="A:B", help="of the sequence (default: all)")
    p.add_argument(
        "--seconds", metavar="A:B", help="of the clip: one of several things done in it (default: all)"
    )
    p.add_argument("--mano", type=Path, metavar="DIR", help="MANO's files: joints of the sequence's hands")
    p.add_argument(
        "--hand",
        choices=("right", "left", "both", "auto"),
        required=True,
        help="which hands act; auto: those that touch an object while it moves",
    )
    p.add_argument(
        "--objects", metavar="A,B", help="which objects (default: the ones that move, at most two)"
    )


def motion_of(args: argparse.Namespace) -> Motion:
    """The motion that the command line asks for.

    Raises:
        InputError: there is none, or nothing in it can be planned.
    """
    from dexman_pose.data import Trajectory
    from dexman_pose.datasets.as_trajectory import trajectory_of
    from dexman_pose.datasets.oakink2.reader import read_oakink2
    from dexman_pose.robot.motion.from_trajectory import MotionOptions, motion_from_trajectory

    options = MotionOptions(seconds=_seconds(args.seconds))
    names = [n for n in args.objects.split(",") if n] if args.objects else None
    if args.sequence is None:
        return motion_from_trajectory(Trajectory.load(args.trajectory), args.hand, names, options)
    views = None if args.view is None else [args.view]
    found = read_oakink2(args.trajectory, sequences=[args.sequence], views=views, mano=args.mano)
    recording = next(iter(found), None)
    if recording is None:
        raise InputError(f"{args.sequence} has no view {args.view or 'that can be read'}")
    trajectory = trajectory_of(recording, frames=_frames(args.frames), objects=names)
    return motion_from_trajectory(trajectory, args.hand, names, options)


def _frames(text: str | None) -> tuple[int, int] | None:
    if text is None:
        return None
    try:
        start, stop = (int(word) for word in text.split(":"))
    except ValueError as error:
        raise InputError(f"--frames takes A:B, the first and one after the last, but got {text!r}") from error
    return start, stop


def _seconds(text: str | None) -> tuple[float, float] | None:
    if text is None:
        return None
    try:
        start, stop = (float(word) for word in text.split(":"))
    except ValueError as error:
        raise InputError(f"--seconds takes A:B, from and to, but got {text!r}") from error
    return start, stop


_ROBOTS = {
    "shadow": "shadow: free Shadow hands (default)",
    "g1": "g1: a Unitree G1 that carries them on its arms",
}


def add_robot(p: argparse.ArgumentParser, robots: Sequence[str] = ("shadow", "g1")) -> None:
    """Add the options about robot, objects and friction."""
    p.add_argument(
        "--robot",
        choices=robots,
        default="shadow",
        help="; ".join(_ROBOTS[name] for name in robots),
    )
    p.add_argument("--robots", type=Path, metavar="DIR", help="folder of robots (default: $DEXMAN_ROBOTS)")
    p.add_argument(
        "--mass",
        action="append",
        default=[],
        metavar="NAME=KG",
        help="of an object; else its volume times --density",
    )
    p.add_argument("--density", type=float, default=500.0, metavar="KG_M3", help="of objects (default: 500)")
    p.add_argument(
        "--friction", type=float, default=1.0, metavar="MU", help="of hands and objects (default: 1.0)"
    )
    p.add_argument(
        "--hull-only", action="store_true", help="objects as their convex hulls: handles and holes are filled"
    )


def add_search(p: argparse.ArgumentParser) -> None:
    """Add the options of the search."""
    p.add_argument("--samples", type=positive, metavar="N", help="sequences tried at once")
    p.add_argument("--members", type=positive, metavar="N", help="worlds that each is tried in")
    p.add_argument("--passes", type=positive, metavar="N", help="over the motion at most")
    p.add_argument(
        "--as-measured",
        action="store_true",
        help="hands keep moving over what they hold as they were measured: no search for grasps that stay, which come "
        "first else",
    )
    p.add_argument(
        "--no-own-grasps",
        action="store_true",
        help="hold things as the person does or not at all: no grasps of the robot's own where the person's, as they "
        "are known, hold nothing",
    )
    p.add_argument(
        "--simulator",
        choices=("mujoco", "warp", "warp-gpu"),
        default="mujoco",
        help="that is searched in: mujoco, on all cores; warp-gpu, MuJoCo Warp (extra 'mjwarp') on a CUDA device; warp,"
        " the same on one core, slow, to try it; plans are judged in mujoco whatever is searched in (default: mujoco)",
    )
    p.add_argument("--seed", type=int, default=0, metavar="N", help="of the search (default: 0)")


def add_learn(p: argparse.ArgumentParser) -> None:
    """Add the option that has a policy learnt where a search is not enough."""
    p.add_argument(
        "--learn",
        type=float,
        default=0.0,
        metavar="MINUTES",
        help="where the search leaves a plan unsure, learn (PPO, extra 'learn') so long at most, and take what the "
        "policy does if that is better (default: 0, never)",
    )


def check_learn(minutes: float, robot: str) -> None:
    """Refuse what cannot be learnt.

    Raises:
        InputError: less than no minutes, or a robot that policies are not learnt for.
    """
    if not minutes >= 0:
        raise InputError(f"--learn takes minutes, but is {minutes:g}")
    if minutes > 0 and robot != "shadow":
        raise InputError(f"policies are learnt for --robot shadow alone, not for {robot}; leave --learn away")


def search_options(args: argparse.Namespace) -> PlanOptions:
    """Settings of the search from the command line."""
    from dexman_pose.robot.planning.options import PlanOptions

    asked = {name: getattr(args, name) for name in ("samples", "members", "passes", "simulator", "seed")}
    options = replace(PlanOptions(), **{name: value for name, value in asked.items() if value is not None})
    if args.no_own_grasps:
        options = replace(options, own=None)
    return replace(options, grasp=None) if args.as_measured else options


def preparing_options(args: argparse.Namespace, masses: dict[str, float] | None = None) -> PrepareOptions:
    """How a motion becomes a task, from the command line."""
    from dexman_pose.robot.objects.model import ContactOptions, ObjectOptions
    from dexman_pose.robot.objects.pieces import PieceOptions
    from dexman_pose.robot.planning.prepare import PrepareOptions
    from dexman_pose.robot.world.build import WorldOptions

    for name in ("density", "friction"):
        if not getattr(args, name) > 0:
            raise InputError(f"--{name} must be positive, but is {getattr(args, name):g}")
    objects = ObjectOptions(
        pieces=PieceOptions(hull_only=args.hull_only),
        density=args.density,
        masses={**(masses or {}), **dict(_mass(text) for text in args.mass)},
    )
    contact = ContactOptions(friction=args.friction, table_friction=args.friction)
    return PrepareOptions(objects=objects, world=WorldOptions(contact=contact))


def _mass(text: str) -> tuple[str, float]:
    name, _, number = text.rpartition("=")
    try:
        value = float(number)
    except ValueError:
        value = 0.0
    if not name or not value > 0:
        raise InputError(f"--mass takes NAME=KG, as cup=0.3, but got {text!r}")
    return name, value


def handle(args: argparse.Namespace) -> int:
    """Plan, and say how the plan does."""
    from dexman_pose.cli.parts.console import shown
    from dexman_pose.data.files import make_folder
    from dexman_pose.robot.assets.robots import find_robot
    from dexman_pose.robot.skill.evaluate import evaluate
    from dexman_pose.robot.skill.make import plan_motion
    from dexman_pose.robot.skill.plan_file import NAME
    from dexman_pose.synthetic.demo.files import write_obj

    check_learn(args.learn, args.robot)
    preparing, options = preparing_options(args), search_options(args)
    robot = find_robot(args.robot, args.robots)
    motion = motion_of(args)
    make_folder(args.out)
    with shown():
        plan = plan_motion(
            motion,
            robot.describe,
            body=robot.body,
            preparing=preparing,
            options=options,
            learn=_learn(args),
            out=args.out,
            said=lambda line: print(line, flush=True),
        )
    for thing in motion.objects.values():
        write_obj(args.out / OBJECTS / f"{thing.name}.obj", thing.mesh)
    found = evaluate(plan, seed=args.seed)
    print(found.told())
    print(args.out / NAME)
    if not args.no_film:
        print(film(plan, args.out))
    return 0


def _learn(args: argparse.Namespace) -> Callable[[Task, PlanOptions], Found] | None:
    if args.learn <= 0:
        return None
    from dexman_pose.robot.learning.planned import learnt_controls
    from dexman_pose.threads import cores

    return learnt_controls(
        args.learn, out=args.out, threads=cores(), said=lambda line: print(line, flush=True)
    )


def film(plan: Plan, out: Path) -> str:
    """Write ``plan.mp4``; its path, or why there is none."""
    from dexman_pose.data.video.writer import write_video
    from dexman_pose.errors import EstimationError, MissingExtraError
    from dexman_pose.robot.motion.types import RATE
    from dexman_pose.robot.skill.film import filmed

    try:
        return str(write_video(out / "plan.mp4", filmed(plan), RATE))
    except (EstimationError, MissingExtraError) as error:
        return f"no film: {error}"
