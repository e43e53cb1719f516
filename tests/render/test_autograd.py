"""Gradients of ``render()``: against finite differences of its own images, and against the plain twin's."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import pytest
import torch
import trimesh

from dexman_pose.data import Camera, Mesh
from dexman_pose.errors import InputError
from dexman_pose.geometry import se3, so3_exp
from dexman_pose.render import render
from dexman_pose.render.functional import _Instead, render_double
from dexman_pose.render.reference_gradient import render_reference_gradient

WIDTH, HEIGHT = 44, 36
CAMERA = Camera(np.array([[52.0, 0.4, 20.7], [0.0, 50.0, 18.2], [0.0, 0.0, 1.0]]), WIDTH, HEIGHT)
CPU = torch.device("cpu")
Tensors = dict[str, torch.Tensor]

TURNS = [(0.3, 0.5, -0.2), (1.2, -0.7, 0.4), (-0.9, 0.2, 2.0)]


@pytest.fixture(autouse=True)
def one_torch_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def bumpy() -> Mesh:
    """A smooth random blob with smooth random colours."""
    s = trimesh.creation.icosphere(subdivisions=3, radius=1.0)
    rng = np.random.default_rng(3)
    d = np.asarray(s.vertices)
    waves = rng.normal(size=(6, 3)) * 1.5
    radius = 0.35 + 0.05 * np.cos(d @ waves[:3].T + 1.0).sum(1)
    colors = 128 + 100 * np.sin(2 * d @ waves[3:].T)
    return Mesh(d * radius[:, None], s.faces, vertex_colors=colors.astype(np.uint8))


def box() -> Mesh:
    b = trimesh.creation.box((0.6, 0.4, 0.5))
    colors = np.random.default_rng(1).integers(0, 255, (8, 3)).astype(np.uint8)
    return Mesh(b.vertices, b.faces, vertex_colors=colors)


MESHES = {"bumpy": bumpy(), "box": box()}


def start(mesh: Mesh, turns: list[tuple[float, float, float]]) -> Tensors:
    """Every differentiable input, at values without any symmetry."""
    poses = np.stack(
        [se3(so3_exp(np.array(w)), [0.03 * i - 0.02, 0.013, 1.3 + 0.1 * i]) for i, w in enumerate(turns)]
    )
    assert mesh.vertex_colors is not None
    k = np.stack([CAMERA.K + np.diag([i, 0.5 * i, 0.0]) for i in range(len(turns))])
    return {
        "pose": torch.tensor(poses),
        "scale": torch.tensor([1.02, 0.97, 1.01], dtype=torch.float64),
        "vertices": torch.tensor(mesh.vertices),
        "colors": torch.tensor(mesh.vertex_colors / 255.0),
        "K": torch.tensor(k),
    }


def images(mesh: Mesh, x: Tensors) -> tuple[torch.Tensor, ...]:
    instead = _Instead(x["scale"], x["vertices"], x["colors"], None)
    return render_double(mesh, x["pose"], x["K"], (WIDTH, HEIGHT), 0.01, CPU, instead)


def weights(batch: int) -> list[torch.Tensor]:
    """Smooth weights per image: a random one would be as good, this reads its failures more easily."""
    v, u = torch.meshgrid(torch.arange(HEIGHT), torch.arange(WIDTH), indexing="ij")
    plane = torch.sin(0.31 * u + 0.2) * torch.cos(0.23 * v) + 0.3
    one = plane.double().expand(batch, HEIGHT, WIDTH)
    rgb = torch.stack([one, 0.5 - one, one * one], -1)
    return [one, one, rgb, rgb]


def loss_of(which: str) -> Callable[[tuple[torch.Tensor, ...]], torch.Tensor]:
    index = {"mask": 0, "depth": 1, "normal": 2, "colour": 3}

    def loss(drawn: tuple[torch.Tensor, ...]) -> torch.Tensor:
        if which == "mask sum":
            return drawn[0].sum()
        i = index[which]
        return (drawn[i] * weights(len(drawn[0]))[i]).sum()

    return loss


def entries(name: str, value: torch.Tensor) -> list[tuple[int, ...]]:
    """The free numbers of an input; of long ones every 29th."""
    every = [tuple(i) for i in np.ndindex(*value.shape)]
    if name == "pose":
        return [i for i in every if i[1] < 3]
    if name == "K":
        return [i for i in every if i[1:] in ((0, 0), (0, 1), (0, 2), (1, 1), (1, 2))]
    return every if len(every) <= 24 else every[::29]


def difference(
    mesh: Mesh, x: Tensors, name: str, at: tuple[int, ...], loss: Callable[..., torch.Tensor], step: float
) -> float:
    ends = []
    for sign in (1.0, -1.0):
        moved = {k: v.detach().clone() for k, v in x.items()}
        moved[name][at] += sign * step
        ends.append(loss(images(mesh, moved)).item())
    return (ends[0] - ends[1]) / (2.0 * step)


@pytest.mark.parametrize("which", ["mask sum", "mask", "depth", "normal", "colour"])
@pytest.mark.parametrize("name", ["bumpy", "box"])
def test_every_input_against_finite_differences(name: str, which: str) -> None:
    """Batch of two poses; relative tolerance 1e-4 of the largest gradient of each input."""
    mesh = MESHES[name]
    x = {k: v.requires_grad_() for k, v in start(mesh, TURNS[:2]).items()}
    loss = loss_of(which)
    gradients = torch.autograd.grad(loss(images(mesh, x)), list(x.values()), allow_unused=True)
    for (key, value), gradient in zip(x.items(), gradients):
        got = torch.zeros_like(value) if gradient is None else gradient
        chosen = entries(key, value)
        want = [difference(mesh, x, key, i, loss, 3e-8) for i in chosen]
        size = max(0.1, float(np.abs(want).max()))
        np.testing.assert_allclose([got[i].item() for i in chosen], want, atol=1e-4 * size, err_msg=key)
        if key not in ("colors",) and which not in ("normal",):
            assert np.abs(want).max() > 1e-2, f"{key}: the comparison would be hollow"


@pytest.mark.parametrize("turn", range(3))
@pytest.mark.parametrize("name", ["bumpy", "box"])
def test_images_and_gradients_agree_with_the_twin(name: str, turn: int) -> None:
    mesh = MESHES[name]
    ours = {k: v.requires_grad_() for k, v in start(mesh, TURNS[turn : turn + 1]).items()}
    theirs = {k: v.detach().clone().requires_grad_() for k, v in ours.items()}
    got = images(mesh, ours)
    shape = theirs["vertices"] * theirs["scale"]
    want = render_reference_gradient(
        mesh, theirs["pose"][0], shape, theirs["K"][0], WIDTH, HEIGHT, theirs["colors"]
    )
    assert ((got[0] > 0) & (got[0] < 1)).sum() > 40, "there must be an outline to compare"
    for a, b in zip(got, want):
        torch.testing.assert_close(a[0], b, atol=1e-9, rtol=1e-9)
    rng = torch.Generator().manual_seed(turn)
    noise = [torch.rand(image.shape, generator=rng, dtype=torch.float64) for image in got]
    sum((a * w).sum() for a, w in zip(got, noise)).backward()
    sum((a * w[0]).sum() for a, w in zip(want, noise)).backward()
    for key, value in ours.items():
        a, b = value.grad, theirs[key].grad
        assert a is not None and b is not None
        if key == "K":  # the twin also tells what the fixed entries would do
            a, b = a[:, :2].triu(), b[:, :2].triu()
        torch.testing.assert_close(a, b, atol=1e-8 * float(b.abs().max()), rtol=1e-6)


def test_gradcheck_of_a_pose() -> None:
    mesh, x = MESHES["box"], start(MESHES["box"], TURNS[:1])
    last = torch.tensor([[[0.0, 0.0, 0.0, 1.0]]], dtype=torch.float64)

    def rows(top: torch.Tensor) -> torch.Tensor:
        drawn = images(mesh, {**x, "pose": torch.cat([top, last], 1)})
        return torch.stack([(d * w).sum() for d, w in zip(drawn, weights(1))])

    top = x["pose"][:, :3].clone().requires_grad_()
    assert torch.autograd.gradcheck(rows, (top,), eps=3e-8, atol=1e-3, rtol=1e-4)


def test_mask_area_grows_linearly_as_an_edge_passes_pixel_centres() -> None:
    """An upright square moved by fractions of a pixel: the weighted sum follows the exact area, at every step."""
    v = np.array([[-0.5, -0.5, 0], [0.5, -0.5, 0], [0.5, 0.5, 0], [-0.5, 0.5, 0]])
    square = Mesh(v, np.array([[0, 1, 2], [0, 2, 3]]))
    camera = Camera.from_focal(10.0, 30, 30)
    for width in np.linspace(0.8, 1.2, 41):
        scale = torch.tensor([width, 1.0, 1.0], dtype=torch.float64, requires_grad=True)
        mask = render(square, se3(np.eye(3), [0.0, 0.0, 1.0]), camera, scale=scale).mask
        rows = mask[12:18].double().sum(1)  # away from the corners
        assert rows.detach().numpy() == pytest.approx(10.0 * width, abs=1e-4)
        (gradient,) = torch.autograd.grad(rows.sum(), scale)
        assert gradient[0].item() == pytest.approx(60.0, abs=1e-3)


def test_a_slanted_edge_covers_the_exact_area() -> None:
    angles = np.linspace(0, 2 * np.pi, 721)[:-1]
    disc = np.vstack([np.zeros((1, 3)), np.stack([np.cos(angles), np.sin(angles), 0 * angles], 1)])
    faces = np.array([[0, 1 + i, 1 + (i + 1) % 720] for i in range(720)])
    camera = Camera.from_focal(14.3, 40, 40)
    scale = torch.tensor(1.0, dtype=torch.float64, requires_grad=True)
    mask = render(Mesh(disc, faces), se3(np.eye(3), [0.03, 0.01, 1.0]), camera, scale=scale).mask
    area = np.pi * 14.3**2
    assert mask.double().sum().item() == pytest.approx(area, rel=2e-3)
    (gradient,) = torch.autograd.grad(mask.double().sum(), scale)
    assert gradient.item() == pytest.approx(2 * area, rel=2e-2)


@pytest.mark.parametrize("name", ["bumpy", "box"])
def test_the_mask_is_close_to_the_true_coverage(name: str) -> None:
    """Against the share of 16 x 16 samples per pixel."""
    mesh, pose = MESHES[name], torch.tensor(se3(so3_exp([0.3, 0.5, -0.2]), [0.0, 0.0, 1.3]))
    soft = render(mesh, pose.clone().requires_grad_(), CAMERA).mask.detach()
    fine = render(mesh, pose, CAMERA, (16 * HEIGHT, 16 * WIDTH)).mask.float()
    share = fine.reshape(HEIGHT, 16, WIDTH, 16).mean((1, 3))
    outline = (share > 0) & (share < 1)
    assert (soft - share).abs()[outline].mean() < 0.05
    assert soft.sum().item() == pytest.approx(share.sum().item(), rel=4e-3)


@pytest.mark.parametrize(
    "place", [(0.0, 0.0, -2.0), (40.0, 0.0, 2.0), (0.0, 0.0, 2e4)], ids=["behind", "beside", "far away"]
)
def test_nothing_to_see_has_zero_gradients(place: tuple[float, float, float]) -> None:
    mesh = MESHES["bumpy"]
    x = start(mesh, TURNS[:1])
    x["pose"] = torch.tensor(se3(np.eye(3), np.array(place) + 1e-4))[None]
    x = {k: v.requires_grad_() for k, v in x.items()}
    drawn = images(mesh, x)
    assert all(float(d.detach().abs().max()) == 0.0 for d in drawn)
    sum(d.sum() for d in drawn).backward()
    for value in x.values():
        assert value.grad is None or not value.grad.any()


def test_degenerate_faces_and_a_camera_inside_give_finite_gradients() -> None:
    b = trimesh.creation.box((2.0, 2.0, 2.0))
    faces = np.concatenate([b.faces, [[0, 0, 1], [2, 2, 2]]])
    mesh = Mesh(b.vertices, faces, vertex_colors=np.full((8, 3), 90, np.uint8))
    x = {k: v.requires_grad_() for k, v in start(mesh, TURNS[:2]).items()}
    for z in (0.0, 0.98):
        pose = torch.tensor(se3(so3_exp([0.1, 0.2, 0.3]), [0.1, 0.0, z]))[None].repeat(2, 1, 1)
        drawn = images(mesh, {**x, "pose": pose.requires_grad_()})
        assert drawn[0].min() >= 0.0 and drawn[0].max() <= 1.0
        gradients = torch.autograd.grad(sum(d.sum() for d in drawn), [pose, x["vertices"], x["K"]])
        assert all(torch.isfinite(g).all() for g in gradients)


def test_a_surface_across_the_near_plane_against_finite_differences() -> None:
    ground = Mesh(np.array([[-3.0, 0.4, -5], [3, 0.4, -5], [0.3, 0.4, 9]]), np.array([[0, 1, 2]]))
    x = {
        "pose": torch.tensor(se3(so3_exp([0.02, 0.01, 0.03]), [0.0, 0.0, 0.0]))[None].requires_grad_(),
        "K": torch.tensor(CAMERA.K),
    }

    def drawn(v: Tensors) -> tuple[torch.Tensor, ...]:
        instead = _Instead(None, None, None, None)
        return render_double(ground, v["pose"], v["K"], (WIDTH, HEIGHT), 0.01, CPU, instead)

    def loss(v: Tensors) -> torch.Tensor:
        mask, depth, _, _ = drawn(v)
        return (mask * weights(1)[0]).sum() + depth.sum() / 10

    (gradient,) = torch.autograd.grad(loss(x), x["pose"])
    for at in [(0, i, j) for i in range(3) for j in range(4)]:
        ends = []
        for sign in (1, -1):
            moved = x["pose"].detach().clone()
            moved[at] += sign * 3e-8
            ends.append(loss({**x, "pose": moved}).item())
        assert gradient[at].item() == pytest.approx((ends[0] - ends[1]) / 6e-8, rel=1e-3, abs=1e-2)


def test_texture_gradient_and_its_geometry() -> None:
    v = np.array([[-0.5, 0.5, 0], [0.5, 0.5, 0], [0.5, -0.5, 0], [-0.5, -0.5, 0]])
    uv = np.array([[[0, 0], [1, 0], [1, 1]], [[0, 0], [1, 1], [0, 1]]], np.float32)
    bytes_ = np.random.default_rng(0).integers(0, 255, (5, 4, 3)).astype(np.uint8)
    quad = Mesh(v, np.array([[0, 1, 2], [0, 2, 3]]), uv=uv, texture=bytes_)
    texture = torch.tensor(bytes_ / 255.0, requires_grad=True)
    pose = torch.tensor(se3(so3_exp([0.2, 0.3, 0.1]), [0.01, 0.02, 1.4]), requires_grad=True)

    def loss(p: torch.Tensor, t: torch.Tensor | None) -> torch.Tensor:
        k = torch.tensor(CAMERA.K)
        drawn = render_double(quad, p, k, (WIDTH, HEIGHT), 0.01, CPU, _Instead(None, None, None, t))
        return (drawn[3] * weights(1)[3]).sum()

    assert loss(pose, texture).item() == pytest.approx(loss(pose, None).item(), abs=1e-9)
    g_pose, g_texture = torch.autograd.grad(loss(pose, texture), [pose, texture])
    # The images are linear in the texture: one random direction tells all.
    other = torch.rand(texture.shape, dtype=torch.float64)
    step = loss(pose.detach(), texture.detach() + other) - loss(pose.detach(), texture.detach())
    assert (g_texture * other).sum().item() == pytest.approx(step.item(), rel=1e-9)
    for at in [(i, j) for i in range(3) for j in range(4)]:
        ends = []
        for sign in (1, -1):
            moved = pose.detach().clone()
            moved[at] += sign * 3e-8
            ends.append(loss(moved, None).item())
        assert g_pose[at].item() == pytest.approx((ends[0] - ends[1]) / 6e-8, rel=1e-4, abs=1e-2)


def test_without_a_gradient_the_mask_is_bool_and_with_one_it_is_float() -> None:
    mesh, pose = MESHES["box"], torch.tensor(se3(so3_exp([0.3, 0.5, -0.2]), [0.0, 0.0, 1.3]))
    plain = render(mesh, pose, CAMERA)
    soft = render(mesh, pose.clone().requires_grad_(), CAMERA)
    with torch.no_grad():
        quiet = render(mesh, pose.clone().requires_grad_(), CAMERA)
    scaled = render(mesh, pose, CAMERA, scale=1.0, colors=torch.rand(8, 3))
    assert plain.mask.dtype == quiet.mask.dtype == scaled.mask.dtype == torch.bool
    assert torch.equal(plain.mask, scaled.mask) and torch.equal(plain.mask, soft.depth > 0)
    assert all(image.dtype == torch.float32 and image.requires_grad for image in soft)
    assert (soft.mask.detach() - plain.mask.float()).abs().max() <= 0.75
    for a, b in zip(plain[1:], soft[1:]):
        torch.testing.assert_close(a, b.detach(), atol=1e-6, rtol=1e-6)


def test_inputs_of_any_type_get_gradients_of_their_own() -> None:
    mesh = MESHES["box"]
    pose = torch.tensor(se3(so3_exp([0.3, 0.5, -0.2]), [0, 0, 1.3]), dtype=torch.float32, requires_grad=True)
    k = torch.tensor(CAMERA.K, dtype=torch.float32, requires_grad=True)
    scale = torch.tensor(1.0, requires_grad=True)
    drawn = render(mesh, pose, CAMERA, (2 * HEIGHT, 2 * WIDTH), scale=scale, K=k)
    assert drawn.mask.shape == (2 * HEIGHT, 2 * WIDTH)
    drawn.mask.sum().backward()
    for value in (pose, k, scale):
        assert value.grad is not None and value.grad.dtype == torch.float32 and value.grad.any()
    # Area grows with the square of the scale, and of the focal lengths, alike.
    both = k.grad[0, 0] * CAMERA.fx + k.grad[1, 1] * CAMERA.fy + 0.0
    assert scale.grad.item() > 1.9 * drawn.mask.sum().item()
    assert both.item() == pytest.approx(2 * drawn.mask.sum().item(), rel=0.05)


def test_bad_input_is_named() -> None:
    pose = se3(np.eye(3), [0, 0, 2.0])
    for changed, message in (
        ({"scale": -1.0}, "scale must be"),
        ({"vertices": torch.zeros(3, 3)}, "vertices must have shape"),
        ({"colors": torch.full((8, 3), torch.nan)}, "colors holds NaN"),
        ({"texture": torch.zeros(2, 2, 3)}, "no uv"),
        ({"K": np.eye(4)}, "K must have shape"),
    ):
        with pytest.raises(InputError, match=message):
            render(MESHES["box"], pose, CAMERA, **changed)


def test_no_pose_at_all() -> None:
    poses = torch.zeros((0, 4, 4), requires_grad=True)
    drawn = render(MESHES["box"], poses, CAMERA)
    drawn.mask.sum().backward()
    assert drawn.mask.shape == (0, HEIGHT, WIDTH) and poses.grad is not None


@pytest.mark.gpu
def test_cuda_agrees_with_the_cpu() -> None:
    mesh = MESHES["bumpy"]
    found = []
    for device in ("cpu", "cuda"):
        x = {k: v.to(device).requires_grad_() for k, v in start(mesh, TURNS[:2]).items()}
        instead = _Instead(x["scale"], x["vertices"], x["colors"], None)
        drawn = render_double(mesh, x["pose"], x["K"], (WIDTH, HEIGHT), 0.01, torch.device(device), instead)
        sum((d * w.to(device)).sum() for d, w in zip(drawn, weights(2))).backward()
        found.append([d.detach().cpu() for d in drawn] + [v.grad.cpu() for v in x.values()])
    for a, b in zip(*found):
        torch.testing.assert_close(a, b, atol=1e-8, rtol=1e-8)
