"""COLMAP's cameras.txt and cameras.bin, all models that show a flat picture.

COLMAP's (0, 0) is the corner of the picture, so half a pixel is taken from the principal point.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

import numpy as np

from dexman_pose.arrays import Array
from dexman_pose.data.camera_files.found import FoundCamera, of_four
from dexman_pose.data.camera_files.lens_names import lens_of, plain
from dexman_pose.data.lenses.models import LensModel
from dexman_pose.errors import InputError


@dataclass(frozen=True)
class _Model:
    """One of COLMAP's models: its number, number of focal lengths, the lens, and the number of coefficients."""

    number: int
    focals: int
    lens: LensModel | None
    coefficients: int


MODELS: dict[str, _Model] = {
    "SIMPLE_PINHOLE": _Model(0, 1, None, 0),
    "PINHOLE": _Model(1, 2, None, 0),
    "SIMPLE_RADIAL": _Model(2, 1, "brown-conrady", 1),
    "RADIAL": _Model(3, 1, "brown-conrady", 2),
    "OPENCV": _Model(4, 2, "brown-conrady", 4),
    "OPENCV_FISHEYE": _Model(5, 2, "fisheye", 4),
    "FULL_OPENCV": _Model(6, 2, "brown-conrady", 8),
    "FOV": _Model(7, 2, "fov", 1),
    "SIMPLE_RADIAL_FISHEYE": _Model(8, 1, "fisheye", 1),
    "RADIAL_FISHEYE": _Model(9, 1, "fisheye", 2),
    "THIN_PRISM_FISHEYE": _Model(10, 2, "thin-prism-fisheye", 8),
    "RAD_TAN_THIN_PRISM_FISHEYE": _Model(11, 2, "fisheye624", 12),
    "SIMPLE_DIVISION": _Model(12, 1, "division", 1),
    "DIVISION": _Model(13, 2, "division", 1),
    "SIMPLE_FISHEYE": _Model(14, 1, "fisheye", 0),
    "FISHEYE": _Model(15, 2, "fisheye", 0),
    "EUCM": _Model(16, 2, "eucm", 2),
}
_BY_NUMBER = {model.number: name for name, model in MODELS.items()}
_BY_PLAIN = {plain(name): name for name in MODELS}
_MOST_CAMERAS = 1_000_000


def colmap_camera(name: str, size: tuple[int, int], parameters: Array, camera_id: str = "") -> FoundCamera:
    """A camera of COLMAP's parameters.

    Raises:
        InputError: an unknown model, or another number of parameters than it has.
    """
    key = _BY_PLAIN.get(plain(name))
    if key is None:
        raise InputError(f"unknown COLMAP camera model {name!r}; known are {', '.join(MODELS)}")
    model = MODELS[key]
    count = model.focals + 2 + model.coefficients
    if len(parameters) != count:
        raise InputError(f"a {key} camera has {count} parameters, but the file has {len(parameters)}")
    fx, fy = parameters[0], parameters[model.focals - 1]
    cx, cy = parameters[model.focals : model.focals + 2]
    lens = lens_of(model.lens, parameters[model.focals + 2 :], "" if model.lens else key)
    return FoundCamera(of_four(fx, fy, cx - 0.5, cy - 0.5), size, lens, f"camera {camera_id}".strip())


def text_cameras(text: str) -> list[FoundCamera]:
    """Cameras of cameras.txt: lines of id, model, width, height, parameters; an empty list for another kind of file.

    Raises:
        InputError: an unknown model, or a damaged line.
    """
    found = []
    for line in text.splitlines():
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        parts = line.split()
        if len(parts) < 5 or not parts[0].isdigit() or not parts[1][0].isalpha():
            return []
        try:
            size = int(parts[2]), int(parts[3])
            parameters = np.array([float(part) for part in parts[4:]])
        except ValueError:
            return []
        found.append(colmap_camera(parts[1], size, parameters, parts[0]))
    return found


def binary_cameras(data: bytes) -> list[FoundCamera]:
    """Cameras of cameras.bin.

    Raises:
        InputError: it ends early or names an unknown model.
    """
    found, at = [], struct.calcsize("<Q")
    try:
        (count,) = struct.unpack_from("<Q", data)
        if count > _MOST_CAMERAS:
            raise struct.error
        for _ in range(count):
            camera_id, number, width, height = struct.unpack_from("<iiQQ", data, at)
            at += struct.calcsize("<iiQQ")
            if number not in _BY_NUMBER:
                raise InputError(
                    f"unknown COLMAP camera model number {number}; known are 0 to {max(_BY_NUMBER)}"
                )
            model = MODELS[_BY_NUMBER[number]]
            parameters = struct.unpack_from(f"<{model.focals + 2 + model.coefficients}d", data, at)
            at += 8 * len(parameters)
            name = _BY_NUMBER[number]
            found.append(colmap_camera(name, (width, height), np.array(parameters), str(camera_id)))
    except struct.error as error:
        raise InputError("it is no whole COLMAP cameras.bin") from error
    return found
