"""What other tools call their lens models, and their coefficients in our order."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import numpy as np

from dexman_pose.arrays import Array
from dexman_pose.data.lenses.models import COEFFICIENTS, Lens, LensModel
from dexman_pose.errors import InputError

_DOCUMENTED = "documented_inverse_brown_conrady"
"""RealSense's inverse model as its documentation has it: the coefficients lead from the picture to the ray. Its library
projects by another formula since version 2.45, and which of the two a device's numbers belong to is not known."""

_NAMES: dict[LensModel, Sequence[str]] = {
    "brown-conrady": (
        "plumb_bob",
        "radtan",
        "radial-tangential",
        "pinhole-radtan",
        "rational_polynomial",
        "rational",
        "brown_conrady",
        "brown",
        "thin_prism",
        "OPENCV",
        "FULL_OPENCV",
        "RADIAL",
        "SIMPLE_RADIAL",
        "opencv5",
        "opencv8",
        "CALIBRATION_LensDistortionModelBrownConrady",
        "rotation brown conrady",
    ),
    "fisheye": (
        "fisheye",
        "equidistant",
        "equi",
        "pinhole-equi",
        "kannala_brandt",
        "kannala_brandt4",
        "kannala-brandt-8",
        "kb4",
        "kb8",
        "OPENCV_FISHEYE",
        "SIMPLE_FISHEYE",
        "SIMPLE_RADIAL_FISHEYE",
        "RADIAL_FISHEYE",
    ),
    "modified-brown-conrady": ("modified_brown_conrady",),
    "inverse-brown-conrady": ("inverse_brown_conrady", _DOCUMENTED),
    "fov": ("fov", "ftheta", "f-theta", "atan"),
    "division": ("division", "SIMPLE_DIVISION"),
    "eucm": ("eucm",),
    "thin-prism-fisheye": ("THIN_PRISM_FISHEYE",),
    "fisheye624": ("fisheye624", "RAD_TAN_THIN_PRISM_FISHEYE"),
}
_NO_LENS = (
    "",
    "none",
    "no",
    "pinhole",
    "simple_pinhole",
    "perspective",
    "ideal",
    "linear",
    "undistorted",
    "null",
)
_PREFIXES = ("rs2distortion", "distortion", "cameramodeltype", "cameramodel")


def plain(name: object) -> str:
    """A name in small letters and digits alone: how spellings are compared."""
    return re.sub(r"[^a-z0-9]", "", str(name).lower())


_KNOWN = {plain(name): model for model, names in _NAMES.items() for name in (model, *names)}
_NONE = {plain(name) for name in _NO_LENS}


def model_of(name: str) -> LensModel | None:
    """The lens model that another tool calls ``name``; None for a pinhole.

    Raises:
        InputError: nothing known by that name.
    """
    text = plain(name)
    for prefix in ("", *_PREFIXES):
        cut = text.removeprefix(prefix)
        if cut in _NONE:
            return None
        if cut in _KNOWN:
            return _KNOWN[cut]
    raise InputError(
        f"unknown lens model {name!r}; known are {', '.join(COEFFICIENTS)}, and what OpenCV, ROS, Kalibr, COLMAP and "
        "RealSense call them; undistort the video with the tool that calibrated it, and give intrinsics without a lens"
    )


def is_known(name: str) -> bool:
    """Whether :func:`model_of` knows the name."""
    try:
        model_of(name)
    except InputError:
        return False
    return True


def lens_of(model: LensModel | None, coefficients: Array, name: str = "") -> Lens | None:
    """A lens of a model and a list of coefficients; zeros at the end may be missing or too many.

    Args:
        model: None for a file that names none, or a pinhole.
        coefficients: (n,) as the file has them.
        name: what the file calls the model, for messages.

    Raises:
        InputError: not finite, a number that no lens of the model has, a pinhole with coefficients.
    """
    values = np.asarray(coefficients, np.float64).ravel()
    if not np.isfinite(values).all():
        raise InputError("lens coefficients must be finite, but some are NaN or infinite")
    if model is None:
        if name and np.any(values):
            raise InputError(
                f"the lens model is {name!r}, but the coefficients {values.tolist()} are not 0: name the model"
            )
        model = "brown-conrady"
    if model == "inverse-brown-conrady" and np.any(values) and plain(name) != plain(_DOCUMENTED):
        raise InputError(
            f"the lens model {name!r} means one thing in RealSense's documentation and another in its library: write "
            f"'modified_brown_conrady' to have what the library projects, or {_DOCUMENTED!r}"
        )
    counts = COEFFICIENTS[model]
    while len(values) > counts[0] and len(values) not in counts and values[-1] == 0:
        values = values[:-1]
    least = next((n for n in counts if n >= len(values)), None)
    # One or two radial coefficients alone are common; three could be k1 k2 k3 or k1 k2 p1.
    if least is None or (model == "brown-conrady" and len(values) in (3, 6, 7, 9, 10, 11, 13)):
        raise InputError(
            f"a {model} lens has {' or '.join(str(n) for n in counts)} coefficients, but the file has {len(values)}"
        )
    padded = np.concatenate([values, np.zeros(least - len(values))])
    lens = Lens(model, padded)
    return None if lens.is_straight else lens


def lens_of_named(entries: Mapping[str, float], model: LensModel | None, name: str) -> Lens | None:
    """A lens of coefficients that have names: k1, p1, s1 ..."""
    if model is not None and model not in ("brown-conrady", "fisheye"):
        raise InputError(
            f"the coefficients of a {name!r} lens must be a list, but the file names them one by one"
        )
    if model == "fisheye":
        order: tuple[str, ...] = ("k1", "k2", "k3", "k4")
    elif any(entries.get(f"s{i}") for i in range(1, 5)):
        order = ("k1", "k2", "p1", "p2", "k3", "k4", "k5", "k6", "s1", "s2", "s3", "s4")
    elif any(entries.get(f"k{i}") for i in range(4, 7)):
        order = ("k1", "k2", "p1", "p2", "k3", "k4", "k5", "k6")
    else:
        order = ("k1", "k2", "p1", "p2", "k3")
    return lens_of(model, np.array([entries.get(key, 0.0) for key in order]), name)
