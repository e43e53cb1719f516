"""Where a network runs."""

from __future__ import annotations

from dexman_pose.errors import InputError


def device_named(name: str = "auto") -> str:
    """The device a name stands for: itself, or for ``auto`` the graphics card where torch sees one.

    Raises:
        InputError: torch cannot use it.
    """
    import torch

    if name == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    try:
        torch.empty(1, device=name)
    except (RuntimeError, AssertionError) as error:
        why = str(error).splitlines()[0]
        raise InputError(
            f"the device {name!r} cannot be used by torch here ({why}); use cpu, cuda or auto"
        ) from error
    return name
