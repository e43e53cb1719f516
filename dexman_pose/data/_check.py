"""Shape and value checks of the central types, with messages that say what was given and what was expected."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

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
        value: anything numpy can turn into an array.
        name: what the message calls it.
        shape: the expected shape; ``None`` stands for any length.
        dtype: the dtype to convert to.
        finite: refuse NaN and infinity in floating-point arrays.
    """
    try:
        given = np.asarray(value)
        with np.errstate(invalid="ignore"):  # NaN becomes some whole number, which is told below
            out = np.ascontiguousarray(given) if given.dtype == dtype else _converted(given, name, dtype)
    except (TypeError, ValueError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(
            f"{name} must be an array of {np.dtype(dtype)} and shape {_text(shape)}: {error}"
        ) from error
    if out.ndim == 0 and len(shape) > 0:
        out = out.reshape(()) if not shape else out
    if len(out.shape) != len(shape) or any(w is not None and w != g for w, g in zip(shape, out.shape)):
        raise InputError(f"{name} must have shape {_text(shape)}, but got {out.shape}")
    if finite and np.issubdtype(out.dtype, np.floating) and not np.isfinite(out).all():
        count = int((~np.isfinite(out)).sum())
        raise InputError(f"{name} holds {count} values that are NaN or infinite; every value must be finite")
    return out


def _converted(given: NDArray[Any], name: str, dtype: Any) -> NDArray[Any]:
    """``given`` as another dtype that can hold the same values: no half of a complex number, no NaN as True."""
    wanted = np.dtype(dtype)
    if given.dtype.kind == "c" and wanted.kind != "c":
        raise InputError(f"{name} must be real numbers ({wanted}), but is complex ({given.dtype})")
    out = np.ascontiguousarray(given, dtype=wanted)
    if wanted.kind in "biu" and given.dtype.kind in "fiu":
        changed = out != given
        if changed.any():
            raise InputError(f"{name} must be {wanted}, but holds {given[changed].flat[0]}")
    return out


def rigid(value: Any, name: str, tolerance: float = 1e-4) -> NDArray[np.float64]:
    """``value`` as rigid transforms (N, 4, 4): orthonormal, determinant +1, last row (0, 0, 0, 1)."""
    out = array(value, name, (None, 4, 4))
    r = out[:, :3, :3]
    error = np.abs(r @ np.swapaxes(r, -1, -2) - np.eye(3)).reshape(len(out), -1).max(-1, initial=0.0)
    bad = (
        (error > tolerance) | (np.linalg.det(r) < 0) | (np.abs(out[:, 3] - [0, 0, 0, 1]).max(-1) > tolerance)
    )
    if bad.any():
        raise InputError(
            f"{name}: entry {int(np.argmax(bad))} is not a rigid transform (rotation, translation, 0 0 0 1)"
        )
    return out


def _text(shape: tuple[int | None, ...]) -> str:
    return (
        "("
        + ", ".join("any" if n is None else str(n) for n in shape)
        + ("," if len(shape) == 1 else "")
        + ")"
    )
