"""Warp kernel that compares the depth under two poses with the measured one: all thresholds in one pass."""

# Kernels are written in Warp's own language: neither its types nor its argument lists are Python's.
# mypy: ignore-errors
# ruff: noqa: UP018, RUF046

from __future__ import annotations

from dexman_pose._warp import wp

# Fused multiply-add rounds once where the definition rounds twice: ties at a threshold would fall differently.
wp.set_module_options({"fuse_fp": False})

UNION = 0
INTERSECTION = 1
HEAD = 2
"""Places in the result; behind them one number per threshold."""

_NONE = wp.constant(wp.float32(0.0))
_ONE = wp.constant(wp.float64(1.0))


@wp.func
def ray_length(x: wp.float64, y: wp.float64, depth: wp.float32) -> wp.float64:
    """Distance from the camera centre of the point at ``depth`` on the ray (x, y, 1)."""
    z = wp.float64(depth)
    xz = x * z
    yz = y * z
    return wp.sqrt(xz * xz + yz * yz + z * z)


@wp.func
def in_sight(
    model: wp.float64, seen: wp.float64, known: bool, missing_visible: bool, delta: wp.float64
) -> bool:
    """Whether a rendered distance is not hidden behind the measured one."""
    return wp.where(known, model - seen <= delta, missing_visible)


@wp.kernel(enable_backward=False)
def compare(
    drawn: wp.array(dtype=wp.float32),
    measured: wp.array(dtype=wp.float32),
    cx: wp.float64,
    cy: wp.float64,
    fx: wp.float64,
    fy: wp.float64,
    left: int,
    top: int,
    width: int,
    height: int,
    stride: int,
    delta: wp.float64,
    diameter: wp.float64,
    taus: wp.array(dtype=wp.float64),
    count: int,
    missing_visible: bool,
    step: bool,
    out: wp.array(dtype=wp.float64),
):
    """Count union and intersection of the visible masks and the cost per threshold.

    ``drawn`` is depth under the true and then the estimated pose, of the crop at (left, top); ``taus`` holds ``count``
    ascending thresholds and infinity. With ``step`` the place of threshold t gets the number of pixels whose
    difference reaches t but no higher threshold; otherwise the sum of min(difference / tau, 1). Every thread takes
    each ``stride``-th row.
    """
    start = wp.tid()
    pixels = width * height
    limit = taus[count]
    union = wp.float64(0.0)
    both = wp.float64(0.0)
    for row in range(start, height, stride):
        y = (wp.float64(top + row) - cy) / fy
        for column in range(width):
            i = row * width + column
            true = drawn[i]
            guess = drawn[pixels + i]
            if true > _NONE or guess > _NONE:
                x = (wp.float64(left + column) - cx) / fx
                m = measured[i]
                known = m > _NONE and wp.float64(m) < limit
                seen = ray_length(x, y, m)
                true_far = ray_length(x, y, true)
                guess_far = ray_length(x, y, guess)
                true_visible = true > _NONE and in_sight(true_far, seen, known, missing_visible, delta)
                guess_visible = guess > _NONE and (
                    true_visible or in_sight(guess_far, seen, known, missing_visible, delta)
                )
                if true_visible or guess_visible:
                    union += _ONE
                if true_visible and guess_visible:
                    both += _ONE
                    difference = wp.abs(true_far - guess_far) / diameter
                    if step:
                        k = int(0)
                        while taus[k] <= difference:
                            k += 1
                        if k > 0:
                            wp.atomic_add(out, HEAD + k - 1, _ONE)
                    else:
                        for k in range(count):
                            wp.atomic_add(out, HEAD + k, wp.min(difference / taus[k], _ONE))
    wp.atomic_add(out, UNION, union)
    wp.atomic_add(out, INTERSECTION, both)
