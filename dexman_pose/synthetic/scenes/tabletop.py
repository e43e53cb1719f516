"""A cluttered table before a wall, seen by a camera that moves: patches, boxes and blocks around a free place."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.spatial import ConvexHull

from dexman_pose.arrays import Array
from dexman_pose.data import Camera, Mesh
from dexman_pose.imaging.resize import Way, resize_picture
from dexman_pose.render import Rasterizer
from dexman_pose.synthetic.scenes import textures as paint
from dexman_pose.synthetic.scenes.solids import Lamp, Pixels, Solid, paint_solids, prism


@dataclass(frozen=True)
class TableOptions:
    """What lies on the table, and where.

    Attributes:
        solids: how many boxes and blocks.
        alike: share of the solids whose colour is close to the object's.
        printed: share of the others with a print on every side.
        close: of the solids alike, those that stand next to the object.
        nuance: standard deviation by which an alike colour differs, grey levels.
        gap: metres between the object's footprint and the nearest solids, drawn between the two.
        reach: metres from the middle within which solids stand.
        radius: of a solid's footprint, metres, drawn between the two.
        height: of the solids, metres, drawn between the two.
        low: largest height of those between camera and object.
        sheets: printed or plain patches on the table.
        tinted: share of the way from the table's mean colour to the object's by which the bare table is moved.
        half: half the side of the table's texture, metres; beyond it the texture is mirrored.
        pixels: along the side of the texture.
        wall: metres from the middle to the wall.
    """

    solids: int = 22
    alike: float = 0.35
    printed: float = 0.45
    close: int = 3
    nuance: float = 9.0
    gap: tuple[float, float] = (0.002, 0.02)
    reach: float = 0.46
    radius: tuple[float, float] = (0.012, 0.042)
    height: tuple[float, float] = (0.01, 0.11)
    low: float = 0.03
    sheets: int = 14
    tinted: float = 0.0
    half: float = 0.65
    pixels: int = 1200
    wall: float = 0.62


class Tabletop:
    """A static scene, world axes: z up, the table's surface z = 0, the free place about the origin, the wall at +y.

    Args:
        footprint: (N, 2) points on the table that stay free: those below the object.
        color: (3,) 0..255 of the object; some solids look like it.
        rng: of everything.
        options: what lies where.
        shadow: whether the object lies on the table and darkens it.
    """

    def __init__(
        self,
        footprint: Array,
        color: Array,
        rng: np.random.Generator,
        options: TableOptions | None = None,
        *,
        shadow: bool = True,
    ) -> None:
        self.options = options or TableOptions()
        way = np.array([rng.uniform(-0.8, 0.8), rng.uniform(-0.7, 0.2), 1.0])
        self.lamp = Lamp(way / np.linalg.norm(way))
        self._footprint = footprint
        self.solids = self._solids(color, rng)
        outlines = [s.sides[0].corners[:, :2] for s in self.solids]
        heights = [s.sides[0].corners[0, 2] for s in self.solids]
        if shadow:
            outlines, heights = [*outlines, footprint], [*heights, 0.04]
        self._ground = self._surface(rng, color, outlines, heights)
        self._wall = self._back(rng)
        self._surfaces = Rasterizer(self._mesh())

    def draw(self, camera: Camera, camera_from_world: Array) -> Pixels:
        """The picture (H, W, 3) of a camera that looks down at the table."""
        o, size = self.options, (camera.width, camera.height)
        step = 2 * o.half / o.pixels
        ground = np.array([[step, 0, 0.5 * step - o.half], [0, -step, o.half - 0.5 * step], [0, 0, 1]])
        flat = camera.K @ camera_from_world[:3, [0, 1, 3]] @ ground
        out = cv2.warpPerspective(
            self._ground, flat, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101
        )
        self._paint_wall(out, camera, camera_from_world)
        paint_solids(out, self.solids, camera.K, camera_from_world)
        return np.asarray(out, np.uint8)

    def _paint_wall(self, image: Pixels, camera: Camera, camera_from_world: Array) -> None:
        """Paint the wall above the line where it meets the table."""
        axes = camera.K @ camera_from_world[:3]
        wall = axes @ np.array([[1.0, 0, 0], [0, 0, self.options.wall], [0, 1.0, 0], [0, 0, 1.0]])
        ends = wall @ np.array([[-1.0, 1.0], [0.0, 0.0], [1.0, 1.0]])
        line = np.cross(ends[:, 0], ends[:, 1])
        line *= -np.sign(line @ axes[:, 3]) / np.hypot(line[0], line[1])
        corners = np.array([[0, 0, 1], [camera.width, 0, 1.0]])
        if float((corners @ line).max()) < 0:
            return
        step = 4.0 / self._wall.shape[1]
        place = np.array([[step, 0, -2.0], [0, -step, 0.5 * 4.0], [0, 0, 1.0]])
        size = (camera.width, camera.height)
        seen = cv2.warpPerspective(
            self._wall, wall @ place, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101
        )
        u, v = np.arange(camera.width), np.arange(camera.height)
        share = np.clip(line[0] * u + (line[1] * v + line[2])[:, None] + 0.5, 0, 1)
        full = share.max(1) > 0
        part = share[full][..., None].astype(np.float32)
        image[full] = (image[full] + part * (seen[full].astype(np.float32) - image[full]) + 0.5).astype(
            np.uint8
        )

    def depth(self, camera: Camera, camera_from_world: Array) -> NDArray[np.float32]:
        """Depth (H, W) of the same, metres."""
        seen = self._surfaces.render(camera_from_world, camera.K, camera.width, camera.height)
        assert seen.depth is not None
        return np.where(seen.mask[0], seen.depth[0], 0).astype(np.float32)

    def _solids(self, color: Array, rng: np.random.Generator) -> list[Solid]:
        """Solids that do not touch each other nor the free place; the first ones are next to it and look like it."""
        o = self.options
        out: list[Solid] = []
        taken: list[tuple[Array, float]] = []
        for k in range(o.solids):
            radius = float(rng.uniform(*o.radius))
            for _ in range(20):
                middle = self._spot(rng, radius, near=k < o.close)
                if all(np.linalg.norm(middle - m) > radius + r + 0.004 for m, r in taken):
                    taken.append((middle, radius))
                    alike = k < o.close or rng.random() < o.alike
                    out.append(self._solid(rng, middle, radius, color if alike else None))
                    break
        return out

    def _spot(self, rng: np.random.Generator, radius: float, *, near: bool) -> Array:
        """A middle (2,): beside or behind the free place when near it, else anywhere on the table."""
        o = self.options
        angle = rng.uniform(-0.15, 1.15) * np.pi if near else rng.uniform(0, 2 * np.pi)
        way = np.array([np.cos(angle), np.sin(angle)])
        free = float((self._footprint @ way).max()) + radius
        far = free + rng.uniform(*o.gap) if near else rng.uniform(free + o.gap[1], free + o.reach)
        return far * way

    def _solid(self, rng: np.random.Generator, middle: Array, radius: float, like: Array | None) -> Solid:
        o = self.options
        low = middle[1] < 0.3 * abs(middle[0])
        height = float(rng.uniform(o.height[0], o.low if low else o.height[1]))
        if like is not None:
            color = np.clip(like + o.nuance * rng.standard_normal(3), 8, 247)
            return prism(_outline(rng, middle, radius), height, color, self.lamp)
        color = rng.uniform(15, 240, 3)
        if rng.random() < o.printed:
            seed = int(rng.integers(1 << 20))
            return prism(_rectangle(rng, middle, radius), height, color, self.lamp, seed)
        return prism(_outline(rng, middle, radius), height, color, self.lamp)

    def _surface(
        self, rng: np.random.Generator, color: Array, outlines: list[Array], heights: list[float]
    ) -> Pixels:
        """The table's texture: a speckled ground, sheets on it, and soft shadows."""
        o = self.options
        half = o.pixels // 2
        ground = paint.backdrop(half, half, int(rng.integers(1 << 30)))
        out = resize_picture(ground, (o.pixels, o.pixels), Way.CUBIC)
        out += np.asarray(o.tinted * (color - out.mean((0, 1))), np.float32)
        for k in range(o.sheets):
            like = color if k % 4 == 0 else None
            self._sheet(out, rng, like)
        out *= self._shadows(outlines, heights)[..., None]
        out = cv2.GaussianBlur(out, (0, 0), 0.8)
        shade = float(self.lamp.shade([0.0, 0.0, 1.0]))
        return np.clip(shade * out, 0, 255).astype(np.uint8)

    def _sheet(self, image: NDArray[np.float32], rng: np.random.Generator, like: Array | None) -> None:
        """Paste a patch, printed or (``like``) in one colour, anywhere, turned."""
        o = self.options
        base = (
            rng.uniform(20, 240, 3) if like is None else np.clip(like + 14 * rng.standard_normal(3), 5, 250)
        )
        r, g, b = (int(c) for c in base)
        size = rng.integers(60, 260, 2)
        sheet, draw = paint.canvas(int(size[0]), int(size[1]), (r, g, b))
        if like is None and rng.random() < 0.7:
            box = (0, 0, int(size[0]) - 1, int(size[1]) - 1)
            paint.panel(draw, box, (r, g, b), int(rng.integers(1 << 20)), marks=10)
        place = np.round(0.5 * o.pixels + rng.normal(0, 0.2, 2) * o.pixels)
        reach = int(np.ceil(0.5 * float(np.linalg.norm(size)))) + 1
        turn = cv2.getRotationMatrix2D((size[0] / 2, size[1] / 2), float(rng.uniform(0, 360)), 1.0)
        turn[:, 2] += reach - size / 2
        square = (2 * reach, 2 * reach)
        patch = cv2.warpAffine(paint.finished(sheet).astype(np.float32), turn, square)
        alpha = cv2.warpAffine(np.ones((int(size[1]), int(size[0])), np.float32), turn, square)[..., None]
        low = (place - reach).astype(int)
        here, there = _overlap(low, square, image.shape[:2])
        image[here] += alpha[there] * (patch[there] - image[here])

    def _shadows(self, outlines: list[Array], heights: list[float]) -> NDArray[np.float32]:
        """Factors (P, P): each footprint, pushed away from the lamp, blurred by how high its owner is."""
        o = self.options
        scale = o.pixels / (2 * o.half)
        out = np.ones((o.pixels, o.pixels), np.float32)
        away = -self.lamp.way[:2] / self.lamp.way[2]
        for outline, height in zip(outlines, heights):
            points = np.concatenate([outline, outline + 0.7 * height * away])
            hull = (points[ConvexHull(points).vertices] * [1, -1] + o.half) * scale
            low = np.floor(hull.min(0)).astype(int) - 20
            size = np.ceil(hull.max(0)).astype(int) + 20 - low
            dark = np.zeros((size[1], size[0]), np.float32)
            cv2.fillConvexPoly(dark, np.round(hull - low).astype(np.int32), 1.0)
            here, there = _overlap(low, (int(size[0]), int(size[1])), out.shape)
            out[here] *= 1 - 0.4 * cv2.blur(cv2.blur(dark, (15, 15)), (15, 15))[there]
        return out

    def _back(self, rng: np.random.Generator) -> Pixels:
        """The wall's texture, 4 m across."""
        image = resize_picture(paint.backdrop(400, 200, int(rng.integers(1 << 30))), (1600, 800))
        shade = 0.85 * float(self.lamp.shade([0.0, -1.0, 0.0]))
        return np.clip(shade * image, 0, 255).astype(np.uint8)

    def _mesh(self) -> Mesh:
        """All surfaces as one mesh."""
        far, back = 4.0, self.options.wall
        table = np.array([[-far, -far, 0], [far, -far, 0], [far, back, 0], [-far, back, 0]])
        wall = np.array([[-far, back, 0], [far, back, 0], [far, back, far], [-far, back, far]])
        quads = [q[[0, k, k + 1]] for q in (table, wall) for k in (1, 2)]
        triangles = np.concatenate([np.array(quads), *(s.triangles() for s in self.solids)])
        faces = np.arange(3 * len(triangles), dtype=np.int32).reshape(-1, 3)
        return Mesh(triangles.reshape(-1, 3), faces, source="synthetic")


Window = tuple[slice, slice]


def _overlap(low: NDArray[np.int64], size: tuple[int, int], shape: tuple[int, int]) -> tuple[Window, Window]:
    """Where a patch of a size (width, height) put at a pixel (x, y) lies in an image (H, W), and which part of it."""
    x, y = int(low[0]), int(low[1])
    x0, x1, y0, y1 = max(x, 0), min(x + size[0], shape[1]), max(y, 0), min(y + size[1], shape[0])
    x1, y1 = max(x1, x0), max(y1, y0)
    return (slice(y0, y1), slice(x0, x1)), (slice(y0 - y, y1 - y), slice(x0 - x, x1 - x))


def _outline(rng: np.random.Generator, middle: Array, radius: float) -> Array:
    """A rectangle, or a many-sided disc."""
    if rng.random() < 0.6:
        return _rectangle(rng, middle, radius)
    a = 2 * np.pi * np.arange(18) / 18
    return middle + radius * np.stack([np.cos(a), np.sin(a)], -1)


def _rectangle(rng: np.random.Generator, middle: Array, radius: float) -> Array:
    """(4, 2) counter-clockwise, its corners on a circle."""
    a, turn = rng.uniform(0.45, 1.1), rng.uniform(0, 2 * np.pi)
    angle = turn + np.array([-a, a, np.pi - a, np.pi + a]) / 1.0
    return middle + radius * np.stack([np.cos(angle), np.sin(angle)], -1)
