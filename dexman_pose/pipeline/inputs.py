"""What a run is made from, opened and checked as a whole before any long work starts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dexman_pose.data.accept import (
    CameraLike,
    ClipLike,
    DepthsLike,
    as_camera,
    as_clip,
    as_prompts,
)
from dexman_pose.data.camera import Camera
from dexman_pose.data.clip import Clip
from dexman_pose.data.depth import DepthSequence
from dexman_pose.data.mesh import Mesh
from dexman_pose.data.numbers import word
from dexman_pose.data.prompts import ObjectPrompt
from dexman_pose.errors import InputError
from dexman_pose.pipeline.given import Brought, Given, as_objects, check_fixed, read_given, with_prompts
from dexman_pose.pipeline.hashing import hash_camera, hash_clip, hash_depth, hash_mesh, hash_prompt

if TYPE_CHECKING:
    from dexman_pose.given.depth import GivenDepth

VideoLike = ClipLike
DepthLike = DepthsLike
_NOTHING = Brought()
MESH_UNITS = ("auto", "m", "cm", "mm", "inch")
"""Units of mesh files that a run takes."""


@dataclass(frozen=True)
class Inputs:
    """Everything a run reads.

    Attributes:
        clip: the frames.
        prompts: where each object is, by name.
        meshes: the mesh of each object in metres, or None where one has to be made; with depth, a unit that nobody
            stated is settled.
        camera: the user's intrinsics, or None. An ideal pinhole: where the user's camera has a lens, clip, prompts,
            depth and what was given are undistorted, and this is the camera of undistorted pictures.
        depth: the user's depth images, one for every frame, or None.
        given: what other programs made that is used in place of stages.
        filmed_camera: the user's camera with its lens where pictures are undistorted, else None.
    """

    clip: Clip
    prompts: dict[str, ObjectPrompt]
    meshes: dict[str, Mesh | None]
    camera: Camera | None = None
    depth: DepthSequence | None = None
    given: Given = field(default_factory=Given)
    filmed_camera: Camera | None = None

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
            mesh_unit: unit of mesh files: ``m``, ``cm``, ``mm``, ``inch`` or ``auto``.
            brought: masks, hands and poses of other programs, and how depth is to be read.

        Raises:
            InputError: something is missing, damaged, or does not fit the rest.
        """
        named: Any = as_objects(objects, brought)
        if brought.masks is None:
            named = as_prompts(named)
        word(mesh_unit, "mesh_unit", MESH_UNITS)
        clip = open_clip(video, max_frames)
        lens = _load_camera(camera, clip)
        measured = _load_depth(depth, clip, brought, lens)
        given = read_given(brought, named, clip, lens, measured)
        prompts = as_prompts(with_prompts(named, given))
        for name, prompt in prompts.items():
            prompt.check_inside(name, clip.width, clip.height, clip.num_frames)
        meshes = {name: _load_mesh(name, prompt, mesh_unit) for name, prompt in prompts.items()}
        check_fixed(given, meshes)
        depths = None if measured is None else measured.depth
        sized = _sized(meshes, prompts, lens, clip, depths)
        return cls(clip, prompts, sized, lens, depths, given).undistorted()

    @property
    def filmed_clip(self) -> Clip:
        """The frames as they were filmed, before a lens was taken out of them."""
        from dexman_pose.imaging.undistorted_inputs import filmed_clip

        return filmed_clip(self.clip)

    def undistorted(self) -> Inputs:
        """The inputs as an ideal pinhole would have given them: the door of the pipeline.

        Raises:
            InputError: a prompt points at what the undistorted picture does not show.
        """
        if self.camera is None or self.camera.is_pinhole:
            return self
        from dexman_pose.imaging.undistort import undistortion_of, without_harmless_skew
        from dexman_pose.imaging.undistorted_inputs import (
            undistorted_clip,
            undistorted_depth,
            undistorted_prompt,
        )

        camera = without_harmless_skew(self.camera)
        found = undistortion_of(camera)
        if found is None:
            return replace(self, camera=camera)
        return replace(
            self,
            clip=undistorted_clip(self.clip, camera),
            prompts={name: undistorted_prompt(name, p, found) for name, p in self.prompts.items()},
            camera=found.camera,
            depth=undistorted_depth(self.depth, found),
            given=self.given.undistorted(found),
            filmed_camera=self.camera,
        )


@dataclass(frozen=True)
class Fingerprints:
    """Hashes of the inputs, as they stand in the settings of the stages that use them.

    Attributes:
        content: of the clip, however many of its frames are used.
        clip: of the frames used.
        prompts: name and hash of each prompt.
        meshes: of each mesh, None where there is none.
        camera: of the intrinsics, or None.
        depth: of the depth images, or None.
    """

    content: str
    clip: str
    prompts: list[list[str]]
    meshes: dict[str, str | None]
    camera: str | None
    depth: str | None

    @classmethod
    def of(cls, inputs: Inputs) -> Fingerprints:
        """Fingerprints of checked inputs; the order of the objects counts, because it numbers the masks."""
        content = inputs.clip.sha256()
        return cls(
            content,
            hash_clip(inputs.clip, content),
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
    return as_clip(video, max_frames, "video")


def assumed_camera(clip: Clip) -> Camera:
    """A camera of a typical field of view, for what has to be judged before there is a better one."""
    from dexman_pose.pose.clip.focal_length import TYPICAL_FOCAL

    return Camera.from_focal(TYPICAL_FOCAL * max(clip.width, clip.height), clip.width, clip.height, "assumed")


def _load_mesh(name: str, prompt: ObjectPrompt, unit: str) -> Mesh | None:
    if prompt.mesh is None:
        return None
    from dexman_pose.meshing.convert import as_mesh
    from dexman_pose.meshing.load import read_mesh_file

    try:
        if isinstance(prompt.mesh, (str, PathLike)):  # a guessed unit is told where depth has had its say
            return read_mesh_file(Path(prompt.mesh).expanduser(), unit)
        return as_mesh(prompt.mesh, unit)
    except InputError as error:
        raise type(error)(f"object {name!r}: {error}") from error


def _sized(
    meshes: dict[str, Mesh | None],
    prompts: dict[str, ObjectPrompt],
    camera: Camera | None,
    clip: Clip,
    depth: DepthSequence | None,
) -> dict[str, Mesh | None]:
    """The meshes in the unit that fits what is known; without any, nothing that works on meshes is imported."""
    if all(mesh is None for mesh in meshes.values()):
        return meshes
    from dexman_pose.pipeline.mesh_units import sized_meshes

    return sized_meshes(meshes, prompts, camera or assumed_camera(clip), depth)


def _load_camera(camera: CameraLike | None, clip: Clip) -> Camera | None:
    """The user's intrinsics for frames of this size."""
    return None if camera is None else as_camera(camera, (clip.height, clip.width))


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
