"""Pictures of the demonstration scene: table, tin and hands, shaded, shadowed, antialiased.

Colours are mixed in linear light and stored with a gamma of 2.2.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dexman_pose.arrays import Array
from dexman_pose.data import Camera, Mesh
from dexman_pose.data.masks import BACKGROUND, OCCLUDER
from dexman_pose.geometry.se3 import inverse
from dexman_pose.hands.model.hand_model import HandModel, vertex_normals
from dexman_pose.imaging.resize import Way, resize_picture
from dexman_pose.render import Rasterizer
from dexman_pose.synthetic.demo.light import FloatImage, Ground, Lights, lit, shadow_maps, studio
from dexman_pose.synthetic.demo.tin import Tin

_OVERSAMPLING = 2
_SLEEVE_START, _SLEEVE_COLOR = -0.085, np.array([52, 72, 104])
_SKIN_WRAP, _SHEEN = 0.22, 0.05


@dataclass(frozen=True)
class Picture:
    """One rendered frame.

    Attributes:
        image: (H, W, 3) uint8 RGB.
        labels: (H, W) uint8: 0 background, 1 the object, 255 a hand.
        object_pixels: (H, W) bool, the object's whole outline, hidden parts too.
        depth: (H, W) float32 metres of what is seen, table included.
    """

    image: NDArray[np.uint8]
    labels: NDArray[np.uint8]
    object_pixels: NDArray[np.bool_]
    depth: NDArray[np.float32]


class PosedHand:
    """A hand in the world, with a sleeve over the forearm.

    Args:
        model: the hand that is seen.
        coarse: the same hand with fewer vertices, which casts the shadows.
        pose: (15, 3) rotation vectors.
        world_from_hand: (4, 4).
        forearm: (3,) rotation vector of the forearm.
    """

    def __init__(
        self, model: HandModel, coarse: HandModel, pose: Array, world_from_hand: Array, forearm: Array
    ) -> None:
        self.model = model
        self.vertices = _dressed(model, model.vertices(pose, world_from_hand, forearm=forearm))
        self.normals = vertex_normals(self.vertices, model.faces)
        cast = _dressed(coarse, coarse.vertices(pose, world_from_hand, forearm=forearm))
        self.shadow = Mesh(cast, coarse.faces)


class Studio:
    """Camera, lights and table; draws frames.

    Args:
        camera: of the finished pictures.
        camera_from_world: (4, 4), world +z up, table at z = 0.
        tin: the object.
        still: hands that do not move; they are drawn and lit once.
    """

    def __init__(self, camera: Camera, camera_from_world: Array, tin: Tin, still: list[PosedHand]) -> None:
        self.camera, self.camera_from_world, self.tin = camera, camera_from_world, tin
        k = _OVERSAMPLING
        self._big = camera.cropped(0, 0, camera.width * k, camera.height * k, k)
        self._eye = inverse(camera_from_world)[:3, 3]
        self._lights: Lights = studio(np.array([0.0, 0.02, 0.05]))
        table = table_points(camera, camera_from_world)
        self._table_depth = (table @ camera_from_world[2, :3] + camera_from_world[2, 3]).astype(np.float32)
        self._ground = Ground(self._lights, table)
        self._wood = self._paint_table(3)
        self._tin = Rasterizer(tin.mesh)
        self._still_maps = shadow_maps(self._lights, [(Rasterizer(h.shadow), np.eye(4)) for h in still])
        self._still = [self._draw_hand(h, self._still_maps) for h in still]

    def draw(self, world_from_object: Array, hand: PosedHand) -> Picture:
        """One frame without noise."""
        solid = Rasterizer(hand.shadow)
        maps = shadow_maps(self._lights, [(self._tin, world_from_object), (solid, np.eye(4))])
        maps = np.minimum(maps, self._still_maps)
        layers = [*self._still, self._draw_hand(hand, maps), self._draw_tin(world_from_object, maps)]
        return self._compose(layers, self._wood * self._ground.irradiance(maps))

    def _paint_table(self, k: int) -> FloatImage:
        """Linear colour (H, W, 3) of the table, antialiased by k x k samples: far boards are thinner than a pixel."""
        size = (self.camera.width, self.camera.height)
        fine = self.camera.cropped(0, 0, size[0] * k, size[1] * k, k)
        color = _linear(wood(table_points(fine, self.camera_from_world)))
        small: FloatImage = resize_picture(color, size, Way.AREA)
        return small

    def _draw_hand(self, hand: PosedHand, maps: FloatImage) -> _Layer:
        """A hand lit per vertex: its mesh is finer than the picture."""
        vertices, normals = hand.vertices, hand.normals
        seen = np.flatnonzero(np.sum(normals * (self._eye - vertices), 1) > -0.2)
        cloth = _sleeve_share(hand.model)[seen, None]
        albedo = _linear(hand.model.vertex_colors[seen] / 255.0)
        albedo = albedo + cloth * (_linear(_SLEEVE_COLOR / 255.0) - albedo)
        light = lit(self._lights, maps, vertices[seen], normals[seen], wrap=_SKIN_WRAP)
        shine = self._sheen(vertices[seen], normals[seen])[:, None] * (1 - cloth) * _SHEEN
        # Light that has been under the skin comes out red: it fills the shadow's edge.
        glow = (1 - cloth) * np.array([0.022, 0.006, 0.004])
        colors = np.zeros((len(vertices), 3), np.uint8)
        colors[seen] = np.round(255 * _encode((albedo + shine) * light + glow))
        solid = Rasterizer(Mesh(vertices, hand.model.faces, vertex_colors=colors))
        mask, image = self._render(solid, np.eye(4), vertices, ("depth", "color"))
        return _Layer(mask, image["depth"], _linear(image["color"]), OCCLUDER)

    def _draw_tin(self, world_from_object: Array, maps: FloatImage) -> _Layer:
        """The object lit per pixel, with smooth normals on its rounded sides."""
        r, t = world_from_object[:3, :3], world_from_object[:3, 3]
        wanted = ("depth", "color", "face_id", "barycentric")
        around = self.tin.mesh.vertices @ r.T + t
        mask, image = self._render(self._tin, world_from_object, around, wanted)
        weights, face = image["barycentric"].astype(np.float64), image["face_id"]
        points = np.einsum("nk,nkc->nc", weights, self.tin.mesh.vertices[self.tin.mesh.faces[face]])
        normals = np.einsum("nk,nkc->nc", weights, self.tin.corner_normals[face])
        normals /= np.linalg.norm(normals, axis=1, keepdims=True)
        points, normals = points @ r.T + t, normals @ r.T
        light = lit(self._lights, maps, points, normals)
        color = (_linear(image["color"]) + 0.06 * self._sheen(points, normals)[:, None]) * light
        return _Layer(mask, image["depth"], color.astype(np.float32), 1)

    def _sheen(self, points: Array, normals: Array) -> Array:
        """Soft highlight (N,) of the key light (Blinn 1977)."""
        view = self._eye - points
        view /= np.linalg.norm(view, axis=1, keepdims=True)
        half = view + self._lights.directions[0]
        half /= np.linalg.norm(half, axis=1, keepdims=True)
        out: Array = np.clip(np.sum(normals * half, 1), 0, 1) ** 18
        return out

    def _render(
        self, rasterizer: Rasterizer, world_from_object: Array, around: Array, attributes: tuple[str, ...]
    ) -> tuple[NDArray[np.bool_], dict[str, Any]]:
        """The mask (2H, 2W) of a solid, and what was asked for at the masked pixels, row by row.

        Only the rectangle that the world points ``around`` (its vertices) project to is rendered.
        """
        big, pose = self._big, self.camera_from_world @ world_from_object
        p = around @ self.camera_from_world[:3, :3].T + self.camera_from_world[:3, 3]
        mask = np.zeros((big.height, big.width), np.bool_)
        pixels = big.project(p[p[:, 2] > 0.05])
        x0, y0 = np.clip(np.floor(pixels.min(0)).astype(int) - 1, 0, [big.width - 1, big.height - 1])
        x1, y1 = np.clip(np.ceil(pixels.max(0)).astype(int) + 2, [x0 + 1, y0 + 1], [big.width, big.height])
        k = big.K - np.array([[0, 0, x0], [0, 0, y0], [0, 0, 0]])
        seen = rasterizer.render(pose, k, int(x1 - x0), int(y1 - y0), attributes=attributes)
        mask[y0:y1, x0:x1] = seen.mask[0]
        return mask, {name: getattr(seen, name)[0][seen.mask[0]] for name in attributes}

    def _compose(self, layers: list[_Layer], table: FloatImage) -> Picture:
        k, size = _OVERSAMPLING, (self.camera.width, self.camera.height)
        color = resize_picture(table, (size[0] * k, size[1] * k), Way.LINEAR)
        depth = np.full(color.shape[:2], np.inf, np.float32)
        labels = np.full(color.shape[:2], BACKGROUND, np.uint8)
        for layer in layers:
            nearer = layer.depth < depth[layer.mask]
            where = layer.mask.copy()
            where[layer.mask] = nearer
            color[where] = layer.color[nearer]
            depth[where] = layer.depth[nearer]
            labels[where] = layer.label
        small = _encode(resize_picture(color, size, Way.AREA))
        whole = resize_picture(layers[-1].mask.astype(np.float32), size, Way.AREA) > 0.5
        nearest = np.minimum.reduce([depth[i::k, j::k] for i in range(k) for j in range(k)])
        nearest = np.where(np.isinf(nearest), self._table_depth, nearest)
        return Picture(np.round(255 * small).astype(np.uint8), _majority(labels, k), whole, nearest)


@dataclass(frozen=True)
class _Layer:
    """A drawn solid: mask (2H, 2W); depth (N,) and linear colours (N, 3) of the masked pixels; label."""

    mask: NDArray[np.bool_]
    depth: FloatImage
    color: FloatImage
    label: int


def table_points(camera: Camera, camera_from_world: Array) -> Array:
    """(H, W, 3) world points of the table (z = 0) seen by each pixel."""
    v, u = np.mgrid[0 : camera.height, 0 : camera.width].astype(np.float64)
    rays = camera.unproject(np.stack([u, v], -1), np.ones_like(u))
    world_from_camera = inverse(camera_from_world)
    direction = rays @ world_from_camera[:3, :3].T
    eye = world_from_camera[:3, 3]
    out: Array = eye - direction * (eye[2] / direction[..., 2:])
    return out


def wood(points: Array) -> Array:
    """Colour (H, W, 3) in 0..1 of a table of grey-brown boards at table points (H, W, 3)."""
    x, y = points[..., 0], points[..., 1]
    board = np.floor((y + 0.043) / 0.115)
    shift = np.modf(np.abs(np.sin(board * 12.9898) * 43758.5453))[0]
    along, across = x + shift * 3.0, y + 0.006 * np.sin(5.0 * x + 9 * shift)
    ring = across * 190 + 2.2 * np.sin(along * 6.3 + shift * 7) + 0.9 * np.sin(along * 17 + across * 40)
    grain = 0.5 + 0.5 * np.sin(ring + 0.8 * np.sin(2.3 * ring))
    fine = np.sin(across * 1900 + 3 * np.sin(along * 25)) * np.sin(along * 60 + across * 300)
    base = np.array([0.585, 0.535, 0.480]) * (0.955 + 0.09 * shift[..., None])
    color = base * (1.0 - 0.07 * grain[..., None] * np.array([0.85, 1.0, 1.15]) + 0.012 * fine[..., None])
    gap = np.abs(np.modf(np.abs((y + 0.043) / 0.115))[0] - 0.5) > 0.492
    out: Array = np.where(gap[..., None], color * 0.7, color)
    return out


def _sleeve_share(model: HandModel) -> Array:
    """(V,) 1 on the sleeve, 0 on skin, with a soft hem: the mesh is too coarse for a sharp one."""
    start = _SLEEVE_START * model.scale
    out: Array = np.clip((start - model.rest_vertices[:, 0]) / 0.003, 0, 1)
    return out


def _dressed(model: HandModel, vertices: Array) -> Array:
    """Vertices (V, 3) with those of the forearm a few millimetres out: the cloth of a sleeve, with folds."""
    rest = model.rest_vertices / model.scale
    folds = 1.0 + 0.25 * np.sin(rest[:, 0] * 160 + 2.0 * np.sin(rest[:, 1] * 60))
    thickness = 0.0065 * _sleeve_share(model) * folds
    out: Array = vertices + thickness[:, None] * vertex_normals(vertices, model.faces)
    return out


def _majority(labels: NDArray[np.uint8], k: int) -> NDArray[np.uint8]:
    """Each pixel's most frequent label among its k x k samples; in a tie the object, then the hand, wins."""
    samples = [labels[i::k, j::k] for i in range(k) for j in range(k)]
    hand = np.add.reduce([(s == OCCLUDER).view(np.uint8) for s in samples])
    thing = np.add.reduce([(s == 1).view(np.uint8) for s in samples])
    rest = k * k - hand - thing
    out = np.where((thing >= hand) & (thing >= rest), 1, np.where(hand >= rest, OCCLUDER, BACKGROUND))
    return out.astype(np.uint8)


def _linear(color: NDArray[np.floating]) -> FloatImage:
    out: FloatImage = np.clip(color, 0, 1).astype(np.float32) ** np.float32(2.2)
    return out


def _encode(color: NDArray[np.floating]) -> FloatImage:
    out: FloatImage = np.clip(color, 0, 1).astype(np.float32) ** np.float32(1 / 2.2)
    return out
