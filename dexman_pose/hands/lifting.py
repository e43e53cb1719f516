"""Metric hands in the camera frame from what a detector saw in the image."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dexman_pose.data.camera import Camera
from dexman_pose.data.depth import DepthSequence
from dexman_pose.data.tracks import SIDES, HandObservations, HandTrack, ScaleSource
from dexman_pose.errors import InputError
from dexman_pose.hands.distance_prior import distance_prior, farthest_depth, prior_weight
from dexman_pose.hands.filling import hold, runs
from dexman_pose.hands.hand_depth import MIN_FRAMES, depth_ratios
from dexman_pose.hands.lift_evidence import MIN_SIZE, Seen, seen_hand, start, to_rays
from dexman_pose.hands.lift_solver import Evidence, Hands, solve
from dexman_pose.hands.proportions import estimate_lengths
from dexman_pose.hands.roi import hand_size

Array = NDArray[np.float64]

# Error of the landmark network's joints, in palm lengths as seen.
JOINT_NOISE = 0.06
# Expected error of a hand's depth measured by a depth image, relative; and how far sizes of adults differ.
DEPTH_NOISE = 0.01
SIZE_LIMITS = (0.75, 1.3)


def lift_hands(
    observations: HandObservations,
    camera: Camera,
    *,
    depth: DepthSequence | None = None,
    hand_scale: float | None = None,
) -> dict[str, HandTrack]:
    """Place the hands in metric space: joints in the camera frame, bones of constant length over the clip.

    The depth of a hand follows from its apparent size and the real one, which a single image does not tell: it is
    that of an average adult (``scale_source`` "hand", an error of about 7 % in size and distance), or
    ``hand_scale`` times that ("given"), or fixed by depth images ("depth").

    Args:
        observations: what a detector saw, by :func:`detect_hands`.
        camera: intrinsics of the clip.
        depth: metric depth images of the clip.
        hand_scale: size of the person's hands as a factor on the average adult's.

    Returns:
        The tracks of the sides that were seen at all, by ``"left"`` and ``"right"``. Frames that are not valid
        hold the nearest valid pose.

    Raises:
        InputError: ``hand_scale`` is not positive.
    """
    if hand_scale is not None and not (np.isfinite(hand_scale) and hand_scale > 0):
        raise InputError(
            f"hand_scale must be a positive factor (1 for an average adult), but got {hand_scale}"
        )
    seen = [side for side in range(2) if observations.valid[:, side].any()]
    lengths = estimate_lengths(observations, camera, 1.0 if hand_scale is None else hand_scale)
    source: ScaleSource = "hand" if hand_scale is None else "given"
    prior = _prior(observations, seen, camera, lengths)
    fits = {side: _fit(observations, side, camera, lengths, prior[side]) for side in seen}
    if depth is not None and seen:
        ratios = {side: _ratios(observations, side, fits[side].joints(lengths), depth) for side in seen}
        known = np.concatenate([r[np.isfinite(r)] for r in ratios.values()])
        if len(known) >= MIN_FRAMES:
            if hand_scale is None:
                lengths = lengths * float(np.clip(np.median(known), *SIZE_LIMITS))
            fits = {
                side: _fit(observations, side, camera, lengths, prior[side], (fits[side], ratios[side]))
                for side in seen
            }
            source = "depth" if hand_scale is None else source
    return {
        SIDES[side]: _track(observations, side, fits[side], camera, lengths=lengths, source=source)
        for side in seen
    }


def _fit(
    observations: HandObservations,
    side: int,
    camera: Camera,
    lengths: Array,
    prior: Array,
    measured: tuple[Hands, Array] | None = None,
) -> Hands:
    """Fit one hand over its valid frames; ``measured`` is an earlier fit and the measured depth as its multiple."""
    valid = observations.valid[:, side]
    seen = seen_hand(observations.joints_2d[valid, side], observations.joints_local[valid, side], camera)
    state = start(seen, lengths)
    log_depth, weight = prior, np.full(len(seen.rays), prior_weight(_disagreement(state, seen, lengths)))
    if measured is not None:
        fit, ratio = measured
        known = np.isfinite(ratio)
        log_depth = fit.log_depth + np.log(np.where(known, ratio, 1.0))
        # Where depth was not measured, the frames around it say more than the apparent size.
        weight = np.where(known, DEPTH_NOISE**-2, 0.0)
        state = Hands(fit.wrist, np.where(known, log_depth, fit.log_depth), fit.directions)
    evidence = Evidence(
        seen.rays, JOINT_NOISE * seen.size, seen.directions, log_depth, weight, _compact(valid)
    )
    return solve(state, evidence, lengths)


def _prior(
    observations: HandObservations, seen: list[int], camera: Camera, lengths: Array
) -> dict[int, Array]:
    """Expected log depth of each hand in its valid frames."""
    apparent, off = {}, {}
    for side in seen:
        valid = observations.valid[:, side]
        hand = seen_hand(observations.joints_2d[valid, side], observations.joints_local[valid, side], camera)
        guess = start(hand, lengths)
        off[side] = _disagreement(guess, hand, lengths)
        doubt = min(float(np.median(off[side])), 1.0)
        farthest = np.log(farthest_depth(hand.rays, lengths))
        apparent[side] = (1.0 - doubt) * guess.log_depth + doubt * farthest
    return distance_prior(apparent, off)


def _disagreement(guess: Hands, seen: Seen, lengths: Array) -> Array:
    """(n,) median distance of the guessed joints from the seen ones, in palm lengths."""
    joints = guess.joints(lengths)
    off = np.linalg.norm(joints[..., :2] / np.maximum(joints[..., 2:], 1e-3) - seen.rays, axis=-1)
    return np.asarray(np.median(off, axis=1) / seen.size, dtype=np.float64)


def _compact(valid: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Runs of valid frames, counted in valid frames only."""
    out, at = [], 0
    for first, stop in runs(valid):
        out.append((at, at + stop - first))
        at += stop - first
    return out


def _ratios(observations: HandObservations, side: int, joints: Array, depth: DepthSequence) -> Array:
    """(n,) measured depth of the hand as a multiple of the fitted one, per valid frame; NaN where there is none."""
    frames = np.flatnonzero(observations.valid[:, side])
    return depth_ratios(joints, observations.joints_2d[frames, side], frames, depth)


def _track(
    observations: HandObservations,
    side: int,
    fit: Hands,
    camera: Camera,
    *,
    lengths: Array,
    source: ScaleSource,
) -> HandTrack:
    """The result over all frames, with the confidence lowered where the fit does not explain the image."""
    valid = observations.valid[:, side]
    joints = np.zeros((len(valid), 21, 3))
    joints[valid] = fit.joints(lengths)
    rays = to_rays(observations.joints_2d[valid, side], camera)
    at = joints[valid]
    off = np.linalg.norm(at[..., :2] / np.maximum(at[..., 2:], 1e-3) - rays, axis=-1)
    focal = 0.5 * (camera.fx + camera.fy)
    palm = np.maximum(hand_size(observations.joints_2d[valid, side]), MIN_SIZE) / focal
    confidence = np.zeros(len(valid))
    confidence[valid] = observations.score[valid, side] * np.exp(-((np.median(off, 1) / palm / 0.2) ** 2))
    return HandTrack(
        side=SIDES[side],
        joints=hold(joints, valid),
        joints_2d=hold(observations.joints_2d[:, side], valid),
        valid=valid.copy(),
        bridged=observations.bridged[:, side].copy(),
        confidence=np.clip(confidence, 0.0, 1.0),
        bone_lengths=lengths.copy(),
        scale_source=source,
    )
