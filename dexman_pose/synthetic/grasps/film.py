"""Pictures of a scene of measured grasps: our own hands, chosen cameras."""

from __future__ import annotations

from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from dexman_pose.arrays import Array
from dexman_pose.hands.model.hand_model import HandModel
from dexman_pose.synthetic.demo.motion import forearm_bend
from dexman_pose.synthetic.grasps.filming import Film, FilmOptions
from dexman_pose.synthetic.grasps.scene import Scene
from dexman_pose.synthetic.grasps.touch import PARTS, TouchOptions, skin_gaps
from dexman_pose.synthetic.grasps.view import choose_view, joints_in_world
from dexman_pose.synthetic.studio.draw import Moment
from dexman_pose.synthetic.studio.hands import PosedHand

__all__ = ["FilmOptions", "GraspFilm"]


class GraspFilm(Film):
    """A scene before a camera: frames on demand.

    Args:
        scene: what moves.
        seed: of camera, room, light and noise.
        options: how it is filmed.

    Raises:
        EstimationError: no camera shows all of the scene.
    """

    def __init__(self, scene: Scene, seed: int, options: FilmOptions | None = None) -> None:
        self.scene, o = scene, options or FilmOptions()
        rng = np.random.default_rng([17, seed])
        view = choose_view(scene, o.size, rng, o.view)
        turn = float(rng.uniform(0, 2 * np.pi))
        joints = np.stack([joints_in_world(scene, k) for k in range(len(scene.hands))])
        super().__init__(scene.objects, view, joints, seed, o, turn)

    @property
    def sides(self) -> tuple[str, ...]:
        """``left`` or ``right`` of each hand."""
        return tuple(h.side for h in self.scene.hands)

    @property
    def bone_lengths(self) -> Array:
        """(H, 21) metres from each joint to its parent."""
        return np.stack([m.bone_lengths for m in self.models])

    @property
    def held(self) -> NDArray[np.bool_]:
        """(H, N, T) the hand carries the object."""
        return self.scene.held

    @cached_property
    def models(self) -> list[HandModel]:
        """The hands that are seen."""
        o = self.options
        return [h.fit.model(forearm_length=o.forearm, resolution=o.resolution) for h in self.scene.hands]

    @cached_property
    def _coarse(self) -> list[HandModel]:
        o = self.options
        return [
            h.fit.model(forearm_length=o.forearm, resolution=o.shadow_resolution) for h in self.scene.hands
        ]

    def gaps(self) -> Array:
        """(H, N, T, 6) metres, least signed distance between object and the skin of each part of the hand."""
        scene = self.scene
        out = np.zeros((*scene.held.shape, len(PARTS)))
        for h, hand in enumerate(scene.hands):
            coarse = hand.fit.model(resolution=TouchOptions().resolution)
            for n, thing in enumerate(scene.objects):
                found = skin_gaps(
                    coarse, hand.angles, hand.world_from_hand, thing.mesh, thing.world_from_object
                )
                out[h, n] = found.distance
        return out

    def moments(self, times: Array) -> list[Moment]:
        """Where everything is at times (M,) in frames, fractions included."""
        scene = self.scene.at_frames(times)
        return [self._moment(scene, k) for k in range(len(times))]

    def _moment(self, scene: Scene, index: int) -> Moment:
        hands = []
        for k, hand in enumerate(scene.hands):
            place, model = hand.world_from_hand[index], self.models[k]
            pose, bend = model.pose_from_angles(hand.angles[index]), forearm_bend(place, hand.elbow)
            hands.append(PosedHand(model, self._coarse[k], pose, place, bend, hand.look))
        return Moment([t.world_from_object[index] for t in scene.objects], hands)
