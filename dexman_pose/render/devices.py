"""Where the engine runs: a device by name, or one line that says which there are."""

from __future__ import annotations

from typing import Any

from dexman_pose.data.numbers import described
from dexman_pose.errors import InputError


def device_name(device: Any) -> str:
    """The name of a device that is here, of ``"cpu"``, ``"cuda"``, ``"cuda:0"``, ...

    Raises:
        InputError: no such device.
    """
    if isinstance(device, str) and device == "cpu":
        return "cpu"
    from dexman_pose._warp import wp

    if isinstance(device, str) or type(device).__module__.startswith("torch"):
        try:
            return str(wp.get_device(str(device)))
        except Exception as error:  # of whatever kind an unknown name leads to
            raise InputError(f"no device {described(str(device))} here; there are: {_there()}") from error
    raise InputError(f"device must be a text, one of {_there()}, but got {described(device)}")


def _there() -> str:
    from dexman_pose._warp import wp

    return ", ".join(d.alias for d in wp.get_devices())
