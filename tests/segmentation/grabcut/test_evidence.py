"""The kernels of the evidence against the same formulas in numpy."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from dexman_pose.imaging.dense_flow import Flow
from dexman_pose.imaging.masks import Window, signed_distance_field
from dexman_pose.segmentation.grabcut.background import BackgroundModel
from dexman_pose.segmentation.grabcut.color import ColorModel, shaded_density, to_bins, to_lab
from dexman_pose.segmentation.grabcut.evidence import AT_REST, BINS, Evidence, expected_flow
from dexman_pose.segmentation.grabcut.kernels.workspace import Workspace
from dexman_pose.segmentation.grabcut.labeling import EVIDENCE, LAB
from dexman_pose.segmentation.grabcut.motion import STILL, ObjectMotion
from dexman_pose.segmentation.grabcut.options import DEFAULTS
from dexman_pose.segmentation.grabcut.scene import FrameData, Scene
from dexman_pose.segmentation.grabcut.state import ObjectState, predicted

SHAPE = (90, 120)
WINDOW: Window = (slice(10, 77), slice(13, 108))


@dataclass
class _World:
    picture: FrameData
    scene: Scene
    state: ObjectState
    flow: Flow


@pytest.fixture(scope="module")
def world() -> _World:
    rng = np.random.default_rng(0)
    noise = gaussian_filter(rng.normal(size=(*SHAPE, 3)), (2, 2, 0))
    rgb = np.clip(120 + 200 * noise, 0, 255).astype(np.uint8)
    lab = to_lab(rgb)
    mask = np.zeros(SHAPE, bool)
    mask[30:60, 40:80] = True
    state = ObjectState.start("cup", mask, lab, to_bins(lab), np.zeros(SHAPE, bool))
    state.distractor_color.add(to_bins(lab)[:10])
    trust = rng.uniform(0, 1, SHAPE).astype(np.float32)
    known = np.clip(lab.astype(int) + rng.integers(-9, 10, lab.shape), 0, 255).astype(np.uint8)
    colors = ColorModel()
    colors.add(to_bins(lab)[~mask])
    field = gaussian_filter(rng.normal(size=(*SHAPE, 2)), (6, 6, 0)).astype(np.float32) * 20
    flow = Flow(field, -field, (slice(0, SHAPE[0]), slice(0, SHAPE[1])))
    return _World(FrameData(3, rgb), Scene(BackgroundModel(known, trust), colors, None), state, flow)


def _weighed(world: _World, motion: ObjectMotion, *, occupied: np.ndarray | None = None) -> np.ndarray:
    work = Workspace()
    evidence = Evidence(work, DEFAULTS)
    picture = FrameData(3, world.picture.rgb, occupied)
    evidence.look(picture, world.scene, WINDOW)
    own = predicted(world.state, motion, WINDOW)
    labels = evidence.weigh(picture, world.scene, own, [], world.flow)
    assert labels == 2
    shape = (67, 95)
    assert np.array_equal(work.image(BINS, np.int32, shape), to_bins(work.image(LAB, np.uint8, (*shape, 3))))
    return work.image(EVIDENCE, np.float32, (2, *shape)).copy()


def test_density_at_rest_is_that_of_a_shaded_colour(world: _World) -> None:
    work = Workspace()
    Evidence(work, DEFAULTS).look(world.picture, world.scene, WINDOW)
    found = work.image(AT_REST, np.float32, (67, 95))
    expected = world.scene.known_density(to_lab(world.picture.rgb)[WINDOW], WINDOW)
    assert np.allclose(found, expected, rtol=2e-3, atol=1e-9)


def test_evidence_of_the_background(world: _World) -> None:
    o, state = DEFAULTS.evidence, world.state
    lab, trust = to_lab(world.picture.rgb)[WINDOW], world.scene.background.trust[WINDOW]
    bins, rest = to_bins(lab), world.scene.known_density(lab, WINDOW)
    near, anything = o.nearby_share, world.scene.colors.density(bins)
    moving = near * state.distractor_color.density(bins) + (1 - near) * anything
    resting = near * state.surround_color.density(bins) + (1 - near) * anything
    known = o.known_without_hands * trust
    density = known * rest + (1 - known) * (trust * moving + (1 - trust) * resting)
    miss = (world.flow.backward_in(WINDOW) ** 2).sum(-1)
    still = (1 - o.background_outliers) * np.exp(-0.5 * miss / o.motion_sigma**2) + o.background_outliers
    expected = DEFAULTS.color.weight * np.log(density) + o.motion_weight * np.log(still)
    assert np.allclose(_weighed(world, STILL)[0], expected, atol=2e-3)


@pytest.mark.parametrize("moves", [False, True])
def test_evidence_of_an_object(world: _World, moves: bool) -> None:
    o, motion = DEFAULTS.evidence, STILL
    if moves:
        turn = np.array([[1.0, -0.05, 6.0], [0.08, 0.97, -3.0]])
        motion = ObjectMotion(turn, np.array([[1.0, -0.06, 6.0], [0.06, 1.0, -4.0]]), 1.0, 7.0)
    found = _weighed(world, motion)[1]
    p = predicted(world.state, motion, WINDOW)
    lab, trust = to_lab(world.picture.rgb)[WINDOW], world.scene.background.trust[WINDOW]
    bins, rest = to_bins(lab), world.scene.known_density(lab, WINDOW)
    share = o.appearance_share * p.support * (1 - trust * (rest > o.background_density))
    seen = shaded_density(lab, p.template, o.darkest_object)
    density = share * seen + (1 - share) * world.state.color.density(bins)
    softness = o.softness + min(o.softness_per_step * motion.speed, o.most_added_softness)
    away = signed_distance_field(p.support > 0.5, 3)
    away = (1 - o.similarity_share) * away + o.similarity_share * signed_distance_field(p.outline > 0.5, 3)
    unlike = (trust > o.known_trust) & (rest < o.unlike_ratio * o.background_density)
    lowest = np.where(unlike, o.far_unlike_log_odds, o.far_log_odds)
    rigid = np.clip(away / softness, lowest, o.inside_log_odds)
    back = world.flow.backward_in(WINDOW)
    miss = ((back - expected_flow(p, WINDOW)) ** 2).sum(-1)
    sigma = o.motion_sigma + o.motion_sigma_per_step * motion.speed
    moved = (1 - o.object_outliers) * np.exp(-0.5 * miss / sigma**2) + o.object_outliers
    rest_of_it = DEFAULTS.color.weight * np.log(density) + o.motion_weight * np.log(moved)
    dense = (found - rest_of_it - o.rigid_weight * rigid) / o.dense_weight
    # What is left is the outline moved by dense flow: between its limits, and high where both agree.
    assert dense.min() > o.far_log_odds - 0.02
    assert dense.max() < o.inside_log_odds + 0.02
    assert dense[away > 12].mean() > 2
    assert dense[away < -15].mean() < -3


def test_where_another_object_is_none_can_be(world: _World) -> None:
    occupied = np.zeros(SHAPE, bool)
    occupied[30:40] = True
    found = _weighed(world, STILL, occupied=occupied)
    assert (found[1][20:30] == DEFAULTS.evidence.excluded_log_odds).all()
    assert (found[1][40:] > DEFAULTS.evidence.excluded_log_odds).all()
