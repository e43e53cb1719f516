"""How hands are fitted to what they hold."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from dexman_pose.contact.phases import PhaseOptions
from dexman_pose.hands.model.system import FitOptions
from dexman_pose.interaction.hidden import HidingOptions
from dexman_pose.optimize.types import ClipOptions

MEAN_SCALE = -0.035
"""Natural logarithm of the scale of the mean hand of women and men; scale 1 is a hand of 19 cm."""


@dataclass(frozen=True)
class PictureOptions:
    """What the picture of a hand is worth.

    Attributes:
        landmark: palm lengths as seen, error of a landmark.
        unsure: factor on it for landmarks of a detection that is not sure at all.
        hidden: factor on it, and on the guess of the bone, for joints that cannot be seen.
        hiding: when that is.
        bridged: factor on it in frames between detections.
        landmark_reach: standard deviations at which a landmark is let go of, round by round; the last one stays.
        guess: metres, error of the detector's own shape across a bone.
        turn: metres across a bone of the palm, by which the guess is turned as a whole.
        usual_off: palm lengths by which a good guess misses its own image; worse ones are believed less.
        guess_reach: standard deviations at which a bone of it is let go of.
        distance: relative, by how much the hand model may lie off the lifted distance, which rests on more than where
            landmarks are seen: their errors are alike from frame to frame and tell little of it.
        sized_distance: the same of a hand whose size and shape are known by what it holds.
        measured_distance: the same of a distance that was measured.
        gripped_distance: the same in frames in which contact decides.
        found_distance: the same in these where contact itself was given up, but the distance was kept.
        acceleration: metres per second squared, of joints in the camera frame.
    """

    landmark: float = 0.06
    unsure: float = 2.0
    hidden: float = 3.0
    hiding: HidingOptions = field(default_factory=HidingOptions)
    bridged: float = 3.0
    landmark_reach: tuple[float, ...] = (8.0, 5.0)
    guess: float = 0.012
    turn: float = 0.03
    usual_off: float = 0.15
    guess_reach: float = 3.0
    distance: float = 0.003
    sized_distance: float = 0.03
    measured_distance: float = 0.01
    gripped_distance: float = 0.1
    found_distance: float = 0.02
    acceleration: float = 12.0


@dataclass(frozen=True)
class PlacedOptions:
    """What joints that were measured in space are worth.

    Attributes:
        slow: factor from what joints tremble by to all that they are off by: what changes slowly does not show, and is
            taken to be as large.
        alike: share of the variance that all joints of a hand have in common.
        least: metres, least standard deviation of a joint.
        bridged: factor on it in frames between measured ones.
        reach: standard deviations at which a joint is let go of.
        acceleration: metres per second squared along an axis, of joints in the camera frame: hands that reach for
            things are measured to begin with that much.
    """

    slow: float = np.sqrt(2.0)
    alike: float = 0.25
    least: float = 0.002
    bridged: float = 3.0
    reach: float = 4.0
    acceleration: float = 6.0


@dataclass(frozen=True)
class SteadyOptions:
    """How objects are solved whose tracks tremble.

    Attributes:
        shift: metres along an axis; tracks that tremble by more, or turn by more, are solved anew.
        turn: radians about an axis.
        slow: factor from what poses tremble by to all that they are off by: what changes slowly does not show, and is
            taken to be as large.
        reach: standard deviations at which a pose is let go of.
        slip: metres along an axis, and per square root of a second, by which a hand moves on what it holds without its
            being plain.
        twist: radians about an axis by which it turns on what it holds likewise.
        turned: radians about an axis by which the way joints lie tells a hand's turn wrongly: fingers move.
        regrip: standard deviations of that from which on a hand plainly moves on what it holds, and is let do so.
        fewest: frames of a hold, or of a rest, from which on it tells anything.
        leaning: standard deviations of a pose's turn by which an object that stands may seem to lean.
        rest_shift: metres by which an object at rest seems to move.
        rest_turn: radians by which it seems to turn.
        persists: share of the variance of what does not change quickly that does not change at all.
        drift: seconds over which the rest of it changes: it averages out over longer times.
        few: independent frames that all touches of a hold count as: what is wrong in one is wrong in all.
        steps: how often the linear system of all poses is solved anew.
        window: seconds over which it is told how joints move on an object.
        smoothed: share of the noise of single frames that smooth tracks still have.
        plain: standard deviations of that noise beyond which a joint plainly moves on an object.
        moving: standard deviations of that noise beyond which an object moves, and half as many up to which it rests.
        rounds: how often objects and hands are solved in turn.
        solver: how smoothly things move.
    """

    shift: float = 0.0015
    turn: float = np.radians(1.5)
    slow: float = np.sqrt(2.0)
    reach: float = 4.0
    slip: float = 0.005
    twist: float = np.radians(5.0)
    turned: float = np.radians(2.5)
    regrip: float = 2.0
    fewest: int = 5
    leaning: float = 3.0
    rest_shift: float = 0.0005
    rest_turn: float = np.radians(0.5)
    persists: float = 0.5
    drift: float = 0.3
    few: float = 1.0
    steps: int = 4
    window: float = 0.2
    smoothed: float = 0.5
    plain: float = 2.0
    moving: float = 2.0
    rounds: int = 3
    solver: ClipOptions = field(default_factory=lambda: ClipOptions(mend=False, covariance=False))


@dataclass(frozen=True)
class ContactOptions:
    """What contact is worth.

    Attributes:
        soft: metres that flesh gives way without resistance.
        inside: metres more, standard deviation.
        touch: metres, error of a gap that should be closed.
        touch_reach: standard deviations at which a gap is let go of.
        made: factor on what contact is off by, for objects whose shape was not given.
        bridged: the same in frames whose object pose lies between known ones.
        slip: metres per frame of finger tips and palm on what they grip.
        bend: metres per frame of the other joints.
        gates: metres between skin and surface up to which a finger counts as touching, round by round.
        fewest: fingers beside thumb or palm that close a grip, however far they are.
        known: frames of a grip with a pose of what is gripped, from which on it tells anything.
        skin: metres between the points of the skin that is looked at once the hand is fitted.
        deep: metres of skin inside of what is gripped, in any frame, from which on the skin is fitted, too.
        skin_soft: metres that it gives way without resistance.
        skin_inside: metres more, standard deviation.
        skin_rounds: how often it is measured anew.
    """

    soft: float = 0.004
    inside: float = 0.003
    touch: float = 0.004
    touch_reach: float = 4.0
    made: float = 2.5
    bridged: float = 3.0
    slip: float = 0.00075
    bend: float = 0.002
    gates: tuple[float, ...] = (0.03, 0.02, 0.015)
    fewest: int = 1
    known: int = 5
    skin: float = 0.004
    deep: float = 0.0025
    skin_soft: float = 0.0015
    skin_inside: float = 0.002
    skin_rounds: int = 3


@dataclass(frozen=True)
class DistanceOptions:
    """Where along the line of sight a hand fits what it grips.

    Attributes:
        reach: largest relative change of distance and size that is tried.
        steps: number of them.
        spread: expected relative error of the distance that is there.
        prior: of that, per frame: errors of neighbouring frames are alike.
        drift: of its change from one frame to the next.
        size: share of the change that is one of the hand's size; the rest is that it is seen foreshortened otherwise.
        touch: metres, a gap that speaks half against a contact; the hand's form is not yet fitted to the object.
        inside: metres of flesh within an object that cost as much as one open gap.
        opposed: open gaps that a hand costs whose thumb and palm lie on the same side of an object as its fingers.
    """

    reach: float = 0.45
    steps: int = 73
    spread: float = 0.10
    prior: float = 0.07
    drift: float = 0.035
    size: float = 0.2
    touch: float = 0.02
    inside: float = 0.05
    opposed: float = 3.0


@dataclass(frozen=True)
class GraspOptions:
    """When a hand holds a thing in one way throughout.

    Attributes:
        rigid: metres, the middle of the joints' distances from the usual way, above which there is no usual way.
        apart: metres, mean over the joints, from which on a frame shows another way.
        worse: most factor by which landmarks may lie farther off in the usual way.
        tolerated: palm lengths that they may lie off in any case.
        sample: frames of a grip that are compared with each other.
    """

    rigid: float = 0.025
    apart: float = 0.025
    worse: float = 1.5
    tolerated: float = 0.16
    sample: int = 60


@dataclass(frozen=True)
class OneGraspOptions:
    """How the way of holding a thing is found from all frames of a grip.

    Attributes:
        fewest: frames of a grip from which on it is.
        sample: frames of it that are used.
        alike: independent frames that these count as: errors of all frames are alike.
        turns: degrees about the camera's x and y by which a hand is turned to begin with.
        iterations: most steps of a fit.
        opposed: what a hand costs all of which lies on one side of the thing.
        worse: most factor by which landmarks may lie farther off in that way than in the frame alone.
        tolerated: palm lengths that they may lie off in any case: frames in which a detector errs are many.
        agreeing: share of a grip's frames that must allow it.
        like: metres by which joints of single frames lie off it.
    """

    fewest: int = 5
    sample: int = 12
    alike: float = 2.0
    turns: tuple[tuple[float, float], ...] = (
        (0.0, 0.0),
        (25.0, 0.0),
        (-25.0, 0.0),
        (0.0, 25.0),
        (0.0, -25.0),
    )
    iterations: int = 6
    opposed: float = 6.0
    worse: float = 1.5
    tolerated: float = 0.3
    agreeing: float = 0.5
    like: float = 0.02


@dataclass(frozen=True)
class SizeOptions:
    """How sure the size of a hand is, relative.

    Attributes:
        person: that of an adult's hand, before anything is known of it.
        gripped: that of a hand fitted to an object of known size.
    """

    person: float = 0.07
    gripped: float = 0.04


@dataclass(frozen=True)
class TableOptions:
    """What the table says of hands.

    Attributes:
        unsure: metres, standard deviation of its height from which on it says nothing.
        soft: metres that flesh may be beneath it without being wrong.
        height: metres more, standard deviation.
        reach: standard deviations from which on depth beneath it says no more of the distance.
    """

    unsure: float = 0.02
    soft: float = 0.005
    height: float = 0.01
    reach: float = 8.0


@dataclass(frozen=True)
class WindowOptions:
    """How long clips are cut.

    Attributes:
        frames: of a hand that are fitted at once, at most: 0.2 MB each while they are.
        overlap: frames that two windows share; steadiness reaches not as far.
        run: neighbouring frames of which several together tell the shape that all windows share.
    """

    frames: int = 300
    overlap: int = 40
    run: int = 50


@dataclass(frozen=True)
class GripOptions:
    """How hands and objects are solved together.

    Attributes:
        phases: who holds what.
        picture: of the hands.
        placed: of hands whose joints were measured in space.
        steady: of objects whose tracks tremble.
        contact: between them.
        distance: where a grip fits along the line of sight.
        grasp: whether a hand holds a thing in one way throughout.
        one: how that way is found.
        size: how sure sizes of hands are.
        table: what the table says of them.
        fit: of the hand model.
        windows: of long clips.
        bridged: seconds; gaps in a track no longer than this are bridged, to tell who holds what and where.
        rounds: of the fit to the picture alone.
        first: metres, error of the joints that a fit begins with.
        worse: most factor by which landmarks may lie farther off than without contact.
        tolerated: palm lengths that they may lie off in any case.
    """

    phases: PhaseOptions = field(default_factory=PhaseOptions)
    picture: PictureOptions = field(default_factory=PictureOptions)
    placed: PlacedOptions = field(default_factory=PlacedOptions)
    steady: SteadyOptions = field(default_factory=SteadyOptions)
    contact: ContactOptions = field(default_factory=ContactOptions)
    distance: DistanceOptions = field(default_factory=DistanceOptions)
    grasp: GraspOptions = field(default_factory=GraspOptions)
    one: OneGraspOptions = field(default_factory=OneGraspOptions)
    size: SizeOptions = field(default_factory=SizeOptions)
    table: TableOptions = field(default_factory=TableOptions)
    fit: FitOptions = field(
        default_factory=lambda: FitOptions(iterations=12, enough=1e-3, log_scale=MEAN_SCALE)
    )
    windows: WindowOptions = field(default_factory=WindowOptions)
    bridged: float = 0.35
    rounds: int = 2
    first: float = 0.01
    worse: float = 1.6
    tolerated: float = 0.25
