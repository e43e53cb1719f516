"""Results by name: a dict that says which names there are when asked for one that is not."""

from __future__ import annotations

from typing import Any, NoReturn, TypeVar

from dexman_pose.errors import MissingNameError

Value = TypeVar("Value")


class Named(dict[str, Value]):
    """A dict whose missing names are answered with the names it holds."""

    what = "entry"
    hint = ""

    def __missing__(self, name: Any) -> NoReturn:
        there = ", ".join(map(str, self)) if self else f"none{self.hint}"
        raise MissingNameError(f"no {self.what} named {name!r}; there are: {there}")


class NamedObjects(Named[Value]):
    """Objects by the names they were given."""

    what = "object"


class NamedHands(Named[Value]):
    """Hands by side; a side that was never seen is absent."""

    what = "hand"
    hint = " (no hand was seen, or hands were left out)"
