"""Polygons become triangles that cover them once."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from dexman_pose.meshing import load_mesh
from dexman_pose.meshing.polygons import split_polygons

ARROW = np.array([[0.0, 0.0, 0.0], [0.1, 0.1, 0.0], [0.0, 0.2, 0.0], [0.02, 0.1, 0.0]])
ARROW_AREA = 0.008


def signed_areas(points: np.ndarray, triangles: np.ndarray, normal: np.ndarray) -> np.ndarray:
    at = points[triangles]
    return np.cross(at[:, 1] - at[:, 0], at[:, 2] - at[:, 0]) @ normal / 2


@pytest.mark.parametrize("suffix", ["obj", "off", "ply"])
@pytest.mark.parametrize("first", range(4))
def test_a_concave_face_of_a_file_keeps_its_area(tmp_path: Path, suffix: str, first: int) -> None:
    face = [(first + i) % 4 for i in range(4)]
    points = "".join(f"{x} {y} {z}\n" for x, y, z in ARROW)
    row = "4 " + " ".join(map(str, face)) + "\n"
    text = {
        "obj": points.replace("\n", "\nv ").join(["v ", ""]).removesuffix("v ")
        + "f "
        + " ".join(str(i + 1) for i in face)
        + "\n",
        "off": f"OFF\n4 1 0\n{points}{row}",
        "ply": "ply\nformat ascii 1.0\nelement vertex 4\nproperty float x\nproperty float y\nproperty float z\n"
        f"element face 1\nproperty list uchar int vertex_indices\nend_header\n{points}{row}",
    }[suffix]
    (tmp_path / f"a.{suffix}").write_text(text)
    mesh = load_mesh(tmp_path / f"a.{suffix}", "m")
    areas = signed_areas(mesh.vertices, mesh.faces, np.array([0.0, 0.0, 1.0]))
    assert (areas > 0).all() and areas.sum() == pytest.approx(ARROW_AREA)


def test_stars_of_any_plane_are_covered_once() -> None:
    rng = np.random.default_rng(0)
    for n in range(5, 25):
        angle = np.sort(rng.uniform(0, 2 * np.pi, n))
        if np.diff(np.append(angle, angle[0] + 2 * np.pi)).max() > 3.0:
            continue
        flat = rng.uniform(0.2, 1.0, n)[:, None] * np.stack([np.cos(angle), np.sin(angle)], 1)
        turned = np.linalg.qr(rng.normal(size=(3, 3)))[0]
        points = flat @ turned[:2]
        normal = np.cross(turned[0], turned[1])
        triangles, polygon = split_polygons(np.array([0, n]), np.arange(n), points)
        x, y = flat.T
        area = (x @ np.roll(y, -1) - y @ np.roll(x, -1)) / 2
        areas = signed_areas(points, triangles, normal)
        assert triangles.shape == (n - 2, 3) and not polygon.any()
        assert areas.min() > -1e-12 and areas.sum() == pytest.approx(area)


def test_convex_faces_stay_fans_and_missing_vertices_are_left_to_the_mesh() -> None:
    starts, square = np.array([0, 4, 7]), np.array([[0.0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0]])
    triangles, polygon = split_polygons(starts, np.array([0, 1, 2, 3, 0, 1, 2]), square)
    assert triangles.tolist() == [[0, 1, 2], [0, 2, 3], [0, 1, 2]] and polygon.tolist() == [0, 0, 1]
    assert len(split_polygons(starts, np.array([0, 1, 2, 9, 0, 1, 2]), square)[0]) == 3
