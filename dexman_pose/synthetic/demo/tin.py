"""The object of the demonstration clip: a printed tin with a sloping lid, the same from no two sides.

Frame of the tin: origin in its middle, +z up, the label looks to -y; metres.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from dexman_pose.arrays import Array
from dexman_pose.data import Mesh

HALF_X, HALF_Y, CORNER = 0.034, 0.029, 0.011
HEIGHT, SLOPE, BEVEL = 0.112, 0.18, 0.0025
_SIDE_ROWS = 0.6  # share of the texture's height that the wrapped side takes; lid and bottom share the rest
_ATLAS = (1024, 768)


@dataclass(frozen=True)
class Tin:
    """The textured mesh and what shading and grasping need besides.

    Attributes:
        mesh: metres, watertight, with texture.
        corner_normals: (F, 3, 3) unit normals at the corners of each face, smooth along the rounded side.
    """

    mesh: Mesh
    corner_normals: Array


@dataclass
class _Builder:
    """Faces under construction, with the texture coordinates and normals of their corners."""

    outline_normals: Array
    fraction: Array
    faces: list[list[int]] = field(default_factory=list)
    uv: list[list[list[float]]] = field(default_factory=list)
    normals: list[Array] = field(default_factory=list)

    def band(self, ring: int, low: float, high: float) -> None:
        """The quads between one ring and the next, wrapped by rows ``low`` to ``high`` of the texture."""
        count = len(self.fraction)
        flat = np.column_stack([self.outline_normals, np.zeros(count)])
        for i in range(count):
            j = (i + 1) % count
            u0, u1 = float(self.fraction[i]), float(self.fraction[j]) if j else 1.0
            a, b = ring * count + i, ring * count + j
            self.faces += [[a, b, b + count], [a, b + count, a + count]]
            self.uv += [[[u0, low], [u1, low], [u1, high]], [[u0, low], [u1, high], [u0, high]]]
            self.normals += [flat[[i, j, j]], flat[[i, j, i]]]

    def cap(self, vertices: Array, first: int, center: int, top: bool) -> None:
        """The lid or the bottom as a fan around ``center``, textured by a plain projection."""
        count = len(self.fraction)
        normal = np.array([0, -SLOPE, 1]) / np.sqrt(1 + SLOPE**2) if top else np.array([0, 0, -1.0])
        middle = np.array([0.25 if top else 0.75, 0.5 * (1 + _SIDE_ROWS)])
        size = np.array([0.23, 0.5 * (1 - _SIDE_ROWS) * 0.94]) / np.array([HALF_X, HALF_Y])
        for i in range(count):
            a, b = first + i, first + (i + 1) % count
            face = [center, a, b] if top else [center, b, a]
            self.faces.append(face)
            self.uv.append((middle + vertices[face, :2] * size).tolist())
            self.normals.append(np.tile(normal, (3, 1)))


def build_tin() -> Tin:
    """Mesh, texture and normals of the tin; always the same."""
    outline, normals, fraction = _outline()
    inset = outline - BEVEL * normals
    edge = BEVEL / HEIGHT
    rows = [(inset, 0.0), (outline, edge), (outline, 0.5), (outline, 1 - edge), (inset, 1.0)]
    rings = np.concatenate([np.column_stack([xy, _level(xy, f)]) for xy, f in rows])
    vertices = np.concatenate([rings, [[0, 0, -HEIGHT / 2], [0, 0, HEIGHT / 2]]])
    build = _Builder(normals, fraction)
    for ring in range(len(rows) - 1):
        build.band(ring, rows[ring][1] * _SIDE_ROWS, rows[ring + 1][1] * _SIDE_ROWS)
    build.cap(vertices, 0, len(rings), top=False)
    build.cap(vertices, len(rings) - len(outline), len(rings) + 1, top=True)
    faces, uv = np.array(build.faces, np.int32), np.array(build.uv, np.float32)
    mesh = Mesh(vertices, faces, uv, paint_texture(), source="synthetic")
    return Tin(mesh, np.array(build.normals))


def tin_distance(points: Array) -> Array:
    """Signed distance (N,) of points (N, 3) to the tin, metres, negative inside (a lower bound outside edges)."""
    q = np.abs(points[:, :2]) - (np.array([HALF_X, HALF_Y]) - CORNER)
    side = np.linalg.norm(np.maximum(q, 0), axis=1) + np.minimum(q.max(1), 0) - CORNER
    lid = (points[:, 2] - HEIGHT / 2 - SLOPE * points[:, 1]) / np.sqrt(1 + SLOPE**2)
    out: Array = np.maximum(np.maximum(side, lid), -HEIGHT / 2 - points[:, 2])
    return out


def _outline(per_corner: int = 9, per_side: int = 6) -> tuple[Array, Array, Array]:
    """Points (N, 2) of the rounded rectangle, counter-clockwise from the middle of the back (+y), their normals and
    the arc length travelled as a fraction (N,)."""
    hx, hy = HALF_X - CORNER, HALF_Y - CORNER
    points, normals = [], []
    centers = ((-hx, hy), (-hx, -hy), (hx, -hy), (hx, hy))
    for k, center in enumerate(centers):
        for angle in np.pi / 2 * (k + 1) + np.linspace(0, np.pi / 2, per_corner):
            normals.append((np.cos(angle), np.sin(angle)))
            points.append(np.array(center) + CORNER * np.array(normals[-1]))
    back = np.linspace(0, 1, per_side, endpoint=False)[:, None] * np.array([[-hx, 0.0]]) + [0.0, HALF_Y]
    end = np.linspace(1, 0, per_side, endpoint=False)[:, None] * np.array([[hx, 0.0]]) + [0.0, HALF_Y]
    xy = np.concatenate([back, points, end[1:]])
    up = np.tile([0.0, 1.0], (per_side, 1))
    n = np.concatenate([up, np.array(normals), up[1:]])
    steps = np.linalg.norm(np.diff(np.concatenate([xy, xy[:1]]), axis=0), axis=1)
    return xy, n, np.concatenate([[0.0], np.cumsum(steps)[:-1]]) / steps.sum()


def _level(xy: Array, fraction: float) -> Array:
    """Height (N,) of a ring: flat at the bottom, following the slope of the lid at the top."""
    return -HEIGHT / 2 + fraction * (HEIGHT + SLOPE * xy[:, 1])


def paint_texture() -> NDArray[np.uint8]:
    """The print (H, W, 3) uint8: four different sides, a chequered foot, a lid with a compass, a striped bottom."""
    width, height = _ATLAS
    image = Image.new("RGB", _ATLAS, (238, 226, 196))
    draw = ImageDraw.Draw(image)
    top = round(height * (1 - _SIDE_ROWS))
    _paint_sides(draw, width, top, height)
    _paint_lid(draw, (0, 0, width // 2, top))
    _paint_bottom(draw, (width // 2, 0, width, top))
    return np.asarray(image, np.uint8)


def _paint_sides(draw: ImageDraw.ImageDraw, width: int, top: int, bottom: int) -> None:
    """Left (teal triangles), front (label), right (red stripes and a star), back (mustard dots, across the seam)."""
    edges = [round(width * f) for f in (0.0, 0.148, 0.352, 0.648, 0.852, 1.0)]
    colors = ((221, 163, 42), (22, 118, 122), (243, 232, 205), (186, 48, 44), (221, 163, 42))
    for x0, x1, color in zip(edges, edges[1:], colors):
        draw.rectangle((x0, top, x1, bottom), fill=color)
    _triangles(draw, edges[1], top, edges[2], bottom)
    _label(draw, edges[2], top, edges[3], bottom)
    _stripes(draw, edges[3], top, edges[4], bottom)
    rng = np.random.default_rng(7)
    for x0, x1 in ((edges[0], edges[1]), (edges[4], edges[5])):
        for _ in range(26):
            r = rng.integers(6, 19)
            x, y = rng.integers(x0 + r, x1 - r), rng.integers(top + 70, bottom - 70)
            fill = [(92, 36, 90), (250, 240, 210), (30, 60, 110)][rng.integers(3)]
            draw.ellipse((x - r, y - r, x + r, y + r), fill=fill)
    cell = 32
    for i in range(width // cell + 1):
        for row in range(2):
            fill = (36, 40, 64) if (i + row) % 2 else (244, 238, 222)
            draw.rectangle(
                (i * cell, bottom - 52 + row * 26, (i + 1) * cell, bottom - 26 + row * 26), fill=fill
            )
    draw.rectangle((0, top, width, top + 34), fill=(36, 40, 64))
    for i in range(0, width, 64):
        draw.rectangle((i, top + 10, i + 20 + (i // 16) % 24, top + 24), fill=(232, 190, 80))


def _triangles(draw: ImageDraw.ImageDraw, x0: int, top: int, x1: int, bottom: int) -> None:
    colors = ((240, 236, 214), (244, 148, 60), (12, 68, 84), (150, 206, 180))
    step = (x1 - x0) // 4
    for row, y in enumerate(range(top + 50, bottom - 80, step)):
        for col in range(4):
            x = x0 + col * step
            corner = (row + col) % 2
            points = ((x, y), (x + step, y), (x + corner * step, y + step))
            draw.polygon(points, fill=colors[(row * 3 + col * 2 + row * col) % 4])


def _label(draw: ImageDraw.ImageDraw, x0: int, top: int, x1: int, bottom: int) -> None:
    middle = (x0 + x1) // 2
    draw.rectangle((x0 + 16, top + 52, x1 - 16, bottom - 70), outline=(36, 40, 64), width=6)
    draw.ellipse((middle - 96, top + 66, middle + 96, top + 258), fill=(214, 84, 40))
    draw.ellipse((middle - 70, top + 92, middle + 70, top + 232), fill=(250, 206, 90))
    for x, y, size, fill in ((middle - 120, 250, 60, (40, 120, 90)), (middle - 20, 226, 96, (24, 88, 92))):
        draw.polygon(((x, top + y + 64), (x + size, top + y - 30), (x + 2 * size, top + y + 64)), fill=fill)
    text = "DEXMAN"
    draw.text((middle, top + 352), text, fill=(36, 40, 64), anchor="mm", font=ImageFont.load_default(62))
    draw.text((middle + 100, top + 90), "7", fill=(36, 40, 64), anchor="mm", font=ImageFont.load_default(54))


def _stripes(draw: ImageDraw.ImageDraw, x0: int, top: int, x1: int, bottom: int) -> None:
    width = x1 - x0
    for k in range(0, 9):
        y = top + 60 + k * 40
        fill = ((246, 230, 200), (120, 20, 40))[k % 2]
        draw.polygon(((x0, y), (x1, y - 30), (x1, y - 12), (x0, y + 18)), fill=fill)
    cx, cy, r = x0 + width * 0.55, top + 200, width * 0.36
    angles = -np.pi / 2 + np.arange(10) * np.pi / 5
    star = [
        (cx + (r, 0.42 * r)[i % 2] * np.cos(a), cy + (r, 0.42 * r)[i % 2] * np.sin(a))
        for i, a in enumerate(angles)
    ]
    draw.polygon(star, fill=(252, 214, 70), outline=(60, 16, 30))
    draw.text(
        (cx - 10, bottom - 92), "No. 4", fill=(255, 250, 235), anchor="mm", font=ImageFont.load_default(44)
    )


def _paint_lid(draw: ImageDraw.ImageDraw, box: tuple[int, int, int, int]) -> None:
    x0, y0, x1, y1 = box
    cx, cy = (x0 + x1) // 2, (y0 + y1) // 2
    draw.rectangle(box, fill=(44, 74, 132))
    draw.ellipse(
        (cx - 150, cy - 118, cx + 150, cy + 118), fill=(236, 222, 186), outline=(20, 30, 60), width=8
    )
    for k, fill in enumerate(((200, 60, 50), (40, 130, 100), (230, 160, 40), (90, 50, 120))):
        a = np.pi / 2 * k + 0.35
        tip = (cx + 118 * np.cos(a), cy + 92 * np.sin(a))
        sides = [(cx + 40 * np.cos(a + s), cy + 34 * np.sin(a + s)) for s in (-0.9, 0.9)]
        draw.polygon((sides[0], tip, sides[1], (cx, cy)), fill=fill)
    draw.ellipse((cx + 96, cy - 96, cx + 196, cy - 26), fill=(245, 200, 60))
    draw.text((cx - 190, cy + 100), "A", fill=(250, 245, 230), anchor="mm", font=ImageFont.load_default(60))


def _paint_bottom(draw: ImageDraw.ImageDraw, box: tuple[int, int, int, int]) -> None:
    x0, y0, _, y1 = box
    for k in range(16):
        fill = ((60, 60, 70), (180, 180, 186), (214, 120, 60))[k % 3]
        draw.rectangle((x0 + k * 32, y0, x0 + k * 32 + 31, y1), fill=fill)
    draw.rectangle((x0 + 60, y0 + 60, x0 + 200, y0 + 180), fill=(30, 110, 80))
