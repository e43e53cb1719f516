"""How the table is found: every threshold and standard deviation."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class FaceOptions:
    """Which faces of an object's convex hull it can stand on.

    Attributes:
        same: radians within which facets of the hull are one face.
        apart: radians by which two faces differ.
        foot: share of the object's radius by which the middle may lie beyond the edge of a face it stands on: the
            middle of the surface is not quite that of the mass.
        mesh: metres by which meshes are off.
        touch: metres above a table within which corners touch it.
        beside: share of a facet by which the middle may lie beside the one that carries it.
        narrow: metres, root mean square, to which a foot is a line.
        curved: the largest standard deviation that a curved foot may give, radians.
        most: faces kept.
        corners: of the hull that are looked at.
    """

    same: float = 0.14
    apart: float = 0.14
    foot: float = 0.06
    mesh: float = 0.0008
    touch: float = 0.0015
    beside: float = 0.02
    narrow: float = 0.008
    curved: float = 0.1
    most: int = 24
    corners: int = 1000


@dataclass(frozen=True)
class RestOptions:
    """When an object is at rest.

    Attributes:
        lateral: metres across the line of sight by which it may seem to move.
        along: share of its distance by which it may seem to move along the line of sight.
        turn: radians by which it may seem to turn.
        frames: valid frames that a rest needs.
        long: seconds of a rest that is not brief: hands hold still for a moment.
        slips: frames in a row beyond these that do not end it.
        joined: factor on the three within which two rests are one.
        clear: metres, at the object's distance, between its outline and the nearest joint of a hand that is away.
        beyond: share of the object's distance by which a hand is plainly before or behind it.
        moving: metres, at the object's distance, by which a hand moves that does not hold what stands still.
        free: share of the frames of a rest in which no hand may be near.
    """

    lateral: float = 0.003
    along: float = 0.012
    turn: float = 0.05
    frames: int = 4
    long: float = 0.4
    slips: int = 2
    joined: float = 1.5
    clear: float = 0.03
    beyond: float = 0.25
    moving: float = 0.015
    free: float = 0.3


@dataclass(frozen=True)
class SigmaOptions:
    """How far evidence is off: standard deviations.

    Attributes:
        turn: radians, rotation of a pose.
        lateral: metres, its place across the line of sight.
        along: share of its distance along the line of sight.
        covariance: factor on the standard deviations of a pose's own covariance: neighbouring residuals are alike. On
            rendered films boxes and cans are off along the line of sight by 1 to 2 of these, thin things (markers,
            scissors, a banana) by 2 to 6.
        unsized: the same of an object whose size rests on hands.
        unknown: the same of one whose size is unknown.
        focal: factor on the three where the focal length was estimated.
        assumed: the same where it was assumed.
        depth_turn: radians, the least of a plane of depth images.
        depth_place: metres, the least of its place.
        hand_turn: radians, of the plane under a hand that rests.
        hand_place: metres across the line of sight, and under a hand.
        hand_along: share of a hand's distance.
        held: factor on an object's place while it moves.
    """

    turn: float = 0.026
    lateral: float = 0.0015
    along: float = 0.008
    covariance: float = 3.0
    unsized: float = 0.1
    unknown: float = 0.5
    focal: float = 1.5
    assumed: float = 2.5
    depth_turn: float = 0.02
    depth_place: float = 0.004
    hand_turn: float = 0.26
    hand_place: float = 0.02
    hand_along: float = 0.06
    held: float = 2.0


@dataclass(frozen=True)
class PriorOptions:
    """What is known of tables and cameras before a clip is seen.

    Attributes:
        roll: standard deviation of the share of up that lies across the picture.
        elevation: radians, the angle by which cameras look down on tables, its middle.
        elevation_sigma: its standard deviation.
        nearest: metres, the least height of a camera above the table.
        upright: the largest share of up that may point down in the picture.
        lifted: metres by which what hands move is lifted.
        not_lifted: what it costs when nothing is, in units of the logarithm of a probability.
        moved: metres of way from which an object counts as moved.
        wrong: probability that something seen at rest stands on something else than the table.
        unknown: the same where no hand is known to be away from it.
        brief: the same for a moment.
        deepest: standard deviations under the table, the most that is counted.
        hand_deepest: the same of hands.
        skin: metres from a joint to the skin.
        quantile: share of the frames that count for how deep things are.
    """

    roll: float = 0.2
    elevation: float = 0.65
    elevation_sigma: float = 0.4
    nearest: float = 0.05
    upright: float = 0.1
    lifted: float = 0.03
    not_lifted: float = 1.5
    moved: float = 0.05
    wrong: float = 0.08
    unknown: float = 0.4
    brief: float = 0.6
    deepest: float = 5.0
    hand_deepest: float = 3.0
    skin: float = 0.008
    quantile: float = 0.9


@dataclass(frozen=True)
class DepthOptions:
    """How planes are found in depth images.

    Attributes:
        frames: that are looked at.
        around: of the objects' size, how far beside and below them points are taken.
        points: taken at most.
        fewest: needed.
        tries: planes through three points that are tried.
        near: metres from a plane within which a point is on it, at one metre; it grows with the square of depth.
        floor: metres, the same at no depth.
        share: of the points that have to be on a plane.
        planes: looked for.
        rounds: of least squares.
        independent: points that count as one: neighbours err alike.
    """

    frames: int = 5
    around: float = 1.0
    points: int = 12000
    fewest: int = 400
    tries: int = 300
    near: float = 0.003
    floor: float = 0.002
    share: float = 0.2
    planes: int = 3
    rounds: int = 6
    independent: float = 200.0


@dataclass(frozen=True)
class HandRestOptions:
    """When a hand rests on the table.

    Attributes:
        seconds: that it has to keep still.
        still: metres by which its joints may seem to move meanwhile.
        flat: metres, root mean square, by which wrist and finger tips may lie beside one plane.
    """

    seconds: float = 0.4
    still: float = 0.012
    flat: float = 0.015


@dataclass(frozen=True)
class FitOptions:
    """The joint fit and what makes a table of it.

    Attributes:
        rounds: of reweighted least squares.
        knee: standard deviations from which a residual counts less (Cauchy).
        outlier: standard deviations beyond which evidence is not the table's; of planes that make no table by
            themselves ``knee`` ones.
        alike: share of an error's variance that all rests of one object have in common: mesh, focal length.
        same: radians within which two candidates are one.
        sure: probability that the best candidate needs.
        stands: probability needed that any of the things at rest on it, or planes seen, is the table's.
        tilt: radians, the largest standard deviation of the normal that makes a world.
    """

    rounds: int = 12
    knee: float = 2.0
    outlier: float = 4.0
    alike: float = 0.3
    same: float = 0.2
    sure: float = 0.85
    stands: float = 0.55
    tilt: float = 0.12


@dataclass(frozen=True)
class SizeOptions:
    """When an object gets its size from the table it stands on.

    Attributes:
        factor: largest factor, either way, that is believed.
        apart: by how much (logarithm) factors of its rests may differ.
        foot: metres, standard deviation of its foot's height.
        error: largest share by which the factor may be off.
    """

    factor: float = 2.5
    apart: float = 0.06
    foot: float = 0.008
    error: float = 0.06


@dataclass(frozen=True)
class StandingOptions:
    """When an object at rest is brought to where it stands on the table.

    Attributes:
        reach: radians by which it is tipped at most.
        even: metres by which feet and tables are uneven.
        foot: metres above the table up to which corners of a hull that stands are its foot.
        surer: times as well as the object the table must be known there, or the object stays.
        doubt: standard deviations beyond which it does not stand there.
        fade: seconds over which that is lost before and after the rest.
    """

    reach: float = 0.4
    even: float = 0.001
    foot: float = 0.002
    surer: float = 1.5
    doubt: float = 4.0
    fade: float = 0.3


@dataclass(frozen=True)
class SceneOptions:
    """All options of :func:`~dexman_pose.scene.estimate.estimate_scene`."""

    faces: FaceOptions = field(default_factory=FaceOptions)
    rests: RestOptions = field(default_factory=RestOptions)
    sigmas: SigmaOptions = field(default_factory=SigmaOptions)
    priors: PriorOptions = field(default_factory=PriorOptions)
    depth: DepthOptions = field(default_factory=DepthOptions)
    hands: HandRestOptions = field(default_factory=HandRestOptions)
    fit: FitOptions = field(default_factory=FitOptions)
    sizes: SizeOptions = field(default_factory=SizeOptions)
    standing: StandingOptions = field(default_factory=StandingOptions)
    sample: int = 60
    """Frames and points of a hull that are looked at, at most."""
