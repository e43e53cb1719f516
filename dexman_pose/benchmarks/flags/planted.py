"""Groups with planted failures: clips in which from some frame on an input contradicts the scene."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from dexman_pose.arrays import Array
from dexman_pose.benchmarks.flags.cases import FlagCase, Work
from dexman_pose.benchmarks.flags.mask_defects import halved, relabelled
from dexman_pose.benchmarks.flags.options import FlagOptions
from dexman_pose.benchmarks.flags.scene import OTHER, Footage, Scene
from dexman_pose.benchmarks.flags.stress import rng_of
from dexman_pose.data import Camera, Mesh
from dexman_pose.geometry.se3 import so3_exp
from dexman_pose.synthetic.scenes.motion import about
from dexman_pose.synthetic.scenes.shapes import SHAPES, stress_shape
from dexman_pose.synthetic.scenes.true_symmetry import TrueSymmetry

Labels = NDArray[np.uint8]

SWAPPED, TELEPORTED, PANNED, HALF, STRANGER = (
    "mask_swapped",
    "teleported",
    "camera_panned",
    "half_mask",
    "wrong_mesh",
)
"""Names of the groups."""

_STRANGER_RUNS: tuple[tuple[Work, bool], ...] = (
    ("picture", False),
    ("picture", True),
    ("track", False),
    ("track-search", True),
)
"""What is run with another object's mesh, and whether with depth."""


@dataclass(frozen=True)
class PlantOptions:
    """When and how failures are planted.

    Attributes:
        onset: share of the clip after which the failure begins; before it all is well.
        turn: degrees by which an object that is turned on the spot jumps.
        pan: degrees a frame of a camera that pans steadily: 3 pixels at the stress suite's focal length.
        jerk: degrees of a camera that is pushed once: 42 pixels.
    """

    onset: float = 0.4
    turn: float = 90.0
    pan: float = 0.3
    jerk: float = 4.0


class Planted(NamedTuple):
    """A clip with a failure: what is filmed, and the labels given in place of the exact ones."""

    footage: Footage
    labels: list[Labels]


def mask_swapped(options: FlagOptions) -> Iterator[FlagCase]:
    """From a frame on the mask is the neighbour's."""
    for kind in _kinds(options, SWAPPED):
        scene = kind.scene(beside=True)
        footage = scene.film([scene.path] * options.frames)
        planted = Planted(footage, swap_labels(footage.labels, kind.onset(options.frames)))
        yield kind.case(scene, planted, "track", depth=False)
        yield kind.case(scene, planted, "track", depth=True)


def teleported(options: FlagOptions) -> Iterator[FlagCase]:
    """From a frame on the object is elsewhere, its mask with it or not, or turned on the spot."""
    builders: dict[str, Callable[[Scene, int, int], Planted]] = {
        "followed": jump_followed,
        "mask_stays": jump_unfollowed,
        "turned": jump_turned,
    }
    for kind in _kinds(options, TELEPORTED):
        for name, build in builders.items():
            scene = kind.scene(beside=False)
            planted = build(scene, kind.onset(options.frames), options.frames)
            yield kind.case(scene, planted, "track", depth=kind.plain, prefix=name)


def camera_panned(options: FlagOptions) -> Iterator[FlagCase]:
    """From a frame on the camera turns, steadily or once; masks follow, poses are those in the camera as it is."""
    for kind in _kinds(options, PANNED):
        for name in ("steady", "pushed"):
            scene = kind.scene(beside=False)
            footage = scene.film([scene.path] * options.frames)
            onset = kind.onset(options.frames)
            turned = pan(footage, scene.camera, pan_angles(name, onset, options.frames))
            yield kind.case(scene, Planted(turned, turned.labels), "track", depth=False, prefix=name)


def half_mask(options: FlagOptions) -> Iterator[FlagCase]:
    """The mask holds half of the object: in a picture, in a whole clip, or from a frame on."""
    for kind in _kinds(options, HALF):
        scene = kind.scene(beside=False)
        footage = scene.film([scene.path] * options.frames)
        angle = float(scene.rng.uniform(0, 2 * np.pi))
        always = Planted(footage, halve_labels(footage.labels, angle, 0))
        later = Planted(footage, halve_labels(footage.labels, angle, kind.onset(options.frames)))
        yield kind.case(scene, always, "picture", depth=False)
        yield kind.case(scene, always, "picture", depth=True)
        yield kind.case(scene, always, "track-search", depth=False, prefix="always")
        yield kind.case(scene, later, "track", depth=False, prefix="later")


def wrong_mesh(options: FlagOptions) -> Iterator[FlagCase]:
    """The mesh is another object's: whatever pose is given is wrong."""
    for kind in _kinds(options, STRANGER):
        scene = kind.scene(beside=False)
        footage = scene.film([scene.path] * options.frames)
        planted = Planted(footage, footage.labels)
        other = stress_shape(kind.neighbour, not kind.plain).mesh
        for work, depth in _STRANGER_RUNS:
            yield with_mesh_of_another(kind.case(scene, planted, work, depth=depth), other)


def swap_labels(labels: list[Labels], onset: int) -> list[Labels]:
    """From frame ``onset`` on the label 1 is where the neighbour is; the neighbour's own label goes."""
    return [(x == (OTHER if t >= onset else 1)).astype(np.uint8) for t, x in enumerate(labels)]


def halve_labels(labels: list[Labels], angle: float, onset: int) -> list[Labels]:
    """From frame ``onset`` on only the half of the object towards an angle is labelled."""
    return [relabelled(x, halved(x == 1, angle)) if t >= onset else x for t, x in enumerate(labels)]


def jump_followed(scene: Scene, onset: int, frames: int) -> Planted:
    """At ``onset`` the object is on the other side, in another orientation, and so is its mask."""
    elsewhere = scene.place(scene.first, left=False)
    footage = scene.film([scene.path] * onset + [elsewhere] * (frames - onset))
    return Planted(footage, footage.labels)


def jump_unfollowed(scene: Scene, onset: int, frames: int) -> Planted:
    """At ``onset`` the object is on the other side, and its mask goes on as if it was not."""
    footage = jump_followed(scene, onset, frames).footage
    return Planted(footage, scene.silhouettes([scene.path] * frames))


def jump_turned(scene: Scene, onset: int, frames: int, options: PlantOptions | None = None) -> Planted:
    """At ``onset`` the object has turned on the spot; the mask follows."""
    options = options or PlantOptions()
    pose, center = scene.path(float(onset)), scene.first.mesh.center
    way = scene.rng.standard_normal(3)
    turn = so3_exp(np.radians(options.turn) * way / np.linalg.norm(way))
    there = scene.swaying(scene.first, pose[:3, :3] @ center + pose[:3, 3], turn @ pose[:3, :3])
    footage = scene.film([scene.path] * onset + [there] * (frames - onset))
    return Planted(footage, footage.labels)


def pan_angles(kind: str, onset: int, frames: int, options: PlantOptions | None = None) -> Array:
    """Degrees (T,) by which the camera has turned: ``steady`` grows frame by frame, ``pushed`` jumps once."""
    options = options or PlantOptions()
    after = np.maximum(np.arange(frames) - onset + 1, 0)
    angles = options.pan * after if kind == "steady" else options.jerk * (after > 0)
    return np.asarray(angles, np.float64)


def pan(footage: Footage, camera: Camera, degrees: Array) -> Footage:
    """The same clip by a camera that has turned about its vertical axis through its own centre.

    Such a turn moves the picture by a homography, exact at every depth. Depth images are kept as they are: not for use.

    Args:
        footage: by a camera that is still.
        camera: intrinsics.
        degrees: (T,) turned to the left; the picture moves to the right.
    """
    images, labels, poses = [], [], []
    size = (camera.width, camera.height)
    for t, angle in enumerate(degrees):
        turn = so3_exp(np.array([0.0, np.radians(float(angle)), 0.0]))
        warp = camera.K @ turn @ np.linalg.inv(camera.K)
        moved = cv2.warpPerspective(
            footage.images[t], warp, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT
        )
        images.append(np.asarray(moved, np.uint8))
        labels.append(
            np.asarray(cv2.warpPerspective(footage.labels[t], warp, size, flags=cv2.INTER_NEAREST), np.uint8)
        )
        pose = footage.camera_from_object[t].copy()
        pose[:3] = turn @ pose[:3]
        poses.append(pose)
    return replace(footage, images=images, labels=labels, camera_from_object=np.stack(poses))


def with_mesh_of_another(case: FlagCase, mesh: Mesh) -> FlagCase:
    """The case with another object's mesh, its middle where the true object's is; no pose of it can be right."""
    pose = case.camera_from_object[0]
    middle = pose[:3, :3] @ case.mesh.center + pose[:3, 3]
    start = about(pose[:3, :3], middle, mesh.center)
    return replace(case, mesh=mesh, start=start, symmetry=TrueSymmetry(), known_symmetry=None, possible=False)


@dataclass(frozen=True)
class _Kind:
    """Which objects a planted failure is shown with."""

    group: str
    shape: str
    neighbour: str
    seed: int
    plain: bool

    def scene(self, *, beside: bool) -> Scene:
        own = stress_shape(self.shape, not self.plain)
        other = stress_shape(self.neighbour, not self.plain) if beside else None
        return Scene(own, other, rng_of(self.group, self.shape, self.seed))

    def onset(self, frames: int) -> int:
        return max(1, round(PlantOptions().onset * frames))

    def case(self, scene: Scene, planted: Planted, work: Work, *, depth: bool, prefix: str = "") -> FlagCase:
        footage, symmetry = planted.footage, scene.first.symmetry
        words = [prefix, self.shape, "plain" if self.plain else "printed", str(self.seed), work]
        words += ["depth"] if depth else []
        count = 1 if work == "picture" else len(footage.images)
        return FlagCase(
            self.group,
            "/".join(w for w in words if w),
            work,
            scene.first.mesh,
            scene.camera,
            footage.images[:count],
            planted.labels[:count],
            footage.camera_from_object[:count],
            footage.visible[:count],
            symmetry,
            depth=footage.depth[:count] if depth else None,
            known_symmetry=symmetry.for_engine() if self.plain else None,
        )


def _kinds(options: FlagOptions, group: str) -> Iterator[_Kind]:
    """Every shape with a neighbour of another kind; printed and plain by turns."""
    for seed in options.all_seeds:
        for shape in options.shapes:
            index = SHAPES.index(shape)
            neighbour = SHAPES[(index + 2) % len(SHAPES)]
            yield _Kind(group, shape, neighbour, seed, plain=(index + seed) % 2 == 1)
