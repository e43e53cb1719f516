"""Whether a pose found in one picture may be used, and what speaks against it.

No single signal tells: a mask that leaks is overlapped well by a wrong pose and badly by the right one, and a right
pose of a plain box may have a runner-up close behind. A mesh with colours is judged by them first; outline, edges and
depth judge where colours say little.
"""

from __future__ import annotations

from dataclasses import dataclass

from dexman_pose.pose.matching.color_agreement import ColorAgreement

AMBIGUOUS = "ambiguous"
"""Another pose explains the picture nearly as well."""
COLORS_DISAGREE = "colours disagree"
"""The picture does not show the mesh's colours where the pose puts them."""
OUTLINE_DISAGREES = "outline disagrees"
"""Outline and mask differ by more than a right pose and a good mask would."""
EDGES_DISAGREE = "edges disagree"
"""The picture shows too few of the edges that the shape should make."""
OUTLINE_UNSEEN = "outline not seen"
"""The picture's colours do not change where the outline of a mesh without colours should be."""
DEPTH_DISAGREES = "depth disagrees"
"""Measured depth is not that of the surface."""
LEAVES_IMAGE = "leaves the image"
"""Too little of the object is in the picture."""
MOSTLY_HIDDEN = "mostly hidden"
"""Too little of the object is not covered by something else."""
BOX_DISAGREES = "box disagrees"
"""The outline ends well within the box that somebody drew around the object, or reaches well out of it."""
MASK_DISAGREES = "mask disagrees with colours"
"""The mask contradicts the picture, the pose does not: the only doubt that leaves a pose valid."""


@dataclass(frozen=True)
class PoseSignals:
    """What one picture says for and against a pose.

    Attributes:
        overlap: of the rendered outline with the mask where something is known, in [0, 1].
        margin: score minus that of the best other pose, or None where there is none.
        colors: agreement of colours over the pose's own area, or None for a mesh without.
        edges: share of outline and creases that the picture shows, in [0, 1], or None where it was not measured.
        depth: share of measured depth on the mask that agrees, in [0, 1], or None without depth.
        inside: share of the object that lies in the picture, in [0, 1].
        seen: share of the rendered outline in the picture that nothing else covers, in [0, 1].
        region: share of the outline's lines at which the picture's colours change, in [0, 1], or None where that was
            not asked.
        boxed: share of a side of the box that somebody drew around the object by which the visible outline misses it,
            or None where nobody drew one.
    """

    overlap: float
    margin: float | None
    colors: ColorAgreement | None
    edges: float | None
    depth: float | None
    inside: float
    seen: float
    region: float | None = None
    boxed: float | None = None


@dataclass(frozen=True)
class VerdictOptions:
    """Limits of the signals.

    Found on rendered scenes with seeds of their own: plain shapes under masks that leak, miss a part or are boxes, and
    textured household things. There, without colours, wrong poses led by at most 0.032 and right ones by at least 0.07
    but for two; with colours, right poses agreed to 0.67 or more and wrong ones to 0.38 or less.

    Attributes:
        agreed: colour agreement that by itself vouches for a pose, where the mesh shows ``contrast``.
        refused: colour agreement below which a pose is refused, where the mesh shows ``contrast``.
        contrast: grey levels of local contrast at which the two above hold; with less, ``agreed`` falls in proportion
            and ``refused`` does not apply, for then shading outweighs print.
        least_contrast: grey levels of contrast below which colours are not asked.
        color_margin: score by which a pose that colours vouch for must lead.
        margin: score by which a pose that colours do not vouch for must lead ...
        close_margin: ... and by which it must where its overlap is ``sure_overlap``.
        sure_overlap: overlap with the mask that only an exact mask and a right outline reach.
        supported_margin: ... and by which it must where the picture shows ``supported_edges`` of its edges and its
            overlap is ``supported_overlap``: there, wrong poses led by at most 0.007 but for one that hid a handle
            where the mask missed it.
        supported_edges: share of the edges that right poses without colours reach, and wrong ones on box masks do not.
        supported_overlap: overlap that goes with them.
        overlap: least overlap with the mask of a pose that colours do not vouch for ...
        single_overlap: ... where there is no other pose to lead ...
        doubted_overlap: ... and where colours speak, but neither for nor clearly against it.
        odd_mask: overlap below which the mask of a pose that colours vouch for is said to be wrong.
        edges: least share of edges of a pose that colours do not vouch for.
        depth: least share of depth that agrees, of a pose that colours do not vouch for.
        inside: least share of the object in the picture, of a pose that colours do not vouch for.
        seen: least share of the object that nothing covers, of a pose that colours do not vouch for.
        region: least share of the outline's lines at which colours change, of a pose that colours do not vouch for.
        region_lead: factor on the leads asked for, where region has its share in the score.
        region_sure: share of the lines that, with ``supported_edges``, vouches for a pose whatever the mask says. On
            rendered shapes of which the mask held one half, right poses reached 0.98, wrong ones 0.92.
        region_led: the same share where the pose leads by ``far_lead``, which no wrong one did: many-coloured things on
            a cluttered table, whose masks held twice their area, reached 0.92 to 0.95, and led by 0.3.
        far_lead: that lead, score with the share of region in it.
        boxed: share of a side of a box that somebody drew by which the outline may miss it, of a pose that colours do
            not vouch for. Boxes are drawn a few pixels loose, which is taken off.
        boxed_far: the same of any pose: one side of a print agrees with another one drawn small by chance.
    """

    agreed: float = 0.55
    refused: float = 0.4
    contrast: float = 22.0
    least_contrast: float = 6.0
    color_margin: float = 0.02
    margin: float = 0.045
    close_margin: float = 0.008
    sure_overlap: float = 0.98
    supported_margin: float = 0.012
    supported_edges: float = 0.5
    supported_overlap: float = 0.9
    overlap: float = 0.7
    single_overlap: float = 0.85
    doubted_overlap: float = 0.95
    odd_mask: float = 0.8
    edges: float = 0.3
    depth: float = 0.5
    inside: float = 0.4
    seen: float = 0.25
    region: float = 0.75
    region_lead: float = 2.0
    region_sure: float = 0.96
    region_led: float = 0.9
    far_lead: float = 0.25
    boxed: float = 0.2
    boxed_far: float = 0.3


@dataclass(frozen=True)
class Verdict:
    """Whether a pose may be used, and why not.

    Attributes:
        valid: the pose is to be used.
        doubts: what speaks against it, the field's terms of this module; a valid pose has none, or
            :data:`MASK_DISAGREES`, which doubts the mask.
    """

    valid: bool
    doubts: tuple[str, ...]


_DEFAULT = VerdictOptions()


def judge(signals: PoseSignals, options: VerdictOptions = _DEFAULT) -> Verdict:
    """Weigh the signals of a pose.

    Args:
        signals: what the picture says.
        options: limits.
    """
    colors = signals.colors
    if colors is None or colors.contrast < options.least_contrast:
        doubts = _shape_doubts(signals, options)
        if doubts == (OUTLINE_DISAGREES,) and _is_seen(signals, options):
            return Verdict(True, (MASK_DISAGREES,))
        return Verdict(not doubts, doubts)
    if colors.value >= options.agreed * min(1.0, colors.contrast / options.contrast):
        if signals.margin is not None and signals.margin < options.color_margin:
            return Verdict(False, (AMBIGUOUS,))
        if signals.boxed is not None and signals.boxed > options.boxed_far:
            return Verdict(False, (BOX_DISAGREES,))
        return Verdict(True, (MASK_DISAGREES,) if signals.overlap < options.odd_mask else ())
    against = colors.contrast >= options.contrast and colors.value < options.refused
    if against or signals.overlap < options.doubted_overlap:
        return Verdict(False, (COLORS_DISAGREE, *_shape_doubts(signals, options)))
    doubts = _shape_doubts(signals, options)
    return Verdict(not doubts, doubts)


def _needed_lead(signals: PoseSignals, options: VerdictOptions) -> float:
    """Score by which a pose that colours do not vouch for must lead: less where outline and edges support it."""
    factor = 1.0 if signals.region is None else options.region_lead
    if signals.overlap >= options.sure_overlap:
        return factor * options.close_margin
    if _is_edged(signals, options) and signals.overlap >= options.supported_overlap:
        return factor * options.supported_margin
    return factor * options.margin


def _is_edged(signals: PoseSignals, options: VerdictOptions) -> bool:
    """Whether the picture shows as many edges as of a right pose."""
    return signals.edges is not None and signals.edges >= options.supported_edges


def _is_seen(signals: PoseSignals, options: VerdictOptions) -> bool:
    """Whether the picture shows the outline so well that the mask need not agree."""
    if signals.region is None or not _is_edged(signals, options):
        return False
    leads = signals.margin is not None and signals.margin >= options.far_lead
    return signals.region >= (options.region_led if leads else options.region_sure)


def _shape_doubts(signals: PoseSignals, options: VerdictOptions) -> tuple[str, ...]:
    """What outline, edges, depth and the runner-up say against a pose."""
    lead = _needed_lead(signals, options)
    overlap = options.single_overlap if signals.margin is None else options.overlap
    tests = (
        (AMBIGUOUS, signals.margin is not None and signals.margin < lead),
        (OUTLINE_DISAGREES, signals.overlap < overlap),
        (OUTLINE_UNSEEN, signals.region is not None and signals.region < options.region),
        (EDGES_DISAGREE, signals.edges is not None and signals.edges < options.edges),
        (DEPTH_DISAGREES, signals.depth is not None and signals.depth < options.depth),
        (LEAVES_IMAGE, signals.inside < options.inside),
        (MOSTLY_HIDDEN, signals.seen < options.seen),
        (BOX_DISAGREES, signals.boxed is not None and signals.boxed > options.boxed),
    )
    return tuple(doubt for doubt, holds in tests if holds)
