"""``dexman-pose bench``: how fast the engine is on this machine."""

from __future__ import annotations

import argparse
import os
import platform
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple

from dexman_pose.cli.benches import (
    batch,
    endurance,
    flags,
    grasps,
    noise,
    pipeline,
    scene,
    simulators,
    stress,
)
from dexman_pose.cli.run import positive


class Row(NamedTuple):
    """One line of the table."""

    work: str
    size: str
    value: float | None
    unit: str


def add(subparsers: Any) -> None:
    """Add the command to the parser."""
    p: argparse.ArgumentParser = subparsers.add_parser(
        "bench",
        help="how fast this machine is",
        description="Time the rasteriser, the pose engine and the metrics: the fastest of several repetitions, "
        "kernels compiled before the clock starts.",
    )
    p.add_argument("--device", default="cpu", metavar="NAME", help="device of the rasteriser: cpu or cuda:0")
    p.add_argument("--repeats", type=positive, default=10, metavar="N", help="repetitions (default: 10)")
    p.add_argument("--frames", type=positive, default=40, metavar="N", help="clip to track (default: 40)")
    p.add_argument("--only", choices=("render", "pose", "live", "metrics"), help="one part of the table")
    p.set_defaults(handler=handle)
    accuracy = p.add_subparsers(title="accuracy, and other checkouts", metavar="")
    stress.add(accuracy)
    flags.add(accuracy)
    pipeline.add(accuracy)
    scene.add(accuracy)
    noise.add(accuracy)
    grasps.add(accuracy)
    simulators.add(accuracy)
    batch.add(accuracy)
    endurance.add(accuracy)


def handle(args: argparse.Namespace) -> int:
    """Print the table, line by line as it is measured."""
    from dexman_pose.pipeline.versions import versions

    v = versions()
    print(machine())
    print(f"dexman-pose {v['dexman_pose']}, warp {v['warp-lang']}, numpy {v['numpy']}, torch {v['torch']}")
    print(
        "The fastest of several repetitions; what else runs on this machine counts. Synthetic pictures with exact"
    )
    print("outlines: real clips take longer, and segmentation and hands are not in here.")
    print(f"{'work':<44} {'size':<36} {'time':>10}")
    if args.only in (None, "render"):
        _print(render_rows(args.device, args.repeats))
        _print(peer_row(args.device, args.repeats))
        _print(gradient_rows(args.device, args.repeats))
    if args.only in (None, "pose"):
        _print(pose_rows(args.frames, args.repeats))
    if args.only in (None, "live"):
        _print(lag_rows())
    if args.only in (None, "metrics"):
        _print(vertex_rows(args.repeats))
        _print(vsd_rows(args.repeats))
    return 0


def _print(rows: Iterator[Row]) -> None:
    for row in rows:
        value = "-" if row.value is None else f"{row.value:.3f}"
        print(f"{row.work:<44} {row.size:<36} {value:>10} {row.unit}", flush=True)


def machine() -> str:
    """Processor, cores this process may use, and system, in one line."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    name = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.is_file():
        models = [line for line in info.read_text().splitlines() if line.startswith("model name")]
        name = models[0].partition(":")[2].strip() if models else name
    return f"{name}, {cores} cores, {platform.system()}, Python {platform.python_version()}"


def render_rows(device: str, repeats: int) -> Iterator[Row]:
    """Time the rasteriser."""
    from dexman_pose.benchmarks.speed.rasterise import bench_rasterizer

    for t in bench_rasterizer(device, repeats):
        what = "depth" if t.attributes == ("depth",) else "all attributes"
        size = f"{t.width}x{t.height}, {t.faces} faces, batch {t.batch}"
        yield Row(f"rasterise, {what}, {device}", size, t.milliseconds, "ms per image")


def peer_row(device: str, repeats: int) -> Iterator[Row]:
    """The rasteriser beside PyTorch3D's, or a line that says it is not here."""
    from dexman_pose.benchmarks.speed.pytorch3d import bench_pytorch3d
    from dexman_pose.benchmarks.speed.rasterise import icosphere

    mesh = icosphere(4, 0.1)
    found = bench_pytorch3d(mesh, repeats=repeats, device=device)
    work, size = f"rasterise, depth, pytorch3d, {device}", f"128x128, {len(mesh.faces)} faces, batch 1"
    if found is None:
        yield Row(work, size, None, "not installed")
        return
    own, peer = found
    yield Row(work, size, 1e3 * peer, f"ms per image; {peer / own:.1f} x the time of this one")


def gradient_rows(device: str, repeats: int) -> Iterator[Row]:
    """Time the differentiable rendering, beside PyTorch3D's where that is installed."""
    from dexman_pose.benchmarks.speed.gradients import bench_gradient
    from dexman_pose.benchmarks.speed.pytorch3d import bench_pytorch3d_gradient
    from dexman_pose.benchmarks.speed.rasterise import icosphere

    for t in bench_gradient(device, repeats):
        size = f"{t.width}x{t.height}, {t.faces} faces, batch {t.batch}"
        what = "mask" if t.outputs == ("mask",) else "all images"
        both = f"ms per image; forward {t.forward:.2f}, backward {t.backward:.2f}"
        yield Row(f"render() with gradients, {what}, {device}", size, t.forward + t.backward, both)
    found = bench_pytorch3d_gradient(icosphere(4, 0.1), repeats=max(3, repeats // 3), device=device)
    if found is not None:
        own, peer = found
        yield Row(
            "soft silhouette and gradient, pytorch3d",
            "128x128, 5120 faces",
            1e3 * peer,
            f"ms; {peer / own:.0f} x this one",
        )


def pose_rows(frames: int, repeats: int) -> Iterator[Row]:
    """Time refinement, search, tracking and live updates of a coloured box made in code.

    Exact outlines are given, but to the live updates.
    """
    from dexman_pose.benchmarks.speed.live import bench_live
    from dexman_pose.benchmarks.speed.pose import bench_pose

    for t in chain(bench_pose(frames, repeats), bench_live(frames, repeats)):
        unit = "ms per frame" if t.work.startswith("track") else "ms"
        notes = [] if t.iterations is None else [f"{t.iterations} steps"]
        if t.error is not None:
            notes.append(f"{t.error[0]:.2f} mm, {t.error[1]:.2f} deg left")
        if t.ratio is not None:
            notes.append(f"{t.ratio:.0f} x the fused solver")
        if t.aim is not None:
            notes.append(f"aim {1e3 * t.aim:g}")
        yield Row(t.work, t.size, 1e3 * t.seconds, "; ".join([unit, *notes]))


def lag_rows() -> Iterator[Row]:
    """How far a live tracker is behind a camera, an object and two hands in sight, on this machine as it is."""
    import numpy as np

    from dexman_pose.benchmarks.speed.live_lag import AIM, RATE, bench_lag

    size = f"640x480, {RATE:g} pictures a second"
    found = bench_lag()
    if found is None:
        yield Row("live, object and two hands", size, None, "needs: dexman-pose models fetch mediapipe-hands")
        return
    load = f"load {os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else "load unknown"
    gave_way = f"a second; {found.late} of {found.pictures} pictures gave way to newer ones; {load}"
    yield Row("live, object and two hands: updates", size, found.rate, gave_way)
    for what, behind in (("object", found.object_behind), ("hands", found.hands_behind)):
        if len(behind):
            at_most = f"pictures behind in the middle, {behind.max()} at most; aim {AIM:g}"
            yield Row(f"live, {what}", size, float(np.median(behind)), at_most)
        else:
            yield Row(f"live, {what}", size, None, "no update had two hands")


def vertex_rows(repeats: int) -> Iterator[Row]:
    """Time ADD-S and the other vertex errors beside a loop over KD-trees."""
    from dexman_pose.benchmarks.speed.vertex_errors import bench_metrics

    for t in bench_metrics(repeats=max(1, repeats // 3)):
        note = "ms" if t.whole else "ms per pose"
        if t.ratio is not None:
            note += f"; {t.ratio:.{0 if t.ratio >= 10 else 1}f} x as long by {t.beside}, aim {t.aim:g}"
        yield Row(t.work, t.size, 1e3 * t.seconds, note)


def vsd_rows(repeats: int) -> Iterator[Row]:
    """Time VSD beside its definition in numpy over whole images."""
    from dexman_pose.benchmarks.speed.vsd import bench_vsd

    t = bench_vsd(repeats=max(1, repeats // 3))
    note = f"ms per frame; {t.ratio:.0f} x as long over whole images in numpy"
    yield Row("VSD, 10 thresholds", t.size, 1e3 * t.own, note)
    yield Row("the same over whole images in numpy", t.size, 1e3 * t.definition, "ms per frame")
