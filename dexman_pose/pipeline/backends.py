"""Which backends a run may name, and whether what they need is here, before anything is computed."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from dexman_pose._optional import require
from dexman_pose.errors import InputError

MESH = ("silhouette",)
"""Ways to make the shape of an object given without a mesh."""


@dataclass(frozen=True)
class Backends:
    """Which implementation each exchangeable stage uses, by name; ``hands=None`` leaves hands out."""

    hands: str | None = "mediapipe"
    segmentation: str = "grabcut"
    mesh: str = "silhouette"


def check_backends(backends: Backends) -> None:
    """See that every named backend exists and that what it needs is on this machine.

    Raises:
        InputError: no such backend; the message lists those there are.
        MissingExtraError: a package is not installed; the message holds the command that installs it.
        MissingModelError: weights are not on this machine; the message holds the command that fetches them.
    """
    from dexman_pose import hands, segmentation

    _known("segmentation", backends.segmentation, segmentation.available_backends())
    _known("mesh", backends.mesh, MESH)
    if backends.segmentation == "grabcut":
        require("cv2", "video", "the segmentation backend 'grabcut'")
    if backends.hands is None:
        return
    _known("hands", backends.hands, hands.backends())
    if backends.hands == "mediapipe":
        check_mediapipe()


def check_mediapipe() -> None:
    """See that the default hand detector has its packages and its weights.

    Raises:
        MissingExtraError: a package is not installed.
        MissingModelError: the weights are not on this machine.
    """
    from dexman_pose.data.model_store import locate
    from dexman_pose.hands.mediapipe_backend import MODEL

    for module in ("cv2", "ai_edge_litert"):
        require(module, "video", "the hand detector 'mediapipe'")
    locate(MODEL)


def _known(what: str, name: str, names: Collection[str]) -> None:
    if name not in names:
        raise InputError(f"no {what} backend is named {name!r}; there is: {', '.join(sorted(names))}")
