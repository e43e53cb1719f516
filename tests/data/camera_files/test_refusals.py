"""Camera files that cannot be the clip's, or are no camera files: one line that says why, whatever is in them."""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dexman_pose.data import load_camera, parse_k
from dexman_pose.data.camera_file import camera_of_k
from dexman_pose.errors import InputError

K = [[600.0, 0.0, 320.0], [0.0, 601.0, 240.0], [0.0, 0.0, 1.0]]
SIZE = {"width": 640, "height": 480}
LENS = {**SIZE, "K": K}


def _refused(path: Path, match: str) -> None:
    with pytest.raises(InputError, match=match) as caught:
        load_camera(path, 640, 480)
    assert str(path) in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({**LENS, "distortion_model": "mei", "D": [0.1, 0, 0, 0]}, "unknown lens model 'mei'"),
        ({**LENS, "distortion_model": "mei"}, "unknown lens model 'mei'"),
        ({**LENS, "camera_model": "omni", "D": [0.0]}, "camera model 'omni' is not known"),
        (
            {**LENS, "distortion_model": "none", "D": [0.1, 0, 0, 0]},
            "'none', but the coefficients .* are not 0",
        ),
        ({**LENS, "model": "D435", "coeffs": [0.1, 0, 0, 0, 0]}, "unknown lens model 'D435'"),
        ({**LENS, "D": [0.1, 0.2, 0.3]}, "4 or 5 or 8 or 12 or 14 coefficients, but the file has 3"),
        (
            {**LENS, "distortion_model": "equidistant", "D": [0.1] * 8},
            "fisheye lens has 4 coefficients, but .* 8",
        ),
        ({**LENS, "D": [float("nan")] * 5}, "NaN"),
        ({"K": [[-600, 0, 320], [0, 601, 240], [0, 0, 1]]}, "positive focal lengths.*OpenGL"),
        ({"K": [[600, 0, 320], [5, 601, 240], [0, 0, 1]]}, r"K must be \[\[fx, skew, cx\]"),
        ({**SIZE, "K": [0.0] * 9, "D": [], "distortion_model": ""}, "not calibrated"),
        ({"K": [0.9, 0.9, 0.5, 0.5]}, "divided by the image size, but not"),
        ({"fx": 4.2, "fy": 4.2, "cx": 320, "cy": 240}, "not in millimetres or metres"),
        ({"K": [1200, 1200, 639.5, 479.5]}, "middle of an image 2 times as large"),
        ({"K": [300, 300, 159.5, 119.5]}, "middle of an image 0.5 times as large"),
        ({"K": [900, 900, 479.5, 359.5]}, "middle of an image 1.5 times as large"),
        ({"K": [600, 600, 239.5, 319.5]}, "turned by 90 degrees"),
        ({"K": [600, 600, 320, 5]}, "lies at the edge"),
        ({"K": [600, 100, 320, 240]}, "differ too much"),
        ({**SIZE, "width": 480, "height": 640, "K": K}, "turned by 90 degrees"),
        ({**SIZE, "width": 640.5, "K": K}, "whole number"),
        ({"K": [600, 601, 320]}, "9 numbers"),
        ({"K": [[600, 0, 320], [0, 601], [0, 0, 1]]}, "expected numbers"),
        ({"fl_x": 600}, "neither w, h nor cx, cy"),
        (
            {"w": 640, "h": 480, "fl_x": 600, "k1": 0.1, "k4": 0.1, "camera_model": "OPENCV"},
            "k4 of an OPENCV camera",
        ),
        ({"camera_angle_x": 4.0}, "between 0 and pi"),
        (
            {"camera_model": "WOODSCAPE", **SIZE, "params": [600, 320, 240]},
            "unknown COLMAP camera model 'WOODSCAPE'",
        ),
        ({"camera_model": "OPENCV", **SIZE, "params": [600, 320, 240]}, "8 parameters, but the file has 3"),
        ({"ModelParameters": [0.5] * 14, "ModelType": "CALIBRATION_LensDistortionModelRational6KT"}, "6KT"),
        ({}, "no intrinsics found among nothing"),
    ],
)
def test_what_cannot_be_the_camera_is_named(tmp_path: Path, content: Any, message: str) -> None:
    path = tmp_path / "c.json"
    path.write_text(json.dumps(content))
    _refused(path, message)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "holds no camera"),
        (b"[" * 100_000, "damaged|neither|nested"),
        (b'{"a":' * 100_000, "damaged|neither|nested"),
        (b"a: " + b"{b: " * 100 + b"1" + b"}" * 100, "nested too deeply"),
        (b"a: &x [1, 2]\nK: [*x, *x, *x, *x]", "aliases"),
        (b'{"K": [1' + b"0" * 5000 + b", 600, 320, 240]}", "damaged|neither|finite|expected"),
        (b'{"K": [1e400, 600, 320, 240]}', "finite"),
        (b'{"K": [600, 601, 320, 240], "width": 1e999, "height": 480}', "one number for width"),
        (b"fx: 2001-01-01\nfy: 1\ncx: 1\ncy: 1", "expected numbers"),
        (b"K: !!python/object/apply:math.sqrt [4]", "intrinsics must be 9 numbers"),
        (b"\xff\xfe\x00\x81", "not text"),
        (b"\x89PNG\r\n\x1a\n\x00\x00", "not text"),
        (b"PK\x03\x04broken", "damaged"),
        (b"\x93NUMPY\x01\x00v\x00{'descr': '<f8', 'fortran_order': False, 'shape': (3, 3), }", "damaged"),
        (b"<?xml version='1.0'?><!DOCTYPE a [<!ENTITY b 'c'>]><opencv_storage/>", "declarations"),
        (b"<?xml version='1.0'?><opencv_storage><camera_matrix>", "no XML"),
        (b"1 WOODSCAPE 640 480 600 320 240", "unknown COLMAP camera model 'WOODSCAPE'"),
        (b"1 OPENCV 640 480 600 320 240", "OPENCV camera has 8 parameters, but the file has 3"),
        (b"600 0 320 0 601 240 0 0", "holds no camera|no intrinsics"),
        (b"nan 0 320\n0 601 240\n0 0 1", "finite"),
    ],
)
def test_broken_files_end_in_one_line(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "c.yaml"
    path.write_bytes(content)
    _refused(path, message)


def test_a_colmap_binary_that_ends_early_or_lies(tmp_path: Path) -> None:
    path = tmp_path / "cameras.bin"
    whole = struct.pack("<QiiQQ4d", 1, 1, 1, 640, 480, 600, 601, 320.5, 240.5)
    path.write_bytes(whole)
    assert load_camera(path, 640, 480).fx == 600
    for content in (whole[:-3], b"", struct.pack("<Q", 2**62), b"\xff" * 40):
        path.write_bytes(content)
        _refused(path, "no whole COLMAP")
    path.write_bytes(struct.pack("<QiiQQ4d", 1, 1, 99, 640, 480, 600, 601, 320.5, 240.5))
    _refused(path, "camera model number 99")


def test_folders_and_missing_files(tmp_path: Path) -> None:
    _refused(tmp_path, "cannot read the camera file")
    _refused(tmp_path / "none.json", "cannot read the camera file")


@settings(max_examples=60, deadline=None)
@given(data=st.binary(max_size=200))
def test_any_bytes_are_a_camera_or_one_line(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "any.yaml"
    path.write_bytes(data)
    try:
        load_camera(path, 640, 480)
    except InputError as error:
        assert "\n" not in str(error)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=6),
    lambda inner: (
        st.lists(inner, max_size=9)
        | st.dictionaries(
            st.sampled_from(["K", "data", "fx", "frames", "intrinsics", "D", "model", "w"]), inner
        )
    ),
    max_leaves=12,
)


@settings(max_examples=60, deadline=None)
@given(
    key=st.sampled_from(
        ["K", "D", "width", "resolution", "model", "distortion_model", "frames", "intrinsics", "fl_x"]
    ),
    value=VALUES,
)
def test_any_value_in_place_of_one(tmp_path_factory: pytest.TempPathFactory, key: str, value: Any) -> None:
    path = tmp_path_factory.getbasetemp() / "any.json"
    path.write_text(json.dumps({**LENS, "D": [0.1, 0.0, 0.0, 0.0], key: value}))
    try:
        camera = load_camera(path, 640, 480)
    except InputError as error:
        assert "\n" not in str(error)
    else:
        assert np.isfinite(camera.K).all()


def test_the_command_line_is_held_to_the_same() -> None:
    for text, message in (
        ("1200,1200,639.5,479.5", "2 times as large"),
        ("0.9,0.9,0.5,0.5", "divided by the image size"),
        ("0.9", "millimetres or metres"),
        ("-600", "positive focal"),
        ("nan,600,320,240", "finite"),
        ("inf", "finite"),
        ("600,600,240,320", "turned by 90"),
    ):
        with pytest.raises(InputError, match=message):
            parse_k(text, 640, 480)
    fractions = parse_k(f"{600 / 640},{601 / 480},{320.5 / 640},{240.5 / 480}", 640, 480)
    np.testing.assert_allclose(fractions.K, K)


@pytest.mark.parametrize(
    ("k", "message"),
    [
        (np.array(K) * 1j, "expected numbers"),
        ("wide", "expected numbers"),
        (np.full((3, 3), np.nan), "finite"),
        (np.eye(2), "9 numbers .* of shape .2, 2."),
        (None, "9 numbers"),
        (np.zeros((2, 3, 3)), "9 numbers"),
    ],
)
def test_arrays_in_place_of_a_camera(k: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        camera_of_k(k, 640, 480)


def test_arrays_that_are_a_camera() -> None:
    for k in (
        K,
        np.array(K),
        tuple(map(tuple, K)),
        np.array(K).T,
        [600, 601, 320, 240],
        np.array(K, np.float32),
    ):
        np.testing.assert_allclose(camera_of_k(k, 640, 480).K, K)
