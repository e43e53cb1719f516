"""Symmetry found from meshes of known symmetry: their group, its frame, and what breaks it."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import trimesh
from numpy.typing import NDArray

from dexman_pose.data import Mesh
from dexman_pose.errors import InputError
from dexman_pose.geometry import SymmetryGroup, inverse, se3, so3_exp
from dexman_pose.symmetry.detect import detect_symmetry

Array = NDArray[np.float64]
Color = tuple[float, float, float]

create: Any = trimesh.creation
WHITE, GRAY, RED = (200, 200, 200), (110, 110, 110), (200, 40, 40)
NEW_FROM_OLD = se3(so3_exp([0.5, -1.1, 0.7]), np.array([0.3, -0.2, 0.9]))


def at(mesh: Any, x: float, y: float, z: float) -> Any:
    moved = mesh.copy()
    moved.apply_translation((x, y, z))
    return moved


def joined(*parts: Any) -> Any:
    return trimesh.util.concatenate(parts)


def tube(closed: bool) -> Any:
    """A cup wall, with a bottom only or with a lid as well."""
    profile = [[0.001, 0.0], [0.4, 0.0], [0.4, 1.0]]
    return create.revolve(np.array([*profile, [0.001, 1.0]] if closed else profile), sections=48)


def handle(radius: float, thickness: float, height: float) -> Any:
    ring = create.torus(radius, thickness, major_sections=32, minor_sections=12)
    ring.apply_transform(se3(so3_exp([np.pi / 2, 0, 0]), np.array([0.4, 0.0, height])))
    return ring


def gear(teeth: int) -> Any:
    """A disc with a round hull and as many holes on one side as it has teeth: blocks standing on it."""
    disc = create.cylinder(0.5, 0.2, sections=96)
    ways = 2 * np.pi * np.arange(teeth) / teeth
    return joined(
        disc, *[at(create.box((0.1, 0.1, 0.1)), 0.3 * np.cos(a), 0.3 * np.sin(a), 0.1) for a in ways]
    )


BOWL = np.array([[0.001, 0], [0.3, 0.05], [0.5, 0.3], [0.5, 0.32], [0.28, 0.07], [0.001, 0.02]])
TETRAHEDRON = trimesh.Trimesh(
    [[1, 1, 1], [1, -1, -1], [-1, 1, -1], [-1, -1, 1]], [[0, 1, 2], [0, 3, 1], [0, 2, 3], [1, 3, 2]]
)
SHAPES: dict[str, tuple[Any, str]] = {
    "box": (create.box((1, 0.7, 0.4)), "D2"),
    "square box": (create.box((1, 0.5, 0.5)), "D4"),
    "cube": (create.box((1, 1, 1)), "O"),
    "tetrahedron": (TETRAHEDRON, "T"),
    "hexagonal prism": (create.cylinder(0.4, 1, sections=6), "D6"),
    "triangular prism": (create.cylinder(0.4, 1, sections=3), "D3"),
    "pyramid": (create.cone(0.4, 1, sections=4), "C4"),
    "ellipsoid": (create.icosphere(3).apply_scale((1, 0.8, 0.6)), "D2"),
    "cylinder": (create.cylinder(0.3, 1), "Dinf"),
    "ring": (create.torus(0.5, 0.1), "Dinf"),
    "cone": (create.cone(0.3, 1), "Cinf"),
    "tapered": (create.revolve(np.array([[0, 0], [0.3, 0], [0.2, 1], [0, 1]])), "Cinf"),
    "bowl": (create.revolve(BOWL), "Cinf"),
    "open cup": (tube(closed=False), "Cinf"),
    "ball": (create.icosphere(3), "K"),
    "open mug": (joined(tube(closed=False), handle(0.25, 0.04, 0.5)), "C1"),
    "mug with a low handle": (joined(tube(closed=True), handle(0.2, 0.04, 0.4)), "C1"),
    "closed mug": (joined(tube(closed=True), handle(0.25, 0.04, 0.5)), "C2"),
    "L": (joined(create.box((1, 0.2, 0.2)), at(create.box((0.2, 0.6, 0.2)), 0.4, 0.4, 0)), "C1"),
    "even L": (joined(create.box((1, 0.2, 0.2)), at(create.box((0.2, 1, 0.2)), 0.4, 0.4, 0)), "C2"),
    "studded disc": (gear(5), "C5"),
}


def mesh_of(shape: Any, **colors: Any) -> Mesh:
    return Mesh(np.asarray(shape.vertices), np.asarray(shape.faces), **colors)


def noisy(shape: Any, amount: float, seed: int = 0) -> Mesh:
    """Finely triangulated, every vertex moved by ``amount`` of the diameter (standard deviation per axis)."""
    while len(shape.faces) < 3000:
        shape = shape.subdivide()
    size = np.linalg.norm(np.ptp(shape.vertices, axis=0))
    offset = np.random.default_rng(seed).normal(0, amount * size, shape.vertices.shape)
    return Mesh(np.asarray(shape.vertices) + offset, np.asarray(shape.faces))


@pytest.mark.parametrize("name", sorted(SHAPES))
def test_shapes_of_known_symmetry(name: str) -> None:
    shape, expected = SHAPES[name]
    assert detect_symmetry(mesh_of(shape)).name == expected


@pytest.mark.parametrize("name", ["box", "cube", "pyramid", "bowl", "cylinder", "ball"])
def test_frame_and_unit_do_not_matter(name: str) -> None:
    mesh = mesh_of(SHAPES[name][0])
    plain = detect_symmetry(mesh)
    moved = detect_symmetry(mesh.scaled(1000).moved(NEW_FROM_OLD))
    expected = plain.scaled(1000).moved(NEW_FROM_OLD)
    assert moved.name == plain.name
    for element in expected.sampled(step=1.0, max_count=40):
        assert moved.contains(element, angle=np.radians(0.2), distance=1.0)  # one thousandth of the size


@pytest.mark.parametrize("name", ["cube", "bowl", "box"])
def test_the_group_is_exact_about_the_true_center(name: str) -> None:
    shape, _ = SHAPES[name]
    group = detect_symmetry(mesh_of(shape).moved(NEW_FROM_OLD)).moved(inverse(NEW_FROM_OLD))
    angle = np.radians(0.1)
    if name == "bowl":
        np.testing.assert_allclose(np.abs(group.axes[0].direction), [0, 0, 1], atol=angle)
        np.testing.assert_allclose(group.axes[0].point[:2], [0, 0], atol=1e-3)
    else:
        np.testing.assert_allclose(group.center, [0, 0, 0], atol=1e-3)
        assert group.contains(se3(np.diag([-1.0, -1.0, 1.0]), np.zeros(3)), angle, 1e-3)


@pytest.mark.parametrize("name", ["box", "cube", "hexagonal prism", "cylinder", "bowl", "ball", "open mug"])
def test_noise_changes_nothing(name: str) -> None:
    shape, expected = SHAPES[name]
    assert detect_symmetry(noisy(shape, 0.003)).name == expected


def test_an_uneven_triangulation_changes_nothing() -> None:
    box = create.box((1, 0.7, 0.4))
    corner = np.flatnonzero(box.triangles_center[:, 0] > 0.4)
    for _ in range(5):  # fine at one end, two triangles a side elsewhere
        box = box.subdivide(face_index=corner)
        corner = np.flatnonzero(box.triangles_center[:, 0] > 0.4)
    assert len(box.faces) > 1000
    assert detect_symmetry(mesh_of(box)).name == "D2"


def test_a_knob_of_three_percent_breaks_the_symmetry() -> None:
    cylinder = create.cylinder(0.4, 1, sections=64)
    size = 2 * np.hypot(0.4, 0.5)
    knob = create.box((0.06 * size, 0.1 * size, 0.1 * size))  # half of it inside
    assert detect_symmetry(mesh_of(cylinder)).name == "Dinf"
    assert detect_symmetry(mesh_of(joined(cylinder, at(knob, 0.4, 0, 0)))).name == "C2"
    assert detect_symmetry(mesh_of(joined(cylinder, at(knob, 0.4, 0, 0.2)))).name == "C1"
    button = create.cylinder(0.1, 0.12)
    assert detect_symmetry(mesh_of(joined(create.icosphere(4), at(button, 0, 0, 1.0)))).name == "Cinf"


def test_a_mirrored_shape_is_not_a_rotated_one() -> None:
    """The mirror image of a box with one corner off is no rotation of it."""
    wedge = joined(create.box((1, 0.7, 0.4)), at(create.box((0.2, 0.2, 0.2)), 0.4, 0.25, 0.0))
    tall = joined(wedge, at(create.box((0.2, 0.2, 0.2)), -0.4, 0.25, 0.0))
    assert detect_symmetry(mesh_of(joined(tall, at(create.box((0.3, 0.3, 0.3)), 0, 0, 0.2)))).name == "C1"


def painted(
    shape: Any, color: Callable[[Array, Array], Color], *, rounds: int = 3, grain: float = 0.0
) -> Mesh:
    """Colours per face, from its middle and normal, with ``grain`` levels of noise."""
    for _ in range(rounds):
        shape = shape.subdivide()
    corners = np.asarray(shape.triangles)
    rgb = np.array([color(p, n) for p, n in zip(corners.mean(1), shape.face_normals)], dtype=np.float64)
    rgb = np.repeat(rgb, 3, axis=0)
    rgb += np.random.default_rng(1).normal(0, grain, rgb.shape)
    faces = np.arange(3 * len(corners)).reshape(-1, 3)
    return Mesh(corners.reshape(-1, 3), faces, vertex_colors=np.clip(rgb, 0, 255).astype(np.uint8))


def side(normal: Array) -> int:
    axis = int(np.argmax(np.abs(normal)))
    return 2 * axis + int(normal[axis] > 0)


SIX = [(200, 40, 40), (40, 200, 40), (40, 40, 200), (200, 200, 40), (200, 40, 200), (40, 200, 200)]
CUBES: dict[str, tuple[Callable[[Array, Array], Color], str]] = {
    "one colour": (lambda p, n: WHITE, "O"),
    "light from one side": (lambda p, n: (150 + 15 * n[2],) * 3, "O"),
    "one face red": (lambda p, n: RED if n[0] > 0.5 else WHITE, "C4"),
    "one face gray": (lambda p, n: GRAY if n[0] > 0.5 else WHITE, "C4"),
    "opposite faces alike": (lambda p, n: SIX[side(n) // 2], "D2"),
    "six colours": (lambda p, n: SIX[side(n)], "C1"),
}


@pytest.mark.parametrize("name", sorted(CUBES))
def test_colored_cubes(name: str) -> None:
    color, expected = CUBES[name]
    mesh = painted(create.box((1, 1, 1)), color)
    group = detect_symmetry(mesh)
    assert group.name == expected
    if expected == "C4":
        turn = se3(so3_exp([np.pi / 2, 0, 0]), np.zeros(3))
        assert group.contains(turn, np.radians(0.2), 1e-3)
    if expected == "C1":
        assert detect_symmetry(mesh, use_color=False).name == "O"


def around(point: Array) -> float:
    return abs(float(np.arctan2(point[1], point[0])))


def label(p: Array, n: Array, z: float = 0.15) -> Color:
    return RED if around(p) < 0.4 and abs(p[2] - z) < 0.2 and abs(n[2]) < 0.5 else WHITE


CYLINDERS: dict[str, tuple[Callable[[Array, Array], Color], str]] = {
    "plain": (lambda p, n: WHITE, "Dinf"),
    "label": (label, "C1"),
    "label half way up": (lambda p, n: label(p, n, 0.0), "C2"),
    "band": (lambda p, n: RED if abs(p[2]) < 0.2 else WHITE, "Dinf"),
    "one end": (lambda p, n: RED if p[2] > 0.2 else WHITE, "Cinf"),
    "three stripes": (lambda p, n: RED if np.cos(3 * np.arctan2(p[1], p[0])) > 0 else WHITE, "D3"),
}


@pytest.mark.parametrize("name", sorted(CYLINDERS))
def test_printed_cylinders(name: str) -> None:
    color, expected = CYLINDERS[name]
    mesh = painted(create.cylinder(0.3, 1, sections=48), color, rounds=2)
    assert detect_symmetry(mesh).name == expected


BALLS: dict[str, tuple[Callable[[Array, Array], Color], str]] = {
    "plain": (lambda p, n: WHITE, "K"),
    "two halves": (lambda p, n: RED if p @ [0.6, 0.64, 0.48] > 0 else WHITE, "Cinf"),
    "octants": (lambda p, n: RED if p[0] * p[1] * p[2] > 0 else WHITE, "T"),
    "two spots": (lambda p, n: RED if p[0] > 0.9 or p[1] > 0.8 else WHITE, "C1"),
}


@pytest.mark.parametrize("name", sorted(BALLS))
def test_printed_balls(name: str) -> None:
    color, expected = BALLS[name]
    assert detect_symmetry(painted(create.icosphere(4), color, rounds=0)).name == expected


def textured_cylinder(texture: NDArray[np.uint8]) -> Mesh:
    """A cylinder wall and its ends, the texture wrapped once round the wall; the ends have its bottom left texel."""
    count = 48
    phi = 2 * np.pi * np.arange(count + 1) / count
    ring = np.stack([0.3 * np.cos(phi), 0.3 * np.sin(phi), np.zeros(count + 1)], 1)
    vertices = np.concatenate([ring - [0, 0, 0.5], ring + [0, 0, 0.5], [[0, 0, -0.5], [0, 0, 0.5]]])
    faces, uv = [], []
    for i in range(count):
        a, b, c, d = i, i + 1, i + count + 2, i + count + 1
        u, v = i / count, (i + 1) / count
        faces += [[a, b, c], [a, c, d], [2 * count + 2, b, a], [2 * count + 3, d, c]]
        uv += [[[u, 0], [v, 0], [v, 1]], [[u, 0], [v, 1], [u, 1]], [[0, 0]] * 3, [[0, 0]] * 3]
    return Mesh(vertices, np.array(faces), uv=np.array(uv, np.float32), texture=texture)


def test_fine_texture_does_not_break_the_symmetry_but_print_does() -> None:
    rng = np.random.default_rng(0)
    grain = np.clip(rng.normal(150, 25, (256, 512, 3)), 0, 255).astype(np.uint8)
    assert detect_symmetry(textured_cylinder(grain)).name == "Dinf"
    printed = grain.copy()
    printed[40:120, 100:180] = (60, 60, 200)
    assert detect_symmetry(textured_cylinder(printed)).name == "C1"


def test_the_answer_is_the_same_every_time() -> None:
    mesh = noisy(create.cylinder(0.4, 1, sections=6), 0.003)
    first, second = detect_symmetry(mesh), detect_symmetry(mesh)
    np.testing.assert_array_equal(first.discrete, second.discrete)


def test_no_symmetry_is_found_in_random_shapes() -> None:
    for seed in range(4):
        points = np.random.default_rng(seed).normal(size=(14, 3))
        assert detect_symmetry(mesh_of(trimesh.convex.convex_hull(points))).name == "C1"


def test_flat_meshes_are_handled() -> None:
    square = Mesh(np.array([[0.0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0]]), np.array([[0, 1, 2], [0, 2, 3]]))
    group = detect_symmetry(square)
    assert group.name == "D4"
    np.testing.assert_allclose(group.center, [0.5, 0.5, 0], atol=1e-3)


def test_bad_tolerances_and_meshes_without_area_are_refused() -> None:
    with pytest.raises(InputError, match=r"between 0 and 0\.2"):
        detect_symmetry(mesh_of(create.box()), tolerance=0.5)
    with pytest.raises(InputError, match="no area"):
        detect_symmetry(Mesh(np.array([[0.0, 0, 0], [1, 0, 0], [2, 0, 0]]), np.array([[0, 1, 2]])))


SCANS = {
    "024_bowl": "Cinf",
    "002_master_chef_can": "Dinf",
    "005_tomato_soup_can": "Dinf",
    "007_tuna_fish_can": "Dinf",
    "003_cracker_box": "D2",
    "035_power_drill": "C1",
    "025_mug": "C1",
}


@pytest.mark.data
@pytest.mark.parametrize("name", sorted(SCANS))
def test_scans(name: str, data_dir: Path) -> None:
    from dexman_pose.meshing import load_mesh

    mesh = load_mesh(data_dir / "meshes" / "ycb" / name / "textured.obj")
    loose: SymmetryGroup = detect_symmetry(mesh, use_color=False, tolerance=0.02, outliers=0.01)
    assert loose.name == SCANS[name]
    printed = detect_symmetry(mesh, tolerance=0.02, outliers=0.01)
    assert printed.name == ("Cinf" if name == "024_bowl" else "C1")  # the bowl is red all over


def test_the_symmetry_of_a_shape_is_detected_once_for_all_its_colours(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A texture reduced to a picture's size makes a new mesh of the same shape with every call of the search."""
    from dexman_pose.symmetry import cache as symmetry_cache

    calls = []

    def counted(mesh: Mesh, *, use_color: bool) -> SymmetryGroup:
        calls.append(use_color)
        return SymmetryGroup.trivial()

    monkeypatch.setattr(symmetry_cache, "detect_symmetry", counted)
    box = trimesh.creation.box((1.0, 2.0, 3.0))
    mesh = Mesh(np.asarray(box.vertices), np.asarray(box.faces))
    painted = dataclasses.replace(mesh, vertex_colors=np.zeros((8, 3), np.uint8))
    first = symmetry_cache.shape_symmetry_of(mesh)
    assert symmetry_cache.shape_symmetry_of(painted) is first
    assert calls == [False]
    symmetry_cache.symmetry_of(mesh)
    symmetry_cache.symmetry_of(painted)
    symmetry_cache.symmetry_of(mesh)
    assert calls == [False, True, True]
    symmetry_cache.shape_symmetry_of(mesh.scaled(2.0))
    assert calls[3:] == [False]
