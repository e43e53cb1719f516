"""Where a network runs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from dexman_pose.data.numbers import described
from dexman_pose.errors import InputError

AUTO = "auto"
"""The graphics card where torch sees one, else the CPU."""

_chosen: list[str] = [AUTO]
"""What ``auto`` stands for, the innermost choice last. Of the process: stages work on threads of their own."""


def device_named(name: str = AUTO) -> str:
    """The device a name stands for: itself, or for ``auto`` what :func:`networks_on` chose, or the graphics card.

    Raises:
        InputError: torch cannot use it.
    """
    import torch

    name = _chosen[-1] if name == AUTO else name
    if name == AUTO:
        return "cuda" if torch.cuda.is_available() else "cpu"
    try:
        torch.empty(1, device=name)
    except (RuntimeError, AssertionError, ImportError) as error:
        why = str(error).splitlines()[0]
        raise InputError(
            f"the device {name!r} cannot be used by torch here ({why}); use cpu, cuda or auto"
        ) from error
    return name


@contextmanager
def networks_on(name: Any) -> Iterator[None]:
    """Let ``auto`` mean one device for a while, in the whole process; ``auto`` itself changes nothing.

    Args:
        name: ``cpu``, ``cuda``, ``cuda:1``, ..., or ``auto``.

    Raises:
        InputError: it is no text, or torch cannot use it.
    """
    if not isinstance(name, str):
        raise InputError(f"device must be a text: cpu, cuda, cuda:1 or auto, but got {described(name)}")
    if name == AUTO:
        yield
        return
    _chosen.append(device_named(name))
    try:
        yield
    finally:
        _chosen.pop()
