"""From masks to objects: a mesh for each (the user's, or one made from the clip), its track, and its metric scale."""

from __future__ import annotations

from collections.abc import Mapping

from dexman_pose.arrays import Array
from dexman_pose.data import HandTrack, ObjectPrompt, PoseTrack, RigidObject
from dexman_pose.data.accept import (
    CameraLike,
    ClipLike,
    DepthsLike,
    MasksLike,
    MeshLike,
    as_prompts,
)
from dexman_pose.pose.clip.objects import find_objects
from dexman_pose.pose.clip.start import prompted_frame
from dexman_pose.pose.clip.types import ObjectRequest
from dexman_pose.pose.observation.checked import checked_hands, checked_meshes, checked_views


def reconstruct_objects(
    clip: ClipLike,
    masks: MasksLike,
    prompts: Mapping[str, ObjectPrompt],
    meshes: Mapping[str, MeshLike | None],
    camera: CameraLike,
    *,
    hands: Mapping[str, HandTrack] | None = None,
    depth: DepthsLike | None = None,
    starts: Mapping[str, tuple[int, Array]] | None = None,
    followed: Mapping[str, PoseTrack] | None = None,
) -> dict[str, RigidObject]:
    """Mesh, metric poses and scale of every object of a clip.

    Args:
        clip: the frames.
        masks: label images of the same frames.
        prompts: where each object was pointed at; its track starts in that frame unless another shows it far better,
            and its ``mesh_scale`` says whether its mesh has its true size.
        meshes: the user's mesh per object in metres, or None to make one from the clip.
        camera: intrinsics.
        hands: metric hands, which give a size to objects without a mesh, or of unknown scale.
        depth: depth images, metres.
        starts: frame and camera_from_object (4, 4) of objects whose pose is known somewhere, by name.
        followed: tracks of objects with a start that were made without the masks, by name, as
            :func:`~dexman_pose.pose.clip.followed.follow_known` makes them.

    Returns:
        The objects by name.

    Raises:
        InputError: something given is of another kind, size or length, or the masks lack an object.
        EstimationError: an object has no usable mask in any frame.
    """
    clip, masks, camera, depth = checked_views(clip, masks, camera, depth)
    prompts, hands = as_prompts(prompts, "prompts"), checked_hands(hands, clip)
    shapes = checked_meshes(meshes, prompts)
    begun = {} if starts is None else starts
    requests = []
    for name, prompt in prompts.items():
        frame, start = begun.get(name, (prompt.frame, None))
        if start is None:
            frame = prompted_frame(masks, name, frame)
        box = prompt.box if frame == prompt.frame else None
        requests.append(
            ObjectRequest(name, shapes[name], frame=frame, start=start, scale=prompt.mesh_scale, box=box)
        )
    return find_objects(clip, masks, camera, requests, hands=hands, depth=depth, followed=followed)
