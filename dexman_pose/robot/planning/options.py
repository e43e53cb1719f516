"""Settings of the planner."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Limits:
    """What counts as success, at every step of an episode.

    Attributes:
        position: metres between an object and its reference.
        rotation: radians between them.
    """

    position: float = 0.03
    rotation: float = 0.5


@dataclass(frozen=True)
class Spread:
    """How far worlds differ from the one that is believed in.

    Attributes:
        offset: metres along x and y that an object starts beside its place, at most.
        friction: share by which friction is lower or higher, at most.
        mass: share by which objects are lighter or heavier, at most.
    """

    offset: float = 0.005
    friction: float = 0.2
    mass: float = 0.2


@dataclass(frozen=True)
class CostOptions:
    """What is paid for at every frame.

    Attributes:
        outside: for an object beyond the limits.
        contact: for points that have left what they should touch.
        near: metres over which that grows.
        effort: for controls that differ from the retargeted motion's, in standard deviations of the first noise.
        jitter: for changes of them from frame to frame, likewise: what is shaken slips.
    """

    outside: float = 5.0
    contact: float = 0.5
    near: float = 0.02
    effort: float = 0.04
    jitter: float = 0.2


@dataclass(frozen=True)
class WideOptions:
    """How a first pass searches, in the believed world alone: far enough to find a grip where the motion holds none.

    What leaves contacts or shakes is not paid for there: fingers have to be free to come elsewhere. Later passes make
    what it finds steady, in several worlds.

    Attributes:
        times: as many samples as in the other passes.
        horizon: frames that are looked ahead.
        knot: frames between the points at which controls are changed.
        slide: metres, standard deviation of the noise on a palm's place.
        hinge: radians, on its rotation.
        finger: radians, on fingers' joints.
        effort: cost of controls that differ from the retargeted motion's.
        sure: cost of the best sample below which no further round is searched at a step.
    """

    times: int = 2
    horizon: int = 15
    knot: int = 3
    slide: float = 0.01
    hinge: float = 0.08
    finger: float = 0.2
    effort: float = 0.02
    sure: float = 0.7


@dataclass(frozen=True)
class GraspOptions:
    """How grasps that stay as they are while they hold are searched for, before any search over frames.

    Attributes:
        samples: in a generation.
        elite: share of them that the next one is drawn around.
        slow: share of the deviations that stays from one generation to the next.
        least: share of the first deviations that is left of them, at least.
        slide: metres, standard deviation of a palm's place beside the object.
        hinge: radians, of its rotation.
        finger: radians, of fingers' joints; a motor of two joints gets twice as much.
        early: frames before fingers have closed at which the palm is where it holds.
        closing: frames in which fingers close, and open.
        after: frames beyond the last closing that the first stage looks at: whether a thing is lifted.
        settle: seconds that objects are given to come to rest.
        worlds: of the second stage; the first is the one that is believed in, and that of the first stage.
        kept: share of the samples that are tried in all of them; all are tried in one, another one in each generation.
        short: generations of the first stage, at most.
        long: generations of the second, at most; it looks at the whole motion.
        firm: share of the trial worlds in which grasps succeed that end it earlier.
        sure: cost of a frame, in the mean, below which a grasp holds, and the first stage ends.
        hopeless: cost above which there is no second stage.
        lost: cost of a frame at most: what is lost is lost.
    """

    samples: int = 96
    elite: float = 0.16
    slow: float = 0.5
    least: float = 0.15
    slide: float = 0.015
    hinge: float = 0.15
    finger: float = 0.25
    early: int = 2
    closing: int = 6
    after: int = 16
    settle: float = 0.25
    worlds: int = 5
    kept: float = 0.33
    short: int = 14
    long: int = 8
    firm: float = 1.0
    sure: float = 0.6
    hopeless: float = 4.0
    lost: float = 20.0


@dataclass(frozen=True)
class OwnOptions:
    """How grasps of the robot's own are drawn, where none that begins with the person's holds.

    Attributes:
        samples: grasps that are tried at once.
        rounds: times that others like the best of them are tried.
        early: rounds that look at what happens shortly after hands have closed; later ones look at the whole motion.
        parents: of the best, by how many of which the others are drawn around.
        alike: of these that may be drawn around the same one, at most: the best is not always the one that gets there.
        spread: share of the deviations of :class:`GraspOptions` by which they differ, less from round to round.
        kept: the best in the end, which are searched on from, one after another until one is good.
        turns: radians, standard deviations of the palm's turn from the person's, each for as many.
        around: share of the object's size within which the place is, from its middle, that the hand closes around.
        reach: shares of the way from the fingers' joints to between their tips that the place is away from the joints.
        beside: metres around the way on which surface is before the palm.
        clear: metres between that surface and the fingers' joints, at least.
        opened: shares by which fingers are closed before.
        closed: shares by which they are told to close; what they hold stops them.
        back: metres that the palm comes from farther away.
        low: metres over the table, of palm and open tips, at least.
        lever: metres that a radian counts for in what is nearly held.
    """

    samples: int = 384
    rounds: int = 5
    early: int = 3
    parents: int = 48
    alike: int = 4
    spread: float = 1.0
    kept: int = 3
    turns: tuple[float, ...] = (0.3, 0.8)
    around: float = 0.35
    reach: tuple[float, float] = (0.4, 0.9)
    beside: float = 0.04
    clear: tuple[float, float] = (0.0, 0.02)
    opened: tuple[float, float] = (0.0, 0.2)
    closed: tuple[float, float] = (0.7, 1.0)
    back: tuple[float, float] = (0.04, 0.1)
    low: float = 0.005
    lever: float = 0.1


@dataclass(frozen=True)
class PlanOptions:
    """How controls are searched for.

    Attributes:
        samples: sequences of controls that are tried at once, in one world.
        kept: the best of them, which are tried in the others too.
        members: worlds; the first is the one that is believed in. Each round begins in another one.
        rounds: times that they are drawn anew around the mean of the better ones.
        horizon: frames that are looked ahead.
        stride: frames that are gone before the search begins again.
        knot: frames between the points at which controls are changed.
        slide: metres, standard deviation of the noise on a palm's place.
        hinge: radians, on its rotation.
        finger: radians, on fingers' joints; a motor of two joints gets twice as much.
        carry: shares of the held objects' error that the hands' carriers make up for in some of the samples.
        ramp: frames over which they do.
        anneal: factor on the noise from round to round.
        temperature: share of the costs' spread that makes a sample e times less important.
        carried: share of the last change ahead that frames farther ahead begin with.
        passes: over the whole motion, at most; another one goes on from what the last has found, with worlds in which
            that failed; from the retargeted motion again where a wide one has found nothing.
        again: factor on the noise of each pass that goes on.
        again_rounds: rounds of it.
        wide: of the first pass, where there may be more than one; None for one like the others.
        sure: cost of the best sample below which no further round is searched at a step; 0 for never.
        enough: share of the trial worlds in which a plan has to succeed, else there is another pass.
        trials: number of trial worlds.
        settle: seconds that objects are given to come to rest before the motion.
        spread: how far worlds differ.
        limits: what counts as success.
        tight: share of the limits that the search keeps to, so that there is room for what it does not know.
        easy: share of the limits; a retargeted motion that keeps objects within it in the trial worlds is not searched.
        skip: share of the limits within which controls that keep objects in all worlds are not searched any further at
            a step; 0 for never: a search that stops so early leaves weak grips.
        far: horizons ahead that they have to.
        lost: times the limit on place; where an object is farther than that from its reference in all worlds, the rest
            of a pass is not searched: no hand comes back to it.
        cost: what is paid for.
        grasp: of the search for grasps, which comes first where the motion does not hold by itself; None for none.
        own: of grasps of the robot's own, where the search for grasps finds none that hold; None for none.
        other: share of the trial worlds; where fewer are successes, the motion is planned with the other grips, too,
            and the better plan is taken; 0 for never.
        simulator: that is searched in, one of :data:`~dexman_pose.robot.planning.simulators.SIMULATORS`; what is found
            is judged in MuJoCo.
        seed: of all that is drawn.
    """

    samples: int = 48
    kept: int = 12
    members: int = 4
    rounds: int = 3
    horizon: int = 12
    stride: int = 2
    knot: int = 4
    slide: float = 0.006
    hinge: float = 0.05
    finger: float = 0.12
    carry: tuple[float, ...] = (0.4, 0.8)
    ramp: int = 5
    anneal: float = 0.6
    temperature: float = 0.1
    carried: float = 0.9
    passes: int = 3
    again: float = 0.6
    again_rounds: int = 2
    wide: WideOptions | None = field(default_factory=WideOptions)
    sure: float = 0.5
    enough: float = 0.95
    trials: int = 20
    settle: float = 0.5
    spread: Spread = field(default_factory=Spread)
    limits: Limits = field(default_factory=Limits)
    tight: float = 0.7
    easy: float = 0.75
    skip: float = 0.0
    far: int = 2
    lost: float = 10.0
    cost: CostOptions = field(default_factory=CostOptions)
    grasp: GraspOptions | None = field(default_factory=GraspOptions)
    own: OwnOptions | None = field(default_factory=OwnOptions)
    other: float = 0.8
    simulator: str = "mujoco"
    seed: int = 0
