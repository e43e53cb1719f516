"""What a run is made from, opened and checked as a whole before any long work starts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dexman_pose.data.camera import Camera
from dexman_pose.data.clip import Clip
from dexman_pose.data.depth import DepthSequence
from dexman_pose.data.mesh import Mesh
from dexman_pose.data.prompts import ObjectPrompt
from dexman_pose.errors import InputError
from dexman_pose.pipeline.given import Brought, Given, as_objects, check_fixed, read_given, with_prompts
from dexman_pose.pipeline.hashing import hash_camera, hash_clip, hash_depth, hash_mesh, hash_prompt

if TYPE_CHECKING:
    from dexman_pose.given.depth import GivenDepth

VideoLike = str | Path | Clip
CameraLike = Camera | str | Path | NDArray[np.float64]
DepthLike = DepthSequence | str | Path
_NOTHING = Brought()


@dataclass(frozen=True)
class Inputs:
    """Everything a run reads.

    Attributes:
        clip: the frames.
        prompts: where each object is, by name.
        meshes: the mesh of each object in metres, or None where one has to be made.
        camera: the user's intrinsics, or None.
        depth: the user's depth images, one for every frame, or None.
        given: what other programs made that is used in place of stages.
    """

    clip: Clip
    prompts: dict[str, ObjectPrompt]
    meshes: dict[str, Mesh | None]
    camera: Camera | None = None
    depth: DepthSequence | None = None
    given: Given = field(default_factory=Given)

    @classmethod
    def check(
        cls,
        video: VideoLike,
        objects: Mapping[str, Any] | Sequence[str],
        *,
        camera: CameraLike | None = None,
        depth: DepthLike | None = None,
        max_frames: int | None = None,
        mesh_unit: str = "auto",
        brought: Brought = _NOTHING,
    ) -> Inputs:
        """Open and check all inputs.

        Args:
            video: a video file, a folder of images, or a clip.
            objects: prompts by name, each with its mesh or the path of one when there is a mesh. With given masks a
                mesh, a path or None stands for a prompt.
            camera: intrinsics, a camera file, or a 3x3 matrix in pixels.
            depth: depth images, or the folder they lie in.
            max_frames: use only the first frames.
            mesh_unit: unit of mesh files: ``m``, ``cm``, ``mm`` or ``auto``.
            brought: masks, hands and poses of other programs, and how depth is to be read.

        Raises:
            InputError: something is missing, damaged, or does not fit the rest.
        """
        named: Any = as_objects(objects, brought)
        if brought.masks is None:
            named = _checked_objects(named)
        clip = open_clip(video, max_frames)
        seen_by = _load_camera(camera, clip)
        measured = _load_depth(depth, clip, brought, seen_by)
        given = read_given(brought, named, clip, seen_by, measured)
        prompts = _checked_objects(with_prompts(named, given))
        for name, prompt in prompts.items():
            prompt.check_inside(name, clip.width, clip.height, clip.num_frames)
        meshes = {name: _load_mesh(name, prompt, mesh_unit) for name, prompt in prompts.items()}
        check_fixed(given, meshes)
        return cls(clip, prompts, meshes, seen_by, None if measured is None else measured.depth, given)


@dataclass(frozen=True)
class Fingerprints:
    """Hashes of the inputs, as they stand in the settings of the stages that use them."""

    clip: str
    prompts: list[list[str]]
    meshes: dict[str, str | None]
    camera: str | None
    depth: str | None

    @classmethod
    def of(cls, inputs: Inputs) -> Fingerprints:
        """Fingerprints of checked inputs; the order of the objects counts, because it numbers the masks."""
        return cls(
            hash_clip(inputs.clip),
            [[name, hash_prompt(prompt)] for name, prompt in inputs.prompts.items()],
            {name: hash_mesh(mesh) for name, mesh in inputs.meshes.items()},
            hash_camera(inputs.camera),
            hash_depth(inputs.depth, inputs.clip.num_frames),
        )


def open_clip(video: VideoLike, max_frames: int | None = None) -> Clip:
    """A clip from a video file or a folder of images; a clip is given back as it is.

    Raises:
        VideoError: nothing there, or nothing that can be decoded.
        InputError: ``max_frames`` is asked of a clip that is open already.
    """
    if not isinstance(video, Clip):
        path = Path(video).expanduser()
        if path.is_dir():
            return Clip.from_images(path, max_frames=max_frames)
        return Clip.open(path, max_frames=max_frames)
    if max_frames is not None and max_frames < video.num_frames:
        raise InputError("max_frames is for a video file; open the clip itself with max_frames")
    return video


def _checked_objects(objects: Any) -> dict[str, ObjectPrompt]:
    if not isinstance(objects, Mapping) or not objects:
        raise InputError(
            "objects must be a dict of at least one ObjectPrompt by name: {'cup': ObjectPrompt(box=...)}"
        )
    for name, prompt in objects.items():
        if not isinstance(name, str) or not name.strip():
            raise InputError(f"an object's name must be a text that is not empty, but got {name!r}")
        if not isinstance(prompt, ObjectPrompt):
            raise InputError(f"object {name!r} must be an ObjectPrompt, but got {type(prompt).__name__}")
    return dict(objects)


def _load_mesh(name: str, prompt: ObjectPrompt, unit: str) -> Mesh | None:
    if prompt.mesh is None or isinstance(prompt.mesh, Mesh):
        return prompt.mesh
    from dexman_pose.meshing import load_mesh

    try:
        return load_mesh(prompt.mesh, unit)
    except InputError as error:
        raise type(error)(f"object {name!r}: {error}") from error


def _load_camera(camera: CameraLike | None, clip: Clip) -> Camera | None:
    """The user's intrinsics for frames of this size."""
    if camera is None:
        return None
    found = _camera_of(camera, clip)
    if (found.width, found.height) != (clip.width, clip.height):
        raise InputError(
            f"the camera is for {found.width}x{found.height} images, but the clip has "
            f"{clip.width}x{clip.height}; give intrinsics in pixels of this clip"
        )
    return found


def _camera_of(camera: CameraLike, clip: Clip) -> Camera:
    if isinstance(camera, Camera):
        return camera
    if isinstance(camera, (str, Path)):
        from dexman_pose.data.camera_file import load_camera

        return load_camera(camera, clip.width, clip.height)
    return Camera(np.asarray(camera, dtype=np.float64), clip.width, clip.height)


def _load_depth(
    depth: DepthLike | None, clip: Clip, brought: Brought, camera: Camera | None
) -> GivenDepth | None:
    """The user's depth, one image for every frame, of the frames' size."""
    if depth is None:
        return None
    from dexman_pose.given.depth import read_depth

    return read_depth(
        depth, clip, unit=brought.depth_unit, depth_camera=brought.depth_camera, color_camera=camera
    )
