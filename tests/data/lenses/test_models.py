"""Every lens model against OpenCV's or COLMAP's projection, and its inverse against itself."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dexman_pose.data import Camera
from dexman_pose.data.lenses.models import COEFFICIENTS, Lens
from dexman_pose.data.lenses.opencv import opencv_coefficients
from dexman_pose.errors import InputError

K = np.array([[600.0, 0, 320], [0, 610, 240], [0, 0, 1]])
RAYS = np.array([[0.3, -0.2, 1], [0.55, 0.4, 1], [-0.7, 0.1, 1]])
NO_MOTION = np.zeros(3)
LENSES = {
    "brown-conrady": [-0.1, 0.02, 0.003, -0.002],
    "fisheye": [0.05, -0.02, 0.003, -0.002],
    "modified-brown-conrady": [-0.1, 0.02, 0.003, -0.002, 0.01],
    "inverse-brown-conrady": [0.12, -0.02, 0.003, -0.002, 0.01],
    "fov": [0.8],
    "division": [-0.1],
    "eucm": [0.6, 1.1],
    "thin-prism-fisheye": [0.05, -0.02, 0.003, -0.002, 0.01, 0.004, 0.002, -0.003],
    "fisheye624": [0.05, -0.02, 0.003, -0.002, 0.001, 0.0005, 0.002, -0.003, 0.001, 0.002, -0.001, 0.0005],
}
COLMAP = {  # pixels that COLMAP 4.2 gives for RAYS with K and the coefficients above
    "brown-conrady": [[497.13284, 120.075464], [635.660281, 474.654038], [-83.128, 299.3774]],
    "fisheye": [[493.742713, 122.24105], [614.260366, 457.574331], [-51.495941, 293.955363]],
    "fov": [[504.670425, 114.83449], [636.547442, 474.05326], [-80.104383, 298.110398]],
    "division": [[497.718932, 119.546057], [636.004621, 473.651902], [-80.869483, 298.22152]],
    "eucm": [[492.833117, 122.857554], [610.240757, 454.602257], [-46.174547, 293.182494]],
    "thin-prism-fisheye": [[493.34707, 122.509208], [614.43146, 457.700837], [-52.762116, 294.13926]],
    "fisheye624": [[494.380823, 121.677194], [615.034098, 456.680923], [-49.494318, 292.885761]],
}


def _camera(model: str) -> Camera:
    return Camera.with_lens(K, 640, 480, Lens(model, np.array(LENSES[model])))  # type: ignore[arg-type]


@pytest.mark.parametrize("count", COEFFICIENTS["brown-conrady"])
def test_brown_conrady_is_that_of_opencv(count: int) -> None:
    rng = np.random.default_rng(count)
    distortion = rng.uniform(-0.1, 0.1, count)
    points = RAYS * rng.uniform(0.3, 2.0, (3, 1))
    true = cv2.projectPoints(points[:, None], NO_MOTION, NO_MOTION, K, distortion)[0][:, 0]
    np.testing.assert_allclose(Camera(K, 640, 480, distortion).project(points), true, atol=1e-9)


def test_fisheye_is_that_of_opencv() -> None:
    coefficients = np.array(LENSES["fisheye"])
    true = cv2.fisheye.projectPoints(RAYS[:, None], NO_MOTION, NO_MOTION, K, coefficients)[0][:, 0]
    np.testing.assert_allclose(_camera("fisheye").project(RAYS), true, atol=1e-9)


@pytest.mark.parametrize("model", COLMAP)
def test_models_are_those_of_colmap(model: str) -> None:
    np.testing.assert_allclose(_camera(model).project(RAYS), COLMAP[model], atol=2e-6)


def test_inverse_brown_conrady_leads_from_the_picture_to_the_ray() -> None:
    """The definition of librealsense: OpenCV's polynomial, applied to what was seen."""
    k1, k2, p1, p2, k3 = LENSES["inverse-brown-conrady"]
    x, y = 0.3, -0.25
    r2 = x * x + y * y
    f = 1 + k1 * r2 + k2 * r2**2 + k3 * r2**3
    ray = [x * f + 2 * p1 * x * y + p2 * (r2 + 2 * x * x), y * f + 2 * p2 * x * y + p1 * (r2 + 2 * y * y)]
    seen = K[:2] @ [x, y, 1.0]
    np.testing.assert_allclose(_camera("inverse-brown-conrady").project([[*ray, 1.0]])[0], seen, atol=1e-7)


def test_modified_brown_conrady_bends_tangentially_last() -> None:
    k1, k2, p1, p2, k3 = LENSES["modified-brown-conrady"]
    x, y = 0.3, -0.25
    r2 = x * x + y * y
    f = 1 + k1 * r2 + k2 * r2**2 + k3 * r2**3
    u, v = x * f, y * f
    place = [u + 2 * p1 * u * v + p2 * (r2 + 2 * u * u), v + 2 * p2 * u * v + p1 * (r2 + 2 * v * v), 1.0]
    np.testing.assert_allclose(_camera("modified-brown-conrady").project([[x, y, 1.0]])[0], K[:2] @ place)


@pytest.mark.parametrize("model", LENSES)
@settings(max_examples=15, deadline=None)
@given(u=st.floats(0, 639), v=st.floats(0, 479), z=st.floats(0.1, 5.0))
def test_unprojecting_is_the_inverse(model: str, u: float, v: float, z: float) -> None:
    camera = _camera(model)
    point = camera.unproject([u, v], z)
    assert point[2] == z
    np.testing.assert_allclose(camera.project(point), [u, v], atol=1e-4)


@pytest.mark.parametrize("model", [name for name in LENSES if name != "fov"])
def test_the_nearest_coefficients_of_opencv_project_alike(model: str) -> None:
    """Code that hands ``camera.distortion`` to OpenCV sees the same lens; tangential terms are met coarsely."""
    camera = _camera(model)
    grid = np.stack(np.meshgrid(np.linspace(-0.4, 0.4, 9), np.linspace(-0.3, 0.3, 7)), -1).reshape(-1, 2)
    points = np.concatenate([grid, np.ones((len(grid), 1))], 1)
    near = cv2.projectPoints(points[:, None], NO_MOTION, NO_MOTION, K, camera.distortion)[0][:, 0]
    tangential = model in (
        "thin-prism-fisheye",
        "fisheye624",
        "inverse-brown-conrady",
        "modified-brown-conrady",
    )
    assert np.abs(near - camera.project(points)).max() < (0.2 if tangential else 0.01)


def test_beyond_its_reach_a_lens_shows_nothing() -> None:
    """A polynomial that turns back would show two rays at one place."""
    camera = Camera(K, 640, 480, [-0.28, 0.0, 0.0, 0.0])  # turns back where 1 - 3 * 0.28 r^2 = 0
    assert camera.lens is not None
    assert camera.lens.reach == pytest.approx(np.sqrt(1 / (3 * 0.28)), rel=0.01)
    seen = camera.project([[1.0, 0.0, 1.0], [1.2, 0.0, 1.0]])
    assert np.isfinite(seen[0]).all() and np.isnan(seen[1]).all()
    assert np.isnan(camera.unproject([[5000.0, 240.0]], [1.0])[..., 0]).all()


def test_a_fisheye_of_zeros_is_no_pinhole() -> None:
    camera = Camera.with_lens(K, 640, 480, Lens("fisheye", np.zeros(4)))
    assert not camera.is_pinhole
    assert camera.project([[1.0, 0.0, 1.0]])[0, 0] == pytest.approx(320 + 600 * np.pi / 4)
    assert Camera.with_lens(K, 640, 480, Lens("division", np.zeros(1))).is_pinhole


def test_skew_is_projected_as_it_is_rendered() -> None:
    k = K.copy()
    k[0, 1] = 12.0
    camera = Camera(k, 640, 480)
    points = RAYS * [[0.4], [1.5], [2.0]]
    homogeneous = points @ k.T
    np.testing.assert_allclose(camera.project(points), homogeneous[:, :2] / homogeneous[:, 2:])
    np.testing.assert_allclose(camera.unproject(camera.project(points), points[:, 2]), points)


def test_bad_lenses_are_named() -> None:
    with pytest.raises(InputError, match="unknown lens model 'mei'"):
        Lens("mei", np.zeros(4))  # type: ignore[arg-type]
    with pytest.raises(InputError, match="fisheye lens has 4 coefficients, but got 5"):
        Lens("fisheye", np.zeros(5))
    with pytest.raises(InputError, match=r"Camera.distortion: .* 4 or 5 or 8 or 12 or 14"):
        Camera(K, 640, 480, [0.1, 0.0, 0.0])  # type: ignore[arg-type]
    with pytest.raises(InputError, match="NaN"):
        Lens("fisheye", np.full(4, np.nan))
    with pytest.raises(InputError, match="it is transposed"):
        Camera(K.T, 640, 480)
    with pytest.raises(InputError, match="divided by the image size"):
        Camera(K / [[640], [480], [1]], 640, 480)
    for distortion in ("wide", [[0.1, 0], [0, 0]], [[0.1], [0, 0]], {}):
        with pytest.raises(InputError, match=r"Camera\.distortion"):
            Camera(K, 640, 480, distortion)  # type: ignore[arg-type]


def test_coefficients_are_taken_as_opencv_calibrates_them() -> None:
    camera = Camera(K, 640, 480, np.array([[-0.1, 0.02, 0.0, 0.0, 0.0]]))
    assert camera.distortion is not None and camera.distortion.shape == (5,)


def test_a_lens_is_removed_as_a_whole() -> None:
    camera = _camera("fisheye")
    assert camera.without_lens().is_pinhole
    assert opencv_coefficients(Lens("brown-conrady", np.arange(4.0)), 1.0).tolist() == [0, 1, 2, 3]
