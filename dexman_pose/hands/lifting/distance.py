"""How far away the hands are in every frame, before they are fitted: what two views of their size agree on.

The bone directions a network guesses from one image are off by tens of degrees, for many frames in the same way. A fit
that is free in depth explains such errors by moving the hand: foreshortening guessed too strong brings it nearer.
The size of the palm in the image does not depend on the guess, nor on how the palm is turned. Both cues are noisy
measurements of a distance that changes slowly, stays around its middle over the clip, and is much the same for both
hands of a person: the most probable course given all that is a sparse least-squares problem, reweighted for outliers.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array, identity
from scipy.sparse.linalg import spsolve

from dexman_pose.arrays import Array
from dexman_pose.hands.lifting.bones import bone_vectors
from dexman_pose.hands.lifting.observation import Seen, start
from dexman_pose.hands.lifting.palm_plane import PALM, palm_depth
from dexman_pose.hands.lifting.solver import LiftEvidence, solve

# Standard deviations of the logarithm of distance.
STEP = 0.025  # change from one frame to the next
SPREAD = 0.10  # of a hand around its middle over the clip; heavy tails, for hands that come from far
SLACK = 0.25  # between the middles of the two hands
APPARENT = 0.08  # of the apparent size, by errors of the joints of the palm
DOUBT = 1.0  # of a guess, as a share of how far it is off the image
SURE = 1e-4  # of a guess that explains the image exactly
DIFFERENT = 0.2  # a guess farther off than a few times this, and its own doubt, is an outlier
# Errors of neighbouring frames are correlated: so many frames count as one.
ALIKE = 15.0
NEAREST = 0.05  # metres, of a wrist
# A palm that is seen from its edge is not flat enough, and its joints are marked too badly, to go by its plane alone:
# from the first share on of its openness it counts a half, from the second on all.
OPEN = (0.2, 0.6)
# A direction in space is seen foreshortened by exp(-0.307) on average: the mean of log sin over the sphere, ln 2 - 1.
FORESHORTENED = 1.0 - float(np.log(2.0))
# The fourth longest of the 20 bones, relative to its real length, is seen about this much too short.
RANK = 4
SHORTENED = 0.10
ROUNDS = 15
TAIL, LEVEL_TAIL = 4.0, 3.0  # a residual of the square root of this many deviations counts a half


@dataclass(frozen=True)
class DistanceCues:
    """Estimate the distance of one hand from each of its frames.

    Attributes:
        frames: (n,) their indices, rising.
        guessed: (n,) log of the wrist's z in metres at which the hand as guessed fits the image best.
        doubt: (n,) standard deviation of ``guessed``.
        apparent: (n,) log of the z that the lengths seen in the image tell.
    """

    frames: NDArray[np.intp]
    guessed: Array
    doubt: Array
    apparent: Array


def distance_cues(seen: Seen, lengths: Array, frames: NDArray[np.intp]) -> DistanceCues:
    """The cues of one hand in n frames, for bone lengths (21,) in metres."""
    guessed, off = _fitted_as_guessed(seen, lengths)
    doubt = np.maximum(DOUBT * (off + np.median(off)), SURE) if len(off) else off
    return DistanceCues(frames, guessed, doubt, _apparent(seen, lengths))


def _fitted_as_guessed(seen: Seen, lengths: Array) -> tuple[Array, Array]:
    """(n,) log depth of the hand fitted without bending it, and (n,) how far it is off then, in palm lengths."""
    none = np.zeros(len(seen.rays))
    rigid = LiftEvidence(seen.rays, 0.03 * seen.size, seen.directions, none, none, runs=[], joint_noise=1e-4)
    hands = solve(start(seen, lengths), rigid, lengths, iterations=8)
    joints = hands.joints(lengths)
    off = np.linalg.norm(joints[..., :2] / np.maximum(joints[..., 2:], 1e-3) - seen.rays, axis=-1)
    return hands.log_depth, np.asarray(np.median(off, axis=1) / seen.size, dtype=np.float64)


def _apparent(seen: Seen, lengths: Array) -> Array:
    """(n,) log depth of the wrist by the size of the palm; by lengths in the image too where only its edge is seen."""
    vectors = seen.directions * lengths[1:, None]
    knuckles = vectors[:, [joint - 1 for joint in PALM[1:]], 2]
    behind = knuckles.sum(1) / len(PALM)
    depth, openly = palm_depth(seen.rays, lengths)
    by_plane = np.log(np.maximum(depth - behind, NEAREST))
    share = np.interp(openly, OPEN, (0.5, 1.0))
    return np.asarray(share * by_plane + (1.0 - share) * _by_lengths(seen, lengths), np.float64)


def _by_lengths(seen: Seen, lengths: Array) -> Array:
    """(n,) log depth from lengths in the image, their expected foreshortening taken off."""
    bones = np.linalg.norm(bone_vectors(seen.rays), axis=-1) / lengths[1:]
    longest = np.maximum(np.sort(bones, axis=1)[:, -RANK], 1e-6)
    by_bones = -np.log(longest) - SHORTENED
    by_palm = np.log(lengths[5] / seen.size) - FORESHORTENED
    middle: Array = 0.5 * (by_bones + by_palm)
    return middle


def likely_distances(cues: list[DistanceCues]) -> list[Array]:
    """Most probable log depth (n,) of every frame of each hand of one person.

    The guess counts by how well it explains the image: where it does exactly, the result is the guess. Where it does
    badly, a real change of distance comes out too small, by about half.
    """
    sizes = [len(c.frames) for c in cues]
    ends = np.cumsum(sizes)
    state = np.concatenate([c.apparent for c in cues] + [[float(np.median(c.apparent))] for c in cues])
    for _ in range(ROUNDS):
        problem = _Problem(len(state))
        for k, cue in enumerate(cues):
            _add_hand(problem, cue, state, int(ends[k] - sizes[k]), int(ends[-1]) + k)
        if len(cues) == 2:
            problem.add([ends[-1:], ends[-1:] + 1], np.zeros(1), np.full(1, SLACK**-2))
        moved = problem.solve()
        done = float(np.abs(moved - state).max()) < 1e-7
        state = moved
        if done:
            break
    return [state[end - size : end] for size, end in zip(sizes, ends)]


def _add_hand(problem: _Problem, cue: DistanceCues, state: Array, first: int, level: int) -> None:
    """The terms of one hand, whose distances start at unknown ``first`` and whose middle is unknown ``level``."""
    n = len(cue.frames)
    at = first + np.arange(n)
    alike = min(ALIKE, n)
    # A guess that explains its image well is no outlier because the apparent size disagrees.
    weight = _tail((state[at] - cue.guessed) / np.maximum(cue.doubt, DIFFERENT), TAIL) / cue.doubt**2
    problem.add([at], cue.guessed, weight / alike)
    weight = _tail((state[at] - cue.apparent) / APPARENT, TAIL) / APPARENT**2
    problem.add([at], cue.apparent, weight / alike)
    weight = _tail((state[at] - state[level]) / SPREAD, LEVEL_TAIL) / SPREAD**2
    problem.add([at, np.full(n, level)], np.zeros(n), weight / alike)
    if n > 1:
        problem.add([at[1:], at[:-1]], np.zeros(n - 1), 1.0 / (STEP**2 * np.diff(cue.frames)))


def _tail(residual: Array, width: float) -> Array:
    """Weight of a residual in deviations, as a Student-t likelihood gives it."""
    weight: Array = 1.0 / (1.0 + residual**2 / width)
    return weight


class _Problem:
    """Weighted least squares over terms that are one unknown, or the difference of two."""

    def __init__(self, size: int) -> None:
        self._matrix = identity(size, format="csr") * 1e-9
        self._right = np.zeros(size)

    def add(self, unknowns: list[NDArray[np.intp]], target: Array, weight: Array) -> None:
        """Terms (m,): the first unknown, less the second if given, should be ``target``."""
        m, size = len(target), len(self._right)
        rows = np.tile(np.arange(m), len(unknowns))
        signs = np.repeat([1.0, -1.0][: len(unknowns)], m)
        terms = csr_array((signs, (rows, np.concatenate(unknowns))), shape=(m, size))
        weighted = terms.multiply(weight[:, None]).T.tocsr()
        self._matrix = self._matrix + weighted @ terms
        self._right = self._right + weighted @ target

    def solve(self) -> Array:
        """(size,) the minimum."""
        return np.atleast_1d(np.asarray(spsolve(self._matrix.tocsc(), self._right), dtype=np.float64))
