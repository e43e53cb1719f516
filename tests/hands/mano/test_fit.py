"""Fits find the hand that joints were made with, and say how far off they are."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pytest

from dexman_pose.arrays import Array
from dexman_pose.data.tracks import HandTrack
from dexman_pose.errors import InputError
from dexman_pose.geometry import se3, so3_exp
from dexman_pose.hands.mano.file import ManoFile
from dexman_pose.hands.mano.fit import ManoCoding, fit_mano, fit_mano_track
from dexman_pose.hands.mano.hand import ManoHand
from dexman_pose.hands.mano.parameters import parameter_joints, parameter_vertices
from dexman_pose.hands.mano.rig import ManoRig
from dexman_pose.hands.mano.system import ManoFitOptions, ManoState, ManoSystem, PosePrior
from dexman_pose.hands.model.fit import MeasuredJoints
from dexman_pose.hands.model.skeleton import BONE_JOINTS

FRAMES = 20
SHARP = ManoFitOptions(sigma=0.001)


class _Clip(NamedTuple):
    hand: ManoHand
    pose: Array
    places: Array
    joints: Array


def _clip(file: ManoFile, seed: int, turned: float = 0.35) -> _Clip:
    """A hand that moves; its bones turn across their length only, for nothing shows the rest."""
    rng = np.random.default_rng(seed)
    hand = ManoHand(file, rng.normal(size=10), flat_hand_mean=False, left_fixed=True)
    time = np.linspace(0.0, 1.0, FRAMES)[:, None, None]
    first, second = rng.normal(scale=turned, size=(2, 15, 3))
    flat = ManoHand(file, flat_hand_mean=True).rest_joints
    at = np.array(BONE_JOINTS)
    along = flat[at + 1] - flat[at]
    along /= np.linalg.norm(along, axis=-1, keepdims=True)
    off = first * np.sin(3.0 * time) + second * time
    off -= (off * along).sum(-1, keepdims=True) * along
    pose = hand.pose_from_mano(np.zeros(45)) + off
    places = se3(so3_exp([0.3, 1.0, 0.2] + 0.4 * time[:, 0]), [0.1, 0.05, 0.6] + 0.1 * time[:, 0])
    return _Clip(hand, pose, places, hand.joints(pose, places))


@pytest.mark.parametrize("side", ["right", "left"])
@pytest.mark.parametrize("seed", [0, 1])
def test_known_parameters_are_found(mano_files: dict[str, ManoFile], side: str, seed: int) -> None:
    clip = _clip(mano_files[side], seed)
    fit = fit_mano(clip.joints, mano_files[side], options=SHARP)
    assert fit.errors(clip.joints).max() < 0.001
    off = np.linalg.norm(
        fit.hand.vertices(fit.pose, fit.frame_from_hand) - clip.hand.vertices(clip.pose, clip.places), axis=-1
    )
    assert np.percentile(off, 95) < 0.001
    assert np.abs(fit.pose - clip.pose).mean() < 0.05
    p = fit.parameters
    assert p.side == side and p.frame == "camera" and p.center_joint == 0 and p.left_fixed and not p.pca
    np.testing.assert_allclose(parameter_joints(p, mano_files[side]), fit.joints, atol=1e-10)
    np.testing.assert_allclose(fit.joints[:, 0], p.translation, atol=1e-10)


def test_noise_does_not_upset_it(mano_files: dict[str, ManoFile]) -> None:
    clip = _clip(mano_files["right"], 2)
    noisy = clip.joints + np.random.default_rng(0).normal(scale=0.003, size=clip.joints.shape)
    fit = fit_mano(noisy, mano_files["right"])
    assert np.median(np.linalg.norm(fit.joints - clip.joints, axis=-1)) < 0.005
    assert np.abs(fit.pose - clip.pose).max() < 1.0


@pytest.mark.parametrize(
    "coding",
    [
        ManoCoding(flat_hand_mean=False, pca=45, center_joint=None),
        ManoCoding(flat_hand_mean=False, left_fixed=False, center_joint=9, tips="manopth"),
        ManoCoding(pca=12),
    ],
)
def test_other_codings_mean_the_same_hand(mano_files: dict[str, ManoFile], coding: ManoCoding) -> None:
    file = mano_files["left"]
    clip = _clip(file, 3, turned=0.1)
    fit = fit_mano(clip.joints, file, coding=coding)
    p = fit.parameters
    assert p.pose.shape == (FRAMES, 3 + (coding.pca or 45))
    assert (p.flat_hand_mean, p.pca, p.center_joint) == (
        coding.flat_hand_mean,
        coding.pca is not None,
        coding.center_joint,
    )
    np.testing.assert_allclose(parameter_joints(p, file, tips=coding.tips), fit.joints, atol=1e-10)
    np.testing.assert_allclose(
        parameter_vertices(p, file), fit.hand.vertices(fit.pose, fit.frame_from_hand), atol=1e-10
    )
    few = coding.pca is not None and coding.pca < 45
    assert (fit.errors(clip.joints).max() > 0.003) == few


def test_unknown_joints_and_frames(mano_files: dict[str, ManoFile]) -> None:
    file = mano_files["right"]
    clip = _clip(file, 4)
    joints, valid = clip.joints.copy(), np.ones(FRAMES, np.bool_)
    valid[[0, 7]] = False
    joints[0] = np.nan
    joints[:, 12] += 0.05
    sigma = np.full((FRAMES, 21), 0.001)
    sigma[:, 12] = np.inf
    fit = fit_mano(joints, file, valid, sigma=sigma, frame="world")
    np.testing.assert_array_equal(fit.valid, valid)
    assert fit.parameters.frame == "world"
    np.testing.assert_array_equal(fit.joints[0], fit.joints[1])
    others = np.arange(21) != 12
    assert fit.errors(clip.joints)[:, others].max() < 0.001
    assert np.median(fit.errors(clip.joints)[:, 12]) < 0.01


def test_a_track(mano_files: dict[str, ManoFile]) -> None:
    clip = _clip(mano_files["left"], 5)
    flags = np.ones(FRAMES, np.bool_)
    track = HandTrack(
        "left", clip.joints, np.zeros((FRAMES, 21, 2)), flags, ~flags, np.ones(FRAMES), clip.hand.bone_lengths
    )
    fit = fit_mano_track(track, mano_files["left"], options=SHARP)
    assert fit.errors(track.joints).max() < 0.002
    with pytest.raises(InputError, match="track is of a left hand"):
        fit_mano_track(track, mano_files["right"])


def test_gradient_is_that_of_the_cost(mano_files: dict[str, ManoFile]) -> None:
    file = mano_files["right"]
    clip = _clip(file, 6)
    hand = ManoHand(file, flat_hand_mean=True)
    rig = ManoRig.of(file, None).rows(hand.tips)
    options = ManoFitOptions()
    rng = np.random.default_rng(1)
    directions = rng.normal(size=(15, 3))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    prior = PosePrior.about(clip.pose[0], directions, options)
    evidence = MeasuredJoints(clip.joints, np.full((FRAMES, 21), 0.003))
    state = ManoState(rng.normal(size=10), clip.pose + 0.1 * rng.normal(size=clip.pose.shape), clip.places)

    def cost(betas: Array, pose: Array) -> float:
        return ManoSystem.at(
            rig, evidence, prior, ManoState(betas, pose, state.frame_from_hand), options
        ).cost

    system, step = ManoSystem.at(rig, evidence, prior, state, options), 1e-6
    for i in range(10):
        d = step * np.eye(10)[i]
        slope = (cost(state.betas + d, state.pose) - cost(state.betas - d, state.pose)) / (2 * step)
        np.testing.assert_allclose(system.shape_gradient[i], slope, rtol=1e-5, atol=1e-2)
    for i in (0, 13, 44):
        off = np.zeros((FRAMES, 15, 3))
        off[3, i // 3, i % 3] = step
        slope = (cost(state.betas, state.pose + off) - cost(state.betas, state.pose - off)) / (2 * step)
        np.testing.assert_allclose(system.own_gradient[3, i], slope, rtol=1e-5, atol=1e-2)


def test_what_is_refused(mano_files: dict[str, ManoFile]) -> None:
    file, joints = mano_files["right"], np.zeros((2, 21, 3))
    with pytest.raises(InputError, match=r"\(T, 21, 3\)"):
        fit_mano(np.zeros((2, 20, 3)), file)
    with pytest.raises(InputError, match="some True"):
        fit_mano(joints, file, [False, False])
    with pytest.raises(InputError, match="NaN"):
        fit_mano(joints + np.nan, file)
    with pytest.raises(InputError, match="'camera' or 'world'"):
        fit_mano(joints, file, frame="table")
