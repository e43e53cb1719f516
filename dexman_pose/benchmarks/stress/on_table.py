"""Cases on a cluttered table before a hand-held camera: prints with leaking masks, many-coloured things."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.spatial import ConvexHull

from dexman_pose.arrays import Array
from dexman_pose.benchmarks.stress.case import StressCase, rng_of
from dexman_pose.benchmarks.stress.leaks import Frame, leaking
from dexman_pose.data import Camera
from dexman_pose.data.masks import OCCLUDER
from dexman_pose.geometry.se3 import se3, so3_exp
from dexman_pose.render import Rasterizer
from dexman_pose.synthetic.scenes.colorful import colorful_shape
from dexman_pose.synthetic.scenes.handheld import HandheldOptions, handheld
from dexman_pose.synthetic.scenes.layers import Colored, labelled, set_in
from dexman_pose.synthetic.scenes.occluders import occluder, placed_occluder
from dexman_pose.synthetic.scenes.prints import FILAMENTS, print_shape
from dexman_pose.synthetic.scenes.render import Actor, silhouette_size
from dexman_pose.synthetic.scenes.sensor_noise import IMAGE_NOISE
from dexman_pose.synthetic.scenes.solids import Pixels
from dexman_pose.synthetic.scenes.tabletop import TableOptions, Tabletop

ON_TABLE = ("print", "boxed_print", "colorful")
"""Names of the conditions built here."""

_TABLES = {
    "print": TableOptions(),
    "boxed_print": TableOptions(solids=18, alike=0.5, sheets=8, tinted=0.6),
    "colorful": TableOptions(solids=15, close=1, alike=0.1),
}
_SKIN = (206.0, 156.0, 128.0)
_HELD_EVERY = 3  # of the seeds, one in so many is held in a hand above the table
_GRIP = 0.5  # object radii from its middle to the tips of the fingers
_EXPOSURE = 0.22  # share of a frame in which the picture is blurred by the camera's motion
_FLICKER = 0.02  # by how much the brightness wavers
_SLACK = 64  # pixels by which the field of noise is larger than the picture, so that it can be shifted


class OnTable:
    """One case under construction.

    Args:
        condition: one of :data:`ON_TABLE`.
        shape: of a print, or of a many-coloured thing.
        seed: of everything.
        num_frames: T; 1 for a single picture at some time.
    """

    def __init__(self, condition: str, shape: str, seed: int, num_frames: int) -> None:
        self.condition, self.shape, self.seed = condition, shape, seed
        rng = self.rng = rng_of("picture" if num_frames == 1 else "clip", condition, shape, seed)
        self.camera = Camera.from_focal(600.0, 640, 480)
        self._dress(rng)
        mesh = self.made.mesh
        self.actor = Actor(Rasterizer(mesh), self.made.normals, 1)
        self.held = condition != "boxed_print" and seed % _HELD_EVERY == _HELD_EVERY - 1
        self.rest = _resting(mesh.vertices, rng)
        if self.held:
            self.rest = se3(np.eye(3), [0.0, 0.0, rng.uniform(0.05, 0.12)]) @ self.rest
        below = mesh.vertices @ self.rest[:2, :3].T + self.rest[:2, 3]
        main = self.colors.mean(0) if condition == "colorful" else self.colors[0]
        footprint = below[ConvexHull(below).vertices]
        self.table = Tabletop(footprint, main, rng, _TABLES[condition], shadow=not self.held)
        self.middle = self.rest[:3, :3] @ mesh.center + self.rest[:3, 3]
        motion = HandheldOptions(pixels=(4.0, 8.0)) if condition == "colorful" else HandheldOptions()
        self.view = handheld(rng, self.middle, mesh.radius, self.camera, motion)
        self.sway, self.phase = rng.uniform(0.3, 1.0, 6), rng.uniform(0, 2 * np.pi, 8)
        first = float(rng.uniform(0, 60)) if num_frames == 1 else 0.0
        self.times = [first + t for t in range(num_frames)]
        self.grip = float(rng.uniform(0, 2 * np.pi))
        hand = occluder("hand")
        self.hand = Actor(Rasterizer(hand.mesh), hand.normals, OCCLUDER)
        size = (self.camera.height + _SLACK, self.camera.width + _SLACK, 3)
        self.grain = IMAGE_NOISE * rng.standard_normal(size, dtype=np.float32)

    def _dress(self, rng: np.random.Generator) -> None:
        """Shape and colours: those of the thing, or one filament for the whole print."""
        self.parts: NDArray[np.int64] | None = None
        if self.condition == "colorful":
            thing = colorful_shape(self.shape)
            self.made, self.parts = thing.shape, thing.face_parts
            self.colors = thing.palette[thing.face_parts]
            return
        self.made = print_shape(self.shape)
        color = np.array(FILAMENTS[int(rng.integers(len(FILAMENTS)))], np.float64) + rng.uniform(-10, 10, 3)
        self.colors = np.tile(np.clip(color, 0, 255), (len(self.made.mesh.faces), 1))

    def world_from_object(self, t: float) -> Array:
        """Where the object is at a time: at rest, or turned to and fro by the hand that holds it."""
        if not self.held:
            return self.rest
        slow = np.sin(self.phase[:6] + 2 * np.pi * t / (50 * (0.8 + self.sway)))
        turn = so3_exp(np.radians(9.0) * self.sway[:3] * slow[:3])
        center = self.made.mesh.center
        out = turn @ self.rest[:3, :3]
        return se3(out, self.middle + 0.012 * self.sway[3:] * slow[3:] - out @ center)

    def things(self, t: float) -> list[Colored]:
        """What is drawn at a time besides the table: the object, and the hand that holds it."""
        pose = self.view(t) @ self.world_from_object(t)
        out = [Colored(self.actor, self.colors, pose)]
        if self.held:
            center, radius = self.made.mesh.center, self.made.mesh.radius
            seen = pose[:3, :3] @ center + pose[:3, 3]
            at = placed_occluder(seen, radius, self.grip + 0.15 * np.sin(self.phase[6] + t / 20), _GRIP)
            skin = np.tile(_SKIN, (len(self.hand.normals), 1))
            out.append(Colored(self.hand, skin, at, fine=1))
        return out

    def case(self) -> StressCase:
        """Render it."""
        frames, images, seen = [], [], []
        for t in self.times:
            view, things = self.view(t), self.things(t)
            behind = self.table.depth(self.camera, view)
            labels, depth = labelled(behind, things, self.camera)
            calm = set_in(
                self.table.draw(self.camera, view), behind, things, self.camera, self.table.lamp, view
            )
            images.append(self._filmed(calm, t))
            frames.append(Frame(images[-1], labels, depth, things[0].pose))
            whole = silhouette_size(self.actor, things[0].pose, self.camera)
            seen.append(float((labels == 1).sum()) / max(whole, 1))
        exact = [frame.labels for frame in frames]
        leaks = self.condition == "print"
        return StressCase(
            condition=self.condition,
            shape=self.shape,
            seed=self.seed,
            mesh=self.made.mesh,
            true_scale=1.0,
            symmetry=self.made.symmetry,
            camera=self.camera,
            images=images,
            labels=leaking(frames, self.made.mesh.vertices, self.camera, self.rng) if leaks else exact,
            exact_labels=exact,
            depth=[frame.depth for frame in frames],
            camera_from_object=np.stack([frame.pose for frame in frames]),
            visible=np.array(seen),
            face_parts=self.parts,
        )

    def _filmed(self, image: Pixels, t: float) -> Pixels:
        """The picture as the camera gives it: blurred by its motion, wavering in brightness, with noise."""
        ends = [self.camera.project(_apply(self.view(t + s * 0.5 * _EXPOSURE), self.middle)) for s in (-1, 1)]
        blurred = cv2.filter2D(image, -1, _streak(ends[1] - ends[0]))
        gain = 1 + _FLICKER * float(np.sin(self.phase[7] + t / 9))
        y, x = self.rng.integers(_SLACK, size=2)
        height, width = image.shape[:2]
        grain = self.grain[y : y + height, x : x + width]
        noisy = cv2.addWeighted(blurred.astype(np.float32), gain, grain, 1.0, 0.0, dtype=cv2.CV_8U)
        return np.asarray(noisy, np.uint8)


def _streak(way: Array) -> NDArray[np.float32]:
    """Weights (n, n) of a line through the middle, ``way`` (2,) pixels long."""
    half = max(1, int(np.ceil(0.5 * float(np.abs(way).max()))))
    out = np.zeros((2 * half + 1, 2 * half + 1), np.float32)
    steps = 4 * half + 1
    for s in np.linspace(-0.5, 0.5, steps):
        x, y = half + s * way
        i, j = int(np.clip(np.floor(x), 0, 2 * half - 1)), int(np.clip(np.floor(y), 0, 2 * half - 1))
        a, b = x - i, y - j
        out[j : j + 2, i : i + 2] += np.array([[(1 - a) * (1 - b), a * (1 - b)], [(1 - a) * b, a * b]])
    return out / out.sum()


def _resting(vertices: Array, rng: np.random.Generator) -> Array:
    """world_from_object (4, 4) of an object that lies on a side of its hull, above the origin, turned at random.

    Large sides are likelier; one over whose edge the object's middle reaches would tip and is not taken.
    """
    hull = ConvexHull(vertices)
    corners = vertices[hull.simplices]
    normals, middle = hull.equations[:, :3], vertices[hull.vertices].mean(0)
    flat = np.round(normals, 2)
    _, group = np.unique(flat, axis=0, return_inverse=True)
    size = 0.5 * np.linalg.norm(
        np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1
    )
    weight = np.bincount(group.ravel(), size)[group.ravel()] * size
    steady = _steady(corners, normals, middle, group.ravel())
    weight = np.where(steady, weight, 0) if steady.any() else weight
    side = normals[rng.choice(len(weight), p=weight / weight.sum())]
    down = _turned(side, np.array([0.0, 0.0, -1.0]))
    rotation = so3_exp([0.0, 0.0, float(rng.uniform(0, 2 * np.pi))]) @ down
    low = float((vertices @ rotation.T)[:, 2].min())
    at = rotation @ middle
    return se3(rotation, [-at[0], -at[1], -low])


def _steady(corners: Array, normals: Array, middle: Array, group: NDArray[np.int64]) -> NDArray[np.bool_]:
    """(F,) faces of a hull whose flat side holds the foot of the perpendicular from a point (3,)."""
    foot = middle - np.einsum("nk,nk->n", middle - corners[:, 0], normals)[:, None] * normals
    out = np.zeros(len(corners), np.bool_)
    for g in np.unique(group):
        own = group == g
        points, at = corners[own].reshape(-1, 3), foot[own][0]
        reach = np.linalg.norm(points - points.mean(0), axis=1).max()
        out[own] = np.linalg.norm(at - points.mean(0)) < 0.7 * reach
    return out


def _turned(a: Array, b: Array) -> Array:
    """The rotation (3, 3) that takes one unit vector (3,) to another the short way."""
    axis = np.cross(a, b)
    size, cosine = float(np.linalg.norm(axis)), float(a @ b)
    if size < 1e-9:
        return (
            np.eye(3)
            if cosine > 0
            else so3_exp([np.pi, 0.0, 0.0])
            if abs(a[0]) < 0.5
            else so3_exp([0, np.pi, 0])
        )
    return so3_exp(np.arctan2(size, cosine) * axis / size)


def _apply(pose: Array, point: Array) -> Array:
    return pose[:3, :3] @ point + pose[:3, 3]
