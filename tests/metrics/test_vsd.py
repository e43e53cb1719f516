"""VSD on 4x4 images worked out by hand, and against its definition written out over whole images."""

from __future__ import annotations

import gc
import json
import sys
import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from dexman_pose.benchmarks.speed.vsd import RayMap, vsd_by_definition
from dexman_pose.data import Camera, Mesh
from dexman_pose.errors import InputError
from dexman_pose.geometry import orthonormalize, se3, se3_exp, so3_exp
from dexman_pose.meshing.load import load_mesh_with_unit
from dexman_pose.metrics.poses import diameter
from dexman_pose.metrics.vsd import vsd
from dexman_pose.render import Rasterizer

vsd_module = sys.modules[vsd.__module__]  # the room exports the function under the file's name

CAMERA = Camera(np.array([[4.0, 0, 1.5], [0, 4, 1.5], [0, 0, 1]]), 4, 4)
# At one metre it covers the four middle pixels of CAMERA, columns and rows 0.6 to 2.4.
PLATE = Mesh(
    0.225 * np.array([[-1.0, -1, 0], [1, -1, 0], [1, 1, 0], [-1, 1, 0]]), np.array([[0, 1, 2], [0, 2, 3]])
)
FAR = np.full((4, 4), 5.0, np.float32)
NONE = np.zeros((4, 4), np.float32)
PIXEL = 0.25  # metres at one metre


def at(x: float = 0.0, y: float = 0.0, z: float = 1.0) -> NDArray[np.float64]:
    return se3(np.eye(3), [x, y, z])


def plate_vsd(estimated: NDArray[np.float64], depth: NDArray[np.float32], **options: object) -> list[float]:
    given = {"taus": (0.2,), "diameter": 1.0, **options}
    return list(vsd(estimated, at(), PLATE, CAMERA, depth, **given))  # type: ignore[arg-type]


@pytest.mark.parametrize("depth", [FAR, NONE])
def test_equal_poses_have_no_error(depth: NDArray[np.float32]) -> None:
    assert plate_vsd(at(), depth) == [0.0]


def test_one_pixel_aside_two_of_six_pixels_agree() -> None:
    assert plate_vsd(at(PIXEL), FAR) == [4 / 6]
    assert plate_vsd(at(0, -PIXEL), FAR) == [4 / 6]


def test_one_pixel_aside_both_ways_one_of_seven_pixels_agrees() -> None:
    assert plate_vsd(at(PIXEL, PIXEL), FAR) == [6 / 7]


def test_what_was_not_measured_is_visible_in_bop19_and_hidden_in_bop18() -> None:
    assert plate_vsd(at(PIXEL), NONE) == [4 / 6]
    assert plate_vsd(at(), NONE, visibility="bop18") == [1.0]
    half = FAR.copy()
    half[:, 2:] = 0.0
    # Visible: truth column 1, estimate none of columns 2 and 3.
    assert plate_vsd(at(PIXEL), half, visibility="bop18") == [1.0]
    # Visible: truth column 1, estimate columns 0 and 1.
    assert plate_vsd(at(-PIXEL), half, visibility="bop18") == [2 / 4]


@pytest.mark.parametrize("nothing", [np.nan, np.inf, -1.0])
def test_numbers_that_are_no_depth_count_as_not_measured(nothing: float) -> None:
    depth = np.full((4, 4), nothing, np.float32)
    assert plate_vsd(at(PIXEL), depth) == [4 / 6]
    assert plate_vsd(at(), depth, visibility="bop18") == [1.0]


def test_something_in_front_hides() -> None:
    depth = FAR.copy()
    depth[:, 1] = 0.5
    assert plate_vsd(at(), depth) == [0.0]
    # Truth: column 2. Estimate: column 0; its column 1 is hidden.
    assert plate_vsd(at(-PIXEL), depth) == [1.0]
    # Truth: column 2. Estimate: columns 2 and 3.
    assert plate_vsd(at(PIXEL), depth) == [2 / 4]


def test_all_hidden_is_an_empty_union() -> None:
    assert plate_vsd(at(), np.full((4, 4), 0.5, np.float32)) == [1.0]


def test_an_estimate_behind_what_is_seen_is_visible_where_the_truth_is() -> None:
    measured = np.full((4, 4), 1.0, np.float32)
    # 0.2 m behind along the axis, on rays through pixels 0.5 px from it both ways: 0.2031 m.
    far = 0.2 * np.sqrt(1 + 2 * 0.125**2)
    assert plate_vsd(at(z=1.2), measured, taus=(0.25, 0.2)) == [0.0, 1.0]
    assert plate_vsd(at(z=1.2), measured, taus=(0.4,), cost="tlinear") == pytest.approx([far / 0.4], abs=1e-6)
    assert plate_vsd(at(z=1.2), measured, taus=(0.1,), cost="tlinear") == [1.0]


def test_distances_go_along_rays_not_along_the_axis() -> None:
    far = 0.2 * np.sqrt(1 + 2 * 0.125**2)
    assert plate_vsd(at(z=1.2), FAR, taus=(0.5 * (0.2 + far),)) == [1.0]


ON_AXIS = Camera(np.array([[4.0, 0, 1], [0, 4, 1], [0, 0, 1]]), 4, 4)
DOT = PLATE.scaled(0.3)  # covers pixel (1, 1) alone, on the optical axis, at half a metre and farther


def dot_vsd(depth: float, **options: object) -> float:
    image = np.full((4, 4), depth, np.float32)
    given = {"taus": (0.25,), "diameter": 1.0, **options}
    (error,) = vsd(at(z=0.5), at(z=1.0), DOT, ON_AXIS, image, **given)  # type: ignore[arg-type]
    return float(error)


def test_a_difference_of_tau_is_too_much() -> None:
    assert dot_vsd(5.0, taus=(0.5,)) == 1.0
    assert dot_vsd(5.0, taus=(0.5000001,)) == 0.0
    assert dot_vsd(5.0, taus=(0.25,), diameter=2.0) == 1.0
    assert dot_vsd(5.0, taus=(0.2500001,), diameter=2.0) == 0.0
    assert dot_vsd(5.0, taus=(0.5000001,), diameter=9.0, normalized_by_diameter=False) == 0.0
    assert dot_vsd(5.0, taus=(0.5,), diameter=9.0, normalized_by_diameter=False) == 1.0


def test_surface_delta_behind_what_is_measured_is_still_visible() -> None:
    # The truth at 1 m is seen through a measurement at 0.75 m, or the estimate in front of it counts alone.
    assert dot_vsd(0.75, delta=0.25, taus=(0.6,)) == 0.0
    assert dot_vsd(0.75, delta=0.2499, taus=(0.6,)) == 1.0


@pytest.mark.parametrize(
    "pose", [at(z=-1.0), at(x=9.0), at(z=0.005), at(y=-3 * PIXEL)], ids=["behind", "aside", "near", "edge"]
)
def test_an_estimate_that_is_not_seen_is_wrong(pose: NDArray[np.float64]) -> None:
    assert plate_vsd(pose, FAR) == [1.0]


def test_a_truth_that_is_not_seen_is_an_empty_union() -> None:
    assert vsd(at(z=-1.0), at(z=-1.0), PLATE, CAMERA, FAR, taus=(0.2,)).tolist() == [1.0]


def test_a_truth_partly_outside_counts_what_is_inside() -> None:
    pose = at(x=2 * PIXEL)  # columns 3 and 4, the latter outside
    assert vsd(pose, pose, PLATE, CAMERA, FAR, taus=(0.2,)).tolist() == [0.0]
    # columns 2, 3 against column 3
    assert vsd(at(x=PIXEL), pose, PLATE, CAMERA, FAR, taus=(0.2,)).tolist() == [2 / 4]


BLOB_CAMERA = Camera(np.array([[150.0, 0, 80.3], [0, 140, 58.8], [0, 0, 1]]), 160, 120)


def blob() -> Mesh:
    """A lumpy shape far from its origin, with a hole in its surface."""
    import trimesh

    ball = trimesh.creation.icosphere(subdivisions=3, radius=0.1)
    v = np.asarray(ball.vertices)
    v = v * (1 + 0.3 * np.sin(40 * v[:, :1])) * [1, 0.5, 0.7] + [0.05, -0.02, 0.03]
    return Mesh(v, np.asarray(ball.faces)[20:])


def random_scene(
    seed: int, count: int
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float32]]:
    """Estimates, truths and depth with holes, noise and things in front; some objects outside or very near."""
    rng = np.random.default_rng(seed)
    true = se3(
        so3_exp(rng.normal(0, 2, (count, 3))), rng.uniform([-0.4, -0.3, 0.1], [0.4, 0.3, 0.9], (count, 3))
    )
    estimated = true @ se3_exp(rng.normal(0, rng.uniform(0.0005, 0.03, (count, 1)), (count, 6)))
    drawn = Rasterizer(blob()).render(true, BLOB_CAMERA.K, 160, 120).depth
    assert drawn is not None
    depth = np.where(drawn > 0, drawn + rng.normal(0, 0.01, drawn.shape), 1.2).astype(np.float32)
    depth[rng.random(depth.shape) < 0.2] = 0.0
    depth[:, 50:60] = 0.15
    return estimated, true, depth


@pytest.mark.parametrize("visibility", ["bop19", "bop18"])
@pytest.mark.parametrize("cost", ["step", "tlinear"])
@pytest.mark.parametrize("normalized", [True, False])
def test_equals_the_definition_over_whole_images(visibility: str, cost: str, normalized: bool) -> None:
    mesh, rays = blob(), RayMap(BLOB_CAMERA)
    rasterizer = Rasterizer(mesh)
    estimated, true, depth = random_scene(1, 40)
    taus = (0.3, 0.05, 0.1) if normalized else (0.01, 0.03)
    found = vsd(
        *(estimated, true, mesh, BLOB_CAMERA, depth),
        taus=taus,
        cost=cost,  # type: ignore[arg-type]
        visibility=visibility,  # type: ignore[arg-type]
        normalized_by_diameter=normalized,
    )
    size = diameter(mesh.vertices) if normalized else 1.0
    expected = np.stack(
        [
            vsd_by_definition(
                *(np.stack(pair), rasterizer, BLOB_CAMERA, rays, z),
                diameter=size,
                taus=taus,
                cost=cost,
                visibility=visibility,
            )
            for *pair, z in zip(true, estimated, depth)
        ]
    )
    assert 0.05 < np.median(expected) < 0.95 and (expected == 1.0).any() and len(np.unique(expected)) > 20
    if cost == "step":
        np.testing.assert_array_equal(found, expected)
    else:  # sums in another order
        np.testing.assert_allclose(found, expected, atol=1e-12)


def test_an_object_that_reaches_behind_the_camera_equals_the_definition() -> None:
    import trimesh

    beam = trimesh.creation.box((0.05, 0.04, 2.0))
    mesh = Mesh(np.asarray(beam.vertices), np.asarray(beam.faces))
    rays, rasterizer = RayMap(BLOB_CAMERA), Rasterizer(mesh)
    true, depth = se3(so3_exp([0.05, 0.2, 0]), [0.2, 0.1, 0.4]), np.full((120, 160), 3.0, np.float32)
    estimated = true @ se3(np.eye(3), [0.01, 0, 0])
    expected = vsd_by_definition(
        np.stack([true, estimated]), rasterizer, BLOB_CAMERA, rays, depth, diameter=1.0, taus=(0.01, 0.05)
    )
    assert 0.0 < expected[1] < expected[0] < 1.0
    found = vsd(estimated, true, mesh, BLOB_CAMERA, depth, diameter=1.0, taus=(0.01, 0.05))
    np.testing.assert_array_equal(found, expected)


def test_leading_dimensions_and_one_depth_for_all() -> None:
    mesh = blob()
    estimated, true, depth = random_scene(2, 6)
    whole = vsd(estimated, true, mesh, BLOB_CAMERA, depth[0])
    assert whole.shape == (6, 10)
    folded = vsd(estimated.reshape(2, 3, 4, 4), true.reshape(2, 3, 4, 4), mesh, BLOB_CAMERA, depth[0])
    np.testing.assert_array_equal(folded, whole.reshape(2, 3, 10))
    many = vsd(estimated[:, None], true[0], mesh, BLOB_CAMERA, depth[0])
    assert many.shape == (6, 1, 10)
    np.testing.assert_array_equal(many[0, 0], whole[0])
    assert vsd(np.zeros((0, 4, 4)), np.zeros((0, 4, 4)), mesh, BLOB_CAMERA, depth[0]).shape == (0, 10)


@pytest.mark.parametrize("few", [1, 10**6], ids=["threads", "one thread"])
def test_a_function_is_asked_in_order_by_one_thread_at_a_time(
    few: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(vsd_module, "_FEW", few)
    mesh = blob()
    estimated, true, depth = random_scene(3, 30)
    asked: list[int] = []
    buffer = np.empty_like(depth[0])
    busy = threading.Lock()

    def read(index: int) -> NDArray[np.float32]:
        assert busy.acquire(blocking=False)
        asked.append(index)
        buffer[...] = depth[index]  # one buffer for all frames, as a decoder may keep it
        busy.release()
        return buffer

    found = vsd(estimated, true, mesh, BLOB_CAMERA, read)
    np.testing.assert_array_equal(found, vsd(estimated, true, mesh, BLOB_CAMERA, depth))
    assert asked == sorted(asked)
    skipped = sorted(set(range(30)) - set(asked))
    assert (found[skipped] == 1.0).all()


def test_an_error_while_reading_depth_comes_through() -> None:
    _, true, _ = random_scene(4, 30)
    with pytest.raises(OSError, match="no disk"):
        vsd(true, true, blob(), BLOB_CAMERA, _broken)
    with pytest.raises(InputError, match=r"depth of frame \d+ must have shape \(120, 160\)"):
        vsd(true, true, blob(), BLOB_CAMERA, lambda i: np.zeros((2, 2)))


def _broken(index: int) -> NDArray[np.float32]:
    raise OSError("no disk")


@pytest.mark.parametrize(
    "options, message",
    [
        ({"taus": (0.0,)}, "taus must be"),
        ({"taus": ()}, "taus must be"),
        ({"cost": "square"}, "cost must be"),
        ({"visibility": "bop20"}, "visibility must be"),
        ({"delta": -1.0}, "delta must be"),
        ({"diameter": 0.0}, "diameter must be"),
    ],
)
def test_bad_options_are_named(options: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=message):
        plate_vsd(at(), FAR, **options)


def test_bad_poses_and_images_are_named() -> None:
    bad = at()
    bad[0, 3] = np.nan
    with pytest.raises(InputError, match="estimated poses hold NaN"):
        vsd(bad, at(), PLATE, CAMERA, FAR)
    with pytest.raises(InputError, match="do not match"):
        vsd(np.stack([at()] * 2), np.stack([at()] * 3), PLATE, CAMERA, FAR)
    with pytest.raises(InputError, match="depth must have shape"):
        vsd(at(), at(), PLATE, CAMERA, np.zeros((2, 4, 4)))
    lens = replace(CAMERA, distortion=np.array([0.1, 0, 0, 0]))
    with pytest.raises(InputError, match="undistort the images"):
        vsd(at(), at(), PLATE, lens, FAR)


def test_nothing_is_kept_when_the_mesh_is_gone() -> None:
    mesh = blob()
    estimated, true, depth = random_scene(5, 3)
    vsd(estimated, true, mesh, BLOB_CAMERA, depth)
    key = id(mesh)
    assert key in vsd_module._scorers
    del mesh
    gc.collect()
    assert key not in vsd_module._scorers


def test_threads_stop_at_the_first_error() -> None:
    asked: list[int] = []

    def read(index: int) -> NDArray[np.float32]:
        asked.append(index)
        if len(asked) == 3:
            raise OSError("no disk")
        return np.ones((120, 160), np.float32)

    true = np.tile(se3(np.eye(3), [0, 0, 0.5]), (200, 1, 1))
    with pytest.raises(OSError, match="no disk"):
        vsd(true, true, blob(), BLOB_CAMERA, read)
    assert len(asked) < 10


@pytest.mark.data
def test_a_real_can_seen_by_a_real_sensor(data_dir: Path) -> None:
    """Another system's estimate, 9.3 mm off: worse for stricter thresholds, and as the definition says."""
    folder = data_dir / "rgbd" / "lmo_can"
    known = json.loads((folder / "pose.json").read_text())
    mesh, _, _ = load_mesh_with_unit(folder / "obj_000005.ply")
    depth = np.asarray(Image.open(folder / "depth.png")).astype(np.float32) * np.float32(1e-3)
    k = np.array(json.loads((folder / "camera.json").read_text())["cam_K"]).reshape(3, 3)
    camera = Camera(k, depth.shape[1], depth.shape[0])
    true, estimated = np.array(known["camera_from_object"]), orthonormalize(known["megapose"])
    errors = vsd(estimated, true, mesh, camera, depth)
    assert (np.diff(errors) <= 0).all() and 0.3 < errors[0] < 0.6 and errors[1] < 0.2
    pair, size = np.stack([true, estimated]), diameter(mesh.vertices)
    expected = vsd_by_definition(pair, Rasterizer(mesh), camera, RayMap(camera), depth, diameter=size)
    np.testing.assert_array_equal(errors, expected)
    assert not vsd(true, true, mesh, camera, depth).any()
