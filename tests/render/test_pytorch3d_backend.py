"""The PyTorch3D backend: its axes by arithmetic everywhere, its images where PyTorch3D is installed."""

from __future__ import annotations

import importlib.util
import sys
from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np
import pytest
import torch
import trimesh

from dexman_pose.data import Camera, Mesh
from dexman_pose.errors import MissingExtraError
from dexman_pose.geometry import se3, so3_exp
from dexman_pose.render import render
from dexman_pose.render.pytorch3d_backend import _flipped, _ndc, render_pytorch3d

CAMERA = Camera(np.array([[90.0, 0.0, 41.0], [0.0, 86.0, 27.5], [0.0, 0.0, 1.0]]), 80, 60)
POSE = se3(so3_exp([0.3, -0.5, 0.2]), [0.05, -0.02, 0.6])


def colored_box() -> Mesh:
    b = trimesh.creation.box((0.2, 0.12, 0.16))
    colors = np.random.default_rng(1).integers(0, 255, (8, 3)).astype(np.uint8)
    return Mesh(b.vertices, b.faces, vertex_colors=colors)


@pytest.mark.skipif(importlib.util.find_spec("pytorch3d") is not None, reason="pytorch3d is installed")
def test_the_message_says_how_to_install_it() -> None:
    with pytest.raises(MissingExtraError, match="pip install"):
        render_pytorch3d(colored_box(), POSE, CAMERA)


def test_the_message_when_the_import_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pytorch3d.renderer", None)
    with pytest.raises(MissingExtraError, match="pytorch3d"):
        render_pytorch3d(colored_box(), POSE, CAMERA)


@pytest.mark.parametrize("size", [(80, 60), (60, 80), (64, 64)])
def test_projection_in_its_axes_hits_the_same_pixels(size: tuple[int, int]) -> None:
    """Pixel i's centre in PyTorch3D: 1 - (2 i + 1) / side, times side over the shorter side."""
    width, height = size
    points = torch.tensor([[[0.1, -0.05, 0.7], [-0.2, 0.11, 0.9]]], dtype=torch.float64)
    ndc = _ndc(torch.tensor(CAMERA.K)[None], width, height)
    moved = _flipped(points)[0]
    got = ndc["focal_length"] * moved[:, :2] / moved[:, 2:] + ndc["principal_point"]
    pixels, sides = CAMERA.project(points[0].numpy()), np.array(size)
    want = (1.0 - (2.0 * pixels + 1.0) / sides) * sides / min(size)
    np.testing.assert_allclose(got.numpy(), want, atol=1e-12)


class _Fragments(NamedTuple):
    pix_to_face: torch.Tensor
    zbuf: torch.Tensor
    bary_coords: torch.Tensor
    dists: torch.Tensor


class _BlendParams(NamedTuple):
    sigma: float = 1e-4
    gamma: float = 1e-4


class _Rasterizer:
    """PyTorch3D's documented rasterisation by brute force: +x left, +y up, +-1 at the shorter side's ends."""

    def __init__(self, cameras: SimpleNamespace, raster_settings: SimpleNamespace) -> None:
        self.cameras, self.settings = cameras, raster_settings

    def __call__(self, meshes: SimpleNamespace) -> _Fragments:
        parts = [self._one(v, meshes.faces[i], i) for i, v in enumerate(meshes.verts)]
        return _Fragments(*(torch.stack(p) for p in zip(*parts)))

    def _one(self, verts: torch.Tensor, faces: torch.Tensor, index: int) -> tuple[torch.Tensor, ...]:
        height, width = self.settings.image_size
        f, p = self.cameras.focal_length[index], self.cameras.principal_point[index]
        xy = f * verts[:, :2] / verts[:, 2:] + p
        v, u = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
        at = torch.stack([width - 2 * u - 1, height - 2 * v - 1], -1) / min(height, width)
        a, b, c = (xy[faces[:, i]] for i in range(3))
        at = at[:, :, None]
        area = _cross(b - a, c - a)
        flat = torch.stack([_cross(b - at, c - at), _cross(c - at, a - at), _cross(a - at, b - at)], -1)
        flat = flat / area[:, None]
        inside = (flat > 0).all(-1)
        ends = ((a, b), (b, c), (c, a))
        d = torch.stack([_segment(at, s, e) for s, e in ends], -1).min(-1)[0]
        near = inside | (d < self.settings.blur_radius)
        over = flat.clamp_min(1e-4) / verts[faces][..., 2]
        bary = over / over.sum(-1, keepdim=True)
        z = (bary * verts[faces][..., 2]).sum(-1)
        kept = min(self.settings.faces_per_pixel, len(faces))
        order = torch.where(near, z, torch.inf).topk(kept, largest=False)[1]
        seen = near.gather(-1, order)
        take = order[..., None].expand(*order.shape, 3)
        return (
            torch.where(seen, order + index * len(faces), -1),
            torch.where(seen, z.gather(-1, order), -1.0),
            torch.where(seen[..., None], bary.gather(2, take), -1.0),
            torch.where(seen, torch.where(inside, -d, d).gather(-1, order), -1.0),
        )


def _cross(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    return a[..., 0] * b[..., 1] - a[..., 1] * b[..., 0]


def _segment(at: torch.Tensor, start: torch.Tensor, end: torch.Tensor) -> torch.Tensor:
    """Squared distance to a segment."""
    along = end - start
    t = (((at - start) * along).sum(-1) / along.square().sum(-1)).clamp(0, 1)
    return (at - start - t[..., None] * along).square().sum(-1)


class _Shader:
    def __init__(self, blend_params: _BlendParams) -> None:
        self.sigma = blend_params.sigma

    def __call__(self, fragments: _Fragments, meshes: SimpleNamespace) -> torch.Tensor:
        share = torch.sigmoid(-fragments.dists / self.sigma) * (fragments.pix_to_face >= 0)
        alpha = 1.0 - (1.0 - share).prod(-1, keepdim=True)
        return torch.cat([alpha.new_ones((*alpha.shape[:3], 3)), alpha], -1)


def _interpolate(pix: torch.Tensor, bary: torch.Tensor, values: torch.Tensor) -> torch.Tensor:
    found = (bary[..., None] * values[pix.clamp_min(0)]).sum(-2)
    return torch.where(pix[..., None] >= 0, found, 0.0)


def _settings(**given: Any) -> SimpleNamespace:
    known = {"image_size", "blur_radius", "faces_per_pixel", "perspective_correct", "z_clip_value"}
    assert set(given) <= known
    return SimpleNamespace(**{"blur_radius": 0.0, "faces_per_pixel": 1, **given})


@pytest.fixture(params=["stand-in", "pytorch3d"])
def peer(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """PyTorch3D where it is installed; and everywhere a stand-in with the documented interface and axes."""
    if request.param == "pytorch3d":
        pytest.importorskip("pytorch3d")
        return "pytorch3d"
    renderer = SimpleNamespace(
        PerspectiveCameras=SimpleNamespace,
        RasterizationSettings=_settings,
        MeshRasterizer=_Rasterizer,
        BlendParams=_BlendParams,
        SoftSilhouetteShader=_Shader,
    )
    structures = SimpleNamespace(Meshes=lambda verts, faces: SimpleNamespace(verts=verts, faces=faces))
    monkeypatch.setitem(sys.modules, "pytorch3d", SimpleNamespace())
    monkeypatch.setitem(sys.modules, "pytorch3d.renderer", renderer)
    monkeypatch.setitem(sys.modules, "pytorch3d.structures", structures)
    monkeypatch.setitem(
        sys.modules, "pytorch3d.ops", SimpleNamespace(interpolate_face_attributes=_interpolate)
    )
    return "stand-in"


@pytest.mark.parametrize("size", [None, (80, 60)])
def test_images_lie_on_those_of_render(peer: str, size: tuple[int, int] | None) -> None:
    mesh = colored_box()
    start = np.stack([POSE, se3(so3_exp([1.0, 0.2, -0.4]), [-0.03, 0.03, 0.7])])
    pose = torch.tensor(start, dtype=torch.float32, requires_grad=True)
    theirs, ours = render_pytorch3d(mesh, pose, CAMERA, size), render(mesh, pose, CAMERA, size)
    both = ((ours.depth > 0) & (theirs.depth > 0)).detach()
    assert both.sum() > 0.97 * (ours.depth > 0).sum()
    for a, b, bound in zip(theirs[1:], ours[1:], (1e-3, 1e-2, 2e-2)):
        assert (a[both] - b[both]).abs().median() < bound
    assert 1.0 < theirs.mask.sum().item() / ours.mask.sum().item() < 1.1, "soft ones are wider"
    gradients = []
    for image in (theirs.mask, ours.mask):
        (gradient,) = torch.autograd.grad(image[:, :, : image.shape[2] // 2].sum(), pose, retain_graph=True)
        gradients.append(gradient[:, :3, 3].flatten())
    assert torch.nn.functional.cosine_similarity(*gradients, dim=0) > 0.95
