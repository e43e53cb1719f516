"""Plan robot hands from video: clips through the default pipeline, their trajectories through `plan`, judged strictly.

    python eval/plan_from_video.py --data DIR --out DIR [--cases demo,film1,film4,film5,cube,cube_tumble]
        [--json FILE] [--film]

`demo` is the demonstration clip, `filmN` the rendered grasp film of seed N, `cube` the real clip of the test data,
`cube_tumble` its first seconds, in which the cube is tumbled over an edge; each with its mesh and camera, things of the
YCB set with their weights. `truthN` plans what is true in film N: no video is looked at, for comparison. Prints, for
every clip, whether the replay follows the reconstruction at every step within 3 cm and 0.5 rad, and the truth within
5 cm and 0.8 rad. Runs and plans are kept in --out, where the next call goes on.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
from dexman_pose.benchmarks.grasps.motion import YCB_MASSES
from dexman_pose.benchmarks.grasps.two_hands import scene_motion
from dexman_pose.benchmarks.plans.cases import CUBE_TUMBLE, VideoCase, cube_case, demo_case, film_case
from dexman_pose.benchmarks.plans.run import VideoJob, VideoResult, run_motion, run_video, table
from dexman_pose.cli.plan import film
from dexman_pose.robot.planning.options import PlanOptions
from dexman_pose.synthetic.grasps.casting import Casting
from dexman_pose.threads import one_thread_each

TRUTH = "truth"


def say(text: str) -> None:
    """Print a line."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def main(arguments: list[str] | None = None) -> int:
    """Run the cases; 0 when at least four of five, or their share of those asked for, succeed strictly."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True, help="test data: clips, grasps, meshes, robots")
    parser.add_argument("--out", type=Path, required=True, help="folder of films, runs and plans")
    parser.add_argument("--cases", default="demo,film1,film4,film5,cube")
    parser.add_argument("--frames", type=int, help="most frames of a rendered film (default: as they are)")
    parser.add_argument("--seed", type=int, default=0, help="of the search")
    for name in ("samples", "members", "passes"):
        parser.add_argument(f"--{name}", type=int, default=getattr(PlanOptions(), name), help="of the search")
    parser.add_argument("--json", type=Path, help="write the numbers here")
    parser.add_argument("--film", action="store_true", help="write plan.mp4 of every plan")
    given = parser.parse_args(arguments)
    one_thread_each()
    casting = Casting(given.data / "grasps", given.data / "meshes" / "ycb", frames=given.frames)
    options = PlanOptions(seed=given.seed, samples=given.samples, members=given.members, passes=given.passes)
    job = VideoJob(given.out, given.data / "robots", options=options)
    results: list[VideoResult] = []
    for name in given.cases.split(","):
        result = _result(name, given, casting, job)
        results.append(result)
        say(result.told())
        if given.film and result.plan is not None:
            say(film(result.plan, given.out / result.name.replace(" ", "_") / "plan"))
    say("")
    for line in table(results):
        say(line)
    if given.json is not None:
        values = {r.name: r.values() for r in results}
        given.json.parent.mkdir(parents=True, exist_ok=True)
        given.json.write_text(json.dumps(values, indent=1) + "\n", encoding="utf-8")
    strict = sum(r.evaluation is not None and r.evaluation.replay.success for r in results)
    return 0 if 5 * strict >= 4 * len(results) else 1


def _result(name: str, given: argparse.Namespace, casting: Casting, job: VideoJob) -> VideoResult:
    if not name.startswith(TRUTH):
        return run_video(_case(name, given, casting), job, say)
    seed = int(name.removeprefix(TRUTH))
    motion = scene_motion(casting.plan(seed).film.scene, f"what is true in film {seed}")
    return run_motion(f"truth of film {seed}", motion, job, say, masses=YCB_MASSES)


def _case(name: str, given: argparse.Namespace, casting: Casting) -> VideoCase:
    if name == "demo":
        return demo_case(given.out / "films" / "demo")
    if name == "cube":
        return cube_case(given.data)
    if name == "cube_tumble":
        return cube_case(given.data, CUBE_TUMBLE)
    return film_case(casting, int(name.removeprefix("film")), given.out / "films")


if __name__ == "__main__":
    sys.exit(main())
