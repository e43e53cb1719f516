"""Intrinsics in every form that is read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dexman_pose.data.camera_file import load_camera, parse_k, rescale_k
from dexman_pose.errors import InputError

K = [[600.0, 0.0, 320.0], [0.0, 610.0, 240.0], [0.0, 0.0, 1.0]]
FLAT = [600.0, 610.0, 320.0, 240.0]
NINE = [x for row in K for x in row]
OPENCV = """%YAML:1.0
---
image_width: 640
image_height: 480
camera_matrix: !!opencv-matrix
   rows: 3
   cols: 3
   dt: d
   data: [ 600., 0., 320., 0., 610., 240., 0., 0., 1. ]
distortion_coefficients: !!opencv-matrix
   rows: 1
   cols: 5
   dt: d
   data: [ 0.1, -0.2, 0., 0., 0. ]
"""
M3T = """%YAML:1.2
intrinsics:
  f_u: 600
  f_v: 610
  pp_x: 320
  pp_y: 240
  width: 640
  height: 480
camera2world_pose: !!opencv-matrix
  rows: 1
  cols: 1
  dt: d
  data: [ 1. ]
"""


@pytest.mark.parametrize(
    "content",
    [
        {"K": K, "width": 640, "height": 480},
        {"K": FLAT},
        {"K": NINE},
        dict(zip(("fx", "fy", "cx", "cy"), FLAT)),
        {"cam_K": NINE, "depth_scale": 1.0},
        {"0": {"cam_K": NINE}, "1": {"cam_K": NINE}},
        {"intrinsics": dict(zip(("fx", "fy", "cx", "cy"), FLAT)), "note": "x"},
        OPENCV,
        M3T,
    ],
)
def test_all_forms_give_the_same_camera(tmp_path: Path, content: Any) -> None:
    path = tmp_path / ("c.yaml" if isinstance(content, str) else "c.json")
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    camera = load_camera(path, 640, 480)
    np.testing.assert_allclose(camera.K, K)
    assert (camera.width, camera.height, camera.source) == (640, 480, "given")
    if content is OPENCV:
        np.testing.assert_allclose(camera.distortion, [0.1, -0.2, 0, 0, 0])
    else:
        assert camera.distortion is None


def test_intrinsics_of_another_resolution_are_rescaled(tmp_path: Path) -> None:
    path = tmp_path / "c.json"
    path.write_text(json.dumps({"K": FLAT, "width": 640, "height": 480, "distortion": [0.1, 0, 0, 0]}))
    camera = load_camera(path, 1280, 960)
    np.testing.assert_allclose(camera.K, [[1200, 0, 640.5], [0, 1220, 480.5], [0, 0, 1]])
    np.testing.assert_allclose(camera.distortion, [0.1, 0, 0, 0])
    with pytest.raises(InputError, match=r"c.json: the intrinsics are for 640x480.*another aspect ratio"):
        load_camera(path, 1280, 720)


def test_rescaling_keeps_rays() -> None:
    """The left and right edges of the image, at -0.5 and width - 0.5, keep their directions."""
    k = np.array(K)
    small = rescale_k(k, (640, 480), (160, 120))
    for u, s in ((-0.5, -0.5), (639.5, 159.5)):
        assert (u - k[0, 2]) / k[0, 0] == pytest.approx((s - small[0, 2]) / small[0, 0])


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "neither JSON nor YAML"),
        ("[1, 2]", "holds no camera"),
        ('{"a": 1}', "no intrinsics found among a"),
        ('{"K": [1, 2, 3]}', "9 numbers"),
        ('{"K": "wide"}', "expected numbers"),
        ('{"K": [0, 610, 320, 240]}', "positive focal"),
        ('{"K": [NaN, 610, 320, 240]}', "NaN"),
        ('{"fx": "a", "fy": 1, "cx": 1, "cy": 1}', "expected numbers for fx, but got 'a'"),
        ('{"K": [1200, 1200, 960, 540]}', "principal point .960, 540. lies outside the 640x480"),
        ('{"K": [600, 610, 320, 240], "width": 0, "height": 480}', "must be positive"),
    ],
)
def test_bad_files_are_named_in_one_line(tmp_path: Path, content: str, message: str) -> None:
    path = tmp_path / "c.json"
    path.write_text(content)
    with pytest.raises(InputError, match=message) as caught:
        load_camera(path, 640, 480)
    assert str(path) in str(caught.value) and "\n" not in str(caught.value)


def test_missing_and_binary_files(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot read the camera file"):
        load_camera(tmp_path / "none.json", 640, 480)
    (tmp_path / "b.yaml").write_bytes(b"\xff\xfe\x00\x81")
    with pytest.raises(InputError, match="it is not text"):
        load_camera(tmp_path / "b.yaml", 640, 480)


def test_parse_k() -> None:
    np.testing.assert_allclose(parse_k("600, 610,320,240", 640, 480).K, K)
    np.testing.assert_allclose(parse_k("600", 641, 481).K, [[600, 0, 320], [0, 600, 240], [0, 0, 1]])
    for text in ("", "a,b,c,d", "1,2", "1,2,3,4,5"):
        with pytest.raises(InputError, match="fx,fy,cx,cy"):
            parse_k(text, 640, 480)
    with pytest.raises(InputError, match="outside"):
        parse_k("600,610,3200,240", 640, 480)
    with pytest.raises(InputError, match="positive focal"):
        parse_k("-600,610,320,240", 640, 480)
