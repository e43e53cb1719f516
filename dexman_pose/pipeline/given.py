"""What other programs made that a run uses in place of its own stages, checked as a whole before any long work."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from dexman_pose.backends import HANDS
from dexman_pose.data.camera import Camera
from dexman_pose.data.clip import Clip
from dexman_pose.data.mesh import Mesh
from dexman_pose.data.prompts import ObjectPrompt
from dexman_pose.data.tracks import HandObservations
from dexman_pose.errors import InputError
from dexman_pose.given.forms import POSES_AS
from dexman_pose.pipeline.hashing import hash_arrays, hash_json

if TYPE_CHECKING:
    from dexman_pose.given.depth import GivenDepth
    from dexman_pose.given.masks import ObjectMasks
    from dexman_pose.given.poses import GivenPoses
    from dexman_pose.imaging.undistort import Undistortion

GIVEN = "given"
"""Name of the backend of a stage whose result was given."""


@dataclass(frozen=True)
class Brought:
    """What a caller hands over, as it was handed over.

    Attributes:
        masks: see :func:`~dexman_pose.given.masks.read_masks`.
        hands: see :func:`~dexman_pose.given.hands.read_hands`.
        poses: see :func:`~dexman_pose.given.poses.read_poses`.
        poses_as: ``start`` or ``fixed``.
        hands_order: of the joints, by name.
        depth_unit: of the depth files.
        depth_camera: of depth that is not registered.
    """

    masks: Any = None
    hands: Any = None
    poses: Any = None
    poses_as: str = "start"
    hands_order: str = "auto"
    depth_unit: str | float = "auto"
    depth_camera: Any = None


@dataclass(frozen=True)
class Given:
    """What was given and how it was read; empty for a run that makes all of it.

    Attributes:
        masks: masks by object, or None.
        hands: what another detector saw, or None.
        poses: poses by object.
        fixed: whether the poses are the answer, and not where tracks start.
        depth: how the depth was read, or None.
        notes: sentences for people about what was assumed.
    """

    masks: ObjectMasks | None = None
    hands: HandObservations | None = None
    poses: Mapping[str, GivenPoses] = field(default_factory=dict)
    fixed: bool = False
    depth: GivenDepth | None = None
    notes: tuple[str, ...] = ()

    def provenance(self) -> dict[str, Any]:
        """Plain values for a trajectory: what was given, in which unit, for how many frames."""
        out: dict[str, Any] = {}
        if self.masks is not None:
            out["masks"] = {name: len(self.masks.known(name)) for name in self.masks.keys}
        if self.hands is not None:
            out["hands"] = int(self.hands.detected.any(1).sum())
        if self.poses:
            used = "fixed" if self.fixed else "start"
            out["poses"] = {
                name: {"as": used, "frames": int(p.given.sum())} for name, p in self.poses.items()
            }
        if self.depth is not None:
            out["depth"] = {
                "unit_m": self.depth.unit_m,
                "unit_source": self.depth.unit_source,
                "frames_without": self.depth.missing,
            }
        return out

    def undistorted(self, found: Undistortion) -> Given:
        """Masks and hands moved from the filmed pictures to the undistorted ones; poses are the same in both."""
        from dexman_pose.imaging.undistorted_inputs import undistorted_hands

        masks, hands = self.masks, self.hands
        return replace(
            self,
            masks=None if masks is None else replace(masks, masks=masks.masks.mapped(found.mask)),
            hands=None if hands is None else undistorted_hands(hands, found),
        )

    def fixed_poses(self) -> dict[str, GivenPoses]:
        """Poses that are the answer, by object."""
        return dict(self.poses) if self.fixed else {}

    def hash_masks(self) -> str | None:
        """Fingerprint of the given masks, or None."""
        return None if self.masks is None else hash_json([self.masks.keys, self.masks.masks.digest()])

    def hash_hands(self) -> str | None:
        """Fingerprint of the given hands, or None."""
        h = self.hands
        return None if h is None else hash_arrays(h.joints_2d, h.joints_local, h.detected, h.bridged, h.score)

    def hash_poses(self) -> Any:
        """Fingerprint of the given poses, or None."""
        if not self.poses:
            return None
        marks = {name: hash_arrays(p.camera_from_object, p.given) for name, p in self.poses.items()}
        return [self.fixed, marks]


def detector_of(hands: Any) -> tuple[str | None, Any]:
    """Name of the detector that ``hands`` asks for and the given hands: one of them is None, or both.

    A text is the name of a detector unless a file of this path is there or it ends as the path of one.
    """
    if hands is None:
        return None, None
    if not isinstance(hands, (str, PathLike)):
        return GIVEN, hands
    text = str(hands)
    path = Path(text).expanduser()
    if isinstance(hands, str) and (
        text.partition(":")[0] in HANDS.names() or not (path.suffix or path.exists())
    ):
        return text, None
    return GIVEN, path


def read_given(
    brought: Brought,
    objects: Mapping[str, Any],
    clip: Clip,
    camera: Camera | None,
    depth: GivenDepth | None,
) -> Given:
    """Read what a caller brings.

    Args:
        brought: masks, hands, poses.
        objects: prompts by name; entries that are no prompts are meshes.
        clip: the frames.
        camera: the user's intrinsics, or None.
        depth: the user's depth, read before.

    Raises:
        InputError: something cannot be read, or does not fit the clip or the objects.
    """
    if brought.poses_as not in POSES_AS:
        raise InputError(f"poses_as must be {' or '.join(POSES_AS)}, but is {brought.poses_as!r}")
    notes = list(depth.notes) if depth is not None else []
    masks = None
    if brought.masks is not None:
        from dexman_pose.given.masks import merged_if_single, named_masks, read_masks

        masks = named_masks(merged_if_single(read_masks(brought.masks, clip), objects), objects)
        notes += masks.notes
    hands = None
    if brought.hands is not None:
        from dexman_pose.given.hands import read_hands

        hands, said = read_hands(brought.hands, clip, camera, order=brought.hands_order)
        notes += said
    poses: dict[str, GivenPoses] = {}
    if brought.poses is not None:
        from dexman_pose.given.poses import read_poses

        poses = read_poses(brought.poses, list(objects), clip)
        notes += [f"{name}: {p.note}" for name, p in poses.items() if p.note]
    return Given(masks, hands, poses, brought.poses_as == "fixed", depth, tuple(dict.fromkeys(notes)))


def as_objects(objects: Any, brought: Brought) -> Any:
    """Objects by name, where a list of names is enough because masks are given."""
    if brought.masks is None or isinstance(objects, Mapping):
        return objects
    if isinstance(objects, str):
        return {objects: None}
    if isinstance(objects, (list, tuple)) and objects and all(isinstance(name, str) for name in objects):
        return dict.fromkeys(objects)
    return objects


def with_prompts(objects: Any, given: Given) -> Any:
    """The objects with a prompt by their given masks where there is only a mesh, a path, or nothing."""
    if given.masks is None or not isinstance(objects, Mapping):
        return objects
    return {
        name: value
        if isinstance(value, ObjectPrompt) or not (value is None or isinstance(value, (str, PathLike, Mesh)))
        else given.masks.prompt(name, value)
        for name, value in objects.items()
    }


def check_fixed(given: Given, meshes: Mapping[str, Mesh | None]) -> None:
    """See that objects with fixed poses have a mesh.

    Raises:
        InputError: one has none.
    """
    for name in given.fixed_poses():
        if meshes[name] is None:
            raise InputError(f"object {name!r} has fixed poses but no mesh: give the mesh they are of")


def starts_of(
    given: Given, prompts: Mapping[str, ObjectPrompt], shown: Mapping[str, Any]
) -> dict[str, tuple[int, Any]]:
    """Frame and pose (4, 4) from which each object's track starts; of frames that show it where there are any."""
    if given.fixed:
        return {}
    out = {}
    for name, poses in given.poses.items():
        frame = poses.nearest(prompts[name].frame, np.asarray(shown[name], np.bool_))
        out[name] = (frame, poses.camera_from_object[frame])
    return out
