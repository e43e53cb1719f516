"""The stages that draw what was found, for people."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from dexman_pose.data.masks import MaskSequence
from dexman_pose.data.trajectory import Trajectory
from dexman_pose.pipeline.inputs import Fingerprints, Inputs
from dexman_pose.pipeline.stage import Stage

if TYPE_CHECKING:
    from dexman_pose.viewer.outline import SceneOutlines


def drawing_stages(
    inputs: Inputs,
    marks: Fingerprints,
    result: Trajectory,
    masks: MaskSequence,
    outlines: SceneOutlines | None = None,
) -> tuple[Stage[Path], Stage[Path]]:
    """Make the stages of the overlay over the video, and of the page of plots and pictures.

    Args:
        inputs: of the run.
        marks: fingerprints of the inputs.
        result: what is drawn.
        masks: drawn with it.
        outlines: of its objects, some of them traced already.
    """

    def overlay(_: Path, path: Path) -> None:
        from dexman_pose.viewer import write_overlay

        write_overlay(result, inputs.clip, path, masks=masks, outlines=outlines)

    def report(_: Path, path: Path) -> None:
        from dexman_pose.viewer import write_report

        write_report(result, path, clip=inputs.clip, masks=masks)

    return _drawing(marks, "overlay", "overlay.mp4", overlay), _drawing(
        marks, "report", "report.html", report
    )


def _drawing(marks: Fingerprints, name: str, file: str, save: Callable[[Path, Path], None]) -> Stage[Path]:
    """A stage whose result is nothing but its file."""
    return Stage(
        name,
        file,
        compute=lambda: Path(file),
        save=save,
        load=lambda path: path,
        settings={"clip": marks.clip},
        after=("trajectory", "masks"),
        rooms=("viewer", "render"),
    )
