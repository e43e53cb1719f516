"""Penetration of boxes and spheres with known answers; contact flags counted by hand."""

import numpy as np
import pytest
import trimesh

from dexman_pose.data import Mesh
from dexman_pose.errors import InputError
from dexman_pose.geometry import se3, so3_exp, transform_points
from dexman_pose.metrics._signed import Surface, is_closed
from dexman_pose.metrics.contact import contact_distance_error, contact_f_score, penetration

RNG = np.random.default_rng(3)


def mesh_of(shape):
    return Mesh(np.asarray(shape.vertices), np.asarray(shape.faces, np.int32))


BOX = mesh_of(trimesh.creation.box((0.10, 0.08, 0.06)))
HALF = np.array([0.05, 0.04, 0.03])
POSE = se3(so3_exp([0.4, -0.3, 0.9]), [0.1, -0.2, 0.7])


def test_signed_distance_is_that_of_the_box():
    points = RNG.uniform(-0.08, 0.08, (5000, 3))
    over = np.abs(points) - HALF
    expected = np.linalg.norm(np.maximum(over, 0), axis=1) + np.minimum(over.max(1), 0)
    surface = Surface(BOX.vertices, BOX.faces)
    assert surface.closed
    assert np.allclose(surface.distance(points), expected, atol=1e-7)
    # A mesh turned inside out is the same body.
    assert np.allclose(Surface(BOX.vertices, BOX.faces[:, ::-1]).distance(points), expected, atol=1e-7)


def test_a_lid_taken_off_leaves_the_inside_inside():
    opened = trimesh.creation.icosphere(3, 0.05)
    faces = opened.faces[opened.triangles_center[:, 2] < 0.045]
    surface = Surface(opened.vertices, faces)
    assert not surface.closed and not is_closed(faces)
    assert surface.distance([[0.0, 0.0, 0.0], [0.0, 0.0, 0.1]])[0] < -0.04
    assert surface.distance([[0.0, 0.0, 0.0], [0.0, 0.0, 0.1]])[1] > 0.04


def exact_winding(surface, points):
    """Winding numbers by the solid angle of every face (Van Oosterom and Strackee 1983)."""
    a, b, c = (surface.vertices[surface.faces[:, k]] - points[:, None] for k in range(3))
    la, lb, lc = (np.linalg.norm(x, axis=-1) for x in (a, b, c))
    triple = np.einsum("ijk,ijk->ij", a, np.cross(b, c))
    below = la * lb * lc + (a * b).sum(-1) * lc + (b * c).sum(-1) * la + (c * a).sum(-1) * lb
    return np.arctan2(triple, below).sum(1) / (2 * np.pi)


def test_inside_agrees_with_the_exact_winding_number_of_an_open_mesh():
    whole = trimesh.creation.icosphere(3, 0.05)
    opened = trimesh.Trimesh(whole.vertices, whole.faces[whole.triangles_center[:, 2] < 0.03], process=False)
    points = RNG.uniform(-0.06, 0.06, (600, 3))
    winding = exact_winding(opened, points)
    clear = np.abs(winding - 0.5) > 0.02
    inside = Surface(opened.vertices, opened.faces).distance(points) < 0
    assert clear.mean() > 0.9 and 0.1 < inside.mean() < 0.5
    assert np.array_equal(inside[clear], winding[clear] > 0.5)


def test_depth_of_points_by_hand_in_a_moving_frame():
    points = np.array([[0.0, 0.0, 0.025], [0.045, 0.0, 0.0], [0.06, 0.0, 0.0]])  # 5 mm, 5 mm, outside
    deeper = points + [0.0, 0.0, -0.005]  # 10 mm, 5 mm, outside
    poses = np.stack([POSE, np.eye(4), POSE])
    hand = np.stack([transform_points(POSE, points), deeper, np.full((3, 3), np.nan)])
    found = penetration(hand, BOX, poses, valid=[True, True, False])
    assert np.allclose(found.depth_max, [0.005, 0.010, 0.0], atol=1e-7)
    assert np.allclose(found.depth_mean, [0.005, 0.0075, 0.0], atol=1e-7)
    assert found.inside.tolist() == [2, 2, 0]
    assert found.frames == 2
    assert found.mean_max_depth == pytest.approx(0.0075, abs=1e-7)
    assert found.mean_depth == pytest.approx(0.00625, abs=1e-7)
    assert found.volume is None and found.mean_volume is None and found.pitch is None


def test_radius_adds_flesh():
    found = penetration([[[0.0, 0.0, 0.04]]], BOX, np.eye(4)[None], radius=[0.012])
    assert found.depth_max == pytest.approx([0.002], abs=1e-7)
    assert penetration([[[0.0, 0.0, 0.04]]], BOX, np.eye(4)[None], radius=0.009).inside.tolist() == [0]


def test_sphere_in_box_depth_and_volume():
    ball = trimesh.creation.icosphere(4, 0.02)
    offsets = np.array([[0.0, 0, 0], [0.05, 0, 0], [0.2, 0, 0]])  # inside, half way through a face, apart
    hand = transform_points(POSE, ball.vertices[None] + offsets[:, None])
    found = penetration(hand, BOX, np.repeat(POSE[None], 3, 0), hand_faces=ball.faces, pitch=0.002)
    assert found.depth_max == pytest.approx([0.03, 0.02, 0.0], abs=1e-4)
    whole = 4 / 3 * np.pi * 0.02**3
    assert found.volume == pytest.approx([whole, whole / 2, 0.0], rel=0.02)
    assert found.pitch == 0.002
    assert found.mean_volume == pytest.approx(whole / 2, rel=0.02)
    assert found.inside[2] == 0


def test_box_in_box_volume_is_exact_on_a_fitting_grid():
    other = trimesh.creation.box((0.02, 0.02, 0.02))
    hand = other.vertices[None] + [[[0.045, 0.0, 0.0]]]  # 15 of 20 mm are inside
    found = penetration(hand, BOX, np.eye(4)[None], hand_faces=other.faces, pitch=0.001)
    assert found.volume == pytest.approx([0.015 * 0.02 * 0.02], rel=1e-9)


def test_volume_of_two_spheres_against_the_lens_formula():
    radius, apart = 0.03, 0.035
    ball = trimesh.creation.icosphere(4, radius)
    hand = ball.vertices[None] + [[[apart, 0.0, 0.0]]]
    found = penetration(hand, mesh_of(ball), np.eye(4)[None], hand_faces=ball.faces, pitch=0.0015)
    lens = np.pi * (4 * radius + apart) * (2 * radius - apart) ** 2 / 12
    assert found.volume == pytest.approx([lens], rel=0.02)


def test_no_valid_frame_gives_none_not_nan():
    found = penetration(np.zeros((2, 4, 3)), BOX, np.zeros((2, 4, 4)), valid=[False, False])
    assert (found.mean_depth, found.mean_max_depth, found.frames) == (None, None, 0)
    assert not found.depth_max.any()


def test_flags_counted_by_hand():
    true = np.array([[1, 0, 0], [1, 0, 1], [0, 0, 1], [1, 0, 0]], bool)
    estimated = np.array([[1, 0, 1], [0, 0, 1], [1, 0, 0], [1, 0, 0]], bool)
    found = contact_f_score(estimated, true)
    assert found.true_positives.tolist() == [2, 0, 1]
    assert found.false_positives.tolist() == [1, 0, 1]
    assert found.false_negatives.tolist() == [1, 0, 1]
    assert found.precision == pytest.approx([2 / 3, 1.0, 0.5])
    assert found.recall == pytest.approx([2 / 3, 1.0, 0.5])
    assert found.f_score == pytest.approx([2 / 3, 1.0, 0.5])
    assert found.empty.tolist() == [False, True, False]
    assert found.pooled_f_score == pytest.approx(3 / 5)
    assert found.pooled_precision == found.pooled_recall == pytest.approx(3 / 5)


def test_frames_without_truth_are_skipped_and_without_estimate_missed():
    true = np.ones((4, 5), bool)
    found = contact_f_score(
        true, true, np.array([True, True, True, False]), valid_estimated=np.array([True, False, True, True])
    )
    assert (found.frames, found.failures) == (3, 1)
    assert found.pooled_precision == 1.0
    assert found.pooled_recall == pytest.approx(2 / 3)
    assert found.false_negatives.tolist() == [1] * 5


def test_rules_where_there_is_nothing_to_divide_by():
    never, ever = np.zeros((3, 1), bool), np.ones((3, 1), bool)
    for estimated, true, expected in [(never, never, 1.0), (never, ever, 0.0), (ever, never, 0.0)]:
        found = contact_f_score(estimated, true)
        assert [*found.precision, *found.recall, *found.f_score] == [expected] * 3
        assert (found.pooled_precision, found.pooled_recall, found.pooled_f_score) == (expected,) * 3
    nothing = contact_f_score(np.zeros((0, 5), bool), np.zeros((0, 5), bool))
    assert nothing.pooled_f_score == 1.0 and nothing.frames == 0 and nothing.empty.all()


def test_flags_agree_with_brute_force_over_extra_dimensions():
    estimated, true = RNG.random((50, 2, 5)) < 0.4, RNG.random((50, 2, 5)) < 0.3
    valid = RNG.random(50) < 0.8
    found = contact_f_score(estimated, true, valid)
    hit = wrong = missed = 0
    for e, t in zip(estimated[valid].ravel(), true[valid].ravel()):
        hit, wrong, missed = hit + (e and t), wrong + (e and not t), missed + (t and not e)
    assert found.pooled_f_score == pytest.approx(2 * hit / (2 * hit + wrong + missed))
    assert found.pooled_precision == pytest.approx(hit / (hit + wrong))
    assert found.precision.shape == (5,)


def test_distance_error_by_hand():
    true = np.array([[0.0, 0.10], [0.01, 0.20], [0.0, 0.0]])
    estimated = np.array([[0.002, 0.15], [0.006, 0.20], [np.nan, np.nan]])
    has = np.array([True, True, False])
    found = contact_distance_error(estimated, true, valid_estimated=has)
    assert found.mean == pytest.approx((0.002 + 0.05 + 0.004 + 0.0) / 4)
    assert found.median == pytest.approx(0.003)
    assert found.bias == pytest.approx((0.002 + 0.05 - 0.004) / 4)
    assert found.per_point_mean == pytest.approx([0.003, 0.025])
    assert found.per_point_count.tolist() == [2, 2]
    assert found.failures == 2
    near = contact_distance_error(estimated, true, valid_estimated=has, within=0.05)
    assert near.mean == pytest.approx(0.003)
    assert near.per_point_count.tolist() == [2, 0]
    assert contact_distance_error(estimated, true, valid_estimated=has, within=-1.0).mean is None


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda: penetration(np.zeros((2, 3)), BOX, np.eye(4)[None]), "T, K, 3"),
        (lambda: penetration(np.zeros((2, 5, 3)), BOX, np.eye(4)[None]), "camera_from_object"),
        (lambda: penetration(np.zeros((1, 5, 3)) * np.nan, BOX, np.eye(4)[None]), "NaN"),
        (lambda: penetration(np.zeros((1, 5, 3)), BOX, np.eye(4)[None], radius=[1.0, 2.0]), "radius"),
        (
            lambda: penetration(BOX.vertices[None], BOX, np.eye(4)[None], hand_faces=BOX.faces, pitch=1e-5),
            "pitch",
        ),
        (lambda: contact_f_score(np.zeros((3, 5)), np.zeros((3, 5), bool)), "bool"),
        (lambda: contact_f_score(np.zeros((3, 5), bool), np.zeros((2, 5), bool)), "one shape"),
        (lambda: contact_f_score(np.zeros((3, 5), bool), np.zeros((3, 5), bool), [True]), "valid"),
    ],
)
def test_bad_input_is_named(call, text):
    with pytest.raises(InputError, match=text):
        call()
