"""``dexman-pose bench pipeline``: this checkout and another one on the same clip, stage by stage."""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dexman_pose.cli.run import UNITS, positive
from dexman_pose.errors import InputError

if TYPE_CHECKING:
    from dexman_pose.benchmarks.pipeline.process import Job


def add(subparsers: Any) -> None:
    """Add the command to a parser."""
    p: argparse.ArgumentParser = subparsers.add_parser(
        "pipeline",
        help="the whole pipeline beside another checkout's",
        description="Run the pipeline of this checkout and of another one in alternation on the same clip, and print "
        "time, memory and results stage by stage. Without a clip, the demonstration is rendered.",
    )
    p.add_argument("--against", required=True, metavar="CHECKOUT", help="folder of the other checkout")
    p.add_argument("--clip", type=Path, metavar="FILE", help="video, or folder of images, with --prompts")
    p.add_argument("--prompts", type=Path, metavar="FILE", help="prompt file of the clip")
    p.add_argument(
        "--mesh", action="append", default=[], metavar="NAME=PATH", help="mesh of an object; may be repeated"
    )
    p.add_argument("--mesh-unit", choices=UNITS, default="auto", help="unit of the meshes")
    p.add_argument("--camera", type=Path, metavar="FILE", help="camera file of the clip")
    p.add_argument("--hands", default="mediapipe", metavar="NAME", help="hand detector, or none")
    p.add_argument("--frames", type=positive, metavar="N", help="use only the first N frames")
    p.add_argument("--rounds", type=positive, default=3, metavar="N", help="runs of each (default: 3)")
    p.add_argument("--json", type=Path, metavar="FILE", help="write the numbers here, too")
    p.set_defaults(handler=handle)


def handle(args: argparse.Namespace) -> int:
    """Run both and print the table."""
    from dexman_pose.benchmarks.pipeline.alternate import compare
    from dexman_pose.benchmarks.pipeline.process import checked_checkout
    from dexman_pose.benchmarks.pipeline.report import as_json, lines
    from dexman_pose.data.files import write_json

    other = checked_checkout(args.against)
    own = Path(__file__).resolve().parents[3]
    with tempfile.TemporaryDirectory() as folder:
        job = _given(args) if args.clip is not None else _demo(args, Path(folder) / "demo")
        found = compare(own, other, job, Path(folder), rounds=args.rounds, report=_say)
    print(f"own: {own}; other: {other}; {args.rounds} rounds, the least of each number; ratio: other / own")
    for line in lines(found):
        print(line)
    if args.json is not None:
        write_json(args.json, {"own": str(own), "other": str(other), **as_json(found)})
    return 0


def _say(line: str) -> None:
    print(line, flush=True)


def _hands(args: argparse.Namespace) -> str | None:
    return None if args.hands.lower() == "none" else str(args.hands)


def _given(args: argparse.Namespace) -> Job:
    """The clip that was named, its files looked for before anything runs."""
    from dexman_pose.benchmarks.pipeline.process import Job
    from dexman_pose.pipeline import load_prompts

    if args.prompts is None:
        raise InputError("--clip needs --prompts FILE: boxes around its objects, as for 'dexman-pose run'")
    meshes: dict[str, Path] = {}
    names = list(load_prompts(args.prompts))
    for option in args.mesh:
        name, equals, path = option.partition("=")
        if not equals or name not in names:
            raise InputError(
                f"--mesh must be NAME=PATH with an object of the prompts ({', '.join(names)}), but got {option!r}"
            )
        meshes[name] = Path(path).expanduser()
    for path in (args.clip, args.camera, *meshes.values()):
        if path is not None and not path.exists():
            raise InputError(f"there is no file {path}")
    return Job(args.clip, args.prompts, meshes, args.camera, _hands(args), args.mesh_unit, args.frames)


def _demo(args: argparse.Namespace, folder: Path) -> Job:
    """The demonstration, rendered into a folder."""
    from dexman_pose.benchmarks.pipeline.process import Job
    from dexman_pose.data.files import make_folder
    from dexman_pose.pipeline import load_prompts
    from dexman_pose.synthetic import render_demo

    for option in ("prompts", "camera", "mesh"):
        if getattr(args, option):
            raise InputError(f"--{option} belongs to a clip: name it with --clip FILE")
    make_folder(folder)
    render_demo(folder, num_frames=args.frames or DEMO_FRAMES)
    prompts = folder / "prompts.json"
    name = next(iter(load_prompts(prompts)))
    return Job(
        folder / "video.mp4",
        prompts,
        {name: folder / "object.obj"},
        folder / "camera.json",
        _hands(args),
        "m",
    )


DEMO_FRAMES = 90
"""Length of the rendered clip."""
