"""The stage ``grips``: hands moved to where they touch what they hold."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dexman_pose.arrays import runs
from dexman_pose.contact.phases import Handling
from dexman_pose.data.camera import Camera
from dexman_pose.data.tracks import HandObservations, HandTrack, RigidObject
from dexman_pose.data.trajectory import Trajectory
from dexman_pose.data.world.table import TablePlane
from dexman_pose.pipeline.inputs import Fingerprints, Inputs
from dexman_pose.pipeline.stage import Stage

if TYPE_CHECKING:
    from dexman_pose.interaction import GripFit
    from dexman_pose.pipeline.with_contact.pictures_ahead import PicturesAhead


@dataclass(frozen=True)
class GrippingHands:
    """What the stage makes.

    Attributes:
        hands: by side.
        report: who holds what in which frames, and per hand the agreement before and after; plain values.
        moved: objects whose poses were solved anew, by name.
    """

    hands: dict[str, HandTrack] = field(default_factory=dict)
    report: dict[str, Any] = field(default_factory=dict)
    moved: dict[str, RigidObject] = field(default_factory=dict)

    def handled(self, frames: int) -> list[Handling]:
        """Who holds what in which of so many frames."""

        def flags(spans: list[list[int]]) -> NDArray[np.bool_]:
            out = np.zeros(frames, np.bool_)
            for first, last in spans:
                out[first : last + 1] = True
            return out

        told = self.report.get("handled", [])
        return [Handling(h["side"], h["object"], flags(h["held"]), flags(h["gripped"])) for h in told]

    def notices(self) -> list[str]:
        """What people should know of it, a line per hand."""
        out = []
        for side, told in self.report.get("hands", {}).items():
            before, after = told.get("before", {}), told.get("after", {})
            if told["fit"] == "contact":
                out.append(
                    f"The {side} hand was moved to what it holds: the gap is {after['gap_mm']:.0f} mm, it was "
                    f"{before['gap_mm']:.0f} mm by the picture alone."
                )
            elif any(refused["fit"] == "contact" for refused in told.get("refused", [])):
                out.append(
                    f"The {side} hand could not be brought to what it holds without leaving the picture, and does "
                    "not touch it."
                )
        return out


def handled_report(found: GripFit) -> dict[str, Any]:
    """Who holds what, and what was done with each hand, as plain values."""
    handled = [
        {"side": h.side, "object": h.name, "held": _spans(h.held), "gripped": _spans(h.gripped)}
        for h in found.handled
    ]
    return {"handled": handled, "hands": found.report}


def grips_stage(
    inputs: Inputs,
    marks: Fingerprints,
    objects: Mapping[str, RigidObject],
    hands: Mapping[str, HandTrack],
    observations: HandObservations,
    camera: Camera,
    pictures: PicturesAhead | None = None,
    table: TablePlane | None = None,
) -> Stage[GrippingHands]:
    """Solve hands together with what they hold.

    Args:
        inputs: of the run.
        marks: fingerprints of the inputs.
        objects: by name.
        hands: by side, as lifted.
        observations: what they were lifted from.
        camera: intrinsics.
        pictures: hands fitted to their pictures, begun before; None to do so in the stage.
        table: that hands are above of, None where there is none.
    """
    from dexman_pose.interaction import fit_grips

    times = inputs.clip.frame_times

    def compute() -> GrippingHands:
        pictured = None if pictures is None else pictures.pictured(dict(hands))
        fixed = inputs.given.fixed_poses()
        found = fit_grips(
            objects, hands, observations, camera, times, table=table, pictured=pictured, fixed=fixed
        )
        moved = {name: thing for name, thing in found.objects.items() if thing is not objects[name]}
        return GrippingHands(found.hands, handled_report(found), moved)

    def save(made: GrippingHands, path: Path) -> None:
        grips = {"grips": made.report}
        Trajectory(camera, times, made.moved, made.hands, None, provenance=grips).save(path)

    def load(path: Path) -> GrippingHands:
        kept = Trajectory.load(path)
        return GrippingHands(kept.hands, dict(kept.provenance["grips"]), kept.objects)

    return Stage(
        "grips",
        "stages/grips.npz",
        compute=compute,
        save=save,
        load=load,
        settings={"clip": marks.clip},
        after=("hands", "lift", "objects", "scene", "camera"),
        rooms=("interaction", "contact", "hands"),
    )


def _spans(flags: Any) -> list[list[int]]:
    """First and last frames of the runs of a flag (T,)."""
    return [[first, stop - 1] for first, stop in runs(flags)]
