"""Which backends a run may name, and whether what they need is here, before anything is computed."""

from __future__ import annotations

from dataclasses import dataclass

from dexman_pose._optional import check_package
from dexman_pose.backends import HANDS, MESH, SEGMENTATION, Stage
from dexman_pose.data.model_store import find_weights, mark_of


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
    check_needs(SEGMENTATION, backends.segmentation)
    check_needs(MESH, backends.mesh)
    if backends.hands is not None:
        check_needs(HANDS, backends.hands)


def check_needs(stage: Stage, name: str) -> None:
    """See that a backend exists and that its packages and weights are on this machine; nothing is downloaded.

    Raises:
        InputError: no such backend; the message lists those there are.
        MissingExtraError: a package is not installed, or is broken; the message holds the command that installs it.
        MissingModelError: weights are not on this machine; the message holds the command that fetches them.
    """
    needs = stage.needs(name)
    for module, command in needs.packages:
        check_package(module, command, f"the {stage.name} backend {name.partition(':')[0]!r}")
    if needs.model is not None:
        find_weights(needs.model)


def weights_used(stage: Stage, name: str) -> dict[str, str]:
    """What a stage's result depends on beside the name of its backend: the weights; empty for backends without."""
    model = stage.needs(name).model
    return {} if model is None else {"weights": mark_of(model)}
