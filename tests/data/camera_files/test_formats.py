"""A written example of every format of camera files, read back; expected pixels are computed by OpenCV."""

from __future__ import annotations

import io
import json
import struct
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from dexman_pose.data import Camera, load_camera
from dexman_pose.errors import InputError

FX, FY, CX, CY = 600.0, 601.0, 320.0, 240.0
K = np.array([[FX, 0, CX], [0, FY, CY], [0, 0, 1]])
SIZE = {"width": 640, "height": 480}
RADTAN = [-0.1, 0.02, 0.003, -0.002]
FISHEYE = [0.05, -0.02, 0.003, -0.002]
NINE = K.ravel().tolist()
POINTS = np.array([[0.12, -0.08, 0.4], [0.3, 0.2, 0.9], [-0.5, -0.1, 1.1]])
NO_MOTION = np.zeros(3)
PIXELS = {
    "none": cv2.projectPoints(POINTS, NO_MOTION, NO_MOTION, K, np.zeros(4))[0][:, 0],
    "radtan": cv2.projectPoints(POINTS, NO_MOTION, NO_MOTION, K, np.array(RADTAN))[0][:, 0],
    "fisheye": cv2.fisheye.projectPoints(POINTS[:, None], NO_MOTION, NO_MOTION, K, np.array(FISHEYE))[0][
        :, 0
    ],
}


def _saved(**arrays: Any) -> bytes:
    stream = io.BytesIO()
    np.savez(stream, **arrays)
    return stream.getvalue()


def _npy(array: Any) -> bytes:
    stream = io.BytesIO()
    np.save(stream, array)
    return stream.getvalue()


def _opencv(suffix: str, fisheye: bool = False) -> bytes:
    """What OpenCV's own FileStorage writes."""
    storage = cv2.FileStorage(f"camera{suffix}", cv2.FILE_STORAGE_WRITE | cv2.FILE_STORAGE_MEMORY)
    storage.write("image_width", 640)
    storage.write("image_height", 480)
    if fisheye:
        storage.write("fisheye_model", 1)
    storage.write("camera_matrix", K)
    storage.write("distortion_coefficients", np.array([FISHEYE if fisheye else RADTAN]))
    return storage.releaseAndGetString().encode()


def _kinect() -> bytes:
    """Fractions of the sensor's size, counted from its corner; 14 parameters in the device's order."""
    k1, k2, p1, p2 = RADTAN
    parameters = [(CX + 0.5) / 640, (CY + 0.5) / 480, FX / 640, FY / 480, k1, k2, 0, 0, 0, 0, 0, 0, p2, p1]
    color = {
        "Intrinsics": {
            "ModelParameterCount": 14,
            "ModelParameters": parameters,
            "ModelType": "CALIBRATION_LensDistortionModelBrownConrady",
        },
        "Location": "CALIBRATION_CameraLocationPV0",
        "SensorWidth": 4096,
        "SensorHeight": 3072,
    }
    depth = {**color, "Location": "CALIBRATION_CameraLocationD0", "SensorWidth": 1024, "SensorHeight": 1024}
    return json.dumps({"CalibrationInformation": {"Cameras": [depth, color]}}).encode()


def _colmap_binary() -> bytes:
    parameters = [FX, FY, CX + 0.5, CY + 0.5, *FISHEYE]
    return struct.pack("<QiiQQ8d", 1, 1, 5, 640, 480, *parameters)


REALSENSE = {**SIZE, "fx": FX, "fy": FY, "ppx": CX, "ppy": CY}
ENUMERATED = """ Intrinsic of "Depth" / 640x480 / {Z16}
  Width:      \t640
  Height:     \t480
  PPX:        \t310
  PPY:        \t235
  Fx:         \t380
  Fy:         \t380
  Distortion: \tBrown Conrady
  Coeffs:     \t0  \t0  \t0  \t0  \t0

 Intrinsic of "Color" / 640x480 / {YUYV/RGB8}
  Width:      \t640
  Height:     \t480
  PPX:        \t320
  PPY:        \t240
  Fx:         \t600
  Fy:         \t601
  Distortion: \tBrown Conrady
  Coeffs:     \t-0.1  \t0.02  \t0.003  \t-0.002  \t0
"""
ROS = f"""image_width: 640
image_height: 480
camera_name: wrist
camera_matrix: {{rows: 3, cols: 3, data: {NINE}}}
distortion_model: %s
distortion_coefficients: {{rows: 1, cols: 4, data: %s}}
"""
ROS2 = f"""header:
  frame_id: lens
height: 480
width: 640
distortion_model: plumb_bob
d: {[*RADTAN, 0.0]}
k: {NINE}
---
"""
KALIBR = f"""cam0:
  cam_overlaps: []
  camera_model: pinhole
  distortion_coeffs: %s
  distortion_model: %s
  intrinsics: [{FX}, {FY}, {CX}, {CY}]
  resolution: [640, 480]
  rostopic: /cam0/image_raw
"""
COLMAP = "# Camera list\n#   CAMERA_ID, MODEL, WIDTH, HEIGHT, PARAMS[]\n1 %s 640 480 %s\n"
M3T = f"""%YAML:1.2
intrinsics:
  f_u: {FX}
  f_v: {FY}
  pp_x: {CX}
  pp_y: {CY}
  width: 640
  height: 480
camera2world_pose: !!opencv-matrix
  rows: 4
  cols: 4
  dt: d
  data: [1., 0., 0., 0., 0., 1., 0., 0., 0., 0., 1., 0., 0., 0., 0., 1.]
"""
DEXYCB = f"""color:
  fx: {FX}
  fy: {FY}
  ppx: {CX}
  ppy: {CY}
depth:
  fx: 617.0
  fy: 617.0
  ppx: 312.0
  ppy: 241.0
"""
NERF = {"w": 640, "h": 480, "fl_x": FX, "fl_y": FY, "cx": CX + 0.5, "cy": CY + 0.5}
PINHOLE_FRAME = {"file_path": "0.png", "transform_matrix": np.eye(4).tolist()}
TEXT = "\n".join(" ".join(f"{v:.18e}" for v in row) for row in K)
FOUR_BY_FOUR = "\n".join(
    " ".join(str(v) for v in row) for row in np.block([[K, np.zeros((3, 1))], [0, 0, 0, 1]])
)
PARAMS = " ".join(str(v) for v in (FX, FY, CX + 0.5, CY + 0.5))

FILES: dict[str, tuple[str, str, bytes | str | dict[str, Any]]] = {
    "ROS camera_info, plumb_bob": ("c.yaml", "radtan", ROS % ("plumb_bob", RADTAN)),
    "ROS camera_info, equidistant": ("c.yaml", "fisheye", ROS % ("equidistant", FISHEYE)),
    "ROS 2 topic echo": ("c.yaml", "radtan", ROS2),
    "ROS 2, several messages": ("c.yaml", "radtan", ROS2 + ROS2),
    "Kalibr radtan": ("c.yaml", "radtan", KALIBR % (RADTAN, "radtan")),
    "Kalibr equidistant": ("c.yaml", "fisheye", KALIBR % (FISHEYE, "equidistant")),
    "COLMAP OPENCV": ("cameras.txt", "radtan", COLMAP % ("OPENCV", PARAMS + " -0.1 0.02 0.003 -0.002")),
    "COLMAP OPENCV_FISHEYE": (
        "cameras.txt",
        "fisheye",
        COLMAP % ("OPENCV_FISHEYE", PARAMS + " 0.05 -0.02 0.003 -0.002"),
    ),
    "COLMAP binary": ("cameras.bin", "fisheye", _colmap_binary()),
    "OpenCV yaml": ("c.yml", "radtan", _opencv(".yml")),
    "OpenCV xml": ("c.xml", "radtan", _opencv(".xml")),
    "OpenCV json": ("c.json", "radtan", _opencv(".json")),
    "OpenCV yaml, fisheye": ("c.yml", "fisheye", _opencv(".yml", fisheye=True)),
    "OpenCV tutorial npz": (
        "c.npz",
        "radtan",
        _saved(mtx=K, dist=np.array([[*RADTAN, 0.0]]), rvecs=np.zeros((2, 3))),
    ),
    "Open3D": ("c.json", "none", {**SIZE, "intrinsic_matrix": K.T.ravel().tolist()}),
    "Azure Kinect": ("c.json", "radtan", _kinect()),
    "RealSense json": (
        "c.json",
        "radtan",
        {**REALSENSE, "model": "distortion.brown_conrady", "coeffs": [*RADTAN, 0]},
    ),
    "RealSense json, no lens": (
        "c.json",
        "none",
        {**REALSENSE, "model": "Inverse Brown Conrady", "coeffs": [0] * 5},
    ),
    "RealSense T265": (
        "c.json",
        "fisheye",
        {**REALSENSE, "model": "Kannala Brandt4", "coeffs": [*FISHEYE, 0]},
    ),
    "RealSense enumerated": ("c.txt", "radtan", ENUMERATED),
    "RealSense printed": (
        "c.txt",
        "radtan",
        "[ 640x480  p[320 240]  f[600 601]  Brown Conrady [-0.1 0.02 0.003 -0.002 0] ]",
    ),
    "MegaPose": ("camera_data.json", "none", {"K": K.tolist(), "resolution": [480, 640]}),
    "BOP camera": (
        "camera.json",
        "none",
        {"fx": FX, "fy": FY, "cx": CX, "cy": CY, "depth_scale": 1.0, **SIZE},
    ),
    "BOP scene_camera": (
        "scene_camera.json",
        "none",
        {"0": {"cam_K": NINE}, "7": {"cam_K": NINE, "depth_scale": 1}},
    ),
    "M3T": ("c.yaml", "none", M3T),
    "DexYCB": ("c.yml", "none", DEXYCB),
    "nerfstudio OPENCV": (
        "transforms.json",
        "radtan",
        {
            **NERF,
            "camera_model": "OPENCV",
            **dict(zip(("k1", "k2", "p1", "p2"), RADTAN)),
            "frames": [PINHOLE_FRAME],
        },
    ),
    "nerfstudio OPENCV_FISHEYE": (
        "transforms.json",
        "fisheye",
        {
            **NERF,
            "camera_model": "OPENCV_FISHEYE",
            **dict(zip(("k1", "k2", "k3", "k4"), FISHEYE)),
            "frames": [],
        },
    ),
    "nerfstudio, cameras of frames": ("transforms.json", "none", {"frames": [{**PINHOLE_FRAME, **NERF}] * 3}),
    "Record3D": ("metadata.json", "none", {"w": 640, "h": 480, "K": K.T.ravel().tolist(), "fps": 60}),
    "Record3D, coefficients of frames": (
        "metadata.json",
        "none",
        {"w": 640, "h": 480, "K": NINE, "perFrameIntrinsicCoeffs": [[FX, FY, CX, CY]] * 3},
    ),
    "ARKit, column by column": (
        "frame.json",
        "none",
        {"intrinsics": K.T.tolist(), "imageResolution": [640, 480]},
    ),
    "AVFoundation": (
        "c.json",
        "none",
        {
            "intrinsicMatrix": (
                K.T * [[6.0, 6, 1], [6, 6, 1], [6, 6, 1]] + [[0, 0, 0], [0, 0, 0], [2.5, 2.5, 0]]
            ).tolist(),
            "intrinsicMatrixReferenceDimensions": {"width": 3840, "height": 2880},
        },
    ),
    "TACO": (
        "calibration.json",
        "none",
        {"2107": {"imgSize": [640, 480], "K": K.tolist(), "distCoeff": [0.0] * 5}},
    ),
    "FoundationPose cam_K.txt": ("cam_K.txt", "none", TEXT),
    "FoundationStereo K.txt": ("K.txt", "none", " ".join(str(v) for v in NINE) + "\n0.063\n"),
    "ScanNet 4x4": ("intrinsic_color.txt", "none", FOUR_BY_FOUR),
    "Stray Scanner csv": ("camera_matrix.csv", "none", TEXT.replace(" ", ", ")),
    "ARKitScenes pincam": ("1.pincam", "none", "640 480 600 601 320 240"),
    "UTF-16 of a Windows shell": ("K.txt", "none", TEXT.encode("utf-16")),
    "numpy array": ("K.npy", "none", _npy(K)),
    "numpy stack of frames": ("K.npy", "none", _npy(np.stack([K] * 4))),
    "printed by numpy": ("K.txt", "none", str(K)),
    "YAML exponents without a point": ("c.yaml", "none", "fx: 6e+02\nfy: 601\ncx: 3.2e2\ncy: 240\n"),
    "MATLAB's transposed matrix": ("c.json", "none", {"K": K.T.tolist()}),
    "fractions of the image size": ("c.json", "none", {"K": [FX / 640, FY / 480, 320.5 / 640, 240.5 / 480]}),
    "CVAT-like nested": ("c.json", "none", {"sensor": {"camera": {"fx": FX, "fy": FY, "cx": CX, "cy": CY}}}),
}


def _written(folder: Path, name: str, content: bytes | str | dict[str, Any]) -> Path:
    path = folder / name
    if isinstance(content, dict):
        content = json.dumps(content)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


@pytest.mark.parametrize("form", FILES)
def test_every_format_projects_as_its_tool_does(tmp_path: Path, form: str) -> None:
    name, lens, content = FILES[form]
    camera = load_camera(_written(tmp_path, name, content), 640, 480)
    np.testing.assert_allclose(camera.K, K, atol=1e-9)
    assert (camera.width, camera.height, camera.source) == (640, 480, "given")
    assert (camera.lens is None) == (lens == "none")
    np.testing.assert_allclose(camera.project(POINTS), PIXELS[lens], atol=1e-6)


COEFFICIENTS = [0.12, -0.02, 0.003, -0.002, 0.01]


@pytest.mark.parametrize(
    ("model", "coefficients", "pixel"),
    [  # where librealsense 2.59.1 projects (0.3, -0.2, 1)
        ("brown_conrady", COEFFICIENTS, (502.16308, 118.48574)),
        ("modified_brown_conrady", COEFFICIENTS, (502.14978, 118.49462)),
        ("ftheta", [0.9, 0, 0, 0, 0], (505.93091, 115.83949)),
        ("kannala_brandt4", [*FISHEYE, 0], (493.74274, 123.97848)),
    ],
)
def test_models_of_realsense_are_those_of_its_library(
    tmp_path: Path, model: str, coefficients: list[float], pixel: tuple[float, float]
) -> None:
    content = {**REALSENSE, "model": f"distortion.{model}", "coeffs": coefficients}
    camera = load_camera(_written(tmp_path, "c.json", content), 640, 480)
    np.testing.assert_allclose(camera.project([0.3, -0.2, 1.0]), pixel, atol=1e-4)


def test_the_inverse_model_of_realsense_is_asked_for(tmp_path: Path) -> None:
    """Documentation and library disagree on what its numbers mean: five pixels apart."""
    content = {**REALSENSE, "model": "distortion.inverse_brown_conrady", "coeffs": COEFFICIENTS}
    path = _written(tmp_path, "c.json", content)
    with pytest.raises(
        InputError, match=r"'distortion.inverse_brown_conrady' means one thing in .* and another in"
    ):
        load_camera(path, 640, 480)
    _written(tmp_path, "c.json", {**content, "model": "documented_inverse_brown_conrady"})
    x, y = 0.3, -0.25  # a place in the picture; OpenCV's polynomial of it is the ray
    ray = cv2.projectPoints(np.array([[x, y, 1.0]]), NO_MOTION, NO_MOTION, np.eye(3), np.array(COEFFICIENTS))[
        0
    ]
    camera = load_camera(path, 640, 480)
    np.testing.assert_allclose(camera.project([*ray.ravel(), 1.0]), K[:2] @ [x, y, 1.0], atol=1e-6)


def test_ftheta_and_fov_are_one_formula(tmp_path: Path) -> None:
    content = {**REALSENSE, "model": "ftheta", "coeffs": [0.9, 0, 0, 0, 0]}
    camera = load_camera(_written(tmp_path, "c.json", content), 640, 480)
    bent = np.arctan(2 * 0.4 * np.tan(0.45)) / 0.9
    np.testing.assert_allclose(camera.project([0.4, 0.0, 1.0]), [CX + FX * bent, CY])


def test_kalibr_eucm(tmp_path: Path) -> None:
    text = KALIBR.replace("pinhole", "eucm").replace(f"[{FX}, {FY}", f"[0.6, 1.1, {FX}, {FY}") % ([], "none")
    camera = load_camera(_written(tmp_path, "c.yaml", text), 640, 480)
    rho = np.sqrt(1.1 * (0.3**2 + 0.2**2) + 1)
    expected = K[:2] @ [0.3 / (0.6 * rho + 0.4), -0.2 / (0.6 * rho + 0.4), 1.0]
    np.testing.assert_allclose(camera.project([0.3, -0.2, 1.0]), expected)


def test_wide_pictures_of_an_azure_kinect_are_the_middle_of_its_tall_ones(tmp_path: Path) -> None:
    camera = load_camera(_written(tmp_path, "c.json", _kinect()), 640, 360)
    np.testing.assert_allclose(camera.K, K - [[0, 0, 0], [0, 0, 60], [0, 0, 0]], atol=1e-9)


def test_a_region_of_interest_of_ros(tmp_path: Path) -> None:
    roi = "roi: {x_offset: 100, y_offset: 60, height: 320, width: 480, do_rectify: false}\n---"
    camera = load_camera(_written(tmp_path, "c.yaml", ROS2.replace("---", roi)), 480, 320)
    np.testing.assert_allclose(camera.K, K - [[0, 0, 100], [0, 0, 60], [0, 0, 0]])
    whole = "roi: {x_offset: 0, y_offset: 0, height: 0, width: 0, do_rectify: false}\nbinning_x: 2\nbinning_y: 2\n---"
    camera = load_camera(_written(tmp_path, "c.yaml", ROS2.replace("---", whole)), 320, 240)
    np.testing.assert_allclose(camera.K, [[300, 0, 159.75], [0, 300.5, 119.75], [0, 0, 1]])


def test_folders_are_read_by_the_file_of_their_tool(tmp_path: Path) -> None:
    _written(tmp_path, "cameras.txt", COLMAP % ("PINHOLE", PARAMS))
    np.testing.assert_allclose(load_camera(tmp_path, 640, 480).K, K)


def test_an_angle_of_view_alone_fits_any_size(tmp_path: Path) -> None:
    path = _written(tmp_path, "transforms_train.json", {"camera_angle_x": 0.8, "frames": [PINHOLE_FRAME]})
    camera = load_camera(path, 800, 600)
    focal = 400 / np.tan(0.4)
    np.testing.assert_allclose(camera.K, [[focal, 0, 399.5], [0, focal, 299.5], [0, 0, 1]])


def test_color_goes_before_depth_and_the_own_size_before_others(tmp_path: Path) -> None:
    other = {"width": 1280, "height": 720, "fx": 900, "fy": 900, "cx": 640, "cy": 360}
    content = {"hd": other, "sd": {**SIZE, "fx": FX, "fy": FY, "cx": CX, "cy": CY}}
    camera = load_camera(_written(tmp_path, "c.json", content), 640, 480)
    np.testing.assert_allclose(camera.K, K)
    content = {"depth": {**SIZE, "K": [500, 500, 300, 200]}, "color": {**SIZE, "K": NINE}}
    camera = load_camera(_written(tmp_path, "c.json", content), 640, 480)
    np.testing.assert_allclose(camera.K, K)


def test_cameras_of_frames_that_differ_are_told(tmp_path: Path) -> None:
    zoomed = [FX * 1.2, 0, CX, 0, FY * 1.2, CY, 0, 0, 1]
    content = {"0": {"cam_K": NINE}, "1": {"cam_K": zoomed}}
    with pytest.raises(
        InputError, match=r"2 cameras that differ, by 53.3 pixels.* from 600.0 to 720.0.*one camera"
    ):
        load_camera(_written(tmp_path, "scene_camera.json", content), 640, 480)
    breathing = {str(i): {"cam_K": [FX + i, 0, CX, 0, FY + i, CY, 0, 0, 1]} for i in range(3)}
    assert load_camera(_written(tmp_path, "scene_camera.json", breathing), 640, 480).fx == FX + 1


@pytest.mark.parametrize("order", [[480, 640], [640, 480], "640x480"])
def test_a_size_without_names_is_read_in_the_order_that_the_middle_fits(tmp_path: Path, order: Any) -> None:
    path = _written(tmp_path, "c.json", {"K": K.tolist(), "resolution": order})
    camera = load_camera(path, 320, 240)
    np.testing.assert_allclose(camera.K, [[300, 0, 159.75], [0, 300.5, 119.75], [0, 0, 1]])


def test_opencv_coefficients_of_a_camera_are_kept_as_they_are(tmp_path: Path) -> None:
    camera = load_camera(_written(tmp_path, "c.yaml", ROS % ("plumb_bob", RADTAN)), 640, 480)
    assert camera.distortion is not None
    assert camera.distortion.tolist() == RADTAN
    assert isinstance(camera, Camera)
