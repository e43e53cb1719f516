"""Finite groups of rotations from a few elements known only roughly.

The elements of a measured or rounded symmetry do not multiply exactly. :func:`close_rotations` generates the whole
group with a tolerance and then makes it exact: with the multiplication table known, replacing every element by the
mean of the products that should equal it converges quadratically to a true representation (Grove, Karcher and Ruh,
"Group actions and curvature", 1974; Babai and Friedl, "Approximate representation theory of finite groups", 1991).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from dexman_pose.arrays import Array
from dexman_pose.errors import InputError
from dexman_pose.geometry.se3 import orthonormalize, se3


def close_rotations(generators: ArrayLike, *, angle: float = 0.02, max_count: int = 120) -> Array:
    """The finite group (S, 3, 3), identity first, that rotations (N, 3, 3) generate.

    Args:
        generators: rotations, each good to about ``angle``.
        angle: radians; rotations closer than this are one element.
        max_count: more elements than this are taken for no finite group.

    Raises:
        InputError: more than ``max_count`` elements, or products that fit no multiplication table.
    """
    given = np.asarray(generators, dtype=np.float64).reshape(-1, 3, 3)
    elements = np.eye(3)[None]
    start = _add_new(elements, given, angle)[1:]
    elements = np.concatenate([elements, start])
    fresh = start
    while len(fresh) and len(elements) <= max_count:
        products = (fresh[:, None] @ start[None]).reshape(-1, 3, 3)
        grown = _add_new(elements, products, angle, max_count + 1)
        fresh, elements = grown[len(elements) :], grown
    if len(elements) > max_count:
        raise InputError(
            f"the symmetries generate more than {max_count} rotations, so they are no finite group; state a "
            "continuous symmetry as an axis"
        )
    return _polished(elements)


def fixed_point(transforms: ArrayLike, angle: float = 1e-3) -> tuple[Array, float]:
    """The point (3,) that rigid transforms (N, 4, 4) leave in place, and how far they move it at most.

    Where the transforms leave a whole axis (or space) in place, to about ``angle`` radians, it is that one's point
    nearest to the origin.
    """
    m = np.asarray(transforms, dtype=np.float64).reshape(-1, 4, 4)
    a, b = (np.eye(3) - m[:, :3, :3]).reshape(-1, 3), m[:, :3, 3].reshape(-1)
    # A direction that every transform keeps has singular value 0 up to how rough the transforms are.
    point = np.asarray(np.linalg.lstsq(a, b, rcond=angle)[0], dtype=np.float64)
    moved = np.linalg.norm((b - a @ point).reshape(-1, 3), axis=1).max(initial=0.0)
    return point, float(moved)


def _add_new(elements: Array, candidates: Array, angle: float, enough: int = 10**9) -> Array:
    """``elements`` and those ``candidates`` that are farther than ``angle`` from all before them."""
    least = 1.0 + 2.0 * np.cos(angle)
    known = np.einsum("nij,mij->nm", candidates, elements).max(1) > least
    for candidate in candidates[~known]:
        if len(elements) < enough and np.einsum("ij,nij->n", candidate, elements).max() <= least:
            elements = np.concatenate([elements, candidate[None]])
    return elements


def _polished(elements: Array, steps: int = 4) -> Array:
    """The exact group nearest to an approximate one."""
    products = elements[:, None] @ elements[None]
    table = np.einsum("ijab,kab->ijk", products, elements).argmax(-1)
    count = np.arange(len(elements))
    if not (np.sort(table, 1) == count).all() or not (np.sort(table, 0) == count[:, None]).all():
        raise InputError("the symmetries are too rough to form a group; give them to more digits")
    for _ in range(steps):
        mean = (elements[table] @ np.swapaxes(elements, -1, -2)[None]).mean(1)
        elements = orthonormalize(se3(mean, np.zeros(3)))[:, :3, :3]
    elements[0] = np.eye(3)
    return elements
