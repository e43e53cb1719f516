"""What speaks for a table: things at rest, planes that were seen, and what may not lie under it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dexman_pose.arrays import Array


@dataclass(frozen=True)
class Rest:
    """An object at rest: it stands on one of its faces.

    Attributes:
        name: of the object.
        first: frame in which it is at rest.
        last: the last one.
        up: (N, 3) unit, camera frame: the table's normal for each face it may stand on.
        up_sigma: (N,) radians, standard deviations of these.
        share: (N,) their probabilities.
        corners: (H, 3) metres, camera frame, of its convex hull.
        middle: (3,) metres, camera frame.
        lateral: metres, standard deviation of its place across the line of sight.
        along: metres, the same along it.
        wrong: probability that it is not on the table.
    """

    name: str
    first: int
    last: int
    up: Array
    up_sigma: Array
    share: Array
    corners: Array
    middle: Array
    lateral: float
    along: float
    wrong: float

    def lowest(self, normal: Array) -> Array:
        """(3,) the point that touches a table of this normal."""
        out: Array = self.corners[int(np.argmin(self.corners @ normal))]
        return out

    def place_sigma(self, normal: Array) -> float:
        """Standard deviation, metres, of the height of its foot over a table of this normal."""
        return place_sigma(self.middle, normal, self.lateral, self.along)


@dataclass(frozen=True)
class PlaneVote:
    """A plane that was seen.

    Attributes:
        name: what it was seen in.
        normal: (3,) unit, camera frame, towards the camera's side.
        sigma: radians, of the normal.
        point: (3,) metres, on the plane, where it was seen.
        place: metres, standard deviation along the normal there.
        wrong: probability that it is not the table.
        strong: it makes a table by itself.
    """

    name: str
    normal: Array
    sigma: float
    point: Array
    place: float
    wrong: float
    strong: bool


@dataclass(frozen=True)
class Above:
    """Something that is never under the table.

    Attributes:
        name: of it.
        points: (T, N, 3) metres, camera frame.
        lateral: metres, standard deviation across the line of sight.
        along: share of the distance, along it.
        deepest: standard deviations under the table that are counted at most.
        handled: it can be lifted: an object, no hand.
    """

    name: str
    points: Array
    lateral: float
    along: float
    deepest: float
    handled: bool


@dataclass(frozen=True)
class Evidence:
    """All that a clip tells of its table.

    Attributes:
        rests: objects at rest.
        votes: planes that were seen.
        above: what is never under it.
        left_out: what was not used, and why, one phrase each.
    """

    rests: tuple[Rest, ...]
    votes: tuple[PlaneVote, ...]
    above: tuple[Above, ...]
    left_out: tuple[str, ...] = ()


def place_sigma(point: Array, normal: Array, lateral: float, along: float) -> float:
    """Standard deviation along a normal of a point that is surer across the line of sight than along it, metres."""
    share = float(point @ normal / np.linalg.norm(point))
    return float(np.sqrt((share * along) ** 2 + lateral**2))
