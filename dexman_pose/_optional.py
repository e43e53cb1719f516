"""Late import of optional packages, with a message that says how to get what is missing."""

from __future__ import annotations

import importlib
from importlib.util import find_spec
from types import ModuleType

from dexman_pose.errors import MissingExtraError


def require(module: str, extra: str, purpose: str) -> ModuleType:
    """Import ``module``, or raise :class:`MissingExtraError` naming the extra that brings it.

    Args:
        module: dotted name to import, e.g. ``"av"``.
        extra: the extra of this package that installs it, e.g. ``"video"``.
        purpose: what needs it, for the message, e.g. ``"reading videos"``.
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise MissingExtraError(
            f"{purpose} needs the package {module!r}, which cannot be imported here ({error}). "
            f"Install it with: pip install 'dexman-pose[{extra}]'"
        ) from error


def check_package(module: str, command: str, purpose: str) -> None:
    """See that a package is installed, without importing it: some take seconds.

    Args:
        module: name of its top module.
        command: what installs it.
        purpose: what needs it, for the message.

    Raises:
        MissingExtraError: it is not installed.
    """
    if find_spec(module) is None:
        raise MissingExtraError(
            f"{purpose} needs the package {module!r}, which is not installed. Install it with: {command}"
        )
