"""Cameras among the named values of a JSON, YAML, XML or npz file, whatever tool wrote it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from dexman_pose.arrays import Array
from dexman_pose.data.camera_files.colmap import colmap_camera
from dexman_pose.data.camera_files.found import FoundCamera, matrix, number, numbers, of_four, short
from dexman_pose.data.camera_files.lens_names import is_known, lens_of, lens_of_named, model_of, plain
from dexman_pose.data.camera_files.sensors import kinect_camera, projection_camera
from dexman_pose.data.lenses.models import Lens
from dexman_pose.errors import InputError

Values = Mapping[str, Any]

_MATRICES = (
    "k",
    "camk",
    "cameramatrix",
    "intrinsicmatrix",
    "intrinsicsmatrix",
    "cameraintrinsics",
    "intrinsics",
    "intrinsic",
    "intrin",
    "camintr",
    "cammat",
    "mtx",
    "m1",
)
_FOURS = (
    ("fx", "fy", "cx", "cy"),
    ("fx", "fy", "ppx", "ppy"),
    ("fu", "fv", "ppx", "ppy"),
    ("fu", "fv", "cu", "cv"),
    ("flx", "fly", "cx", "cy"),
    ("focalx", "focaly", "cx", "cy"),
)
_WIDTHS = ("width", "imagewidth", "imgwidth", "w")
_HEIGHTS = ("height", "imageheight", "imgheight", "h")
_PAIRS = ("resolution", "imgsize", "imagesize", "imageresolution", "imgresolution", "size") + (
    "intrinsicmatrixreferencedimensions",
    "referencedimensions",
)
_LENSES = (
    "distortion",
    "distortions",
    "distcoeffs",
    "distcoeff",
    "distcoef",
    "distortioncoefficients",
    "distortioncoeffs",
    "distortionparams",
    "distortionparameters",
    "coeffs",
    "d",
    "dist",
    "d1",
)
_COEFFICIENTS = tuple(f"k{i}" for i in range(1, 7)) + ("p1", "p2") + tuple(f"s{i}" for i in range(1, 5))
_MODEL_NAMES = ("distortionmodel", "distortiontype", "lensmodel", "model", "cameramodel", "cameratype")
_MODEL_FLAGS = ("fisheyemodel", "isfisheye", "fisheye")
_OTHER_SHAPES = {
    "omni",
    "omnidirectional",
    "mei",
    "ds",
    "doublesphere",
    "spherical",
    "equirectangular",
    "panorama",
}
_INNER = ("intrinsics", "intrinsic", "camera", "cameraintrinsics", "calibration")
_DEEPEST = 8


def cameras_in(values: Any, name: str = "", depth: int = 0) -> Iterator[FoundCamera]:
    """All cameras among named values, at any level.

    Args:
        values: plain mappings and sequences, as a parser made them.
        name: what the file calls them.
        depth: levels above.

    Raises:
        InputError: a camera whose values cannot be used, or whose lens is not known.
    """
    if depth > _DEEPEST:
        return
    if isinstance(values, Mapping):
        entries = _lifted({plain(key): value for key, value in values.items()})
        frames = list(_frames(entries))
        own = None if frames else _own(entries, name)
        if own is not None:
            yield own
            return
        yield from frames
        if not frames:
            for key, value in values.items():
                yield from cameras_in(value, f"{name}.{key}" if name else str(key), depth + 1)
    elif isinstance(values, Sequence) and not isinstance(values, (str, bytes)):
        for i, value in enumerate(values):
            if isinstance(value, (Mapping, list)):
                yield from cameras_in(value, f"{name}[{i}]", depth + 1)


def _lifted(entries: dict[str, Any]) -> dict[str, Any]:
    """The entries with those of a nested ``intrinsics`` or ``camera`` among them."""
    for key in _INNER:
        inner = entries.get(key)
        if isinstance(inner, Mapping) and "data" not in inner:
            nested = {plain(k): v for k, v in inner.items()}
            if _has_intrinsics(nested):
                entries = {**{k: v for k, v in entries.items() if k != key}, **nested}
    return entries


def _has_intrinsics(entries: Values) -> bool:
    return (
        any(all(name in entries for name in names) for names in _FOURS)
        or any(_is_matrix(entries.get(key)) for key in _MATRICES)
        or "modelparameters" in entries
        or "projectionparams" in entries
    )


def _is_matrix(value: Any) -> bool:
    if isinstance(value, Mapping):
        return "data" in value
    return isinstance(value, (list, tuple, np.ndarray, str)) and len(value) > 0


def _frames(entries: Values) -> Iterator[FoundCamera]:
    """Cameras of single frames: NeRF's frames that have their own, and Record3D's coefficients."""
    frames = entries.get("frames")
    if isinstance(frames, list):
        shared = {k: v for k, v in entries.items() if k != "frames"}
        for i, frame in enumerate(frames):
            if isinstance(frame, Mapping):
                own = {plain(key): value for key, value in frame.items()}
                if {"flx", "fx", "cameraanglex"} & set(own) or _has_intrinsics(own):
                    found = _own({**shared, **own}, f"frame {i}")
                    if found is not None:
                        yield found
    rows = entries.get("perframeintrinsiccoeffs")
    if isinstance(rows, list) and rows:
        size = _size(entries, None)
        for i, row in enumerate(rows):
            yield FoundCamera(matrix(row), size, name=f"frame {i}")


def _own(entries: Values, name: str) -> FoundCamera | None:
    """The camera that these entries themselves describe, or None."""
    if "modelparameters" in entries:
        return kinect_camera(entries, name)
    if "projectionparams" in entries:
        return projection_camera(entries, name)
    model_name = _first(entries, ("cameramodel", "model"))
    size = _size(entries, None)
    if "params" in entries and isinstance(model_name, str) and size is not None:
        return colmap_camera(model_name, size, numbers(entries["params"], "params").ravel(), name)
    if "cameraanglex" in entries and size is None and not {"flx", "cx"} & set(entries):
        angle = number(entries["cameraanglex"], "camera_angle_x")
        return FoundCamera(np.eye(3), None, _lens(entries), name, angle)
    k = _intrinsics(entries, size)
    if k is None:
        return None
    if plain(model_name) in _OTHER_SHAPES:
        raise InputError(f"the camera model {model_name!r} is not known; give one with a pinhole and a lens")
    return _of_region(FoundCamera(k, _size(entries, k), _lens(entries), name), entries.get("roi"))


def _of_region(camera: FoundCamera, roi: Any) -> FoundCamera:
    """The camera of a region of interest as ROS tells it: zeros for the whole picture, K always for the whole one."""
    if not isinstance(roi, Mapping):
        return camera
    region = {plain(key): value for key, value in roi.items()}
    width, height = (_whole(region.get(key, 0), f"roi.{key}") for key in ("width", "height"))
    if width <= 0 or height <= 0:
        return camera
    x, y = (number(region.get(key, 0), f"roi.{key}") for key in ("xoffset", "yoffset"))
    return replace(camera, K=camera.K - [[0, 0, x], [0, 0, y], [0, 0, 0]], size=(width, height))


def _intrinsics(entries: Values, size: tuple[int, int] | None) -> Array | None:
    for names in _FOURS:
        if all(key in entries for key in names):
            k = of_four(*(number(entries[key], key) for key in names))
            # instant-ngp and nerfstudio count from the corner of the picture, as COLMAP does.
            return _half_pixel_less(k) if names[0] == "flx" else k
    if "flx" in entries or "cameraanglex" in entries:
        return _nerf(entries, size)
    given = _first(entries, _MATRICES)
    if given is None or (isinstance(given, Mapping) and "data" not in given):
        return None
    unified = _unified(entries)
    if unified is not None:
        return matrix(unified[2:])
    if isinstance(given, (list, np.ndarray)) and np.ndim(_array(given)) == 3:
        return _one_of_many(_array(given))
    return matrix(given)


def _array(value: Any) -> Any:
    try:
        return np.asarray(value)
    except ValueError as error:
        raise InputError(f"expected numbers for intrinsics, but got {short(value)}") from error


def _one_of_many(stack: Any) -> Array:
    """The matrix that a stack (N, 3, 3) repeats."""
    matrices = np.array([matrix(one) for one in stack])
    if len(matrices) == 0 or not np.allclose(matrices, matrices[0], rtol=1e-3, atol=1e-9):
        raise InputError(f"{len(matrices)} matrices of intrinsics differ; give the one of this clip")
    return np.asarray(matrices[0])


def _half_pixel_less(k: Array) -> Array:
    k[:2, 2] -= 0.5
    return k


def _nerf(entries: Values, size: tuple[int, int] | None) -> Array:
    """K of instant-ngp's, nerfstudio's and Blender's transforms.json."""
    if size is None and "cx" not in entries:
        raise InputError("intrinsics name a focal length, but neither w, h nor cx, cy")
    width, height = size if size is not None else (0, 0)
    fx = _nerf_focal(entries, "flx", "cameraanglex", width)
    fy = _nerf_focal(entries, "fly", "cameraangley", height) or fx
    if fx is None or fy is None:
        raise InputError("intrinsics name an angle of view, but neither w nor fl_x")
    cx = number(entries.get("cx", width / 2), "cx")
    cy = number(entries.get("cy", height / 2), "cy")
    return _half_pixel_less(of_four(fx, fy, cx, cy))


def _nerf_focal(entries: Values, focal: str, angle: str, length: int) -> float | None:
    if focal in entries:
        return number(entries[focal], focal)
    if angle in entries and length:
        return 0.5 * length / math.tan(number(entries[angle], angle) / 2)
    return None


def _size(entries: Values, k: Array | None) -> tuple[int, int] | None:
    """(width, height) that the entries name; of two numbers without names, the order that K's centre fits."""
    width, height = _first(entries, _WIDTHS), _first(entries, _HEIGHTS)
    if width is not None and height is not None:
        return _whole(width, "width"), _whole(height, "height")
    pair = _first(entries, _PAIRS)
    if pair is None or k is None:
        return None
    if isinstance(pair, Mapping):
        pair = list(pair.values())
    if isinstance(pair, str):
        pair = pair.lower().replace("x", " ").replace(",", " ").split()
    both = numbers(pair, "the image size").ravel()
    if both.size != 2 or not np.isfinite(both).all():
        return None
    a, b = _whole(both[0], "the image size"), _whole(both[1], "the image size")
    if min(a, b) <= 0:
        return a, b
    off = [abs(k[0, 2] / w - 0.5) + abs(k[1, 2] / h - 0.5) for w, h in ((a, b), (b, a))]
    return (a, b) if off[0] <= off[1] else (b, a)


def _whole(value: Any, what: str) -> int:
    found = number(value, what)
    if found != int(found) or abs(found) > 1e6:
        raise InputError(f"{what} must be a whole number of pixels, but is {short(value)}")
    return int(found)


def _lens(entries: Values) -> Lens | None:
    """The lens that the entries describe; None for a pinhole."""
    given = _first(entries, _LENSES)
    name = _model_name(entries)
    unified = _unified(entries)
    if unified is not None:
        if given is not None and np.any(numbers(given, "distortion")):
            raise InputError("an eucm camera with further distortion is not known")
        return lens_of("eucm", unified[:2])
    if isinstance(given, str) and not _is_number(given):
        name, given = given, None
    model = None if name is None else model_of(name)
    if isinstance(given, Mapping) and "data" not in given:
        entries, given = {plain(key): value for key, value in given.items()}, None
    if given is None:
        named = {key: number(entries[key], key) for key in _COEFFICIENTS if entries.get(key) is not None}
        if "flx" in entries and model != "fisheye" and named.get("k4"):
            raise InputError(
                "k4 of an OPENCV camera in transforms.json is a term of its own (r^8), which is not known"
            )
        if not named and model != "fisheye":
            return None
        return lens_of_named(named, model, name or "")
    return lens_of(model, numbers(given, "distortion").ravel(), name or "")


def _unified(entries: Values) -> Array | None:
    """Kalibr's intrinsics of an extended unified camera: alpha, beta, fu, fv, pu, pv; None for any other."""
    if plain(entries.get("cameramodel")) != "eucm":
        return None
    given = _first(entries, _MATRICES)
    found = None if given is None else numbers(given).ravel()
    return found if found is not None and found.size == 6 else None


def _model_name(entries: Values) -> str | None:
    """What the entries call their lens; a device's name, which says nothing, counts only beside coefficients."""
    if any(_is_true(entries.get(key)) for key in _MODEL_FLAGS):
        return "fisheye"
    for key in _MODEL_NAMES:
        name = entries.get(key)
        if not isinstance(name, str) or not name.strip():
            continue
        of_camera = key in ("model", "cameramodel", "cameratype")
        if of_camera and (
            plain(name) == "pinhole" or (not is_known(name) and not _has_coefficients(entries))
        ):
            continue
        return name
    return None


def _has_coefficients(entries: Values) -> bool:
    given = _first(entries, _LENSES)
    try:
        listed = given is not None and not isinstance(given, Mapping) and bool(np.any(numbers(given)))
    except InputError:
        listed = True
    return listed or any(entries.get(key) for key in _COEFFICIENTS)


def _is_true(value: Any) -> bool:
    return (
        value in (True, 1, 1.0, "1", "true", "True", "yes")
        if isinstance(value, (bool, int, float, str))
        else False
    )


def _is_number(text: str) -> bool:
    try:
        [float(part) for part in text.replace(",", " ").split()]
    except ValueError:
        return False
    return True


def _first(entries: Values, keys: tuple[str, ...]) -> Any:
    return next((entries[key] for key in keys if entries.get(key) is not None), None)
