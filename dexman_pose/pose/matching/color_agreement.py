"""Whether a picture shows a mesh's colours where a pose puts them, whatever light falls on them."""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from dexman_pose.arrays import Array, Mask
from dexman_pose.data import BACKGROUND
from dexman_pose.pose.matching.options import FINE_TEXTURE
from dexman_pose.pose.matching.texture import render_crop
from dexman_pose.pose.observation.view import ObjectView
from dexman_pose.render import Rasterizer

Image = NDArray[np.float32]


@dataclass(frozen=True)
class ColorOptions:
    """How rendering and picture are compared.

    Attributes:
        side: longest side in pixels of the crop; larger ones are reduced.
        window: side of the neighbourhood over which light is taken to be even, as a share of the object's size in the
            crop (the square root of its area). A fifth holds letters and still one face of a box.
        smallest: pixels of the smallest neighbourhood.
        blur: pixels of the blur, sigma, that both get first: a pose right to a pixel must not count as wrong.
        noise: grey levels of spread that a camera's noise and shading make: plain surfaces say nothing.
        least: pixels that must be seen.
    """

    side: int = 160
    window: float = 0.2
    smallest: int = 9
    blur: float = 1.0
    noise: float = 6.0
    least: int = 60

    def neighbourhood(self, count: int) -> int:
        """Pixels of a side of the neighbourhoods of an object that covers so many pixels; odd."""
        return max(int(self.window * np.sqrt(count)) | 1, self.smallest)


@dataclass(frozen=True)
class ColorAgreement:
    """How well colours agree over the area that a pose covers.

    Attributes:
        value: correlation of colours in their neighbourhoods, weighted by contrast, in [-1, 1].
        contrast: grey levels of local contrast of the rendering, root mean square: how much there is to agree on.
        seen: share of the object's pixels in the picture that no other label covers, in [0, 1].
    """

    value: float
    contrast: float
    seen: float


_DEFAULT = ColorOptions()


def color_agreement(
    rasterizer: Rasterizer,
    camera_from_object: Array,
    look: ObjectView,
    options: ColorOptions = _DEFAULT,
) -> ColorAgreement:
    """Compare a mesh, rendered in its own colours, with the picture over all of its own area.

    The mask is not asked: only pixels of other labels are left out. Every neighbourhood is centred on its own mean in
    each channel and compared by direction, so that neither brightness nor the colour of the light counts.

    Args:
        rasterizer: of the coloured mesh.
        camera_from_object: (4, 4) pose.
        look: the object in the picture.
        options: neighbourhoods and noise.
    """
    crop = replace(FINE_TEXTURE, side=options.side)
    view = render_crop(rasterizer, camera_from_object, look, None, crop)
    if view is None:
        return ColorAgreement(0.0, 0.0, 0.0)
    area = view.drawn & ((view.labels == look.label) | (view.labels == BACKGROUND))
    count = int(np.count_nonzero(area))
    if count < options.least:
        return ColorAgreement(0.0, 0.0, 0.0)
    seen = count / int(np.count_nonzero(view.drawn))
    window = options.neighbourhood(count)
    value, contrast = _compared(view.color, view.picture, area, window, options)
    return ColorAgreement(value, contrast, seen)


def correlation_of(
    drawn: Image, picture: Image, area: Mask, window: int, options: ColorOptions = _DEFAULT
) -> float:
    """Correlation, in [-1, 1], of two pictures (h, w, 3), grey levels, in their neighbourhoods over an area (h, w).

    Args:
        drawn: what should be seen.
        picture: what is seen.
        area: pixels that are compared.
        window: side of a neighbourhood, odd.
        options: noise and blur.
    """
    return _compared(drawn, picture, area, window, options)[0] if area.any() else 0.0


def _compared(
    drawn: Image, picture: Image, area: Mask, window: int, options: ColorOptions
) -> tuple[float, float]:
    """Correlation, and grey levels of contrast of what was drawn, root mean square."""
    model, found = (_blurred(a, area, options.blur) for a in (drawn, picture))
    own, other, common = _local_moments(model, found, area, window)
    noise = np.float32(options.noise**2)
    # A neighbourhood counts by what contrast either shows: clutter where the mesh is plain speaks against the pose.
    weight = np.sqrt(np.maximum(own, other))
    alike = common / np.sqrt((own + noise) * (other + noise))
    total = float(weight[area].sum())
    value = float((weight * alike)[area].sum()) / total if total > 0 else 0.0
    return value, float(np.sqrt(own[area].mean()))


def contrast_of(color: Image, area: Mask, options: ColorOptions = _DEFAULT) -> float:
    """Grey levels of local contrast of a drawn mesh (h, w, 3) over its area (h, w), root mean square; 0 of too few."""
    count = int(np.count_nonzero(area))
    if count < options.least:
        return 0.0
    drawn = _blurred(color, area, options.blur)
    own, _, _ = _local_moments(drawn, drawn, area, options.neighbourhood(count))
    return float(np.sqrt(own[area].mean()))


def _blurred(image: Image, area: Mask, sigma: float) -> Image:
    """An image (h, w, 3) blurred inside an area alone."""
    weight = area.astype(np.float32)
    norm = np.maximum(cv2.GaussianBlur(weight, (0, 0), sigma), np.float32(1e-3))
    return np.asarray(
        cv2.GaussianBlur(image * weight[..., None], (0, 0), sigma) / norm[..., None], np.float32
    )


def _local_moments(model: Image, found: Image, area: Mask, window: int) -> tuple[Image, Image, Image]:
    """(h, w) variances of two images and their covariance around each pixel, mean over the channels, grey levels."""
    weight, size = area.astype(np.float32)[..., None], (window, window)
    norm = np.maximum(cv2.blur(area.astype(np.float32), size), np.float32(1e-3))

    def mean(image: Image) -> Image:
        return np.asarray(cv2.blur(image * weight, size) / norm[..., None], np.float32)

    a, b = mean(model), mean(found)
    own = np.maximum(mean(model * model) - a * a, 0.0).mean(-1)
    other = np.maximum(mean(found * found) - b * b, 0.0).mean(-1)
    return own, other, np.asarray((mean(model * found) - a * b).mean(-1), np.float32)
