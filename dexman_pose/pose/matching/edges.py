"""Edges that a shape makes in a picture whatever its colours: its outline, its creases and its inner occlusions.

They tell poses apart that share an outline, and fix a pose more finely than a mask does. Scored after the idea of
orientation maps spread over a few pixels (Hinterstoisser et al., 2012), matched by looking along each edge's normal
(Harris and Stennett, 1990).
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from dexman_pose.arrays import Array, FloatImage
from dexman_pose.data import Camera
from dexman_pose.imaging.masks import inner_edge, mask_box, signed_distance_field, window_around
from dexman_pose.pose.matching.creases import crease_places
from dexman_pose.pose.matching.edge_profiles import changes_across, strongest_change
from dexman_pose.pose.matching.folds import folds_by_kernel
from dexman_pose.pose.matching.options import EDGES, EdgeOptions
from dexman_pose.pose.observation.crop import CropObservation
from dexman_pose.pose.solver.residuals import EdgeMatches
from dexman_pose.render import Rasterizer

_TINY = 1e-6
"""Metres and shares of pixels below which there is nothing to divide by."""

_TINY_AREA = 1e-12
"""The same for products of two differences in metres."""


@dataclass(frozen=True)
class PictureEdges:
    """Edges of a picture's crop.

    Attributes:
        spread: (8, h, w) float32 in [0, 1], strength of edges of an orientation within two pixels.
        image: (h, w, 3) float32 grey levels, slightly blurred.
    """

    spread: FloatImage
    image: FloatImage


@dataclass(frozen=True)
class ModelEdges:
    """Edges of a rendered shape.

    Attributes:
        pixels: (N, 2) x, y.
        places: (N, 2) x, y of points of the surface that the matches hold on to: the pixel's on the outline, on the
            crease itself to a fraction of a pixel elsewhere.
        normal: (N, 2) unit directions across the edge; out of the object along its outline.
        outline: (N,) bool, on the outline.
        depth: (N,) metres of the surface at ``places``.
    """

    pixels: NDArray[np.int64]
    places: Array
    normal: Array
    outline: NDArray[np.bool_]
    depth: Array

    def __len__(self) -> int:
        return len(self.pixels)

    def only(self, keep: NDArray[np.bool_]) -> ModelEdges:
        """A part of the edges."""
        return ModelEdges(
            self.pixels[keep], self.places[keep], self.normal[keep], self.outline[keep], self.depth[keep]
        )

    def joined(self, other: ModelEdges) -> ModelEdges:
        """These edges and others."""
        return ModelEdges(
            np.concatenate([self.pixels, other.pixels]),
            np.concatenate([self.places, other.places]),
            np.concatenate([self.normal, other.normal]),
            np.concatenate([self.outline, other.outline]),
            np.concatenate([self.depth, other.depth]),
        )


def picture_edges(crop: FloatImage, options: EdgeOptions = EDGES) -> PictureEdges:
    """Edges of a crop (h, w, 3) float32 RGB in 0..1."""
    image = cv2.GaussianBlur(crop * np.float32(255.0), (0, 0), options.blur)
    gx = cv2.Sobel(image, cv2.CV_32F, 1, 0, ksize=1, scale=0.5)
    gy = cv2.Sobel(image, cv2.CV_32F, 0, 1, ksize=1, scale=0.5)
    strongest = (gx * gx + gy * gy).argmax(-1)[..., None]
    gx = np.take_along_axis(gx, strongest, -1)[..., 0]
    gy = np.take_along_axis(gy, strongest, -1)[..., 0]
    magnitude = np.hypot(gx, gy)
    strength = magnitude / (magnitude + np.float32(options.half))
    angle = np.arctan2(gy, gx)
    spread = np.empty((options.bins, *magnitude.shape), np.float32)
    kernel = np.ones((3, 3), np.uint8)
    for k in range(options.bins):
        # Cosine of twice the angle: an edge has no sign, and two bins off counts nothing.
        match = np.maximum(np.cos(2.0 * (angle - np.pi * k / options.bins)), 0.0)
        spread[k] = cv2.dilate(strength * match, kernel)
    return PictureEdges(spread, image)


def model_edges(
    rasterizer: Rasterizer,
    camera_from_object: Array,
    camera: Camera,
    view: CropObservation,
    options: EdgeOptions = EDGES,
) -> ModelEdges | None:
    """Edges that a pose makes in the crop of ``view``, where it is known; None when too few."""
    return model_edges_all(rasterizer, camera_from_object[None], camera, view, options)[0]


def model_edges_all(
    rasterizer: Rasterizer,
    camera_from_object: Array,
    camera: Camera,
    view: CropObservation,
    options: EdgeOptions = EDGES,
) -> list[ModelEdges | None]:
    """Edges that each of the poses (B, 4, 4) makes in the crop of ``view``, rendered in one go."""
    h, w = view.size
    if rasterizer.device == "cpu":
        inverse, found = folds_by_kernel(rasterizer, camera_from_object, camera, view.size, options)
        rims = [_rim_edges(i, options) for i in inverse]
        return [_known(r.joined(_fold_edges(f)), view, options) for r, f in zip(rims, found)]
    drawn = rasterizer.render(camera_from_object, camera.K, w, h)
    assert drawn.depth is not None
    out = []
    for depth, mask in zip(drawn.depth, drawn.mask):
        edges = outline_of(depth, *rim_of(mask, options))
        folds = folds_of(depth, mask, camera, rasterizer.mesh.radius, options)
        out.append(_known(edges if folds is None else edges.joined(folds), view, options))
    return out


def _rim_edges(inverse: FloatImage, options: EdgeOptions) -> ModelEdges:
    """The outline of a rendering, an image (h, w) of 1 / z."""
    rim, normal = rim_of(inverse > 0, options)
    depth = 1.0 / inverse[rim[:, 1], rim[:, 0]].astype(np.float64)
    return ModelEdges(rim, rim.astype(np.float64), normal, np.ones(len(rim), np.bool_), depth)


def _fold_edges(folds: Array) -> ModelEdges:
    """Edges of folds (N, 6) that :class:`~dexman_pose.pose.matching.folds.FoldFinder` found."""
    pixels, normal = folds[:, :2], folds[:, 2:4]
    places = pixels + folds[:, 4:5] * normal
    inner = np.zeros(len(folds), np.bool_)
    return ModelEdges(pixels.astype(np.int64), places, normal, inner, 1.0 / folds[:, -1])


def _known(edges: ModelEdges, view: CropObservation, options: EdgeOptions) -> ModelEdges | None:
    """The edges that lie where the crop is known; None when too few."""
    h, w = view.size
    x, y = edges.pixels.T
    keep = ~view.near_unknown[y, x] & (x > 1) & (y > 1) & (x < w - 2) & (y < h - 2)
    return edges.only(keep) if int(keep.sum()) >= options.least else None


def outline_of(depth: FloatImage, rim: NDArray[np.int64], normal: Array) -> ModelEdges:
    """The edges that a rendering's rim pixels (N, 2) with directions (N, 2) out of it make."""
    x, y = rim.T
    places = rim.astype(np.float64)
    return ModelEdges(rim, places, normal, np.ones(len(rim), np.bool_), depth[y, x].astype(np.float64))


def edge_score(edges: ModelEdges | None, picture: PictureEdges, options: EdgeOptions = EDGES) -> float:
    """How much of a shape's edges the picture shows, in [0, 1]; outline and inner edges count alike."""
    if edges is None:
        return 0.0
    angle = np.arctan2(edges.normal[:, 1], edges.normal[:, 0])
    bins = np.round(angle / np.pi * options.bins).astype(int) % options.bins
    x, y = edges.pixels.T
    found = picture.spread[bins, y, x]
    parts = [
        found[which].mean() for which in (edges.outline, ~edges.outline) if int(which.sum()) >= options.least
    ]
    return float(np.mean(parts)) if parts else 0.0


def match_edges(
    edges: ModelEdges,
    picture: PictureEdges,
    camera_from_object: Array,
    view: CropObservation,
    reach: int = EDGES.reach,
    options: EdgeOptions = EDGES,
) -> EdgeMatches | None:
    """For each model edge the strongest edge of the picture across it, the nearer the better.

    Args:
        edges: of the shape.
        picture: of the same crop.
        camera_from_object: (4, 4) the pose that made ``edges``.
        view: the crop.
        reach: pixels of the crop looked at to either side.
        options: which edges count.
    """
    kept = slice(None, None, 1 + len(edges) // options.most)
    pixels, normal = edges.places[kept], edges.normal[kept]
    changes, steps = changes_across(picture.image, pixels, normal, reach)
    # The drawn outline lies outside the centres of its rim, on average by half a pixel across a straight row of
    # pixels and less across a slanted one.
    half = np.where(edges.outline[kept], 0.5 * np.abs(normal).max(1), 0.0)
    offsets = steps[None] - half[:, None]
    change = changes.max(2).astype(np.float64)
    offset, strong = strongest_change(change, offsets, reach, options.half)
    if int(strong.sum()) < options.least:
        return None
    pixels, normal, offset = pixels[strong], normal[strong], offset[strong]
    points = view.camera.unproject(pixels, edges.depth[kept][strong])
    local = (points - camera_from_object[:3, 3]) @ camera_from_object[:3, :3]
    target = (pixels + offset[:, None] * normal + 0.5) / view.factors - 0.5 + np.array(view.origin)
    across = normal * view.factors
    across /= np.linalg.norm(across, axis=1, keepdims=True)
    return EdgeMatches(local, target, across)


def rim_of(mask: NDArray[np.bool_], options: EdgeOptions = EDGES) -> tuple[NDArray[np.int64], Array]:
    """Rim pixels (N, 2) and directions (N, 2) out of the mask."""
    height, width = mask.shape
    around = window_around(mask, options.smoothing)
    if around is None:
        return np.zeros((0, 2), np.int64), np.zeros((0, 2))
    mask = mask[around]
    rim = inner_edge(mask)
    smooth = cv2.GaussianBlur(signed_distance_field(mask), (options.smoothing, options.smoothing), 1.0)
    found = rim + [around[1].start, around[0].start]
    inside = (found > 0).all(1) & (found < [width - 1, height - 1]).all(1)
    x, y = rim[inside].T
    out = np.stack([smooth[y, x - 1] - smooth[y, x + 1], smooth[y - 1, x] - smooth[y + 1, x]], 1)
    length = np.linalg.norm(out, axis=1, keepdims=True)
    good = length[:, 0] > options.least_slope
    return found[inside][good], (out[good] / length[good]).astype(np.float64)


def folds_of(
    depth: FloatImage, mask: NDArray[np.bool_], camera: Camera, radius: float, options: EdgeOptions
) -> ModelEdges | None:
    """Creases and inner occlusions; None without a single pixel drawn."""
    box = mask_box(mask)
    if box is None:
        return None
    x0, y0 = np.maximum(box[:2].astype(int) - 2, 0)
    window = slice(y0, int(box[3]) + 3), slice(x0, int(box[2]) + 3)
    depth, mask = np.ascontiguousarray(depth[window]), mask[window]
    solid = cv2.erode(
        mask.astype(np.uint8),
        np.ones((options.rim, options.rim), np.uint8),
        borderType=cv2.BORDER_CONSTANT,
        borderValue=0,
    )
    # 1 / z is affine on planes: its second difference sees steps and not slopes, and its lines meet at creases.
    inverse = np.where(mask, np.float32(1.0) / np.maximum(depth, np.float32(_TINY)), np.float32(0.0))
    a, b, c = _fold_tensor(depth, inverse, mask, camera, (int(x0), int(y0)), radius, options)
    strength = np.float32(0.5) * (a + c + np.sqrt((a - c) ** 2 + np.float32(4) * b * b))
    strength = cv2.GaussianBlur(strength * solid, (3, 3), 0.0)
    y, x = np.nonzero((strength > 1.0) & (solid > 0))
    angle = 0.5 * np.arctan2(2 * b[y, x], a[y, x] - c[y, x])
    nx, ny = np.cos(angle), np.sin(angle)
    ax, ay = np.round(nx).astype(int), np.round(ny).astype(int)
    peak = (strength[y, x] >= strength[y + ay, x + ax]) & (strength[y, x] > strength[y - ay, x - ax])
    pixels, normal = np.stack([x, y], 1)[peak], np.stack([nx, ny], 1)[peak].astype(np.float64)
    # The strength peaks up to three pixels beside the crease: smoothed normals turn where the steeper side begins.
    found = crease_places(inverse, pixels, normal)
    places = pixels + found.shift[:, None] * normal + [x0, y0]
    return ModelEdges(pixels + [x0, y0], places, normal, np.zeros(len(pixels), np.bool_), 1.0 / found.inverse)


def _fold_tensor(
    depth: FloatImage,
    inverse: FloatImage,
    mask: NDArray[np.bool_],
    camera: Camera,
    origin: tuple[int, int],
    radius: float,
    options: EdgeOptions,
) -> tuple[FloatImage, FloatImage, FloatImage]:
    """One tensor (xx, xy, yy) of both cues, (h, w) each; its main direction is the way across the edge."""
    zx, zy = np.zeros_like(depth), np.zeros_like(depth)
    zx[:, 1:-1] = inverse[:, 2:] + inverse[:, :-2] - 2 * inverse[:, 1:-1]
    zy[1:-1] = inverse[2:] + inverse[:-2] - 2 * inverse[1:-1]
    step = depth * depth / np.float32(options.step * radius)
    zx *= step
    zy *= step
    a, b, c = zx * zx, zx * zy, zy * zy
    for component in _smooth_normals(depth, mask, camera, origin):
        part = component * np.float32(1.0 / options.crease)
        dx, dy = np.zeros_like(part), np.zeros_like(part)
        dx[:, 2:-2] = part[:, 4:] - part[:, :-4]
        dy[2:-2] = part[4:] - part[:-4]
        a += dx * dx
        b += dx * dy
        c += dy * dy
    return a, b, c


def _smooth_normals(
    depth: FloatImage, mask: NDArray[np.bool_], camera: Camera, origin: tuple[int, int]
) -> tuple[FloatImage, FloatImage, FloatImage]:
    """Three components (h, w) of the unit normals of the slightly smoothed surface, ``origin`` the first pixel's x, y.

    From depth, not from faces: a scan's faces point everywhere.
    """
    h, w = depth.shape
    weight = cv2.blur(mask.astype(np.float32), (3, 3))
    z = cv2.blur(depth, (3, 3)) / np.maximum(weight, np.float32(_TINY))
    x = z * ((np.arange(w) + origin[0] - camera.cx) / camera.fx).astype(np.float32)
    y = z * ((np.arange(h) + origin[1] - camera.cy) / camera.fy).astype(np.float32)[:, None]
    (ax, bx), (ay, by), (az, bz) = (_differences(v) for v in (x, y, z))
    nx, ny, nz = by * az - bz * ay, bz * ax - bx * az, bx * ay - by * ax
    size = np.float32(1.0) / np.maximum(np.sqrt(nx * nx + ny * ny + nz * nz), np.float32(_TINY_AREA))
    return nx * size, ny * size, nz * size


def _differences(values: FloatImage) -> tuple[FloatImage, FloatImage]:
    """Central differences along x and along y, 0 at the border."""
    right, down = np.zeros_like(values), np.zeros_like(values)
    right[:, 1:-1], down[1:-1] = values[:, 2:] - values[:, :-2], values[2:] - values[:-2]
    return right, down
