"""How long a live update takes on a coloured mesh made in code: by region alone, and with the mesh's texture.

Processor time, for an update runs on one thread: other work on the machine then adds little.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from dexman_pose.benchmarks.speed.pose import BenchScene, PoseTiming, bench_scene, error_of
from dexman_pose.pose.live import LiveTracker
from dexman_pose.pose.region.options import RegionOptions
from dexman_pose.pose.tracking.live_verdict import LiveOptions
from dexman_pose.pose.tracking.region_options import RegionTrackOptions


def bench_live(frames: int = 20, repeats: int = 5) -> Iterator[PoseTiming]:
    """Time the updates after the first one of a picture sequence; the start is given.

    Args:
        frames: pictures, 2 at least.
        repeats: passes over them; the fastest pass counts.
    """
    scene = bench_scene(max(frames, 2))
    size = f"640x480, {len(scene.mesh.faces)} faces"
    for what, texture, aim in (("by region", False, 0.002), ("with texture", True, 0.005)):
        options = LiveOptions(track=RegionTrackOptions(region=replace(RegionOptions(), texture=texture)))
        passes = [_passed(scene, options) for _ in range(1 + max(1, repeats))]  # the first one loads kernels
        seconds, error = min(passes[1:])
        yield PoseTiming(f"live update, {what}, processor time", size, seconds, aim=aim, error=error)


def _passed(scene: BenchScene, options: LiveOptions) -> tuple[float, tuple[float, float]]:
    """Median processor seconds of an update in one pass, and millimetres and degrees left in its last picture."""
    tracker = LiveTracker(scene.mesh, scene.camera, start=scene.camera_from_object[0], options=options)
    tracker.update(scene.clip.frame(0))
    taken, pose = [], scene.camera_from_object[0]
    for index in range(1, scene.clip.num_frames):
        image = scene.clip.frame(index)
        begin = time.process_time()
        pose = tracker.update(image)["object"].camera_from_object
        taken.append(time.process_time() - begin)
    return float(np.median(taken)), error_of(pose, scene.camera_from_object[-1], scene.mesh.center)
