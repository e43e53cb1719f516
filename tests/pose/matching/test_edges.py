from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from dexman_pose.data import Camera, Mesh
from dexman_pose.geometry import se3, so3_exp
from dexman_pose.pose.matching.edges import (
    ModelEdges,
    PictureEdges,
    edge_score,
    match_edges,
    model_edges,
    picture_edges,
)
from dexman_pose.pose.observation.crop import CropObservation, gather
from dexman_pose.pose.refinement.refiner import apply_increment
from dexman_pose.render import Rasterizer

HALF = np.array([0.06, 0.045, 0.035])
CAMERA = Camera.from_focal(300.0, 160, 120)
POSE = se3(so3_exp(np.array([0.6, 0.55, 0.2])), np.array([0.01, -0.005, 0.5]))


def box_mesh() -> Mesh:
    corners = np.array([[x, y, z] for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)], np.float64) * HALF
    quads = [(0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (0, 2, 6, 4), (1, 5, 7, 3)]
    faces = [t for a, b, c, d in quads for t in ((a, b, c), (a, c, d))]
    return Mesh(corners, np.array(faces))


def inner_lines(pose: NDArray[np.float64]) -> list[NDArray[np.float64]]:
    """Projected ends (2, 2) of the edges of the box between two sides that both face the camera."""
    center = pose[:3, 3]
    seen = {
        (k, s): float((pose[:3, k] * s) @ (center + pose[:3, k] * s * HALF[k])) < 0
        for k in range(3)
        for s in (-1, 1)
    }
    lines = []
    for axis in range(3):
        a, b = (axis + 1) % 3, (axis + 2) % 3
        for sa in (-1, 1):
            for sb in (-1, 1):
                if seen[a, sa] and seen[b, sb]:
                    ends = np.zeros((2, 3))
                    ends[:, a], ends[:, b], ends[:, axis] = (
                        sa * HALF[a],
                        sb * HALF[b],
                        [-HALF[axis], HALF[axis]],
                    )
                    lines.append(CAMERA.project(ends @ pose[:3, :3].T + pose[:3, 3]))
    return lines


def distances(pixels: NDArray[np.float64], line: NDArray[np.float64]) -> NDArray[np.float64]:
    """Distance (N,) of pixels to a line segment (2, 2)."""
    way = line[1] - line[0]
    share = np.clip((pixels - line[0]) @ way / (way @ way), 0.0, 1.0)
    out: NDArray[np.float64] = np.linalg.norm(pixels - line[0] - share[:, None] * way, axis=1)
    return out


def shaded(rasterizer: Rasterizer, pose: NDArray[np.float64]) -> NDArray[np.float32]:
    """A box of one colour whose sides are shaded each in its own grey, before a dark ground."""
    drawn = rasterizer.render(pose[None], CAMERA.K, 160, 120, attributes=("depth", "normal"))
    assert drawn.normal is not None
    light = np.array([0.35, 0.8, -0.49])
    gray = np.where(drawn.mask[0], 0.55 + 0.35 * (drawn.normal[0] @ light), 0.15)
    return np.repeat(gray[..., None], 3, -1).astype(np.float32)


def crop(mask: NDArray[np.bool_], unknown: NDArray[np.bool_] | None = None) -> CropObservation:
    """The whole picture as evidence, in its own size."""
    labels = mask.astype(np.uint8)
    if unknown is not None:
        labels[unknown] = 255
    return gather(labels, 1, CAMERA, (0, 0, 160, 120))


@pytest.fixture(scope="module")
def seen() -> tuple[Rasterizer, CropObservation, PictureEdges]:
    rasterizer = Rasterizer(box_mesh())
    mask = rasterizer.render(POSE[None], CAMERA.K, 160, 120).mask[0]
    return rasterizer, crop(mask), picture_edges(shaded(rasterizer, POSE))


def edges_at(rasterizer: Rasterizer, pose: NDArray[np.float64], view: CropObservation) -> ModelEdges:
    found = model_edges(rasterizer, pose, CAMERA, view)
    assert found is not None
    return found


def test_folds_of_a_box_lie_where_its_inner_edges_project(seen: Any) -> None:
    rasterizer, view, _ = seen
    edges = edges_at(rasterizer, POSE, view)
    folds = edges.pixels[~edges.outline].astype(np.float64)
    lines = inner_lines(POSE)
    assert len(lines) == 3, "three sides are seen: three inner edges"
    to_lines = np.stack([distances(folds, line) for line in lines])
    # Where the three meet, smoothing rounds the corner off.
    assert to_lines.min(0).max() < 2.5
    assert np.quantile(to_lines.min(0), 0.95) < 1.2
    for line, near in zip(lines, to_lines):
        # Away from its ends, where outline and other folds are near, every part of the edge is found.
        for share in np.linspace(0.25, 0.75, 6):
            at = (1 - share) * line[0] + share * line[1]
            assert np.linalg.norm(folds - at, axis=1).min() < 1.6
        way = line[1] - line[0]
        across = np.array([-way[1], way[0]]) / np.linalg.norm(way)
        middle = np.abs((folds - line.mean(0)) @ way) < 0.25 * (way @ way)
        turned = np.abs(edges.normal[~edges.outline][(near < 1.0) & middle] @ across)
        assert len(turned) > 5
        assert np.median(turned) > 0.97


def test_outline_of_the_model_points_out_of_it(seen: Any) -> None:
    rasterizer, view, _ = seen
    edges = edges_at(rasterizer, POSE, view)
    rim, out = edges.pixels[edges.outline], edges.normal[edges.outline]
    np.testing.assert_allclose(np.linalg.norm(out, axis=1), 1.0, atol=1e-6)
    inside, outside = (np.round(rim + step * out).astype(int) for step in (-3, 3))
    assert view.mask[inside[:, 1], inside[:, 0]].mean() > 0.97
    assert view.mask[outside[:, 1], outside[:, 0]].mean() < 0.03


def test_a_plane_has_no_folds(seen: Any) -> None:
    flat = Mesh(
        np.array([[-0.06, -0.05, 0], [0.06, -0.05, 0], [0.06, 0.05, 0], [-0.06, 0.05, 0]], np.float64),
        np.array([[0, 1, 2], [0, 2, 3]]),
    )
    rasterizer = Rasterizer(flat)
    slanted = se3(so3_exp(np.array([0.9, 0.4, 0.0])), np.array([0.0, 0.0, 0.4]))
    mask = rasterizer.render(slanted[None], CAMERA.K, 160, 120).mask[0]
    assert edges_at(rasterizer, slanted, crop(mask)).outline.all()


@pytest.mark.parametrize("axis", [0, 1, 2])
@pytest.mark.parametrize("sign", [-1.0, 1.0])
def test_edges_score_higher_at_the_truth_than_five_degrees_beside(seen: Any, axis: int, sign: float) -> None:
    rasterizer, view, picture = seen
    turn = np.zeros(6)
    turn[3 + axis] = sign * np.deg2rad(5.0)
    beside = apply_increment(turn, POSE, POSE[:3, 3])
    true, other = (edge_score(edges_at(rasterizer, p, view), picture) for p in (POSE, beside))
    assert true > 0.5
    assert true > other + 0.03


def test_nothing_scores_without_edges(seen: Any) -> None:
    rasterizer, view, picture = seen
    plain = picture_edges(np.full((120, 160, 3), 0.5, np.float32))
    assert edge_score(edges_at(rasterizer, POSE, view), plain) < 0.01
    assert edge_score(None, picture) == 0.0


def test_edges_next_to_what_is_unknown_do_not_count(seen: Any) -> None:
    rasterizer, view, _ = seen
    unknown = np.zeros((120, 160), bool)
    unknown[:, :80] = True
    part = crop(view.mask & ~unknown, unknown)
    edges = edges_at(rasterizer, POSE, part)
    assert edges.pixels[:, 0].min() > 80
    far = POSE.copy()
    far[0, 3] -= 0.09  # wholly behind what is unknown
    assert model_edges(rasterizer, far, CAMERA, part) is None


def test_matches_of_a_shifted_model_lead_back(seen: Any) -> None:
    rasterizer, view, picture = seen
    shift = np.array([0.004, -0.003, 0.0])  # 2.4 and 1.8 pixels
    moved = POSE.copy()
    moved[:3, 3] += shift
    matches = match_edges(edges_at(rasterizer, moved, view), picture, moved, view)
    assert matches is not None

    def off(pose: NDArray[np.float64]) -> NDArray[np.float64]:
        at = CAMERA.project(matches.points @ pose[:3, :3].T + pose[:3, 3])
        out: NDArray[np.float64] = ((matches.pixels - at) * matches.normal).sum(1)
        return out

    assert np.median(np.abs(off(moved))) > 1.0
    assert np.median(np.abs(off(POSE))) < 0.5
    assert abs(np.median(off(POSE)[matches.normal @ [1.0, 0.0] > 0.7])) < 0.4


def test_no_matches_in_a_plain_picture(seen: Any) -> None:
    rasterizer, view, _ = seen
    plain = picture_edges(np.full((120, 160, 3), 0.5, np.float32))
    assert match_edges(edges_at(rasterizer, POSE, view), plain, POSE, view) is None


@pytest.mark.parametrize("turn", [(0.6, 0.55, 0.2), (0.95, 0.7, 0.1), (1.25, 0.4, -0.3), (0.35, 1.2, 0.0)])
def test_creases_lie_on_the_edges_of_a_box_to_a_fraction_of_a_pixel(
    seen: Any, turn: tuple[float, float, float]
) -> None:
    rasterizer, view, _ = seen
    pose = se3(so3_exp(np.array(turn)), POSE[:3, 3])
    edges = edges_at(rasterizer, pose, view)
    folds = edges.only(~edges.outline)
    lines = inner_lines(pose)
    off = np.stack([distances(folds.places, line) for line in lines]).min(0)
    assert len(folds) > 60
    assert np.quantile(off, 0.9) < 0.05
    assert np.mean(off < 0.2) > 0.95
    # The depth is that of the edge, too.
    local = (CAMERA.unproject(folds.places, folds.depth) - pose[:3, 3]) @ pose[:3, :3]
    beside = np.sort(np.abs(np.abs(local) - HALF), axis=1)[:, :2].max(1)
    assert np.quantile(beside, 0.9) < 1e-4
