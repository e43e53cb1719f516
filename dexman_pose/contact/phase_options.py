"""When an object counts as held: every threshold."""

from __future__ import annotations

from dataclasses import dataclass, field

from dexman_pose.contact.lasting import LastingOptions
from dexman_pose.contact.steadied import SteadiedOptions


@dataclass(frozen=True)
class PhaseOptions:
    """When an object counts as held.

    Attributes:
        window: seconds over which motion is measured.
        moving: metres within the window from which on an object moves.
        still: metres within the window below which it rests again.
        against: metres within the window below which a hand rests against it.
        noise: standard deviations of the poses' noise that are no motion.
        near: metres across the line of sight between a joint and an object that a hand may hold.
        deep: by how much of its distance a hand may be off along the line of sight.
        together: share of an object's motion by which the hand's may differ from it.
        leaving: times an object's motion by which the hand's differs from it, at the begin or the end of a motion,
            where it comes or has let go: over gaps in its track an object seems to move before, and after.
        alone: share of a motion's frames in which a hand, and no other, is on the object, from which on it holds it
            however it seems to move: nothing moves by itself, and a hand at a wrong distance seems to turn wrongly.
        shortest: seconds; shorter motions are no holds.
        with_it: share of the way of an object's middle that some joint of a hand that carries it moves at least: a hand
            that lies still beside what seems to move does not.
        pause: seconds between two grips of one hand that is near all the while, up to which they are one: hands seem to
            turn over where they are seen from some sides.
        points: of the surface that nearness is measured at, at most.
        lasting: what else is one grip.
        steadied: when a hand grips what it does not move.
    """

    window: float = 0.2
    moving: float = 0.010
    still: float = 0.004
    against: float = 0.008
    noise: float = 4.0
    near: float = 0.02
    deep: float = 0.45
    together: float = 0.6
    leaving: float = 1.5
    alone: float = 0.9
    shortest: float = 0.15
    with_it: float = 0.25
    pause: float = 1.0
    points: int = 400
    lasting: LastingOptions = field(default_factory=LastingOptions)
    steadied: SteadiedOptions = field(default_factory=SteadiedOptions)
