"""Our own articulated hand: 16 joints, 21 keypoints, joint limits, a skinned triangle mesh; left and right.

No data file and no licence to ask for: the skeleton comes from published anthropometry
(:mod:`dexman_pose.hands.model.skeleton`), the skin is a smooth implicit surface around it, meshed once and carried by
linear blend skinning. The tree, the keypoints and the shape of the pose are those of MANO, so that the two can stand
in for one another; the order of the joints is MediaPipe's (thumb first).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dexman_pose.arrays import Array
from dexman_pose.data import Mesh
from dexman_pose.data.tracks import SIDES
from dexman_pose.errors import InputError
from dexman_pose.geometry.isosurface import surface_nets
from dexman_pose.geometry.se3 import so3_exp
from dexman_pose.hands.model.skeleton import (
    ANGLE_LIMITS,
    ANGLE_NAMES,
    BONE_NAMES,
    Skeleton,
    anatomical_angles,
    bone_factors,
    bone_transforms,
    posed_joints,
    rest_skeleton,
    rotation_vectors,
)
from dexman_pose.hands.model.skin import FOREARM, skin_colors, skin_weights
from dexman_pose.hands.model.surface import build_surface

__all__ = ["ANGLE_LIMITS", "ANGLE_NAMES", "BONE_NAMES", "HandModel", "vertex_normals"]

_MIRROR = np.array([1.0, -1.0, 1.0])
_MIRROR_TURN = np.array([-1.0, 1.0, -1.0])  # of a rotation vector: it is a pseudovector


@dataclass(frozen=True)
class _Rest:
    """A right hand of scale 1 at rest."""

    skeleton: Skeleton
    vertices: Array
    faces: NDArray[np.int32]
    weights: Array
    colors: NDArray[np.uint8]


class _Proportions(NamedTuple):
    """The arguments of :func:`rest_skeleton`."""

    finger_lengths: tuple[tuple[float, ...], ...]
    bases: tuple[tuple[float, ...], ...]


class HandModel:
    """A hand of one side and size.

    Frame of the hand: origin at the wrist, +x distal, +z out of the back of the hand, +y to the thumb of a right
    hand (to the little finger of a left one). A pose is (15, 3) rotation vectors, radians, in the rest axes of this
    hand, order :data:`BONE_NAMES`; zero is the flat, slightly spread hand.

    Args:
        side: ``"right"`` or ``"left"``.
        scale: factor on everything; 1 is an adult hand of 19 cm.
        finger_lengths: (5,) factors on the phalanges of thumb, index, middle, ring, pinky; or (5, 3), on each of their
            bones, the thumb's metacarpal first.
        bases: (5, 3) metres by which the first joint of each finger lies off the average right hand's, before the
            scale; None for none.
        forearm_length: metres of forearm behind the wrist, at least 0.03.
        resolution: mesh step in metres at scale 1; 0.002 gives about 25,000 vertices in about a second, then kept
            in memory for all hands of the same proportions.

    Attributes:
        rest_joints: (21, 3) metres, hand frame, order of ``JOINT_NAMES``.
        bone_lengths: (21,) metres from each joint to its parent.
        dorsal: (15, 3) unit vectors out of the back of each bone at rest.
        rest_vertices: (V, 3) metres.
        faces: (F, 3) counter-clockwise from outside.
        weights: (V, 17) skinning weights: palm, the 15 bones, forearm.
        vertex_colors: (V, 3) uint8.

    Raises:
        InputError: unknown side, sizes not positive.
    """

    def __init__(
        self,
        side: str = "right",
        scale: float = 1.0,
        *,
        finger_lengths: ArrayLike = (1.0, 1.0, 1.0, 1.0, 1.0),
        bases: ArrayLike | None = None,
        forearm_length: float = 0.12,
        resolution: float = 0.002,
    ) -> None:
        lengths = np.asarray(finger_lengths, dtype=np.float64)
        lengths = bone_factors(lengths) if lengths.shape == (5,) else lengths
        if side not in SIDES:
            raise InputError(f"hand side must be 'left' or 'right', but got {side!r}")
        if not (np.isfinite(scale) and scale > 0) or lengths.shape != (5, 3) or not (lengths > 0).all():
            raise InputError(
                f"scale and the five finger_lengths must be positive, but got {scale} and {lengths.tolist()}"
            )
        if forearm_length < 0.03 or not 0.0005 <= resolution <= 0.005:
            raise InputError(
                "forearm_length must be at least 0.03 m and resolution between 0.0005 and 0.005 m, "
                f"but got {forearm_length} and {resolution}"
            )
        moved = np.zeros((5, 3)) if bases is None else np.asarray(bases, dtype=np.float64)
        if moved.shape != (5, 3) or not np.isfinite(moved).all():
            raise InputError(f"bases must be (5, 3) metres, but got {moved.tolist()}")
        proportions = _Proportions(tuple(map(tuple, lengths.tolist())), tuple(map(tuple, moved.tolist())))
        rest = _rest(proportions, float(forearm_length), float(resolution))
        self.side, self.scale = side, float(scale)
        self._skeleton = rest.skeleton
        flip = _MIRROR if side == "left" else np.ones(3)
        self.rest_joints: Array = rest.skeleton.joints * flip * self.scale
        self.dorsal: Array = rest.skeleton.dorsal * flip
        self.bone_lengths: Array = rest.skeleton.bone_lengths * self.scale
        self.rest_vertices: Array = rest.vertices * flip * self.scale
        self.faces: NDArray[np.int32] = rest.faces[:, ::-1].copy() if side == "left" else rest.faces
        self.weights, self.vertex_colors = rest.weights, rest.colors

    def pose(self, **angles: float) -> Array:
        """A pose (15, 3) from named angles in radians (:data:`ANGLE_NAMES`), the others zero, within the limits.

        ``finger_flexion=x`` bends all twelve joints of the four fingers at once.
        """
        values = np.zeros(len(ANGLE_NAMES))
        common = angles.pop("finger_flexion", 0.0)
        for i, name in enumerate(ANGLE_NAMES):
            is_finger = not name.startswith("thumb") and name.endswith("flexion")
            values[i] = angles.pop(name, common if is_finger else 0.0)
        if angles:
            raise InputError(f"no such angles: {', '.join(angles)}; a hand has: {', '.join(ANGLE_NAMES)}")
        return self.pose_from_angles(values)

    def pose_from_angles(self, angles: ArrayLike, *, limited: bool = True) -> Array:
        """Pose (..., 15, 3) of angles (..., 21) in radians, order :data:`ANGLE_NAMES`, held within the limits."""
        a = np.asarray(angles, dtype=np.float64)
        if limited:
            a = np.clip(a, ANGLE_LIMITS[:, 0], ANGLE_LIMITS[:, 1])
        pose = rotation_vectors(self._skeleton, a)
        return pose * _MIRROR_TURN if self.side == "left" else pose

    def angles(self, pose: ArrayLike) -> Array:
        """Anatomical angles (..., 21) of a pose (..., 15, 3): the inverse of :meth:`pose_from_angles`."""
        p = np.asarray(pose, dtype=np.float64)
        return anatomical_angles(self._skeleton, p * _MIRROR_TURN if self.side == "left" else p)

    def limited(self, pose: ArrayLike) -> Array:
        """The nearest pose (..., 15, 3) of which a hand is capable: on the anatomical axes, within the limits."""
        return self.pose_from_angles(self.angles(pose))

    def bone_transforms(self, pose: ArrayLike | None = None) -> Array:
        """Transforms (..., 16, 4, 4) carrying rest points of the palm and the 15 bones, in the hand frame."""
        return bone_transforms(self.rest_joints, self._checked(pose))

    def joints(self, pose: ArrayLike | None = None, frame_from_hand: ArrayLike | None = None) -> Array:
        """The 21 joints (..., 21, 3) in metres, in the hand frame or the one ``frame_from_hand`` (..., 4, 4) names."""
        points = posed_joints(self.rest_joints, self.bone_transforms(pose))
        return _carried(points, frame_from_hand)

    keypoints = joints

    def vertices(
        self,
        pose: ArrayLike | None = None,
        frame_from_hand: ArrayLike | None = None,
        *,
        forearm: ArrayLike = (0.0, 0.0, 0.0),
    ) -> Array:
        """Skinned vertices (V, 3) of one pose (15, 3), in metres.

        Args:
            pose: rotation vectors; None is the rest pose.
            frame_from_hand: (4, 4) transform of the result; None leaves it in the hand frame.
            forearm: rotation vector (radians, hand frame) of the forearm about the wrist; zero is straight.
        """
        bones = self.bone_transforms(pose)
        if bones.ndim != 3:
            raise InputError(
                f"vertices are skinned one pose (15, 3) at a time, but got {bones.shape[:-3]} poses"
            )
        arm = np.eye(4)
        arm[:3, :3] = so3_exp(np.asarray(forearm, dtype=np.float64))
        mixed = (self.weights @ np.concatenate([bones, arm[None]]).reshape(FOREARM + 1, 16)).reshape(-1, 4, 4)
        points = np.einsum("vij,vj->vi", mixed[:, :3, :3], self.rest_vertices) + mixed[:, :3, 3]
        return _carried(points, frame_from_hand)

    def mesh(
        self,
        pose: ArrayLike | None = None,
        frame_from_hand: ArrayLike | None = None,
        *,
        forearm: ArrayLike = (0.0, 0.0, 0.0),
    ) -> Mesh:
        """The skinned mesh with vertex colours; arguments as for :meth:`vertices`."""
        vertices = self.vertices(pose, frame_from_hand, forearm=forearm)
        return Mesh(vertices, self.faces, vertex_colors=self.vertex_colors, source="hand-model")

    def _checked(self, pose: ArrayLike | None) -> Array:
        p = np.zeros((15, 3)) if pose is None else np.asarray(pose, dtype=np.float64)
        if p.shape[-2:] != (15, 3):
            raise InputError(f"a hand pose is (..., 15, 3) rotation vectors, but got shape {p.shape}")
        return p


def vertex_normals(vertices: Array, faces: NDArray[np.int32]) -> Array:
    """Unit normals (V, 3), weighted by the areas of the faces around each vertex."""
    corners = vertices[faces]
    face_normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    out = np.zeros_like(vertices)
    for axis in range(3):
        weight = np.repeat(face_normals[:, axis], 3)
        out[:, axis] = np.bincount(faces.ravel(), weight, len(vertices))
    unit: Array = out / np.maximum(np.linalg.norm(out, axis=1, keepdims=True), 1e-20)
    return unit


def _carried(points: Array, frame_from_hand: ArrayLike | None) -> Array:
    if frame_from_hand is None:
        return points
    m = np.asarray(frame_from_hand, dtype=np.float64)
    moved: Array = points @ np.swapaxes(m[..., :3, :3], -1, -2) + m[..., None, :3, 3]
    return moved


@lru_cache(maxsize=8)
def _rest(proportions: _Proportions, forearm_length: float, resolution: float) -> _Rest:
    skeleton = rest_skeleton(*proportions)
    surface = build_surface(skeleton, forearm_length)
    low = np.minimum(skeleton.joints.min(0), [-forearm_length, -0.05, -0.03]) - 0.05
    high = skeleton.joints.max(0) + [0.03, 0.03, 0.06]
    vertices, faces = surface_nets(surface.distance, low, high, resolution)
    normals = vertex_normals(vertices, faces)
    colors = skin_colors(vertices, normals, skeleton, surface)
    return _Rest(skeleton, vertices, faces, skin_weights(vertices, faces, skeleton, surface), colors)
