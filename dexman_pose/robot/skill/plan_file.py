"""Plans in files: an ``.npz`` of arrays and a JSON header, written atomically, never unpickled.

| array | |
|---|---|
| ``header`` | UTF-8 JSON: ``format``, ``version``, ``settle``, ``rate``, ``about`` |
| ``model`` | UTF-8, MuJoCo's XML; no other file is needed |
| ``start`` | (nq,) ``qpos`` before the objects settle |
| ``controls`` | (T, A) at ``rate`` a second, in the order of the model's actuators |
| ``reference``, ``measured`` | (T, O, 7) place and quaternion wxyz of the objects |
| ``joints`` | (T, J) the retargeted motion, in the order of the model's joints that are not free |
| ``qpos`` | (T, nq) what happened |
| ``force`` | (T, P) N at the touching points, in the order of the model's sensors |
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from dexman_pose.data.files import door, read_arrays, write_npz
from dexman_pose.errors import InputError
from dexman_pose.robot.headers import as_bytes, as_text, header_of, need
from dexman_pose.robot.motion.types import RATE
from dexman_pose.robot.skill.plan import Plan

FORMAT, VERSION = "dexman_pose plan", 1
NAME = "plan.npz"
"""Of the file in a plan's folder."""
_ARRAYS = ("start", "controls", "reference", "measured", "joints", "qpos", "force")
_DIMENSIONS = {"start": 1, "reference": 3, "measured": 3}


def write_plan(path: str | Path, plan: Plan) -> Path:
    """Write a plan; returns its path.

    Raises:
        InputError: the place cannot be written to.
    """
    header = {"format": FORMAT, "version": VERSION, "settle": plan.settle, "rate": RATE, "about": plan.about}
    arrays = {name: getattr(plan, name) for name in _ARRAYS}
    return write_npz(
        path,
        {"header": as_bytes(json.dumps(header, allow_nan=False)), "model": as_bytes(plan.model), **arrays},
    )


def read_plan(path: str | Path) -> Plan:
    """Read a plan, or the one in a folder.

    Raises:
        InputError: no such file, no plan, damaged, or of another version.
    """
    path = Path(path)
    file = path / NAME if path.is_dir() else path
    if not file.is_file():
        raise InputError(
            f"there is no plan at {path}; give a {NAME} as dexman-pose plan writes it, or its folder"
        )
    with door(file, "a plan"):
        arrays = read_arrays(file)
        header = header_of(file, arrays, "plan", VERSION)
        need(file, arrays, ("model", *_ARRAYS))
        for name in _ARRAYS:
            if arrays[name].ndim != _DIMENSIONS.get(name, 2):
                raise InputError(f"{file}: {name} has shape {arrays[name].shape}")
        numbers = {name: arrays[name].astype(np.float64) for name in _ARRAYS}
        return Plan(
            model=as_text(arrays["model"]),
            settle=float(header["settle"]),
            about=dict(header["about"]),
            **numbers,
        )
