"""Plants noise in measured grasps, runs the step of the pipeline that solves hands and objects, and scores both."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dexman_pose.arrays import Array
from dexman_pose.benchmarks.noise.motion import NoisyMotion, TrueMotion, noisy_motion, true_motion
from dexman_pose.benchmarks.noise.planted import NoiseOptions
from dexman_pose.benchmarks.noise.scores import TIPS, MotionScores, PosedHand, score_motion
from dexman_pose.contact.bridging import bridge_short_gaps
from dexman_pose.contact.detect import detect_contacts
from dexman_pose.data import Contacts, HandTrack
from dexman_pose.hands.model.fit import fit_joints
from dexman_pose.interaction import GripFit
from dexman_pose.interaction.fit import fit_placed
from dexman_pose.pipeline.with_contact.contacts import contacts_stage
from dexman_pose.pipeline.with_contact.stage import GrippingHands, handled_report
from dexman_pose.synthetic.grasps.placed import place_grasp
from dexman_pose.synthetic.grasps.recorded import list_grasps, read_grasp

SEEDS = (1, 2, 3, 4, 5)


@dataclass(frozen=True)
class MotionResult:
    """One motion with one noise.

    Attributes:
        name: of the grasp.
        seed: of the noise.
        before: scores of the noisy motion, frames without a result on straight lines between those with one.
        after: scores of what was solved.
        seconds: that took.
    """

    name: str
    seed: int
    before: MotionScores
    after: MotionScores
    seconds: float


def run_noise(
    grasps: str | Path,
    meshes: str | Path,
    seeds: Sequence[int] = SEEDS,
    options: NoiseOptions | None = None,
    *,
    report: Callable[[MotionResult], None] | None = None,
) -> list[MotionResult]:
    """Every grasp of a folder with every seed's noise.

    Args:
        grasps: folder of measured grasps, see :mod:`dexman_pose.synthetic.grasps.recorded`.
        meshes: folder of the meshes of their objects.
        seeds: of the noise.
        options: what is planted.
        report: is told of every motion that is done.

    Raises:
        InputError: no grasps, or no mesh of one.
    """
    out = []
    for path in list_grasps(grasps):
        grasp = read_grasp(path, meshes)
        true = true_motion(place_grasp(grasp), grasp.valid)
        for seed in seeds:
            result = run_motion(path.stem, true, seed, options)
            out.append(result)
            if report is not None:
                report(result)
    return out


def run_motion(name: str, true: TrueMotion, seed: int, options: NoiseOptions | None = None) -> MotionResult:
    """One grasp with one seed's noise."""
    noisy = noisy_motion(true, seed, options)
    before = score_motion(true, *_as_given(true, noisy))
    began = time.perf_counter()
    found = solved(true, noisy)
    seconds = time.perf_counter() - began
    return MotionResult(name, seed, before, score_motion(true, *_as_found(true, found)), seconds)


def solved(true: TrueMotion, noisy: NoisyMotion) -> GripFit:
    """What the pipeline's step makes of a noisy motion."""
    return fit_placed({true.name: noisy.thing}, {true.side: noisy.hand}, true.times, table=noisy.table)


def _as_given(true: TrueMotion, noisy: NoisyMotion) -> tuple[Array, PosedHand, NDArray[np.bool_]]:
    thing = bridge_short_gaps(noisy.thing, true.times, np.inf)
    fit = fit_joints(noisy.hand.joints, true.side)
    contacts = detect_contacts({true.name: thing}, {true.side: noisy.hand})
    hand = PosedHand(noisy.hand.joints, true.side, fit.shape, fit.angles, fit.frame_from_hand)
    return thing.camera_from_object, hand, _tips(contacts)


def _as_found(true: TrueMotion, found: GripFit) -> tuple[Array, PosedHand, NDArray[np.bool_]]:
    thing, hand = found.objects[true.name], found.hands[true.side]
    made = GrippingHands(found.hands, handled_report(found), found.objects)
    contacts = contacts_stage(found.objects, made, true.times).compute()
    return thing.camera_from_object, _posed(hand), _tips(contacts)


def _posed(hand: HandTrack) -> PosedHand:
    """A fitted hand; one that was given up has its skin by its joints."""
    if hand.shape is None or hand.angles is None or hand.camera_from_wrist is None:
        fit = fit_joints(hand.joints, hand.side)
        return PosedHand(hand.joints, hand.side, fit.shape, fit.angles, fit.frame_from_hand)
    return PosedHand(hand.joints, hand.side, hand.shape, hand.angles, hand.camera_from_wrist)


def _tips(contacts: Contacts) -> NDArray[np.bool_]:
    """(T, 5) touches of the only hand with the only object."""
    return contacts.touching[0][:, list(TIPS)]
