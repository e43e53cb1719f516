"""How one demonstration differs from the plan it is made of."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from dexman_pose.robot.headers import plain

_STREAM = 52_007  # keeps these numbers apart from those of planners and films with the same seed


@dataclass(frozen=True)
class VariationOptions:
    """How far demonstrations differ.

    Attributes:
        place: metres along x and y from the table's middle within which the first object begins.
        turn: radians about the vertical by which the whole motion is turned, at most, to either side.
        size: share by which objects are smaller or larger, at most.
        mass: share by which they are lighter or heavier, beside what their size makes of them.
        friction: share by which all friction is lower or higher.
    """

    place: float = 0.15
    turn: float = 3.141592653589793
    size: float = 0.1
    mass: float = 0.2
    friction: float = 0.2


@dataclass(frozen=True)
class Variation:
    """One demonstration, before it is tried.

    Attributes:
        place: metres, where on the table the first object begins.
        turn: radians about the vertical through it.
        sizes: factor on each object, in the plan's order.
        masses: factor on each object's mass at its new size.
        friction: factor on all friction.
        meshes: for each object the name of the mesh that stands in for its own; "" for its own.
    """

    place: tuple[float, float]
    turn: float
    sizes: tuple[float, ...]
    masses: tuple[float, ...]
    friction: float
    meshes: tuple[str, ...]

    def values(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return plain(asdict(self))

    @property
    def own_shape(self) -> tuple[bool, ...]:
        """Whether each object has its own mesh in its own size."""
        return tuple(not m and s == 1.0 for m, s in zip(self.meshes, self.sizes))


def drawn(
    seed: int,
    index: int,
    swaps: tuple[tuple[str, ...], ...],
    options: VariationOptions | None = None,
) -> Variation:
    """Draw a demonstration; the same for a seed and an index, however many others are drawn.

    Args:
        seed: of the set.
        index: in the set.
        swaps: for each object the names of meshes that may stand in for its own; one of them or its own is taken, all
            equally often.
        options: how far it may differ.
    """
    o = options or VariationOptions()
    rng = np.random.default_rng([_STREAM, seed, index])
    place = rng.uniform(-o.place, o.place, 2)
    turn = float(rng.uniform(-o.turn, o.turn))
    count = len(swaps)
    sizes = 1.0 + rng.uniform(-o.size, o.size, count)
    masses = 1.0 + rng.uniform(-o.mass, o.mass, count)
    friction = float(1.0 + rng.uniform(-o.friction, o.friction))
    chosen = tuple(("", *names)[int(rng.integers(len(names) + 1))] for names in swaps)
    return Variation(
        (float(place[0]), float(place[1])),
        turn,
        tuple(float(s) for s in sizes),
        tuple(float(m) for m in masses),
        friction,
        chosen,
    )
