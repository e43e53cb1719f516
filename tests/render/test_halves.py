"""Work on two cores: order, errors, nesting, and rasterisers for two threads."""

from __future__ import annotations

import threading
from collections.abc import Sequence

import numpy as np
import pytest
import trimesh

from dexman_pose.data import Mesh
from dexman_pose.render import Rasterizer, halves
from dexman_pose.render.halves import in_halves


@pytest.fixture(autouse=True)
def _on_two_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(halves, "_two_cores", lambda: True)


def test_results_come_in_order_from_two_threads() -> None:
    threads: dict[int, int] = {}

    def work(half: int, items: Sequence[int]) -> list[int]:
        threads[half] = threading.get_ident()
        return [10 * i for i in items]

    assert in_halves(work, range(7)) == [0, 10, 20, 30, 40, 50, 60]
    assert threads[0] == threading.get_ident() != threads[1]


def test_few_items_stay_in_one_thread() -> None:
    assert in_halves(lambda half, items: [half for _ in items], range(3), least=4) == [0, 0, 0]
    assert in_halves(lambda half, items: [half for _ in items], [5]) == [0]
    assert in_halves(lambda half, items: [half for _ in items], []) == []


def test_a_nested_call_does_its_work_itself() -> None:
    def inner(half: int, items: Sequence[int]) -> list[int]:
        return [half for _ in items]

    assert in_halves(lambda _, items: [in_halves(inner, range(4)) for _ in items], range(2)) == [[0] * 4] * 2


@pytest.mark.parametrize("failing", [0, 1])
def test_an_error_of_either_half_is_raised_and_the_next_call_works(failing: int) -> None:
    def work(half: int, items: Sequence[int]) -> list[int]:
        if half == failing:
            raise ValueError(f"half {half}")
        return list(items)

    with pytest.raises(ValueError, match=f"half {failing}"):
        in_halves(work, range(4))
    assert in_halves(lambda _, items: list(items), range(4)) == [0, 1, 2, 3]


def test_a_twin_renders_the_same_beside_its_original() -> None:
    ball = trimesh.creation.icosphere(4, 0.05)
    first = Rasterizer(Mesh(np.asarray(ball.vertices), np.asarray(ball.faces)))
    pair = (first, first.twin())
    k = np.array([[200.0, 0.0, 31.5], [0.0, 200.0, 31.5], [0.0, 0.0, 1.0]])
    poses = np.tile(np.eye(4), (40, 1, 1))
    poses[:, 2, 3] = np.linspace(0.3, 0.6, 40)

    def work(half: int, some: Sequence[np.ndarray]) -> list[np.ndarray]:
        return [np.asarray(pair[half].render(p, k, 64, 64).depth)[0] for p in some]

    np.testing.assert_array_equal(
        np.stack(in_halves(work, list(poses))), first.render(poses, k, 64, 64).depth
    )


def test_inverse_depths_are_those_of_the_images() -> None:
    ball = trimesh.creation.icosphere(3, 0.05)
    rasterizer = Rasterizer(Mesh(np.asarray(ball.vertices), np.asarray(ball.faces)))
    k = np.array([[200.0, 0.0, 31.5], [0.0, 200.0, 23.5], [0.0, 0.0, 1.0]])
    poses = np.tile(np.eye(4), (2, 1, 1))
    poses[:, 2, 3] = 0.4, 0.5
    left = rasterizer.inverse_depth(poses, k, 64, 48).numpy()[: 2 * 64 * 48].reshape(2, 48, 64).copy()
    depth = rasterizer.render(poses, k, 64, 48).depth
    assert depth is not None
    np.testing.assert_array_equal(left > 0, depth > 0)
    np.testing.assert_allclose(1.0 / left[left > 0], depth[depth > 0], rtol=1e-6)
