"""``dexman-pose bench scene``: the whole pipeline on rendered grasp films with exact truth."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dexman_pose.cli.run import positive
from dexman_pose.cli.synth import add_casting, casting_of, seeds

if TYPE_CHECKING:
    from dexman_pose.benchmarks.scene.run import FilmScores

QUICK = {"films": 2, "frames": 40}
"""What ``--quick`` makes of films and frames where they are not given."""


def add(subparsers: Any) -> None:
    """Add the command to a parser."""
    p: argparse.ArgumentParser = subparsers.add_parser(
        "scene",
        help="the whole pipeline on rendered grasp films with exact truth",
        description="Render films of measured grasps, run the pipeline on each with a box per object, and print the "
        "errors of objects, hands, contacts and world: medians over films, and the worst film.",
    )
    add_casting(p)
    p.add_argument("--seeds", type=seeds, default=(1, 2, 3), metavar="1,2,3", help="one film each")
    p.add_argument(
        "--films", type=positive, metavar="N", help="films of the seeds 1 to N, in place of --seeds"
    )
    p.add_argument("--no-mesh", action="store_true", help="the pipeline makes the shapes itself")
    p.add_argument("--depth", action="store_true", help="give depth images, with noise and holes")
    p.add_argument("--no-camera", action="store_true", help="the pipeline estimates the focal length")
    p.add_argument("--quick", action="store_true", help="few and short films, in a few minutes")
    p.add_argument("--json", type=Path, metavar="FILE", help="write the numbers here, too")
    p.add_argument(
        "--keep", type=Path, metavar="DIR", help="keep the films here, and use those that are here"
    )
    p.set_defaults(handler=handle)


def handle(args: argparse.Namespace) -> int:
    """Run the bench and print the table."""
    from dexman_pose.benchmarks.scene.run import SceneJob, run_scene
    from dexman_pose.benchmarks.scene.table import as_json, lines
    from dexman_pose.data.files import write_json

    if args.quick:
        args.films = args.films or QUICK["films"]
        args.frames = args.frames or QUICK["frames"]
    chosen = tuple(range(1, args.films + 1)) if args.films else args.seeds
    job = SceneJob(mesh=not args.no_mesh, depth=args.depth, camera=not args.no_camera)
    films = run_scene(casting_of(args), chosen, job, keep=args.keep, report=_say)
    for line in lines(films, job):
        print(line)
    if args.json is not None:
        write_json(args.json, as_json(films, job))
    return 0


def _say(film: FilmScores) -> None:
    """One line per film, as it is done."""
    if film.error:
        print(f"{film.name}: no trajectory: {film.error}", flush=True)
        return
    shown = ("add_s_mm", "hand_mm", "hand_wrist_mm", "contact_f", "hold_f", "drift_mm")
    flat = film.flat()
    text = ", ".join(f"{n} {'none' if (v := flat.get(n)) is None else f'{v:.3g}'}" for n in shown)
    print(f"{film.name}: {text}; {film.seconds:.0f} s", flush=True)
