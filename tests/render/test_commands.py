"""Repeated launches see changed arguments."""

from __future__ import annotations

import numpy as np

from dexman_pose.render._warp import wp
from dexman_pose.render.commands import Command


@wp.kernel(enable_backward=False)
def _add(values: wp.array(dtype=wp.float64), amount: wp.float64, repeat: int):  # type: ignore[no-untyped-def]
    i = wp.tid()
    values[i] = values[i] + amount * wp.float64(repeat)


def test_changed_numbers_arrays_and_sizes_reach_the_kernel() -> None:
    command = Command(_add, "cpu")
    first, second = (wp.zeros(4, dtype=wp.float64, device="cpu") for _ in range(2))
    command((4,), first, 1.0, 1)
    command((4,), first, 1.0, 1)
    command((2,), first, 10.0, 1)
    command((3,), second, 10.0, 2)
    np.testing.assert_array_equal(first.numpy(), [12.0, 12.0, 2.0, 2.0])
    np.testing.assert_array_equal(second.numpy(), [20.0, 20.0, 20.0, 0.0])


def test_the_last_launch_can_be_repeated() -> None:
    command = Command(_add, "cpu")
    values = wp.zeros(4, dtype=wp.float64, device="cpu")
    command((4,), values, 1.0, 1)
    command((2,), values, 10.0, 1)
    command.again()
    np.testing.assert_array_equal(values.numpy(), [21.0, 21.0, 1.0, 1.0])
