"""``dexman-pose eval plan``: a plan played again, as it is and in worlds that differ a little."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dexman_pose.cli.run import positive

if TYPE_CHECKING:
    from dexman_pose.robot.skill.plan import Plan


def add(subparsers: Any) -> None:
    """Add the command to a parser."""
    p: argparse.ArgumentParser = subparsers.add_parser(
        "plan",
        help="play a plan again, as it is and in worlds that differ a little",
        description="Play the controls of a plan in a simulation that is made anew, and in worlds with objects beside "
        "their places, other friction and masses. Success: every frame under 3 cm and 0.5 rad.",
    )
    p.add_argument("plan", type=Path, metavar="PLAN", help="plan.npz, or its folder")
    p.add_argument("--replays", type=positive, default=10, metavar="N", help="perturbed ones (default: 10)")
    p.add_argument("--seed", type=int, default=0, metavar="N", help="of their worlds (default: 0)")
    p.add_argument(
        "--simulator",
        choices=("mujoco", "genesis"),
        default="mujoco",
        help="genesis: play it once there, blindly (default: mujoco, where it was made)",
    )
    p.add_argument("--json", type=Path, metavar="FILE", help="write the numbers here, too")
    p.set_defaults(handler=handle)


def handle(args: argparse.Namespace) -> int:
    """Play, and print the figures."""
    from dexman_pose.data.files import write_json
    from dexman_pose.robot.skill.evaluate import evaluate
    from dexman_pose.robot.skill.plan_file import read_plan

    plan = read_plan(args.plan)
    if args.simulator == "genesis":
        return _in_genesis(plan, args.json)
    found = evaluate(plan, replays=args.replays, seed=args.seed)
    print(found.told())
    values = found.values()
    if values["E_t_m"] is not None:
        print(
            f"E_t {1e3 * values['E_t_m']:.1f} mm, E_r {values['E_r_rad']:.3f} rad, over the successful replays"
        )
    agree = (
        "yes"
        if found.measured.success
        else f"until frame {found.measured.tracked} of {found.measured.frames}"
    )
    print(
        f"the replay within the limits of the motion as it was measured, before objects were put down: {agree}"
    )
    if args.json is not None:
        write_json(args.json, values)
    return 0


def _in_genesis(plan: Plan, json: Path | None) -> int:
    """Play a plan once in Genesis, and print the figures."""
    from dexman_pose.data.files import write_json
    from dexman_pose.genesis.replay import replay_in_genesis
    from dexman_pose.robot.headers import plain

    s, _ = replay_in_genesis(plan)
    outcome = "success" if s.success else f"lost at frame {s.tracked} of {s.frames}"
    print(
        f"Genesis: {outcome}, at most {1e2 * s.most_position:.1f} cm and {s.most_rotation:.2f} rad, lifted "
        f"{100 * s.lifted:.0f} % of the way; friction {plan.about.get('friction', float('nan')):g}"
    )
    if json is not None:
        write_json(json, plain(asdict(s)))
    return 0
