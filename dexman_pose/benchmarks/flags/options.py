"""What the flag benchmark runs: how many cases of which kinds."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from dexman_pose.benchmarks.stress.cases import CONDITIONS
from dexman_pose.errors import InputError
from dexman_pose.synthetic.scenes.shapes import SHAPES


@dataclass(frozen=True)
class FlagOptions:
    """The size of the benchmark.

    Attributes:
        seeds: cases of each kind.
        first_seed: of their seeds; the engine's limits were set on 0 to 2, so that others tell what to expect.
        shapes: some of :data:`~dexman_pose.synthetic.scenes.shapes.SHAPES`.
        conditions: some of :data:`~dexman_pose.benchmarks.stress.cases.CONDITIONS`, for the stress scenes.
        frames: length of the rendered clips; 24 hold every event and its consequences.
        data: folder of real pictures and clips (``clips/``, ``rgbd/``), or None.
        meshes: folder of textured meshes, each an OBJ or PLY file or a folder that holds one, or None.
        cache: folder for masks of real pictures and clips, or None.
        clip_frames: most frames of a real clip; its poses are known below 800.
        boxes: prompts by box per real picture, of different margins.
        most_meshes: meshes taken of the folder, evenly spaced in it.

    Raises:
        InputError: a shape or condition that does not exist.
    """

    seeds: int = 1
    shapes: tuple[str, ...] = SHAPES
    conditions: tuple[str, ...] = CONDITIONS
    frames: int = 24
    data: Path | None = None
    meshes: Path | None = None
    cache: Path | None = None
    clip_frames: int = 800
    boxes: int = 6
    most_meshes: int = 100
    first_seed: int = 0

    def __post_init__(self) -> None:
        for what, given, known in (
            ("shape", self.shapes, SHAPES),
            ("condition", self.conditions, CONDITIONS),
        ):
            for name in given:
                if name not in known:
                    raise InputError(f"no stress {what} named {name!r}; there are: {', '.join(known)}")

    @property
    def all_seeds(self) -> range:
        """The seeds of the cases of each kind."""
        return range(self.first_seed, self.first_seed + self.seeds)


QUICK_SHAPES = ("can", "mug")
"""Shapes of a quick run: one that is round, one that is not."""

QUICK_CONDITIONS = ("clean", "occluded_50", "noisy_mask")
"""Conditions of a quick run."""

QUICK_FRAMES = 16
"""Length of the clips of a quick run."""

QUICK_MESHES = 3
"""Meshes of a quick run."""
