"""The stage that follows objects of known shape before masks are made."""

from __future__ import annotations

from collections.abc import Mapping

from dexman_pose.data.prompts import ObjectPrompt
from dexman_pose.data.tracks import HandObservations
from dexman_pose.pipeline.before_masks import followed
from dexman_pose.pipeline.before_masks.followable import followable
from dexman_pose.pipeline.inputs import Fingerprints, Inputs
from dexman_pose.pipeline.stage import Stage


def follow_stage(
    inputs: Inputs,
    marks: Fingerprints,
    segmentation: str,
    prompts: Mapping[str, ObjectPrompt],
    observations: HandObservations | None,
    *,
    engine: tuple[str, ...],
) -> Stage[followed.FollowedObjects]:
    """Make the stage.

    Args:
        inputs: of the run.
        marks: fingerprints of the inputs.
        segmentation: backend that finds objects in the frames of their prompts.
        prompts: of all objects.
        observations: hands, which hide objects; None where they are left out.
        engine: rooms whose code makes poses.
    """
    known = followable(inputs, segmentation)
    return Stage(
        "follow",
        "stages/follow.npz",
        compute=lambda: followed.follow(inputs, {name: prompts[name] for name in known}, observations),
        save=followed.save_followed,
        load=followed.load_followed,
        settings={
            "clip": marks.clip,
            "prompts": marks.prompts,
            "meshes": marks.meshes,
            "camera": marks.camera,
            "depth": marks.depth,
            "objects": list(known),
        },
        after=("prompts", *(() if observations is None else ("hands",))),
        rooms=("segmentation", "pipeline", *engine),
    )
