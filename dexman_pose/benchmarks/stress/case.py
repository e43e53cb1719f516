"""What the stress suite hands out: one picture or clip, and what is true of it."""

from __future__ import annotations

import zlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dexman_pose.arrays import Array
from dexman_pose.data import Camera, Clip, DepthSequence, MaskSequence, Mesh
from dexman_pose.geometry.se3 import so3_exp
from dexman_pose.synthetic.scenes import motion
from dexman_pose.synthetic.scenes.true_symmetry import TrueSymmetry

OBJECT = "object"
"""Name of the object in the masks of every case."""

_MARGIN = (3.0, 8.0)  # pixels by which a box drawn by hand exceeds the object, on each side


@dataclass(frozen=True)
class StressCase:
    """One picture (T = 1) or clip, as a user would give it, and what is true of it.

    Attributes:
        condition: one of :data:`~dexman_pose.benchmarks.stress.cases.CONDITIONS`.
        shape: name of the shape.
        seed: of everything random.
        mesh: the mesh as given; times ``true_scale`` it is the object.
        true_scale: 1 but under ``wrong_scale``.
        symmetry: true symmetry of the object.
        camera: intrinsics.
        images: T of (H, W, 3) uint8.
        labels: T of (H, W) uint8 as given: 0 background, 1 object, 255 occluder.
        exact_labels: T of (H, W) uint8, those of a perfect segmentation.
        depth: T of (H, W) float32 metres as given, 0 where not measured.
        camera_from_object: (T, 4, 4) true poses (middle of the exposure), metres.
        visible: (T,) share of the object's whole silhouette that is seen.
        face_parts: (F,) which colour each face of the object has, for many-coloured ones; else None.
    """

    condition: str
    shape: str
    seed: int
    mesh: Mesh
    true_scale: float
    symmetry: TrueSymmetry
    camera: Camera
    images: list[NDArray[np.uint8]]
    labels: list[NDArray[np.uint8]]
    exact_labels: list[NDArray[np.uint8]]
    depth: list[NDArray[np.float32]]
    camera_from_object: Array
    visible: Array
    face_parts: NDArray[np.int64] | None = None

    @property
    def num_frames(self) -> int:
        """Number of frames T."""
        return len(self.images)

    @property
    def center(self) -> Array:
        """(3,) middle of the true object, object frame, metres."""
        return self.mesh.center * self.true_scale

    def clip(self) -> Clip:
        """The frames, 30 a second."""
        return Clip.from_frames(self.images, 30.0)

    def masks(self) -> MaskSequence:
        """The labels as given, under the name :data:`OBJECT`."""
        c = self.camera
        confidence = np.ones((self.num_frames, 1), np.float32)
        out = MaskSequence((OBJECT,), c.height, c.width, self.num_frames, confidence)
        for index, labels in enumerate(self.labels):
            out.set(index, labels)
        return out

    def boxes(self) -> list[Array | None]:
        """T boxes (4,) x0, y0, x1, y1 in pixels around what is seen of the object, as loose as if drawn by hand.

        None for frames in which nothing of it is seen. All frames have the same margins.
        """
        margin = rng_of("box", self.condition, self.shape, self.seed).uniform(*_MARGIN, 4)
        last = np.array([self.camera.width - 1, self.camera.height - 1] * 2, np.float64)
        out: list[Array | None] = []
        for labels in self.exact_labels:
            v, u = np.nonzero(labels == 1)
            if len(u) == 0:
                out.append(None)
                continue
            tight = np.array([u.min(), v.min(), u.max(), v.max()], np.float64)
            out.append(np.clip(tight + margin * [-1, -1, 1, 1], 0, last))
        return out

    def depth_sequence(self) -> DepthSequence:
        """The depth as given."""
        return DepthSequence.from_arrays(self.depth)

    def disturbed_start(self, degrees: float = 6.0, shift: float = 0.008) -> Array:
        """The true pose of frame 0 turned about the object's middle by so much and moved by so many metres."""
        rng = rng_of("start", self.condition, self.shape, self.seed)
        turn, move = rng.standard_normal(3), rng.standard_normal(3)
        pose = self.camera_from_object[0]
        middle = pose[:3, :3] @ self.center + pose[:3, 3] + shift * move / np.linalg.norm(move)
        rotation = so3_exp(np.radians(degrees) * turn / np.linalg.norm(turn)) @ pose[:3, :3]
        return motion.about(rotation, middle, self.center)


def rng_of(*key: str | int) -> np.random.Generator:
    """Random numbers that are the same for the same words and numbers."""
    words = [k if isinstance(k, int) else zlib.crc32(k.encode()) for k in key]
    return np.random.default_rng(words)
