"""Runs the pipeline once and writes what every stage took; a script, so that any checkout's package can be run by it.

It is started by :mod:`dexman_pose.benchmarks.pipeline.process` with the folder of a checkout first in ``PYTHONPATH``,
and uses only what old and new checkouts have in common.

Its one argument is a JSON file::

    {"package": folder that dexman_pose must come from, "video": ..., "prompts": ..., "meshes": {name: path},
     "camera": path or null, "hands": name or null, "mesh_unit": ..., "max_frames": number or null, "out": run folder,
     "report": file to write}

The report is JSON: ``stages``, a list of ``name``, ``wall`` and ``processor`` seconds and ``peak_mb``; ``import`` and
``whole`` likewise. Poses and masks are written beside it, as ``.npz``.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

MEGABYTE = 1024 * 1024


class Meter:
    """Wall and processor time and peak memory since it was made."""

    def __init__(self) -> None:
        forget_peak()
        self._wall, self._processor = time.perf_counter(), time.process_time()

    def read(self, name: str) -> dict[str, Any]:
        """What was used so far, under a name."""
        return {
            "name": name,
            "wall": time.perf_counter() - self._wall,
            "processor": time.process_time() - self._processor,
            "peak_mb": peak_mb(),
        }


def forget_peak() -> None:
    """Let the peak of this process's memory begin anew; only Linux can."""
    with suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")


def peak_mb() -> float:
    """Largest resident memory since :func:`forget_peak`, or since the process began where there is no such thing."""
    try:
        for line in Path("/proc/self/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return 1024 * int(line.split()[1]) / MEGABYTE
    except OSError:
        pass
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / MEGABYTE


class Stages:
    """Listens to a run and meters its stages."""

    def __init__(self) -> None:
        self._running: dict[str, Meter] = {}
        self.done: list[dict[str, Any]] = []

    def __call__(self, event: Any) -> None:
        """Take an event of the pipeline."""
        if event.state == "started":
            self._running[event.name] = Meter()
        elif event.name in self._running:
            self.done.append(self._running.pop(event.name).read(event.name))


def main(job: dict[str, Any]) -> None:
    """Do one job."""
    whole = Meter()
    import dexman_pose as used
    from dexman_pose.pipeline import load_prompts, reconstruct

    package = Path(str(used.__file__)).resolve().parent.parent
    if package != Path(job["package"]).resolve():
        raise SystemExit(f"dexman_pose came from {package}, not from {job['package']}")
    imported = whole.read("import")
    prompts = load_prompts(job["prompts"])
    for name, mesh in job["meshes"].items():
        prompts[name] = replace(prompts[name], mesh=Path(mesh))
    stages = Stages()
    out = Path(job["out"])
    result = reconstruct(
        job["video"],
        prompts,
        camera=job["camera"],
        hands=job["hands"],
        mesh_unit=job["mesh_unit"],
        max_frames=job["max_frames"],
        out=out,
        on_stage=stages,
    )
    # The peak was begun anew with every stage.
    total = whole.read("whole run")
    total["peak_mb"] = max(part["peak_mb"] for part in [total, imported, *stages.done])
    report = Path(job["report"])
    np.savez(report.with_suffix(".poses.npz"), **poses_of(result))
    np.savez_compressed(report.with_suffix(".masks.npz"), **masks_of(out))
    report.write_text(json.dumps({"import": imported, "stages": stages.done, "whole": total}))


def poses_of(result: Any) -> dict[str, Any]:
    """Poses (T, 4, 4) and flags (T,) of every object."""
    out = {}
    for name, found in result.objects.items():
        out[f"{name}/poses"] = np.asarray(found.track.camera_from_object, np.float64)
        out[f"{name}/valid"] = np.asarray(found.track.valid, bool)
    return out


def masks_of(out: Path) -> dict[str, Any]:
    """Masks of every object as bits, (T, bytes); none where this checkout keeps them in another way."""
    from dexman_pose.data import MaskSequence

    try:
        with np.load(out / "stages/masks.npz") as file:
            masks = MaskSequence.from_arrays({key: file[key] for key in file.files})
        return {
            name: np.stack([np.packbits(masks.mask(i, name)) for i in range(masks.num_frames)])
            for name in masks.names
        }
    except (OSError, KeyError, AttributeError, TypeError, ValueError):
        return {}


if __name__ == "__main__":
    sys.path.pop(0)  # this file's own folder, whose modules are not for everybody
    main(json.loads(Path(sys.argv[1]).read_text()))
