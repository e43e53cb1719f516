"""One registry for every exchangeable stage: backends by name, built in or brought by another package.

A backend is a function, named by its import path as ``module:function``. Built-in ones stand in the table of their
stage here; another package adds one through the entry point group of the stage. What comes after a colon in a name is
handed to the function as ``weights``: ``"sam2:sam2.1-large"``, ``"sam2:/folder/of/weights"``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache, partial
from importlib.metadata import EntryPoint, entry_points
from inspect import signature
from typing import Any

from dexman_pose._optional import ENGINE
from dexman_pose.errors import InputError


@dataclass(frozen=True)
class Needs:
    """What a backend needs before it can run. A function of another package carries it as its attribute ``needs``.

    Attributes:
        packages: modules to import, with the command that installs each.
        model: name of the card of its weights, used where the user names none; None where it needs none.
    """

    packages: tuple[tuple[str, str], ...] = ()
    model: str | None = None


NOTHING = Needs()


@dataclass(frozen=True)
class Stage:
    """One exchangeable stage.

    Attributes:
        name: what it is called in options and messages.
        built_in: import path ``module:function`` of each backend of this package, by name.
        needed: what each of these needs, by name.
    """

    name: str
    built_in: Mapping[str, str]
    needed: Mapping[str, Needs] = field(default_factory=dict)

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
        if not isinstance(name, str) or _parts(name)[0] not in self.names():
            raise InputError(f"no {self.name} backend is named {name!r}; there is: {', '.join(self.names())}")

    def load(self, name: str) -> Any:
        """Import the backend called ``name``.

        Raises:
            InputError: there is none; the message lists those there are.
        """
        self.check(name)
        base, weights = _parts(name)
        if base in self.built_in:
            function = EntryPoint(base, self.built_in[base], self.group).load()
        else:
            function = _installed(self.group)[base].load()
        if weights is None:
            return function
        if not any(
            p.name == "weights" or p.kind is p.VAR_KEYWORD for p in signature(function).parameters.values()
        ):
            raise InputError(
                f"the {self.name} backend {base!r} takes no weights, but got {name!r}; say {base!r} alone"
            )
        return partial(function, weights=weights)

    def needs(self, name: str) -> Needs:
        """What the backend called ``name`` needs, with the weights that the name tells.

        Raises:
            InputError: there is none; the message lists those there are.
        """
        self.check(name)
        base, weights = _parts(name)
        if base in self.built_in:
            return self._told(self.needed.get(base, NOTHING), weights)
        found = getattr(_installed(self.group)[base].load(), "needs", NOTHING)
        return self._told(found if isinstance(found, Needs) else NOTHING, weights)

    def _told(self, needs: Needs, weights: str | None) -> Needs:
        return needs if weights is None else Needs(needs.packages, weights)


def _parts(name: str) -> tuple[str, str | None]:
    """The backend, and the weights if the name tells them."""
    base, colon, weights = name.partition(":")
    return base, weights if colon and weights else None


@lru_cache(maxsize=8)
def _installed(group: str) -> dict[str, EntryPoint]:
    return {point.name: point for point in entry_points(group=group)}


_ENGINE = Needs(tuple((module, "pip install 'dexman-pose[engine]'") for module in ENGINE))
_TIMM = ("timm", "pip install timm, with the torchvision that was built for your torch")
_TRANSFORMERS = ("transformers", "pip install 'dexman-pose[networks]'")

SEGMENTATION = Stage(
    "segmentation",
    {
        "grabcut": "dexman_pose.segmentation.grabcut.backend:segment_by_propagation",
        "sam": "dexman_pose.segmentation.sam.backend:segment_by_sam",
        "sam2": "dexman_pose.segmentation.sam2.backend:segment_by_sam2",
        "edgetam": "dexman_pose.segmentation.sam2.backend:segment_by_edgetam",
        "outside": "dexman_pose.segmentation.outside:segment_outside",
    },
    {
        "grabcut": _ENGINE,
        "sam": Needs((("segment_anything", "pip install 'dexman-pose[sam]'"),), "sam-vit-b"),
        "sam2": Needs((_TRANSFORMERS,), "sam2.1-tiny"),
        "edgetam": Needs((_TRANSFORMERS, _TIMM), "edgetam"),
    },
)
"""A function ``(clip, prompts, hands) -> MaskSequence``."""

HANDS = Stage(
    "hands",
    {"mediapipe": "dexman_pose.hands.mediapipe.backend:detect"},
    {"mediapipe": Needs((("ai_edge_litert", "pip install 'dexman-pose[video]'"),), "mediapipe-hands")},
)
"""A function ``(clip, *, model, **options) -> HandObservations``."""

MESH = Stage(
    "mesh", {"silhouette": "dexman_pose.meshing.silhouette:shape_from_mask"}, {"silhouette": _ENGINE}
)
"""How the shape of an object given without a mesh is made."""

DEPTH = Stage(
    "depth",
    {
        "depth_anything": "dexman_pose.depth.depth_anything:predict",
        "depth_pro": "dexman_pose.depth.depth_pro:predict",
    },
    {
        "depth_anything": Needs((_TRANSFORMERS,), "depth-anything-v2-metric-indoor-small"),
        "depth_pro": Needs((_TRANSFORMERS,), "depth-pro"),
    },
)
"""A function ``(clip, camera, *, weights) -> PredictedDepth``."""
