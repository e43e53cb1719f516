"""One registry for every exchangeable stage: backends by name, built in or brought by another package.

A backend is a function, named by its import path as ``module:function``. Built-in ones stand in the table of their
stage here; another package adds one through the entry point group of the stage.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from dexman_pose.errors import InputError


@dataclass(frozen=True)
class Stage:
    """One exchangeable stage.

    Attributes:
        name: what it is called in options and messages.
        built_in: import path ``module:function`` of each backend of this package, by name.
    """

    name: str
    built_in: Mapping[str, str]

    @property
    def group(self) -> str:
        """Entry point group in which other packages register a backend."""
        return f"dexman_pose.{self.name}"

    def names(self) -> tuple[str, ...]:
        """Names of all backends there are here, sorted."""
        return tuple(sorted({*self.built_in, *_installed(self.group)}))

    def check(self, name: str) -> None:
        """See that a backend of this name exists.

        Raises:
            InputError: there is none; the message lists those there are.
        """
        if not isinstance(name, str) or name not in self.names():
            raise InputError(f"no {self.name} backend is named {name!r}; there is: {', '.join(self.names())}")

    def load(self, name: str) -> Any:
        """Import the backend called ``name``.

        Raises:
            InputError: there is none; the message lists those there are.
        """
        self.check(name)
        if name in self.built_in:
            return EntryPoint(name, self.built_in[name], self.group).load()
        return _installed(self.group)[name].load()


@lru_cache(maxsize=8)
def _installed(group: str) -> dict[str, EntryPoint]:
    return {point.name: point for point in entry_points(group=group)}


SEGMENTATION = Stage(
    "segmentation", {"grabcut": "dexman_pose.segmentation.grabcut.backend:segment_by_propagation"}
)
"""A function ``(clip, prompts, hands) -> MaskSequence``."""

HANDS = Stage("hands", {"mediapipe": "dexman_pose.hands.mediapipe.backend:detect"})
"""A function ``(clip, *, model, **options) -> HandObservations``."""

MESH = Stage("mesh", {"silhouette": "dexman_pose.meshing.silhouette:shape_from_mask"})
"""How the shape of an object given without a mesh is made."""
