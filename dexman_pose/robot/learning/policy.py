"""A learnt policy as plain arrays: neither rsl-rl nor torch is needed to play it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dexman_pose.arrays import Array
from dexman_pose.errors import InputError
from dexman_pose.robot.planning.task import Task

Floats = NDArray[np.float32]

NORMAL = 1e-2
"""Added to the standard deviation of what is seen, as rsl-rl's normaliser does."""


@dataclass(frozen=True)
class Network:
    """A perceptron with exponential linear units between its layers.

    Attributes:
        mean: (D,) of what was seen in training.
        deviation: (D,) its standard deviation.
        weights: (K_i+1, K_i) of each layer.
        biases: (K_i+1,) of each layer.
    """

    mean: Floats
    deviation: Floats
    weights: tuple[Floats, ...]
    biases: tuple[Floats, ...]

    def __post_init__(self) -> None:
        sizes = [len(self.mean), *(len(b) for b in self.biases)]
        shapes = [w.shape for w in self.weights]
        if not shapes or shapes != list(zip(sizes[1:], sizes)) or len(self.deviation) != len(self.mean):
            raise InputError(
                f"layers of {shapes} do not follow one another from {len(self.mean)} numbers seen"
            )

    def __call__(self, seen: NDArray[np.floating]) -> Array:
        """Actions (N, A) for what is seen (N, D)."""
        values = (np.asarray(seen, np.float32) - self.mean) / (self.deviation + np.float32(NORMAL))
        for i, (weight, bias) in enumerate(zip(self.weights, self.biases)):
            values = values @ weight.T + bias
            if i + 1 < len(self.weights):
                values = np.where(values > 0, values, np.expm1(np.minimum(values, 0.0)))
        return np.asarray(values, np.float64)


def network_of(actor: Mapping[str, Any]) -> Network:
    """The network of the weights of an actor of rsl-rl, by name."""
    names = sorted((n for n in actor if n.startswith("mlp.") and n.endswith(".weight")), key=_layer)

    def taken(name: str) -> Floats:
        return np.array(actor[name].detach().cpu().numpy(), np.float32)

    return Network(
        mean=taken("obs_normalizer._mean")[0],
        deviation=taken("obs_normalizer._std")[0],
        weights=tuple(taken(n) for n in names),
        biases=tuple(taken(n.removesuffix("weight") + "bias") for n in names),
    )


def _layer(name: str) -> int:
    return int(name.split(".")[1])


@dataclass(frozen=True)
class SkillPolicy:
    """A policy and what it was learnt for.

    Attributes:
        network: what acts.
        task: the motion, in its world.
        controls: (T, A) that actions are added to.
        about: plain JSON values: source, settings, how learning went, seed, friction.
    """

    network: Network
    task: Task
    controls: Array
    about: dict[str, Any] = field(default_factory=dict)
