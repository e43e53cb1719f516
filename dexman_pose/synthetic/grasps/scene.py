"""What moves in a film, frame by frame and between frames."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from dexman_pose.arrays import Array
from dexman_pose.data import Mesh
from dexman_pose.geometry.se3 import interpolate
from dexman_pose.hands.model.fit import HandFit
from dexman_pose.synthetic.studio.hands import HandLook


@dataclass(frozen=True)
class SceneObject:
    """An object: its name, mesh (metres) and world_from_object (T, 4, 4)."""

    name: str
    mesh: Mesh
    world_from_object: Array


@dataclass(frozen=True)
class SceneHand:
    """A hand.

    Attributes:
        fit: its shape; its motion is not read.
        angles: (T, 21) radians.
        world_from_hand: (T, 4, 4).
        elbow: (3,) metres, world: the forearm points there.
        look: skin and sleeve.
    """

    fit: HandFit
    angles: Array
    world_from_hand: Array
    elbow: Array
    look: HandLook = field(default_factory=HandLook)

    @property
    def side(self) -> str:
        """``"left"`` or ``"right"``."""
        return self.fit.side


@dataclass(frozen=True)
class Scene:
    """Objects and hands over T frames; world frame, z up, the table is z = 0.

    Attributes:
        kind: of the story.
        objects: in the order of their labels.
        hands: at most one of each side.
        held: (H, N, T) bool, the hand carries the object.
    """

    kind: str
    objects: tuple[SceneObject, ...]
    hands: tuple[SceneHand, ...]
    held: NDArray[np.bool_]

    @property
    def num_frames(self) -> int:
        """Number of frames T."""
        return self.held.shape[-1]

    def at_frames(self, times: Array) -> Scene:
        """The scene at other times (M,), in frames, fractions included."""
        nearest = np.clip(np.rint(times).astype(int), 0, self.num_frames - 1)
        objects = tuple(
            replace(o, world_from_object=between(o.world_from_object, times)) for o in self.objects
        )
        hands = tuple(
            replace(
                h,
                angles=_between_numbers(h.angles, times),
                world_from_hand=between(h.world_from_hand, times),
            )
            for h in self.hands
        )
        return replace(self, objects=objects, hands=hands, held=self.held[..., nearest])


def between(poses: Array, times: Array) -> Array:
    """Poses (M, 4, 4) of a track (T, 4, 4) at times (M,) in frames; held still before the first and after the last."""
    t = np.clip(times, 0, len(poses) - 1)
    first = np.minimum(t.astype(int), max(len(poses) - 2, 0))
    out = np.empty((len(t), 4, 4))
    for k, (i, f) in enumerate(zip(first, t - first)):
        out[k] = interpolate(poses[i], poses[min(i + 1, len(poses) - 1)], np.asarray(f))
    return out


def _between_numbers(values: Array, times: Array) -> Array:
    frames = np.arange(len(values))
    return np.stack([np.interp(times, frames, column) for column in values.T], axis=1)
