"""Camera intrinsics from the files that datasets and calibration tools write, and from a command line."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from dexman_pose.arrays import Array
from dexman_pose.data.camera import Camera
from dexman_pose.errors import InputError

_MATRIX_KEYS = ("K", "cam_K", "camera_matrix", "intrinsic_matrix", "intrinsics")
_NAMED_KEYS = (("fx", "fy", "cx", "cy"), ("f_u", "f_v", "pp_x", "pp_y"))
_DISTORTION_KEYS = ("distortion", "dist_coeffs", "distortion_coefficients", "D")
_WIDTH_KEYS = ("width", "image_width", "w")
_HEIGHT_KEYS = ("height", "image_height", "h")
_FORMS = (
    '{"K": 3x3 or [fx, fy, cx, cy], "width", "height", "distortion"}, {"fx", "fy", "cx", "cy"}, '
    'BOP {"cam_K": [9 numbers]}, or YAML of OpenCV, ROS or M3T'
)


def load_camera(path: str | Path, width: int, height: int) -> Camera:
    """Read intrinsics and fit them to a clip of ``width`` x ``height`` pixels.

    Intrinsics that name another image size are rescaled when the aspect ratio agrees to 1 %. Pixel (0, 0) is
    taken as the centre of the top-left pixel, as OpenCV, BOP and M3T do.

    Args:
        path: JSON or YAML file: ``{"K": 3x3 or [fx, fy, cx, cy], "width", "height", "distortion"}``,
            ``{"fx", "fy", "cx", "cy"}``, BOP's ``{"cam_K": [9]}``, the
            ``camera_matrix`` of OpenCV and ROS, or M3T's ``f_u, f_v, pp_x, pp_y``.
        width: width of the clip in pixels.
        height: height of the clip in pixels.

    Raises:
        InputError: no such file, none of these forms, or intrinsics that do not fit the clip.
    """
    path = Path(path)
    values = _flatten(_parse(path), path)
    try:
        k = _matrix(values)
        distortion = _first(values, _DISTORTION_KEYS)
        own = tuple(_first(values, keys) for keys in (_WIDTH_KEYS, _HEIGHT_KEYS))
        if None not in own:
            k = rescale_k(k, (int(own[0]), int(own[1])), (width, height))
        _check_principal_point(k, width, height)
        return Camera(k, width, height, None if distortion is None else _numbers(distortion))
    except (InputError, TypeError, ValueError) as error:
        raise InputError(f"{path}: {error}") from error


def parse_k(text: str, width: int, height: int) -> Camera:
    """The camera of ``"fx,fy,cx,cy"`` (or ``"f"``: square pixels, centred) in pixels.

    Raises:
        InputError: not one or four numbers, or values that do not fit the image.
    """
    try:
        values = [float(part) for part in text.replace(";", ",").split(",")]
    except ValueError:
        values = []
    if len(values) == 1:
        return Camera.from_focal(values[0], width, height)
    if len(values) != 4:
        raise InputError(f"intrinsics must be fx,fy,cx,cy in pixels (or one focal length), but got {text!r}")
    k = _from_four(values)
    _check_principal_point(k, width, height)
    return Camera(k, width, height)


def rescale_k(k: Array, old: tuple[int, int], new: tuple[int, int]) -> Array:
    """Intrinsics (3, 3) of images (width, height) ``old`` for the same images resized to ``new``.

    Raises:
        InputError: the sizes differ in shape, so one is not the other resized.
    """
    if min(old) <= 0:
        raise InputError(f"the image size of intrinsics must be positive, but got {old[0]}x{old[1]}")
    sx, sy = new[0] / old[0], new[1] / old[1]
    if abs(sx / sy - 1.0) > 0.01:
        raise InputError(
            f"the intrinsics are for {old[0]}x{old[1]} images, but the clip is {new[0]}x{new[1]}: another "
            "aspect ratio, so it was cropped; give intrinsics of the clip itself"
        )
    scaled = np.array(k, dtype=np.float64)
    scaled[0] *= sx
    scaled[1] *= sy
    scaled[0, 2] = (k[0, 2] + 0.5) * sx - 0.5  # the centre of the first pixel is 0, its edge is -0.5
    scaled[1, 2] = (k[1, 2] + 0.5) * sy - 0.5
    return scaled


def _parse(path: Path) -> Any:
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not text"
        raise InputError(f"cannot read the camera file {path}: {reason}") from error
    import yaml

    # OpenCV writes "%YAML:1.0", which YAML does not allow, and a tag of its own.
    lines = [line for line in text.splitlines() if not line.startswith("%YAML")]
    cleaned = "\n".join(lines).replace("!!opencv-matrix", "")
    try:
        return json.loads(text) if path.suffix.lower() == ".json" else yaml.safe_load(cleaned)
    except (ValueError, yaml.YAMLError) as error:
        where = " ".join(str(error).split())
        raise InputError(f"{path} is neither JSON nor YAML that can be read: {where}") from error


def _flatten(values: Any, path: Path) -> dict[str, Any]:
    """The entries of the file, with a nested ``intrinsics`` or the first BOP image lifted to the top."""
    if isinstance(values, Mapping) and values and all(str(key).isdigit() for key in values):
        values = next(iter(values.values()))
    if not isinstance(values, Mapping):
        raise InputError(f"{path} holds no camera; expected {_FORMS}")
    flat = {str(key): value for key, value in values.items()}
    for key in ("intrinsics", "camera"):
        if isinstance(flat.get(key), Mapping) and "data" not in flat[key]:
            flat.update({str(k): v for k, v in flat.pop(key).items()})
    return flat


def _matrix(values: dict[str, Any]) -> Array:
    for names in _NAMED_KEYS:
        if all(name in values for name in names):
            return _from_four([float(values[name]) for name in names])
    given = _first(values, _MATRIX_KEYS)
    if given is None:
        found = ", ".join(sorted(values)) or "nothing"
        raise InputError(f"no intrinsics found among {found}; expected {_FORMS}")
    numbers = _numbers(given)
    if numbers.size == 4:
        return _from_four(numbers.ravel().tolist())
    if numbers.size != 9:
        raise InputError(f"intrinsics must be 9 numbers (3x3) or fx, fy, cx, cy, but got {numbers.size}")
    return numbers.reshape(3, 3)


def _numbers(value: Any) -> Array:
    if isinstance(value, Mapping) and "data" in value:
        value = value["data"]
    try:
        return np.asarray(value, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise InputError(f"expected numbers, but got {value!r}") from error


def _from_four(values: list[float]) -> Array:
    fx, fy, cx, cy = values
    return np.array([[fx, 0.0, cx], [0.0, fy, cy], [0.0, 0.0, 1.0]])


def _first(values: dict[str, Any], keys: tuple[str, ...]) -> Any:
    return next((values[key] for key in keys if values.get(key) is not None), None)


def _check_principal_point(k: Array, width: int, height: int) -> None:
    if not (0 <= k[0, 2] <= width and 0 <= k[1, 2] <= height):
        raise InputError(
            f"the principal point ({k[0, 2]:g}, {k[1, 2]:g}) lies outside the {width}x{height} image; the "
            "intrinsics are for another image size: name it as width and height in the camera file"
        )
