"""Options of the default segmentation backend, one frozen class per concern, composed in :class:`GrabCutOptions`.

Every class says where its values come from; a field says so itself where it differs. Lengths are in pixels of the
working size, densities are per histogram bin, log odds and weights have no unit. A pair given as a ramp is (value that
counts nothing, value that counts fully), linear in between.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from dexman_pose.imaging.options import FlowOptions
from dexman_pose.segmentation.grabcut.model_options import (
    BackgroundOptions,
    ColorOptions,
    EnclosedOptions,
    HandOptions,
    LabelingOptions,
    LocalColorOptions,
    PromptMaskOptions,
)

__all__ = [
    "DEFAULTS",
    "BackgroundOptions",
    "ColorOptions",
    "ConfidenceOptions",
    "EvidenceOptions",
    "FlowOptions",
    "GrabCutOptions",
    "HandOptions",
    "LabelingOptions",
    "LearningOptions",
    "LocalColorOptions",
    "MotionOptions",
    "PromptMaskOptions",
    "PropagationOptions",
    "RecoveryOptions",
]

Ramp = tuple[float, float]


@dataclass(frozen=True)
class MotionOptions:
    """The affine motion of one object between two frames. Chosen on rendered clips.

    Attributes:
        samples: about as many flow vectors vote.
        least_points: vectors; with fewer the object is taken to stand still.
        affine_points: vectors above which an affine motion is fitted, not a similarity.
        full_cover: share of a flow pixel that the object must cover.
        least_inner: flow pixels inside the eroded mask; with fewer the whole mask votes.
        still_median: pixels per frame, median step below which an object may stand still.
        still_high: pixels per frame, high percentile of the steps below which it does.
        still_percentile: that percentile.
        still_inlier: pixels per frame, a smaller step agrees with standing still.
        inlier: pixels, error up to which a vector follows the motion.
        inlier_per_step: the same, added per pixel of step.
        consistency: pixels, forward-backward miss at which a vector's weight falls to 1/e.
        consistency_per_step: the same, added per pixel of step.
        least_weight: of a vector, so that the fit is never empty.
        fit_iterations: of the reweighted least squares (Geman-McClure weights), at most.
        at_rest: pixels, at the object's rim; a smaller step ends the iterations.
        start_scale: pixels, lower limit of the first robust scale.
        scale_factor: of the robust scale over the median residual; 1.5 is near a Gaussian's 1.48.
        least_scale: pixels, lower limit of the robust scale.
        ridge: weight of "no deformation" relative to the data, against degenerate fits.
    """

    samples: int = 400
    least_points: int = 8
    affine_points: int = 150
    full_cover: float = 0.7
    least_inner: int = 60
    still_median: float = 0.12
    still_high: float = 0.3
    still_percentile: float = 80
    still_inlier: float = 0.6
    inlier: float = 1.0
    inlier_per_step: float = 0.05
    consistency: float = 0.5
    consistency_per_step: float = 0.1
    least_weight: float = 1e-3
    fit_iterations: int = 12
    at_rest: float = 1e-3
    start_scale: float = 0.5
    scale_factor: float = 1.5
    least_scale: float = 0.25
    ridge: float = 1e-3


@dataclass(frozen=True)
class EvidenceOptions:
    """What speaks for each label at each pixel. Chosen on rendered clips.

    Attributes:
        motion_weight: of log densities of the flow.
        motion_sigma: pixels, deviation of the flow of a pixel that moves with its object.
        motion_sigma_per_step: the same, added per pixel of the object's step.
        background_outliers: share of background pixels whose flow says nothing.
        object_outliers: share of an object's pixels whose flow says nothing.
        hand_flow: density of the flow under a hand, whose motion is not modelled.
        new_surface_factor: how likely a pixel that was background, and changed, is still not an object.
        new_surface_ratio: times ``background_density``, below which a pixel shows another surface than before.
        background_density: from it a pixel looks like the background; there the object's last appearance
            proves nothing, as background once taken for the object would look just as expected.
        unlike_ratio: times ``background_density``, below which a pixel cannot be the background.
        known_trust: trust in the background above which it tells something.
        known_with_hands: share of the time that the background near an object is hidden by nothing but objects and
            seen hands.
        known_without_hands: the same where no hand is seen.
        nearby_share: share of colours met near the object, against those of the whole clip, in what else may be seen.
        skin_share: share of skin in the colours of anything, where no hand is seen.
        appearance_share: share of the last seen colour of a place, against the object's colours.
        darkest_object: share of the light left in shadows on an object.
        darkest_background: share of the light left in shadows on the background near it.
        softness: pixels from the predicted outline in which log odds of the place change by 1.
        softness_per_step: pixels, added per pixel of step.
        most_added_softness: pixels, upper limit of that addition.
        rigid_weight: of the outline moved by the object's motion.
        dense_weight: of the outline moved by dense flow.
        similarity_share: share of the outline moved without shear in the rigid one.
        inside_log_odds: upper limit of the log odds of the place.
        far_log_odds: lower limit of them.
        far_unlike_log_odds: lower limit where something stands before the background.
        excluded_log_odds: log odds of an object where another is known to be.
    """

    motion_weight: float = 0.7
    motion_sigma: float = 0.7
    motion_sigma_per_step: float = 0.12
    background_outliers: float = 0.3
    object_outliers: float = 0.08
    hand_flow: float = 0.6
    new_surface_factor: float = 0.2
    new_surface_ratio: float = 0.1
    background_density: float = 0.01
    unlike_ratio: float = 0.3
    known_trust: float = 0.5
    known_with_hands: float = 0.8
    known_without_hands: float = 0.6
    nearby_share: float = 0.6
    skin_share: float = 0.5
    appearance_share: float = 0.5
    darkest_object: float = 0.5
    darkest_background: float = 0.4
    softness: float = 1.3
    softness_per_step: float = 0.12
    most_added_softness: float = 5.0
    rigid_weight: float = 0.65
    dense_weight: float = 0.4
    similarity_share: float = 0.5
    inside_log_odds: float = 4.0
    far_log_odds: float = -8.0
    far_unlike_log_odds: float = -4.0
    excluded_log_odds: float = -50.0


@dataclass(frozen=True)
class PropagationOptions:
    """Windows, clean-up and loss while objects are followed. Chosen on rendered clips.

    Attributes:
        working_side: pixels, larger frames are followed at this size; only final outlines are drawn at full size.
        object_side: pixels, frames are halved as long as the smallest object's box is this long thereafter.
        least_side: pixels, lower limit of each side of the working size.
        covered_margin: pixels around objects that are not learned as background on the prompt frame.
        core: belief in the object's presence above which a pixel counts for its window.
        core_margin: pixels around those.
        search_margin: share of the square root of the object's area that is searched around its prediction.
        search_limits: pixels, lower and upper limit of that margin.
        search_per_step: pixels, added per pixel of step.
        still_levels: grey levels, change of small pictures up to which a window shows the same as before: its mask
            stays as it is.
        fast_step: pixels per frame, above which fine flow begins at that of whole frames.
        flow_margin: share of the object's longer side beyond that margin in which flow is computed.
        least_pixels: with fewer the object is lost.
        least_share: of the usual area, with less the object is lost.
        least_part: pixels, smaller parts of a mask go.
        least_part_share: of the mask, smaller parts go; the larger of both limits holds.
        largest_hole: pixels, smaller holes are filled.
        outline_margin: probability by which pixels in a cleaned mask are at least above one half, others below.
        moving_step: pixels per frame, above which parts that stand still are left behind.
        left_behind: share of a part's pixels whose flow is nearer to rest than to the object's motion, from which the
            part goes.
    """

    working_side: int = 960
    object_side: int = 100
    least_side: int = 16
    covered_margin: int = 3
    core: float = 0.3
    core_margin: int = 2
    search_margin: float = 0.13
    search_limits: tuple[int, int] = (10, 40)
    search_per_step: float = 0.4
    still_levels: int = 3
    fast_step: float = 12.0
    flow_margin: float = 0.1
    least_pixels: float = 12.0
    least_share: float = 0.04
    least_part: float = 6.0
    least_part_share: float = 0.004
    largest_hole: int = 8
    outline_margin: float = 0.05
    moving_step: float = 1.5
    left_behind: float = 0.6


@dataclass(frozen=True)
class LearningOptions:
    """What is learned of an object and its surroundings while it is followed. Chosen on rendered clips.

    Attributes:
        every: frames, colours change slowly and are learned this seldom.
        least_confidence: of a mask from which the object's colours are learned.
        edge: pixels at an outline, either way, from which nothing is learned.
        object_rate: share of the newest frame in the object's colours.
        initial_share: share of the colours of the prompt frame in the object's colours, so that none drift away.
        area_rate: share of the newest frame in the usual area.
        skin_ratio: of the object's first colours over skin, above which a pixel is not learned from a hand.
        known_trust: trust in the background above which it tells something.
        surround: share of the square root of the object's area, how far its surroundings reach on the prompt frame.
        surround_limits: pixels, limits of that width.
        surround_rate: share of the newest frame in the colours around the object.
        least_surround: pixels of background; fewer teach nothing.
        distractor_rate: share of the newest frame in the colours of what passes before the background.
        distractor_margin: pixels from the object's layer at which such colours are learned.
        absent: belief in the object's presence below which a pixel is not its own.
        background_margin: pixels from the object's layer at which background seen for the first time is learned.
        background_ratio: of surrounding over object colours, above which such a pixel is background.
        background_familiar: times the uniform density, lower limit of the density under the colours around it.
        presence: belief in the object above which a pixel is part of its layer.
        hidden_keep: factor of the belief per frame, where other objects or hands are in front.
        bare_keep: the same where the background is seen.
        unseen_keep: the same elsewhere.
        appearance_rate: share of the newest frame in the last seen colours.
    """

    every: int = 3
    least_confidence: float = 0.5
    edge: int = 2
    object_rate: float = 0.08
    initial_share: float = 0.5
    area_rate: float = 0.1
    skin_ratio: float = 0.5
    known_trust: float = 0.3
    surround: float = 0.25
    surround_limits: tuple[int, int] = (12, 60)
    surround_rate: float = 0.5
    least_surround: int = 50
    distractor_rate: float = 0.25
    distractor_margin: int = 12
    absent: float = 0.2
    background_margin: int = 3
    background_ratio: float = 3.0
    background_familiar: float = 30.0
    presence: float = 0.5
    hidden_keep: float = 1.0
    bare_keep: float = 0.2
    unseen_keep: float = 0.96
    appearance_rate: float = 0.35


@dataclass(frozen=True)
class ConfidenceOptions:
    """How far a mask is trusted: a product of independent checks. Chosen on rendered clips.

    Attributes:
        least_pixels: a smaller mask has no confidence.
        probability: ramp of the mean probability of the object's label in the mask.
        color_ratio: of the object's over the surrounding colours, above which a pixel agrees.
        color: ramp of the share of pixels that agree.
        color_floor: factor where none agree.
        inliers: ramp of the share of pixels that follow the object's motion.
        inliers_floor: factor where none do.
        unexplained: ramp of the share of ring pixels that hide the background and are nothing known.
        unexplained_cost: fall of the factor where all do.
        background_like: ramp of the share of inner pixels that look like the background.
        background_like_cost: fall of the factor where all do.
        largest_ratio: of the area over its usual value, above which the factor falls.
        overlap: ramp of the mask's overlap (intersection over union) with its prediction.
        overlap_floor: factor where there is none.
        border_cost: fall of the factor when as many border pixels are in the mask as its area's square root.
        border_floor: lower limit of that factor.
        ring: pixels, outer width of the ring around the mask.
        known_trust: trust in the background above which it may contradict a mask.
        unlike_ratio: times the background density of the evidence, below which a ring pixel is not background.
    """

    least_pixels: int = 12
    probability: Ramp = (0.6, 0.93)
    color_ratio: float = 0.7
    color: Ramp = (0.2, 0.75)
    color_floor: float = 0.3
    inliers: Ramp = (0.2, 0.7)
    inliers_floor: float = 0.4
    unexplained: Ramp = (0.2, 0.7)
    unexplained_cost: float = 0.7
    background_like: Ramp = (0.1, 0.5)
    background_like_cost: float = 0.7
    largest_ratio: float = 1.6
    overlap: Ramp = (0.4, 0.8)
    overlap_floor: float = 0.4
    border_cost: float = 1.2
    border_floor: float = 0.15
    ring: int = 7
    known_trust: float = 0.5
    unlike_ratio: float = 0.1


@dataclass(frozen=True)
class RecoveryOptions:
    """Finding a lost object again by its colours. Chosen on rendered clips.

    Attributes:
        stride: pixels, every such row and column is looked at, for time.
        background_trust: upper limit of the trust in the background.
        excluded_log_ratio: log colour ratio where other objects are.
        blur: strides, standard deviation of the smoothing of the log colour ratio.
        least_log_ratio: log of the object's over other colours, from which a pixel may be the object.
        area_limits: of the part found over the object's usual area.
    """

    stride: int = 2
    background_trust: float = 0.9
    excluded_log_ratio: float = -5.0
    blur: float = 1.5
    least_log_ratio: float = 1.0
    area_limits: tuple[float, float] = (0.2, 2.0)


@dataclass(frozen=True)
class GrabCutOptions:
    """All options of the default backend; the default instance is what ``segment_clip`` uses.

    Attributes:
        color: colour histograms and expected colours.
        labeling: the Potts model while objects are followed.
        background: what the fixed camera sees without objects.
        hands: occluding hands and forearms.
        prompt: the mask on the prompt frame.
        enclosed: what a box encloses.
        local_color: its relabelling with local background colours.
        flow: optical flow.
        motion: motion of one object.
        evidence: what speaks for each label.
        propagation: windows, clean-up, loss.
        learning: what is updated from frame to frame.
        confidence: trust in a mask.
        recovery: finding a lost object again.
    """

    color: ColorOptions = field(default_factory=ColorOptions)
    labeling: LabelingOptions = field(default_factory=LabelingOptions)
    background: BackgroundOptions = field(default_factory=BackgroundOptions)
    hands: HandOptions = field(default_factory=HandOptions)
    prompt: PromptMaskOptions = field(default_factory=PromptMaskOptions)
    enclosed: EnclosedOptions = field(default_factory=EnclosedOptions)
    local_color: LocalColorOptions = field(default_factory=LocalColorOptions)
    flow: FlowOptions = field(default_factory=FlowOptions)
    motion: MotionOptions = field(default_factory=MotionOptions)
    evidence: EvidenceOptions = field(default_factory=EvidenceOptions)
    propagation: PropagationOptions = field(default_factory=PropagationOptions)
    learning: LearningOptions = field(default_factory=LearningOptions)
    confidence: ConfidenceOptions = field(default_factory=ConfidenceOptions)
    recovery: RecoveryOptions = field(default_factory=RecoveryOptions)


DEFAULTS: Final = GrabCutOptions()
"""What ``segment_clip`` uses."""
