"""Late import of optional packages, with a message that says how to get what is missing."""

from __future__ import annotations

import importlib
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
