"""A measured grasp as a motion for a robot: on a table, with gravity, without the frames that hold no hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from dexman_pose.geometry.se3 import transform_points
from dexman_pose.robot.motion.types import Motion, MovingHand, MovingObject
from dexman_pose.synthetic.grasps.recorded import RecordedGrasp, read_grasp
from dexman_pose.synthetic.grasps.standing import world_from_camera

YCB_MASSES = {
    "002_master_chef_can": 0.414,
    "003_cracker_box": 0.411,
    "004_sugar_box": 0.514,
    "005_tomato_soup_can": 0.349,
    "006_mustard_bottle": 0.603,
    "007_tuna_fish_can": 0.171,
    "008_pudding_box": 0.187,
    "009_gelatin_box": 0.097,
    "010_potted_meat_can": 0.370,
    "011_banana": 0.066,
    "019_pitcher_base": 0.178,
    "021_bleach_cleanser": 1.131,
    "024_bowl": 0.147,
    "025_mug": 0.118,
    "035_power_drill": 0.895,
    "036_wood_block": 0.729,
    "037_scissors": 0.082,
    "040_large_marker": 0.016,
    "051_large_clamp": 0.125,
    "052_extra_large_clamp": 0.202,
    "061_foam_brick": 0.028,
}
"""kg, as the makers of the YCB set weighed them (Calli et al., 2015)."""


def grasp_motion(path: str | Path, meshes: str | Path, mirrored: bool = False) -> Motion:
    """Read a measured grasp and put it on the table.

    Args:
        path: of the ``.npz``.
        meshes: folder with the mesh of its object.
        mirrored: the same in a mirror: the other hand.

    Raises:
        InputError: it is no grasp, or its mesh is not there.
    """
    grasp = read_grasp(path, meshes)
    motion = motion_of(grasp)
    return motion.mirrored() if mirrored else motion


def motion_of(grasp: RecordedGrasp) -> Motion:
    """The grasp from the first frame with a hand to the last; frames without one between them are bridged."""
    world = world_from_camera(grasp)
    seen = np.flatnonzero(grasp.valid)
    span = slice(int(seen[0]), int(seen[-1]) + 1)
    joints = transform_points(world, grasp.joints)[span]
    valid = grasp.valid[span]
    frames = np.arange(len(valid))
    flat = joints.reshape(len(joints), -1)
    bridged = np.stack([np.interp(frames, frames[valid], column[valid]) for column in flat.T], 1)
    notes = []
    if len(seen) < grasp.num_frames:
        notes.append(f"{grasp.num_frames - len(seen)} of {grasp.num_frames} frames hold no hand")
    hand = MovingHand(grasp.side, bridged.reshape(joints.shape), ~valid)
    poses = (world @ grasp.camera_from_object)[span]
    thing = MovingObject(grasp.object_name, grasp.mesh, poses, np.zeros(len(poses), np.bool_))
    return Motion({hand.side: hand}, {thing.name: thing}, f"grasp {grasp.name}", tuple(notes))
