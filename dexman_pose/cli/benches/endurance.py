"""``dexman-pose bench endurance``: long clips at flat memory, and kills that change nothing."""

from __future__ import annotations

import argparse
import json
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Any

from dexman_pose.cli.run import positive

PARTS = ("long", "run", "batch", "synth")
_SHARES = {"run": 0.6, "batch": 0.2, "synth": 0.2}
"""Of the kills."""


def add(subparsers: Any) -> None:
    """Add the command to a parser."""
    p: argparse.ArgumentParser = subparsers.add_parser(
        "endurance",
        help="a clip of 10,000 frames at flat memory; runs, batches and renderings that are killed again and again",
        description="Run the demonstration clip, played back and forth, to 10,000 frames, and compare its memory with "
        "that of 1,000 frames. Kill a run, a batch and a rendering of films (kill -9) at random moments, let each go "
        "on, and compare what comes out with an unbroken one.",
    )
    p.add_argument(
        "--frames", type=positive, default=10000, metavar="N", help="of the long clip (default: 10000)"
    )
    p.add_argument(
        "--short", type=positive, default=1000, metavar="N", help="of the short one (default: 1000)"
    )
    p.add_argument("--kills", type=positive, default=50, metavar="N", help="in all (default: 50)")
    p.add_argument("--seed", type=int, default=0, metavar="S", help="of the moments (default: 0)")
    p.add_argument(
        "--only",
        choices=PARTS,
        action="append",
        help="some parts of the proof; may be repeated (default: all)",
    )
    p.add_argument("--keep", type=Path, metavar="DIR", help="keep clips and results here")
    p.add_argument("--json", type=Path, metavar="FILE", help="write the figures here, too")
    p.set_defaults(handler=handle)


def handle(args: argparse.Namespace) -> int:
    """Run it; 1 where a promise is broken."""
    parts = tuple(args.only or PARTS)
    with tempfile.TemporaryDirectory(prefix="dexman_pose_") as temporary:
        folder = args.keep or Path(temporary)
        passed, figures = _proved(folder, parts, args)
    if args.json is not None:
        args.json.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    return 0 if passed else 1


def _proved(folder: Path, parts: tuple[str, ...], args: argparse.Namespace) -> tuple[bool, dict[str, Any]]:
    from dexman_pose.benchmarks.endurance.given import killables
    from dexman_pose.benchmarks.endurance.kills import prove_kills
    from dexman_pose.benchmarks.endurance.long import lines, prove_long

    passed, figures = True, {}
    if "long" in parts:
        long = prove_long(folder / "long", args.frames, args.short, _say)
        _say("\n".join(lines(long)))
        passed, figures["long"] = long.passed, asdict(long)
    killed = [part for part in parts if part in _SHARES]
    commands = killables(folder / "given") if killed else {}
    whole = sum(_SHARES[part] for part in killed)
    for part in killed:
        kills = max(round(args.kills * _SHARES[part] / whole), 1)
        proof = prove_kills(commands[part], folder / "kills", kills, args.seed, _say)
        _say("\n".join(proof.lines()))
        passed, figures[part] = passed and proof.passed, proof.figures()
    return passed, figures


def _say(line: str) -> None:
    print(line, flush=True)
