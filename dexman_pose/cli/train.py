"""``dexman-pose train``: a policy learnt that repeats a trajectory."""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dexman_pose.cli.plan import add_motion, add_robot, motion_of, preparing_options
from dexman_pose.cli.run import positive
from dexman_pose.errors import InputError

if TYPE_CHECKING:
    from dexman_pose.robot.learning.worlds import Simulator


def add(subparsers: Any) -> None:
    """Add the command to the parser."""
    p: argparse.ArgumentParser = subparsers.add_parser(
        "train",
        help="learn a policy with which a robot's hand repeats a trajectory",
        description="Learn, by trial and error in a simulation (PPO), what to add to a retargeted or planned "
        "motion so that objects go where they went in a trajectory. Writes policy.npz, the curve of strict judgements "
        "and, where it is installed, TensorBoard's; an interrupted run goes on where it was.",
    )
    add_motion(p)
    p.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder of the policy")
    p.add_argument(
        "--from-plan", type=Path, metavar="PLAN", help="plan.npz of the same trajectory to begin with"
    )
    add_robot(p, ("shadow",))
    add_learning(p)
    p.set_defaults(handler=handle)


def add_learning(p: argparse.ArgumentParser) -> None:
    """Add the options of learning."""
    p.add_argument(
        "--minutes", type=float, default=30.0, metavar="M", help="of learning, at most (default: 30)"
    )
    p.add_argument("--environments", type=positive, metavar="N", help="simulated at once (default: 64)")
    p.add_argument("--threads", type=positive, default=1, metavar="N", help="of mujoco (default: 1)")
    add_simulator(p, "learn there; its copies do not differ in friction and masses")
    p.add_argument("--no-contact", action="store_true", help="without the reward for contacts, to compare")
    p.add_argument("--seed", type=int, default=0, metavar="N", help="of all that is drawn (default: 0)")


def add_simulator(p: argparse.ArgumentParser, genesis: str) -> None:
    """Add the options of what simulates.

    Args:
        p: parser.
        genesis: what is worth knowing about Genesis there.
    """
    p.add_argument(
        "--simulator",
        choices=("mujoco", "warp", "warp-gpu", "genesis", "genesis-gpu"),
        default="mujoco",
        help="warp-gpu, MuJoCo Warp on a CUDA device, or warp, the same on one core (extra 'mjwarp'); genesis, on the "
        f"CPU, or genesis-gpu: {genesis} (default: mujoco)",
    )


def simulator_of(name: str) -> Simulator | None:
    """What ``--simulator`` names; None for MuJoCo.

    Raises:
        InputError: there is no device for it.
        MissingExtraError: it is not installed.
    """
    if name == "mujoco":
        return None
    if name.startswith("warp"):
        from dexman_pose.robot.learning.worlds import InMujoco
        from dexman_pose.robot.planning.simulators import check_simulator

        check_simulator(name)
        return InMujoco(name)
    from dexman_pose.genesis.options import GenesisOptions
    from dexman_pose.genesis.worlds import InGenesis

    return InGenesis(GenesisOptions(backend="gpu" if name.endswith("gpu") else "cpu"))


def handle(args: argparse.Namespace) -> int:
    """Learn, and say how the policy does."""
    from dexman_pose.robot.assets.shadow import shadow_hand
    from dexman_pose.robot.learning.options import LearningOptions
    from dexman_pose.robot.learning.policy_file import NAME
    from dexman_pose.robot.learning.train import evaluate_policy, task_of_plan, train
    from dexman_pose.robot.planning.prepare import prepare
    from dexman_pose.robot.skill.plan_file import read_plan

    if not args.minutes > 0:
        raise InputError(f"--minutes must be positive, but is {args.minutes:g}")
    options = replace(LearningOptions(), seed=args.seed)
    if args.environments is not None:
        options = replace(options, environments=args.environments)
    if args.no_contact:
        options = replace(options, rewards=replace(options.rewards, contact=None))
    simulator = simulator_of(args.simulator)
    plan = None if args.from_plan is None else read_plan(args.from_plan)
    motion = motion_of(args)
    ready = prepare(motion, lambda side: shadow_hand(side, args.robots), preparing_options(args))
    for line in (*ready.motion.notes, *(hand.told() for hand in ready.hands)):
        print(line, flush=True)
    task = ready.task if plan is None else task_of_plan(ready.task, plan)
    about = {
        "source": ready.motion.source,
        "hands": [h.hand.side for h in ready.hands],
        "from_plan": plan is not None,
        "doubts": list(ready.doubts),
    }
    policy = train(
        task,
        args.out,
        options=options,
        minutes=args.minutes,
        about=about,
        threads=args.threads,
        simulator=simulator,
        said=lambda line: print(line, flush=True),
    )
    found = evaluate_policy(policy, options, seed=args.seed, threads=args.threads, simulator=simulator)
    where = (
        "in Genesis, from starts of other numbers"
        if args.simulator.startswith("genesis")
        else "in worlds it was not learnt in"
    )
    print(f"{where}: {found.told()}; friction {policy.about['friction']:g}")
    print(args.out / NAME)
    return 0
