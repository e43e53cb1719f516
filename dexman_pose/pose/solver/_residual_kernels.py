"""What the kernels of all residual terms share: a pose's lens and rotation, gradients, and the sum of one residual."""

# Kernels are written in Warp's own language: neither its types nor its argument lists are Python's.
# mypy: ignore-errors

from __future__ import annotations

from dexman_pose._warp import wp
from dexman_pose.pose.solver._layout import (
    POSE,
    TRIANGLE,
    UNKNOWNS,
    Hypothesis,
    Lens,
    Residual,
    Slot,
    State,
    Term,
    View,
)

ZERO = wp.constant(wp.float64(0.0))
ONE = wp.constant(wp.float64(1.0))
HALF = wp.constant(wp.float64(0.5))

_ADD = """
    const wp::vec3d a = r.slope, d = r.arm;
    const double residual = r.value;
    double J[UNKNOWNS];
    J[0] = a[0]; J[1] = a[1]; J[2] = a[2];
    J[3] = d[1] * a[2] - d[2] * a[1];
    J[4] = d[2] * a[0] - d[0] * a[2];
    J[5] = d[0] * a[1] - d[1] * a[0];
    int n = POSE;
    if (scales == 1) {
        J[n++] = a[0] * d[0] + a[1] * d[1] + a[2] * d[2];
    } else if (scales == 3) {
        for (int k = 0; k < 3; ++k) {
            const double* c = state.data + pose + k;
            J[n++] = (a[0] * c[0] + a[1] * c[3] + a[2] * c[6]) * (d[0] * c[0] + d[1] * c[3] + d[2] * c[6]);
        }
    }
    if (focal) J[n++] = r.by_focal;
    const double q2 = residual * residual * information;
    const double c2 = reach * reach;
    const double share = c2 / (c2 + q2);
    const double w = weight * share * share * information;
    double* slot_data = slots.data + slot;
    if (n == POSE) {
        int at = 0;
        #pragma unroll
        for (int i = 0; i < POSE; ++i) {
            const double wj = w * J[i];
            #pragma unroll
            for (int j = 0; j <= i; ++j) slot_data[at++] += wj * J[j];
            slot_data[TRIANGLE + i] -= wj * residual;
        }
    } else {
        int at = 0;
        for (int i = 0; i < n; ++i) {
            const double wj = w * J[i];
            for (int j = 0; j <= i; ++j) slot_data[at++] += wj * J[j];
            slot_data[TRIANGLE + i] -= wj * residual;
        }
    }
    slot_data[COST] += weight * q2 * share;
    slot_data[SQUARES] += residual * residual;
"""
_SIZES = {
    "POSE": POSE,
    "UNKNOWNS": UNKNOWNS,
    "TRIANGLE": TRIANGLE,
    "COST": Slot.COST,
    "SQUARES": Slot.SQUARES,
}
for _name, _value in _SIZES.items():
    _ADD = _ADD.replace(_name, str(_value))


@wp.func_native(_ADD)
def add_residual(
    slots: wp.array(dtype=wp.float64),
    slot: int,
    state: wp.array(dtype=wp.float64),
    pose: int,
    scales: int,
    focal: int,
    r: Residual,
    information: wp.float64,
    reach: wp.float64,
    weight: wp.float64,
):
    """Add one residual to a slot, weighted after Geman and McClure (1987).

    ``information`` is 1 / sigma^2 and ``reach`` the number of sigmas beyond which a residual loses influence.
    """
    ...


@wp.func
def lens_of(
    views: wp.array(dtype=wp.float64), view: int, state: wp.array(dtype=wp.float64), pose: int
) -> Lens:
    """The lens of a view, with a state's factor on the focal length."""
    at = view * View.SIZE
    factor = wp.exp(state[pose + State.LOG_FOCAL])
    lens = Lens()
    lens.fx = views[at + View.FX] * factor
    lens.fy = views[at + View.FY] * factor
    lens.cx = views[at + View.CX]
    lens.cy = views[at + View.CY]
    return lens


@wp.func
def center_of(state: wp.array(dtype=wp.float64), pose: int) -> wp.vec3d:
    """The object's centre in the camera frame."""
    at = pose + State.CENTER
    return wp.vec3d(state[at], state[at + 1], state[at + 2])


@wp.func
def hypothesis_of(
    b: int, thread: int, view: int, views: wp.array(dtype=wp.float64), state: wp.array(dtype=wp.float64)
) -> Hypothesis:
    """Hypothesis ``b`` for a thread, counted over all hypotheses."""
    h = Hypothesis()
    h.state = b * State.SIZE
    h.slot = thread * Term.SIZE * Slot.SIZE
    h.view = view
    h.lens = lens_of(views, view, state, h.state)
    h.center = center_of(state, h.state)
    return h


@wp.func
def rotation_of(state: wp.array(dtype=wp.float64), pose: int) -> wp.mat33d:
    """Rotation of a state or a prior, which hold it alike."""
    r = wp.mat33d()
    for i in range(3):
        for j in range(3):
            r[i, j] = state[pose + State.ROTATION + 3 * i + j]
    return r


@wp.func
def pixel_gradient(gx: wp.float64, gy: wp.float64, lens: Lens, p: wp.vec3d) -> wp.vec3d:
    """Gradient by a camera point of a quantity with gradient (gx, gy) in pixels at the point's projection."""
    iz = ONE / p[2]
    ax = gx * lens.fx * iz
    ay = gy * lens.fy * iz
    return wp.vec3d(ax, ay, -(ax * p[0] + ay * p[1]) * iz)


@wp.func
def pixel_residual(
    value: wp.float64,
    gx: wp.float64,
    gy: wp.float64,
    u: wp.float64,
    v: wp.float64,
    lens: Lens,
    place: wp.vec3d,
    arm: wp.vec3d,
) -> Residual:
    """A residual with gradient (gx, gy) in pixels at (u, v), where the surface point ``place`` is seen."""
    r = Residual()
    r.value = value
    r.slope = pixel_gradient(gx, gy, lens, place)
    r.arm = arm
    r.by_focal = gx * (u - lens.cx) + gy * (v - lens.cy)
    return r


@wp.func
def back_project(x: int, y: int, inverse: wp.float32, lens: Lens) -> wp.vec3d:
    """Camera point seen at a pixel with the given 1 / z."""
    z = ONE / wp.float64(inverse)
    return wp.vec3d((wp.float64(x) - lens.cx) / lens.fx * z, (wp.float64(y) - lens.cy) / lens.fy * z, z)
