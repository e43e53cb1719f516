"""``dexman-pose bench``: how fast the engine is on this machine."""

from __future__ import annotations

import argparse
import platform
import time
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np

from dexman_pose.cli.run import positive


class Row(NamedTuple):
    """One line of the table."""

    work: str
    size: str
    value: float
    unit: str


def add(subparsers: Any) -> None:
    """Add the command to the parser."""
    p: argparse.ArgumentParser = subparsers.add_parser(
        "bench",
        help="how fast this machine is",
        description="Time the rasteriser and the pose engine: the fastest of several repetitions, kernels compiled "
        "before the clock starts.",
    )
    p.add_argument("--device", default="cpu", metavar="NAME", help="device of the rasteriser: cpu or cuda:0")
    p.add_argument("--repeats", type=positive, default=10, metavar="N", help="repetitions (default: 10)")
    p.add_argument("--frames", type=positive, default=40, metavar="N", help="clip to track (default: 40)")
    p.add_argument("--only", choices=("render", "pose"), help="one part of the table")
    p.set_defaults(handler=handle)


def handle(args: argparse.Namespace) -> int:
    """Print the table, line by line as it is measured."""
    from dexman_pose.pipeline.versions import versions

    v = versions()
    print(
        f"{platform.processor() or platform.machine()}, dexman-pose {v['dexman_pose']}, warp {v['warp-lang']}"
    )
    print(f"{'work':<44} {'size':<36} {'time':>10}")
    if args.only != "pose":
        _print(render_rows(args.device, args.repeats))
    if args.only != "render":
        _print(pose_rows(args.frames, args.repeats))
    return 0


def _print(rows: Iterator[Row]) -> None:
    for row in rows:
        print(f"{row.work:<44} {row.size:<36} {row.value:>10.3f} {row.unit}", flush=True)


def render_rows(device: str, repeats: int) -> Iterator[Row]:
    """Time the rasteriser."""
    from dexman_pose.render.bench import bench_rasterizer

    for t in bench_rasterizer(device, repeats):
        what = "depth" if t.attributes == ("depth",) else "all attributes"
        size = f"{t.width}x{t.height}, {t.faces} faces, batch {t.batch}"
        yield Row(f"rasterise, {what}, {device}", size, t.milliseconds, "ms per image")


def pose_rows(frames: int, repeats: int) -> Iterator[Row]:
    """Time search, refinement and tracking of the demonstration's object, outlines given."""
    from dexman_pose.data import Clip, MaskSequence
    from dexman_pose.datasets import SyntheticClip
    from dexman_pose.geometry import se3_exp
    from dexman_pose.pose import estimate_pose, refine_pose, track

    scene = SyntheticClip(frames)
    mesh, camera, truth = scene.mesh, scene.camera, scene.truth.camera_from_object
    masks = MaskSequence(("tin",), camera.height, camera.width, frames, np.ones((frames, 1), np.float32))
    for i in range(frames):
        masks.set(i, scene.picture(i).object_pixels.astype(np.uint8))
    clip = Clip.from_frames(list(scene.frames()))
    image, mask = clip.frame(0), masks.mask(0, "tin")
    start = truth[0].copy()
    start[:3, :3] = se3_exp([0, 0, 0, 0.08, 0.08, 0.05])[:3, :3] @ start[:3, :3]
    start[:3, 3] += [0.004, -0.004, 0.01]
    size = f"{camera.width}x{camera.height}, {len(mesh.faces)} faces"
    few = max(1, repeats // 3)
    work: list[tuple[str, Callable[[], object], int]] = [
        ("refine one pose, outline", lambda: refine_pose(mesh, start, mask, camera), repeats),
        (
            "refine one pose, outline and colour",
            lambda: refine_pose(mesh, start, mask, camera, image=image),
            repeats,
        ),
        ("find a pose without a start", lambda: estimate_pose(mesh, image, mask, camera), few),
    ]
    for what, call, times in work:
        yield Row(what, size, 1e3 * fastest(call, times), "ms")
    seconds = fastest(lambda: track(mesh, clip, masks, camera, start=truth[0]), few)
    yield Row("track, outlines given", f"{size}, {frames} frames", 1e3 * seconds / frames, "ms per frame")


def fastest(work: Callable[[], object], repeats: int) -> float:
    """Seconds of the fastest of ``repeats`` calls, after one that is not counted."""
    work()
    seconds = []
    for _ in range(repeats):
        start = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - start)
    return min(seconds)
