"""Hands that other programs give as MANO parameters alone: their 21 joints, by the user's own MANO files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dexman_pose.arrays import Array
from dexman_pose.data.mano import ManoParameters
from dexman_pose.data.tracks import SIDES
from dexman_pose.errors import InputError
from dexman_pose.geometry.se3 import so3_log
from dexman_pose.given.door import reading
from dexman_pose.given.hand_records import IN_IMAGE, IN_SPACE, by_side, load_hands, side_of
from dexman_pose.hands.mano.file import ManoFile
from dexman_pose.hands.mano.layout import ANGLES, BONES, DEFAULT_TIPS, SHAPES
from dexman_pose.hands.mano.parameters import parameter_joints

FINGERS = ("hand_pose", "fingers_pose")
WHOLE = ("pose", "mano_pose", "poses", "theta", "thetas", "pose_m")
ROOTS = ("global_orient", "root_orient", "rot")
SHAPE = ("betas", "shape", "mano_shape", "beta")
SHIFT = ("transl", "trans", "translation", "mano_trans")
NESTED = ("pred_mano_params", "mano_params")
FORMS = (
    "hand_pose (45 angles, 15 rotation matrices, or coefficients) with global_orient, or pose (48), "
    "and betas, transl"
)
_MIRRORED = "pred_keypoints_3d"
"""Entry for joints that are those of a right hand, for the picture of a left one was mirrored before."""


@dataclass(frozen=True)
class ManoReading:
    """The user's MANO files, and what the numbers do not say of themselves.

    Attributes:
        files: by side, one or both.
        flat_hand_mean: whether zero angles are the flat hand and not the file's mean pose; None: not known, which is
            refused unless the content says it or holds rotation matrices.
        left_fixed: whether left hands are of mended shape directions; None: not known, refused where it matters.
        center_joint: index in ``JOINT_NAMES`` of the joint that translations place, or None: the template's origin.
        tips: which vertices are fingertips.
    """

    files: Mapping[str, ManoFile]
    flat_hand_mean: bool | None = None
    left_fixed: bool | None = None
    center_joint: int | None = None
    tips: str | Sequence[int] = DEFAULT_TIPS


def with_mano_joints(source: Any, how: ManoReading) -> Any:
    """The content of a file of hands with joints beside all MANO parameters that had none.

    Args:
        source: a file that ``--hands`` could read if it held joints, or its content.
        how: files and options.

    Returns:
        The content, for ``hands=`` of :func:`~dexman_pose.pipeline.reconstruct`: records as they were, with
        ``joints_3d`` in metres, in the frame of the parameters.

    Raises:
        InputError: no MANO parameters there, a side without a file, or something that is not said.
    """
    with reading(source):
        is_path = isinstance(source, (str, PathLike))
        where = str(source) if is_path else "hands"
        walk = _Walk(how, where)
        found = walk.of(load_hands(Path(source).expanduser()) if is_path else source, None)
        if not walk.count:
            raise InputError(f"{where} holds no MANO parameters without joints; read are: {FORMS}")
        return found


class _Walk:
    """One way through a content; counts what got joints."""

    def __init__(self, how: ManoReading, where: str) -> None:
        self.how, self.where = how, where
        self.count = 0

    def of(self, content: Any, side: int | None) -> Any:
        if isinstance(content, (list, tuple)):
            return [self.of(item, side) for item in content]
        if not isinstance(content, Mapping) or any(n in content for n in (*IN_IMAGE, *IN_SPACE)):
            return content
        split = by_side(content) if side is None else {}
        if split:
            return {SIDES[s]: self.of(values, s) for s, values in split.items()}
        nested = next((content[n] for n in NESTED if isinstance(content.get(n), Mapping)), None)
        if nested is not None:
            return self._joined(content, nested, side, mirrored=True)
        if _first(content, (*FINGERS, *WHOLE)) is not None:
            return self._joined(content, content, side, mirrored=False)
        return {key: self.of(value, side) for key, value in content.items()}

    def _joined(
        self, content: Mapping[Any, Any], numbers: Mapping[Any, Any], side: int | None, *, mirrored: bool
    ) -> dict[Any, Any]:
        parameters = _Numbers.of(numbers, self.where)
        count = len(parameters.fingers)
        sides = np.full(count, 1) if mirrored else self._sides(content, side, count)
        joints = np.zeros((count, 21, 3))
        for number in np.unique(sides).tolist():
            at = np.flatnonzero(sides == number)
            joints[at] = self._joints(parameters, content, SIDES[number], at)
        self.count += count
        name = _MIRRORED if mirrored else "joints_3d"
        return {**content, name: joints if parameters.rows else joints[0]}

    def _sides(self, content: Mapping[Any, Any], side: int | None, count: int) -> NDArray[np.int64]:
        """(N,) 0 left, 1 right."""
        if side is not None:
            return np.full(count, side)
        rows = {str(k): v for k, v in content.items()}
        per_row = {k: v for k, v in rows.items() if np.ndim(v) >= 1 and len(v) == count and count > 1}
        return np.array(
            [side_of({**rows, **{k: v[i] for k, v in per_row.items()}}, self.where) for i in range(count)]
        )

    def _joints(self, n: _Numbers, content: Mapping[Any, Any], side: str, at: NDArray[np.intp]) -> Array:
        file = self.how.files.get(side)
        if file is None:
            raise InputError(f"{self.where} holds {side} hands, but no MANO_{side.upper()}.pkl is given")
        flat = True if n.rotations else _said(content, "flat_hand_mean", self.how.flat_hand_mean)
        if flat is None:
            raise InputError(
                f"{self.where} does not say whether zero angles are the flat hand or MANO's mean pose: "
                "say flat_hand_mean"
            )
        parameters = ManoParameters(
            side,
            np.concatenate([n.root, n.fingers], 1)[at],
            n.shift[at],
            n.shape[at],
            np.ones(len(at), np.bool_),
            flat_hand_mean=flat,
            center_joint=self.how.center_joint,
            left_fixed=_said(content, "left_fixed", self.how.left_fixed),
            pca=n.fingers.shape[1] < ANGLES,
        )
        return parameter_joints(parameters, file, tips=self.how.tips)


@dataclass(frozen=True)
class _Numbers:
    """MANO's numbers of N hands.

    Attributes:
        root: (N, 3) rotation vectors.
        fingers: (N, 45) angles or (N, C) coefficients.
        shape: (N, 10).
        shift: (N, 3) metres.
        rotations: they were matrices, which are from the flat hand.
        rows: whether there is a row per hand, and not one hand alone.
    """

    root: Array
    fingers: Array
    shape: Array
    shift: Array
    rotations: bool
    rows: bool

    @classmethod
    def of(cls, numbers: Mapping[Any, Any], where: str) -> _Numbers:
        given = _array(numbers, (*FINGERS, *WHOLE), where)
        assert given is not None
        root = _array(numbers, ROOTS, where)
        rotations = given.shape[-3:] == (BONES, 3, 3)
        if rotations:
            rows, fingers = given.ndim > 3, so3_log(given.reshape(-1, BONES, 3, 3)).reshape(-1, ANGLES)
            turns = None if root is None else so3_log(root.reshape(-1, 3, 3)).reshape(-1, 3)
        else:
            joined = given.shape[-2:] == (BONES, 3)
            flat = given.reshape(*given.shape[:-2], ANGLES) if joined else given
            rows, fingers = flat.ndim > 1, flat.reshape(-1, flat.shape[-1])
            turns = None if root is None else root.reshape(-1, 3)
        shift = _array(numbers, SHIFT, where)
        if turns is None:
            if rotations or _first(numbers, FINGERS) is not None or fingers.shape[1] <= 3:
                raise InputError(
                    f"{where} holds a pose of the fingers without global_orient; read are: {FORMS}"
                )
            turns, fingers, rest = fingers[:, :3], fingers[:, 3 : 3 + ANGLES], fingers[:, 3 + ANGLES :]
            shift = rest if shift is None and rest.shape[1] == 3 else shift
        count = len(fingers)
        shape = _array(numbers, SHAPE, where)
        return cls(
            _per_row(turns, count, 3, "global_orient", where),
            fingers,
            _per_row(np.zeros(SHAPES) if shape is None else shape, count, SHAPES, "betas", where),
            _per_row(np.zeros(3) if shift is None else shift, count, 3, "transl", where),
            rotations,
            rows,
        )


def _first(content: Mapping[Any, Any], names: Sequence[str]) -> str | None:
    return next((name for name in names if content.get(name) is not None), None)


def _array(content: Mapping[Any, Any], names: Sequence[str], where: str) -> Array | None:
    name = _first(content, names)
    if name is None:
        return None
    try:
        array = np.asarray(content[name], dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise InputError(f"{where}: {name} must be numbers; read are: {FORMS}") from error
    if not array.size or array.ndim == 0 or not np.isfinite(array).all():
        raise InputError(f"{where}: {name} must be finite numbers; leave frames without a hand out")
    return array


def _per_row(values: Array, count: int, size: int, what: str, where: str) -> Array:
    """(N, size), one row given for all or one per hand."""
    if values.size not in (size, size * count):
        raise InputError(
            f"{where}: {what} must be ({count}, {size}) or ({size},), but has shape {values.shape}"
        )
    return np.broadcast_to(values.reshape(-1, size), (count, size))


def _said(content: Mapping[Any, Any], name: str, otherwise: bool | None) -> bool | None:
    value = content.get(name)
    return otherwise if value is None or np.ndim(value) > 0 else bool(value)


def plain_values(content: Any) -> Any:
    """A content as JSON holds it: arrays as lists, keys as texts, bytes left out; what is not finite becomes null."""
    if isinstance(content, Mapping):
        return {str(k): plain_values(v) for k, v in content.items() if not isinstance(v, bytes)}
    if isinstance(content, (list, tuple)):
        return [plain_values(item) for item in content]
    if isinstance(content, (np.ndarray, np.generic)):
        return plain_values(content.tolist())
    return None if isinstance(content, float) and not np.isfinite(content) else content
