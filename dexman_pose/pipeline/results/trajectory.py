"""The stage that puts everything into one file, with where it comes from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from dexman_pose.data.camera import Camera
from dexman_pose.data.masks import MaskSequence
from dexman_pose.data.tracks import Contacts, HandTrack, RigidObject
from dexman_pose.data.trajectory import Trajectory
from dexman_pose.pipeline import fixed_camera
from dexman_pose.pipeline.backends import Backends
from dexman_pose.pipeline.hashing import hash_camera
from dexman_pose.pipeline.inputs import Fingerprints, Inputs
from dexman_pose.pipeline.provenance import provenance
from dexman_pose.pipeline.results.mask_faults import mask_fault_notices, mask_faults
from dexman_pose.pipeline.stage import Stage
from dexman_pose.pipeline.world.words import world_notices, world_provenance

if TYPE_CHECKING:
    from dexman_pose.imaging.camera_motion import CameraMotion
    from dexman_pose.pipeline.before_masks.followed import FollowedObjects
    from dexman_pose.pipeline.with_contact.stage import GrippingHands
    from dexman_pose.scene.estimate import SceneEstimate


@dataclass(frozen=True)
class Findings:
    """What the stages of a run have found.

    Attributes:
        camera: intrinsics.
        objects: by name.
        hands: by side.
        contacts: None where hands are left out.
        motion: of the camera.
        scene: table, gravity and world.
        followed: objects that were followed before there were masks; None where none may be.
        grips: how hands were moved to what they hold; None where hands are left out.
        masks: of the objects, with what the gate found wrong with them; None where nobody asks.
    """

    camera: Camera
    objects: Mapping[str, RigidObject]
    hands: Mapping[str, HandTrack]
    contacts: Contacts | None
    motion: CameraMotion
    scene: SceneEstimate
    followed: FollowedObjects | None = None
    grips: GrippingHands | None = None
    masks: MaskSequence | None = None


def trajectory_stage(
    inputs: Inputs, marks: Fingerprints, backends: Backends, found: Findings
) -> Stage[Trajectory]:
    """Make the stage.

    Args:
        inputs: of the run.
        marks: fingerprints of the inputs.
        backends: that made it.
        found: what goes into the file.
    """
    hands = ("grips", "contacts") if backends.hands is not None else ()
    follow = ("follow",) if found.followed is not None else ()
    return Stage(
        "trajectory",
        "trajectory.npz",
        compute=lambda: _put_together(inputs, marks, backends, found),
        save=lambda result, path: result.save(path),
        load=Trajectory.load,
        settings={
            "clip": marks.clip,
            "backends": [backends.hands, backends.segmentation, backends.mesh],
            "given": inputs.given.provenance(),
            "notes": list(inputs.given.notes),
            "filmed_camera": hash_camera(inputs.filmed_camera),
        },
        after=("camera", "camera_motion", "objects", "scene", *follow, *hands),
        rooms=("pipeline",),
    )


def _put_together(inputs: Inputs, marks: Fingerprints, backends: Backends, found: Findings) -> Trajectory:
    result = Trajectory(
        found.camera, inputs.clip.frame_times, dict(found.objects), dict(found.hands), found.contacts
    )
    result = replace(
        result,
        filmed_camera=inputs.filmed_camera,
        world_from_camera=found.scene.world_from_camera,
        table=found.scene.table,
    )
    settings = {"hands": backends.hands, "segmentation": backends.segmentation, "mesh": backends.mesh}
    made_from = provenance(inputs, marks, settings, result)
    made_from |= world_provenance(found.scene)
    made_from["notices"] += world_notices(found.scene)
    made_from["camera_motion"] = fixed_camera.camera_motion_provenance(found.motion)
    made_from["notices"] += fixed_camera.camera_motion_notices(found.motion, inputs.meshes)
    made_from["notices"] += [] if found.followed is None else found.followed.notices()
    if found.masks is not None and found.masks.faults is not None:
        made_from["mask_faults"] = mask_faults(found.masks)
        made_from["notices"] += mask_fault_notices(found.masks)
    if found.grips is not None:
        made_from["grips"] = found.grips.report
        made_from["notices"] += found.grips.notices()
    result = replace(result, provenance=made_from)
    result.validate()
    return result
