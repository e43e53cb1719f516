"""First-order refinement finds poses it starts 5 degrees and 1 cm away from, and says when it did not."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from dexman_pose.errors import EstimationError, InputError
from dexman_pose.geometry import se3, so3_exp
from dexman_pose.pose.refinement.first_order import Target, color_loss, depth_loss, refine_adam
from dexman_pose.render import Images

POSES = [
    ((0.5, 0.4, 0.2), (0.02, -0.01, 0.4)),
    ((-1.1, 0.8, 1.9), (-0.03, 0.02, 0.46)),
    ((2.0, -0.7, -0.4), (0.0, 0.01, 0.36)),
]
TURN = np.deg2rad(5.0) * np.array([0.6, -0.64, 0.48])
SHIFT = 0.01 * np.array([0.6, 0.48, -0.64])


@pytest.fixture(autouse=True)
def one_torch_thread() -> Any:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def off(pose: NDArray[np.float64], center: NDArray[np.float64]) -> NDArray[np.float64]:
    """The pose turned by 5 degrees about the object's centre, and 1 cm away."""
    turned = so3_exp(TURN) @ pose[:3, :3]
    return se3(turned, pose[:3, :3] @ center + pose[:3, 3] - turned @ center + SHIFT)


@pytest.mark.parametrize("evidence", ["mask", "image", "depth", "both"])
@pytest.mark.parametrize("index", range(3))
def test_five_degrees_and_a_centimetre_are_found_back(scene: Any, index: int, evidence: str) -> None:
    true = scene.pose_at(*POSES[index])
    image, labels, depth = scene.picture(scene.mesh, true)
    found = refine_adam(
        scene.mesh,
        off(true, scene.mesh.center),
        labels == 1,
        scene.camera,
        image=image if evidence in ("image", "both") else None,
        depth=depth if evidence in ("depth", "both") else None,
    )
    millimetres, degrees = scene.error(found.pose, true)
    assert millimetres < 2.0 and degrees < 1.0
    assert found.converged and found.loss < 0.05
    np.testing.assert_allclose(found.pose[:3, :3] @ found.pose[:3, :3].T, np.eye(3), atol=1e-9)


def test_a_hidden_half_does_not_pull(scene: Any) -> None:
    """A hand over a third of the object: told as unknown it does no harm, taken for background it does."""
    true = scene.pose_at(*POSES[0])
    image, labels, _ = scene.picture(scene.mesh, true)
    x = np.nonzero((labels == 1).any(0))[0]
    hand = np.zeros(labels.shape, bool)
    hand[:, int(x[0] + 0.66 * (x[-1] - x[0])) :] = True
    mask = (labels == 1) & ~hand
    start = off(true, scene.mesh.center)
    told = refine_adam(scene.mesh, start, mask, scene.camera, image=image, unknown=hand)
    untold = refine_adam(scene.mesh, start, mask, scene.camera, image=image)
    millimetres, degrees = scene.error(told.pose, true)
    assert millimetres < 2.0 and degrees < 1.0
    assert scene.error(untold.pose, true)[0] > 3.0 * millimetres


def test_noisy_depth_with_gross_errors(scene: Any) -> None:
    true = scene.pose_at(*POSES[1])
    _, labels, depth = scene.picture(scene.mesh, true)
    rng = np.random.default_rng(0)
    noisy = depth + rng.normal(0, 0.002, depth.shape).astype(np.float32) * (depth > 0)
    noisy[rng.random(depth.shape) < 0.1] = 0.8
    noisy[rng.random(depth.shape) < 0.3] = 0.0
    found = refine_adam(scene.mesh, off(true, scene.mesh.center), labels == 1, scene.camera, depth=noisy)
    millimetres, degrees = scene.error(found.pose, true)
    assert millimetres < 2.0 and degrees < 1.5


def test_too_few_iterations_are_not_called_converged(scene: Any) -> None:
    true = scene.pose_at(*POSES[0])
    image, labels, _ = scene.picture(scene.mesh, true)
    start = off(true, scene.mesh.center)
    found = refine_adam(scene.mesh, start, labels == 1, scene.camera, image=image, iterations=8)
    assert not found.converged and found.iterations == 8
    assert scene.error(found.pose, true)[0] < scene.error(start, true)[0]


def test_out_of_sight_stops_at_once_where_it_began(scene: Any) -> None:
    _, labels, _ = scene.picture(scene.mesh, scene.pose_at(*POSES[0]))
    behind = scene.pose_at(POSES[0][0], (0.0, 0.0, -1.0))
    found = refine_adam(scene.mesh, behind, labels == 1, scene.camera)
    assert found.iterations == 1 and not found.converged
    np.testing.assert_array_equal(found.pose, behind)


def test_a_loss_of_ones_own(scene: Any) -> None:
    """Only the mask's area: the object comes to the distance at which it has the wanted size."""
    true = scene.pose_at(*POSES[0])
    _, labels, _ = scene.picture(scene.mesh, true)

    def area(images: Images, target: Target) -> torch.Tensor:
        return (images.mask.sum() / target.mask.sum() - 1.0).square()

    start = true.copy()
    start[2, 3] += 0.03
    found = refine_adam(scene.mesh, start, labels == 1, scene.camera, loss=area)
    assert found.loss < 1e-4


def test_losses_by_hand() -> None:
    a, b = torch.full((2, 3), 1.0), torch.full((2, 3), 1.3)
    shared = torch.tensor([[True, True, False], [True, False, False]])
    assert depth_loss(a, b, shared, 0.1).item() == pytest.approx(np.hypot(3.0, 0.02) - 0.02, rel=1e-5)
    assert depth_loss(a, 0 * b, shared, 0.1).item() == 0.0
    picture = torch.rand(2, 3, 3)
    assert color_loss(picture, 0.5 * picture + 0.2, shared).item() == pytest.approx(0.0, abs=1e-6)
    assert color_loss(picture, -picture, shared).item() == pytest.approx(2.0, abs=1e-6)
    assert color_loss(torch.ones(2, 3, 3), picture, shared).item() == 0.0


def test_bad_input_is_named(scene: Any) -> None:
    pose, mask = scene.pose_at(*POSES[0]), np.zeros((240, 320), bool)
    with pytest.raises(EstimationError, match="empty"):
        refine_adam(scene.mesh, pose, mask, scene.camera)
    with pytest.raises(InputError, match="camera's size"):
        refine_adam(scene.mesh, pose, mask[:100], scene.camera)
    with pytest.raises(InputError, match="unknown backend"):
        refine_adam(scene.mesh, pose, ~mask, scene.camera, backend="opengl")  # type: ignore[arg-type]
    with pytest.raises(InputError, match="iterations"):
        refine_adam(scene.mesh, pose, ~mask, scene.camera, iterations=0)


def test_through_pytorch3d(scene: Any) -> None:
    pytest.importorskip("pytorch3d")
    true = scene.pose_at(*POSES[0])
    _, labels, _ = scene.picture(scene.mesh, true)
    start = off(true, scene.mesh.center)
    found = refine_adam(
        scene.mesh, start, labels == 1, scene.camera, iterations=40, max_side=64, backend="pytorch3d"
    )
    assert scene.error(found.pose, true)[0] < 0.6 * scene.error(start, true)[0]
