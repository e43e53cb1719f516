"""Clips that show drift: printed objects turned out and back many times, tracked by a mesh without their colours."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dexman_pose.arrays import Array
from dexman_pose.data import Camera, Clip, MaskSequence, Mesh, PoseTrack
from dexman_pose.data.masks import OCCLUDER
from dexman_pose.geometry import so3_exp, so3_log
from dexman_pose.geometry.se3 import inverse
from dexman_pose.geometry.symmetry import SymmetryGroup
from dexman_pose.pose.refinement.refiner import refiner_for
from dexman_pose.pose.tracking.clip_tracker import TrackStart, track_objects
from dexman_pose.pose.tracking.options import MaskGuidedOptions, TrackOptions
from dexman_pose.render import Rasterizer
from dexman_pose.synthetic.scenes.motion import about
from dexman_pose.synthetic.scenes.occluders import occluder, placed_occluder
from dexman_pose.synthetic.scenes.render import Actor, Placed, Studio
from dexman_pose.synthetic.scenes.sensor_noise import noisy_image
from dexman_pose.synthetic.scenes.shapes import StressShape, stress_shape

OBJECT = "object"
"""Name of the object in the masks of every clip."""

_DISTANCE = 0.45  # metres
_SWAY = (0.05, 0.03, 0.03)  # metres, along the camera's axes
_TILT = 0.12  # radians


@dataclass(frozen=True)
class DriftCase:
    """A clip with exact truth.

    Attributes:
        mesh: of the object, without colours.
        axis: (3,) unit, object frame: what it is turned about.
        camera: intrinsics.
        clip: the frames.
        masks: exact, under the name :data:`OBJECT`; what hides the object is an occluder.
        camera_from_object: (T, 4, 4) true poses.
        visible: (T,) share of the object's silhouette (hidden part included) that is seen.
    """

    mesh: Mesh
    axis: Array
    camera: Camera
    clip: Clip
    masks: MaskSequence
    camera_from_object: Array
    visible: Array

    def errors(self, found: Array) -> tuple[Array, Array]:
        """Degrees (T,) of the error about the object's axis, signed, and of the whole rotation."""
        between = inverse(self.camera_from_object)[:, :3, :3] @ found[:, :3, :3]
        turn = np.degrees(so3_log(between))
        return turn @ self.axis, np.linalg.norm(turn, axis=1)

    def track(self, *, keyframes: int, start_frame: int = 0) -> PoseTrack:
        """The track from the true pose of a frame, with so many keyframes kept."""
        refiner = refiner_for(self.mesh, self.masks.mask(start_frame, OBJECT))
        # The print breaks the symmetry of the bare shape.
        start = TrackStart(
            refiner, start_frame, self.camera_from_object[start_frame], symmetry=SymmetryGroup.trivial()
        )
        options = TrackOptions(mask_guided=MaskGuidedOptions(keyframes=keyframes))
        return track_objects(self.clip, self.masks, self.camera, {OBJECT: start}, options=options)[OBJECT]


def drift_case(
    shape: str = "can",
    num_frames: int = 120,
    *,
    degrees: float = 40.0,
    period: float = 40.0,
    hidden: float = 0.0,
    size: tuple[int, int] = (640, 480),
    seed: int = 0,
) -> DriftCase:
    """Render a printed shape that is turned about its z axis, out and back, while it moves.

    Args:
        shape: one of :data:`~dexman_pose.synthetic.scenes.shapes.SHAPES`.
        num_frames: length.
        degrees: how far it is turned to either side.
        period: frames from one side to the other and back.
        hidden: how far a slab passes over the object in the middle of the clip: 0 none, 1 to its far edge.
        size: width and height of the frames.
        seed: of wall, lamp, phases and noise.
    """
    rng = np.random.default_rng([91, seed])
    camera = Camera.from_focal(600.0 * size[0] / 640, *size)
    made = stress_shape(shape)
    studio = Studio(camera, int(rng.integers(1 << 30)), _DISTANCE + 0.4)
    poses = _motion(rng, made, num_frames, degrees, period)
    placed = [_placed(made, pose, k / num_frames, hidden) for k, pose in enumerate(poses)]
    images = [noisy_image(studio.draw(p, float(k)), rng) for k, p in enumerate(placed)]
    masks = MaskSequence((OBJECT,), size[1], size[0], num_frames, np.ones((num_frames, 1), np.float32))
    visible = np.zeros(num_frames)
    for k, scene in enumerate(placed):
        labels, _ = studio.truth(scene)
        whole, _ = studio.truth(scene[:1])
        masks.set(k, labels)
        visible[k] = (labels == 1).sum() / max(int((whole == 1).sum()), 1)
    plain = Mesh(made.mesh.vertices, made.mesh.faces, source=made.mesh.source)
    clip = Clip.from_frames(images, 30.0)
    return DriftCase(plain, np.array([0.0, 0.0, 1.0]), camera, clip, masks, poses, visible)


def _motion(
    rng: np.random.Generator, shape: StressShape, num_frames: int, degrees: float, period: float
) -> Array:
    """Poses (T, 4, 4): the axis upright in the picture and swaying, the spin a sine from zero."""
    phase = rng.uniform(0, 2 * np.pi, 5)
    upright = so3_exp([0.5 * np.pi - 0.35, 0.0, 0.0])
    first = so3_exp([0.0, 0.0, float(rng.uniform(0, 2 * np.pi))])
    poses = []
    for t in range(num_frames):
        slow = np.sin(phase + 2 * np.pi * t / (np.array([1.9, 1.4, 2.3, 1.7, 1.2]) * period))
        spin = so3_exp([0.0, 0.0, float(np.radians(degrees) * np.sin(2 * np.pi * t / period))])
        tilt = so3_exp([_TILT * slow[3], 0.0, _TILT * slow[4]])
        middle = np.array([0.0, 0.0, _DISTANCE]) + np.array(_SWAY) * slow[:3]
        poses.append(about(tilt @ upright @ first @ spin, middle, shape.mesh.center))
    return np.stack(poses)


def _placed(shape: StressShape, pose: Array, share: float, hidden: float) -> Placed:
    own = [(Actor(Rasterizer(shape.mesh), shape.normals, 1), pose)]
    if hidden <= 0.0:
        return own
    thing = occluder("slab")
    middle = pose[:3, :3] @ shape.mesh.center + pose[:3, 3]
    offset = 1.3 - 2.3 * hidden * float(np.clip((0.3 - abs(share - 0.5)) / 0.2, 0, 1))
    cover = placed_occluder(middle, shape.mesh.radius, 0.3, offset)
    return [*own, (Actor(Rasterizer(thing.mesh), thing.normals, OCCLUDER), cover)]
