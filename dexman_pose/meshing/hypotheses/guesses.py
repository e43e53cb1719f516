"""One shape that would explain an outline."""

from __future__ import annotations

from dataclasses import dataclass, field

from dexman_pose.arrays import Array
from dexman_pose.data import Mesh


@dataclass(frozen=True, eq=False)
class ShapeGuess:
    """A shape, in the frame of the outline it was made from.

    Attributes:
        kind: how it was made: ``silhouette``, ``revolved``, ``extruded``, ``box`` ...
        mesh: metres, object frame, without colours.
        axis: (3,) unit, object frame: the axis of revolution, the direction of extrusion, the normal of the plane it
            was swollen about.
        up: which of the directions up that were tried it was made for.
        numbers: what else makes it, by name.
    """

    kind: str
    mesh: Mesh
    axis: Array
    up: int = 0
    numbers: dict[str, float] = field(default_factory=dict)
