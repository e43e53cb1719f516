"""Policies in files: an ``.npz`` of arrays and a JSON header, written atomically, never unpickled.

| array | |
|---|---|
| ``header`` | UTF-8 JSON: ``format``, ``version``, ``rate``, ``layers``, ``residual``, ``about`` |
| ``model`` | UTF-8, MuJoCo's XML |
| ``mean``, ``deviation`` | (D,) of what is seen; it is normalised as (seen - mean) / (deviation + 0.01) |
| ``weight_i``, ``bias_i`` | of layer i, exponential linear units between them; the output is the action |
| ``controls`` | (T, A) that residual times action is added to |
| ``start``, ``joints``, ``reference`` | of the motion, as in plans |
| ``touch_object``, ``touch_point``, ``touch_weight`` | (T, P), (T, P, 3), (T, P): what the hands' points touch |

What is seen, in this order: ``dexman_pose/robot/learning/observations.py``.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from dexman_pose.data.files import door, read_arrays, write_npz
from dexman_pose.errors import InputError
from dexman_pose.robot.headers import as_bytes, as_text, header_of, need
from dexman_pose.robot.learning.options import ResidualOptions
from dexman_pose.robot.learning.policy import Network, SkillPolicy
from dexman_pose.robot.motion.types import RATE
from dexman_pose.robot.planning.task import Task
from dexman_pose.robot.world.build import world_from_xml

FORMAT, VERSION = "dexman_pose policy", 1
NAME = "policy.npz"
"""Of the file in a policy's folder."""
_TASK = ("start", "joints", "reference", "touch_object", "touch_point", "touch_weight")


def write_policy(path: str | Path, policy: SkillPolicy, residual: ResidualOptions) -> Path:
    """Write a policy; returns its path.

    Raises:
        InputError: the place cannot be written to.
    """
    network = policy.network
    header = {
        "format": FORMAT,
        "version": VERSION,
        "rate": RATE,
        "layers": len(network.weights),
        "residual": asdict(residual),
        "about": policy.about,
    }
    layers = {f"weight_{i}": w for i, w in enumerate(network.weights)}
    layers |= {f"bias_{i}": b for i, b in enumerate(network.biases)}
    return write_npz(
        path,
        {
            "header": as_bytes(json.dumps(header, allow_nan=False)),
            "model": as_bytes(policy.task.world.xml),
            "mean": network.mean,
            "deviation": network.deviation,
            **layers,
            "controls": policy.controls,
            **{name: getattr(policy.task, name) for name in _TASK},
        },
    )


def read_policy(path: str | Path) -> tuple[SkillPolicy, ResidualOptions]:
    """Read a policy, or the one in a folder, and what its actions do.

    Raises:
        InputError: no such file, no policy, damaged, or of another version.
    """
    path = Path(path)
    file = path / NAME if path.is_dir() else path
    if not file.is_file():
        raise InputError(
            f"there is no policy at {path}; give a {NAME} as dexman-pose train writes it, or its folder"
        )
    with door(file, "a policy"):
        arrays = read_arrays(file)
        header = header_of(file, arrays, "policy", VERSION)
        layers = range(int(header["layers"]))
        wanted = ["model", "mean", "deviation", "controls", *_TASK]
        wanted += [f"{kind}_{i}" for kind in ("weight", "bias") for i in layers]
        need(file, arrays, wanted)
        network = Network(
            arrays["mean"],
            arrays["deviation"],
            tuple(arrays[f"weight_{i}"] for i in layers),
            tuple(arrays[f"bias_{i}"] for i in layers),
        )
        task = _task(arrays)
        policy = SkillPolicy(network, task, task.controls, dict(header["about"]))
        return policy, ResidualOptions(**header["residual"])


def _task(arrays: dict[str, Any]) -> Task:
    world = world_from_xml(as_text(arrays["model"]))
    counts = {len(arrays[name]) for name in (*_TASK[1:], "controls")}
    sizes = (len(arrays["start"]), arrays["controls"].shape[1], arrays["joints"].shape[1])
    model = (world.model.nq, world.model.nu, len(world.joints))
    if len(counts) != 1 or sizes != model:
        raise InputError(f"frames {sorted(counts)} or sizes {sizes} do not fit the model's {model}")
    return Task(
        world=world,
        start=arrays["start"].astype(np.float64),
        controls=arrays["controls"].astype(np.float64),
        joints=arrays["joints"].astype(np.float64),
        reference=arrays["reference"].astype(np.float64),
        touch_object=arrays["touch_object"].astype(np.intp),
        touch_point=arrays["touch_point"].astype(np.float64),
        touch_weight=arrays["touch_weight"].astype(np.float64),
    )
