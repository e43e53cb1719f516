"""``dexman-pose synth``: films of measured grasps, or many demonstrations of one plan, rendered, with exact truth."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dexman_pose.cli.run import positive
from dexman_pose.errors import InputError

if TYPE_CHECKING:
    from dexman_pose.synthetic.grasps.casting import Casting
    from dexman_pose.synthetic.grasps.written import WrittenFilm


def add(subparsers: Any) -> None:
    """Add the command to the parser."""
    p: argparse.ArgumentParser = subparsers.add_parser(
        "synth",
        help="render films of measured grasps, or of many demonstrations of a plan, with exact truth",
        description="Render films: measured grasps put on a table, with our own hand, textured objects, rooms, "
        "shadows, blur and noise; or, with --skill, a robot's plan in other places, with objects of other sizes, "
        "shapes, masses and frictions, as far as it succeeds there in the simulator. Masks, depth, poses, joints, "
        "contacts, table, gravity and camera are exact.",
    )
    add_casting(p, required=False)
    add_skill(p)
    p.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder of the films")
    p.add_argument("--seeds", type=seeds, default=(1,), metavar="1,2,3", help="one film each (default: 1)")
    p.add_argument(
        "--layout",
        choices=("plain", "taco"),
        default="taco",
        help="of the files of grasps (default: taco, and plain beside; demonstrations always have both)",
    )
    p.set_defaults(handler=handle)


def add_skill(p: argparse.ArgumentParser) -> None:
    """Add the options about demonstrations of a plan."""
    p.add_argument("--skill", type=Path, metavar="PLAN", help="plan.npz, or its folder, in place of --grasps")
    p.add_argument("--count", type=positive, default=20, metavar="N", help="demonstrations (default: 20)")
    p.add_argument("--seed", type=int, default=0, metavar="S", help="of demonstrations (default: 0)")
    p.add_argument("--workers", type=positive, default=1, metavar="N", help="processes (default: 1)")
    p.add_argument("--ray", action="store_true", help="let Ray run the workers")
    p.add_argument(
        "--mesh",
        action="append",
        default=[],
        metavar="NAME=PATH",
        help="another mesh, in metres, that may stand in for an object of the plan; may be repeated",
    )
    p.add_argument("--robots", type=Path, metavar="DIR", help="folder of robots, whose shapes are drawn")
    p.add_argument("--no-search", action="store_true", help="keep only what the plan's own controls do")


def add_casting(p: argparse.ArgumentParser, required: bool = True) -> None:
    """Add the options that say which films are made."""
    p.add_argument("--grasps", type=Path, required=required, metavar="DIR", help="measured grasps (.npz)")
    p.add_argument(
        "--meshes", type=Path, required=required, metavar="DIR", help="meshes of their objects, metres"
    )
    p.add_argument(
        "--stories",
        type=_names,
        metavar="A,B",
        help="some of lift, put_back, two_hands, hand_over (default: all)",
    )
    p.add_argument("--frames", type=positive, metavar="N", help="most frames of a film")
    p.add_argument("--size", type=_size, metavar="WxH", help="of the pictures (default: 640x480)")


def casting_of(args: argparse.Namespace) -> Casting:
    """What makes the films."""
    from dexman_pose.synthetic.grasps.casting import Casting
    from dexman_pose.synthetic.grasps.film import FilmOptions
    from dexman_pose.synthetic.grasps.stories import KINDS

    options = FilmOptions() if args.size is None else FilmOptions(size=args.size)
    return Casting(args.grasps, args.meshes, kinds=args.stories or KINDS, options=options, frames=args.frames)


def handle(args: argparse.Namespace) -> int:
    """Render the films and say where they are."""
    if args.skill is not None:
        return handle_skill(args)
    if args.grasps is None or args.meshes is None:
        raise InputError("give --grasps and --meshes, or a plan with --skill")
    from dexman_pose.synthetic.grasps.written import key_of as key_of_film
    from dexman_pose.synthetic.grasps.written import written_film

    casting = casting_of(args)
    for seed in args.seeds:
        key = key_of_film(casting, seed, args.layout)
        film = written_film(args.out, seed, key) or _film(args, casting, seed, key)
        print(args.out / film.film, flush=True)
        if film.sequence:
            print(film.sequence, flush=True)
    return 0


def _film(args: argparse.Namespace, casting: Casting, seed: int, key: str) -> WrittenFilm:
    """Render the film of a seed."""
    from dexman_pose.synthetic.grasps.record import write_film
    from dexman_pose.synthetic.grasps.taco_layout import write_taco_film
    from dexman_pose.synthetic.grasps.written import FOLDER, remember_film

    plan = casting.plan(seed)
    record = write_film(args.out / FOLDER / plan.name, plan.film, fit_error=plan.fit_error)
    sequence = write_taco_film(args.out, record, seed) if args.layout == "taco" else ""
    return remember_film(args.out, seed, key, record.folder, sequence)


def handle_skill(args: argparse.Namespace) -> int:
    """Make demonstrations of a plan, and say how many succeeded."""
    from dexman_pose.cli.parts.console import shown
    from dexman_pose.cli.plan import OBJECTS
    from dexman_pose.errors import MissingModelError
    from dexman_pose.robot.assets.shadow import shadow_hand
    from dexman_pose.robot.skill.plan_file import read_plan
    from dexman_pose.synthetic.grasps.filming import FilmOptions
    from dexman_pose.synthetic.skills.attempt import AttemptOptions
    from dexman_pose.synthetic.skills.given import meshes_of_plan, swaps_for
    from dexman_pose.synthetic.skills.make import SkillJob, make_demonstrations

    if args.grasps is not None:
        raise InputError("--grasps and --skill are two ways to make films: give one of them")
    names = read_plan(args.skill).world().objects
    folder = args.skill if args.skill.is_dir() else args.skill.parent
    meshes = meshes_of_plan(names, folder / OBJECTS, args.meshes)
    robots = {}
    for side in ("left", "right"):
        try:
            robots[side] = shadow_hand(side, args.robots).file
        except MissingModelError:
            print(f"the robot's files are not on this machine: the {side} hand is drawn as it collides")
    filming = FilmOptions() if args.size is None else FilmOptions(size=args.size)
    job = SkillJob(
        args.skill,
        meshes,
        args.out,
        swaps=swaps_for(meshes, args.mesh),
        seed=args.seed,
        robots=robots,
        trying=AttemptOptions(search=None) if args.no_search else AttemptOptions(),
        filming=filming,
    )
    with shown():
        made = make_demonstrations(
            job,
            args.count,
            workers=args.workers,
            way="ray" if args.ray else "processes",
            said=lambda line: print(line, flush=True),
        )
    print(made.told())
    return 0


def seeds(text: str) -> tuple[int, ...]:
    """Whole numbers with commas between."""
    try:
        return tuple(int(word) for word in text.replace(",", " ").split())
    except ValueError as error:
        raise InputError(
            f"seeds are whole numbers with commas between, as 1,2,3, but got {text!r}"
        ) from error


def _names(text: str) -> tuple[str, ...]:
    return tuple(name for name in text.replace(",", " ").split() if name)


def _size(text: str) -> tuple[int, int]:
    try:
        width, height = (int(word) for word in text.lower().split("x"))
    except ValueError as error:
        raise InputError(f"a size is width x height in pixels, as 640x480, but got {text!r}") from error
    if min(width, height) < 2 or width % 2 or height % 2:
        raise InputError(f"width and height must be even and positive, but got {text!r}")
    return width, height
