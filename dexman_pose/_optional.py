"""Late import of optional packages, with a message that says how to get what is missing."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from types import ModuleType

from dexman_pose.errors import MissingExtraError

ENGINE = ("scipy", "cv2", "warp")
"""Modules that whatever looks at pictures needs, files and metrics do not; the extra ``engine`` brings them. It brings
torch, too, which only rendering with gradients and networks need."""

_BRINGS = {**dict.fromkeys((*ENGINE, "torch"), "engine"), "matplotlib": "video", "av": "video"}


def require_engine(purpose: str) -> None:
    """See that the packages of the engine are installed, without importing them.

    Args:
        purpose: what needs them, for the message, e.g. ``"tracking"``.

    Raises:
        MissingExtraError: one of them is not installed.
    """
    missing = [name for name in ENGINE if not installed(name)]
    if missing:
        raise MissingExtraError(
            f"{purpose} needs the engine, of which {', '.join(missing)} {'is' if len(missing) == 1 else 'are'} not "
            "installed. Install it with: pip install 'dexman-pose[engine]'"
        )


@contextmanager
def told_missing(purpose: str) -> Iterator[None]:
    """Turn the failure to import a package of the engine into one line that says how to get it.

    Args:
        purpose: what is imported, for the message.

    Raises:
        MissingExtraError: in place of the ModuleNotFoundError of a package that an extra brings.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        extra = extra_of(error)
        if extra is None:
            raise
        raise MissingExtraError(
            f"{purpose} needs the package {_top(error)!r}, which is not installed. "
            f"Install it with: pip install 'dexman-pose[{extra}]'"
        ) from error


def extra_of(error: ModuleNotFoundError) -> str | None:
    """The extra that brings the package which was not found, or None where it is not one of ours."""
    return _BRINGS.get(_top(error))


def _top(error: ModuleNotFoundError) -> str:
    return (error.name or "").partition(".")[0]


def has_engine() -> bool:
    """Whether all packages of the engine are installed."""
    return all(installed(name) for name in ENGINE)


def installed(module: str) -> bool:
    """Whether a top module is there; it is not imported."""
    if module in sys.modules:
        return sys.modules[module] is not None
    return find_spec(module) is not None


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
    if not installed(module):
        raise MissingExtraError(
            f"{purpose} needs the package {module!r}, which is not installed. Install it with: {command}"
        )
