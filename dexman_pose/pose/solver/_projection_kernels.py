"""Warp kernel that turns states into projection matrices."""

# Kernels are written in Warp's own language: neither its types nor its argument lists are Python's.
# mypy: ignore-errors

from __future__ import annotations

from dexman_pose._warp import wp
from dexman_pose.pose.solver._layout import Projection, State
from dexman_pose.pose.solver._residual_kernels import ZERO, center_of, lens_of


@wp.func
def write_projection(
    state: wp.array(dtype=wp.float64),
    pose: int,
    middle: wp.vec3d,
    views: wp.array(dtype=wp.float64),
    view: int,
    out: wp.array(dtype=wp.float64),
    at: int,
):
    """The 3x4 matrix K [R S | c - R S middle] of a state."""
    lens = lens_of(views, view, state, pose)
    m = wp.mat33d()
    for i in range(3):
        for j in range(3):
            m[i, j] = state[pose + State.ROTATION + 3 * i + j] * wp.exp(state[pose + State.LOG_SCALE + j])
    t = center_of(state, pose) - m * middle
    y = at + Projection.ROW
    z = y + Projection.ROW
    for j in range(3):
        out[at + j] = lens.fx * m[0, j] + lens.cx * m[2, j]
        out[y + j] = lens.fy * m[1, j] + lens.cy * m[2, j]
        out[z + j] = m[2, j]
    out[at + 3] = lens.fx * t[0] + lens.cx * t[2]
    out[y + 3] = lens.fy * t[1] + lens.cy * t[2]
    out[z + 3] = t[2]


@wp.func
def write_nothing(out: wp.array(dtype=wp.float64), at: int):
    """The all-zero projection of a hypothesis at rest, which the rasteriser skips."""
    for k in range(Projection.SIZE):
        out[at + k] = ZERO


@wp.kernel(enable_backward=False)
def project_states(
    state: wp.array(dtype=wp.float64),
    middle: wp.vec3d,
    view_of: wp.array(dtype=wp.int32),
    views: wp.array(dtype=wp.float64),
    projection: wp.array(dtype=wp.float64),
):
    """Projection matrices of all states."""
    b = wp.tid()
    write_projection(state, b * State.SIZE, middle, views, view_of[b], projection, b * Projection.SIZE)
