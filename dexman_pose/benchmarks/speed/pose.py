"""How long the pose engine takes on a small coloured mesh made in code: refine, search, track."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from dexman_pose.arrays import Array
from dexman_pose.benchmarks.speed.fastest import fastest
from dexman_pose.data import Camera, Clip, MaskSequence, Mesh
from dexman_pose.errors import MissingExtraError
from dexman_pose.geometry import rotation_angle, se3, so3_exp
from dexman_pose.imaging.masks import crop_box, mask_box
from dexman_pose.pose.api import estimate_pose, track
from dexman_pose.pose.observation.crop import gather
from dexman_pose.pose.refinement.refiner import refiner_for
from dexman_pose.pose.solver.options import RefineOptions
from dexman_pose.render import Rasterizer

CROP = 128
"""Longest side in pixels of the crop of the silhouette refinement."""

_FIRST_ORDER_STEPS = 100


@dataclass(frozen=True)
class PoseTiming:
    """One measurement: the fastest of the repeated calls.

    Attributes:
        work: what was done.
        size: on what.
        seconds: per call, or per frame for tracking.
        iterations: steps of one call, where that was counted.
        aim: seconds that this should take at most on two cores, or None.
        error: millimetres and degrees left against the truth, or None.
        ratio: how many times the same work took with the fused solver, or None.
    """

    work: str
    size: str
    seconds: float
    iterations: int | None = None
    aim: float | None = None
    error: tuple[float, float] | None = None
    ratio: float | None = None


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
    yield from _refinement(scene, repeats)
    few = max(1, repeats // 3)
    plain = replace(scene.mesh, vertex_colors=None)
    image, mask = scene.clip.frame(0), scene.masks.mask(0, "box")
    size = f"640x480, {len(scene.mesh.faces)} faces"
    for what, mesh in (("shape alone", plain), ("with colours", scene.mesh)):
        seconds = fastest(lambda m=mesh: estimate_pose(m, image, mask, scene.camera), few)  # type: ignore[misc]
        work = f"search, 2,080 or more hypotheses, {what}"
        yield PoseTiming(work, size, seconds, aim=1.0)
    start = scene.camera_from_object[0]
    for what, mesh in (("shape alone", plain), ("with colours", scene.mesh)):
        seconds = fastest(
            lambda m=mesh: track(m, scene.clip, scene.masks, scene.camera, start=start),  # type: ignore[misc]
            few,
        )
        yield PoseTiming(
            f"track, outlines given, {what}", f"{size}, {frames} frames", seconds / frames, aim=0.01
        )


def _refinement(scene: BenchScene, repeats: int) -> Iterator[PoseTiming]:
    """One pose by outline and depth: the fused solver, and first order through ``render()`` and PyTorch3D."""
    mask = scene.masks.mask(0, "box")
    true = scene.camera_from_object[0]
    start = true @ se3(so3_exp([0.06, -0.05, 0.05]), [0.004, -0.004, 0.006])
    box = mask_box(mask)
    assert box is not None
    refiner = refiner_for(scene.mesh, mask)
    drawn = refiner.rasterizer.render(true[None], scene.camera.K, scene.camera.width, scene.camera.height)
    assert drawn.depth is not None
    depth = drawn.depth[0]
    view = gather(mask.astype(np.uint8), 1, scene.camera, crop_box([box], 0.25), depth=depth, max_side=CROP)
    options = RefineOptions(iterations=30)
    found = refiner.refine(start, view, options)
    own = fastest(lambda: refiner.refine(start, view, options), repeats)
    what = f"crop {view.size[1]}x{view.size[0]}, {len(scene.mesh.faces)} faces"
    error = error_of(found.camera_from_object, true, refiner.center)
    yield PoseTiming("refine one pose, mask and depth", what, own, found.iterations, 0.015, error)
    peers: tuple[tuple[str, Literal["warp", "pytorch3d"]], ...] = (
        ("render()", "warp"),
        ("PyTorch3D", "pytorch3d"),
    )
    for name, backend in peers:
        row = _first_order(scene, start, depth, name, backend, own, what)
        if row is not None:
            yield row


def _first_order(
    scene: BenchScene,
    start: Array,
    depth: NDArray[np.float32],
    name: str,
    backend: Literal["warp", "pytorch3d"],
    own: float,
    what: str,
) -> PoseTiming | None:
    """The same refinement by Adam, or None where the backend is not installed."""
    from dexman_pose.pose.refinement.first_order import AdamResult, refine_adam

    mask, true = scene.masks.mask(0, "box"), scene.camera_from_object[0]

    def refined(steps: int) -> AdamResult:
        return refine_adam(
            scene.mesh,
            start,
            mask,
            scene.camera,
            depth=depth,
            backend=backend,
            max_side=CROP,
            iterations=steps,
        )

    try:
        refined(2)  # kernels, threads, memory
        begin = time.perf_counter()
        pose, _, _, steps = refined(_FIRST_ORDER_STEPS)
        seconds = time.perf_counter() - begin
    except MissingExtraError:
        return None
    error = error_of(pose, true, scene.mesh.center)
    return PoseTiming(
        f"the same by Adam through {name}", what, seconds, steps, error=error, ratio=seconds / own
    )


def error_of(pose: Array, true: Array, center: Array) -> tuple[float, float]:
    """Millimetres between the centres and degrees between the rotations."""
    shift = (pose[:3, :3] - true[:3, :3]) @ center + pose[:3, 3] - true[:3, 3]
    turn = rotation_angle(pose[:3, :3] @ true[:3, :3].T)
    return 1e3 * float(np.linalg.norm(shift)), float(np.degrees(turn))
