"""Settings of the road from masks to objects, with units, meaning, and where each value comes from."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from dexman_pose.optimize.types import ClipOptions

TIPS = (4, 8, 12, 16, 20)
"""Finger tips among the 21 joints of a hand."""


@dataclass(frozen=True)
class StartOptions:
    """Which frame an object is looked for in.

    Attributes:
        least_pixels: of a mask; smaller ones say nothing about a pose.
        candidates: frames searched in, the prompted one apart.
        measured: share of a mask with depth from which a frame tells a size.
        lead_cap: a lead beyond this is no better news; scores lie between 0 and about 2.
        lead_share: of the lead that counts beside the score when frames are compared.
        better: merit by which another frame must lead to be preferred to the prompted one, whose mask is the surest:
            twice the lead that separates right from wrong poses found on leaking masks.
        hidden: share of the outline touched by other things from which the prompted frame counts as hidden, and a shape
            is made from another one ...
        freer: ... that shows this many times as much of the object's outline and area.
        arm_length: metres at which an object is put when nothing tells its distance: a person's reach from a table
            camera.
        depth_pixels: measured pixels on a mask that tell a distance.
    """

    least_pixels: int = 30
    candidates: int = 3
    measured: float = 0.1
    lead_cap: float = 0.2
    lead_share: float = 0.5
    better: float = 0.1
    hidden: float = 0.5
    freer: float = 2.0
    arm_length: float = 0.7
    depth_pixels: int = 20


@dataclass(frozen=True)
class ClosedOptions:
    """When a mesh of wires or bars is replaced by a closed stand-in.

    Attributes:
        full: share of its closed picture that a mesh without gaps covers; the closing itself adds a little.
        gap: gaps up to this share of the longest side are closed, as masks close them.
        views: pictures taken from all around ...
        side: ... of so many pixels ...
        distance: ... from so many radii away ...
        margin: ... with this much room around, times the radius.
    """

    full: float = 0.86
    gap: float = 0.12
    views: int = 24
    side: int = 129
    distance: float = 6.0
    margin: float = 1.5


@dataclass(frozen=True)
class ScaleOptions:
    """How a metric size is read off depth or hands.

    Attributes:
        clear: outline overlap of the frames that a size is read off first: their pose explains the mask ...
        clear_frames: ... if there are this many of them.
        step: every so manieth frame is asked: neighbours say the same.
        enough: frames with an answer; with fewer, those in between are asked too.
        pixels: measured pixels on object and mask that make a ratio of depths.
        tip_reach: of the object's size in the picture: how far beside its outline a finger tip holds it.
        tips: finger tips on the object that make a frame count.
        hand_frames: such frames that make a size.
        vertices: of a mesh, enough to tell its depth at a place.
        around: vertices next to a tip whose depth is averaged, front and back of the object alike.
        even: factors along axes that differ by less are one factor (rounding).
        unit: hands speak for a unit that brings the object within this factor of their distance.
        moving: radians a frame across the line of sight by which an object moves: half a centimetre in six frames at a
            metre. Made shapes at rest stay below a tenth of that on three rendered films.
        moving_frames: before and after a frame between which that is looked at.
        behind: quantile of the ratios of hands that never move an object; they are nearer than it, if not on it.
    """

    clear: float = 0.85
    clear_frames: int = 10
    step: int = 3
    enough: int = 5
    pixels: int = 20
    tip_reach: float = 0.15
    tips: int = 2
    hand_frames: int = 3
    vertices: int = 4000
    around: int = 16
    even: float = 1e-9
    unit: float = 1.6
    moving: float = 8e-4
    moving_frames: int = 3
    behind: float = 0.9


@dataclass(frozen=True)
class SharedSizeOptions:
    """Where objects stand that nothing sizes.

    Attributes:
        tilt: radians by which a camera that films hands at a table looks down; they differ by some 0.2.
        flattest: least sine of the angle at which the table's far side is seen.
    """

    tilt: float = 0.7
    flattest: float = 0.1


@dataclass(frozen=True)
class ShapeOptions:
    """How shapes made from one outline are improved by the other frames.

    Attributes:
        good_overlap: mean outline overlap above which the first shape explains the whole clip already.
        views: frames that vote; more of a clip say the same.
        least_views: frames without which nothing is voted on.
        view_overlap: outline overlap of a frame that may vote.
        painted_every: of the voting frames, every so manieth gives colours.
        other_weight: of another view's colours beside those of the starting view, which is exact by construction.
        inside: share of views that must see a point inside.
        margin: (3,) factors on the first shape's extents, which the new one may fill; less in depth, which is a guess.
        padding: added all around, in radii.
        steep: cells; turns a share of votes into something that grows like a distance.
        least_faces: of a shape.
        seen_share: votes that keep a pixel of the starting view's own mask ...
        hidden_share: ... and that add a pixel hidden by something else.
        known_views: views that must have seen a place for their votes to count.
        thickness: factor on the swelling of the outline.
        resolution: cells along the longest side.
    """

    good_overlap: float = 0.94
    views: int = 40
    least_views: int = 5
    view_overlap: float = 0.55
    painted_every: int = 4
    other_weight: float = 0.01
    inside: float = 0.55
    margin: tuple[float, float, float] = (1.3, 1.3, 1.15)
    padding: float = 0.05
    steep: float = 4.0
    least_faces: int = 50
    seen_share: float = 0.3
    hidden_share: float = 0.6
    known_views: float = 2.0
    thickness: float = 0.8
    resolution: int = 48


@dataclass(frozen=True)
class ChoiceOptions:
    """How the kind of a shape that is made from a clip is chosen. Merits are in outline overlap.

    Attributes:
        frames: that guesses are followed through ...
        still: so few of them are chosen of an object that hardly moves; its overlap counts up to ``full`` alone.
        least_pixels: ... with at least so many pixels of mask.
        room: pixels around an outline in which a guess is compared with it.
        tilts: radians by which the camera may look down on the table.
        usual: the most likely tilt ...
        spread: ... its standard deviation ...
        unusual: ... and what being one standard deviation off costs.
        thick: most likely thickness of a slab, in the longest side of its outline ...
        thick_spread: ... the standard deviation of its logarithm ...
        thin: ... and what being one off costs.
        swelling: most likely factor of a swollen outline ...
        flat: ... and what a factor e times as large or small costs.
        least_filled: overlap with its own outline that a guess must have.
        full: such an overlap from which on more is no better ...
        unfilled: ... and what lacking some of it costs.
        least_box: such an overlap of a box from which on one that fits better is looked for ...
        box_turn: ... by turns of so many radians ...
        box_apart: ... from the best of a ladder, and the best that is so many times as high or flat ...
        box_factor: ... and heights so many times as large ...
        box_rounds: ... halved after each of so many rounds.
        hopeless: mean overlap by which a guess that is behind another one is given up.
        of_a_kind: guesses of a kind that are followed.
        finalists: kinds that are tried for other tilts.
        thicker: factors on the thickness of the best guess that are tried.
        confident: what full confidence of the track adds to the overlap: colours and edges agree.
        habits: added by kind: an outline that a body of revolution or a box explains is not so by chance, while
            slabs and swollen outlines explain any.
        doubt: of merit, by which kinds that are equally likely differ by chance.
        poor: mean overlap of the track of the whole clip below which the swollen outline is tried again: few
            frames say little of a shape that is often lost.
        failed: the same, below which it is tracked again even if a trial on a few frames speaks against it.
        told: guesses that are written to the log.
    """

    frames: int = 11
    still: int = 5
    least_pixels: int = 150
    room: int = 12
    tilts: tuple[float, ...] = tuple(np.radians((42.0, 27.0, 57.0)).tolist())
    usual: float = float(np.radians(42.0))
    spread: float = float(np.radians(14.0))
    unusual: float = 0.002
    thick: float = 0.12
    thick_spread: float = 0.8
    thin: float = 0.004
    swelling: float = 0.8
    flat: float = 0.02
    least_filled: float = 0.85
    full: float = 0.955
    least_box: float = 0.7
    box_turn: float = float(np.radians(8.0))
    box_apart: float = 1.8
    box_factor: float = 1.4
    box_rounds: int = 3
    hopeless: float = 0.035
    unfilled: float = 0.6
    of_a_kind: int = 1
    finalists: int = 2
    thicker: tuple[float, ...] = (0.65, 1.5)
    confident: float = 0.05
    habits: tuple[tuple[str, float], ...] = (
        ("silhouette", -0.01),
        ("lying", -0.004),
        ("standing", -0.014),
        ("revolved", 0.022),
        ("vessel", 0.028),
        ("rolled", 0.018),
        ("box", 0.025),
    )
    doubt: float = 0.01
    poor: float = 0.9
    failed: float = 0.6
    told: int = 8


@dataclass(frozen=True)
class TrialOptions:
    """When a better shape is tracked again through the whole clip. Set by hand.

    Above minus ``doubt`` the second track is made, and kept where it explains the clip better; below, the better shape
    is dropped without one. On the one real clip where both were compared, the trial told the gain of the second track
    (0.012) to 0.001.

    Attributes:
        frames: spread evenly over the clip, on which both shapes are tried.
        iterations: of the refinement of a try.
        doubt: of mean outline overlap, by which a trial may be wrong.
    """

    frames: int = 16
    iterations: int = 20
    doubt: float = 0.005


@dataclass(frozen=True)
class HeldOptions:
    """How an object follows the hand that holds it where its outline is not explained.

    Attributes:
        tip_reach: of the object's size in the picture: how far beside its outline a finger tip holds it.
        tips: finger tips on the object that make a hand hold it.
        vertices: of a mesh, enough to tell its outline.
        trusted_overlap: a tracked pose is kept when its outline overlap is above this ...
        trusted_angle: ... and its rotation within this angle, radians, of what the hand says ...
        sure_overlap: ... or when its overlap is above this, whatever the hand says: fingers may have shifted.
        shift: standard deviation in metres of a pose told by the hand alone ...
        turn: ... and in radians: fingers shift their grip, which costs 10 to 20 degrees.
    """

    tip_reach: float = 0.15
    tips: int = 2
    vertices: int = 4000
    trusted_overlap: float = 0.85
    trusted_angle: float = float(np.deg2rad(25.0))
    sure_overlap: float = 0.9
    shift: float = 0.03
    turn: float = float(np.deg2rad(20.0))


@dataclass(frozen=True)
class EvidenceOptions:
    """The rendered evidence of a whole clip.

    Attributes:
        side: longest side in pixels of a frame's crop: over a whole clip there are outline points in plenty.
        least_side: pixels of a crop where there is no box at all.
        margin: of the box's longer side; poses and scale may move that far ...
        border: ... and so many pixels more.
        drawn_limit: a drawn box this many times larger than the mask's is a mistake and not covered.
        chunk: frames rendered at a time, which bounds memory.
        anchor_shift: standard deviation of the track's own poses as measurements, in radii ...
        anchor_turn: ... and in radians: they hold what outlines leave open and give way to what outlines say.
        loose: times wider along translations while the scale is unknown: distances move with it.
        scale_sigma: of the log-scales' prior: a factor of seven either way.
        vague: variance that stands for "not measured" where a track has no covariance.
    """

    side: int = 96
    least_side: int = 8
    margin: float = 0.25
    border: int = 8
    drawn_limit: float = 4.0
    chunk: int = 24
    anchor_shift: float = 0.05
    anchor_turn: float = float(np.deg2rad(3.0))
    loose: float = 10.0
    scale_sigma: float = 2.0
    vague: float = 1e4


@dataclass(frozen=True)
class ContinuityOptions:
    """Which frames of a solved track no object can have moved through.

    Attributes:
        speed: metres a second of an object's centre that no hand exceeds: 60 mm in a frame at 30 frames a second; a
            throw is slower while it is still in the hand.
        turn_rate: radians a second of its rotation: 45 degrees in such a frame.
        longest: seconds. A run of frames that is torn from both neighbours goes altogether if it is no longer than
            this; of longer ones only the torn ends do, since nothing tells which side is wrong.
        moved_shift: a pose that the solver moved by more than this, in radii of the object, against the measurement ...
        moved_turn: ... or more than this in radians is no longer that measurement, and has to explain the mask as well:
            several times what measurements scatter by.
        worse: overlap with the mask that a pose so moved may lose.
        drawn_shift: overlaps are measured anew where a pose moved by more than this, in radii ...
        drawn_turn: ... or more than this in radians; less does not show in them.
    """

    speed: float = 1.8
    turn_rate: float = float(np.deg2rad(1350.0))
    longest: float = 0.5
    moved_shift: float = 0.15
    moved_turn: float = float(np.deg2rad(12.0))
    worse: float = 0.03
    drawn_shift: float = 0.03
    drawn_turn: float = float(np.deg2rad(3.0))


@dataclass(frozen=True)
class SmoothOptions:
    """The whole-clip solver at the end of the road.

    Attributes:
        solver: smoothness. Tighter than the default, which stands beside outlines that count as if every pixel's error
            were its own: tracked poses carry their own covariance, which on real clips agrees with their scatter.
            That covariance stays, which is the safe side. In measured grasps accelerations are mostly below 1 m/s^2
            and 15 rad/s^2; Huber's kernel lets more pass.
        reach: standard deviations beyond which a measured pose loses influence against its neighbours ...
        firm: ... and the same for one that the mask confirms against them: hardly ever.
        guessed: factor on standard deviations measured with a shape that was made from outlines: where the shape is
            wrong, neighbouring residuals err together, while covariances count them as independent.
        continuity: which frames are not connected to the others.
    """

    solver: ClipOptions = field(
        default_factory=lambda: ClipOptions(
            acceleration_sigma=1.0,
            angular_acceleration_sigma=15.0,
            iterations=30,
            relative_tolerance=1e-4,
            mend_gap=3,
            covariance=False,
        )
    )
    reach: float = 4.0
    firm: float = 100.0
    guessed: float = 2.0
    continuity: ContinuityOptions = field(default_factory=ContinuityOptions)


@dataclass(frozen=True)
class FollowOptions:
    """When objects of known shape that were followed by region need no masks of their own.

    Attributes:
        valid: share of a clip's frames in which the track must be valid; with less, masks are made by segmentation.
    """

    valid: float = 0.5


@dataclass(frozen=True)
class RoadOptions:
    """All settings of the road from masks to objects."""

    start: StartOptions = field(default_factory=StartOptions)
    closed: ClosedOptions = field(default_factory=ClosedOptions)
    scale: ScaleOptions = field(default_factory=ScaleOptions)
    shared: SharedSizeOptions = field(default_factory=SharedSizeOptions)
    shape: ShapeOptions = field(default_factory=ShapeOptions)
    choice: ChoiceOptions = field(default_factory=ChoiceOptions)
    trial: TrialOptions = field(default_factory=TrialOptions)
    held: HeldOptions = field(default_factory=HeldOptions)
    evidence: EvidenceOptions = field(default_factory=EvidenceOptions)
    smooth: SmoothOptions = field(default_factory=SmoothOptions)
