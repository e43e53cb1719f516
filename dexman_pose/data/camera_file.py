"""Camera intrinsics from the files that datasets and calibration tools write, and from a command line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from dexman_pose.data.camera import Camera
from dexman_pose.data.camera_files.choice import fitted_camera, fitting_camera, rescale_k
from dexman_pose.data.camera_files.found import FoundCamera, matrix, of_four
from dexman_pose.data.camera_files.parsing import cameras_of
from dexman_pose.errors import InputError

__all__ = ["camera_of_k", "load_camera", "parse_k", "rescale_k"]

_FORMS = (
    'K as text or npy, {"K": 3x3 or [fx, fy, cx, cy], "width", "height", "distortion"}, {"fx", "fy", "cx", "cy"}, or a '
    "file of OpenCV, ROS, Kalibr, COLMAP, RealSense, Azure Kinect, Open3D, BOP, MegaPose, M3T, nerfstudio or Record3D"
)


def load_camera(path: str | Path, width: int, height: int) -> Camera:
    """Read intrinsics and fit them to a clip of ``width`` x ``height`` pixels.

    Intrinsics that name another image size are rescaled when the aspect ratio agrees to 1 %. Pixel (0, 0) is the centre
    of the top-left pixel; files whose tools count from its corner (COLMAP, instant-ngp, nerfstudio) are converted.

    Args:
        path: a folder of COLMAP, BOP, MegaPose, FoundationPose or nerfstudio, or a file: JSON, YAML, XML, text, npy or
            npz. Formats are known by their content: K as three rows of numbers, ``{"K" or "cam_K" or "camera_matrix" or
            "intrinsics": ...}``, ``{"fx", "fy", "cx", "cy"}``, OpenCV's FileStorage, ROS' camera_info, Kalibr's
            camchain, COLMAP's cameras.txt and cameras.bin, RealSense's JSON and text, an Azure Kinect's calibration,
            Open3D's and Record3D's column-major K, BOP's camera.json and scene_camera.json, MegaPose's
            camera_data.json, M3T's and DexYCB's YAML, transforms.json of instant-ngp, nerfstudio and Blender.
        width: width of the clip in pixels.
        height: height of the clip in pixels.

    Raises:
        InputError: no such file, none of these forms, a lens model that is not known, several cameras that differ, or
            intrinsics that do not fit the clip.
    """
    path = Path(path)
    try:
        cameras = cameras_of(path)
        if not cameras:
            raise InputError(f"it holds no camera; expected {_FORMS}")
        return _camera(fitting_camera(cameras, width, height), width, height)
    except InputError as error:
        raise InputError(f"{path}: {' '.join(str(error).split())}") from error
    except Exception as error:  # whatever a damaged file makes a parser say
        what = " ".join(f"{type(error).__name__} {error}".split())[:150]
        raise InputError(f"{path}: it is damaged, or no camera file ({what}); expected {_FORMS}") from error


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
        values = [values[0], values[0], (width - 1) / 2, (height - 1) / 2]
    if len(values) != 4:
        raise InputError(f"intrinsics must be fx,fy,cx,cy in pixels (or one focal length), but got {text!r}")
    return camera_of_k(of_four(*values), width, height)


def camera_of_k(k: Any, width: int, height: int) -> Camera:
    """The camera of a 3x3 matrix, nine numbers, or fx, fy, cx, cy, for pictures of ``width`` x ``height`` pixels.

    Raises:
        InputError: no such numbers, or numbers that cannot be intrinsics of pictures of this size.
    """
    return _camera(fitted_camera(FoundCamera(matrix(k)), width, height), width, height)


def _camera(found: FoundCamera, width: int, height: int) -> Camera:
    if found.lens is not None and found.lens.model == "brown-conrady":
        return Camera(found.K, width, height, found.lens.coefficients)
    return Camera.with_lens(found.K, width, height, found.lens)
