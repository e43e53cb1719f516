"""Prompts and results of callers: dicts by name whose entries are what they should be."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from dexman_pose.data.numbers import described, text
from dexman_pose.data.prompts import ObjectPrompt
from dexman_pose.errors import InputError

Kind = TypeVar("Kind")


def as_prompts(value: Any, name: str = "objects") -> dict[str, ObjectPrompt]:
    """Prompts by the names of their objects.

    Raises:
        InputError: no dict, an empty one, or an entry that is no prompt.
    """
    if not isinstance(value, Mapping) or not value:
        raise InputError(
            f"{name} must be a dict of at least one object prompt by name: {{'cup': ObjectPrompt(box=...)}}, "
            f"but got {described(value)}"
        )
    for key, prompt in value.items():
        text(key, "an object's name")
        if not isinstance(prompt, ObjectPrompt):
            raise InputError(f"object {key!r} must be an ObjectPrompt, but got {described(prompt)}")
    return dict(value)


def by_name(value: Any, kind: type[Kind], name: str) -> dict[str, Kind]:
    """A dict whose keys are names and whose values are of one class of this package.

    Raises:
        InputError: no dict, or an entry of another kind.
    """
    if not isinstance(value, Mapping):
        raise InputError(f"{name} must be a dict of {kind.__name__} by name, but got {described(value)}")
    for key, entry in value.items():
        if not isinstance(key, str) or not isinstance(entry, kind):
            raise InputError(
                f"{name} must be a dict of {kind.__name__} by name, but holds {described(entry)} for {described(key)}"
            )
    return dict(value)
