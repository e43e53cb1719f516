"""The camera: OpenCV axes (+x right, +y down, +z forward), pixel (0, 0) the centre of the top-left pixel."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dexman_pose.arrays import Array
from dexman_pose.data import _check
from dexman_pose.data.lenses.models import Lens
from dexman_pose.data.lenses.opencv import opencv_coefficients
from dexman_pose.data.numbers import count, described, number, plain
from dexman_pose.errors import InputError

_FRACTION, _TINY = 10.0, 16
"""Focal lengths up to this beside a principal point within (1, 1) are no pixels of a picture larger than this."""

CameraSource = Literal["given", "estimated", "assumed"]

_ROW_TOLERANCE = 1e-5
"""By which the last row of K may differ from 0, 0, 1."""


@dataclass(frozen=True)
class Camera:
    """Intrinsics of one camera.

    Attributes:
        K: (3, 3) matrix [[fx, skew, cx], [0, fy, cy], [0, 0, 1]] in pixels.
        width: image width in pixels.
        height: image height in pixels.
        distortion: OpenCV's coefficients (k1, k2, p1, p2[, k3[, k4, k5, k6[, s1, s2, s3, s4[, tx, ty]]]]), or None for
            an ideal pinhole. Of a lens of another model they are the nearest ones (:meth:`with_lens`).
        source: where the intrinsics come from: ``given`` by the user, ``estimated`` from the clip, or ``assumed``
            (a typical field of view, nothing measured).
        lens: what :meth:`project` and the engine work with: the lens exactly. Follows from ``distortion`` where that is
            all that was given; None for an ideal pinhole.

    Raises:
        InputError: K has the wrong shape, focal lengths or sizes are not positive, a value is not finite, or another
            number of coefficients than OpenCV has.
    """

    K: Array
    width: int
    height: int
    distortion: Array | None = None
    source: CameraSource = field(default="given")
    lens: Lens | None = field(default=None)

    if TYPE_CHECKING:  # lists, tuples and tensors become arrays

        def __init__(
            self,
            K: ArrayLike,
            width: int,
            height: int,
            distortion: ArrayLike | None = None,
            source: CameraSource = "given",
            lens: Lens | None = None,
        ) -> None: ...

    def __post_init__(self) -> None:
        k = _check.array(self.K, "Camera.K", (3, 3))
        (fx, _, _), (shear, fy, _), last = (
            k.tolist()
        )  # plain numbers: one is made for every crop of every frame
        if (
            fx <= 0
            or fy <= 0
            or shear != 0
            or max(abs(last[0]), abs(last[1]), abs(last[2] - 1.0)) > _ROW_TOLERANCE
        ):
            turned = np.allclose(k[:2, 2], 0) and np.any(k[2, :2] != 0)
            raise InputError(
                "Camera.K must be [[fx, 0, cx], [0, fy, cy], [0, 0, 1]] with positive focal lengths in pixels, "
                f"but got {k.tolist()}" + (": it is transposed, give K.T" if turned else "")
            )
        width, height = count(self.width, "Camera.width"), count(self.height, "Camera.height")
        if width <= 0 or height <= 0:
            raise InputError(f"Camera size must be positive pixels, but got width={width}, height={height}")
        if not isinstance(self.source, str) or self.source not in ("given", "estimated", "assumed"):
            raise InputError(
                f"Camera.source must be 'given', 'estimated' or 'assumed', but got {described(self.source)}"
            )
        if min(width, height) > _TINY and k[:2].max() <= _FRACTION and 0 < k[:2, 2].max() <= 1:
            raise InputError(
                f"Camera.K is divided by the image size ({k.tolist()}); give it in pixels: fx and cx times the width, "
                "fy and cy times the height"
            )
        _check.settle(self, K=k, width=width, height=height)
        self._settle_lens()

    def _settle_lens(self) -> None:
        """Make ``distortion`` and ``lens`` speak of the same lens, both None for a pinhole."""
        if self.distortion is None:
            if self.lens is not None:
                raise InputError(
                    "a Camera has a lens and no distortion: make it with Camera.with_lens, and remove a lens with "
                    "camera.without_lens()"
                )
            return
        given = np.atleast_1d(plain(self.distortion, "Camera.distortion"))
        if given.ndim == 2 and 1 in given.shape:
            given = given.ravel()  # as OpenCV's calibration hands them out
        distortion = _check.array(given, "Camera.distortion", (None,))
        lens = self.lens
        if lens is None or lens.model == "brown-conrady":
            try:
                lens = Lens("brown-conrady", distortion)
            except InputError as error:
                raise InputError(
                    f"Camera.distortion: {error}; OpenCV's order is k1, k2, p1, p2, k3, ..."
                ) from error
        straight = lens.is_straight
        _check.settle(self, distortion=None if straight else distortion, lens=None if straight else lens)

    @classmethod
    def with_lens(
        cls, K: ArrayLike, width: int, height: int, lens: Lens | None, source: CameraSource = "given"
    ) -> Camera:
        """A camera with a lens of any model, such as ``Lens("fisheye", [k1, k2, k3, k4])``; None for a pinhole."""
        camera = cls(np.asarray(K, dtype=np.float64), width, height, source=source)
        if lens is None or lens.is_straight:
            return camera
        middle = np.array([[-0.5, camera.width - 0.5], [-0.5, camera.height - 0.5]]) - camera.K[:2, 2:]
        extent = float(np.hypot(*(np.abs(middle).max(1) / [camera.fx, camera.fy])))
        return replace(camera, distortion=opencv_coefficients(lens, extent), lens=lens)

    def __repr__(self) -> str:
        lens = "" if self.distortion is None else ", with distortion"
        focal = f"fx {self.fx:.5g}, fy {self.fy:.5g}, cx {self.cx:.5g}, cy {self.cy:.5g}"
        return f"Camera({self.width}x{self.height}, {focal}, {self.source}{lens})"

    @classmethod
    def from_focal(cls, focal: float, width: int, height: int, source: CameraSource = "given") -> Camera:
        """A camera with square pixels and the principal point in the image centre."""
        focal = number(focal, "focal", above=0.0)
        width, height = count(width, "width", least=1), count(height, "height", least=1)
        k = [[focal, 0.0, (width - 1) / 2.0], [0.0, focal, (height - 1) / 2.0], [0.0, 0.0, 1.0]]
        return cls(np.array(k), width, height, source=source)

    @property
    def fx(self) -> float:
        """Focal length along x in pixels."""
        return float(self.K[0, 0])

    @property
    def fy(self) -> float:
        """Focal length along y in pixels."""
        return float(self.K[1, 1])

    @property
    def cx(self) -> float:
        """Principal point, x, in pixels."""
        return float(self.K[0, 2])

    @property
    def cy(self) -> float:
        """Principal point, y, in pixels."""
        return float(self.K[1, 2])

    @property
    def is_pinhole(self) -> bool:
        """Whether the camera is an ideal pinhole with right-angled pixels: what the engine works with."""
        return self.lens is None and self.K[0, 1] == 0.0

    def without_lens(self) -> Camera:
        """The camera with the same K and no distortion: of pictures that were undistorted to this K."""
        return self if self.lens is None else replace(self, distortion=None, lens=None)

    def require_pinhole(self, what: str) -> None:
        """Raise :class:`InputError` unless :attr:`is_pinhole`; ``what`` is the function that needs it."""
        if not self.is_pinhole:
            skew = f"skew {self.K[0, 1]:g}"
            lens = skew if self.lens is None else f"a {self.lens.model} lens"
            raise InputError(
                f"{what} works on pictures of an ideal pinhole, but this camera has {lens}: undistort pictures, masks "
                "and depth first with dexman_pose.imaging.undistort.undistortion_of(camera), or call reconstruct, "
                "estimate_pose, refine_pose or track, which do"
            )

    def project(self, points: ArrayLike) -> Array:
        """Pixels (..., 2) at which camera-frame points (..., 3) in metres are seen; z must be positive.

        Skew and lens are those of the camera. NaN where a lens model does not reach.
        """
        p = np.asarray(points, dtype=np.float64)
        xy = p[..., :2] / p[..., 2:3]
        if self.lens is not None:
            xy = self.lens.distort(xy)
        pixels: Array = xy * np.array([self.fx, self.fy]) + np.array([self.cx, self.cy])
        if self.K[0, 1] != 0.0:
            pixels[..., 0] += self.K[0, 1] * xy[..., 1]
        return pixels

    def project_finite(self, points: ArrayLike) -> Array:
        """Pixels as :meth:`project`; of points beyond the reach of the lens those of the pinhole, never NaN."""
        pixels = self.project(points)
        if self.lens is None:
            return pixels
        return np.where(np.isfinite(pixels), pixels, self.without_lens().project(points))

    def unproject(self, pixels: ArrayLike, depth: ArrayLike) -> Array:
        """Camera-frame points (..., 3) in metres seen at pixels (..., 2) with depth z (...,) in metres.

        The inverse of :meth:`project`. NaN where the lens shows nothing.
        """
        uv = np.asarray(pixels, dtype=np.float64)
        z = np.asarray(depth, dtype=np.float64)
        xy = (uv - np.array([self.cx, self.cy])) / np.array([self.fx, self.fy])
        if self.K[0, 1] != 0.0:
            xy = xy - np.stack([self.K[0, 1] / self.fx * xy[..., 1], np.zeros_like(xy[..., 1])], -1)
        if self.lens is not None:
            xy = self.lens.undistort(xy)
        return np.concatenate([xy * z[..., None], z[..., None]], -1)

    def cropped(
        self, x0: float, y0: float, width: int, height: int, scale: float | NDArray[np.float64] = 1.0
    ) -> Camera:
        """The camera of a crop whose first pixel centre is (x0, y0), resized by ``scale`` (output / input pixels).

        ``width`` and ``height`` are those of the resized crop; ``scale`` is one factor, or (2,) along x and y. Pixel
        (u, v) maps to ((u - x0 + 0.5) * scale - 0.5, ...): area-preserving resizing, as image libraries do it.
        """
        sx, sy = (scale, scale) if isinstance(scale, float) else np.broadcast_to(scale, 2)
        k = self.K.copy()
        k[0] *= sx
        k[1] *= sy
        k[0, 2] = (self.cx - x0 + 0.5) * sx - 0.5
        k[1, 2] = (self.cy - y0 + 0.5) * sy - 0.5
        return self.derived(k, width, height)

    def derived(self, K: Array, width: int, height: int) -> Camera:
        """The camera of pictures cut out of this one's or resized. One is made for every crop of every frame, so that
        nothing is checked again: ``K`` (3, 3) and the size must follow from this camera's."""
        out = object.__new__(Camera)
        _check.settle(
            out,
            K=K,
            width=width,
            height=height,
            distortion=self.distortion,
            source=self.source,
            lens=self.lens,
        )
        return out
