"""Files of the structure of MANO's, with numbers of our own: nothing in them is MANO's.

Names, shapes, types, classes and tree are those of MANO_RIGHT.pkl and MANO_LEFT.pkl; the hand is our own skeleton with
points around it, and shape, pose and components are made up.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csc_matrix

from dexman_pose.arrays import Array
from dexman_pose.data.files import write_bytes
from dexman_pose.hands.mano.layout import (
    ANGLES,
    BONES,
    BONES_IN_FILE,
    JOINTS,
    PARENTS,
    SHAPES,
    TIPS,
    VERTICES,
)
from dexman_pose.hands.model.hand_model import HandModel
from dexman_pose.hands.model.skeleton import BONE_JOINTS
from dexman_pose.hands.model.skeleton import TIPS as TIP_JOINTS
from dexman_pose.synthetic.tiny_datasets.old_pickles import OldObject, OldPickler

MANO_FROM_OURS = np.array([[-1.0, 0.0, 0.0], [0.0, 0.0, 1.0], [0.0, 1.0, 0.0]])
"""Axes of a right hand: fingers along -x, its back to +y, the thumb's side to +z."""
WRIST = np.array([0.09, 0.006, 0.006])
"""Metres; the wrist of MANO's template is not at the origin either."""

_RING = 12
_SPREAD = 0.008
_MIRROR = np.array([-1.0, 1.0, 1.0])
_AROUND = 16
_ROUNDS = 48


def write_small_mano(folder: str | Path, protocol: int = 2) -> dict[str, Path]:
    """Write MANO_RIGHT.pkl and MANO_LEFT.pkl of our own numbers, as Python 2 would; returns their paths by side.

    Args:
        folder: where.
        protocol: of the pickle: 0, 1 or 2.
    """
    out = {}
    for side in ("right", "left"):
        path = Path(folder) / f"MANO_{side.upper()}.pkl"
        out[side] = write_bytes(path, OldPickler(protocol).dumps(as_old_objects(mano_entries(side))))
    return out


def mano_entries(side: str = "right") -> dict[str, Any]:
    """The entries of a file as plain arrays; the left hand mirrored, its shape directions with the known wrong sign."""
    entries = dict(_right())
    if side == "right":
        return entries
    turned = np.outer(_MIRROR, _MIRROR).ravel()
    directions = entries["posedirs"].reshape(VERTICES, 3, BONES, 9) * _MIRROR[:, None, None] * turned
    entries["v_template"] = entries["v_template"] * _MIRROR
    entries["posedirs"] = directions.reshape(VERTICES, 3, 9 * BONES)
    entries["hands_mean"] = entries["hands_mean"] * np.tile(-_MIRROR, BONES)
    entries["hands_components"] = entries["hands_components"] * np.tile(-_MIRROR, BONES)
    entries["f"] = entries["f"][:, ::-1].copy()
    return entries


def as_old_objects(entries: dict[str, Any]) -> dict[str, Any]:
    """Entries as the distributed files hold them: shape directions selected from more, the regressor sparse."""
    more = np.concatenate([entries["shapedirs"], np.zeros((VERTICES, 3, SHAPES))], -1)
    chosen = np.arange(more.size).reshape(more.shape)[..., :SHAPES].ravel()
    whole = OldObject("chumpy.ch.Ch", {"x": more, "_dirty_vars": {"x"}, "_status": "new"})
    regressor = csc_matrix(entries["J_regressor"])
    state = {"data": regressor.data, "indices": regressor.indices, "indptr": regressor.indptr}
    return {
        **entries,
        "shapedirs": OldObject(
            "chumpy.reordering.Select",
            {"a": whole, "idxs": chosen, "preferred_shape": (VERTICES, 3, SHAPES), "_dirty_vars": set()},
        ),
        "J_regressor": OldObject(
            "scipy.sparse.csc.csc_matrix",
            {**state, "_shape": regressor.shape, "format": "csc", "maxprint": 50},
        ),
        "betas": OldObject("chumpy.ch.Ch", {"x": np.zeros(SHAPES), "_dirty_vars": {"x"}}),
        "bs_style": "lbs",
        "bs_type": "lrotmin",
    }


@lru_cache(maxsize=1)
def _right() -> dict[str, Any]:
    rng = np.random.default_rng(5)
    ours = HandModel(resolution=0.005)
    points = ours.rest_joints @ MANO_FROM_OURS.T + WRIST
    in_file = np.argsort([0, *(1 + b for b in BONES_IN_FILE)])
    joints = points[[0, *BONE_JOINTS]][in_file]
    tips = points[list(TIP_JOINTS)]
    template, regressor = _template(rng, joints, tips)
    bent = ours.pose(finger_flexion=0.4, thumb_mcp_flexion=0.2) @ MANO_FROM_OURS.T
    mean = np.empty((BONES, 3))
    mean[list(BONES_IN_FILE)] = bent
    table = np.array([[(1 << 32) - 1, *PARENTS[1:]], range(JOINTS)])
    return {
        "v_template": template,
        "shapedirs": _shapes(rng, template),
        "posedirs": rng.normal(scale=2e-4, size=(VERTICES, 3, 9 * BONES)),
        "J_regressor": regressor,
        "weights": _weights(template, joints, tips),
        "kintree_table": table,
        "f": mitten(),
        "hands_mean": mean.ravel(),
        "hands_components": np.linalg.qr(rng.normal(size=(ANGLES, ANGLES)))[0],
    }


def _template(rng: np.random.Generator, joints: Array, tips: Array) -> tuple[Array, Array]:
    """Points around the bones, a ring about each joint for its regressor, fingertips in their places; the regressor."""
    middles = np.concatenate([joints, (joints + joints[np.maximum(PARENTS, 0)]) / 2])
    template = middles[rng.integers(0, len(middles), VERTICES)]
    template = template + rng.normal(scale=_SPREAD / 2, size=(VERTICES, 3))
    named = np.array(list(TIPS.values()))
    for finger in range(5):
        for vertex in np.unique(named[:, finger]).tolist():
            template[vertex] = tips[finger] + rng.normal(scale=1e-3, size=3)
    free = np.setdiff1d(np.arange(VERTICES), named)
    regressor = np.zeros((JOINTS, VERTICES))
    turns = 2.0 * np.pi * np.arange(_RING) / _RING
    ring = _SPREAD * np.stack([0.0 * turns, np.cos(turns), np.sin(turns)], 1)
    for joint in range(JOINTS):
        at = free[_RING * joint : _RING * (joint + 1)]
        template[at] = joints[joint] + ring
        regressor[joint, at] = 1.0 / _RING
    return template, regressor


def _shapes(rng: np.random.Generator, template: Array) -> Array:
    """Metres per coefficient: the size first, then other linear changes about the wrist."""
    changes = 0.02 * rng.normal(size=(SHAPES, 3, 3))
    changes[0] = 0.04 * np.eye(3)
    return np.einsum("kij,vj->vik", changes, template - WRIST)


def _weights(template: Array, joints: Array, tips: Array) -> Array:
    """By the distances to the middles of the bones."""
    ends = np.empty_like(joints)
    for joint in range(1, JOINTS):
        children = [c for c in range(JOINTS) if PARENTS[c] == joint]
        ends[joint] = joints[children[0]] if children else tips[_finger(joint)]
    ends[0] = joints[[1, 4, 7, 10]].mean(0)
    squared = ((template[:, None] - (joints + ends) / 2) ** 2).sum(-1)
    near = np.exp(-(squared - squared.min(1, keepdims=True)) / _SPREAD**2)
    out: Array = near / near.sum(1, keepdims=True)
    return out


def _finger(joint: int) -> int:
    """Which finger, thumb first, a joint of the file is of."""
    return BONES_IN_FILE.index(joint - 1) // 3


def mitten() -> NDArray[np.uint32]:
    """(1538, 3) faces of 778 vertices: a tube with one open end, as MANO's surface is one with an open wrist."""
    faces = []
    for row in range(_ROUNDS - 1):
        for i in range(_AROUND):
            a, b = _AROUND * row + i, _AROUND * row + (i + 1) % _AROUND
            faces += [(a, b, b + _AROUND), (a, b + _AROUND, a + _AROUND)]
    rim = [_AROUND * (_ROUNDS - 1) + i for i in range(_AROUND)]
    for vertex in range(_AROUND * _ROUNDS, VERTICES):  # a vertex more in the last face of a fan
        if vertex == _AROUND * _ROUNDS:
            faces += [(rim[i], rim[(i + 1) % _AROUND], vertex) for i in range(_AROUND)]
        else:
            a, b, c = faces.pop()
            faces += [(a, b, vertex), (b, c, vertex), (c, a, vertex)]
    return np.array(faces, np.uint32)
