"""The rasteriser against closed forms and against its plain twin."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
import torch
import trimesh
from numpy.typing import NDArray

from dexman_pose.data import Mesh
from dexman_pose.errors import InputError
from dexman_pose.geometry import se3, so3_exp
from dexman_pose.render import Rasterizer, Rendering
from dexman_pose.render.reference import render_reference

EVERYTHING = ("depth", "face_id", "barycentric", "normal", "color")
K64 = np.array([[80.0, 0.0, 31.5], [0.0, 80.0, 31.5], [0.0, 0.0, 1.0]])


@pytest.fixture(autouse=True)
def one_torch_thread() -> Iterator[None]:
    """The twin works on small tensors, for which waking a second thread costs more than it brings."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def sphere(level: int = 2, radius: float = 0.5) -> Mesh:
    s = trimesh.creation.icosphere(subdivisions=level, radius=radius)
    return Mesh(s.vertices, s.faces)


def box(size: float = 1.0) -> Mesh:
    b = trimesh.creation.box((size, size, size))
    return Mesh(b.vertices, b.faces)


def quad(z: float = 0.0, half: float = 1.0) -> Mesh:
    """A square in the plane z, texture upright when seen by a camera whose y points down."""
    v = [[-half, half, z], [half, half, z], [half, -half, z], [-half, -half, z]]
    uv = np.array([[[0, 0], [1, 0], [1, 1]], [[0, 0], [1, 1], [0, 1]]], np.float32)
    texture = np.array([[[255, 0, 0], [0, 255, 0]], [[0, 0, 255], [255, 255, 255]]], np.uint8)
    return Mesh(np.array(v), np.array([[0, 1, 2], [0, 2, 3]]), uv=uv, texture=texture)


def soup(seed: int, count: int = 40) -> Mesh:
    """Triangles of all sizes and shapes, long ones and specks, piercing each other."""
    rng = np.random.default_rng(seed)
    centers = rng.normal(size=(count, 1, 3))
    corners = centers + rng.normal(size=(count, 3, 3)) * 10 ** rng.uniform(-2.5, 0.3, (count, 1, 1))
    return Mesh(corners.reshape(-1, 3), np.arange(3 * count).reshape(-1, 3))


def at(
    x: float = 0.0, y: float = 0.0, z: float = 0.0, turn: tuple[float, float, float] = (0, 0, 0)
) -> NDArray[np.float64]:
    return se3(so3_exp(np.array(turn, float)), [x, y, z])


def assert_like_twin(
    mesh: Mesh,
    poses: NDArray[np.float64],
    k: NDArray[np.float64],
    width: int,
    height: int,
    near: float = 0.01,
) -> Rendering:
    got = Rasterizer(mesh).render(poses, k, width, height, attributes=EVERYTHING, near=near)
    fast = Rasterizer(mesh).render(poses, k, width, height, near=near)
    want = render_reference(mesh, poses, k, width, height, near=near)
    sure = ~want.borderline
    assert sure.mean() > 0.8, "the comparison would be hollow"
    assert np.array_equal(got.mask[sure], want.mask[sure])
    hit = sure & want.mask
    np.testing.assert_allclose(got.depth[hit], want.depth[hit], rtol=1e-5)
    # Where two faces meet, either may win; everywhere else the face is the same, and so are its weights.
    same = hit & (got.face_id == want.face_id)
    assert same.sum() >= 0.98 * hit.sum()
    np.testing.assert_allclose(got.barycentric[same], want.barycentric[same], atol=2e-6)
    assert np.array_equal(fast.mask, got.mask) and np.array_equal(fast.depth, got.depth)
    return got


@pytest.mark.parametrize("seed", range(8))
def test_random_triangles_match_the_twin(seed: int) -> None:
    rng = np.random.default_rng(100 + seed)
    poses = np.stack(
        [at(0, 0, 3.0, tuple(rng.normal(size=3))), at(0.3, -0.2, 0.5, tuple(rng.normal(size=3)))]
    )
    assert_like_twin(soup(seed), poses, K64, 64, 64)


def test_icosphere_matches_the_twin() -> None:
    poses = np.stack([at(0, 0, 2.0, (0.1, 0.2, 0.3)), at(0.4, -0.3, 1.5), at(3.0, 0, 2.0)])
    got = assert_like_twin(sphere(), poses, K64 * [[0.6], [0.6], [1]], 40, 40)
    assert got.mask[0].sum() > 400 and not got.mask[2].any()


@pytest.mark.parametrize("near", [0.01, 0.4])
def test_box_around_the_camera_matches_the_twin(near: float) -> None:
    poses = np.stack([at(0.1, 0.05, 0.02, (0.3, 0.4, 0.1)), at(0, 0, 0.3), at(0.2, 0.1, -0.3, (1, 2, 3))])
    got = assert_like_twin(box(2.0), poses, K64, 64, 64, near)
    if near == 0.01:
        assert got.mask[0].all(), "a camera inside a closed box sees it everywhere"


def test_a_triangle_through_the_camera_plane_matches_the_twin() -> None:
    ground = Mesh(np.array([[-50.0, 1, -50], [50, 1, -50], [0, 1, 100]]), np.array([[0, 1, 2]]))
    got = assert_like_twin(ground, at()[None], K64, 64, 64)
    rows = np.arange(33, 64)
    # The ground one metre below: depth f / (v - cy), all face 0, nothing above the horizon.
    np.testing.assert_allclose(got.depth[0, rows, 31], 80.0 / (rows - 31.5), rtol=1e-5)
    assert not got.mask[0, :31].any() and (got.face_id[0, rows, 31] == 0).all()


def test_two_corners_behind_and_one_corner_behind() -> None:
    one = Mesh(np.array([[-1.0, 0.3, 2], [1, 0.3, 2], [0, 0.3, -2]]), np.array([[0, 1, 2]]))
    two = Mesh(np.array([[0.0, 0.3, 4], [1, 0.3, -2], [-1, 0.3, -2]]), np.array([[0, 1, 2]]))
    for mesh in (one, two):
        assert assert_like_twin(mesh, at()[None], K64, 64, 64).mask.sum() > 50


def test_behind_the_camera_is_nothing() -> None:
    result = Rasterizer(sphere()).render(at(0, 0, -2.0), K64, 64, 64, attributes=EVERYTHING)
    assert not result.mask.any() and not result.depth.any() and (result.face_id == -1).all()
    assert not result.color.any() and not result.normal.any() and not result.barycentric.any()


@pytest.mark.parametrize("size", [(1, 1), (7, 131), (131, 7), (3, 2), (1, 64)])
def test_odd_sizes_match_the_twin(size: tuple[int, int]) -> None:
    width, height = size
    k = np.array([[90.0, 0, width / 2], [0, 60.0, height / 2], [0, 0, 1]])
    assert_like_twin(sphere(1), np.stack([at(0, 0, 1.2), at(0.1, 0.2, 1.0, (1, 1, 0))]), k, width, height)


def test_intrinsics_per_image_and_principal_point_outside() -> None:
    k = np.stack([K64, K64 * [[2.0, 1, 1], [1, 0.5, 1], [1, 1, 1]], K64, K64])
    k[2, :2, 2] = (-40.0, 120.0)
    k[3, 0, 1] = 5.0
    poses = np.stack([at(0, 0, 2.0), at(0, 0, 2.0), at(0.7, -0.7, 1.2), at(0.1, 0.2, 2.0)])
    got = assert_like_twin(sphere(1), poses, k, 64, 64)
    assert got.mask.reshape(4, -1).any(1).all()


def test_a_large_batch_equals_single_images() -> None:
    rng = np.random.default_rng(0)
    rasterizer = Rasterizer(sphere(1))
    poses = np.stack([at(*rng.uniform(-0.5, 0.5, 2), 2.0, tuple(rng.normal(size=3))) for _ in range(300)])
    together = rasterizer.render(poses, K64, 64, 64, attributes=EVERYTHING)
    for i in (0, 150, 255, 256, 299):
        alone = rasterizer.render(poses[i], K64, 64, 64, attributes=EVERYTHING)
        for name in ("mask", *EVERYTHING):
            assert np.array_equal(getattr(alone, name)[0], getattr(together, name)[i]), name


def test_results_are_not_overwritten_by_later_calls() -> None:
    rasterizer = Rasterizer(sphere(1))
    first = rasterizer.render(at(0, 0, 2.0), K64, 64, 64, attributes=EVERYTHING)
    copy = {n: getattr(first, n).copy() for n in EVERYTHING}
    rasterizer.render(at(0.3, 0, 1.0), K64, 64, 64, attributes=EVERYTHING)
    assert all(np.array_equal(getattr(first, n), copy[n]) for n in EVERYTHING)


def test_plane_at_depth_two() -> None:
    result = Rasterizer(quad(half=3.0)).render(at(0, 0, 2.0), K64, 64, 64, attributes=("depth", "normal"))
    assert result.mask.all()
    np.testing.assert_allclose(result.depth, 2.0, rtol=1e-7)
    np.testing.assert_allclose(result.normal, np.broadcast_to([0, 0, -1.0], (1, 64, 64, 3)), atol=1e-7)


def test_pixel_centres_are_whole_numbers() -> None:
    """A square from u, v = 9.5 to 19.5 covers exactly the ten pixels 10..19."""
    k = np.array([[10.0, 0, 14.5], [0, 10.0, 14.5], [0, 0, 1]])
    mask = Rasterizer(quad(half=0.5)).render(at(0, 0, 1.0), k, 30, 30).mask[0]
    want = np.zeros((30, 30), bool)
    want[10:20, 10:20] = True
    assert np.array_equal(mask, want)


def test_sphere_depth_at_its_centre_and_silhouette() -> None:
    mesh = sphere(5, 0.5)
    k = np.array([[200.0, 0, 64.0], [0, 200.0, 64.0], [0, 0, 1]])
    result = Rasterizer(mesh).render(at(0, 0, 2.0), k, 129, 129)
    assert result.depth[0, 64, 64] == pytest.approx(1.5, abs=5e-4)
    radius = 200.0 * 0.5 / np.sqrt(2.0**2 - 0.5**2)  # tangent cone of a sphere on the axis
    assert result.mask.sum() == pytest.approx(np.pi * radius**2, rel=5e-3)


def test_shared_edges_leave_no_crack() -> None:
    """A fan of thin triangles around a point, and a fine grid, cover their area without a hole."""
    angle = np.linspace(0, 2 * np.pi, 721)[:-1]
    rim = np.stack([np.cos(angle), np.sin(angle), np.full(720, 1.0)], 1) * [5, 5, 1]
    fan = Mesh(
        np.vstack([[[0.0123, 0.0345, 1.0]], rim]),
        np.array([[0, 1 + i, 1 + (i + 1) % 720] for i in range(720)]),
    )
    for turn in ((0, 0, 0), (0.2, -0.1, 0.7)):
        assert Rasterizer(fan).render(at(0, 0, 1.0, turn), K64, 64, 64).mask.all()


def test_equal_depth_goes_to_the_lower_face() -> None:
    v = np.array([[-1.0, -1, 1], [1, -1, 1], [0, 1, 1]])
    twice = Mesh(v, np.array([[0, 1, 2], [1, 2, 0], [2, 1, 0]]))
    ids = Rasterizer(twice).render(at(), K64, 64, 64, attributes=("face_id",)).face_id
    assert set(np.unique(ids)) == {-1, 0}


def test_both_sides_are_drawn_and_normals_face_the_camera() -> None:
    rasterizer = Rasterizer(quad())
    for turn in (0.0, np.pi):
        result = rasterizer.render(at(0, 0, 3.0, (0.0, turn, 0.0)), K64, 64, 64, attributes=("normal",))
        assert result.mask.any()
        np.testing.assert_allclose(result.normal[result.mask], [[0, 0, -1.0]] * result.mask.sum(), atol=1e-6)


def two_boxes() -> Mesh:
    """A closed mesh of two parts, one before the other."""
    b = trimesh.creation.box((0.6, 0.6, 0.6))
    vertices = np.concatenate([b.vertices, b.vertices + [0.4, 0.1, 0.9]])
    return Mesh(vertices, np.concatenate([b.faces, b.faces + 8]))


@pytest.mark.parametrize("z", [2.5, 0.05, -0.2])
@pytest.mark.parametrize("mirrored", [False, True])
def test_backs_of_a_closed_mesh_are_skipped_only_where_they_are_hidden(z: float, mirrored: bool) -> None:
    mesh = two_boxes()
    closed, other = Rasterizer(mesh), Rasterizer(mesh)
    other.__dict__["device_mesh"] = (*other.device_mesh[:2], other.device_mesh[2][:0])
    assert closed.device_mesh[2].shape == (8,) and other.device_mesh[2].shape == (0,)
    for turn in range(5):
        pose = se3(so3_exp([0.3 * turn, 0.9 * turn, 0.2]), [0.1, 0.0, z])
        if mirrored:
            pose = pose @ np.diag([-1.0, 1.0, 1.0, 1.0])
        a, b = (r.render(pose, K64, 64, 64, attributes=EVERYTHING) for r in (closed, other))
        assert a.mask.any()
        for name in ("mask", *EVERYTHING):
            np.testing.assert_array_equal(getattr(a, name), getattr(b, name))


def test_an_open_mesh_shows_its_backs() -> None:
    b = trimesh.creation.box()
    # Without the side towards -x: seen from there, the inside of the opposite one.
    r = Rasterizer(Mesh(b.vertices, b.faces[b.face_normals[:, 0] > -0.5]))
    assert r.device_mesh[2].shape == (0,)
    seen = r.render(se3(so3_exp([0.0, -np.pi / 2, 0.0]), [0.0, 0.0, 3.0]), K64, 64, 64)
    other = r.render(se3(so3_exp([0.0, np.pi / 2, 0.0]), [0.0, 0.0, 3.0]), K64, 64, 64)
    assert seen.depth is not None and other.depth is not None
    assert {round(float(x.depth[0, 31, 33]), 3) for x in (seen, other) if x.depth is not None} == {2.5, 3.5}


def mixed_colors(mesh: Mesh, rendering: Rendering) -> NDArray[np.float64]:
    """(H, W, 3) colours in 0..1 from faces and barycentrics of one image, without the kernel of colours."""
    assert rendering.face_id is not None and rendering.barycentric is not None
    corners = mesh.vertex_colors[mesh.faces[rendering.face_id[0]]]  # type: ignore[index]
    mixed = (rendering.barycentric[0][..., None] * corners).sum(-2) / 255.0
    out: NDArray[np.float64] = np.where(rendering.mask[0][..., None], mixed, 0.0)
    return out


@pytest.mark.parametrize("z", [1.4, 0.3])
def test_colours_are_those_of_the_barycentrics(z: float) -> None:
    shape = sphere(3)
    colors = np.random.default_rng(0).integers(0, 256, (len(shape.vertices), 3)).astype(np.uint8)
    mesh = Mesh(shape.vertices, shape.faces, vertex_colors=colors)
    seen = Rasterizer(mesh).render(
        se3(so3_exp([0.3, 0.4, 0.5]), [0.0, 0.1, z]), K64, 64, 64, attributes=EVERYTHING
    )
    assert seen.mask.any() and seen.color is not None
    np.testing.assert_allclose(seen.color[0], mixed_colors(mesh, seen), atol=1e-5)


def test_cube_face_normal_turns_with_the_pose() -> None:
    result = Rasterizer(box()).render(at(0, 0, 4.0, (0.0, 0.6, 0.0)), K64, 64, 64, attributes=("normal",))
    seen = np.unique(np.round(result.normal[result.mask], 5), axis=0)
    expected = np.array([[-np.cos(0.6), 0, np.sin(0.6)], [-np.sin(0.6), 0, -np.cos(0.6)]])
    assert any(np.allclose(n, expected[1], atol=1e-4) for n in seen)
    assert (result.normal[result.mask][:, 2] < 0.2).all()
    np.testing.assert_allclose(np.linalg.norm(result.normal[result.mask], axis=1), 1.0, atol=1e-6)


def surface_points(mesh: Mesh, result: Rendering) -> np.ndarray:
    """Points (N, 3) in the object frame that the pixels of the first image show, row by row."""
    mask = result.mask[0]
    corners = mesh.vertices[mesh.faces[result.face_id[0][mask]]]
    return (result.barycentric[0][mask].astype(np.float64)[:, :, None] * corners).sum(1)


def test_faces_and_weights_give_points_on_the_ray_and_on_the_sphere() -> None:
    rasterizer = Rasterizer(sphere(4))
    pose = at(0.1, -0.2, 2.0, (0.5, 0.1, 1.0))
    result = rasterizer.render(pose, K64, 64, 64, attributes=EVERYTHING)
    local = surface_points(rasterizer.mesh, result)
    points = local @ pose[:3, :3].T + pose[:3, 3]
    v, u = np.nonzero(result.mask[0])
    pixels = points @ K64.T
    np.testing.assert_allclose(pixels[:, :2] / pixels[:, 2:], np.stack([u, v], 1), atol=1e-4)
    np.testing.assert_allclose(points[:, 2], result.depth[0, v, u], rtol=1e-5)
    np.testing.assert_allclose(np.linalg.norm(local, axis=1), 0.5, atol=3e-3)


def test_texture_is_upright_and_not_mirrored() -> None:
    """v grows upwards, so texture row 0 is the upper edge of the square in the image (camera y points down)."""
    color = Rasterizer(quad()).render(at(0, 0, 4.0), K64, 64, 64, attributes=("color",)).color[0]
    np.testing.assert_allclose(color[14, 14], [1, 0, 0], atol=1e-6)
    np.testing.assert_allclose(color[14, 49], [0, 1, 0], atol=1e-6)
    np.testing.assert_allclose(color[49, 14], [0, 0, 1], atol=1e-6)
    np.testing.assert_allclose(color[49, 49], [1, 1, 1], atol=1e-6)
    middle = color[31:33, 31:33].mean((0, 1))
    np.testing.assert_allclose(middle, [0.5, 0.5, 0.5], atol=0.01)


def test_perspective_correct_texture() -> None:
    """On a slanted plane the texture coordinate follows the point in space, not its place in the image."""
    ramp = np.repeat(np.linspace(0, 255, 256).astype(np.uint8)[None, :, None], 3, 2)
    base = quad()
    mesh = Mesh(base.vertices, base.faces, uv=base.uv, texture=np.ascontiguousarray(ramp))
    pose = at(0, 0, 3.0, (0.0, 1.0, 0.0))
    rasterizer = Rasterizer(mesh)
    result = rasterizer.render(pose, K64, 64, 64, attributes=EVERYTHING)
    u = (surface_points(mesh, result)[:, 0] + 1) / 2
    want = np.clip(u * 256 - 0.5, 0, 255) / 255
    np.testing.assert_allclose(result.color[0][result.mask[0]][:, 0], want, atol=1e-4)


def test_vertex_colours_and_grey() -> None:
    v = np.array([[-4.0, -4, 1], [4, -4, 1], [0, 6, 1]])
    rgb = np.array([[255, 0, 0], [0, 255, 0], [0, 0, 255]], np.uint8)
    colored = Rasterizer(Mesh(v, np.array([[0, 1, 2]]), vertex_colors=rgb))
    result = colored.render(at(), K64, 64, 64, attributes=("color", "barycentric"))
    np.testing.assert_allclose(result.color[result.mask], result.barycentric[result.mask], atol=1e-6)
    plain = Rasterizer(Mesh(v, np.array([[0, 1, 2]]))).render(at(), K64, 8, 8, attributes=("color",))
    np.testing.assert_allclose(plain.color[plain.mask], 0.5)


def test_only_what_was_asked_is_there() -> None:
    result = Rasterizer(box()).render(at(0, 0, 3.0), K64, 64, 64, attributes=("normal",))
    assert result.normal is not None and result.depth is None and result.face_id is None
    nothing = Rasterizer(box()).render(np.zeros((0, 4, 4)), K64, 64, 64)
    assert nothing.mask.shape == (0, 64, 64) and nothing.depth.shape == (0, 64, 64)


def test_degenerate_faces_draw_nothing() -> None:
    v = np.array([[0.0, 0, 1], [0.1, 0.1, 1], [0.2, 0.2, 1], [0.0, 0, 1]])
    mesh = Mesh(v, np.array([[0, 1, 2], [0, 0, 0], [0, 3, 1]]))
    result = Rasterizer(mesh).render(at(0.013, 0.007), K64, 64, 64, attributes=EVERYTHING)
    assert not result.mask.any()


def test_many_threads_per_image_give_the_same_images(monkeypatch: pytest.MonkeyPatch) -> None:
    """The way a CUDA launch cuts the work (threads per face and row), run on the CPU."""
    rasterizer = Rasterizer(box(2.0))
    poses = np.stack([at(0.1, 0.05, 0.02, (0.3, 0.4, 0.1)), at(0, 0, 3.0, (1, 2, 3))])
    want = rasterizer.render(poses, K64, 64, 64, attributes=EVERYTHING)
    monkeypatch.setattr(Rasterizer, "_threads", lambda *_: ((8, 12), 5))
    got = rasterizer.render(poses, K64, 64, 64, attributes=EVERYTHING)
    for name in ("mask", *EVERYTHING):
        assert np.array_equal(getattr(got, name), getattr(want, name)), name


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"camera_from_object": np.eye(3)}, r"\(B, 4, 4\)"),
        ({"camera_from_object": np.full((4, 4), np.nan)}, "NaN"),
        ({"camera_from_object": np.ones((4, 4))}, "0 0 0 1"),
        ({"camera_from_object": "pose"}, "array of numbers"),
        ({"K": np.eye(4)}, r"\(3, 3\)"),
        ({"K": np.stack([K64, K64])}, r"for 1 poses"),
        ({"K": np.diag([-1.0, 1, 1])}, "positive focal"),
        ({"width": 0}, "positive whole size"),
        ({"height": -3}, "positive whole size"),
        ({"width": 2.5}, "positive whole size"),
        ({"attributes": ("depth", "shadow")}, "'shadow'; there are: depth, face_id"),
        ({"near": 0.0}, "near must be"),
    ],
)
def test_bad_input_is_named(change: dict[str, object], message: str) -> None:
    arguments = {"camera_from_object": at(0, 0, 2.0), "K": K64, "width": 8, "height": 8} | change
    with pytest.raises(InputError, match=message):
        Rasterizer(box()).render(**arguments)


def test_unknown_device_is_named() -> None:
    with pytest.raises(InputError, match="no device 'abacus'"):
        Rasterizer(box(), "abacus")
