"""``dexman-pose eval policy``: a learnt policy judged in worlds that differ a little."""

from __future__ import annotations

import argparse
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from dexman_pose.cli.run import positive
from dexman_pose.cli.train import add_simulator, simulator_of


def add(subparsers: Any) -> None:
    """Add the command to a parser."""
    p: argparse.ArgumentParser = subparsers.add_parser(
        "policy",
        help="judge a learnt policy in worlds that differ a little",
        description="Play a policy from perturbed starts, in worlds with other friction and masses, without noise on "
        "its actions. Success: every frame under 3 cm and 0.5 rad.",
    )
    p.add_argument("policy", type=Path, metavar="POLICY", help="policy.npz, or its folder")
    p.add_argument("--starts", type=positive, default=64, metavar="N", help="episodes (default: 64)")
    p.add_argument("--seed", type=int, default=0, metavar="N", help="of worlds and starts (default: 0)")
    p.add_argument("--threads", type=positive, default=1, metavar="N", help="of mujoco (default: 1)")
    add_simulator(p, "play it there; worlds do not differ but for starts")
    p.add_argument("--json", type=Path, metavar="FILE", help="write the numbers here, too")
    p.set_defaults(handler=handle)


def handle(args: argparse.Namespace) -> int:
    """Play, and print the figures."""
    from dexman_pose.data.files import write_json
    from dexman_pose.robot.headers import plain
    from dexman_pose.robot.learning.options import LearningOptions
    from dexman_pose.robot.learning.policy_file import read_policy
    from dexman_pose.robot.learning.train import evaluate_policy

    policy, residual = read_policy(args.policy)
    options = replace(LearningOptions(), residual=residual)
    found = evaluate_policy(
        policy,
        options,
        starts=args.starts,
        seed=args.seed,
        threads=args.threads,
        simulator=simulator_of(args.simulator),
    )
    print(f"{found.told()}; friction {policy.about.get('friction', float('nan')):g}")
    if found.success > 0:
        print(
            f"E_t {1e3 * found.position:.1f} mm, E_r {found.rotation:.3f} rad, over the successful episodes"
        )
    if args.json is not None:
        write_json(args.json, plain(asdict(found)))
    return 0
