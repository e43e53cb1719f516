"""``dexman-pose batch``: many clips."""

from __future__ import annotations

import argparse
import shlex
import sys
from pathlib import Path
from typing import Any

from dexman_pose.cli.run import positive
from dexman_pose.errors import InputError

CHILD = ("-m", "dexman_pose.cli.batch_child", "run")
"""What the interpreter is given for a clip."""


def add(subparsers: Any) -> None:
    """Add the command to the parser."""
    p: argparse.ArgumentParser = subparsers.add_parser(
        "batch",
        help="reconstruct many clips, so many at once",
        description="Run `dexman-pose run` for many clips, each in a process of its own, so many at once. A clip that "
        "fails stops no other; the same command again does what is left. Writes a run folder per clip, summary.csv, "
        "and summary.html that shows the most doubtful clips first. The exit status is 0 when all are done, 1 when "
        "some are not.",
    )
    p.add_argument(
        "clips",
        nargs="+",
        metavar="CLIP|DIR|LIST",
        help="videos, folders of them, text files with one per line",
    )
    p.add_argument("--prompts", type=Path, metavar="FILE", help='{"clips": {...}}: of all clips by name')
    p.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder of the batch")
    p.add_argument("--workers", type=positive, metavar="N", help="clips at once (default: half the cores)")
    p.add_argument(
        "--attempts", type=positive, default=2, metavar="N", help="of a clip that fails (default: 2)"
    )
    p.add_argument("--seconds", type=float, metavar="S", help="that a clip may take (default: no limit)")
    p.add_argument(
        "--address", metavar="local|auto|HOST:PORT", help="run on Ray: on this machine, or on a cluster"
    )
    p.add_argument(
        "--options",
        default="",
        metavar='"..."',
        help='further options of run, the same for all, in quotes: --options="--no-overlay --mesh-unit m"',
    )
    p.set_defaults(handler=handle)


def handle(args: argparse.Namespace) -> int:
    """Run the batch."""
    from dexman_pose.batch import BatchOptions, list_clips, run_batch
    from dexman_pose.batch.run import outcomes
    from dexman_pose.batch.summary import PAGE, TABLE

    if args.seconds is not None and not args.seconds > 0:
        raise InputError(f"--seconds must be positive, but is {args.seconds:g}")
    clips = list_clips(args.clips)
    arguments = _arguments(args)
    _check(arguments)
    rows = run_batch(
        clips,
        args.out,
        (sys.executable, *CHILD),
        arguments=arguments,
        files=_files(arguments),
        options=BatchOptions(args.workers, args.attempts, args.seconds, args.address),
        said=lambda line: print(line, flush=True),
    )
    done, others = outcomes(rows)
    print(f"{done} of {done + others} clips done")
    for name in (TABLE, PAGE):
        print(args.out / name)
    return 0 if not others else 1


def _arguments(args: argparse.Namespace) -> tuple[str, ...]:
    """Options of ``run`` that all clips share."""
    try:
        more = shlex.split(args.options)
    except ValueError as error:
        raise InputError(f"--options {args.options!r} cannot be taken apart: {error}") from error
    for option in ("--out", "--prompts"):
        if any(word == option or word.startswith(option + "=") for word in more):
            raise InputError(f"--options must not hold {option}: give it to the batch")
    prompts = () if args.prompts is None else ("--prompts", str(args.prompts.expanduser().absolute()))
    return (*prompts, *more)


def _check(arguments: tuple[str, ...]) -> None:
    """Refuse options that ``run`` does not know, or a prompt file that cannot be read, before the first clip."""
    from dexman_pose.cli.main import build_parser
    from dexman_pose.data.files import door, read_json

    given = build_parser().parse_args(["run", "VIDEO", "--out", "DIR", *arguments])
    if given.prompts is not None:
        path = Path(given.prompts)
        with door(path, "a prompt file"):
            read_json(path)


def _files(arguments: tuple[str, ...]) -> tuple[Path, ...]:
    """The files and folders that the options name."""
    words = [word.rpartition("=")[2] for word in arguments]
    return tuple(sorted({Path(word).absolute() for word in words if word and Path(word).exists()}))
