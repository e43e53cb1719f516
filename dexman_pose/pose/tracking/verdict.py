"""Whether the poses of a track are to be used: signals of its frames in, flags and reasons out.

Four independent witnesses are asked of every frame: colours, edges along the outline, measured depth, and the mask.
A mesh with colours is confirmed or refuted by them whatever the mask says; then a mask that disagrees is lost, not the
pose. Without colours of its own an object must keep the colours it had in the picture when all was well. A pose that
jumps farther than an object can move is kept only where a witness other than the mask confirms it. Nothing here knows
a true pose: levels are compared with those the track itself reached while nothing spoke against it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from dexman_pose.arrays import Array
from dexman_pose.data import PoseTrack
from dexman_pose.data.doubt import Doubt, Doubts, pose_doubted
from dexman_pose.geometry.symmetry import SymmetryGroup
from dexman_pose.pose.tracking.signals import TrackSignals

Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class TrackVerdictOptions:
    """Levels at which a pose is doubted or confirmed.

    Calibrated on rendered scenes with planted failures (:mod:`dexman_pose.synthetic.scenes`, seeds 0 to 2), which
    ``bench flags`` measures too; ``points_confirm`` on a real clip in which an unnamed thing passes in front.

    Attributes:
        settled: frames from the start whose levels are the reference.
        high: percentile of a signal over the track that counts as its good level.
        colors_wrong: correlation of the mesh's colours below which the pose is refuted.
        colors_poor: below this it is, unless edges and mask agree; faces that carry little texture reach no more.
        colors_confirm: above this ...
        colors_share: ... and above this share of the good level, colours confirm a pose.
        points_confirm: points of the texture found where the pose has them from which they confirm it whatever covers
            the rest: something that no mask names may be in front, and lowers the correlation.
        hues_wrong: likeness of the picture's colours to those of the start below which a plain object is refuted.
        edges_wrong: edges along the outline, as a share of the good level, below which they refute.
        edges_least: edges along the outline below which they refute whatever the good level.
        edges_confirm: as a share of the good level, above which they confirm.
        depth_wrong: share of measured depth that agrees below which it refutes.
        depth_behind: share that lies farther below which colours that agree outweigh depth: something that no mask
            names is in front.
        depth_confirm: share that agrees above which it confirms.
        overlap_wrong: overlap with the mask below which the mask refutes.
        overlap_drop: drop of the overlap below its good level at which it refutes a mesh without colours.
        hidden: share of the drawn object in sight below which little holds the pose, and the overlap must not ...
        hidden_drop: ... fall by more than this below its good level.
        fit_least: overlap plus edges that a mesh without colours must reach where the start was searched for, and
            one with colours where these agree poorly.
        fit_drop: by which they may fall below their good level where the start was given.
        fit_regained: the same after a doubted pose: what was lost needs more to be believed again.
        mask_follows: overlap below which a mesh without colours is doubted where the mask's outline ...
        mask_lead: ... has stronger edges of the picture than the pose's by so much: another shape is there.
        mesh_overlap: good level of the overlap of a track below which the mesh is in doubt.
        shift: metres an object moves in a frame at most: 1.8 m/s at 30 frames a second.
        turn: degrees it turns in a frame at most.
        start_shift: metres, with ``start_turn`` degrees, by which what is found in the start's frame may differ ...
        start_turn: ... from the pose that was given for it.
        waited: frames with a doubted pose that widen the reach of the next step.
        off_shift: metres, with ``off_turn`` degrees, by which a pose may be off the middle of its neighbours ...
        off_turn: ... before it is an outlier; what the neighbours moved themselves is added.
    """

    settled: int = 5
    high: float = 75.0
    colors_wrong: float = 0.3
    colors_poor: float = 0.5
    colors_confirm: float = 0.5
    colors_share: float = 0.75
    points_confirm: float = 40.0
    hues_wrong: float = 0.65
    edges_wrong: float = 0.6
    edges_least: float = 0.3
    edges_confirm: float = 0.85
    depth_wrong: float = 0.5
    depth_behind: float = 0.2
    depth_confirm: float = 0.85
    overlap_wrong: float = 0.6
    overlap_drop: float = 0.1
    hidden: float = 0.3
    hidden_drop: float = 0.05
    fit_least: float = 1.4
    fit_drop: float = 0.12
    fit_regained: float = 0.08
    mask_follows: float = 0.95
    mask_lead: float = 0.08
    mesh_overlap: float = 0.75
    shift: float = 0.06
    turn: float = 45.0
    start_shift: float = 0.03
    start_turn: float = 20.0
    waited: int = 2
    off_shift: float = 0.02
    off_turn: float = 15.0


@dataclass(frozen=True)
class JudgedTrack:
    """A track as the tracker left it.

    Attributes:
        poses: (T, 4, 4) camera_from_object.
        tracked: (T,) frames in which the tracker held on to a pose.
        signals: of the frames.
        start: the frame it began in.
        colored: whether the mesh's colours say more than its shading does.
        partly_seen: whether the mesh was made from views of the clip; its other sides are guesses.
        center: (3,) the object's centre in its own frame, metres.
        symmetry: of the mesh.
        doubted: whether the start is in doubt.
        given: (4, 4) the start's pose where someone who knows it gave it; None where it was searched for.
    """

    poses: Array
    tracked: Flags
    signals: TrackSignals
    start: int
    colored: bool
    partly_seen: bool
    center: Array
    symmetry: SymmetryGroup
    doubted: bool = False
    given: Array | None = None


@dataclass(frozen=True)
class Witnesses:
    """What each frame's picture says, (T,) each.

    Attributes:
        against: sums of :class:`~dexman_pose.data.doubt.Doubt`, what refutes the pose.
        confirmed: something other than the mask confirms it.
        mask_off: the outline at the pose does not cover the mask.
    """

    against: Doubts
    confirmed: Flags
    mask_off: Flags


def judge(track: JudgedTrack, options: TrackVerdictOptions | None = None) -> Doubts:
    """(T,) what speaks against each pose; frames with nothing but a lost mask are to be used.

    Args:
        track: as the tracker left it.
        options: levels.
    """
    options = options or TrackVerdictOptions()
    doubt = np.where(track.tracked, 0, np.uint16(Doubt.NO_POSE)).astype(np.uint16)
    if not track.tracked.any():
        return doubt
    seen = witnesses(track, options)
    doubt |= np.where(track.tracked, seen.against, 0).astype(np.uint16)
    _add(doubt, Doubt.MESH, track.tracked & ~seen.confirmed & mesh_doubted(track, seen, options))
    _add(doubt, Doubt.OUTLIER, outliers(track, options))
    _add(doubt, Doubt.JUMP, jumped(track, ~pose_doubted(doubt), seen.confirmed, options))
    _add(doubt, Doubt.OVERLAP, not_regained(track, pose_doubted(doubt), seen.confirmed, options))
    if track.doubted or start_left(track, options):
        _add(doubt, Doubt.START, track.tracked & ~np.maximum.accumulate(seen.confirmed))
    _add(doubt, Doubt.MASK_LOST, track.tracked & seen.mask_off & ~pose_doubted(doubt))
    return doubt


def _add(doubt: Doubts, reason: Doubt, where: Flags) -> None:
    doubt[where] |= np.uint16(reason)


def witnesses(track: JudgedTrack, options: TrackVerdictOptions) -> Witnesses:
    """What colours, edges, depth and mask say of each frame; a witness that saw nothing says nothing."""
    o, s = options, track.signals
    overlap, edges, colors = (
        _level(s.overlap, track, o),
        _level(s.edges, track, o),
        _level(s.colors, track, o),
    )
    against = np.zeros(len(track.poses), np.uint16)
    textured = track.colored and not track.partly_seen
    fit = s.overlap + s.edges
    with np.errstate(invalid="ignore"):
        depth_off = s.depth_agrees < o.depth_wrong
        edges_good = s.edges >= o.edges_confirm * edges
        edges_off = s.edges < max(o.edges_least, o.edges_wrong * edges)
        mask_off = ~(s.overlap >= o.overlap_wrong)
        mask_worse = mask_off | (s.overlap < overlap - o.overlap_drop)
        hidden_off = (s.known < o.hidden) & (s.overlap < overlap - o.hidden_drop)
        confirmed = ~edges_off & (s.depth_agrees >= o.depth_confirm) & ~mask_worse
        if textured:
            pointed = (s.points >= o.points_confirm) & ~edges_off
            colors_good = (s.colors >= o.colors_confirm) & (s.colors >= o.colors_share * colors) | pointed
            colors_off = (s.colors < o.colors_wrong) | (
                (s.colors < o.colors_poor) & ~(edges_good & ~mask_worse & (fit >= o.fit_least))
            )
            depth_off &= ~(
                colors_good & (s.depth_behind < o.depth_behind)
            )  # something unlabelled is in front
            colors_off &= ~pointed
            explained = (colors_good & edges_good) | pointed
            _add(against, Doubt.COLORS, colors_off)
            _add(against, Doubt.OVERLAP, (mask_worse & ~explained) | (hidden_off & ~pointed))
            confirmed = (colors_good & ~edges_off) | (confirmed & ~colors_off)
        else:
            least = _level(fit, track, o) - o.fit_drop if track.given is not None else o.fit_least
            outdone = (s.overlap < o.mask_follows) & (s.mask_edges > s.edges + o.mask_lead)
            _add(
                against,
                Doubt.OVERLAP,
                mask_off | (mask_worse & ~edges_good) | (fit < least) | outdone | hidden_off,
            )
            as_before = fit >= _level(fit, track, o) - o.fit_regained  # a quick turn changes the light on it
            _add(against, Doubt.COLORS, hues_changed(track, o) & ~confirmed & ~as_before)
        if not track.partly_seen:
            _add(against, Doubt.DEPTH, depth_off & ~np.isnan(s.depth_agrees))
            _add(
                against,
                Doubt.EDGES,
                edges_off & ~np.isnan(s.edges) & ~(textured & (s.colors >= colors * o.colors_share)),
            )
    return Witnesses(against, confirmed, mask_off)


def _level(values: Array, track: JudgedTrack, options: TrackVerdictOptions) -> float:
    """The good level of a signal: the most of what it reached at a given start, around it, or often over the track."""
    near = slice(max(track.start - options.settled + 1, 0), track.start + options.settled)
    found = [-np.inf]
    if track.given is not None and np.isfinite(values[track.start]):
        found.append(float(values[track.start]))  # what follows may have been lost at once
    for part, share in ((values[near][track.tracked[near]], 50.0), (values[track.tracked], options.high)):
        finite = part[np.isfinite(part)]
        if len(finite):
            found.append(float(np.percentile(finite, share)))
    return max(found)


def _sweeps(start: int, count: int) -> tuple[range, range]:
    """Frames after the start, and before it backwards."""
    return range(start + 1, count), range(start - 1, -1, -1)


def hues_changed(track: JudgedTrack, options: TrackVerdictOptions) -> Flags:
    """(T,) whether the picture's colours at the pose differ from those of the last frames in which they did not.

    Light and side change slowly; another thing in its place shows other colours at once, and for good.
    """
    hues = track.signals.hues
    known = track.tracked & np.isfinite(hues).all(1)
    changed = np.zeros(len(hues), np.bool_)
    for sweep in _sweeps(track.start, len(hues)):
        usual = hues[track.start] if known[track.start] else None
        for t in sweep:
            if not known[t]:
                continue
            if usual is None:
                usual = hues[t]
            changed[t] = likeness(hues[t], usual) < options.hues_wrong
            if not changed[t]:
                usual = usual + (hues[t] - usual) / options.settled
    return changed


def likeness(first: Array, second: Array) -> float:
    """Bhattacharyya's coefficient in [0, 1] of two histograms of three channels, each summing to 1."""
    return float(np.sqrt(first * second).sum() / 3)


def mesh_doubted(track: JudgedTrack, seen: Witnesses, options: TrackVerdictOptions) -> bool:
    """Whether the mesh explains hardly any mask of the track, nor anything else in more than half of it."""
    if track.partly_seen or seen.confirmed[track.tracked].mean() > 0.5:
        return False
    return _level(track.signals.overlap, track, options) < options.mesh_overlap


def not_regained(track: JudgedTrack, doubted: Flags, confirmed: Flags, options: TrackVerdictOptions) -> Flags:
    """(T,) poses after a doubted one that fit neither as well as before nor are confirmed: what was lost stays so."""
    fit = track.signals.overlap + track.signals.edges
    with np.errstate(invalid="ignore"):
        well = confirmed | (fit >= _level(fit, track, options) - options.fit_regained)
    out = np.zeros(len(fit), np.bool_)
    for sweep in _sweeps(track.start, len(fit)):
        lost = bool(doubted[track.start])
        for t in sweep:
            lost = bool(doubted[t] or (lost and not well[t]))
            out[t] = lost and track.tracked[t]
    return out & ~doubted


def start_left(track: JudgedTrack, options: TrackVerdictOptions) -> bool:
    """Whether the start that was given lies so far off the pose found in its frame that one of them is wrong."""
    if track.given is None or not track.tracked[track.start]:
        return False
    turn, shift = _distances(track, track.poses[[track.start]], track.given[None])
    return bool(shift[0] > options.start_shift or turn[0] > np.radians(options.start_turn))


def outliers(track: JudgedTrack, options: TrackVerdictOptions) -> Flags:
    """(T,) whether a pose lies off the middle of its neighbours by much more than these are apart."""
    out = np.zeros(len(track.poses), np.bool_)
    if len(out) < 3:
        return out
    before, now, after = track.poses[:-2], track.poses[1:-1], track.poses[2:]
    apart_turn, apart = _distances(track, before, after)
    turns, shifts = zip(_distances(track, now, before), _distances(track, now, after))
    off = np.minimum(*shifts) > options.off_shift + apart
    off |= np.minimum(*turns) > np.radians(options.off_turn) + apart_turn
    out[1:-1] = off & track.tracked[:-2] & track.tracked[1:-1] & track.tracked[2:]
    return out


def _distances(track: JudgedTrack, first: Array, second: Array) -> tuple[Array, Array]:
    """Radians and metres (N,) between poses (N, 4, 4) modulo symmetry; metres between the object's centres."""
    return track.symmetry.pose_error(first, second, track.center)


def jumped(track: JudgedTrack, good: Flags, confirmed: Flags, options: TrackVerdictOptions) -> Flags:
    """(T,) whether a pose is out of reach of the last good one, and nothing but the mask confirms it.

    The reach grows with frames in which the object was not in sight, and a little with those whose pose is doubted:
    what is doubted stays so until it comes back to where it can have been or is confirmed.

    Args:
        track: as the tracker left it.
        good: (T,) frames that nothing else speaks against.
        confirmed: (T,) frames that something other than the mask confirms.
        options: of the reach.
    """
    out = np.zeros(len(track.poses), np.bool_)
    steps = _distances(track, track.poses[1:], track.poses[:-1])
    for sweep in _sweeps(track.start, len(out)):
        last, waited, unseen = (track.start if good[track.start] else None), 0, 0
        for t in sweep:
            if not track.tracked[t]:
                unseen += 1
                continue
            if last is not None and not confirmed[t]:
                turn, shift = _moved(track, steps, last, t)
                reach = 1 + unseen + min(waited, options.waited)
                out[t] = shift > reach * options.shift or turn > np.radians(reach * options.turn)
            if good[t] and not out[t]:
                last, waited, unseen = t, 0, 0
            else:
                waited += 1
    return out


def _moved(track: JudgedTrack, steps: tuple[Array, Array], start: int, end: int) -> tuple[float, float]:
    """Radians and metres from one frame to another; those of neighbours are known already."""
    if abs(start - end) == 1:
        return float(steps[0][min(start, end)]), float(steps[1][min(start, end)])
    turn, shift = _distances(track, track.poses[[end]], track.poses[[start]])
    return float(turn[0]), float(shift[0])


def tracked_again(track: PoseTrack) -> PoseTrack:
    """A judged track with all poses the tracker held on to valid again: for a solver that mends size and poses."""
    if track.doubt is None:
        return track
    return replace(track, valid=(track.doubt & np.uint16(Doubt.NO_POSE)) == 0)


def judged_again(track: PoseTrack, *, resized: bool, options: TrackVerdictOptions | None = None) -> PoseTrack:
    """A track that a solver has mended, or that nobody will: its doubted poses are not valid and have no confidence.

    Args:
        track: with the doubts it was tracked with.
        resized: the mesh was tracked in another size: what its outline said then counts only where the outline does
            not cover the mask now.
        options: levels.
    """
    if track.doubt is None:
        return track
    o, doubt = options or TrackVerdictOptions(), track.doubt.copy()
    if resized and track.mask_iou is not None:
        by_shape = Doubt.OVERLAP | Doubt.EDGES | Doubt.DEPTH | Doubt.MESH
        doubt[track.mask_iou >= o.mesh_overlap] &= ~np.uint16(by_shape)
    valid = track.valid & ~pose_doubted(doubt)
    return replace(track, valid=valid, confidence=np.where(valid, track.confidence, 0.0), doubt=doubt)
