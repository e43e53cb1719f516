"""Which backends a run may name, and whether what they need is here, before anything is computed."""

from __future__ import annotations

from dataclasses import dataclass

from dexman_pose._optional import require
from dexman_pose.backends import HANDS, MESH, SEGMENTATION


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
    SEGMENTATION.check(backends.segmentation)
    MESH.check(backends.mesh)
    if backends.hands is None:
        return
    HANDS.check(backends.hands)
    if backends.hands == "mediapipe":
        check_mediapipe()


def check_mediapipe() -> None:
    """See that the default hand detector has its packages and its weights.

    Raises:
        MissingExtraError: a package is not installed.
        MissingModelError: the weights are not on this machine.
    """
    from dexman_pose.data.model_store import locate
    from dexman_pose.hands.mediapipe.backend import MODEL

    require("ai_edge_litert", "video", "the hand detector 'mediapipe'")
    locate(MODEL)
