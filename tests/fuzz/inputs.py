"""How many mutated inputs of each kind are tried, and the loop that tries them."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from mutate import checked, mutated

SHORT: dict[str, int] = {
    "bop": 40,
    "dexycb": 40,
    "ho3d": 40,
    "oakink2": 40,
    "taco": 40,
    "pose file": 100,
    "trajectory": 150,
    "mesh": 25,
    "picture": 25,
    "masks": 20,
    "hands": 20,
    "depth": 20,
    "poses": 20,
    "prompts": 60,
    "camera": 4,
    "video": 6,
}
"""Inputs of each kind, or of each form of it, in the default suite."""

LONG: dict[str, int] = {
    "bop": 150,
    "dexycb": 150,
    "ho3d": 150,
    "oakink2": 150,
    "taco": 150,
    "pose file": 500,
    "trajectory": 2500,
    "mesh": 400,
    "picture": 250,
    "masks": 300,
    "hands": 350,
    "depth": 200,
    "poses": 350,
    "prompts": 1500,
    "camera": 60,
    "video": 60,
}
"""The same with ``-m slow``, other seeds."""


def seeds_of(kind: str, slow: bool) -> range:
    """The seeds of one kind in the default suite, or in the slow one."""
    return range(SHORT[kind], SHORT[kind] + LONG[kind]) if slow else range(SHORT[kind])


def fuzz(what: str, folder: Path, read: Callable[[], Any], seeds: range) -> int:
    """Change one file of a folder after another and read; how many were refused.

    Args:
        what: the form, for messages.
        folder: the right files; they are put back.
        read: reads the folder and looks at all of it.
        seeds: one input each.

    Raises:
        AssertionError: the right files are refused, or what :func:`mutate.checked` raises.
    """
    assert checked(read, f"{what}, unchanged") == ""
    refused = 0
    for path, whole, seed in _turns(folder, seeds):
        try:
            path.write_bytes(mutated(path.name, whole, seed))
            refused += bool(checked(read, f"{what}: {path.relative_to(folder)}, seed {seed}"))
        finally:
            path.write_bytes(whole)
    return refused


def told(
    folder: Path, read: Callable[[], Any], arguments: list[str], capsys: Any, number: int, what: str
) -> None:
    """Inputs that a door refuses, through the command line: exit status 2 and one line.

    Raises:
        AssertionError: another status, more lines, a traceback, or longer than 10 s.
    """
    from dexman_pose.cli.main import main

    found = 0
    for path, whole, seed in _turns(folder, range(10_000, 10_000 + 20 * number)):
        try:
            path.write_bytes(mutated(path.name, whole, seed))
            if not checked(read, f"{what}, seed {seed}"):
                continue
            began = time.monotonic()
            capsys.readouterr()
            status = main(arguments)
            said = capsys.readouterr().err.strip().splitlines()
            case = f"{what}: {path.relative_to(folder)}, seed {seed}: status {status}, {said}"
            assert status == 2, case
            assert said[-1].startswith("dexman-pose: ") and said[-1].isprintable(), case
            assert not any("Traceback" in line for line in said), case
            assert sum(line.startswith("dexman-pose: ") for line in said) == 1, case
            assert time.monotonic() - began < 10.0, case
        finally:
            path.write_bytes(whole)
        found += 1
        if found == number:
            return
    raise AssertionError(f"{what}: only {found} of {number} inputs are refused")


def _turns(folder: Path, seeds: range) -> Iterator[tuple[Path, bytes, int]]:
    files: Mapping[Path, bytes] = {
        path: path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()
    }
    for seed in seeds:
        path = random.Random(seed).choice(list(files))
        yield path, files[path], seed
