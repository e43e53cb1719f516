"""Only the box that a mesh can reach is cleared and read, whatever lies beside it; threads share it as on a GPU."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
import torch
import trimesh

from dexman_pose.data import Camera, Mesh
from dexman_pose.geometry import se3, so3_exp
from dexman_pose.render import autograd
from dexman_pose.render.functional import render

CAMERA = Camera.from_focal(70.0, 61, 47)


def ball() -> Mesh:
    s = trimesh.creation.icosphere(subdivisions=2, radius=0.3)
    colors = np.random.default_rng(0).integers(0, 255, (len(s.vertices), 3)).astype(np.uint8)
    return Mesh(s.vertices * [1.0, 0.7, 0.5], s.faces, vertex_colors=colors)


def poses() -> torch.Tensor:
    """In the middle, over each border and corner, small and far, across the near plane, behind, beside."""
    places = [
        (0, 0, 1.5),
        (0.65, 0, 1.5),
        (-0.65, 0.5, 1.5),
        (0, -0.5, 1.5),
        (0.6, 0.45, 1.4),
        (0, 0, 30),
        (0, 0, 0.2),
        (0, 0, -1),
        (4, 0, 1.5),
    ]
    turns = [so3_exp([0.3 * i, 0.2, 0.1 * i]) for i in range(len(places))]
    return torch.tensor(np.stack([se3(r, np.array(p, float)) for r, p in zip(turns, places)]))


def drawn(pose: torch.Tensor, mesh: Mesh, **instead: torch.Tensor) -> list[torch.Tensor]:
    """The images and the gradients of pose and intrinsics of a loss over all of them."""
    pose = pose.clone().requires_grad_()
    k = torch.tensor(CAMERA.K, requires_grad=True)
    images = render(mesh, pose, CAMERA, K=k, **instead)
    rng = torch.Generator().manual_seed(1)
    weights = [torch.rand(image.shape[1:], generator=rng) for image in images]
    loss = sum((image * w).sum() for image, w in zip(images, weights))
    return [*(image.detach() for image in images), *torch.autograd.grad(loss, (pose, k))]


@pytest.fixture
def soiled() -> Iterator[None]:
    """Memory that is not cleared holds NaN and the largest whole numbers."""
    torch.use_deterministic_algorithms(True, warn_only=True)
    try:
        assert torch.empty(1).isnan().all()
        yield
    finally:
        torch.use_deterministic_algorithms(False)


def test_what_memory_held_before_is_nowhere_seen(soiled: None) -> None:
    mesh = ball()
    dirty = drawn(poses(), mesh)
    torch.use_deterministic_algorithms(False)
    clean = drawn(poses(), mesh)
    assert (clean[1] > 0).flatten(1).any(1).tolist() == [True] * 7 + [False] * 2
    for a, b in zip(dirty, clean):
        assert torch.isfinite(a).all()
        torch.testing.assert_close(a, b, rtol=0, atol=0)


def test_each_image_of_a_batch_has_a_box_of_its_own() -> None:
    mesh, every = ball(), poses()
    together = drawn(every, mesh)
    for i in range(len(every)):
        alone = drawn(every[i : i + 1], mesh)
        for a, b in zip(alone[:5], together[:5]):
            torch.testing.assert_close(a[0], b[i], rtol=1e-12, atol=1e-12)


def test_threads_of_single_pixels_draw_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    """A GPU gives every pixel, face and edge a thread; here they run one after the other."""
    mesh = ball()
    whole = drawn(poses(), mesh)
    monkeypatch.setattr(autograd.View, "threads", lambda self, items: max(1, items))
    parts = drawn(poses(), mesh)
    for a, b in zip(whole, parts):
        torch.testing.assert_close(a, b, rtol=1e-10, atol=1e-10 * float(a.abs().max()))


def test_backs_are_skipped_only_where_they_are_hidden() -> None:
    """The same closed mesh, moved by its vertices to be inside out, shows its backs; scaled, it does not need them."""
    mesh = ball()
    pose = poses()[:1]
    plain = drawn(pose, mesh)
    given = drawn(pose, mesh, vertices=torch.tensor(mesh.vertices))
    scaled = drawn(pose, mesh, scale=torch.tensor([1.0, 1.0, 1.0]))
    for a, b, c in zip(plain, given, scaled):
        torch.testing.assert_close(a, b, rtol=1e-9, atol=1e-9)
        torch.testing.assert_close(a, c, rtol=1e-9, atol=1e-9)
    open_ball = Mesh(mesh.vertices, mesh.faces[mesh.vertices[mesh.faces].mean(1)[:, 2] > 0])
    inside = drawn(torch.tensor(se3(np.eye(3), [0.0, 0.0, 1.5]))[None], open_ball)
    assert (inside[1] > 0).sum() > 300, "the far half of an open mesh is seen from within"
