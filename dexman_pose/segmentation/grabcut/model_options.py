"""Options of the models that the default backend is built from: colours, labelling, background, hands, prompt mask.

Every class says where its values come from; a field says so itself where it differs. Lengths are in pixels of the
working size, densities are per histogram bin, log odds and weights have no unit.
"""

from __future__ import annotations

from dataclasses import dataclass

Shades = tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class ColorOptions:
    """Colour histograms in CIE Lab, and the Gaussian around an expected colour. Chosen on rendered clips.

    Attributes:
        weight: of log colour densities against priors, below 1 as neighbouring pixels are not independent samples.
        sigma_lightness: lightness bins, spread of one surface's lightness from frame to frame.
        sigma_chroma: 8-bit Lab units, the same for a and for b.
        uniform_density: density that stands for colours not yet seen: uniform over the colours that occur in
            pictures, about an eighth of the table's bins.
        narrow_sigma: bins in (lightness, chroma), smoothing of the histogram: noise of one surface.
        narrow_truncate: standard deviations at which that smoothing is cut.
        narrow_share: share of the narrowly smoothed histogram in the density.
        broad_sigma: bins in (lightness, chroma), smoothing for colours near to those seen.
        broad_truncate: standard deviations at which that smoothing is cut.
        broad_share: share of the broadly smoothed histogram.
        uniform_share: share of the uniform density.
        shades: pairs of (share of the light left in a shadow, how often it is met beside the lit surface).
        darkest: share of the light left in the darkest shadow, where the caller names none.
        brightest: factor by which a surface may be brighter than expected.
        shade_price: deviations that a change of the light by 100 % costs.
        shade_price_limit: squared deviations that the deepest shadow costs: where things touch, light fades to
            almost nothing.
    """

    weight: float = 0.7
    sigma_lightness: float = 0.75
    sigma_chroma: float = 3.0
    uniform_density: float = 1.0 / 5000.0
    narrow_sigma: tuple[float, float] = (0.7, 0.8)
    narrow_truncate: float = 3.0
    narrow_share: float = 0.85
    broad_sigma: tuple[float, float] = (2.0, 2.5)
    broad_truncate: float = 2.0
    broad_share: float = 0.1
    uniform_share: float = 0.05
    shades: Shades = ((0.85, 0.15), (0.7, 0.1), (0.55, 0.07))
    darkest: float = 0.1
    brightest: float = 1.15
    shade_price: float = 4.0
    shade_price_limit: float = 3.5


@dataclass(frozen=True)
class LabelingOptions:
    """Mean field of the Potts model that labels pixels. Chosen on rendered clips.

    Attributes:
        smoothness: log odds by which equally coloured neighbours agree.
        iterations: mean-field updates at half resolution, where most of the work is done.
        fine_iterations: updates at full resolution after those.
        least_coarse_side: pixels, windows with a smaller half-size side are solved at full resolution alone.
        contrast_factor: colour differences are scaled by this times their mean square; 2 is the value of Rother,
            Kolmogorov and Blake (2004).
        least_contrast: squared Lab units, lower limit of that scale: noise of a flat picture is no edge.
        uncut_share: share of the smoothness that acts across any edge.
    """

    smoothness: float = 1.6
    iterations: int = 7
    fine_iterations: int = 2
    least_coarse_side: int = 16
    contrast_factor: float = 2.0
    least_contrast: float = 20.0
    uncut_share: float = 0.08


@dataclass(frozen=True)
class BackgroundOptions:
    """The background of a fixed camera, from samples of the clip. Chosen on rendered clips.

    Attributes:
        samples: frames taken from the clip, for memory and time.
        same_lab: 8-bit units of (L, a, b) within which two samples of a pixel show the same surface.
        object_ratio: a sample this many times likelier under an object's colours than under those around it may be
            the object.
        familiar_ratio: times the uniform density, above which a colour counts as one of the surroundings.
        darkest: share of the light in a shadow down to which a sample may still be the object.
        same_density: below it a sample is not the object in shadow.
        least_free_share: share of the samples, lower limit of the time a pixel counts as uncovered.
        least_samples: samples that must show what lies under an object.
        least_sample_share: the same as a share of all samples; the larger of both is asked for.
        agreement: share of those samples, or trust, above which a background colour is known.
        guessed_trust: trust in a colour taken from the neighbourhood, as the pixel was never seen uncovered.
        learned_trust: trust in a colour first seen while objects are followed.
    """

    samples: int = 24
    same_lab: tuple[int, int, int] = (14, 7, 7)
    object_ratio: float = 1.5
    familiar_ratio: float = 1.5
    darkest: float = 0.4
    same_density: float = 1e-3
    least_free_share: float = 0.2
    least_samples: int = 2
    least_sample_share: float = 0.12
    agreement: float = 0.5
    guessed_trust: float = 0.25
    learned_trust: float = 0.6


@dataclass(frozen=True)
class HandOptions:
    """Where hands and forearms are, and the colours of skin. Lengths are shares of the palm's length.

    Chosen on rendered clips.

    Attributes:
        skin_frames: frames of the clip from which skin colours are taken.
        skin_rate: share of the newest frame in the skin colours.
        skin_bulk: share of the pixels under the joints that count as skin; the rarest colours do not.
        skeleton_log_odds: log odds of a hand on its skeleton.
        forearm_log_odds: log odds of a hand on the forearm's axis.
        far_log_odds: lower limit of the log odds, far away.
        area_log_odds: above it a pixel counts as possibly covered by a hand.
        softness: palm lengths in which the log odds fall by 1.
        least_softness: pixels, lower limit of that length.
        finger_width: palm lengths, width of the drawn fingers.
        forearm_width: palm lengths, width of the drawn forearm.
        least_width: pixels, lower limit of both widths.
        core_width: palm lengths, width of the lines under which skin is looked at.
        forearm_length: palm lengths from the wrist to the end of the drawn forearm.
        window_margin: palm lengths by which the window around a hand is wider than its joints.
        least_palm: pixels, lower limit of the palm's length.
        background_trust: upper limit of the trust in the background where a hand is told from it.
    """

    skin_frames: int = 12
    skin_rate: float = 0.3
    skin_bulk: float = 0.85
    skeleton_log_odds: float = 2.5
    forearm_log_odds: float = 1.0
    far_log_odds: float = -6.0
    area_log_odds: float = -2.0
    softness: float = 0.04
    least_softness: float = 1.0
    finger_width: float = 0.17
    forearm_width: float = 0.55
    least_width: int = 2
    core_width: float = 0.06
    forearm_length: float = 1.3
    window_margin: float = 0.4
    least_palm: float = 12.0
    background_trust: float = 0.9


_STIFF_LABELING = LabelingOptions(smoothness=2.0, iterations=12)


@dataclass(frozen=True)
class LocalColorOptions:
    """Relabelling of a first mask with background colours that depend on the place. Chosen on rendered clips.

    Attributes:
        rounds: times the mask is labelled again.
        labeling: the Potts model, stiffer than while objects are followed.
        cells: nodes of the grid of background colours, per side.
        reach: share of the crop's longer side, standard deviation of the place of the pixels a node learns from.
        cell_overlap: grid spacing over the standard deviation with which nodes are blended.
        least_blend: weight below which a node does not count.
        known_inside: weight, as background colours, of pixels that may be the object but are not in its mask.
        background_trust: upper limit of the trust in the background seen at other times.
        color_rate: share of the newest mask in the object's colours.
        box_softness: pixels from the border of the allowed area in which log odds change by 1.
        box_log_odds: limits of the log odds given by that border.
        mask_softness: pixels from the outline of the last mask in which log odds change by 1.
        mask_log_odds: limit, either way, of the log odds given by the last mask.
        mask_weight: of those log odds.
        loose: share of the box's side; a wider gap between object and box is not what a user draws.
        loose_log_odds: log odds of the object in such a gap.
        least_pixels: of object and of background, fewer say nothing.
        excluded_log_odds: log odds of the object where it cannot be.
    """

    rounds: int = 4
    labeling: LabelingOptions = _STIFF_LABELING
    cells: int = 6
    reach: float = 0.15
    cell_overlap: float = 1.5
    least_blend: float = 0.05
    known_inside: float = 0.25
    background_trust: float = 0.6
    color_rate: float = 0.4
    box_softness: float = 3.0
    box_log_odds: tuple[float, float] = (-1.0, 0.2)
    mask_softness: float = 3.0
    mask_log_odds: float = 2.0
    mask_weight: float = 0.35
    loose: float = 0.09
    loose_log_odds: float = 0.8
    least_pixels: int = 12
    excluded_log_odds: float = -50.0


@dataclass(frozen=True)
class EnclosedOptions:
    """What a box encloses, by the change of colour on the way out of it. Chosen on rendered clips.

    Attributes:
        blur: pixels, standard deviation by which noise is smoothed first.
        lightness: weight of lightness beside colour: shadows change it alone.
        sweeps: over the picture, forwards and back in turn.
        barrier: 8-bit units of Lab: changes below it speak against the object.
        softness: of a change, over which log odds change by 1.
        log_odds: their limits. No change speaks for the object: what the background shows through a ring is enclosed.
        sure: log odds below which a pixel begins as background.
    """

    blur: float = 0.7
    lightness: float = 0.7
    sweeps: int = 6
    barrier: float = 8.0
    softness: float = 4.0
    log_odds: tuple[float, float] = (-1.5, 0.0)
    sure: float = -0.5


@dataclass(frozen=True)
class PromptMaskOptions:
    """The mask of an object on its prompt frame. Chosen on rendered clips.

    Attributes:
        iterations: of GrabCut; OpenCV's example takes 5.
        least_pixels: of a mask; fewer are no object.
        largest_hole: pixels, smaller holes are filled.
        hand_density: of colour, with the log prior of a hand beside it, above which a pixel starts as background.
        margin: share of the box's longer side shown around the box.
        margin_pixels: pixels added to that.
        click_spread: times the extent of the positive clicks, how far the object may reach beyond them.
        click_reach: share of the picture's shorter side, lower limit of that reach.
        probable_radius: pixels around a positive click that start as probable object, lower limit.
        probable_share: the same as a share of the crop's shorter side.
        sure_radius: pixels around a click whose label is certain.
        least_part: pixels, smaller parts of the mask go.
        least_part_share: of the largest part, smaller ones go; the larger of both limits holds.
    """

    iterations: int = 5
    least_pixels: int = 12
    largest_hole: int = 12
    hand_density: float = 1e-3
    margin: float = 0.35
    margin_pixels: int = 10
    click_spread: float = 0.8
    click_reach: float = 0.18
    probable_radius: int = 6
    probable_share: float = 1 / 8
    sure_radius: int = 3
    least_part: int = 8
    least_part_share: float = 0.1
