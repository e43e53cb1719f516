"""Robots on this machine: in a folder that is given, in ``DEXMAN_ROBOTS``, or the cache of ``robot_descriptions``."""

from __future__ import annotations

import os
from pathlib import Path

from dexman_pose.errors import InputError, MissingModelError

ENVIRONMENT_VARIABLE = "DEXMAN_ROBOTS"
"""Folder (or several, separated as in ``PATH``) with a folder per robot."""
_CACHE_VARIABLE = "ROBOT_DESCRIPTIONS_CACHE"
_MENAGERIE = "mujoco_menagerie"


def find_robot_file(robot: str, file: str, *, fetch: str, folder: str | Path | None = None) -> Path:
    """Find a model's file.

    Args:
        robot: name of its folder, e.g. ``"shadow_hand"``.
        file: name of the file in it.
        fetch: the command that gets it, for the message.
        folder: the robot's own folder or one that holds it; where None, ``DEXMAN_ROBOTS`` and the cache of
            ``robot_descriptions`` are looked through.

    Raises:
        InputError: ``folder`` is given and holds no such file.
        MissingModelError: it is nowhere; the message holds the command that gets it.
    """
    places = [Path(folder)] if folder is not None else _places()
    tried = [at for place in places for at in (place / robot / file, place / file)]
    for path in tried:
        if path.is_file():
            return path.resolve()
    if folder is not None:
        raise InputError(
            f"{folder} holds no {robot}/{file}; give the folder that holds {robot}/, as MuJoCo Menagerie has it"
        )
    looked = ", ".join(str(place) for place in places)
    raise MissingModelError(
        f"the robot {robot!r} is not on this machine: {robot}/{file} was looked for in {looked}. Get it with: {fetch}; "
        f"or set {ENVIRONMENT_VARIABLE} to a folder that holds {robot}/"
    )


def _places() -> list[Path]:
    named = os.environ.get(ENVIRONMENT_VARIABLE, "")
    places = [Path(part).expanduser() for part in named.split(os.pathsep) if part]
    kept = os.environ.get(_CACHE_VARIABLE)
    cache = Path(kept).expanduser() if kept else Path.home() / ".cache" / "robot_descriptions"
    return [*places, cache / _MENAGERIE]
