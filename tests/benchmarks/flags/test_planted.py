"""Planted failures are what they say they are: masks, poses and pictures of short rendered clips."""

from __future__ import annotations

import numpy as np
import pytest

from dexman_pose.benchmarks.flags import planted
from dexman_pose.benchmarks.flags.mask_defects import LeakOptions, boxed, halved, leaked, relabelled
from dexman_pose.benchmarks.flags.options import FlagOptions
from dexman_pose.benchmarks.flags.scene import OTHER, Scene
from dexman_pose.benchmarks.flags.stress import leaks, pictures, without_masks
from dexman_pose.benchmarks.stress.cases import build_case
from dexman_pose.errors import InputError
from dexman_pose.render import Rasterizer
from dexman_pose.synthetic.scenes.shapes import stress_shape
from dexman_pose.synthetic.scenes.true_symmetry import rotation_errors

SMALL = FlagOptions(shapes=("can",), conditions=("clean",), frames=4)


def scene(beside: bool = False) -> Scene:
    return Scene(stress_shape("can"), stress_shape("box") if beside else None, np.random.default_rng(0))


def middle(mask: np.ndarray) -> np.ndarray:
    return np.argwhere(mask).mean(0)[::-1]


def drawn_at(filmed: Scene, pose: np.ndarray) -> np.ndarray:
    c = filmed.camera
    return Rasterizer(filmed.first.mesh).render(pose[None], c.K, c.width, c.height).mask[0]


def disc() -> np.ndarray:
    y, x = np.mgrid[:100, :120]
    return (x - 60) ** 2 + (y - 50) ** 2 < 20**2


def test_a_boxed_mask_is_a_full_rectangle_a_few_pixels_loose() -> None:
    mask, found = disc(), boxed(disc(), np.random.default_rng(0), LeakOptions(margin=(3, 8)))
    v, u = np.nonzero(found)
    assert found.sum() == (np.ptp(u) + 1) * (np.ptp(v) + 1)
    low, high = np.argwhere(mask).min(0), np.argwhere(mask).max(0)
    assert ((low - [v.min(), u.min()]) >= 3).all() and ((low - [v.min(), u.min()]) <= 8).all()
    assert (([v.max(), u.max()] - high) >= 3).all() and (([v.max(), u.max()] - high) <= 8).all()


@pytest.mark.parametrize(("angle", "axis", "sign"), [(0.0, 0, 1), (np.pi, 0, -1), (np.pi / 2, 1, 1)])
def test_a_leak_goes_to_its_side(angle: float, axis: int, sign: int) -> None:
    mask, found = disc(), leaked(disc(), np.random.default_rng(1), angle)
    assert found[mask].all()
    assert 1.1 < found.sum() / mask.sum() < 2.0
    moved = middle(found) - middle(mask)
    assert sign * moved[axis] > 2 and abs(moved[1 - axis]) < 1


def test_a_half_is_half_and_on_its_side() -> None:
    mask, found = disc(), halved(disc(), 0.0)
    assert 0.42 < found.sum() / mask.sum() < 0.55
    assert not found[~mask].any()
    assert middle(found)[0] > middle(mask)[0] + 5


def test_defects_of_an_empty_mask_are_empty_and_occluders_stay() -> None:
    empty, rng = np.zeros((9, 9), bool), np.random.default_rng(0)
    assert not boxed(empty, rng).any() and not leaked(empty, rng, 0.0).any() and not halved(empty, 0.0).any()
    labels = np.array([[0, 1, 255]], np.uint8)
    np.testing.assert_array_equal(relabelled(labels, np.array([[True, False, True]])), [[1, 0, 255]])


def test_the_mask_is_the_neighbours_from_the_onset_on() -> None:
    filmed = scene(beside=True)
    footage = filmed.film([filmed.path] * 3)
    given = planted.swap_labels(footage.labels, 1)
    np.testing.assert_array_equal(given[0] == 1, footage.labels[0] == 1)
    for t in (1, 2):
        np.testing.assert_array_equal(given[t] == 1, footage.labels[t] == OTHER)
        assert (given[t] == 1).sum() > 1000
        assert not ((given[t] == 1) & drawn_at(filmed, footage.camera_from_object[t])).any()
        assert set(np.unique(given[t])) == {0, 1}


def test_the_object_jumps_with_its_mask_or_without() -> None:
    filmed = scene()
    followed = planted.jump_followed(filmed, 2, 3)
    jump = np.linalg.norm(np.diff(followed.footage.camera_from_object[:, :3, 3], axis=0), axis=1)
    assert jump[0] < 0.02 and jump[1] > 0.1
    for t in range(3):
        truth = drawn_at(filmed, followed.footage.camera_from_object[t])
        assert ((followed.labels[t] == 1) == truth).mean() > 0.999
    left = planted.jump_unfollowed(scene(), 2, 3)
    assert middle(left.labels[2] == 1)[0] < 320 < middle(left.footage.labels[2] == 1)[0]
    still = np.abs(middle(left.labels[2] == 1) - middle(left.labels[1] == 1))
    assert (still < 5).all()


def test_the_object_turns_on_the_spot() -> None:
    filmed = scene()
    turned = planted.jump_turned(filmed, 1, 2).footage.camera_from_object
    center = filmed.first.mesh.center
    moved = (turned[1, :3, :3] - turned[0, :3, :3]) @ center + turned[1, :3, 3] - turned[0, :3, 3]
    assert np.linalg.norm(moved) < 0.01
    assert 80 < rotation_errors(turned[1:], turned[:1])[0] < 100


def test_a_panned_clip_shows_the_object_where_its_poses_say() -> None:
    filmed = scene()
    still = filmed.film([filmed.path] * 2)
    moved = planted.pan(still, filmed.camera, np.array([0.0, 4.0]))
    np.testing.assert_array_equal(moved.images[0], still.images[0])
    assert 35 < middle(moved.labels[1] == 1)[0] - middle(still.labels[1] == 1)[0] < 55
    truth, label = drawn_at(filmed, moved.camera_from_object[1]), moved.labels[1] == 1
    assert (truth & label).sum() / (truth | label).sum() > 0.97
    background = still.images[1][:60].astype(float), moved.images[1][:60].astype(float)
    assert np.abs(background[0] - background[1]).mean() > 5


def test_a_camera_pans_steadily_or_is_pushed_once() -> None:
    np.testing.assert_allclose(planted.pan_angles("steady", 2, 5), [0, 0, 0.3, 0.6, 0.9])
    np.testing.assert_allclose(planted.pan_angles("pushed", 2, 5), [0, 0, 4, 4, 4])


def test_the_mask_is_halved_from_the_onset_on() -> None:
    filmed = scene()
    exact = filmed.film([filmed.path] * 2).labels
    given = planted.halve_labels(exact, 0.3, 1)
    np.testing.assert_array_equal(given[0], exact[0])
    assert 0.4 < (given[1] == 1).sum() / (exact[1] == 1).sum() < 0.6


def test_a_mesh_of_another_object_starts_at_the_true_middle_and_is_never_right() -> None:
    case = next(iter(planted.wrong_mesh(SMALL)))
    assert not case.possible
    own = stress_shape("can").mesh
    assert len(case.mesh.vertices) != len(own.vertices)
    assert case.start is not None
    reached = case.start[:3, :3] @ case.mesh.center + case.start[:3, 3]
    true = case.camera_from_object[0]
    np.testing.assert_allclose(reached, true[:3, :3] @ own.center + true[:3, 3], atol=1e-9)


def test_cases_of_a_group_have_names_of_their_own_and_are_the_same_each_time() -> None:
    first, again = list(planted.half_mask(SMALL)), list(planted.half_mask(SMALL))
    assert len({c.name for c in first}) == len(first) == 4
    np.testing.assert_array_equal(first[0].images[0], again[0].images[0])
    np.testing.assert_array_equal(first[2].labels[3], again[2].labels[3])
    assert [c.num_frames for c in first] == [1, 1, 4, 4]


def test_stress_scenes_become_pictures_and_leaks() -> None:
    case = next(iter(pictures(SMALL)))
    stress = build_case("clean", "can", 0, 1)
    np.testing.assert_array_equal(case.labels[0], stress.labels[0])
    leaking = next(iter(leaks(SMALL)))
    assert (leaking.labels[0] == 1).sum() > 1.1 * (stress.labels[0] == 1).sum()
    assert leaking.depth is None


def test_prints_without_masks_begin_right_beside_and_with_another_mesh() -> None:
    cases = [case for case, _ in zip(without_masks(SMALL), range(3))]
    assert [c.work for c in cases] == ["track-alone"] * 3
    assert [c.name.split("/")[0] for c in cases] == ["exact", "beside", "stranger"]
    assert [c.possible for c in cases] == [True, True, False]
    assert cases[0].start is None and cases[1].start is not None
    assert not np.allclose(cases[1].start, cases[0].camera_from_object[0])
    assert cases[2].mesh is not cases[0].mesh


def test_shapes_and_conditions_have_to_exist() -> None:
    with pytest.raises(InputError, match="no stress shape named 'ball'"):
        FlagOptions(shapes=("ball",))
    with pytest.raises(InputError, match="no stress condition named 'fog'"):
        FlagOptions(conditions=("fog",))
