"""The result of a run: everything that was estimated from one clip."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dexman_pose.data import _check, trajectory_file
from dexman_pose.data.camera import Camera
from dexman_pose.data.named import NamedHands, NamedObjects
from dexman_pose.data.numbers import described, instance, plain
from dexman_pose.data.tracks import JOINT_NAMES, Contacts, HandTrack, RigidObject
from dexman_pose.data.world.table import TablePlane
from dexman_pose.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike


@dataclass(frozen=True)
class Trajectory:
    """Objects, hands and contacts of one clip, in metres, with the camera and the world they live in.

    Attributes:
        camera: intrinsics used: an ideal pinhole, of undistorted pictures where those filmed had a lens.
        frame_times: (T,) seconds from the first frame.
        objects: by name.
        hands: by side (``"left"``, ``"right"``); a side never seen is absent.
        contacts: or None when there was no hand or no object.
        world_from_camera: (4, 4): z up, the origin on the table; the identity without a table.
        provenance: plain JSON values: input, versions, settings, where camera, scale and world come from.
        joint_names: of the 21 joints of a hand.
        filmed_camera: the camera as given, with its lens, where pictures were undistorted for ``camera``; else None.
            The camera frame is the same.
        table: the plane that objects stand on, camera frame, or None where the clip does not tell it.
    """

    camera: Camera
    frame_times: NDArray[np.float64]
    objects: dict[str, RigidObject] = field(default_factory=dict)
    hands: dict[str, HandTrack] = field(default_factory=dict)
    contacts: Contacts | None = None
    world_from_camera: NDArray[np.float64] = field(default_factory=lambda: np.eye(4))
    provenance: dict[str, Any] = field(default_factory=dict)

    joint_names: tuple[str, ...] = JOINT_NAMES
    filmed_camera: Camera | None = None
    table: TablePlane | None = None

    if TYPE_CHECKING:  # lists, tuples and tensors become arrays

        def __init__(
            self,
            camera: Camera,
            frame_times: ArrayLike,
            objects: Mapping[str, RigidObject] = ...,
            hands: Mapping[str, HandTrack] = ...,
            contacts: Contacts | None = None,
            world_from_camera: ArrayLike = ...,
            provenance: dict[str, Any] = ...,
            joint_names: tuple[str, ...] = ...,
            filmed_camera: Camera | None = None,
            table: TablePlane | None = None,
        ) -> None: ...

    def __post_init__(self) -> None:
        _check.settle(self, frame_times=_check.array(self.frame_times, "frame_times", (None,)))
        instance(self.camera, Camera, "camera", "make one with Camera(K, width, height)")
        world = _check.rigid(plain(self.world_from_camera, "world_from_camera")[None], "world_from_camera")[0]
        _check.settle(self, world_from_camera=world)
        _check.settle(self, objects=NamedObjects(_by_name(self.objects, RigidObject, "objects")))
        _check.settle(self, hands=NamedHands(_by_name(self.hands, HandTrack, "hands")))
        if self.table is not None:
            instance(self.table, TablePlane, "table", "dexman_pose.scene.estimate_scene finds one")
        n = len(self.frame_times)
        for name, obj in self.objects.items():
            if len(obj.track) != n:
                raise InputError(f"object {name!r} has {len(obj.track)} poses, but there are {n} frames")
        for side, hand in self.hands.items():
            if len(hand) != n:
                raise InputError(f"the {side} hand has {len(hand)} entries, but there are {n} frames")

    def __repr__(self) -> str:
        found = [f"{name} ({obj.valid.sum()} valid)" for name, obj in self.objects.items()]
        hands = [f"{side} hand ({hand.valid.sum()} valid)" for side, hand in self.hands.items()]
        contents = ", ".join([*found, *hands]) or "nothing"
        return f"Trajectory({self.num_frames} frames, {contents}, {self.camera!r})"

    @property
    def num_frames(self) -> int:
        """Number of frames T."""
        return len(self.frame_times)

    def save(self, path: str | Path) -> Path:
        """Write the trajectory file (npz arrays and a JSON header), atomically; returns its path."""
        return trajectory_file.write(self, path)

    @classmethod
    def load(cls, path: str | Path) -> Trajectory:
        """Read a trajectory file, or the one in a run folder. Never unpickles.

        Raises:
            TrajectoryError: no such file, not a trajectory, damaged, other schema version.
        """
        return trajectory_file.read(path, cls)

    def validate(self) -> None:
        """Check the whole content.

        Raises:
            TrajectoryError: lists everything wrong at once.
        """
        trajectory_file.check(self)


def _by_name(entries: Any, kind: type[Any], what: str) -> dict[str, Any]:
    """Results by name, each of its kind."""
    if not isinstance(entries, Mapping):
        raise InputError(f"{what} must be a dict of {kind.__name__} by name, but got {described(entries)}")
    for name, entry in entries.items():
        if not isinstance(name, str) or not isinstance(entry, kind):
            raise InputError(
                f"{what} must be a dict of {kind.__name__} by name, but {name!r} is {described(entry)}"
            )
    return dict(entries)
