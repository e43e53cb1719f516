"""Names of a package that are imported when they are first used, so that one stage does not pay for all.

Some functions are called as the file they are in, ``metrics.vsd``. Python puts every file that is imported under its
name into the package, over the function: here the function stays.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from importlib import import_module
from types import ModuleType

from dexman_pose._optional import told_missing


def lazy_names(
    package: str, homes: Mapping[str, str]
) -> tuple[Callable[[str], object], Callable[[], list[str]]]:
    """The ``__getattr__`` and ``__dir__`` of a package's ``__init__.py``.

    Type checkers do not see through it: beside the call, import the same names under ``TYPE_CHECKING``.

    Args:
        package: its dotted name.
        homes: dotted name of the module that defines each public name.
    """

    class Package(ModuleType):
        """The package, in which no file takes the place of what is public under its name."""

        def __setattr__(self, name: str, value: object) -> None:
            if not (isinstance(value, ModuleType) and name in homes):
                super().__setattr__(name, value)

    sys.modules[package].__class__ = Package

    def get(name: str) -> object:
        if name not in homes:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        with told_missing(f"{package}.{name}"):
            value: object = getattr(import_module(homes[name]), name)
        setattr(sys.modules[package], name, value)  # the next look finds it without coming here
        return value

    def names() -> list[str]:
        return sorted({*vars(sys.modules[package]), *homes})

    return get, names
