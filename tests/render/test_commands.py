"""Repeated launches see changed arguments."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np

from dexman_pose._warp import wp
from dexman_pose.render.commands import Command, _Packed


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


def test_arguments_are_packed_once_on_a_cpu() -> None:
    """Warp's own launch packs all of them in every call: what is measured in docs/tracking.md rests on this."""
    command = Command(_add, "cpu")
    values = wp.zeros(4, dtype=wp.float64, device="cpu")
    command((4,), values, 1.0, 1)
    command._launch.launch = None  # not asked again
    for _ in range(3):
        command((4,), values, 2.0, 1)
    np.testing.assert_array_equal(values.numpy(), 7.0)


def test_launches_that_warp_keeps_in_another_way_are_its_own() -> None:
    command = Command(_add, "cpu")
    values = wp.zeros(4, dtype=wp.float64, device="cpu")
    command((4,), values, 1.0, 1)
    kept = command._launch
    assert _Packed.of(SimpleNamespace(device=kept.device, params=kept.params)) is None
    command._packed, command._run = None, kept.launch
    command((3,), values, 10.0, 2)
    np.testing.assert_array_equal(values.numpy(), [21.0, 21.0, 21.0, 1.0])


def test_more_sizes_than_are_kept_are_all_right() -> None:
    command = Command(_add, "cpu")
    values = wp.zeros(600, dtype=wp.float64, device="cpu")
    for size in [*range(1, 601), 1]:
        command((size,), values, 1.0, 1)
    np.testing.assert_array_equal(values.numpy(), [601.0, *range(599, 0, -1)])
