"""A clip of ten thousand frames end to end: its memory beside that of a short one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from dexman_pose.benchmarks.endurance.watched import Watched, run_watched
from dexman_pose.data import Clip, Trajectory
from dexman_pose.data.video.writer import write_video
from dexman_pose.errors import InputError

_RATE = 30.0
_MOST_GROWTH = 256.0
"""MiB by which the long clip may need more than the short one: what is kept of a frame (poses, joints, signals) is
under 25 KiB, a picture of 640x480 would be 900."""


@dataclass(frozen=True)
class LongProof:
    """What came of it.

    Attributes:
        short, long: frames of the clips.
        needed_short, needed_long: what their runs needed.
        frames: of the trajectory of the long one.
        valid: share of frames in which its object has a pose, of each clip.
        megabytes: of the long one's run folder.
    """

    short: int
    long: int
    needed_short: Watched
    needed_long: Watched
    frames: int
    valid: tuple[float, float]
    megabytes: float

    @property
    def growth_mib(self) -> float:
        """Memory that the long clip needs more."""
        return self.needed_long.peak_mib - self.needed_short.peak_mib

    @property
    def passed(self) -> bool:
        """Whether every frame is there, as well followed as in the short clip, at nearly the same memory."""
        followed = self.valid[1] >= self.valid[0] - 0.02  # the short clip ends in the middle of a motion
        return self.frames == self.long and followed and self.growth_mib <= _MOST_GROWTH


def prove_long(
    folder: Path, frames: int = 10000, short: int = 1000, said: Callable[[str], object] = lambda line: None
) -> LongProof:
    """Run a long clip and a short one with mesh, camera, one hand and overlay, and compare what they need.

    The clip is the demonstration clip played forwards and backwards again and again.

    Args:
        folder: for clips and runs.
        frames: of the long clip.
        short: of the short one.
        said: called with a line now and then.

    Raises:
        InputError: the short clip is not shorter.
        EstimationError: a run fails.
    """
    if not 0 < short < frames:
        raise InputError(f"the short clip must be shorter than {frames} frames, but got {short}")
    from dexman_pose.synthetic import render_demo

    source = folder / "clip"
    if not (source / "truth.npz").is_file():
        render_demo(source)
    needed, valid, count = [], [], 0
    for length in (short, frames):
        video = folder / f"{length}.mp4"
        if not video.is_file():
            write_video(
                video, _back_and_forth(Clip.open(source / "video.mp4"), length), fps=_RATE, preset="veryfast"
            )
        out = folder / f"run_{length}"
        needed.append(run_watched(_arguments(source, video, out)))
        said(f"{length} frames: {needed[-1].seconds:.0f} s, at most {needed[-1].peak_mib:.0f} MiB")
        found = Trajectory.load(out / "trajectory.npz")
        count = found.num_frames
        valid.append(float(np.mean([track.valid.mean() for track in found.objects.values()])))
    size = sum(f.stat().st_size for f in (folder / f"run_{frames}").rglob("*") if f.is_file())
    return LongProof(short, frames, needed[0], needed[1], count, (valid[0], valid[1]), size / 1e6)


def _arguments(source: Path, video: Path, out: Path) -> list[str]:
    arguments = ["run", str(video), "--prompts", str(source / "prompts.json"), "--out", str(out)]
    mesh = ["--mesh", f"tin={source / 'object.obj'}", "--mesh-unit", "m"]
    return [*arguments, *mesh, "--camera", str(source / "camera.json")]


def _back_and_forth(clip: Clip, length: int) -> Iterator[Any]:
    """Pictures of a clip forwards and backwards until there are so many; one cycle is held."""
    pictures = [clip.frame(i) for i in range(clip.num_frames)]
    cycle = [*range(len(pictures)), *range(len(pictures) - 2, 0, -1)]
    for i in range(length):
        yield pictures[cycle[i % len(cycle)]]


def lines(proof: LongProof) -> list[str]:
    """The proof as text."""
    table = [
        f"{'until the end of':>18}  {proof.short:>8}  {proof.long:>8}  frames, most MiB",
        *(
            f"{name:>18}  {proof.needed_short.peaks.get(name, 0.0):8.0f}  {peak:8.0f}"
            for name, peak in proof.needed_long.peaks.items()
        ),
    ]
    short, long = proof.needed_short, proof.needed_long
    return [
        *table,
        f"memory: {short.peak_mib:.0f} MiB for {proof.short} frames, {long.peak_mib:.0f} for {proof.long}",
        f"time: {long.seconds:.0f} s, {1000 * long.seconds / proof.long:.0f} ms a frame "
        f"({1000 * long.processor / proof.long:.0f} of processor time); run folder {proof.megabytes:.0f} MB",
        f"trajectory: {proof.frames} frames, {proof.valid[1]:.1%} valid ({proof.valid[0]:.1%} of the short clip)",
        "PASS" if proof.passed else "FAIL",
    ]
