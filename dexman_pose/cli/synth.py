"""``dexman-pose synth``: films of measured grasps, rendered, with exact truth."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dexman_pose.cli.run import positive
from dexman_pose.errors import InputError

if TYPE_CHECKING:
    from dexman_pose.synthetic.grasps.casting import Casting


def add(subparsers: Any) -> None:
    """Add the command to the parser."""
    p: argparse.ArgumentParser = subparsers.add_parser(
        "synth",
        help="render films of measured grasps with exact truth",
        description="Render films: measured grasps put on a table, with our own hand, textured objects, rooms, "
        "shadows, blur and noise. Masks, depth, poses, joints, contacts, table, gravity and camera are exact.",
    )
    add_casting(p)
    p.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder of the films")
    p.add_argument("--seeds", type=seeds, default=(1,), metavar="1,2,3", help="one film each (default: 1)")
    p.add_argument(
        "--layout",
        choices=("plain", "taco"),
        default="taco",
        help="of the files (default: taco, and plain beside)",
    )
    p.set_defaults(handler=handle)


def add_casting(p: argparse.ArgumentParser) -> None:
    """Add the options that say which films are made."""
    p.add_argument("--grasps", type=Path, required=True, metavar="DIR", help="measured grasps (.npz)")
    p.add_argument(
        "--meshes", type=Path, required=True, metavar="DIR", help="meshes of their objects, metres"
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
    from dexman_pose.synthetic.grasps.record import write_film
    from dexman_pose.synthetic.grasps.taco_layout import write_taco_film

    casting = casting_of(args)
    for seed in args.seeds:
        plan = casting.plan(seed)
        record = write_film(args.out / "films" / plan.name, plan.film, fit_error=plan.fit_error)
        print(record.folder, flush=True)
        if args.layout == "taco":
            print(write_taco_film(args.out, record, seed), flush=True)
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
