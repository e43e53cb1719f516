"""Rendered clips of two printed or plain objects before one wall, with exact labels, depth and poses of both."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dexman_pose.arrays import Array
from dexman_pose.data import Camera
from dexman_pose.geometry.se3 import matrix_from_quaternion, so3_exp
from dexman_pose.render import Rasterizer
from dexman_pose.synthetic.scenes.motion import Path, about
from dexman_pose.synthetic.scenes.render import Actor, Studio, silhouette_size
from dexman_pose.synthetic.scenes.sensor_noise import noisy_image
from dexman_pose.synthetic.scenes.shapes import StressShape

Labels = NDArray[np.uint8]

OTHER = 2
"""Label of the second object in the exact labels."""


@dataclass(frozen=True)
class SceneOptions:
    """Where the objects are and how they move.

    Attributes:
        focal: pixels, of 640x480 pictures; that of the stress suite.
        radius_pixels: largest radius of an object in the picture, so that two fit beside each other.
        nearest: least distance, metres.
        aside: share of the picture's width by which each object is left or right of the middle.
        sway: metres by which an object moves to and fro.
        turn: degrees by which it turns to and fro.
        period: frames of one swing; with the sway, at most about 3 pixels a frame.
        wall: metres from the farther object's back to the wall.
    """

    focal: float = 600.0
    radius_pixels: float = 105.0
    nearest: float = 0.45
    aside: float = 0.24
    sway: float = 0.02
    turn: float = 15.0
    period: float = 50.0
    wall: float = 0.25


@dataclass(frozen=True)
class Footage:
    """A rendered clip.

    Attributes:
        images: T of (H, W, 3) uint8.
        labels: T of (H, W) uint8, exact: 1 the first object, :data:`OTHER` the second.
        depth: T of (H, W) float32 metres.
        camera_from_object: (T, 4, 4) of the first object.
        visible: (T,) share of the first object's silhouette that is seen.
    """

    images: list[NDArray[np.uint8]]
    labels: list[Labels]
    depth: list[NDArray[np.float32]]
    camera_from_object: Array
    visible: Array


class Scene:
    """An object on the left and, where wanted, another on the right.

    Args:
        first: the object whose pose is asked for.
        second: what stands beside it, or None.
        rng: of wall, places, motion and noise.
        options: places and motion.
    """

    def __init__(
        self,
        first: StressShape,
        second: StressShape | None,
        rng: np.random.Generator,
        options: SceneOptions | None = None,
    ) -> None:
        self.options = options or SceneOptions()
        self.camera = Camera.from_focal(self.options.focal, 640, 480)
        self.first, self.second, self.rng = first, second, rng
        self._actor = Actor(Rasterizer(first.mesh), first.normals, 1)
        self._other = None if second is None else Actor(Rasterizer(second.mesh), second.normals, OTHER)
        self._noise = np.random.default_rng(rng.integers(1 << 30))
        shapes = [first] if second is None else [first, second]
        back = max(self._distance(s) + s.mesh.radius for s in shapes)
        self._studio = Studio(self.camera, int(rng.integers(1 << 30)), back + self.options.wall)
        self.path = self.place(first, left=True)
        self.other_path = None if second is None else self.place(second, left=False)

    def place(self, shape: StressShape, *, left: bool) -> Path:
        """A path about a new place on one side, in a new orientation."""
        o, rng, distance = self.options, self.rng, self._distance(shape)
        side = (-1.0 if left else 1.0) * o.aside * self.camera.width * distance / self.camera.fx
        middle = np.array([side, 0.0, distance]) + rng.uniform(-0.01, 0.01, 3)
        rotation = matrix_from_quaternion(rng.standard_normal(4))
        if shape.name == "mug":  # a plain mug whose handle is hidden has no pose to be found
            rotation = _handle_seen(rotation, middle, rng)
        return self.swaying(shape, middle, rotation)

    def swaying(self, shape: StressShape, middle: Array, rotation: Array) -> Path:
        """A path that swings about a place (3,) and an orientation (3, 3)."""
        o, rng = self.options, self.rng
        phases, way = rng.uniform(0, 2 * np.pi, 4), rng.standard_normal(3)
        way /= np.linalg.norm(way)

        def path(t: float) -> Array:
            swing = np.sin(phases + 2 * np.pi * t / o.period) - np.sin(phases)
            turned = so3_exp(np.radians(o.turn) * swing[3] * way) @ rotation
            return about(turned, middle + o.sway * swing[:3], shape.mesh.center)

        return path

    def film(self, paths: Sequence[Path], other: Path | None = None) -> Footage:
        """Render a clip.

        Args:
            paths: T paths: in frame t the object is where path t is at time t.
            other: path of the second object; its own when left out.
        """
        images, labels, depth, poses, visible = [], [], [], [], []
        beside = self.other_path if other is None else other
        for t, path in enumerate(paths):
            pose = path(float(t))
            placed = [(self._actor, pose)]
            if self._other is not None and beside is not None:
                placed.append((self._other, beside(float(t))))
            exact, z = self._studio.truth(placed)
            images.append(noisy_image(self._studio.draw(placed, float(t)), self._noise))
            labels.append(exact)
            depth.append(z)
            poses.append(pose)
            whole = silhouette_size(self._actor, pose, self.camera)
            visible.append(float((exact == 1).sum()) / max(whole, 1))
        return Footage(images, labels, depth, np.stack(poses), np.array(visible))

    def silhouettes(self, paths: Sequence[Path]) -> list[Labels]:
        """Labels of the first object alone along T paths, T of (H, W) uint8."""
        return [self._studio.truth([(self._actor, path(float(t)))])[0] for t, path in enumerate(paths)]

    def _distance(self, shape: StressShape) -> float:
        return max(self.options.nearest, shape.mesh.radius * self.options.focal / self.options.radius_pixels)


def _handle_seen(rotation: Array, middle: Array, rng: np.random.Generator) -> Array:
    """The rotation, or another whose +x axis does not point away from the camera."""
    while rotation[:, 0] @ (-middle / np.linalg.norm(middle)) < 0.1:
        rotation = matrix_from_quaternion(rng.standard_normal(4))
    return rotation
