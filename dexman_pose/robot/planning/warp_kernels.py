"""Kernels that feed and read simulations on a device, so that no step waits for the host.

``world`` is the copy, ``at`` the step.
"""

# Kernels are written in Warp's own language: neither its types nor its argument lists are Python's.
# mypy: ignore-errors
# ruff: noqa: UP018, RUF046

from __future__ import annotations

from dexman_pose._warp import wp

FAR = wp.constant(1e10)
"""Places, speeds and accelerations beyond it are those of a simulation that broke; MuJoCo's own limit."""


@wp.kernel(enable_backward=False)
def begin(
    states: wp.array2d(dtype=wp.float32),
    time: wp.array(dtype=wp.float32),
    qpos: wp.array2d(dtype=wp.float32),
    qvel: wp.array2d(dtype=wp.float32),
    act: wp.array2d(dtype=wp.float32),
    warmstart: wp.array2d(dtype=wp.float32),
    broken: wp.array(dtype=wp.int32),
):
    """Put each world in its state, with nothing known of a step before; one in no state at all is broken."""
    world = wp.tid()
    broken[world] = 0
    for i in range(states.shape[1]):
        if not (wp.abs(states[world, i]) <= FAR):
            broken[world] = 1
    time[world] = states[world, 0]
    column = int(1)
    for i in range(qpos.shape[1]):
        qpos[world, i] = states[world, column + i]
    column += qpos.shape[1]
    for i in range(qvel.shape[1]):
        qvel[world, i] = states[world, column + i]
        warmstart[world, i] = 0.0
    column += qvel.shape[1]
    for i in range(act.shape[1]):
        act[world, i] = states[world, column + i]


@wp.kernel(enable_backward=False)
def command(
    at: wp.array(dtype=wp.int32),
    controls: wp.array3d(dtype=wp.float32),
    ctrl: wp.array2d(dtype=wp.float32),
    broken: wp.array(dtype=wp.int32),
):
    """Set the controls of a step, of all worlds; what is no number breaks a world."""
    world, i = wp.tid()
    value = controls[world, at[0], i]
    if wp.isfinite(value):
        ctrl[world, i] = value
    else:
        broken[world] = 1


@wp.kernel(enable_backward=False)
def note(
    at: wp.array(dtype=wp.int32),
    first: wp.array2d(dtype=wp.float32),
    time: wp.array(dtype=wp.float32),
    qpos: wp.array2d(dtype=wp.float32),
    qvel: wp.array2d(dtype=wp.float32),
    act: wp.array2d(dtype=wp.float32),
    qacc: wp.array2d(dtype=wp.float32),
    warmstart: wp.array2d(dtype=wp.float32),
    sensors: wp.array2d(dtype=wp.float32),
    broken: wp.array(dtype=wp.int32),
    states: wp.array3d(dtype=wp.float32),
    sensed: wp.array3d(dtype=wp.float32),
):
    """Write down the step of each world; one that broke begins anew, so that its numbers trouble no other."""
    world = wp.tid()
    step = at[0]
    for i in range(qpos.shape[1]):
        if not (wp.abs(qpos[world, i]) <= FAR):
            broken[world] = 1
    for i in range(qvel.shape[1]):
        if not (wp.abs(qvel[world, i]) <= FAR) or not (wp.abs(qacc[world, i]) <= FAR):
            broken[world] = 1
    if broken[world] == 1:
        for i in range(qpos.shape[1]):
            qpos[world, i] = first[world, 1 + i]
        for i in range(qvel.shape[1]):
            qvel[world, i] = 0.0
            warmstart[world, i] = 0.0
        for i in range(act.shape[1]):
            act[world, i] = 0.0
        for i in range(states.shape[2]):
            states[world, step, i] = wp.nan
    else:
        states[world, step, 0] = time[world]
        column = int(1)
        for i in range(qpos.shape[1]):
            states[world, step, column + i] = qpos[world, i]
        column += qpos.shape[1]
        for i in range(qvel.shape[1]):
            states[world, step, column + i] = qvel[world, i]
        column += qvel.shape[1]
        for i in range(act.shape[1]):
            states[world, step, column + i] = act[world, i]
    for i in range(sensors.shape[1]):
        sensed[world, step, i] = sensors[world, i]


@wp.kernel(enable_backward=False)
def go_on(at: wp.array(dtype=wp.int32)):
    """Count a step."""
    at[0] = at[0] + 1
