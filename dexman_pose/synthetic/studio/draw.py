"""Pictures of objects and hands before a backdrop: shaded, shadowed, antialiased, with exact labels and depth.

Colours are mixed in linear light and stored with a gamma of 2.2.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dexman_pose.arrays import Array
from dexman_pose.data import Camera, Mesh
from dexman_pose.data.masks import BACKGROUND, OCCLUDER
from dexman_pose.geometry.se3 import inverse
from dexman_pose.imaging.resize import Way, resize_picture
from dexman_pose.render import Rasterizer
from dexman_pose.synthetic.studio.backdrop import Backdrop
from dexman_pose.synthetic.studio.colors import FloatImage, encoded, linear
from dexman_pose.synthetic.studio.hands import Drawn
from dexman_pose.synthetic.studio.light import Ground, Lights, lit, shadow_maps

_OVERSAMPLING = 2
_SKIN_WRAP, _SHEEN, _GLOSS, _SHARPNESS = 0.22, 0.05, 0.06, 18
_GLOW = (0.022, 0.006, 0.004)
_NEAR = 0.05
_TURNED_AWAY = -0.2


@dataclass(frozen=True)
class Solid:
    """A rigid object as it is drawn.

    Attributes:
        mesh: metres, with colours.
        corner_normals: (F, 3, 3) unit normals at the corners of each face, object frame.
    """

    mesh: Mesh
    corner_normals: Array


@dataclass(frozen=True)
class Moment:
    """Where everything is at one time: world_from_object (4, 4) of every solid, and the hands."""

    places: Sequence[Array]
    hands: Sequence[Drawn]


@dataclass(frozen=True)
class Picture:
    """One rendered frame.

    Attributes:
        light: (H, W, 3) float32 linear light.
        labels: (H, W) uint8: 0 background, 1, 2, ... the objects, 255 a hand.
        hand_ids: (H, W) uint8: 0 no hand, 1, 2, ... the hands in their order, arm and sleeve included.
        outlines: (N, H, W) bool, each object's whole outline, hidden parts too.
        depth: (H, W) float32 metres of what is seen, backdrop included.
    """

    light: FloatImage
    labels: NDArray[np.uint8]
    hand_ids: NDArray[np.uint8]
    outlines: NDArray[np.bool_]
    depth: NDArray[np.float32]

    @property
    def image(self) -> NDArray[np.uint8]:
        """(H, W, 3) RGB."""
        return np.round(255 * encoded(self.light)).astype(np.uint8)

    @property
    def object_pixels(self) -> NDArray[np.bool_]:
        """(H, W) the first object's whole outline."""
        return self.outlines[0]


class Studio:
    """Camera, lights and backdrop; draws frames.

    Args:
        camera: of the finished pictures.
        camera_from_world: (4, 4), world +z up, table at z = 0.
        solids: the objects; they get the labels 1, 2, ...
        backdrop: what stands behind them.
        lights: of the scene.
    """

    def __init__(
        self,
        camera: Camera,
        camera_from_world: Array,
        solids: Sequence[Solid],
        backdrop: Backdrop,
        lights: Lights,
    ) -> None:
        self.camera, self.camera_from_world, self.solids = camera, camera_from_world, list(solids)
        k = _OVERSAMPLING
        self._big = camera.cropped(0, 0, camera.width * k, camera.height * k, k)
        self._eye = inverse(camera_from_world)[:3, 3]
        self._lights, self._backdrop = lights, backdrop
        self._ground = Ground(lights, backdrop.points)
        self._rasterizers = [Rasterizer(solid.mesh) for solid in solids]

    def draw(self, places: Sequence[Array], hands: Sequence[Drawn]) -> Picture:
        """One frame without noise and without blur."""
        return self.expose([Moment(places, hands)])

    def expose(self, moments: Sequence[Moment]) -> Picture:
        """One frame without noise: the mean light of some moments; all else is that of the middle one.

        Shadows are those of the middle moment.
        """
        middle = moments[len(moments) // 2]
        solids = list(zip(self._rasterizers, middle.places))
        maps = shadow_maps(
            self._lights,
            [
                *solids,
                *((Rasterizer(h.shadow, both_sides=h.both_sides), np.eye(4)) for h in middle.hands),
            ],
        )
        ground = self._backdrop.albedo * self._ground.irradiance(maps)
        still: dict[tuple[int, bytes], _Layer] = {}
        layers = [self._layers(moment, maps, still) for moment in moments]
        picture = self._compose(layers[len(moments) // 2], len(middle.places), ground)
        others = [self._light(drawn, ground) for k, drawn in enumerate(layers) if k != len(moments) // 2]
        total = np.add.reduce([picture.light, *others])
        return replace(picture, light=(total / np.float32(len(moments))).astype(np.float32))

    def _layers(
        self, moment: Moment, maps: FloatImage, still: dict[tuple[int, bytes], _Layer]
    ) -> list[_Layer]:
        """What a moment shows; ``still`` keeps objects that are drawn for several moments."""
        out = [self._draw_hand(hand, maps, k + 1) for k, hand in enumerate(moment.hands)]
        for k, place in enumerate(moment.places):
            key = (k, np.asarray(place).tobytes())
            if key not in still:
                still[key] = self._draw_solid(k, place, maps)
            out.append(still[key])
        return out

    def _light(self, layers: list[_Layer], ground: FloatImage) -> FloatImage:
        """(H, W, 3) linear light of a moment, without labels."""
        k, size = _OVERSAMPLING, (self.camera.width, self.camera.height)
        color = resize_picture(ground, (size[0] * k, size[1] * k), Way.LINEAR)
        depth = np.full(color.shape[:2], np.inf, np.float32)
        for layer in layers:
            nearer = layer.depth < depth[layer.mask]
            where = layer.mask.copy()
            where[layer.mask] = nearer
            color[where], depth[where] = layer.color[nearer], layer.depth[nearer]
        out: FloatImage = resize_picture(color, size, Way.AREA)
        return out

    def _draw_hand(self, hand: Drawn, maps: FloatImage, number: int) -> _Layer:
        """A hand lit per vertex: its mesh is finer than the picture."""
        vertices, normals = hand.vertices, hand.normals
        seen = np.flatnonzero(np.sum(normals * (self._eye - vertices), 1) > _TURNED_AWAY)
        cloth, albedo = hand.cloth()[seen, None], hand.albedo()[seen]
        light = lit(self._lights, maps, vertices[seen], normals[seen], wrap=_SKIN_WRAP)
        shine = self._sheen(vertices[seen], normals[seen])[:, None] * (1 - cloth) * _SHEEN
        # Light that has been under the skin comes out red: it fills the shadow's edge.
        glow = (1 - cloth) * np.array(_GLOW)
        colors = np.zeros((len(vertices), 3), np.uint8)
        colors[seen] = np.round(255 * encoded((albedo + shine) * light + glow))
        mesh = Mesh(vertices, hand.faces, vertex_colors=colors)
        solid = Rasterizer(mesh, both_sides=hand.both_sides)
        mask, image = self._render(solid, np.eye(4), vertices, ("depth", "color"))
        return _Layer(mask, image["depth"], linear(image["color"]), OCCLUDER, number)

    def _draw_solid(self, index: int, world_from_object: Array, maps: FloatImage) -> _Layer:
        """An object lit per pixel, with smooth normals on its rounded sides."""
        solid, rasterizer = self.solids[index], self._rasterizers[index]
        r, t = world_from_object[:3, :3], world_from_object[:3, 3]
        wanted = ("depth", "color", "face_id", "barycentric")
        around = solid.mesh.vertices @ r.T + t
        mask, image = self._render(rasterizer, world_from_object, around, wanted)
        weights, face = image["barycentric"].astype(np.float64), image["face_id"]
        points = np.einsum("nk,nkc->nc", weights, solid.mesh.vertices[solid.mesh.faces[face]])
        normals = np.einsum("nk,nkc->nc", weights, solid.corner_normals[face])
        normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-12)
        points, normals = points @ r.T + t, normals @ r.T
        light = lit(self._lights, maps, points, normals)
        color = (linear(image["color"]) + _GLOSS * self._sheen(points, normals)[:, None]) * light
        return _Layer(mask, image["depth"], color.astype(np.float32), index + 1, 0)

    def _sheen(self, points: Array, normals: Array) -> Array:
        """Soft highlight (N,) of the key light (Blinn 1977)."""
        view = self._eye - points
        view /= np.linalg.norm(view, axis=1, keepdims=True)
        half = view + self._lights.directions[0]
        half /= np.linalg.norm(half, axis=1, keepdims=True)
        out: Array = np.clip(np.sum(normals * half, 1), 0, 1) ** _SHARPNESS
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
        pixels = big.project(p[p[:, 2] > _NEAR]) if (p[:, 2] > _NEAR).any() else np.zeros((1, 2))
        x0, y0 = np.clip(np.floor(pixels.min(0)).astype(int) - 1, 0, [big.width - 1, big.height - 1])
        x1, y1 = np.clip(np.ceil(pixels.max(0)).astype(int) + 2, [x0 + 1, y0 + 1], [big.width, big.height])
        k = big.K - np.array([[0, 0, x0], [0, 0, y0], [0, 0, 0]])
        seen = rasterizer.render(pose, k, int(x1 - x0), int(y1 - y0), attributes=attributes)
        mask[y0:y1, x0:x1] = seen.mask[0]
        return mask, {name: getattr(seen, name)[0][seen.mask[0]] for name in attributes}

    def _compose(self, layers: list[_Layer], objects: int, ground: FloatImage) -> Picture:
        k, size = _OVERSAMPLING, (self.camera.width, self.camera.height)
        color = resize_picture(ground, (size[0] * k, size[1] * k), Way.LINEAR)
        depth = np.full(color.shape[:2], np.inf, np.float32)
        labels = np.full(color.shape[:2], BACKGROUND, np.uint8)
        hands = np.zeros(color.shape[:2], np.uint8)
        outlines = np.zeros((objects, size[1], size[0]), np.bool_)
        for layer in layers:
            nearer = layer.depth < depth[layer.mask]
            where = layer.mask.copy()
            where[layer.mask] = nearer
            color[where] = layer.color[nearer]
            depth[where] = layer.depth[nearer]
            labels[where], hands[where] = layer.label, layer.hand
            if layer.label != OCCLUDER:
                whole = resize_picture(layer.mask.astype(np.float32), size, Way.AREA)
                outlines[layer.label - 1] = whole > 0.5
        nearest = np.minimum.reduce([depth[i::k, j::k] for i in range(k) for j in range(k)])
        nearest = np.where(np.isinf(nearest), self._backdrop.depth, nearest)
        light: FloatImage = resize_picture(color, size, Way.AREA)
        order = [*range(1, objects + 1), OCCLUDER]
        most = majority(labels, k, order)
        owner = majority(hands, k, range(1, int(hands.max()) + 1))
        return Picture(light, most, np.where(most == OCCLUDER, owner, 0).astype(np.uint8), outlines, nearest)


@dataclass(frozen=True)
class _Layer:
    """A drawn solid: mask (2H, 2W); depth (N,) and linear colours (N, 3) of the masked pixels; label, hand."""

    mask: NDArray[np.bool_]
    depth: FloatImage
    color: FloatImage
    label: int
    hand: int


def majority(labels: NDArray[np.uint8], k: int, order: Sequence[int]) -> NDArray[np.uint8]:
    """Each pixel's most frequent label among its k x k samples; in a tie the first of ``order``, 0 last."""
    samples = [labels[i::k, j::k] for i in range(k) for j in range(k)]
    out = np.zeros(samples[0].shape, np.uint8)
    most = np.add.reduce([(s == 0).view(np.uint8) for s in samples])
    for label in reversed(order):
        count = np.add.reduce([(s == label).view(np.uint8) for s in samples])
        wins = (count >= most) & (count > 0)
        out[wins], most[wins] = label, count[wins]
    return out
