"""``dexman-pose``: reads the command, runs it, and turns what went wrong into one line and an exit status.

0: done. 1: our own failure, with a log that holds the traceback. 2: bad input. 130: stopped by Ctrl-C.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from importlib import import_module

from dexman_pose._optional import told_missing
from dexman_pose.cli.interrupt import STOPPED, raise_from_now_on
from dexman_pose.cli.parts.parser import BAD_INPUT, Parser
from dexman_pose.errors import DexmanError, InputError
from dexman_pose.threads import one_thread_each

COMMANDS = (
    "prompt",
    "run",
    "batch",
    "view",
    "export",
    "mano",
    "eval",
    "demo",
    "synth",
    "depth",
    "plan",
    "train",
    "doctor",
    "models",
    "licences",
    "bench",
)
"""Each is a module of this package with ``add(subparsers)``, whose parser sets ``handler(args) -> int``."""

DONE, FAILED = 0, 1


def build_parser() -> argparse.ArgumentParser:
    """The parser of all commands. Importing it imports no heavy package."""
    from dexman_pose._version import __version__

    parser = Parser(
        prog="dexman-pose",
        description="Video of hands handling objects in, metric 6-DoF trajectories out.",
    )
    parser.add_argument("--version", action="version", version=f"dexman-pose {__version__}")
    subparsers = parser.add_subparsers(dest="command", required=True, metavar="COMMAND", parser_class=Parser)
    for name in COMMANDS:
        import_module(f"dexman_pose.cli.{name}").add(subparsers)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status.

    Args:
        argv: the arguments after the program's name; those of the process when None.
    """
    args = argparse.Namespace()
    try:
        raise_from_now_on()
        one_thread_each()
        args = build_parser().parse_args(argv)
        with told_missing(f"dexman-pose {args.command}"):
            status: int = args.handler(args)
        sys.stdout.flush()
        return status
    except SystemExit as stop:  # argparse has printed its help or its one line
        return int(stop.code or 0)
    except InputError as error:
        return _say(BAD_INPUT, _one_line(error))
    except KeyboardInterrupt:
        return _say(STOPPED, "stopped; the same command goes on where this one was interrupted")
    except BrokenPipeError:  # the reader closed the pipe
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return DONE
    except Exception as error:
        from dexman_pose.cli.parts.failure import write_error_log  # heavy, and seldom needed

        log = write_error_log(error, getattr(args, "out", None))
        reason = _one_line(error)
        if not isinstance(error, DexmanError):
            reason = f"{type(error).__name__}: {reason}"
        return _say(FAILED, f"{reason} (details in {log})")


def _one_line(error: BaseException) -> str:
    """The message of an exception on a single line."""
    return " ".join(str(error).split()) or type(error).__name__


def _say(status: int, message: str) -> int:
    print(f"dexman-pose: {message}", file=sys.stderr)
    return status


if __name__ == "__main__":
    sys.exit(main())
