"""Kernels for images of single and of double precision from one source."""

from __future__ import annotations

from typing import Any

from dexman_pose._warp import wp


def both_precisions(kernel: Any, images: tuple[str, ...]) -> dict[Any, Any]:
    """The kernel by the type of the numbers in its arguments ``images``."""
    return {
        kind: wp.overload(kernel, {name: wp.array(dtype=kind) for name in images})
        for kind in (wp.float32, wp.float64)
    }
