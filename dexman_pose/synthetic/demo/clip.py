"""The demonstration clip: a hand picks up a printed tin, turns it and puts it down. Rendered, so the truth is exact."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dexman_pose.arrays import Array
from dexman_pose.data import Camera, Mesh
from dexman_pose.data.video.writer import write_video
from dexman_pose.geometry.se3 import se3
from dexman_pose.hands.model.hand_model import HandModel
from dexman_pose.progress import progress
from dexman_pose.synthetic.demo.files import DemoTruth, write_demo_files
from dexman_pose.synthetic.demo.grasp import Grasp, close_hand
from dexman_pose.synthetic.demo.motion import Motion, forearm_bend, pick_and_place
from dexman_pose.synthetic.demo.tin import HEIGHT, Tin, build_tin, tin_distance
from dexman_pose.synthetic.studio.backdrop import wooden_table
from dexman_pose.synthetic.studio.draw import Picture, Solid, Studio
from dexman_pose.synthetic.studio.hands import PosedHand
from dexman_pose.synthetic.studio.light import studio as studio_lights

_EYE, _TARGET = (-0.05, -0.41, 0.38), (0.015, 0.005, 0.066)
_LIT = (0.0, 0.02, 0.05)
_ELBOW = np.array([0.25, -0.30, 0.20])
_FOCAL_OF_WIDTH = 1.16
_GRASP_YAW, _GRASP_ROLL = np.radians(-35.0), np.radians(30.0)
_GRASP_AIM = np.array([0.092, -0.024, 0.0])
_THREADS = 2
_CONTACT = 0.002  # metres between skin and object that count as touching in the truth


@dataclass
class SyntheticClip:
    """A clip before it is written: frames on demand and everything true about them.

    Args:
        num_frames: T.
        width: pixels.
        height: pixels.
        seed: of the sensor's noise; the scene itself is always the same.
        noise: standard deviation of the noise in grey levels of 255.
        fps: frames per second.

    Attributes:
        camera: intrinsics.
        mesh: the object, metres.
        truth: poses, joints, contact.
    """

    num_frames: int = 150
    width: int = 640
    height: int = 480
    seed: int = 0
    noise: float = 1.6
    fps: float = 30.0
    camera: Camera = field(init=False)
    truth: DemoTruth = field(init=False)

    def __post_init__(self) -> None:
        self.camera = Camera.from_focal(_FOCAL_OF_WIDTH * self.width, self.width, self.height)
        self._camera_from_world = look_at(np.array(_EYE), np.array(_TARGET))
        self._motion = pick_and_place(_grasp(), _hand(0.004), HEIGHT / 2, self.num_frames)
        self._local = threading.local()
        self.truth = _truth(self._motion, self._camera_from_world, self.num_frames, self.fps)

    @property
    def mesh(self) -> Mesh:
        """The object's textured mesh in metres."""
        return _tin().mesh

    def picture(self, index: int) -> Picture:
        """One frame with its labels and depth, without noise."""
        studio = self._studio()
        motion, place = self._motion, self._motion.world_from_hand[index]
        pose = _hand().pose_from_angles(motion.angles[index])
        hand = PosedHand(_hand(), _hand(0.004), pose, place, forearm_bend(place, _ELBOW))
        return studio.draw([motion.world_from_object[index]], [hand])

    def _studio(self) -> Studio:
        """This thread's own: rasterisers are not to be shared."""
        if not hasattr(self._local, "studio"):
            tin = Solid(_tin().mesh, _tin().corner_normals)
            table = wooden_table(self.camera, self._camera_from_world)
            lights = studio_lights(np.array(_LIT))
            self._local.studio = Studio(self.camera, self._camera_from_world, [tin], table, lights)
        studio: Studio = self._local.studio
        return studio

    def frame(self, index: int) -> NDArray[np.uint8]:
        """One frame (H, W, 3) uint8 as the camera gives it, noise and all."""
        image = self.picture(index).image
        rng = np.random.default_rng([self.seed, index])
        noisy = image + self.noise * rng.standard_normal(image.shape, dtype=np.float32)
        return np.clip(np.round(noisy), 0, 255).astype(np.uint8)

    def frames(self) -> Iterator[NDArray[np.uint8]]:
        """All frames, in order; two threads draw a little ahead."""
        waiting: deque[Future[NDArray[np.uint8]]] = deque()
        self.frame(0)  # kernels are compiled and caches filled by one thread
        with ThreadPoolExecutor(_THREADS) as pool:
            for index in progress(range(self.num_frames), "rendering", self.num_frames):
                while len(waiting) < 2 * _THREADS and index + len(waiting) < self.num_frames:
                    waiting.append(pool.submit(self.frame, index + len(waiting)))
                frame = waiting.popleft().result()
                yield frame


def render_demo(
    folder: str | Path, *, num_frames: int = 150, width: int = 640, height: int = 480, seed: int = 0
) -> DemoTruth:
    """Render the demonstration clip into ``folder`` and return what is true in it.

    Writes ``video.mp4``, ``object.obj`` with ``object.mtl`` and ``object.png`` (metres), ``camera.json``
    (``K``, ``width``, ``height``), ``prompts.json`` (a box around the object in frame 0) and ``truth.npz``
    (:meth:`DemoTruth.load` reads it). The same arguments give the same frames.

    Args:
        folder: made when it is not there.
        num_frames: length of the clip at 30 frames a second.
        width: pixels.
        height: pixels.
        seed: of the sensor's noise.
    """
    folder = Path(folder)
    clip = SyntheticClip(num_frames, width, height, seed)
    write_video(folder / "video.mp4", clip.frames(), clip.fps)
    write_demo_files(folder, clip.mesh, clip.camera, clip.truth, clip.picture(0).object_pixels)
    return clip.truth


def look_at(eye: ArrayLike, target: ArrayLike) -> Array:
    """camera_from_world (4, 4) of an OpenCV camera at ``eye`` looking at ``target``, world +z up in the picture."""
    e = np.asarray(eye, dtype=np.float64)
    z = np.asarray(target, dtype=np.float64) - e
    z /= np.linalg.norm(z)
    x = np.cross(z, [0.0, 0.0, 1.0])
    x /= np.linalg.norm(x)
    rotation = np.stack([x, np.cross(z, x), z])
    return se3(rotation, -rotation @ e)


@lru_cache(maxsize=1)
def _tin() -> Tin:
    return build_tin()


@lru_cache(maxsize=2)
def _hand(resolution: float = 0.002) -> HandModel:
    return HandModel("right", forearm_length=0.30, resolution=resolution)


@lru_cache(maxsize=1)
def _grasp() -> Grasp:
    """The right hand around the tin, thumb towards the camera, fingers behind."""
    forward = np.array([-np.sin(_GRASP_YAW), np.cos(_GRASP_YAW), 0.0])
    up = np.array([0.0, 0.0, 1.0])
    back = np.cos(_GRASP_ROLL) * np.cross(forward, up) + np.sin(_GRASP_ROLL) * up
    rotation = np.stack([forward, np.cross(back, forward), back], 1)
    return close_hand(_hand(), _tin_on_table, rotation, _GRASP_AIM, -back * [1.0, 1.0, 0.0])


def _tin_on_table(points: Array) -> Array:
    """Distance (N,) to the tin or the table it stands on, whichever is nearer, in the tin's frame."""
    return np.minimum(tin_distance(points), points[:, 2] + HEIGHT / 2)


def _truth(motion: Motion, camera_from_world: Array, num_frames: int, fps: float) -> DemoTruth:
    hand = _hand()
    poses = hand.pose_from_angles(motion.angles)
    return DemoTruth(
        camera_from_object=camera_from_world @ motion.world_from_object,
        joints=hand.joints(poses, camera_from_world @ motion.world_from_hand),
        object_valid=np.ones(num_frames, np.bool_),
        hand_valid=np.ones(num_frames, np.bool_),
        touching=_touching(hand, poses, motion),
        held=motion.held,
        camera_from_world=camera_from_world,
        frame_times=np.arange(num_frames) / fps,
    )


def _touching(hand: HandModel, poses: Array, motion: Motion) -> NDArray[np.bool_]:
    """(T, 5) the skin of the finger's last two bones is within :data:`_CONTACT` of the object, thumb first."""
    rows = [np.flatnonzero(hand.weights[:, 2 + 3 * f : 4 + 3 * f].sum(1) > 0.5) for f in range(5)]
    out = np.zeros((len(poses), 5), np.bool_)
    for t, pose in enumerate(poses):
        vertices = hand.vertices(pose, np.linalg.inv(motion.world_from_object[t]) @ motion.world_from_hand[t])
        out[t] = [tin_distance(vertices[r]).min() < _CONTACT for r in rows]
    return out
