"""``dexman-pose prompt``: pointing at the objects of a clip."""

from __future__ import annotations

import argparse
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dexman_pose.cli.batch import CHILD
from dexman_pose.errors import InputError

if TYPE_CHECKING:
    from dexman_pose.data import Clip, ObjectPrompt

_PORT = 8765


def add(subparsers: Any) -> None:
    """Add the command to the parser."""
    p: argparse.ArgumentParser = subparsers.add_parser(
        "prompt",
        help="point at the objects of a clip in a browser, see the first masks, start the run",
        description="Serve a page, for this machine alone, to pick a frame, drag boxes around objects, click on them, "
        "name them, see the first masks, write a prompt file, start the run and open its results. With --save a frame "
        "is written as a picture instead, to read pixels off.",
    )
    p.add_argument("video", metavar="VIDEO", help="video file, or folder of images")
    p.add_argument(
        "--prompts", type=Path, metavar="FILE", help="read and written (default: VIDEO.prompts.json)"
    )
    p.add_argument("--out", type=Path, metavar="DIR", help="run folder (default: out/NAME)")
    p.add_argument(
        "--options", default="", metavar='"..."', help='further options of run: --options="--mesh-unit m"'
    )
    p.add_argument("--port", type=int, default=_PORT, metavar="N", help=f"of this machine (default: {_PORT})")
    p.add_argument("--no-browser", action="store_true", help="print the address, open no browser")
    p.add_argument("--frame", type=int, default=0, metavar="N", help="frame to begin with, or to save")
    p.add_argument("--save", type=Path, metavar="FILE", help="write the frame as a picture and end")
    p.set_defaults(handler=handle)


def handle(args: argparse.Namespace) -> int:
    """Serve the page, or save the frame."""
    from dexman_pose.pipeline.inputs import open_clip
    from dexman_pose.prompting.page import PageOptions, serve
    from dexman_pose.prompting.pointed import Pointing

    clip = open_clip(args.video, None)
    if not 0 <= args.frame < clip.num_frames:
        raise InputError(f"--frame {args.frame}: the clip has frames 0 to {clip.num_frames - 1}")
    if args.save is not None:
        return _save(clip, args.frame, args.save)
    try:
        options = shlex.split(args.options)
    except ValueError as error:
        raise InputError(f"--options {args.options!r} cannot be taken apart: {error}") from error
    video = Path(args.video)
    prompts = args.prompts or video.with_name(f"{video.stem}.prompts.json")
    pointing = Pointing.of(_known(prompts, args.video), clip.width, clip.height)
    serve(
        clip,
        pointing,
        PageOptions(
            str(video.absolute()),
            prompts.absolute(),
            (args.out or Path("out") / video.stem).absolute(),
            CHILD,
            options,
            args.port,
            not args.no_browser,
        ),
        said=lambda line: print(line, flush=True),
    )
    return 0


def _known(prompts: Path, video: str) -> dict[str, ObjectPrompt]:
    """Prompts of an earlier time."""
    from dexman_pose.pipeline import load_prompts

    return load_prompts(prompts, video) if prompts.is_file() else {}


def _save(clip: Clip, frame: int, path: Path) -> int:
    import io

    from PIL import Image

    from dexman_pose.data.files import write_bytes

    picture = io.BytesIO()
    kind = {".jpg": "JPEG", ".jpeg": "JPEG", ".png": "PNG"}.get(path.suffix.lower())
    if kind is None:
        raise InputError(f"--save {path}: give a name that ends in .png or .jpg")
    Image.fromarray(clip.frame(frame)).save(picture, kind)
    print(write_bytes(path, picture.getvalue()))
    return 0
