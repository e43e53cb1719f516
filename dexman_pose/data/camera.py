"""The pinhole camera: OpenCV axes (+x right, +y down, +z forward), pixel (0, 0) the centre of the top-left pixel."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dexman_pose.arrays import Array
from dexman_pose.data import _check
from dexman_pose.data.numbers import count, described, number, plain
from dexman_pose.errors import InputError

CameraSource = Literal["given", "estimated", "assumed"]


@dataclass(frozen=True)
class Camera:
    """Intrinsics of one camera.

    Attributes:
        K: (3, 3) matrix [[fx, 0, cx], [0, fy, cy], [0, 0, 1]] in pixels.
        width: image width in pixels.
        height: image height in pixels.
        distortion: OpenCV coefficients (k1, k2, p1, p2[, k3[, ...]]) or None for an ideal pinhole.
        source: where the intrinsics come from: ``given`` by the user, ``estimated`` from the clip, or ``assumed``
            (a typical field of view, nothing measured).

    Raises:
        InputError: K has the wrong shape, focal lengths or sizes are not positive, a value is not finite.
    """

    K: Array
    width: int
    height: int
    distortion: Array | None = None
    source: CameraSource = field(default="given")

    if TYPE_CHECKING:  # lists, tuples and tensors become arrays

        def __init__(
            self,
            K: ArrayLike,
            width: int,
            height: int,
            distortion: ArrayLike | None = None,
            source: CameraSource = "given",
        ) -> None: ...

    def __post_init__(self) -> None:
        k = _check.array(self.K, "Camera.K", (3, 3))
        if k[0, 0] <= 0 or k[1, 1] <= 0 or not np.allclose(k[2], [0, 0, 1]):
            raise InputError(
                "Camera.K must be [[fx, 0, cx], [0, fy, cy], [0, 0, 1]] with positive focal lengths in pixels, "
                f"but got {k.tolist()}"
            )
        width, height = count(self.width, "Camera.width"), count(self.height, "Camera.height")
        if width <= 0 or height <= 0:
            raise InputError(f"Camera size must be positive pixels, but got width={width}, height={height}")
        if not isinstance(self.source, str) or self.source not in ("given", "estimated", "assumed"):
            raise InputError(
                f"Camera.source must be 'given', 'estimated' or 'assumed', but got {described(self.source)}"
            )
        object.__setattr__(self, "K", k)
        object.__setattr__(self, "width", width)
        object.__setattr__(self, "height", height)
        if self.distortion is not None:
            d = _check.array(
                np.atleast_1d(plain(self.distortion, "Camera.distortion")), "Camera.distortion", (None,)
            )
            object.__setattr__(self, "distortion", d if np.any(d) else None)

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

    def project(self, points: ArrayLike) -> Array:
        """Pixels (..., 2) of camera-frame points (..., 3) in metres, without distortion; z must be positive."""
        p = np.asarray(points, dtype=np.float64)
        xy = p[..., :2] / p[..., 2:3]
        return xy * np.array([self.fx, self.fy]) + np.array([self.cx, self.cy])

    def unproject(self, pixels: ArrayLike, depth: ArrayLike) -> Array:
        """Camera-frame points (..., 3) in metres of pixels (..., 2) at depth z (...,) in metres."""
        uv = np.asarray(pixels, dtype=np.float64)
        z = np.asarray(depth, dtype=np.float64)
        xy = (uv - np.array([self.cx, self.cy])) / np.array([self.fx, self.fy])
        return np.concatenate([xy * z[..., None], z[..., None]], -1)

    def cropped(
        self, x0: float, y0: float, width: int, height: int, scale: float | NDArray[np.float64] = 1.0
    ) -> Camera:
        """The camera of a crop whose first pixel centre is (x0, y0), resized by ``scale`` (output / input pixels).

        ``width`` and ``height`` are those of the resized crop; ``scale`` is one factor, or (2,) along x and y. Pixel
        (u, v) maps to ((u - x0 + 0.5) * scale - 0.5, ...): area-preserving resizing, as image libraries do it.
        """
        sx, sy = np.broadcast_to(scale, 2)
        k = self.K.copy()
        k[0] *= sx
        k[1] *= sy
        k[0, 2] = (self.cx - x0 + 0.5) * sx - 0.5
        k[1, 2] = (self.cy - y0 + 0.5) * sy - 0.5
        return replace(self, K=k, width=width, height=height)
