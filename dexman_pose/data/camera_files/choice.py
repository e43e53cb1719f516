"""The camera of a clip among those of a file, and whether it can be that clip's at all."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from dexman_pose.arrays import Array
from dexman_pose.data.camera_files.found import FoundCamera, of_four
from dexman_pose.errors import InputError


@dataclass(frozen=True)
class PlausibleOptions:
    """What intrinsics of a real clip look like.

    Attributes:
        aspect: relative difference of two image shapes that counts as none.
        edge: share of the picture along each side in which no principal point lies: crops are rarely that far off.
        off_middle: how far both coordinates of the principal point lie from half the picture, as a share of it, when
            the intrinsics are those of another resolution ...
        together: ... and how much the two shares may differ then.
        focal: least and largest focal length over the longer side.
        square: largest relative difference of the two focal lengths in pixels of fractions of the image size.
        stretched: largest ratio of the two focal lengths.
        fraction: focal lengths up to this are fractions of the image size, or metres, but no pixels.
        same: difference of the cameras of one file, in pixels over the width, that is none.
    """

    aspect: float = 0.01
    edge: float = 0.05
    off_middle: float = 0.12
    together: float = 0.06
    focal: tuple[float, float] = (0.1, 100.0)
    square: float = 0.05
    stretched: float = 2.0
    fraction: float = 10.0
    same: float = 0.005


_OPTIONS = PlausibleOptions()
_COLOR = ("color", "colour", "rgb", "pv0")
_OTHER = ("depth", "infrared", "infra", "ir", "left", "right", "confidence", "gyro")


def fitting_camera(cameras: Sequence[FoundCamera], width: int, height: int) -> FoundCamera:
    """The one camera of a clip of ``width`` x ``height`` pixels, with K and size of the clip.

    Of several, colour cameras go before others, and those of the clip's size or shape before those that were cropped.
    Cameras of single frames that differ by less than :attr:`PlausibleOptions.same` are taken for one.

    Raises:
        InputError: several that differ, or none that can be the clip's.
    """
    left = _color_first(cameras)
    for fits in (_same_size, _same_shape):
        chosen = [c for c in left if fits(c, width, height)]
        if chosen:
            left = chosen
            break
    fitted = [fitted_camera(camera, width, height) for camera in left]
    return fitted[0] if len(fitted) == 1 else _middle_one(fitted, width, height)


def fitted_camera(camera: FoundCamera, width: int, height: int) -> FoundCamera:
    """A camera of another resolution, or in fractions of the image size, for a clip of this size.

    Raises:
        InputError: it is of another shape, or its values are no intrinsics of pictures of this size.
    """
    if camera.angle is not None:
        if not 0 < camera.angle < math.pi:
            raise InputError(f"an angle of view must lie between 0 and pi radians, but is {camera.angle:g}")
        focal = 0.5 * width / math.tan(camera.angle / 2)
        k = of_four(focal, focal, (width - 1) / 2, (height - 1) / 2)
        return replace(camera, K=k, size=(width, height), angle=None)
    k = camera.K
    check_matrix(k)
    if _is_fraction(k):
        k = _in_pixels(k, *(camera.size or (width, height)))
    if camera.size is not None:
        size = camera.size
        if camera.crops and width * size[1] > height * size[0]:
            rows = round(size[0] * height / width)
            k = k - [[0, 0, 0], [0, 0, (size[1] - rows) / 2], [0, 0, 0]]
            size = (size[0], rows)
        k = rescale_k(k, size, (width, height))
    check_plausible(k, width, height)
    return replace(camera, K=k, size=(width, height))


def check_matrix(k: Array) -> None:
    """Raise :class:`InputError` for what is no K of any picture."""
    if not np.isfinite(k).all():
        raise InputError(f"intrinsics must be finite, but got NaN or infinite values: {k.tolist()}")
    if k[0, 0] <= 0 or k[1, 1] <= 0:
        if not k[:2, :2].any():
            raise InputError("K holds zeros alone, as ROS writes them for a camera that is not calibrated")
        raise InputError(
            f"K must have positive focal lengths in pixels, but fx is {k[0, 0]:g} and fy is {k[1, 1]:g}; OpenGL's "
            "signs are not known here: give fx, fy > 0"
        )
    if k[1, 0] != 0 or not np.allclose(k[2], [0, 0, 1]):
        raise InputError(f"K must be [[fx, skew, cx], [0, fy, cy], [0, 0, 1]], but got {k.tolist()}")


def check_plausible(k: Array, width: int, height: int, options: PlausibleOptions = _OPTIONS) -> None:
    """Raise :class:`InputError` where K cannot be that of whole pictures of this size."""
    where, size = f"({k[0, 2]:g}, {k[1, 2]:g})", f"{width}x{height}"
    least, most = (share * max(width, height) for share in options.focal)
    if not (least <= min(k[0, 0], k[1, 1]) and max(k[0, 0], k[1, 1]) <= most):
        raise InputError(
            f"focal lengths {k[0, 0]:g}, {k[1, 1]:g} cannot be pixels of a {size} image; give fx, fy in pixels, not in "
            "millimetres or metres"
        )
    if max(k[0, 0] / k[1, 1], k[1, 1] / k[0, 0]) > options.stretched:
        raise InputError(
            f"focal lengths {k[0, 0]:g} and {k[1, 1]:g} differ too much for one camera; give fx, fy, cx, cy"
        )
    x, y = (k[0, 2] + 0.5) / width, (k[1, 2] + 0.5) / height
    if not (0 <= x <= 1 and 0 <= y <= 1):
        raise InputError(
            f"the principal point {where} lies outside the {size} image; the "
            "intrinsics are for another image size: name it as width and height in the camera file"
        )
    if _near(x * width, height / 2, width, options) and _near(y * height, width / 2, height, options):
        raise InputError(
            f"the principal point {where} is the middle of a {height}x{width} image, but the clip is {size}: it was "
            "turned by 90 degrees; give the intrinsics of the upright picture"
        )
    low, high = 0.5 - options.off_middle, 0.5 + options.off_middle
    if abs(x - y) <= options.together and (min(x, y) > high or max(x, y) < low):
        raise InputError(
            f"the principal point {where} is the middle of an image {x + y:.3g} times as large as the clip's {size}: "
            "the intrinsics are for another image size; name it as width and height in the camera file, or scale them"
        )
    if not (options.edge <= min(x, y) and max(x, y) <= 1 - options.edge):
        raise InputError(
            f"the principal point {where} lies at the edge of the {size} image; the intrinsics are for another image "
            "size, or of a crop: give those of the clip itself"
        )


def rescale_k(k: Array, old: tuple[int, int], new: tuple[int, int]) -> Array:
    """Intrinsics (3, 3) of images (width, height) ``old`` for the same images resized to ``new``.

    Raises:
        InputError: the sizes differ in shape, so one is not the other resized.
    """
    if min(old) <= 0:
        raise InputError(f"the image size of intrinsics must be positive, but got {old[0]}x{old[1]}")
    sx, sy = new[0] / old[0], new[1] / old[1]
    if abs(sx / sy - 1.0) > _OPTIONS.aspect:
        turned = abs((new[0] / old[1]) / (new[1] / old[0]) - 1.0) <= _OPTIONS.aspect
        why = "it was turned by 90 degrees" if turned else "it was cropped"
        raise InputError(
            f"the intrinsics are for {old[0]}x{old[1]} images, but the clip is {new[0]}x{new[1]}: another "
            f"aspect ratio, so {why}; give intrinsics of the clip itself"
        )
    scaled = np.array(k, dtype=np.float64)
    scaled[0] *= sx
    scaled[1] *= sy
    scaled[0, 2] = (k[0, 2] + 0.5) * sx - 0.5  # the centre of the first pixel is 0, its edge is -0.5
    scaled[1, 2] = (k[1, 2] + 0.5) * sy - 0.5
    return scaled


def _near(value: float, middle: float, length: float, options: PlausibleOptions) -> bool:
    """Whether a coordinate is the middle of a side of another length, and clearly not of its own."""
    return abs(value - middle) <= options.together * middle and abs(value / length - 0.5) > options.off_middle


def _is_fraction(k: Array, options: PlausibleOptions = _OPTIONS) -> bool:
    return bool(max(k[0, 0], k[1, 1]) <= options.fraction and 0 < k[0, 2] <= 1 and 0 < k[1, 2] <= 1)


def _in_pixels(k: Array, width: int, height: int, options: PlausibleOptions = _OPTIONS) -> Array:
    """K of fractions of the image size, counted from its corner.

    Raises:
        InputError: the pixels would not be square, so that it was divided by something else.
    """
    out = np.array(k, dtype=np.float64)
    out[0] *= width
    out[1] *= height
    if abs(out[0, 0] / out[1, 1] - 1.0) > options.square:
        raise InputError(
            f"intrinsics {k[0, 0]:g}, {k[1, 1]:g}, {k[0, 2]:g}, {k[1, 2]:g} are divided by the image size, but not fx "
            "by the width and fy by the height; give them in pixels"
        )
    out[:2, 2] -= 0.5
    return out


def _color_first(cameras: Sequence[FoundCamera]) -> list[FoundCamera]:
    color = [c for c in cameras if any(word in c.name.lower() for word in _COLOR)]
    return (
        color or [c for c in cameras if not any(word in c.name.lower() for word in _OTHER)] or list(cameras)
    )


def _same_size(camera: FoundCamera, width: int, height: int) -> bool:
    return camera.size == (width, height)


def _same_shape(camera: FoundCamera, width: int, height: int) -> bool:
    if camera.size is None or min(camera.size) <= 0:
        return camera.size is None
    return abs(camera.size[0] * height / (camera.size[1] * width) - 1.0) <= _OPTIONS.aspect


def _middle_one(cameras: Sequence[FoundCamera], width: int, height: int) -> FoundCamera:
    """The camera of middle focal length of many that are one.

    Raises:
        InputError: they are not.
    """
    focal = np.array([c.K[0, 0] for c in cameras])
    middle = cameras[int(np.argsort(focal, kind="stable")[len(focal) // 2])]
    rays = _rays(middle, width, height)
    reference, unlike, worst = _seen(middle, rays), middle, 0.0
    known: dict[bytes, float] = {}
    for camera in cameras:
        key = camera.K.tobytes() + _lens_key(camera)
        if key not in known:
            known[key] = float(np.abs(_seen(camera, rays) - reference).max())
        if not known[key] <= worst:
            unlike, worst = camera, known[key]
    if not worst <= _OPTIONS.same * width:
        names = ", ".join(repr(c.name) for c in (middle, unlike) if c.name) or "no names"
        raise InputError(
            f"it holds {len(cameras)} cameras that differ, by {worst:.1f} pixels at most and in focal length from "
            f"{focal.min():.1f} to {focal.max():.1f} ({names}): a clip has one camera; give a file with the one of "
            "this clip, and cut the clip where the camera zooms"
        )
    return middle


def _lens_key(camera: FoundCamera) -> bytes:
    lens = camera.lens
    return b"" if lens is None else lens.model.encode() + lens.coefficients.tobytes()


def _rays(camera: FoundCamera, width: int, height: int) -> Array:
    """Rays (N, 2) all over the picture, roughly."""
    x, y = (np.linspace(-0.5, 0.5, 5) * side / camera.K[0, 0] for side in (width, height))
    return np.stack(np.meshgrid(x, y), -1).reshape(-1, 2)


def _seen(camera: FoundCamera, rays: Array) -> Array:
    """Pixels (N, 2) at which rays are seen."""
    places = rays if camera.lens is None else camera.lens.distort(rays)
    places = np.where(np.isfinite(places), places, rays)
    return places @ camera.K[:2, :2].T + camera.K[:2, 2]
