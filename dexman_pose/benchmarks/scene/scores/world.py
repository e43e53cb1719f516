"""The world: which way is down, where the table is."""

from __future__ import annotations

import numpy as np

from dexman_pose.benchmarks.scene.scores.objects import Scores
from dexman_pose.data import Trajectory
from dexman_pose.synthetic.grasps.record import FilmRecord


def score_world(record: FilmRecord, trajectory: Trajectory) -> Scores:
    """Scores of the world frame.

    Returns:
        ``gravity_deg`` (angle between the world's -z and the way things fall), None as long as the world is the
        camera's frame; ``table_mm`` (how far the plane z = 0 is from the true table where the objects stand at first),
        None unless the world is said to stand on a table; ``focal_percent`` (focal length over the true one, less 1).
    """
    truth = record.truth
    out: Scores = dict.fromkeys(("gravity_deg", "table_mm", "focal_percent"))
    out["focal_percent"] = 100 * (trajectory.camera.fx / float(truth.K[0, 0]) - 1)
    world = str(trajectory.provenance.get("world", "camera"))
    if world == "camera":
        return out
    down = -trajectory.world_from_camera[2, :3]
    out["gravity_deg"] = float(np.degrees(np.arccos(np.clip(down @ truth.gravity, -1.0, 1.0))))
    if "table" in world:
        feet = truth.camera_from_object[:, 0, :3, 3]
        feet = feet - (feet @ truth.table[:3] + truth.table[3])[:, None] * truth.table[:3]
        height = feet @ trajectory.world_from_camera[2, :3] + trajectory.world_from_camera[2, 3]
        out["table_mm"] = 1e3 * float(np.median(np.abs(height)))
    return out
