"""Pictures of what moves over a table: a camera, a room, blur and noise; frame by frame, the same for a seed."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cached_property

import cv2
import numpy as np
from numpy.typing import NDArray

from dexman_pose.arrays import Array
from dexman_pose.data import Camera
from dexman_pose.geometry.se3 import transform_points
from dexman_pose.progress import progress
from dexman_pose.synthetic.grasps.scene import SceneObject
from dexman_pose.synthetic.grasps.view import ViewOptions
from dexman_pose.synthetic.scenes.shape_parts import corner_normals
from dexman_pose.synthetic.studio.backdrop import Backdrop
from dexman_pose.synthetic.studio.colors import encoded
from dexman_pose.synthetic.studio.draw import Moment, Picture, Solid, Studio
from dexman_pose.synthetic.studio.light import studio as studio_lights
from dexman_pose.synthetic.studio.rooms import Room


@dataclass(frozen=True)
class FilmOptions:
    """How a scene is filmed.

    Attributes:
        size: width and height in pixels, even.
        exposure: share of the time between two frames.
        blur: pixels of motion between two of the moments that are averaged.
        moments: most of them.
        noise: standard deviation of the sensor's noise in grey levels.
        shot: of the noise that grows with the root of the light, grey levels at white.
        lens: pixels, standard deviation of the lens's blur.
        forearm: metres.
        resolution: metres, step of the skin that is seen.
        shadow_resolution: of that which casts shadows.
        lit: metres around the middle that cast and receive shadows.
        shadow_pixels: of the maps of shadows.
        threads: that draw beside each other.
        view: where cameras stand.
    """

    size: tuple[int, int] = (640, 480)
    exposure: float = 0.45
    blur: float = 3.0
    moments: int = 3
    noise: float = 1.3
    shot: float = 1.6
    lens: float = 0.45
    forearm: float = 1.0
    resolution: float = 0.003
    shadow_resolution: float = 0.005
    lit: float = 0.7
    shadow_pixels: int = 320
    threads: int = 2
    view: ViewOptions = field(default_factory=ViewOptions)


class Film(ABC):
    """What moves before a camera: frames on demand. Of hands of any kind it says how they look and what they touch.

    Args:
        objects: that are seen, over T frames, in the order of their labels; world frame, z up, the table is z = 0.
        view: intrinsics, and camera_from_world (4, 4).
        joints: (H, T, 21, 3) of the hands, world frame, metres.
        seed: of room, light and noise.
        options: how it is filmed.
        turn: radians by which the lights are turned.

    Attributes:
        camera: intrinsics.
        camera_from_world: (4, 4).
    """

    def __init__(
        self,
        objects: Sequence[SceneObject],
        view: tuple[Camera, Array],
        joints: Array,
        seed: int,
        options: FilmOptions,
        turn: float,
    ) -> None:
        self.objects, self.seed, self.options = tuple(objects), seed, options
        self.camera, self.camera_from_world = view
        self._joints, self._light_turn = joints, turn
        self._local = threading.local()

    @property
    @abstractmethod
    def sides(self) -> tuple[str, ...]:
        """``left`` or ``right`` of each of the H hands."""

    @property
    @abstractmethod
    def bone_lengths(self) -> Array:
        """(H, 21) metres from each joint to its parent."""

    @property
    @abstractmethod
    def held(self) -> NDArray[np.bool_]:
        """(H, N, T) the hand carries the object."""

    @abstractmethod
    def gaps(self) -> Array:
        """(H, N, T, 6) metres, least signed distance between object and each part of the hand."""

    @abstractmethod
    def moments(self, times: Array) -> list[Moment]:
        """Where everything is at times (M,) in frames, fractions included."""

    @property
    def num_frames(self) -> int:
        """Number of frames T."""
        return self._joints.shape[1]

    @property
    def joints(self) -> Array:
        """(H, T, 21, 3) joints of the hands, camera frame, metres."""
        return transform_points(self.camera_from_world[None, None], self._joints)

    @property
    def camera_from_object(self) -> Array:
        """(N, T, 4, 4) poses of the objects."""
        return self.camera_from_world @ np.stack([o.world_from_object for o in self.objects])

    @cached_property
    def _solids(self) -> list[Solid]:
        return [Solid(t.mesh, corner_normals(t.mesh.vertices, t.mesh.faces)) for t in self.objects]

    @cached_property
    def _backdrop(self) -> Backdrop:
        return Room(self.seed).backdrop(self.camera, self.camera_from_world)

    def picture(self, index: int) -> Picture:
        """One frame with its labels and depth, without noise."""
        return self._studio().expose(self.moments(index + self._moments(index)))

    def frame(self, index: int, picture: Picture | None = None) -> NDArray[np.uint8]:
        """One frame (H, W, 3) as the camera gives it; ``picture`` is that of the frame where it is there already."""
        o = self.options
        light = (picture or self.picture(index)).light
        seen = 255 * encoded(cv2.GaussianBlur(light, (0, 0), o.lens))
        rng = np.random.default_rng([self.seed, index])
        spread = np.sqrt(o.noise**2 + o.shot**2 * seen / 255)
        noisy = seen + spread * rng.standard_normal(seen.shape, dtype=np.float32)
        return np.clip(np.round(noisy), 0, 255).astype(np.uint8)

    def pictures(self) -> Iterator[Picture]:
        """All frames without noise, in order; threads draw a little ahead."""
        count, threads = self.num_frames, self.options.threads
        waiting: deque[Future[Picture]] = deque()
        self.picture(0)  # kernels are compiled and caches filled by one thread
        with ThreadPoolExecutor(threads) as pool:
            for index in progress(range(count), "rendering", count):
                while len(waiting) < 2 * threads and index + len(waiting) < count:
                    waiting.append(pool.submit(self.picture, index + len(waiting)))
                yield waiting.popleft().result()

    def _moments(self, index: int) -> Array:
        """Times of an exposure about a frame, an odd number of them, as many as the motion in the picture needs."""
        o = self.options
        near = [max(index - 1, 0), min(index + 1, self.num_frames - 1)]
        points = np.concatenate(
            [self.joints[:, near].reshape(-1, 2, 21, 3).swapaxes(1, 2).reshape(-1, 2, 3)]
            + [self._far_points(k)[near].swapaxes(0, 1) for k in range(len(self.objects))]
        )
        pixels = self.camera.project(np.maximum(points, [-np.inf, -np.inf, 1e-2]))
        motion = 0.5 * o.exposure * float(np.linalg.norm(pixels[:, 1] - pixels[:, 0], axis=-1).max())
        count = min(2 * int(np.ceil(motion / o.blur / 2)) + 1, o.moments)
        return o.exposure * (np.arange(count) - (count - 1) / 2) / max(count, 1)

    def _far_points(self, index: int) -> Array:
        """(T, 8, 3) corners of the box around an object."""
        vertices = self.objects[index].mesh.vertices
        low, high = vertices.min(0), vertices.max(0)
        box = np.array(
            [[x, y, z] for x in (low[0], high[0]) for y in (low[1], high[1]) for z in (low[2], high[2])]
        )
        return transform_points(self.camera_from_object[index], box)

    def _studio(self) -> Studio:
        """This thread's own: rasterisers are not to be shared."""
        if not hasattr(self._local, "studio"):
            o, middle = self.options, np.array([0.0, 0.0, 0.12])
            lights = studio_lights(middle, o.lit, o.shadow_pixels, turn=self._light_turn)
            self._local.studio = Studio(
                self.camera, self.camera_from_world, self._solids, self._backdrop, lights
            )
        out: Studio = self._local.studio
        return out
