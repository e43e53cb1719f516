"""A hand that holds a thing in a real clip: how deep its skin lies within, and how far the tips that touch are from it.

Nothing here needs truth: a hand cannot be inside of a solid, and what carries a thing touches it.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dexman_pose.arrays import Array
from dexman_pose.benchmarks.real.scores import Report, Row
from dexman_pose.data import Camera, ObjectPrompt, Trajectory
from dexman_pose.interaction.probes import FINGER_OF_PROBE, TIPS
from dexman_pose.interaction.skin import Skin
from dexman_pose.pipeline import reconstruct

FRAMES = 420
"""Of the cube clip: it is lifted, turned and put back once."""
DEEPEST_MM = 3.0
_RESOLUTION = 0.003
_NEAR = 0.05
_FINGER_JOINTS = (2, 3, 4)  # of each finger's four, those that touch when fingers hold


@dataclass(frozen=True)
class HeldFrames:
    """One hand with what it holds, over the N frames in which it grips it: it carries it, or rests against it.

    Attributes:
        side: of the hand.
        name: of the object.
        frames: (N,) of the clip, in which both are valid.
        missing: how many more there are, in which one of the two is not.
        deep: (N,) metres, of the deepest skin inside of the object.
        deepest: (N,) finger that it belongs to, thumb 0; -1 for the palm.
        gaps: (N, 5) metres between the skin of each finger tip and the object.
        touching: (N, 5) fingers that are said to touch.
    """

    side: str
    name: str
    frames: NDArray[np.intp]
    missing: int
    deep: Array
    deepest: NDArray[np.intp]
    gaps: Array
    touching: NDArray[np.bool_]


def held_frames(trajectory: Trajectory) -> list[HeldFrames]:
    """Every hand with everything that it carries."""
    out = []
    for held in trajectory.provenance["grips"]["handled"]:
        side, name = held["side"], held["object"]
        hand, thing = trajectory.hands[side], trajectory.objects[name]
        if hand.angles is None or hand.shape is None or hand.camera_from_wrist is None:
            continue
        every = np.concatenate([np.arange(first, last + 1) for first, last in held["gripped"]])
        frames = every[hand.valid[every] & thing.valid[every]]
        if not len(frames) or trajectory.contacts is None:
            continue
        skin = Skin.made(side, hand.shape, _RESOLUTION)
        gaps = skin.gaps(hand.angles[frames], hand.camera_from_wrist[frames], thing, frames, _NEAR)
        flags = trajectory.contacts.touching[trajectory.contacts.pairs.index((side, name))][frames]
        fingers = [flags[:, [1 + 4 * f + j - 1 for j in _FINGER_JOINTS]].any(1) for f in range(5)]
        deep = np.maximum(-gaps.min(1), 0.0)
        deepest = FINGER_OF_PROBE[gaps.argmin(1)]
        tips = gaps[:, list(TIPS)]
        out.append(
            HeldFrames(
                side, name, frames, len(every) - len(frames), deep, deepest, tips, np.stack(fingers, 1)
            )
        )
    return out


def grip_rows(held: HeldFrames) -> list[Row]:
    """The figures of one hand."""
    who = f"{held.side} hand, {held.name}"
    deep, gap = 1e3 * held.deep, 1e3 * np.abs(held.gaps)
    thumb, finger = held.touching[:, 0], held.touching[:, 1:].any(1)
    touches = gap[held.touching & np.isfinite(gap)]
    return [
        Row(f"{who}: frames held", float(len(held.frames)), digits=0),
        Row(f"{who}: frames without a valid pose or hand", float(held.missing), digits=0),
        Row(
            f"{who}: frames in which thumb and a finger touch, %",
            100 * float((thumb & finger).mean()),
            100.0,
            True,
        ),
        Row(f"{who}: deepest skin inside, median, mm", float(np.median(deep))),
        Row(f"{who}: deepest skin inside, worst frame, mm", float(deep.max()), DEEPEST_MM),
        Row(f"{who}: frames over {DEEPEST_MM:g} mm, %", 100 * float((deep > DEEPEST_MM).mean()), 0.0),
        Row(
            f"{who}: tips that touch, skin to surface, median, mm",
            float(np.median(touches)) if len(touches) else np.inf,
            4.0,
        ),
    ]


def run_cube(data: Path, out: Path | None) -> Report:
    """The pipeline on the cube clip, and what its hand does."""
    folder = data / "clips" / "cube"
    known = json.loads((folder / "poses.json").read_text())
    camera = Camera(np.array(known["K"]), known["width"], known["height"])
    given = json.loads((data / "clips" / "prompts.json").read_text())["clips"]["cube/cube_video.mp4"]
    prompt = ObjectPrompt(
        box=np.array(given["objects"]["cube"], np.float64), frame=given["frame"], mesh=folder / "cube.obj"
    )
    run = None if out is None else out / "cube"
    video = folder / "cube_video.mp4"
    found = reconstruct(
        video,
        {"cube": prompt},
        camera=camera,
        max_frames=FRAMES,
        mesh_unit="m",
        out=run,
        overlay=False,
        progress=False,
    )
    held = held_frames(found)
    rows = [row for one in held for row in grip_rows(one)] or [
        Row("hands that hold the cube", 0.0, 1.0, True)
    ]
    notes = [f"  {side}: {told['fit']}" for side, told in found.provenance["grips"]["hands"].items()]
    for one in held:
        notes += [
            f"    frame {one.frames[k]:4d}: {1e3 * one.deep[k]:5.1f} mm, {_part(int(one.deepest[k]))}"
            for k in np.argsort(-one.deep)[:10]
        ]
    return Report("cube, hand and cube", rows, notes)


def _part(finger: int) -> str:
    return ("palm", "thumb", "index", "middle", "ring", "pinky")[finger + 1]
