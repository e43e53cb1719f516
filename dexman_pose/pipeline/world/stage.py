"""The stage that finds the table, gravity and the world frame after objects and hands."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from dexman_pose.data.camera import Camera
from dexman_pose.data.files import read_arrays, write_npz
from dexman_pose.data.masks import MaskSequence
from dexman_pose.data.tracks import HandTrack, RigidObject
from dexman_pose.data.world.table import TablePlane
from dexman_pose.pipeline.inputs import Fingerprints, Inputs
from dexman_pose.pipeline.stage import Stage

if TYPE_CHECKING:
    from dexman_pose.imaging.camera_motion import CameraMotion
    from dexman_pose.scene.estimate import SceneEstimate

STAGE = "scene"
MOVES = "the camera moves"
"""Why there is no world where poses of different frames are not in one frame."""


def scene_stage(
    inputs: Inputs,
    marks: Fingerprints,
    masks: MaskSequence,
    camera: Camera,
    objects: Mapping[str, RigidObject],
    hands: Mapping[str, HandTrack],
    motion: CameraMotion,
    *,
    with_hands: bool,
) -> Stage[SceneEstimate]:
    """Make the stage.

    Args:
        inputs: of the run.
        marks: fingerprints of the inputs.
        masks: tell the background of depth images.
        camera: of the clip.
        objects: with their poses.
        hands: by side.
        motion: of the camera: where it moves there is no world.
        with_hands: whether hands were looked for.
    """

    def compute() -> SceneEstimate:
        from dexman_pose.scene.estimate import SceneEstimate, estimate_scene

        if motion.moves:
            return SceneEstimate(reason=MOVES)
        times = np.asarray(inputs.clip.frame_times)
        return estimate_scene(objects, hands, camera, times, depth=inputs.depth, masks=masks)

    return Stage(
        STAGE,
        "stages/scene.npz",
        compute=compute,
        save=save_scene,
        load=load_scene,
        settings={"clip": marks.clip, "depth": marks.depth},
        after=("masks", "camera", "camera_motion", "objects", *(("lift",) if with_hands else ())),
        rooms=("scene",),
    )


def placed_objects(
    objects: Mapping[str, RigidObject],
    scene: SceneEstimate,
    camera: Camera,
    hands: Mapping[str, HandTrack],
    inputs: Inputs,
) -> dict[str, RigidObject]:
    """The objects as table and hands say where they are; poses that were given as fixed stay, but for their size.

    Those of unknown size that stand on the table are as large and as far as that says, those that a hand holds in their
    place as it closes on them; where the table is better known than a pose at rest, it is brought onto it.
    """
    from dexman_pose.contact.touched_sizes import sized_by_touch
    from dexman_pose.scene.sizes import sized_by_table
    from dexman_pose.scene.standing import standing_objects

    times, fixed = np.asarray(inputs.clip.frame_times), inputs.given.fixed_poses()
    every = sized_by_table(objects, scene.sizes)
    ours = {name: thing for name, thing in every.items() if name not in fixed}
    return {
        **every,
        **sized_by_touch(standing_objects(ours, scene.table, camera, hands, times), hands, times),
    }


def save_scene(scene: SceneEstimate, path: Path) -> None:
    """Write a table and a world frame, or why there are none."""
    said: dict[str, Any] = {
        "reason": scene.reason,
        "left_out": list(scene.left_out),
        "table": None,
        "sizes": scene.sizes,
    }
    arrays = {"world_from_camera": scene.world_from_camera}
    if scene.table is not None:
        said["table"] = {"offset": scene.table.offset, "evidence": list(scene.table.evidence)}
        arrays |= {"normal": scene.table.normal, "covariance": scene.table.covariance}
    write_npz(path, {**arrays, "said": np.frombuffer(json.dumps(said).encode(), np.uint8)})


def load_scene(path: Path) -> SceneEstimate:
    """Read what :func:`save_scene` wrote."""
    from dexman_pose.scene.estimate import SceneEstimate

    stored = read_arrays(path)
    said = json.loads(stored["said"].tobytes().decode())
    table = None
    if said["table"] is not None:
        table = TablePlane(stored["normal"], covariance=stored["covariance"], **said["table"])
    return SceneEstimate(
        table, stored["world_from_camera"], said["reason"], tuple(said["left_out"]), said["sizes"]
    )
