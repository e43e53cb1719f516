"""One annotated video as one camera saw it: what every dataset reader ends in and every score begins with."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dexman_pose.arrays import Array
from dexman_pose.data import OCCLUDER, Camera, HandTrack, RigidObject
from dexman_pose.data._check import settle
from dexman_pose.data.files import door, single_line
from dexman_pose.data.mano import ManoParameters
from dexman_pose.errors import InputError
from dexman_pose.geometry.symmetry import SymmetryGroup

DepthOf = Callable[[int], NDArray[np.float32]]
MaskOf = Callable[[int], NDArray[np.uint8] | None]


@dataclass(frozen=True)
class Recording:
    """One annotated video as one camera saw it.

    Attributes:
        dataset: name of the dataset, e.g. ``"taco"``.
        name: unique within the dataset, e.g. ``"20231005_203"``.
        view: which camera: a serial number, or ``"egocentric"``.
        camera: pinhole and distortion, of the pictures as they are in the files.
        camera_from_world: (T, 4, 4) per frame; the same in every row for a camera that stands still.
        frame_times: (T,) seconds.
        objects: truth by role (``"tool"``, ``"target"``) or name; meshes in metres, poses in the camera frame.
        object_ids: the dataset's id of each object's mesh, by the same keys.
        symmetries: of objects whose symmetry the dataset declares, by the same keys.
        hands: truth by side.
        mano: MANO parameters by side, where the dataset has them.
        video: the pictures, or None where they are missing.
        images: paths of the frames, where the dataset has pictures in place of a video.
        depth: depth image of a frame in metres, 0 where none, or None where there is no sensor.
        masks: label image of a frame (0 background, i+1 the i-th of ``objects``, 255 a hand or other thing), or None
            for frames without one; None where the dataset has none.
        group: what sequences are grouped by, e.g. a triplet of action, tool and target.
        split: the dataset's split it belongs to, "" where unknown.
        missing: what could not be found or read, each in words that name the file.
        suspicions: what looks converted wrongly, see :mod:`dexman_pose.datasets.plausible`.
        first_number: that the dataset gives the first frame, where it counts its frames otherwise than from 0.
    """

    dataset: str
    name: str
    view: str
    camera: Camera
    camera_from_world: Array
    frame_times: Array
    objects: dict[str, RigidObject]
    object_ids: dict[str, str] = field(default_factory=dict)
    symmetries: dict[str, SymmetryGroup] = field(default_factory=dict)
    hands: dict[str, HandTrack] = field(default_factory=dict)
    mano: dict[str, ManoParameters] = field(default_factory=dict)
    video: Path | None = None
    images: tuple[Path, ...] = ()
    depth: DepthOf | None = None
    masks: MaskOf | None = None
    group: str = ""
    split: str = ""
    missing: tuple[str, ...] = ()
    suspicions: tuple[str, ...] = ()
    first_number: int = 0

    def __post_init__(self) -> None:
        count = len(self.frame_times)
        if self.camera_from_world.shape != (count, 4, 4):
            raise InputError(
                f"{self.key}: camera_from_world must be ({count}, 4, 4), one per frame time, "
                f"but is {self.camera_from_world.shape}"
            )
        tracks: Iterable[tuple[str, int]] = [
            *((name, len(o.valid)) for name, o in self.objects.items()),
            *((side, len(h.valid)) for side, h in self.hands.items()),
        ]
        for name, length in tracks:
            if length != count:
                raise InputError(f"{self.key}: {name} has {length} frames, but there are {count} frame times")
        size = (self.camera.height, self.camera.width)
        if self.depth is not None and not isinstance(self.depth, _Images):
            settle(self, depth=_Images(self.depth, f"depth of {self.key}", size))
        if self.masks is not None and not isinstance(self.masks, _Images):
            settle(self, masks=_Images(self.masks, f"masks of {self.key}", size, len(self.objects)))

    @property
    def key(self) -> str:
        """``name/view``: unique within a dataset, and the folder its predictions lie in."""
        return f"{self.name}/{self.view}"

    @property
    def num_frames(self) -> int:
        """How many frames there are."""
        return len(self.frame_times)

    def world_from_object(self, name: str) -> Array:
        """(T, 4, 4) truth of an object in the world."""
        moved: Array = np.linalg.inv(self.camera_from_world) @ self.objects[name].camera_from_object
        return moved


@dataclass(frozen=True)
class _Images:
    """Images by frame that are what they should be, or an :class:`InputError`: files are read when they are asked for.

    Attributes:
        read: the image of a frame, or None.
        what: for messages.
        size: (height, width) that each must have.
        labels: the largest label besides that of an occluder; None where the images are depth.
    """

    read: Callable[[int], NDArray[Any] | None]
    what: str
    size: tuple[int, int]
    labels: int | None = None

    def __call__(self, frame: int) -> Any:
        with door(f"{self.what}, frame {frame}", "an image"):
            image = self.read(frame)
            if image is None:
                return None
            if image.shape != self.size:
                raise InputError(f"{self.what}, frame {frame}: must be {self.size}, but is {image.shape}")
            if self.labels is not None:
                beyond = (image > self.labels) & (image != OCCLUDER)
                if beyond.any():
                    raise InputError(
                        f"{self.what}, frame {frame}: label {image[beyond].flat[0]} stands for nothing; there are "
                        f"{self.labels} objects, and {OCCLUDER} for the rest"
                    )
            return image


@dataclass(frozen=True)
class Problem:
    """A sequence that cannot be read, or not whole.

    Attributes:
        sequence: its name.
        path: the file in question.
        what: what is wrong with it, one line.
    """

    sequence: str
    path: Path
    what: str

    def __str__(self) -> str:
        return single_line(f"{self.sequence}: {self.path}: {self.what}")
