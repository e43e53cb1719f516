"""Symmetry groups: closure, the nearest twin, errors and tracks modulo the group."""

from __future__ import annotations

import itertools
import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from dexman_pose.data import Mesh, PoseTrack, RigidObject
from dexman_pose.errors import InputError
from dexman_pose.geometry import (
    Axis,
    SymmetryGroup,
    inverse,
    rotation_angle,
    se3,
    se3_exp,
    so3_exp,
    transform_points,
)
from dexman_pose.geometry.symmetry_generation import generate_symmetry, symmetry_from_bop

Array = NDArray[np.float64]

CENTER = np.array([0.03, -0.02, 0.05])
FRAME = se3(so3_exp([0.4, -0.7, 0.3]), CENTER)


def about_center(rotation: Array) -> Array:
    """A rotation of an object whose axes are those of FRAME."""
    return FRAME @ se3(rotation, np.zeros(3)) @ inverse(FRAME)


def turn(axis: str, degrees: float) -> Array:
    return about_center(Rotation.from_euler(axis, degrees, degrees=True).as_matrix())


TETRAHEDRON = [turn("z", 180), about_center(so3_exp(np.full(3, 2 * np.pi / 3 / np.sqrt(3))))]
GOLDEN = np.array([0.0, 1.0, (1 + np.sqrt(5)) / 2]) / np.linalg.norm([1.0, (1 + np.sqrt(5)) / 2])
Z_AXIS = Axis(CENTER, FRAME[:3, 2])

GROUPS: dict[str, SymmetryGroup] = {
    "C1": SymmetryGroup.trivial(),
    "C2": generate_symmetry([turn("z", 180)]),
    "C5": generate_symmetry([turn("z", 72)]),
    "C12": generate_symmetry([turn("z", 30)]),
    "D2": generate_symmetry([turn("z", 180), turn("x", 180)]),
    "D6": generate_symmetry([turn("z", 60), turn("x", 180)]),
    "T": generate_symmetry(TETRAHEDRON),
    "O": generate_symmetry([turn("z", 90), turn("x", 90)]),
    "I": generate_symmetry([*TETRAHEDRON, about_center(so3_exp(2 * np.pi / 5 * GOLDEN))]),
    "Cinf": generate_symmetry(axes=[Z_AXIS]),
    "Dinf": generate_symmetry([turn("x", 180)], [Z_AXIS]),
    "K": generate_symmetry(sphere=CENTER),
}
ORDERS = {"C1": 1, "C2": 2, "C5": 5, "C12": 12, "D2": 4, "D6": 12, "T": 12, "O": 24, "I": 60}

numbers = st.floats(-1.0, 1.0)
poses = st.lists(numbers, min_size=6, max_size=6).map(
    lambda x: se3_exp(np.array(x) * [0.2, 0.2, 0.2, 3, 3, 3]) @ se3(np.eye(3), np.array([0.0, 0.0, 0.5]))
)
names = st.sampled_from(sorted(GROUPS))


def element(group: SymmetryGroup, pick: float, spin: tuple[float, float, float]) -> Array:
    """Any element of a group."""
    m = group.discrete[int(pick * (len(group.discrete) - 1e-9))]
    if group.sphere is not None:
        r = so3_exp(spin)
        return se3(r, group.sphere - r @ group.sphere)
    if group.axes:
        r = so3_exp(spin[0] * group.axes[0].direction)
        return se3(r, group.axes[0].point - r @ group.axes[0].point) @ m
    return m


Pick = tuple[float, tuple[float, float, float]]
elements = st.tuples(st.floats(0.0, 1.0), st.tuples(*[st.floats(-3.1, 3.1)] * 3))


@pytest.mark.parametrize("name", sorted(GROUPS))
def test_generated_groups_have_their_name_and_order(name: str) -> None:
    group = GROUPS[name]
    assert group.name == name
    assert group.order == ORDERS.get(name, np.inf)
    assert group.is_trivial == (name == "C1")
    assert group.is_continuous == (name in ("Cinf", "Dinf", "K"))
    np.testing.assert_array_equal(group.discrete[0], np.eye(4))


@pytest.mark.parametrize("name", sorted(ORDERS))
def test_finite_groups_are_closed_to_rounding(name: str) -> None:
    discrete = GROUPS[name].discrete
    products = (discrete[:, None] @ discrete[None]).reshape(-1, 1, 4, 4)
    assert np.abs(products - discrete).max((-1, -2)).min(1).max() < 1e-12


@pytest.mark.parametrize("name", sorted(set(GROUPS) - {"C1"}))
def test_every_element_keeps_the_center(name: str) -> None:
    group = GROUPS[name]
    moved = transform_points(group.sampled(), group.center[None])[:, 0]
    np.testing.assert_allclose(moved, np.broadcast_to(group.center, moved.shape), atol=1e-12)
    axial = name in ("C2", "C5", "C12", "Cinf")
    away = np.cross(group.center - CENTER, FRAME[:3, 2]) if axial else group.center - CENTER
    assert np.linalg.norm(away) < 1e-12


@pytest.mark.parametrize("name", ["D6", "O", "I"])
def test_rough_generators_become_the_exact_group(name: str) -> None:
    rng = np.random.default_rng(1)
    picked = GROUPS[name].discrete[1:]
    rough = [m @ se3_exp(rng.normal(0, [2e-4] * 3 + [4e-3] * 3)) for m in picked]
    group = generate_symmetry(rough, angle=0.05, distance=3e-3)
    assert group.name == name
    products = (group.discrete[:, None] @ group.discrete[None]).reshape(-1, 1, 4, 4)
    assert np.abs(products - group.discrete).max((-1, -2)).min(1).max() < 1e-12
    assert all(group.contains(m, 0.02, 1e-3) for m in picked)


def test_axes_that_are_not_kept_generate_a_sphere() -> None:
    other = Axis(CENTER + 0.2 * FRAME[:3, 0], FRAME[:3, 0])
    for group in (
        generate_symmetry(axes=[Z_AXIS, other]),
        generate_symmetry([turn("x", 90)], [Z_AXIS]),
    ):
        assert group.name == "K"
        np.testing.assert_allclose(group.center, CENTER, atol=1e-12)


def test_rotations_about_the_axis_and_second_flips_add_nothing() -> None:
    group = generate_symmetry([turn("z", 40), turn("x", 180), turn("y", 180)], [Z_AXIS, Z_AXIS])
    assert (group.name, len(group.discrete), len(group.axes)) == ("Dinf", 2, 1)


@pytest.mark.parametrize(
    ("discrete", "axes", "message"),
    [
        ([se3(np.eye(3), np.array([0.0, 0.0, 0.1]))], [], "keep no common point"),
        ([turn("z", 180), se3(turn("x", 180)[:3, :3], np.array([9.0, 0, 0]))], [], "keep no common point"),
        ([turn("z", 7)], [], "no finite group|more than"),
        ([se3(so3_exp(FRAME[:3, 2]), np.ones(3))], [Z_AXIS], "apart|slides"),
        ([], [Z_AXIS, Axis(CENTER + 0.1 * FRAME[:3, 0], FRAME[:3, 2])], "parallel symmetry axes"),
        ([], [Z_AXIS, Axis(CENTER + 0.1 * FRAME[:3, 1], FRAME[:3, 0])], "pass each other"),
        ([np.diag([1.0, 1.0, -1.0, 1.0])], [], "rigid"),
        ([], [Axis(CENTER, np.zeros(3))], "must not be zero"),
    ],
)
def test_generators_that_no_object_has_are_refused(
    discrete: list[Array], axes: list[Axis], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        generate_symmetry(discrete, axes, max_count=40)


def test_arrays_that_are_no_group_are_refused() -> None:
    with pytest.raises(InputError, match="identity first"):
        SymmetryGroup(np.stack([turn("z", 180), np.eye(4)]))
    with pytest.raises(InputError, match="generate it instead"):
        SymmetryGroup(np.stack([np.eye(4)] * 3), (Z_AXIS,))
    with pytest.raises(InputError, match="generate it instead"):
        SymmetryGroup(axes=(Z_AXIS,), sphere=CENTER)


@settings(max_examples=150, deadline=None)
@given(names, poses, elements)
def test_error_is_zero_between_twins(name: str, pose: Array, pick: Pick) -> None:
    group = GROUPS[name]
    twin = pose @ element(group, *pick)
    radians, metres = group.pose_error(twin, pose)
    assert radians < 1e-6
    assert metres < 1e-9
    assert group.is_equivalent(twin, pose, 1e-6, 1e-9)
    assert group.rotation_error(pose, twin) < 1e-6


@settings(max_examples=150, deadline=None)
@given(names, poses, poses)
def test_closest_is_a_twin_and_idempotent(name: str, pose: Array, reference: Array) -> None:
    group = GROUPS[name]
    once = group.closest(pose, reference)
    assert group.is_equivalent(once, pose, 1e-6, 1e-9)
    twice = group.closest(once, reference)
    angle = rotation_angle(once[:3, :3].T @ reference[:3, :3])
    # An axis turned right over is equally far however it spins.
    if not (group.axes and angle > np.pi - 1e-3):
        np.testing.assert_allclose(twice, once, atol=1e-6)


@settings(max_examples=100, deadline=None)
@given(names, poses, poses)
def test_no_sampled_twin_is_nearer_than_the_closest(name: str, pose: Array, reference: Array) -> None:
    group = GROUPS[name]
    best = rotation_angle(group.closest(pose, reference)[:3, :3].T @ reference[:3, :3])
    others = pose @ group.sampled()
    turned = np.swapaxes(others[:, :3, :3], -1, -2) @ reference[:3, :3]
    assert best <= rotation_angle(turned).min() + 1e-6


@settings(max_examples=100, deadline=None)
@given(names, poses, poses, elements, elements)
def test_error_does_not_depend_on_the_representatives(
    name: str,
    a: Array,
    b: Array,
    g: tuple[float, tuple[float, float, float]],
    h: tuple[float, tuple[float, float, float]],
) -> None:
    group = GROUPS[name]
    first = group.pose_error(a, b)
    second = group.pose_error(a @ element(group, *g), b @ element(group, *h))
    np.testing.assert_allclose(first, second, atol=1e-6)


def test_closest_and_errors_are_batched() -> None:
    rng = np.random.default_rng(0)
    pose, ref = (se3_exp(rng.normal(size=(4, 1, 6))), se3_exp(rng.normal(size=(3, 6))))
    for group in GROUPS.values():
        out = group.closest(pose, ref)
        assert out.shape == (4, 3, 4, 4)
        radians, metres = group.pose_error(pose, ref)
        assert radians.shape == metres.shape == (4, 3)
        for i, j in itertools.product(range(4), range(3)):
            np.testing.assert_allclose(out[i, j], group.closest(pose[i, 0], ref[j]), atol=1e-12)


def test_error_in_known_numbers() -> None:
    cylinder = GROUPS["Dinf"]
    true = se3(so3_exp([0.1, 0.2, 0.3]), np.array([0.1, 0.0, 0.6]))
    tilt = so3_exp(0.05 * FRAME[:3, 0])
    tilted = se3(tilt, CENTER - tilt @ CENTER)
    moved = se3(np.eye(3), np.array([0.003, 0.004, 0.0]))
    for spin in (0.0, 1.0, 3.0):
        flip = element(cylinder, 1.0, (spin, 0, 0))
        radians, metres = cylinder.pose_error(moved @ true @ flip @ tilted, true)
        assert radians == pytest.approx(0.05, abs=1e-9)
        assert metres == pytest.approx(0.005, abs=1e-12)
    away = SymmetryGroup.trivial().pose_error(true @ tilted, true, center=CENTER + 0.2 * FRAME[:3, 2])[1]
    assert away == pytest.approx(2 * 0.2 * np.sin(0.025), abs=1e-9)


def test_ties_keep_the_pose_itself() -> None:
    quarter = se3(so3_exp([0, 0, np.pi / 4]), np.zeros(3))
    square = generate_symmetry([se3(so3_exp([0, 0, np.pi / 2]), np.zeros(3))])
    np.testing.assert_array_equal(square.closest(quarter, np.eye(4)), quarter)


def smooth_track(frames: int = 60) -> Array:
    t = np.linspace(0, 1, frames)[:, None]
    return se3_exp(t * [0.05, 0.02, 0.0, 1.5, 0.7, 0.3]) @ se3(np.eye(3), np.array([0.0, 0.0, 0.5]))


@pytest.mark.parametrize("name", sorted(GROUPS))
def test_a_track_that_jumps_between_twins_becomes_smooth(name: str) -> None:
    group, true = GROUPS[name], smooth_track()
    rng = np.random.default_rng(2)
    jumping = np.stack([m @ element(group, rng.uniform(), tuple(rng.uniform(-3, 3, 3))) for m in true])
    out = group.continuous_track(jumping)
    assert group.is_equivalent(out, true, 1e-6, 1e-9).all()
    np.testing.assert_array_equal(out[0], jumping[0])
    steps = rotation_angle(np.swapaxes(out[:-1, :3, :3], 1, 2) @ out[1:, :3, :3])
    true_steps = rotation_angle(np.swapaxes(true[:-1, :3, :3], 1, 2) @ true[1:, :3, :3])
    assert (steps <= true_steps + 1e-6).all()
    if not group.is_continuous:  # the same twin throughout
        np.testing.assert_allclose(steps, true_steps, atol=1e-6)


def test_a_continuous_axis_does_not_spin() -> None:
    group = GROUPS["Cinf"]
    spinning = np.stack([element(group, 0.0, (0.3 * i, 0, 0)) for i in range(30)])
    out = group.continuous_track(spinning)
    np.testing.assert_allclose(out, np.broadcast_to(spinning[0], out.shape), atol=1e-12)


def test_a_trivial_track_comes_back_as_it_is() -> None:
    track = smooth_track()
    out = SymmetryGroup.trivial().continuous_track(track, np.zeros(60, bool))
    np.testing.assert_array_equal(out, track)
    assert out is not track


def test_frames_that_are_not_valid_are_no_reference() -> None:
    group = GROUPS["C2"]
    flip = group.discrete[1]
    true = smooth_track(12)
    track = true.copy()
    track[6:] = track[6:] @ flip
    track[:2] = track[:2] @ flip
    valid = np.ones(12, bool)
    valid[[0, 1, 5]] = False
    track[5] = true[5] @ se3_exp([0, 0, 0, 0, 0, 2.0])  # were it followed, the track would flip
    out = group.continuous_track(track, valid)
    np.testing.assert_allclose(out[valid], true[valid], atol=1e-9)
    np.testing.assert_allclose(out[:2], true[:2], atol=1e-9)
    with pytest.raises(InputError, match=r"\(T, 4, 4\)"):
        group.continuous_track(track, valid[:3])


@pytest.mark.parametrize("name", sorted(GROUPS))
def test_bop_round_trip(name: str) -> None:
    group = GROUPS[name]
    entry = json.loads(json.dumps(group.to_bop()))
    back = symmetry_from_bop(**entry)
    assert back.name == name
    assert all(back.contains(m, 1e-6, 1e-9) for m in group.sampled(step=0.7))
    if name != "C1":
        np.testing.assert_allclose(back.center, group.center, atol=1e-9)


def test_bop_translations_are_in_millimetres() -> None:
    numbers = [-1, 0, 0, 20.0, 0, -1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1]
    group = symmetry_from_bop([numbers])
    np.testing.assert_allclose(group.center, [0.01, 0, 0])
    np.testing.assert_allclose(group.to_bop()["symmetries_discrete"], [numbers], atol=1e-9)
    axis = symmetry_from_bop([], [{"axis": [0, 0, 2], "offset": [5, 0, 0]}])
    np.testing.assert_allclose(axis.axes[0].point, [0.005, 0, 0])
    np.testing.assert_allclose(axis.axes[0].direction, [0, 0, 1])
    with pytest.raises(InputError, match="16 numbers"):
        symmetry_from_bop([numbers[:12]])
    with pytest.raises(InputError, match="must have an axis"):
        symmetry_from_bop([], [{"offset": [0, 0, 0]}])


@pytest.mark.parametrize("name", sorted(GROUPS))
def test_samples_are_elements_and_fit_a_rigid_object(name: str) -> None:
    group = GROUPS[name]
    samples = group.sampled(step=np.radians(10), max_count=200)
    np.testing.assert_array_equal(samples[0], np.eye(4))
    assert all(group.contains(m, 1e-6, 1e-9) for m in samples)
    expected = {"Cinf": 36, "Dinf": 72, "K": 200}.get(name, group.order)
    assert len(samples) == expected
    turned = np.swapaxes(samples[:, None, :3, :3], -1, -2) @ samples[None, :, :3, :3]
    apart = rotation_angle(turned)[~np.eye(len(samples), dtype=bool)]
    assert len(samples) == 1 or apart.min() > np.radians(9.9)
    mesh = Mesh(np.eye(3), np.array([[0, 1, 2]]))
    RigidObject("it", mesh, PoseTrack(np.eye(4)[None], np.ones(1), np.ones(1)), symmetry=samples)


def test_fewer_samples_where_asked() -> None:
    assert len(GROUPS["Dinf"].sampled(0.01, 100)) == 100
    assert len(GROUPS["O"].sampled(0.01, 10)) == 24  # a finite group is whole
    with pytest.raises(InputError, match="step must be positive"):
        GROUPS["Dinf"].sampled(0.0)


@settings(max_examples=60, deadline=None)
@given(names, poses, elements)
def test_moving_and_scaling_the_frame_conjugates(name: str, new_from_old: Array, pick: Pick) -> None:
    group = GROUPS[name]
    g = element(group, *pick)
    moved = group.moved(new_from_old)
    assert moved.name == name
    assert moved.contains(new_from_old @ g @ inverse(new_from_old), 1e-6, 1e-9)
    scaled = g.copy()
    scaled[:3, 3] *= 1000
    assert group.scaled(1000).contains(scaled, 1e-6, 1e-6)
