"""Metric hands in the camera frame from what a detector saw in the image."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dexman_pose.arrays import Array, runs
from dexman_pose.data.camera import Camera
from dexman_pose.data.depth import DepthSequence
from dexman_pose.data.numbers import described, instance, number
from dexman_pose.data.tracks import SIDES, HandObservations, HandTrack, ScaleSource
from dexman_pose.errors import InputError
from dexman_pose.hands.lifting.depth import MIN_FRAMES, depth_ratios
from dexman_pose.hands.lifting.distance import distance_cues, likely_distances
from dexman_pose.hands.lifting.filling import hold
from dexman_pose.hands.lifting.observation import MIN_SIZE, seen_hand, start, to_rays
from dexman_pose.hands.lifting.proportions import estimate_lengths
from dexman_pose.hands.lifting.solver import Hands, LiftEvidence, solve
from dexman_pose.hands.mediapipe.roi import hand_size

# Error of the landmark network's joints, in palm lengths as seen.
JOINT_NOISE = 0.06
# Metres, error across a bone of a guess that is no more than this many palm lengths off its own image; worse guesses
# are believed less, so that joints that were seen outweigh them.
GUESS_NOISE = 0.012
USUAL_OFF = 0.15
# Expected error of a hand's depth measured by a depth image, relative; and how far sizes of adults differ.
DEPTH_NOISE = 0.01
SIZE_LIMITS = (0.75, 1.3)
# How far a fit may go from the likeliest distance, relative; and where depth was measured in other frames only.
DISTANCE_NOISE = 0.01
CARRIED_NOISE = 0.03
# What no hand in front of a camera does, or not within a clip: come this near (metres), leave this range around its
# median distance, or lie this many of its palm lengths off the joints seen.
NEAREST = 0.1
RANGE = (0.4, 2.5)
MAX_OFF = 0.3


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
        observations: what a detector saw, by :func:`~dexman_pose.hands.detect.detect_hands`.
        camera: intrinsics of the clip.
        depth: metric depth images of the clip.
        hand_scale: size of the person's hands as a factor on the average adult's.

    Returns:
        The tracks of the sides that were seen at all, by ``"left"`` and ``"right"``. Frames in which nothing was
        seen, or nothing that a hand in front of the camera explains, are not valid and hold the nearest valid pose.

    Raises:
        InputError: ``hand_scale`` is not positive.
    """
    instance(observations, HandObservations, "observations", "detect_hands(clip) gives one")
    instance(camera, Camera, "camera", "make one with Camera(K, width, height)")
    if depth is not None:
        instance(depth, DepthSequence, "depth", "make one with DepthSequence.from_folder or from_arrays")
        if len(depth) < len(observations.detected):
            frames = len(observations.detected)
            raise InputError(f"there are {len(depth)} depth images, but observations of {frames} frames")
    if hand_scale is not None:
        try:
            hand_scale = number(hand_scale, "hand_scale", above=0.0)
        except InputError as error:
            raise InputError(
                f"hand_scale must be a positive factor (1 for an average adult), but got {described(hand_scale)}"
            ) from error
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
    tracks = [_track(observations, side, fits[side], camera, lengths=lengths, source=source) for side in seen]
    return {track.side: track for track in tracks if track.valid.any()}


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
    guess = start(seen, lengths)
    state = Hands(guess.wrist, prior, guess.directions)
    log_depth, weight = prior, np.full(len(prior), DISTANCE_NOISE**-2)
    if measured is not None:
        fit, ratio = measured
        known = np.isfinite(ratio)
        if not known.any():
            return fit
        # Where depth was not measured, the size is off by as much as in the frames around.
        at = np.flatnonzero(known)
        log_depth = fit.log_depth + np.interp(np.arange(len(ratio)), at, np.log(ratio[at]))
        weight = np.where(known, DEPTH_NOISE**-2, CARRIED_NOISE**-2)
        state = Hands(fit.wrist, log_depth, fit.directions)
    off = _off(state.joints(lengths), observations.joints_2d[valid, side], camera)
    evidence = LiftEvidence(
        rays=seen.rays,
        noise=JOINT_NOISE * seen.size,
        directions=seen.directions,
        log_depth=log_depth,
        depth_weight=weight,
        runs=_compact(valid),
        joint_noise=GUESS_NOISE * np.maximum(1.0, off / USUAL_OFF),
    )
    return solve(state, evidence, lengths)


def _prior(
    observations: HandObservations, seen: list[int], camera: Camera, lengths: Array
) -> dict[int, Array]:
    """Likeliest log depth of each hand in its valid frames."""
    cues = []
    for side in seen:
        valid = observations.valid[:, side]
        hand = seen_hand(observations.joints_2d[valid, side], observations.joints_local[valid, side], camera)
        cues.append(distance_cues(hand, lengths, np.flatnonzero(valid)))
    return dict(zip(seen, likely_distances(cues))) if seen else {}


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
    seen = observations.valid[:, side]
    at = fit.joints(lengths)
    off = _off(at, observations.joints_2d[seen, side], camera)
    joints, confidence = np.zeros((len(seen), 21, 3)), np.zeros(len(seen))
    joints[seen] = at
    confidence[seen] = observations.score[seen, side] * np.exp(-((off / 0.2) ** 2))
    valid = seen.copy()
    valid[seen] = _possible(at, off * _palm(observations.joints_2d[seen, side], camera) / lengths[5])
    return HandTrack(
        side=SIDES[side],
        joints=hold(joints, valid),
        joints_2d=hold(observations.joints_2d[:, side], valid),
        valid=valid,
        bridged=observations.bridged[:, side] & valid,
        confidence=np.where(valid, np.clip(confidence, 0.0, 1.0), 0.0),
        bone_lengths=lengths.copy(),
        scale_source=source,
    )


def _off(joints: Array, pixels: Array, camera: Camera) -> Array:
    """(n,) median distance of fitted joints from where they were seen, in palm lengths as seen."""
    fitted = joints[..., :2] / np.maximum(joints[..., 2:], 1e-3)
    off = np.linalg.norm(fitted - to_rays(pixels, camera), axis=-1)
    return np.asarray(np.median(off, axis=1) / _palm(pixels, camera), dtype=np.float64)


def _palm(pixels: Array, camera: Camera) -> Array:
    """(n,) length of the palm as seen, in the unit of x/z."""
    palm: Array = np.maximum(hand_size(pixels), MIN_SIZE) / (0.5 * (camera.fx + camera.fy))
    return palm


def _possible(joints: Array, off: Array) -> NDArray[np.bool_]:
    """(n,) fits (n, 21, 3) that a hand in front of the camera allows and that explain what was seen.

    ``off`` is how far (n,) they are off the joints seen, at a distance of one metre and in palm lengths of the fit:
    joints scattered over the image look like a large palm.
    """
    distance = joints[:, 0, 2]
    middle = float(np.median(distance))
    near = (distance > RANGE[0] * middle) & (distance < RANGE[1] * middle)
    possible: NDArray[np.bool_] = near & (joints[..., 2].min(1) > NEAREST) & (off * distance < MAX_OFF)
    return possible
