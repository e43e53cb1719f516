"""Which kind of shape explains a clip: every guess is followed through a few frames, and the masks decide."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from dexman_pose.arrays import Array, Mask
from dexman_pose.data import OCCLUDER, Mesh
from dexman_pose.meshing.hypotheses.guesses import ShapeGuess
from dexman_pose.meshing.hypotheses.options import ExtrudedOptions, SwollenOptions
from dexman_pose.meshing.hypotheses.outlines import Outline
from dexman_pose.meshing.hypotheses.registry import GuessOptions, guesses, remade
from dexman_pose.meshing.paint import Painter
from dexman_pose.meshing.silhouette import close_gaps
from dexman_pose.pose.clip.few_frames import FewFrames, few_frames
from dexman_pose.pose.clip.options import ChoiceOptions
from dexman_pose.pose.clip.types import ObjectStart
from dexman_pose.pose.observation.view import ObjectClip
from dexman_pose.render import Rasterizer

_log = logging.getLogger(__name__)
_DEFAULTS = ChoiceOptions()
_GUESSES = GuessOptions()
_COARSE = GuessOptions(
    extruded=ExtrudedOptions(resolution=28, cells=48), swollen=SwollenOptions(resolution=28)
)
"""For guesses that are compared with their own outline alone; those that are followed are made anew, finely."""

SILHOUETTE = "silhouette"
"""The kind of the shape that a start brings: an outline swollen about the plane of the picture."""
HOLLOW, FULL = "vessel", "revolved"
"""Kinds of bodies of revolution with the same outline."""


@dataclass(frozen=True, eq=False)
class Tried:
    """A guess, and how well it explains the clip.

    Attributes:
        guess: the shape.
        mesh: coloured from the frame it was made from.
        filled: overlap with the outline it was made from.
        overlaps: (N,) outline overlap in a few frames.
        sure: mean confidence of the track through them.
        merit: what decides.
    """

    guess: ShapeGuess
    mesh: Mesh
    filled: float
    overlaps: Array
    sure: float
    merit: float

    @property
    def overlap(self) -> float:
        """Mean outline overlap."""
        return float(self.overlaps.mean())


def choose_shape(
    object_clip: ObjectClip, start: ObjectStart, options: ChoiceOptions = _DEFAULTS
) -> ObjectStart:
    """The start with the kind of shape that explains the masks of the clip best, in the same object frame.

    Of every kind the guess that fills the outline is followed through a few frames; then the best kinds with other
    tilts of the table and other thicknesses.

    Args:
        object_clip: frames and masks.
        start: of a shape that was made from the outline.
        options: of the choice.
    """
    tried = tried_shapes(object_clip, start, options)
    best = max(tried, key=lambda t: t.merit)
    sure = sureness(best, tried, options)
    for t in sorted(tried, key=lambda t: -t.merit)[: options.told]:
        _log.info(
            "%s: %s, tilt %d, %s: fills %.3f, overlap %.3f, confidence %.2f, merit %.3f",
            *(object_clip.name, t.guess.kind, t.guess.up, t.guess.numbers),
            *(t.filled, t.overlap, t.sure, t.merit),
        )
    _log.info("%s: its shape is %s, %.0f %% sure", object_clip.name, best.guess.kind, 100 * sure)
    return replace(start, mesh=replace(best.mesh, sure=sure))


def tried_shapes(
    object_clip: ObjectClip, start: ObjectStart, options: ChoiceOptions = _DEFAULTS
) -> list[Tried]:
    """Every guess that was followed."""
    trial = _trial_of(object_clip, start, options)
    first = ShapeGuess(SILHOUETTE, start.mesh, np.array([0.0, 0.0, 1.0]), up=-1)
    ups = [_up(start.camera_from_object, tilt) for tilt in options.tilts]
    found = [g for k, up in enumerate(ups) for g in guesses(trial.view, up, k, _COARSE)]
    filled = [(trial.filled(g), g) for g in found]
    filled += trial.settled(filled)
    chosen = sorted(_best_of_kinds(filled, options), key=lambda p: -habit(p[1], p[0], options))
    tried: list[Tried] = []
    for f, g in [*chosen, (1.0, first)]:
        tried.append(trial.tried(f, g, tried))
    for more in (_others, _thicker, _full):
        for f, g in more(tried, filled, trial, options):
            tried.append(trial.tried(f, g, tried))
    return tried


@dataclass(frozen=True, eq=False)
class _Trial:
    """What guesses are tried on."""

    start: ObjectStart
    view: Outline
    own: Mask
    occluded: Mask
    few: FewFrames
    options: ChoiceOptions

    @property
    def is_still(self) -> bool:
        """Whether the object is seen from one side alone: then overlap says no more than the first outline did."""
        return len(self.few.frames) <= self.options.still

    def tried(self, filled: float, guess: ShapeGuess, others: Sequence[Tried] = ()) -> Tried:
        """Follow one guess through the few frames, as long as it is not far behind the best of the others."""
        fine = None if guess.kind == SILHOUETTE else remade(guess, [self.view], options=_GUESSES)
        if fine is not None:
            filled, guess = self.filled(fine), fine
        frame, pose = self.few.frames[self.few.start], self.start.camera_from_object
        painter = Painter(guess.mesh, frame.camera)
        painter.add(frame.image, self.own, pose)
        mesh = painter.painted()
        rival = max(others, key=lambda t: t.merit).overlaps if others else None
        overlaps, confidences = self.few.follow(mesh, pose, rival, self.options.hopeless)
        overlap, sure = float(overlaps.mean()), float(confidences.mean())
        explained = min(overlap, self.options.full) if self.is_still else overlap
        merit = explained + self.options.confident * sure + habit(guess, filled, self.options)
        return Tried(guess, mesh, filled, overlaps, sure, merit)

    def settled(self, filled: Sequence[tuple[float, ShapeGuess]]) -> list[tuple[float, ShapeGuess]]:
        """Boxes whose height and tilt fill the outline best: from the best ones of a ladder by a search.

        A rectangle is one only about the right axis and at the right height; between the steps of a ladder the best
        box may fill the outline worse than a slab of any shape.
        """
        o = self.options
        known = [pair for pair in filled if pair[1].kind == "box" and pair[0] > o.least_box]
        known.sort(key=lambda pair: -pair[0])
        if not known:
            return []
        first = known[0][1].numbers["thickness"]
        found = [self._settled_box(*known[0])]
        apart = [
            pair for pair in known if abs(np.log(pair[1].numbers["thickness"] / first)) > np.log(o.box_apart)
        ]
        return found + [self._settled_box(*pair) for pair in apart[:1]]

    def _settled_box(self, best: float, guess: ShapeGuess) -> tuple[float, ShapeGuess]:
        o = self.options
        tilt, height = o.tilts[guess.up], guess.numbers["thickness"]
        turn, factor = o.box_turn, o.box_factor
        for _ in range(o.box_rounds):
            steps = ((turn, 1.0), (-turn, 1.0), (0.0, factor), (0.0, 1.0 / factor))
            for off, times in steps:
                up = _up(self.start.camera_from_object, tilt + off)
                again = remade(guess, [self.view], axis=up, thickness=height * times, options=_COARSE)
                fill = self.filled(again) if again is not None else 0.0
                if again is not None and fill > best:
                    best, guess, tilt, height = fill, again, tilt + off, height * times
            turn, factor = 0.5 * turn, float(np.sqrt(factor))
        nearest = int(np.argmin(np.abs(np.array(o.tilts) - tilt)))
        return best, replace(guess, up=nearest)

    def filled(self, guess: ShapeGuess) -> float:
        """Overlap of a guess with the outline it was made from."""
        camera = self.view.camera
        y, x = np.nonzero(self.view.mask)
        room = self.options.room
        low = np.array([max(x.min() - room, 0), max(y.min() - room, 0)])
        high = np.array([min(x.max() + room, camera.width - 1), min(y.max() + room, camera.height - 1)])
        width, height = (int(side) for side in high - low + 1)
        part = camera.cropped(float(low[0]), float(low[1]), width, height)
        drawn = Rasterizer(guess.mesh).render(self.start.camera_from_object[None], part.K, width, height)
        cut = slice(low[1], high[1] + 1), slice(low[0], high[0] + 1)
        mask, free = self.view.mask[cut], ~self.occluded[cut] | self.view.mask[cut]
        both = float(np.count_nonzero(drawn.mask[0] & mask))
        return both / max(int(np.count_nonzero((drawn.mask[0] | mask) & free)), 1)


def _trial_of(object_clip: ObjectClip, start: ObjectStart, options: ChoiceOptions) -> _Trial:
    masks, name = object_clip.masks, object_clip.name
    labels = masks.labels(start.frame)
    own, occluded = labels == masks.label_of(name), labels == OCCLUDER
    view = Outline(close_gaps(own, occluded), None, object_clip.camera, start.camera_from_object)
    few = few_frames(object_clip, start.frame, options.frames, options.least_pixels)
    return _Trial(start, view, own, occluded, few, options)


def habit(guess: ShapeGuess, filled: float, options: ChoiceOptions) -> float:
    """What a guess has for it or against it before it is followed, in overlap."""
    merit = dict(options.habits).get(guess.kind, 0.0) - options.unfilled * max(options.full - filled, 0.0)
    if guess.up >= 0:
        merit -= options.unusual * ((options.tilts[guess.up] - options.usual) / options.spread) ** 2
    if "swelling" in guess.numbers:
        merit -= options.flat * float(np.log(guess.numbers["swelling"] / options.swelling)) ** 2
    if guess.kind == "extruded":
        off = np.log(guess.numbers["thickness"] / options.thick) / options.thick_spread
        merit -= options.thin * float(off) ** 2
    return merit


def sureness(best: Tried, tried: Sequence[Tried], options: ChoiceOptions = _DEFAULTS) -> float:
    """Probability of the best kind among the best guesses of each kind."""
    kinds = list(dict.fromkeys(t.guess.kind for t in tried))
    merits = np.array([max(t.merit for t in tried if t.guess.kind == kind) for kind in kinds])
    weights = np.exp((merits - merits.max()) / options.doubt)
    return float(weights[kinds.index(best.guess.kind)] / weights.sum())


def _up(camera_from_object: Array, tilt: float) -> Array:
    """(3,) up in the object frame before a camera that looks down by ``tilt`` radians and is not rolled."""
    up = np.array([0.0, -np.cos(tilt), -np.sin(tilt)])
    out: Array = camera_from_object[:3, :3].T @ up
    return out


def _best_of_kinds(
    filled: Sequence[tuple[float, ShapeGuess]], options: ChoiceOptions
) -> list[tuple[float, ShapeGuess]]:
    """Of every kind the guess, of those that fill the outline nearly best, that is the most usual."""
    out = []
    for kind in dict.fromkeys(g.kind for _, g in filled if g.kind != FULL):
        own = sorted(
            ((f, g) for f, g in filled if g.kind == kind and f > options.least_filled),
            key=lambda pair: -habit(pair[1], pair[0], options),
        )
        out += own[: options.of_a_kind]
    return out


def _others(
    tried: Sequence[Tried],
    filled: Sequence[tuple[float, ShapeGuess]],
    trial: _Trial,
    options: ChoiceOptions,
) -> list[tuple[float, ShapeGuess]]:
    """The best guesses of the best kinds, for the other tilts."""
    kinds = list(dict.fromkeys(t.guess.kind for t in sorted(tried, key=lambda t: -t.merit)))
    out = []
    for kind in kinds[: options.finalists]:
        best = max((t for t in tried if t.guess.kind == kind), key=lambda t: t.merit).guess
        out += [
            (f, g)
            for f, g in filled
            if g.kind == kind and g.numbers == best.numbers and g.up != best.up and f > options.least_filled
        ]
    return out


def _full(
    tried: Sequence[Tried],
    filled: Sequence[tuple[float, ShapeGuess]],
    trial: _Trial,
    options: ChoiceOptions,
) -> list[tuple[float, ShapeGuess]]:
    """The full body where the best guess is a vessel: they have the same outline, colours tell them apart."""
    best = max(tried, key=lambda t: t.merit)
    if best.guess.kind != HOLLOW:
        return []
    return [(f, g) for f, g in filled if g.kind == FULL and g.up == best.guess.up]


def _thicker(
    tried: Sequence[Tried],
    filled: Sequence[tuple[float, ShapeGuess]],
    trial: _Trial,
    options: ChoiceOptions,
) -> list[tuple[float, ShapeGuess]]:
    """The best guess of all with other thicknesses."""
    best = max(tried, key=lambda t: t.merit).guess
    now = best.numbers.get("thickness", best.numbers.get("swelling"))
    if now is None:
        return []
    found = [
        remade(best, [trial.view], thickness=now * factor, options=_COARSE) for factor in options.thicker
    ]
    return [(trial.filled(guess), guess) for guess in found if guess is not None]
