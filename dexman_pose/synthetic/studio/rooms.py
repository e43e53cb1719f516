"""Rooms: a table that ends, a floor, four walls; each with a texture of its own, the same for a seed."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from dexman_pose.arrays import Array
from dexman_pose.data import Camera
from dexman_pose.imaging.resize import Way, resize_picture
from dexman_pose.synthetic.scenes.textures import backdrop, smooth_noise
from dexman_pose.synthetic.studio.backdrop import Backdrop, finer, pixel_rays, wood
from dexman_pose.synthetic.studio.colors import FloatImage, linear

TABLES = ("wood", "cloth", "print", "plain")
_FAR_AWAY = 50.0


@dataclass(frozen=True)
class RoomOptions:
    """How rooms are drawn.

    Attributes:
        table: half the table's sides, metres, drawn between the two.
        height: of the table above the floor, metres.
        walls: metres from the middle to each wall, drawn between the two.
        texture: metres that a texture is wide before it is mirrored.
        pixels: of a texture, width and height.
        floor_light: share of the table's light that reaches the floor; of the walls, drawn between the two.
        wall_light: see ``floor_light``.
        pale: share of a wall's or floor's texture that is left after it is mixed with its mean colour, drawn between.
        table_pale: likewise of a printed table.
        grain: spread of the noise on plain tables and cloth, share of the colour.
        weave: metres, of the threads of cloth.
        tint: by how much wood differs in colour, share.
        bright: of plain tables and cloth, grey levels in 0..1, drawn between the two.
    """

    table: tuple[float, float] = (0.45, 0.8)
    height: float = 0.74
    walls: tuple[float, float] = (1.6, 3.0)
    texture: float = 2.4
    pixels: tuple[int, int] = (900, 700)
    floor_light: float = 0.55
    wall_light: tuple[float, float] = (0.45, 0.8)
    pale: tuple[float, float] = (0.3, 1.0)
    table_pale: tuple[float, float] = (0.25, 0.7)
    grain: float = 0.035
    weave: float = 0.004
    tint: float = 0.2
    bright: tuple[float, float] = (0.2, 0.75)


class Room:
    """A room about a table whose surface is z = 0.

    Args:
        seed: of sizes and textures.
        table: one of :data:`TABLES`; chosen by the seed when None.
        options: how rooms are drawn.
    """

    def __init__(self, seed: int, table: str | None = None, options: RoomOptions | None = None) -> None:
        self.options = o = options or RoomOptions()
        rng = np.random.default_rng([91, seed])
        self.table = table or TABLES[int(rng.integers(len(TABLES)))]
        self._half = rng.uniform(*o.table, 2)
        self._walls = rng.uniform(*o.walls, 4)
        self._turn = rng.uniform(0, np.pi)
        self._tint = 1.0 + rng.uniform(-o.tint, o.tint, 3)
        self._plain = rng.uniform(*o.bright) * (1.0 + rng.uniform(-o.tint, o.tint, 3))
        drawn = [o.pale] * 5 + [o.table_pale]
        self._paints = [(int(rng.integers(1 << 30)), float(rng.uniform(*pale))) for pale in drawn]
        self._painted: dict[int, FloatImage] = {}
        self._grain = smooth_noise(rng, o.pixels[::-1], 3.0).astype(np.float32)
        self._wall_light = rng.uniform(*o.wall_light, 4)

    def backdrop(self, camera: Camera, camera_from_world: Array) -> Backdrop:
        """The room as a camera inside of it sees it."""
        points, depth, surface = self._hit(*pixel_rays(camera, camera_from_world))
        fine_points, _, fine_surface = self._hit(*pixel_rays(finer(camera), camera_from_world))
        albedo = resize_picture(
            self._albedo(fine_points, fine_surface), (camera.width, camera.height), Way.AREA
        )
        shadowed = np.where((surface == 0)[..., None], points, _FAR_AWAY)
        shadowed[..., 2] = 0.0
        return Backdrop(albedo, depth.astype(np.float32), shadowed)

    def _hit(self, eye: Array, direction: Array) -> tuple[Array, Array, NDArray[np.int64]]:
        """World points (H, W, 3) of the rays, their depths (H, W), and what is hit: 0 table, 1 floor, 2.. walls."""
        o = self.options
        planes = [(2, 0.0), (2, -o.height)]
        planes += [
            (axis, sign * self._walls[2 * axis + k]) for axis in (0, 1) for k, sign in enumerate((-1, 1))
        ]
        best: Array = np.full(direction.shape[:2], np.inf)
        surface: NDArray[np.int64] = np.zeros(direction.shape[:2], np.int64)
        for index, (axis, place) in enumerate(planes):
            along = direction[..., axis]
            with np.errstate(divide="ignore", invalid="ignore"):
                t = (place - eye[axis]) / along
            usable = np.isfinite(t) & (t > 0)
            if index == 0:
                where = eye[:2] + np.where(usable, t, 0.0)[..., None] * direction[..., :2]
                usable &= (np.abs(where) < self._half).all(-1)
            nearer = usable & (t < best)
            best[nearer], surface[nearer] = t[nearer], index
        best[~np.isfinite(best)] = _FAR_AWAY
        return eye + best[..., None] * direction, best, surface

    def _albedo(self, points: Array, surface: NDArray[np.int64]) -> FloatImage:
        """Linear colours (H, W, 3)."""
        o = self.options
        out = np.zeros(points.shape, np.float32)
        for index in range(6):
            mine = surface == index
            if not mine.any():
                continue
            p = points[mine]
            if index == 0:
                out[mine] = self._table_color(p)
                continue
            kept = [0, 1] if index == 1 else [1 - (index - 2) // 2, 2]
            light = o.floor_light if index == 1 else self._wall_light[index - 2]
            out[mine] = light * self._looked_up(self._texture(index - 1), p[:, kept])
        return out

    def _table_color(self, points: Array) -> FloatImage:
        c, s = np.cos(self._turn), np.sin(self._turn)
        flat = points[:, :2] @ np.array([[c, -s], [s, c]])
        if self.table == "wood":
            color = wood(np.column_stack([flat, points[:, 2]])[None])[0] * self._tint
            return linear(color)
        if self.table == "print":
            return self._looked_up(self._texture(len(self._paints) - 1), flat)
        o = self.options
        noise = o.grain * self._looked_up(self._grain, flat)[:, None]
        if self.table == "cloth":
            threads = np.sin(2 * np.pi * flat / o.weave).prod(1)
            noise = noise + o.grain * threads[:, None]
        return linear(self._plain * (1.0 + noise))

    def _looked_up(self, texture: FloatImage, where: Array) -> FloatImage:
        """Values (N, ...) of a texture at places (N, 2) in metres; beyond its edge it is mirrored."""
        pixels = (where * (texture.shape[1] / self.options.texture)).astype(np.float32)
        # OpenCV takes maps of at most 32767 rows: one long row is folded.
        width = 8192
        folded = np.zeros((-(-len(pixels) // width) * width, 2), np.float32)
        folded[: len(pixels)] = pixels
        maps = folded.reshape(-1, width, 2)
        seen = cv2.remap(texture, maps, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101)
        out: FloatImage = seen.reshape(len(folded), *texture.shape[2:])[: len(pixels)]
        return out

    def _texture(self, index: int) -> FloatImage:
        """Linear colours of a printed or painted surface, made when it is first seen."""
        if index not in self._painted:
            seed, left = self._paints[index]
            image = backdrop(*self.options.pixels, seed)
            mean = image.mean((0, 1))
            self._painted[index] = linear((mean + left * (image - mean)) / 255.0)
        return self._painted[index]
