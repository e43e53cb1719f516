"""Calibrations as devices keep them: Azure Kinect, Project Aria and HOT3D."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from dexman_pose.data.camera_files.found import FoundCamera, number, numbers, of_four
from dexman_pose.data.camera_files.lens_names import lens_of, model_of, plain
from dexman_pose.errors import InputError

_KINECT_COLOR = "PV0"
"""End of the name of the colour camera, whose 16:9 pictures are the middle of its 4:3 ones."""

_KINECT_MODEL = "calibrationlensdistortionmodelbrownconrady"


def kinect_camera(entries: Mapping[str, Any], name: str) -> FoundCamera:
    """A camera of an Azure Kinect's calibration: fractions of the sensor's size, counted from its corner.

    Raises:
        InputError: another lens model, or fewer parameters than it has.
    """
    model = str(entries.get("modeltype", ""))
    if plain(model) != _KINECT_MODEL:
        raise InputError(f"unknown lens model {model!r} of an Azure Kinect; known is its Brown-Conrady model")
    p = numbers(entries["modelparameters"], "ModelParameters").ravel()
    if len(p) < 14:
        raise InputError(f"an Azure Kinect's camera has 14 parameters, but the file has {len(p)}")
    cx, cy, fx, fy = p[:4]
    k1, k2, k3, k4, k5, k6, centre_x, centre_y, p2, p1 = p[4:14]
    if centre_x != 0 or centre_y != 0:
        raise InputError(
            "a centre of distortion beside the principal point is not known (codx, cody are not 0)"
        )
    width = int(number(entries.get("sensorwidth", 0), "SensorWidth"))
    height = int(number(entries.get("sensorheight", 0), "SensorHeight"))
    if width <= 0 or height <= 0:
        raise InputError("an Azure Kinect's camera needs SensorWidth and SensorHeight")
    k = of_four(fx * width, fy * height, cx * width - 0.5, cy * height - 0.5)
    lens = lens_of("brown-conrady", np.array([k1, k2, p1, p2, k3, k4, k5, k6]))
    where = str(entries.get("location", name))
    return FoundCamera(k, (width, height), lens, where, crops=where.endswith(_KINECT_COLOR))


def projection_camera(entries: Mapping[str, Any], name: str) -> FoundCamera:
    """A camera of Project Aria or of HOT3D in BOP's form: f, cx, cy and the coefficients of its model.

    Raises:
        InputError: an unknown model, or another number of parameters.
    """
    called = str(entries.get("projectionmodeltype", ""))
    model = model_of(called)
    p = numbers(entries["projectionparams"], "projection_params").ravel()
    if model == "fisheye624" and len(p) == 15:
        focal, cx, cy = p[:3]
        k, rest = of_four(focal, focal, cx, cy), p[3:]
    elif model is None and len(p) == 4:
        fx, fy, cx, cy = p
        k, rest = of_four(fx, fy, cx, cy), p[4:]
    else:
        raise InputError(f"{len(p)} parameters do not fit the camera model {called!r}")
    size = (
        int(number(entries.get("imagewidth", 0), "image_width")),
        int(number(entries.get("imageheight", 0), "image_height")),
    )
    return FoundCamera(k, size if min(size) > 0 else None, lens_of(model, rest, called), name)
