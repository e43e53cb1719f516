"""An interrupted search for grasps in a file, to go on from."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from dexman_pose.arrays import Array
from dexman_pose.robot.planning.grasp import GraspState
from dexman_pose.robot.planning.kept import KeptFile, key_of
from dexman_pose.robot.planning.options import PlanOptions
from dexman_pose.robot.planning.task import Task

_MARK = "grasps"


class GraspKeeper:
    """Writes how far a search for grasps is, after every generation.

    Args:
        path: of the file.
        task: that is planned.
        options: of the search.
    """

    def __init__(self, path: Path, task: Task, options: PlanOptions) -> None:
        self._file = KeptFile(path, key_of(task, options, _MARK))

    def begun(self) -> GraspState | None:
        """Where the same search was interrupted, or ended; None where it was not, or the file is damaged."""
        return self._file.read(_state)

    def keep(self, state: GraspState) -> None:
        """Write it."""
        head = {
            "number": state.number,
            "steps": state.steps,
            "sure": state.sure,
            "left": state.left,
            "rng": state.rng.bit_generator.state,
        }
        arrays = {"mean": state.mean, "deviation": state.deviation}
        if state.best is not None:
            arrays["best"] = state.best
        self._file.write(head, arrays)


def _state(head: dict[str, Any], arrays: dict[str, Array]) -> GraspState:
    rng = np.random.default_rng()
    rng.bit_generator.state = head["rng"]
    return GraspState(
        int(head["number"]),
        arrays["mean"],
        arrays["deviation"],
        rng,
        int(head["steps"]),
        bool(head["sure"]),
        int(head["left"]),
        arrays.get("best"),
    )
