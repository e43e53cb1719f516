"""Shape and value checks of the central types, with messages that say what was given and what was expected."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from dexman_pose.data.numbers import cast, plain
from dexman_pose.errors import InputError


def settle(owner: object, **fields: Any) -> None:
    """Set fields of a frozen dataclass while it is made, to what its checks turned them into."""
    for name, value in fields.items():
        object.__setattr__(owner, name, value)


def array(
    value: Any, name: str, shape: tuple[int | None, ...], dtype: Any = np.float64, *, finite: bool = True
) -> NDArray[Any]:
    """``value`` as a contiguous array of ``dtype``, or an :class:`InputError` naming the field.

    Args:
        value: an array, a tensor, nested lists or tuples of real numbers.
        name: what the message calls it.
        shape: the expected shape; ``None`` stands for any length.
        dtype: the dtype to convert to, without changing what the values mean.
        finite: refuse NaN and infinity in floating-point arrays.
    """
    given = plain(value, name)
    if len(given.shape) != len(shape) or any(w is not None and w != g for w, g in zip(shape, given.shape)):
        raise InputError(f"{name} must have shape {_text(shape)}, but got {given.shape}")
    out = cast(given, dtype, name)
    if finite and np.issubdtype(out.dtype, np.floating) and not np.isfinite(out).all():
        count = int((~np.isfinite(out)).sum())
        raise InputError(f"{name} holds {count} values that are NaN or infinite; every value must be finite")
    return out


def rigid(value: Any, name: str, tolerance: float = 1e-4) -> NDArray[np.float64]:
    """``value`` as rigid transforms (N, 4, 4): orthonormal, determinant +1, last row (0, 0, 0, 1)."""
    out = array(value, name, (None, 4, 4))
    r = out[:, :3, :3]
    with np.errstate(over="ignore", invalid="ignore"):  # what is huge is no rotation, and is told below
        error = np.abs(r @ np.swapaxes(r, -1, -2) - np.eye(3)).reshape(len(out), 9).max(-1, initial=0.0)
        bad = ~(error <= tolerance) | ~(np.linalg.det(r) > 0)
    bad |= np.abs(out[:, 3] - [0, 0, 0, 1]).max(-1) > tolerance
    if bad.any():
        raise InputError(
            f"{name}: entry {int(np.argmax(bad))} is not a rigid transform (rotation, translation, 0 0 0 1)"
            + _why_not_rigid(out[np.argmax(bad)], tolerance)
        )
    return out


def _why_not_rigid(pose: NDArray[np.float64], tolerance: float) -> str:
    """The usual reasons, where one is plain to see."""
    r = pose[:3, :3]
    if np.abs(pose[3] - [0, 0, 0, 1]).max() > tolerance:
        return (
            ": it is transposed, give its .T" if np.abs(pose[:, 3] - [0, 0, 0, 1]).max() <= tolerance else ""
        )
    with np.errstate(over="ignore", invalid="ignore"):
        gram = r @ r.T
        scale = float(np.trace(gram)) / 3
        if not (np.isfinite(scale) and scale > 0 and np.abs(gram / scale - np.eye(3)).max() <= tolerance):
            return ""
    if np.linalg.det(r) < 0:
        return ": it mirrors"
    return f": it scales by {scale**0.5:.4g}"


def _text(shape: tuple[int | None, ...]) -> str:
    return (
        "("
        + ", ".join("any" if n is None else str(n) for n in shape)
        + ("," if len(shape) == 1 else "")
        + ")"
    )
