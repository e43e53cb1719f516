"""The skin of a fitted hand against what it grips: balls about bones are a rough picture of where flesh ends."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dexman_pose.arrays import Array
from dexman_pose.contact.distance import signed_distance
from dexman_pose.data.tracks import RigidObject
from dexman_pose.geometry.se3 import inverse
from dexman_pose.hands.model.hand_model import HandModel
from dexman_pose.hands.model.kinematics import FACTOR_NAMES
from dexman_pose.hands.model.skin import FOREARM
from dexman_pose.interaction.probes import RADII, probes

_SHORTEST_FOREARM = 0.03
_MOST = 0.5  # share of a skinning weight that makes skin a bone's own


@dataclass(frozen=True)
class Skin:
    """The skin of a hand of one shape, each point of it with the probe that it lies around.

    Attributes:
        model: the hand.
        rows: (N,) vertices of the palm and the fingers.
        probe: (N,) of each, the probe whose ball it is nearest to.
    """

    model: HandModel
    rows: NDArray[np.intp]
    probe: NDArray[np.intp]

    @classmethod
    def of(cls, side: str, shape: Array, resolution: float) -> Skin:
        """Of a hand of a side and a shape (S,), its points so many metres apart."""
        count = len(FACTOR_NAMES)
        factors = np.exp(shape[:count])
        model = HandModel(
            side,
            float(factors[0]),
            finger_lengths=factors[1:].reshape(5, 3),
            bases=shape[count:].reshape(-1, 3),
            forearm_length=_SHORTEST_FOREARM,
            resolution=resolution,
        )
        rows = np.flatnonzero(model.weights[:, FOREARM] < _MOST)
        away = np.linalg.norm(model.rest_vertices[rows, None] - probes(model.rest_joints), axis=-1)
        return cls(model, rows, (away - model.scale * RADII).argmin(1))

    def gaps(
        self,
        angles: Array,
        places: Array,
        thing: RigidObject,
        frames: NDArray[np.intp],
        near: float = 0.0,
    ) -> Array:
        """(T, 42) metres, least signed distance of the skin around each probe to an object; infinite far from it.

        Args:
            angles: (T, 21) radians.
            places: (T, 4, 4) camera_from_wrist.
            thing: the object.
            frames: (T,) of the clip.
            near: metres around the box about the object beyond which skin is far from it.
        """
        poses = self.model.pose_from_angles(angles)
        on = inverse(thing.camera_from_object[frames]) @ places
        points = np.stack([self.model.vertices(pose, at)[self.rows] for pose, at in zip(poses, on)])
        corners = thing.mesh.vertices
        asked = ((points > corners.min(0) - near) & (points < corners.max(0) + near)).all(-1)
        distance = np.full(asked.shape, np.inf)
        distance[asked] = signed_distance(thing.mesh, points[asked]).distance
        out = np.full((len(points), len(RADII)), np.inf)
        for probe in np.unique(self.probe):
            out[:, probe] = distance[:, self.probe == probe].min(1)
        return out
