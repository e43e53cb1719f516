"""Settings of the tracker, in parts: how an object is followed, when it is lost, how it is found again.

Where a value says "stress suite", it was chosen on rendered scenes (:mod:`dexman_pose.synthetic.scenes`) of some seeds
and checked on others; where it says "real clips", on clips with known poses as well.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from dexman_pose.arrays import Array
from dexman_pose.pose.matching.options import FINE_TEXTURE, PointTrackOptions
from dexman_pose.pose.refinement.texture import TextureOptions
from dexman_pose.pose.tracking.signals import FrameSignals
from dexman_pose.pose.tracking.verdict import TrackVerdictOptions


@dataclass(frozen=True)
class MotionOptions:
    """How far and how the object is expected to move from frame to frame.

    Attributes:
        turn_kept: share of the last rotation that is expected again; hands accelerate often (stress suite).
        shift_kept: the same for the shift of the object's centre.
        rotation_sigma: standard deviation of the motion prior, radians per frame.
        shift_sigma: of its translation, in radii of the object; an outline needs room for leaps.
        texture_rotation: factor on ``rotation_sigma`` where texture guides, which leaves little room for leaps.
        texture_shift_sigma: in place of ``shift_sigma`` there.
    """

    turn_kept: float = 0.7
    shift_kept: float = 0.8
    rotation_sigma: float = 0.25
    shift_sigma: float = 0.5
    texture_rotation: float = 0.4
    texture_shift_sigma: float = 0.2


@dataclass(frozen=True)
class CropOptions:
    """The part of a frame that evidence is taken from: the mask's box joined with that of the expected pose.

    Attributes:
        margin: by which the crop is widened, as a share of its longer side.
        reach: in image sizes, how far beyond the image's middle a box may go.
        largest: times the mask's box above which the expected pose's box is left out, for it must be wrong.
        least_box: pixels; a projected box must be longer along x and y to be in sight.
        empty: pixels, side of the crop where there is neither mask nor projection.
    """

    margin: float = 0.06
    reach: float = 0.5
    largest: float = 4.0
    least_box: float = 8.0
    empty: float = 16.0


@dataclass(frozen=True)
class LossOptions:
    """When a frame's pose is rejected at once.

    Attributes:
        iou: outline overlap below which the object is lost.
        ncc: colour correlation below which a coloured mesh is lost.
        least_seen: share of the object's outline that must be in sight.
        textured_ncc: correlation at the start above which a coloured mesh is judged, and guided, by its colours.
        ncc_share: share of the correlation of good frames that has to be reached.
        ncc_share_confirmed: the same where ``confirming`` surface points agree; a hidden part costs correlation.
        confirming: number of agreeing surface points.
        ncc_kept: share of the good correlation kept from frame to frame.
        ncc_floor: share of the first correlation below which the good one never falls.
    """

    iou: float = 0.4
    ncc: float = 0.3
    least_seen: float = 0.1
    textured_ncc: float = 0.5
    ncc_share: float = 0.55
    ncc_share_confirmed: float = 0.4
    confirming: float = 30.0
    ncc_kept: float = 0.99
    ncc_floor: float = 0.8


@dataclass(frozen=True)
class TextureGuidedOptions:
    """Poses by the mesh's own colours and the picture's edges (stress suite, real clips).

    Attributes:
        iterations: most steps of a refinement on texture.
        outline_iterations: most steps of the one that takes the mask's outline in again.
        edge_weight: of the picture's edges along the outline.
        least_points: followed points above which the search starts from where they say.
        least_inliers: share of surface points that must agree.
        gray_iou: outline overlap that a pose by grey values alone must reach; they slide along smooth colours.
        gray_share: share of the good correlation that it must reach.
        gray_loss: correlation that a pose by grey values may lose where the mask's outline has a say; a mask that is
            wrong costs more, and is not asked then.
        mask_agrees: outline overlap above which the mask's outline is worth having too.
    """

    iterations: int = 10
    outline_iterations: int = 8
    edge_weight: float = 0.8
    least_points: int = 12
    least_inliers: float = 0.4
    gray_iou: float = 0.7
    gray_share: float = 0.8
    gray_loss: float = 0.03
    mask_agrees: float = 0.92


PULL_ONTO_COLORS: Final = TextureOptions(rounds=2, matching=FINE_TEXTURE, use_edges=False, until_rest=True)
"""A pose by the mask pulled onto the mesh's colours, which do not drift: two rounds in every frame, at rest one."""


@dataclass(frozen=True)
class MaskGuidedOptions:
    """Poses by the mask's outline and by surface points (stress suite).

    Attributes:
        start_iterations: most steps of the refinement of a start pose.
        iterations: most steps of a refinement from the prediction.
        poor_iou: outline overlap below which the last pose and one placed on the mask are tried too.
        fair_iou: overlap below which the known side of a mesh made from one view is tried now and then.
        known_side_every: frames between such tries.
        gain: overlap by which another start must be better.
        followed_weight: of a followed point beside points of earlier views, which carry no drift.
        keyframes: earlier views kept to be recognised; 0 for none.
    """

    start_iterations: int = 6
    iterations: int = 12
    poor_iou: float = 0.7
    fair_iou: float = 0.85
    known_side_every: int = 3
    gain: float = 0.03
    followed_weight: float = 0.25
    keyframes: int = 8


@dataclass(frozen=True)
class ConfidenceOptions:
    """How confidence is made of overlap, colours and what is seen.

    Attributes:
        good_iou: outline overlap that counts in full.
        seen_factor: times the visible share; half an object in sight counts in full.
        least_ncc: good correlation above which colours count.
        partly_seen: share of the confidence that colours decide for a mesh made from one view.
        least: confidence of a pose that is barely valid.
    """

    good_iou: float = 0.92
    seen_factor: float = 2.0
    least_ncc: float = 0.3
    partly_seen: float = 0.5
    least: float = 0.02


@dataclass(frozen=True)
class RelocalisationOptions:
    """How a lost object is looked for.

    Attributes:
        every: frames between searches everywhere, doubled each time, for they are expensive.
        near: poses tried around the last good one in the other frames.
        near_turn: radians by which these are turned.
        iterations: most steps of the refinement of each.
        keep: candidates of a search everywhere that are refined.
        around: poses tried around the view that a mesh was made from: it has no other sides worth trying.
        around_turn: radians by which these are turned.
        around_keep: of them, refined.
        gain: overlap plus correlation by which what is found must be better than the pose at hand.
    """

    every: int = 5
    near: int = 3
    near_turn: float = 0.6
    iterations: int = 10
    keep: int = 16
    around: int = 80
    around_turn: float = 1.2
    around_keep: int = 5
    gain: float = 0.05


@dataclass(frozen=True)
class SignalOptions:
    """How a drawn pose is compared with the picture.

    Attributes:
        side: pixels, longest side of the crop in which it is drawn; half of what refinement looks at is enough.
        least_pixels: drawn pixels below which nothing is compared.
        least_points: points of the outline below which edges say nothing.
        most_points: of the outline that are looked at.
        half: grey levels per pixel at which an edge of the picture counts half; that of the search.
        blur: pixels, of the picture before edges are looked for.
        mask_edges_below: overlap below which edges along the mask's own outline are looked for.
        depth_radius: tolerance of depth, in radii of the object.
        depth_floor: metres, least tolerance; about two standard deviations of a sensor at half a metre.
        depth_share: of the distance, least tolerance; errors of sensors grow with it.
        hue_bins: bins per channel of the histogram of colours.
        hue_stride: pixels from one to the next that the histogram counts.
    """

    side: int = 96
    least_pixels: int = 40
    least_points: int = 12
    most_points: int = 160
    half: float = 12.0
    blur: float = 0.8
    mask_edges_below: float = 0.95
    depth_radius: float = 0.15
    depth_floor: float = 0.01
    depth_share: float = 0.015
    hue_bins: int = 8
    hue_stride: int = 3


@dataclass(frozen=True)
class TrackOptions:
    """Settings of the tracker.

    Attributes:
        motion: prediction and priors.
        crop: where evidence is taken from.
        points: surface points followed from frame to frame.
        loss: when a pose is rejected.
        texture_guided: poses by the mesh's own colours.
        colors: how a pose by the mask is pulled onto the mesh's colours.
        mask_guided: poses by the mask.
        confidence: of a pose.
        relocalisation: of a lost object.
        signals: how a pose is compared with the picture afterwards.
        judged: whether it is; without it a track costs less, and no verdict can be given.
        verdict: when that makes a pose one that is not to be used.
    """

    motion: MotionOptions = field(default_factory=MotionOptions)
    crop: CropOptions = field(default_factory=CropOptions)
    points: PointTrackOptions = field(default_factory=PointTrackOptions)
    loss: LossOptions = field(default_factory=LossOptions)
    texture_guided: TextureGuidedOptions = field(default_factory=TextureGuidedOptions)
    colors: TextureOptions = PULL_ONTO_COLORS
    mask_guided: MaskGuidedOptions = field(default_factory=MaskGuidedOptions)
    confidence: ConfidenceOptions = field(default_factory=ConfidenceOptions)
    relocalisation: RelocalisationOptions = field(default_factory=RelocalisationOptions)
    signals: SignalOptions = field(default_factory=SignalOptions)
    judged: bool = True
    verdict: TrackVerdictOptions = field(default_factory=TrackVerdictOptions)


@dataclass(frozen=True)
class FramePose:
    """The outcome for one frame.

    Attributes:
        camera_from_object: (4, 4), metres; the last good pose where ``valid`` is False.
        valid: the tracker holds on to it.
        confidence: in [0, 1], 0 where it is not valid.
        iou: overlap of the rendered outline with the mask, in [0, 1].
        ncc: correlation of the mesh's colours with the picture, in [-1, 1].
        hessian: (6, 6) normal matrix of the twist about the object's centre.
        signals: what the picture says of the pose.
    """

    camera_from_object: Array
    valid: bool
    confidence: float
    iou: float
    ncc: float
    hessian: Array
    signals: FrameSignals = field(default_factory=FrameSignals)
