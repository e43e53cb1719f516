"""The stress suite's conditions: single pictures and clips with exact truth, the same for the same seed."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from dexman_pose.arrays import Array
from dexman_pose.benchmarks.stress.case import StressCase, rng_of
from dexman_pose.benchmarks.stress.on_table import ON_TABLE, OnTable
from dexman_pose.data import Camera, Mesh
from dexman_pose.data.masks import OCCLUDER
from dexman_pose.errors import InputError
from dexman_pose.render import Rasterizer
from dexman_pose.synthetic.scenes import motion
from dexman_pose.synthetic.scenes import sensor_noise as noise
from dexman_pose.synthetic.scenes.colorful import COLORFUL
from dexman_pose.synthetic.scenes.horned_prints import HORNED
from dexman_pose.synthetic.scenes.occluders import occluder, placed_occluder, pushed_in
from dexman_pose.synthetic.scenes.prints import PRINTS
from dexman_pose.synthetic.scenes.render import Actor, Placed, Studio, silhouette_size
from dexman_pose.synthetic.scenes.shapes import SHAPES, StressShape, stress_shape

CONDITIONS = (
    "clean",
    "occluded_50",
    "textureless",
    "symmetric",
    "fast_motion",
    "noisy_mask",
    "depth_noise",
    "wrong_scale",
    "leaves_image",
    "full_occlusion",
    "print",
    "boxed_print",
    "colorful",
)
"""Names of all conditions."""

ALL_SHAPES = (*SHAPES, *PRINTS, *HORNED, *COLORFUL)
"""Names of all shapes: the last three conditions have their own, the other conditions share the first six."""

NEEDS_DEPTH = ("depth_noise", "wrong_scale")
"""Conditions that mean nothing without depth."""

_SYMMETRIC = ("box", "can", "bowl")
_EXPOSURE, _MOMENTS = 0.5, 9  # of the fast motion's blur: share of a frame, pictures averaged
_SHADY = 0.7  # covered share of a single picture of "full_occlusion"


def applies(condition: str, shape: str) -> bool:
    """Whether a condition has cases of a shape: ``symmetric`` is for those that are, those of prints for prints.

    Raises:
        InputError: no such condition or shape.
    """
    if condition not in CONDITIONS:
        raise InputError(f"no stress condition {condition!r}; there are: {', '.join(CONDITIONS)}")
    if shape not in ALL_SHAPES:
        raise InputError(f"no stress shape named {shape!r}; there are: {', '.join(ALL_SHAPES)}")
    return shape in shapes_of(condition)


def shapes_of(condition: str) -> tuple[str, ...]:
    """The shapes of which a condition has cases."""
    own = {"print": PRINTS, "boxed_print": (*HORNED, *PRINTS), "colorful": COLORFUL, "symmetric": _SYMMETRIC}
    return own.get(condition, SHAPES)


def build_case(condition: str, shape: str, seed: int = 0, num_frames: int = 40) -> StressCase:
    """Render a case.

    Args:
        condition: one of :data:`CONDITIONS`.
        shape: one of :func:`shapes_of` the condition.
        seed: other seeds, other walls, places, motions, lamps.
        num_frames: length; 1 for a single picture at the condition's hard moment.

    Raises:
        InputError: no such condition or shape, or one that has no such case.
    """
    if not applies(condition, shape):
        there = ", ".join(shapes_of(condition))
        raise InputError(f"no case {condition!r} of the shape {shape!r}; its shapes are: {there}")
    if condition in ON_TABLE:
        return OnTable(condition, shape, seed, num_frames).case()
    return _Scene(condition, shape, seed, num_frames).case()


class _Scene:
    """One case under construction."""

    def __init__(self, condition: str, shape: str, seed: int, num_frames: int) -> None:
        self.condition, self.seed, self.num_frames = condition, seed, num_frames
        self.shape: StressShape = stress_shape(shape, condition not in ("textureless", "symmetric"))
        self.rng = rng_of("picture" if num_frames == 1 else "clip", condition, shape, seed)
        self.camera = Camera.from_focal(600.0, 640, 480)
        mesh = self.shape.mesh
        self.radius, self.center = mesh.radius, mesh.center
        self.actor = Actor(Rasterizer(mesh), self.shape.normals, 1)
        at = self._place()
        wall = int(self.rng.integers(1 << 30))
        self.studio = Studio(self.camera, wall, at.middle[2] + self.radius + self.rng.uniform(0.15, 0.5))
        self.times: list[float] = [float(t) for t in range(num_frames)]
        self.path = self._motion(at)
        self.cover = self._cover()

    def _place(self) -> motion.Placement:
        """Every fourth seed is seen small. A plain mug without its handle in view has no pose to be found."""
        small = self.seed % 4 == 3
        while True:
            at = motion.place(self.rng, self.radius, self.camera, small=small)
            view = at.rotation.T @ (-at.middle / np.linalg.norm(at.middle))
            if self.shape.name != "mug" or view[0] > -0.1:
                return at

    def _motion(self, at: motion.Placement) -> motion.Path:
        fast = self.condition == "fast_motion"
        pixels, degrees = (60.0, 25.0) if fast else (7.0, 3.0)
        degrees = 1.0 if self.shape.name == "mug" and self.condition == "textureless" else degrees
        path = motion.wander(
            self.rng, at, self.center, self.radius, self.camera, pixels=pixels, degrees=degrees
        )
        if self.condition == "symmetric" and len(self.shape.symmetry.axes):
            path = motion.spinning(path, self.shape.symmetry.axes[0], self.center, 2.0)
        if self.condition == "leaves_image":
            frames = max(self.num_frames, 40)
            path, half = motion.leaving(self.rng, path, self.center, self.radius, self.camera, frames)
            self.times = [half] if self.num_frames == 1 else self.times
        return path

    def _cover(self) -> Callable[[float], tuple[Actor, Array] | None]:
        """What hides the object at a time: nothing, half of it, or all of it for a while."""
        if self.condition not in ("occluded_50", "full_occlusion"):
            return lambda t: None
        kind = "hand" if self.condition == "occluded_50" and self.seed % 2 else "slab"
        thing = occluder(kind)
        actor = Actor(Rasterizer(thing.mesh), thing.normals, OCCLUDER)
        angle, drift = self.rng.uniform(0, 2 * np.pi), self.rng.uniform(-0.02, 0.02)

        def cover(t: float) -> tuple[Actor, Array] | None:
            pose = self.path(t)
            middle = pose[:3, :3] @ self.center + pose[:3, 3]
            side = angle + drift * t
            if self.condition == "full_occlusion" and self.num_frames > 1:
                offset = _sweep(t / self.num_frames)
                return actor, placed_occluder(middle, self.radius, side, offset)
            share = 0.5 if self.condition == "occluded_50" else _SHADY
            own, other = self.actor.rasterizer, actor.rasterizer
            return actor, pushed_in(own, pose, other, self.camera, middle, self.radius, side, share)

        return cover

    def _placed(self, t: float) -> Placed:
        cover = self.cover(t)
        own = [(self.actor, self.path(t))]
        return own if cover is None else [*own, cover]

    def case(self) -> StressCase:
        poses = np.stack([self.path(t) for t in self.times])
        placed = [self._placed(t) for t in self.times]
        truths = [self.studio.truth(p) for p in placed]
        exact, depth = [t[0] for t in truths], [t[1] for t in truths]
        whole = [silhouette_size(self.actor, pose, self.camera) for pose in poses]
        seen = np.array([int((labels == 1).sum()) for labels in exact])
        factor = self._scale()
        return StressCase(
            condition=self.condition,
            shape=self.shape.name,
            seed=self.seed,
            mesh=self._given_mesh().scaled(factor),
            true_scale=1.0 / factor,
            symmetry=self.shape.symmetry,
            camera=self.camera,
            images=[self._image(p, t) for p, t in zip(placed, self.times)],
            labels=self._labels(exact),
            exact_labels=exact,
            depth=self._depth(depth),
            camera_from_object=poses,
            visible=seen / np.maximum(whole, 1),
        )

    def _image(self, placed: Placed, t: float) -> NDArray[np.uint8]:
        if self.condition == "fast_motion":
            image = self.studio.blurred(self._placed, t, _EXPOSURE, _MOMENTS)
        else:
            image = self.studio.draw(placed, t)
        return noise.noisy_image(image, self.rng)

    def _labels(self, exact: list[NDArray[np.uint8]]) -> list[NDArray[np.uint8]]:
        if self.condition != "noisy_mask":
            return [labels.copy() for labels in exact]
        angle, first = self.rng.uniform(0, 2 * np.pi), int(self.rng.integers(2))
        bites = [1 if (first + k // 8) % 2 else -1 for k in range(len(exact))]
        return [
            noise.noisy_labels(labels, self.rng, bite, angle + 0.05 * k)
            for k, (labels, bite) in enumerate(zip(exact, bites))
        ]

    def _depth(self, depth: list[NDArray[np.float32]]) -> list[NDArray[np.float32]]:
        if self.condition != "depth_noise":
            return depth
        sigma = self.rng.uniform(0.001, 0.003)
        return [noise.noisy_depth(z, self.rng, sigma) for z in depth]

    def _scale(self) -> float:
        """Given over true size: 0.6 to 1.6, and never close to 1."""
        if self.condition != "wrong_scale":
            return 1.0
        low = self.rng.random() < 0.5
        return float(self.rng.uniform(0.6, 0.87) if low else self.rng.uniform(1.15, 1.6))

    def _given_mesh(self) -> Mesh:
        """A plain object's mesh comes with its one colour, or (even seeds) with none, as from a CAD program."""
        mesh = self.shape.mesh
        if self.shape.textured or self.seed % 2:
            return mesh
        return Mesh(mesh.vertices, mesh.faces, source=mesh.source)


def _sweep(share: float) -> float:
    """Offset of the occluder's edge, in object radii, at a share of the clip: out, over the object, out again."""
    x = np.clip((0.35 - abs(share - 0.5)) / 0.27, 0, 1)
    return float(1.2 - 2.3 * x)
