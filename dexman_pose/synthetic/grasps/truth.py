"""What is true in a grasp film, and its file."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dexman_pose.arrays import Array
from dexman_pose.data import Camera
from dexman_pose.data.files import write_npz
from dexman_pose.errors import InputError

FINGERTIPS: tuple[str, ...] = ("thumb", "index", "middle", "ring", "pinky")
FILE = "truth.npz"


@dataclass(frozen=True)
class FilmTruth:
    """What is true in a grasp film of T frames with N objects and H hands; metres, camera frame.

    Attributes:
        objects: names, in the order of labels 1, 2, ...
        sides: of the hands.
        K: (3, 3) intrinsics in pixels.
        size: width and height.
        frame_times: (T,) seconds.
        camera_from_world: (4, 4), world +z up, the table is z = 0. The camera stands still.
        camera_from_object: (N, T, 4, 4).
        visible: (N, T) share of the object's outline within the picture that is seen.
        joints: (H, T, 21, 3) order of ``JOINT_NAMES``.
        hand_visible: (H, T) share of the joints that lie within the picture.
        hand_seen: (H, T) share of the joints where the picture shows that hand, and nothing in front of it.
        bone_lengths: (H, 21) from each joint to its parent.
        gaps: (H, N, T, 6) least signed distance between object and skin of thumb, index, middle, ring, pinky, palm.
        touching: (H, N, T, 6) bool, the skin is nearer than 2 mm.
        held: (H, N, T) bool, the hand carries the object.
        gravity: (3,) unit, the way things fall.
        table: (4,) unit normal upwards and offset: ``normal @ x + offset`` is a point's height above the table.
        fit_error: (H,) mean distance of the measured joints from the hand fitted to them.
    """

    objects: tuple[str, ...]
    sides: tuple[str, ...]
    K: Array
    size: tuple[int, int]
    frame_times: Array
    camera_from_world: Array
    camera_from_object: Array
    visible: Array
    joints: Array
    hand_visible: Array
    hand_seen: Array
    bone_lengths: Array
    gaps: Array
    touching: NDArray[np.bool_]
    held: NDArray[np.bool_]
    gravity: Array
    table: Array
    fit_error: Array

    @property
    def num_frames(self) -> int:
        """Number of frames T."""
        return len(self.frame_times)

    @property
    def camera(self) -> Camera:
        """The camera."""
        return Camera(self.K, int(self.size[0]), int(self.size[1]))

    def save(self, path: str | Path) -> Path:
        """Write the file, atomically."""
        arrays: dict[str, Any] = {f.name: np.asarray(getattr(self, f.name)) for f in fields(self)}
        return write_npz(path, arrays)

    @classmethod
    def load(cls, path: str | Path) -> FilmTruth:
        """Read what :meth:`save` wrote; ``path`` is the file or the folder of the film.

        Raises:
            InputError: no such file, or arrays are missing.
        """
        path = Path(path)
        path = path / FILE if path.is_dir() else path
        if not path.is_file():
            raise InputError(f"no truth at {path}: make a film first (dexman-pose synth)")
        with np.load(path, allow_pickle=False) as arrays:
            missing = {f.name for f in fields(cls)} - set(arrays.files)
            if missing:
                raise InputError(f"{path} is no truth of a grasp film: it lacks {', '.join(sorted(missing))}")
            values: dict[str, Any] = {f.name: arrays[f.name] for f in fields(cls)}
        for name in ("objects", "sides"):
            values[name] = tuple(str(word) for word in values[name])
        values["size"] = tuple(int(n) for n in values["size"])
        return cls(**values)
