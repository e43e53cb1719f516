"""``render()``: torch in, torch out, any size of the same view."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import trimesh

from dexman_pose.data import Camera, Mesh
from dexman_pose.errors import InputError
from dexman_pose.geometry import se3
from dexman_pose.render import Rasterizer, rasterizer_of, render
from dexman_pose.render._torch_inputs import resized

CAMERA = Camera.from_focal(100.0, 80, 60)
POSE = se3(np.eye(3), [0.05, 0.02, 2.0])


def ball() -> Mesh:
    s = trimesh.creation.icosphere(subdivisions=2, radius=0.4)
    return Mesh(s.vertices, s.faces)


def test_agrees_with_the_rasterizer_and_keeps_the_batch_shape() -> None:
    mesh = ball()
    want = Rasterizer(mesh).render(POSE, CAMERA.K, 80, 60, attributes=("depth", "normal", "color"))
    one = render(mesh, POSE, CAMERA)
    many = render(mesh, torch.from_numpy(np.stack([POSE, POSE])).float(), CAMERA)
    assert one.mask.shape == (60, 80) and one.mask.dtype == torch.bool
    assert many.colour.shape == (2, 60, 80, 3) and many.depth.dtype == torch.float32
    mask, depth, normal, colour = one
    assert np.array_equal(mask.numpy(), want.mask[0]) and np.array_equal(depth.numpy(), want.depth[0])
    assert np.array_equal(normal.numpy(), want.normal[0]) and np.array_equal(colour.numpy(), want.color[0])
    assert many.mask[1].sum() == one.mask.sum()


def test_another_size_shows_the_same_view() -> None:
    mesh = ball()
    small, large = render(mesh, POSE, CAMERA), render(mesh, POSE, CAMERA, size=(240, 320))
    assert large.mask.shape == (240, 320)
    assert large.mask.float().mean().item() == pytest.approx(small.mask.float().mean().item(), rel=0.02)
    pooled = torch.nn.functional.avg_pool2d(large.mask.float()[None, None], 4)[0, 0]
    assert (pooled - small.mask.float()).mean().abs() < 2e-3
    k = np.asarray(resized(CAMERA.K, CAMERA, 320, 240))
    np.testing.assert_allclose(k, CAMERA.cropped(0, 0, 320, 240, 4.0).K)


def test_rasterizers_are_kept_per_mesh_object() -> None:
    first, second = ball(), ball()
    assert rasterizer_of(first) is rasterizer_of(first)
    assert rasterizer_of(first) is not rasterizer_of(second)
    assert rasterizer_of(second).mesh is second


def test_many_meshes_do_not_pile_up() -> None:
    kept = rasterizer_of(ball())
    for _ in range(40):
        rasterizer_of(ball())
    assert rasterizer_of(kept.mesh) is not kept


def test_bad_input_is_named() -> None:
    with pytest.raises(InputError, match="positive whole size"):
        render(ball(), POSE, CAMERA, size=(0, 10))
    with pytest.raises(InputError, match="NaN"):
        render(ball(), POSE * np.nan, CAMERA)
