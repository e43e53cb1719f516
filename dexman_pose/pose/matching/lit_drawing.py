"""A posed mesh drawn in the light of a clip over a guess of the ground, to be compared with a picture pixel by pixel.

Correlation in neighbourhoods is free of light, but asks nothing of how bright a surface is: where a shaded side is as
dark as the ground, its outline shows no edge, and a smaller object agrees as well. Drawn in the light that falls on it,
first-order spherical harmonics, a mesh says what every pixel should be, on both sides of its outline.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

import cv2
import numpy as np

from dexman_pose.arrays import Array, FloatImage, Mask
from dexman_pose.data.camera import Camera
from dexman_pose.imaging.masks import mask_box
from dexman_pose.imaging.resize import Way, resize_picture
from dexman_pose.pose.matching.boxed_agreement import BoxedOptions, guessed_ground
from dexman_pose.pose.observation.view import ObjectView, in_front
from dexman_pose.render import Rasterizer

_LUMA_CHROMA = np.array([[0.299, 0.587, 0.114], [-0.169, -0.331, 0.5], [0.5, -0.419, -0.081]], np.float32).T
"""(3, 3) RGB to luma and two chroma, by which pictures are compressed."""


@dataclass(frozen=True)
class LitOptions:
    """How a mesh is drawn and compared.

    Attributes:
        margin: share of the drawn outline's longer side by which the window is wider on every side ...
        margin_pixels: ... and pixels more.
        around: pixels around the drawn outline that are not taken for ground, and as many again that are compared.
        finer: how many times finer than the picture the mesh is drawn, before its pixels are averaged.
        inside: pixels of the border of an object that are not asked for the light.
        blur: pixels, sigma, by which luma is blurred on both sides before it is compared ...
        chroma_blur: ... and chroma, which compressed pictures hold at half the size.
        chroma: weight of chroma against luma: fewer of its grey levels are noise.
        least: pixels of an object that must be seen.
        light_residual: grey levels at which a pixel counts half for the light.
        even: weight of even light against light from one side.
        rounds: of the fit of the light.
        ground: how the ground is guessed.
    """

    margin: float = 0.25
    margin_pixels: int = 4
    around: int = 2
    finer: int = 2
    inside: int = 2
    blur: float = 0.5
    chroma_blur: float = 1.5
    chroma: float = 1.4
    least: int = 40
    light_residual: float = 20.0
    even: float = 5e-4
    rounds: int = 6
    ground: BoxedOptions = field(default_factory=BoxedOptions)


_DEFAULT = LitOptions()


@dataclass(frozen=True)
class Drawn:
    """A mesh drawn in the pixels of a window.

    Attributes:
        shown: (h, w, 3) its lit colours times ``share``, grey levels.
        share: (h, w, 1) of each pixel that it covers.
        depth: (h, w) metres, 0 where it is not.
    """

    shown: FloatImage
    share: FloatImage
    depth: FloatImage


class LitWindow:
    """A picture around an object, and a guess of the ground behind it.

    Args:
        look: the picture.
        outline: (H, W) all that may be the object's.
        options: settings.
    """

    def __init__(self, look: ObjectView, outline: Mask, options: LitOptions = _DEFAULT) -> None:
        box = mask_box(outline)
        assert box is not None
        self.options = options
        height, width = look.labels.shape
        low, high = np.floor(box[:2]).astype(int), np.ceil(box[2:]).astype(int)
        reach = int(options.margin * (high - low).max()) + options.margin_pixels
        first, last = np.maximum(low - reach, 0), np.minimum(high + reach + 1, (width, height))
        rows, columns = (slice(a, b) for a, b in zip(first[::-1].tolist(), last[::-1].tolist()))
        self.picture = look.image[rows, columns].astype(np.float32)
        covered = cv2.dilate((~look.free[rows, columns]).astype(np.uint8), np.ones((3, 3), np.uint8))
        self.free: Mask = covered == 0
        around = np.ones((2 * options.around + 1,) * 2, np.uint8)
        inside = cv2.dilate(outline[rows, columns].astype(np.uint8), around)
        self.compared: Mask = self.free & (cv2.dilate(inside, around) > 0)
        self.ground = guessed_ground(self.picture, self.free & (inside == 0), options.ground)
        x0, y0 = first.tolist()
        self.camera: Camera = look.camera.cropped(x0, y0, *self.size)
        known = cv2.erode((self.free & (inside == 0)).astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
        off = np.abs(self.picture - self.ground).mean(-1)[known]
        self.unknown_ground = float(_SPREAD * np.median(off)) if len(off) else 0.0

    @property
    def size(self) -> tuple[int, int]:
        """Width and height, pixels."""
        return self.free.shape[1], self.free.shape[0]

    @cached_property
    def _fine(self) -> Camera:
        finer = self.options.finer
        width, height = self.size
        return self.camera.cropped(0, 0, finer * width, finer * height, np.full(2, float(finer)))

    def drawn(self, rasterizer: Rasterizer, pose: Array, light: Array) -> Drawn | None:
        """A mesh at a pose (4, 4) in a light (4,); None where it is not before the camera, or not in the window."""
        mesh = rasterizer.mesh
        if not in_front(mesh.vertices @ pose[:3, :3].T + pose[:3, 3]):
            return None
        c = self._fine
        seen = rasterizer.render(pose[None], c.K, c.width, c.height, attributes=("depth", "color", "normal"))
        assert seen.color is not None and seen.normal is not None and seen.depth is not None
        there = seen.mask[0].astype(np.float32)[..., None]
        bright = np.maximum(_basis(seen.normal[0]) @ light.astype(np.float32), np.float32(0))
        colors = seen.color[0] * (np.float32(255.0) * bright[..., None]) * there
        every = np.concatenate([colors, there, seen.depth[0][..., None] * there], 2)
        every = resize_picture(every.astype(np.float32), self.size, Way.AREA)
        share = every[..., 3:4]
        if not share.any():
            return None
        depth = every[..., 4] / np.maximum(share[..., 0], np.float32(1e-6))
        return Drawn(every[..., :3], share, depth)

    def model(self, drawn: Drawn) -> FloatImage:
        """(h, w, 3) what the picture should be."""
        return np.asarray(drawn.shown + (1 - drawn.share) * self.ground, np.float32)

    def compared_values(self, image: FloatImage, blur: float) -> FloatImage:
        """(N, 3, ...) luma and chroma of the pixels that are compared.

        Args:
            image: (h, w, 3, ...) grey levels.
            blur: pixels, sigma, of luma; chroma is blurred as much at least.
        """
        o = self.options
        values = np.moveaxis(np.tensordot(image, _LUMA_CHROMA, axes=(2, 0)), -1, 2)
        flat = values.reshape(*image.shape[:2], 3, -1)
        out = [_blurred(flat[:, :, 0], max(o.blur, blur))[self.compared]]
        for channel in (1, 2):
            soft = _blurred(flat[:, :, channel], max(o.chroma_blur, blur))
            out.append(np.float32(o.chroma) * soft[self.compared])
        return np.stack(out, 1).reshape(-1, 3, *image.shape[3:])

    def seen_for_light(self, rasterizer: Rasterizer, pose: Array) -> tuple[Array, Array] | None:
        """Colours by the parts of the light (N, 4) and what is seen (N,), grey levels, well inside of the object."""
        c, (width, height) = self.camera, self.size
        found = rasterizer.render(pose[None], c.K, width, height, attributes=("depth", "color", "normal"))
        assert found.color is not None and found.normal is not None
        both = found.mask[0] & self.free
        inner = cv2.erode(both.astype(np.uint8), np.ones((2 * self.options.inside + 1,) * 2, np.uint8)) > 0
        at = inner if np.count_nonzero(inner) >= self.options.least else both
        if np.count_nonzero(at) < self.options.least:
            return None
        parts = _basis(found.normal[0][at])
        colors = found.color[0][at] * np.float32(255.0)
        rows = parts[:, None, :] * colors[:, :, None]
        return rows.reshape(-1, parts.shape[-1]).astype(float), self.picture[at].reshape(-1).astype(float)


_SPREAD = 1.4826
"""Standard deviations in a median absolute deviation of normal noise."""


def fitted_light(
    windows: Sequence[LitWindow], rasterizer: Rasterizer, poses: Sequence[Array]
) -> tuple[Array, float] | None:
    """The light on an object in several pictures.

    Args:
        windows: of one clip, whose light stays.
        rasterizer: of the coloured mesh.
        poses: (4, 4) of each.

    Returns:
        (4,) brightness that is the same on all sides, and along the axes of the camera; and the spread of what it does
        not explain, grey levels. None where too little is seen.
    """
    told = [w.seen_for_light(rasterizer, pose) for w, pose in zip(windows, poses)]
    there = [one for one in told if one is not None]
    if not there:
        return None
    rows, seen = (np.concatenate(part) for part in zip(*there))
    o = windows[0].options
    steady = np.diag([0.0, 1.0, 1.0, 1.0]) * o.even * len(rows) * float((rows**2).mean())
    weight = np.ones(len(rows))
    light = np.zeros(rows.shape[1])
    for _ in range(o.rounds):
        weighted = rows * weight[:, None]
        light = np.linalg.solve(weighted.T @ rows + steady, weighted.T @ seen)
        weight = 1.0 / (1.0 + ((seen - rows @ light) / o.light_residual) ** 2)
    return light, float(_SPREAD * np.median(np.abs(seen - rows @ light)))


def _basis(normals: FloatImage) -> FloatImage:
    """(..., 4) spherical harmonics of the first order, up to factors, of unit normals (..., 3)."""
    return np.concatenate([np.ones_like(normals[..., :1]), normals], -1)


def _blurred(image: FloatImage, sigma: float) -> FloatImage:
    """An image (h, w, C) blurred."""
    return cv2.GaussianBlur(np.ascontiguousarray(image, np.float32), (0, 0), sigma).reshape(image.shape)
