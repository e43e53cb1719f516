"""How well a posed mesh explains a picture in and around a box: its colours, and the ground's beyond its outline.

Colours compared over a pose's own area alone do not tell a pose that is a little too far away: what it leaves out is
not asked. Drawn over a guess of the ground behind it, a mesh is compared on both sides of its outline.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import cv2
import numpy as np

from dexman_pose.arrays import Array, FloatImage, Mask
from dexman_pose.imaging.resize import Way, resize_picture
from dexman_pose.pose.matching.color_agreement import ColorOptions, correlation_of
from dexman_pose.pose.observation.view import ObjectView, in_front
from dexman_pose.render import Rasterizer


@dataclass(frozen=True)
class BoxedOptions:
    """How picture and drawing are compared.

    Attributes:
        margin: share of the box's longer side by which the crop is wider on every side ...
        margin_pixels: ... and pixels more.
        reach: pixels, sigma, of the neighbourhoods from which the ground inside of the box is guessed. The nearest
            ones count most, wide ones reach where these see nothing.
        finer: how many times finer than the picture the mesh is drawn, before its pixels are averaged.
        colors: neighbourhoods and noise of the comparison.
    """

    margin: float = 0.25
    margin_pixels: int = 4
    reach: tuple[float, ...] = (4.0, 8.0, 16.0, 32.0, 64.0)
    finer: int = 2
    colors: ColorOptions = field(default_factory=ColorOptions)


_DEFAULT = BoxedOptions()
_TINY = np.float32(1e-6)


class BoxedPicture:
    """A picture around the box that somebody drew around an object, and a guess of the ground behind it.

    Args:
        look: the picture; with a box.
        options: settings.
    """

    def __init__(self, look: ObjectView, options: BoxedOptions = _DEFAULT) -> None:
        assert look.asked is not None
        self.options, self._camera = options, look.camera
        height, width = look.labels.shape
        low, high = np.floor(look.asked[:2]).astype(int), np.ceil(look.asked[2:]).astype(int)
        reach = int(options.margin * (high - low).max()) + options.margin_pixels
        self._first = np.maximum(low - reach, 0)
        last = np.minimum(high + reach + 1, (width, height))
        rows, columns = (slice(a, b) for a, b in zip(self._first[::-1].tolist(), last[::-1].tolist()))
        self._picture = look.image[rows, columns].astype(np.float32)
        self._free = look.free[rows, columns]
        outside = np.ones(self._free.shape, np.bool_)
        x0, y0 = (low - self._first).tolist()
        x1, y1 = (high - self._first).tolist()
        outside[max(y0, 0) : y1 + 1, max(x0, 0) : x1 + 1] = False
        self._ground = guessed_ground(self._picture, self._free & outside, options)

    def agreement(self, rasterizer: Rasterizer, camera_from_object: Array) -> float:
        """Correlation, in [-1, 1], of the picture and the mesh drawn at a pose (4, 4) over the ground.

        Args:
            rasterizer: of the coloured mesh.
            camera_from_object: (4, 4).
        """
        mesh, pose = rasterizer.mesh, camera_from_object
        if not in_front(mesh.vertices @ pose[:3, :3].T + pose[:3, 3]):
            return 0.0
        height, width = self._free.shape
        finer = self.options.finer
        x0, y0 = self._first.tolist()
        camera = self._camera.cropped(x0, y0, finer * width, finer * height, np.full(2, float(finer)))
        seen = rasterizer.render(
            pose[None], camera.K, finer * width, finer * height, attributes=("depth", "color")
        )
        assert seen.color is not None
        drawn = seen.mask[0].astype(np.float32)[..., None]
        over = np.concatenate([seen.color[0] * np.float32(255.0) * drawn, drawn], 2)
        over = resize_picture(over, (width, height), Way.AREA)
        share = over[..., 3:]
        if not share.any():
            return 0.0
        model = np.asarray(over[..., :3] + (1 - share) * self._ground, np.float32)
        window = self.options.colors.neighbourhood(int(share.sum()))
        return correlation_of(model, self._picture, self._free, window, self.options.colors)


def guessed_ground(picture: FloatImage, known: Mask, options: BoxedOptions) -> FloatImage:
    """The ground (h, w, 3) where it is known and, from what is around, where it is not."""
    # What borders on the unknown may be mixed with it.
    weight = cv2.erode(known.astype(np.uint8), np.ones((3, 3), np.uint8)).astype(np.float32)
    if not weight.any():
        return np.full_like(picture, picture.mean((0, 1)))
    out, total = np.zeros_like(picture), np.zeros_like(weight)
    for sigma in options.reach:
        near = cv2.GaussianBlur(weight, (0, 0), sigma)
        color = cv2.GaussianBlur(picture * weight[..., None], (0, 0), sigma)
        share = near / np.float32(sigma**2)
        out += (share / np.maximum(near, _TINY))[..., None] * color
        total += share
    mean = (picture * weight[..., None]).sum((0, 1)) / weight.sum()
    # Where nothing known is in reach at all, the mean of all that is known must do.
    return np.asarray((out + _TINY * mean) / (total + _TINY)[..., None], np.float32)
