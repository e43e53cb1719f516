"""Learn measured grasps by trial and error, and judge the policies in worlds that they were not learnt in.

    python eval/learn_grasps.py --grasps DIR --meshes DIR --robots DIR --only cracker,can --minutes 30 --out DIR
        [--seeds 0,1,2] [--deviation X] [--no-contact] [--plans DIR] [--simulator genesis] [--json FILE]

Prints a row per grasp and seed: strict success in 64 perturbed starts at first, at best, and of the policy that was
kept, in worlds it was not learnt in. DIR of --plans holds a folder with plan.npz per grasp, as `bench grasps --keep`
writes them: learning begins there.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from dataclasses import asdict, replace
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
from dexman_pose.benchmarks.grasps.motion import YCB_MASSES, grasp_motion
from dexman_pose.benchmarks.grasps.run import AFTER
from dexman_pose.cli.train import add_simulator, simulator_of
from dexman_pose.robot.assets.shadow import shadow_hand
from dexman_pose.robot.headers import plain
from dexman_pose.robot.learning.options import LearningOptions
from dexman_pose.robot.learning.train import CURVE, evaluate_policy, task_of_plan, train
from dexman_pose.robot.objects.model import ObjectOptions
from dexman_pose.robot.planning.prepare import PrepareOptions, prepare
from dexman_pose.robot.skill.plan_file import read_plan


def say(text: str) -> None:
    """Print a line."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def main(arguments: list[str] | None = None) -> int:
    """Learn every grasp; 1 where there is none."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    for name in ("grasps", "meshes", "out"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    parser.add_argument("--robots", type=Path)
    parser.add_argument("--only", default="", help="parts of names, with commas")
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--seeds", default="0")
    parser.add_argument(
        "--deviation", type=float, default=LearningOptions().deviation, help="of first actions"
    )
    parser.add_argument("--no-contact", action="store_true")
    parser.add_argument("--plans", type=Path)
    add_simulator(parser, "learn there")
    parser.add_argument("--json", type=Path)
    given = parser.parse_args(arguments)
    parts = [p for p in given.only.split(",") if p]
    files = [f for f in sorted(given.grasps.glob("*.npz")) if not parts or any(p in f.name for p in parts)]
    say("grasp                     seed  min    steps  at first  best  kept      of  tracked  falls")
    rows = [_learnt(file, int(seed), given) for file in files for seed in given.seeds.split(",") if seed]
    if given.json is not None:
        given.json.write_text(json.dumps(rows, indent=1), encoding="utf-8")
    return 0 if rows else 1


def _learnt(file: Path, seed: int, given: argparse.Namespace) -> dict[str, object]:
    motion = grasp_motion(file, given.meshes, False)
    preparing = PrepareOptions(objects=ObjectOptions(masses=YCB_MASSES))
    preparing = replace(preparing, window=replace(preparing.window, after=AFTER))
    task = prepare(motion, lambda side: shadow_hand(side, given.robots), preparing).task
    if given.plans is not None:
        task = task_of_plan(task, read_plan(given.plans / file.stem))
    options = replace(LearningOptions(), seed=seed, deviation=given.deviation)
    if given.no_contact:
        options = replace(options, rewards=replace(options.rewards, contact=None))
    out = given.out / f"{file.stem}_{seed}{'_no_contact' if given.no_contact else ''}"
    simulator = simulator_of(given.simulator)
    about = {"source": motion.source}
    policy = train(task, out, options=options, minutes=given.minutes, about=about, simulator=simulator)
    found = evaluate_policy(policy, options, seed=seed + 100, simulator=simulator)
    curve = json.loads((out / CURVE).read_text(encoding="utf-8"))
    judged, learnt = curve["judged"], policy.about["learnt"]
    say(
        f"{file.stem[:25]:25} {seed:4} {learnt['seconds'] / 60:5.1f} {judged[-1]['steps'] / 1e6:6.2f}M "
        f"{100 * judged[0]['success']:7.0f} % {100 * learnt['best']['success']:4.0f} % {100 * found.success:4.0f} % "
        f"{found.episodes:7} {100 * found.tracked:6.0f} % {learnt['falls']:6}"
    )
    return {
        "grasp": file.stem,
        "seed": seed,
        "contact": not given.no_contact,
        "deviation": given.deviation,
        "from_plan": given.plans is not None,
        "simulator": given.simulator,
        "friction": policy.about["friction"],
        "learnt": learnt,
        "unseen": plain(asdict(found)),
        "curve": judged,
    }


if __name__ == "__main__":
    sys.exit(main())
