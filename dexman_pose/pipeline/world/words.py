"""What a trajectory says of its world: where it comes from, how sure it is, what was assumed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from dexman_pose.scene.estimate import SceneEstimate

ASSUMED = "the table is level; the camera is roughly upright and looks down on it"


def world_provenance(scene: SceneEstimate) -> dict[str, Any]:
    """Plain values: ``world`` is ``"table"``, or ``"camera"`` where no table is known; ``table`` tells more."""
    left_out = list(scene.left_out)
    if scene.table is None:
        return {"world": "camera", "table": {"found": False, "reason": scene.reason, "left_out": left_out}}
    table = scene.table
    return {
        "world": "table",
        "table": {
            "found": True,
            "evidence": list(table.evidence),
            "normal_std_deg": float(np.degrees(table.normal_std)),
            "height_std_m": table.height_std(_origin(scene)),
            "gravity": (-table.normal).tolist(),
            "assumed": ASSUMED,
            "left_out": left_out,
        },
    }


def world_notices(scene: SceneEstimate) -> list[str]:
    """One sentence for people."""
    if scene.table is None:
        return [f"The world frame is the camera frame: {scene.reason}; gravity is not known."]
    return [f"Gravity is that of the table, which is taken to be level; it is known to {accuracy(scene)}."]


def accuracy(scene: SceneEstimate) -> str:
    """How well the normal of the table is known, for people."""
    assert scene.table is not None
    return f"+-{np.degrees(scene.table.normal_std):.1f} degrees"


def _origin(scene: SceneEstimate) -> Any:
    """(3,) the origin of the world, camera frame."""
    world = scene.world_from_camera
    return -world[:3, :3].T @ world[:3, 3]
