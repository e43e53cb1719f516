"""Two measured grasps side by side, one by each hand, as a motion for a robot: the truth of a film of two hands."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from dexman_pose.robot.motion.types import Motion, MovingHand, MovingObject
from dexman_pose.synthetic.grasps.placed import place_grasp
from dexman_pose.synthetic.grasps.recorded import read_grasp
from dexman_pose.synthetic.grasps.scene import Scene
from dexman_pose.synthetic.grasps.stories import two_hands
from dexman_pose.synthetic.grasps.view import joints_in_world

_STREAM = 41
_MIRRORED = "_mirrored"


def paired_motion(first: Path, second: Path, meshes: Path, seed: int = 0) -> Motion:
    """Two grasps at once, 0.34 to 0.44 m apart; the second one is mirrored where both are of one hand.

    Args:
        first: of the two files (``.npz``).
        second: of them.
        meshes: folder with the meshes of their objects.
        seed: of their places.

    Raises:
        InputError: one is no grasp, or its mesh is not there.
    """
    one, other = read_grasp(first, meshes), read_grasp(second, meshes)
    if one.side == other.side:
        other = other.mirrored()
    rng = np.random.default_rng([_STREAM, seed])
    scene = two_hands(place_grasp(one), place_grasp(other), rng)
    return scene_motion(scene, f"grasps {first.stem} and {second.stem}")


def scene_motion(scene: Scene, source: str) -> Motion:
    """What moves in a scene of a film, as a motion for a robot; things that only stand by are left out.

    Args:
        scene: 30 frames a second, the table is z = 0.
        source: where it comes from, in words.
    """
    still = np.zeros(scene.num_frames, np.bool_)
    hands = {
        hand.side: MovingHand(hand.side, joints_in_world(scene, h), still)
        for h, hand in enumerate(scene.hands)
    }
    carried = [thing for k, thing in enumerate(scene.objects) if scene.held[:, k].any()]
    names = [thing.name.removesuffix(_MIRRORED) for thing in carried]
    if len(set(names)) < len(names):
        names = [thing.name for thing in carried]
    objects = {
        name: MovingObject(name, thing.mesh, thing.world_from_object, still)
        for name, thing in zip(names, carried)
    }
    return Motion(hands, objects, source)
