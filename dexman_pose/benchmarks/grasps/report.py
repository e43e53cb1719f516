"""What became of a folder of grasps, small enough to be kept: a table with the conditions above it."""

from __future__ import annotations

from typing import Any

from dexman_pose.benchmarks.grasps.run import GraspJob, GraspResult, summary
from dexman_pose.robot.skill.tries import OWN
from dexman_pose.threads import cores

_HEAD = (
    "| grasp | replay | at most | perturbed | palm beside its aim | fingertips | found by | steps | seconds |\n"
    "|---|---|---|---:|---:|---:|---|---:|---:|"
)


def as_markdown(results: list[GraspResult], job: GraspJob) -> str:
    """The results as a table in Markdown, with robot, hands, friction, settings and versions."""
    o = job.options
    hand = job.hand or ("mirrored" if job.mirrored else "as measured")
    plans = [r.plan for r in results if r.plan is not None]
    versions: dict[str, str] = plans[0].about["versions"] if plans else {}
    told = ", ".join(f"{name} {version}" for name, version in versions.items())
    lines = [
        f"Robot {job.robot}, hands: {hand}, friction {job.preparing.world.contact.friction:g}; {o.samples} samples, "
        f"{o.members} worlds, at most {o.passes} passes, seed {o.seed}; {cores()} cores; {told}; searched in "
        f"{o.simulator}. Perturbed: 5 mm, 20 % of friction and mass. Palm and fingertips: median, mm.",
        "",
        _HEAD,
        *(_row(r) for r in results),
        "",
        f"{summary(results)}.",
    ]
    return "\n".join(lines) + "\n"


def _row(r: GraspResult) -> str:
    if r.evaluation is None or r.plan is None:
        return f"| {r.name} | - | {r.error} | | | | | | |"
    e, s, about = r.evaluation, r.evaluation.replay, r.plan.about
    outcome = "success" if s.success else f"lost at frame {s.tracked} of {s.frames}"
    search, body = about["search"], about["body"]
    tips = [x for hand in about["retargeting"].values() for x in hand["median_m"].values()]
    palm = f"{1e3 * _median([x for row in body['palm_m'] for x in row]):.1f}" if body else ""
    return (
        f"| {r.name} | {outcome} | {1e2 * s.most_position:.1f} cm, {s.most_rotation:.2f} rad | {e.succeeded} of "
        f"{len(e.perturbed)} | {palm} | {1e3 * _median(tips):.1f} | {_found_by(search)} | {search['steps']} | "
        f"{search['seconds']:.0f} |"
    )


def _found_by(search: dict[str, Any]) -> str:
    """What found a plan; a grasp of the robot's own is told, too, where frames were searched from it."""
    by = str(search["by"])
    return f"{by}, own grasp" if search.get("own_grasp") and by != OWN else by


def _median(values: list[float]) -> float:
    ordered = sorted(values)
    return ordered[len(ordered) // 2]
