"""How long the pose engine takes on a small coloured mesh made in code: refine, search, track."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dexman_pose.data import Camera, Clip, MaskSequence, Mesh
from dexman_pose.geometry import se3, so3_exp
from dexman_pose.pose.api import estimate_pose, refine_pose, track
from dexman_pose.pose.evidence import crop_box, gather, mask_box
from dexman_pose.pose.residuals import RefineOptions
from dexman_pose.pose.search import refiner_for
from dexman_pose.render import Rasterizer

Array = NDArray[np.float64]

CROP = 128
"""Longest side in pixels of the crop of the silhouette refinement."""


@dataclass(frozen=True)
class PoseTiming:
    """One measurement: the fastest of the repeated calls.

    Attributes:
        work: what was done.
        size: on what.
        seconds: per call, or per frame for tracking.
        iterations: Levenberg-Marquardt steps of one call, where that was counted.
    """

    work: str
    size: str
    seconds: float
    iterations: int | None = None


@dataclass(frozen=True)
class BenchScene:
    """A coloured box that turns and slides before a plain wall, rendered; truth known.

    Attributes:
        mesh: metres, vertex colours.
        camera: 640x480.
        camera_from_object: (T, 4, 4).
        clip: the frames.
        masks: the exact outlines, under the name ``box``.
    """

    mesh: Mesh
    camera: Camera
    camera_from_object: Array
    clip: Clip
    masks: MaskSequence


def bench_scene(frames: int) -> BenchScene:
    """Render ``frames`` frames of 640x480; the object is about 190 pixels long."""
    import trimesh

    box = trimesh.creation.box((0.10, 0.07, 0.14))
    for _ in range(4):
        box = box.subdivide()
    # Smooth patches of colour: noise per vertex would vanish between pixels.
    x, y, z = np.asarray(box.vertices).T
    waves = [np.sin(90 * x + 50 * y), np.sin(80 * y - 60 * z), np.sin(70 * z + 55 * x + 1.0)]
    colors = np.round(130 + 90 * np.stack(waves, -1)).astype(np.uint8)
    mesh = Mesh(np.asarray(box.vertices), np.asarray(box.faces), vertex_colors=colors)
    camera = Camera.from_focal(640.0, 640, 480)
    steps = np.arange(frames)
    poses = np.stack([se3(so3_exp([0.5, 0.6 + 0.02 * i, 0.1]), [0.001 * i, 0.0, 0.55]) for i in steps])
    rasterizer, images = Rasterizer(mesh), []
    masks = MaskSequence(("box",), 480, 640, frames, np.ones((frames, 1), np.float32))
    for i in range(frames):
        seen = rasterizer.render(poses[i : i + 1], camera.K, 640, 480, attributes=("color",))
        color = np.round(255.0 * np.asarray(seen.color)[0]).astype(np.uint8)
        images.append(np.where(seen.mask[0][..., None], color, np.uint8(90)))
        masks.set(i, seen.mask[0].astype(np.uint8))
    return BenchScene(mesh, camera, poses, Clip.from_frames(images, 30.0), masks)


def bench_pose(frames: int = 20, repeats: int = 5) -> Iterator[PoseTiming]:
    """Time the engine, one line after the other; exact outlines are given, kernels are compiled beforehand.

    Args:
        frames: length of the clip to track.
        repeats: counted calls per line; the slow lines take a third of them.
    """
    scene = bench_scene(frames)
    image, mask = scene.clip.frame(0), scene.masks.mask(0, "box")
    start = scene.camera_from_object[0] @ se3(so3_exp([0.06, -0.05, 0.05]), [0.004, -0.004, 0.006])
    size = f"640x480, {len(scene.mesh.faces)} faces"
    few = max(1, repeats // 3)
    yield _silhouette(scene, start, repeats)
    seconds = fastest(lambda: refine_pose(scene.mesh, start, mask, scene.camera, image=image), repeats)
    yield PoseTiming("refine one pose, outline and colour", size, seconds)
    seconds = fastest(lambda: estimate_pose(scene.mesh, image, mask, scene.camera), few)
    yield PoseTiming("find a pose without a start", size, seconds)
    seconds = fastest(
        lambda: track(scene.mesh, scene.clip, scene.masks, scene.camera, start=scene.camera_from_object[0]),
        few,
    )
    yield PoseTiming("track, outlines given", f"{size}, {frames} frames", seconds / frames)


def _silhouette(scene: BenchScene, start: Array, repeats: int) -> PoseTiming:
    """Refinement alone, its evidence cut out and the rasteriser made before the clock starts."""
    mask = scene.masks.mask(0, "box")
    box = mask_box(mask)
    assert box is not None
    refiner = refiner_for(scene.mesh, mask)
    evidence = gather(mask.astype(np.uint8), 1, scene.camera, crop_box([box], 0.25), max_side=CROP)
    options = RefineOptions(iterations=30)
    steps = refiner.refine(start, evidence, options).iterations
    seconds = fastest(lambda: refiner.refine(start, evidence, options), repeats)
    height, width = evidence.size
    what = f"crop {width}x{height}, {len(scene.mesh.faces)} faces"
    return PoseTiming("refine one pose, outline", what, seconds, steps)


def fastest(work: Callable[[], object], repeats: int) -> float:
    """Seconds of the fastest of ``repeats`` calls, after one that is not counted."""
    work()
    seconds = []
    for _ in range(repeats):
        start = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - start)
    return min(seconds)
