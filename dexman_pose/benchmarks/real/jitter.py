"""How much tracks tremble where nobody knows the truth: second differences at rest and in the hand, and jumps.

Whether an object rests is read off its mask, which no pose has a part in: results of different programs are compared on
the same frames.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from dexman_pose.arrays import Array, Bools
from dexman_pose.data import MaskSequence, RigidObject, Trajectory
from dexman_pose.geometry import rotation_angle, so3_log
from dexman_pose.pipeline.artefacts import load_masks


@dataclass(frozen=True)
class JitterOptions:
    """What counts as rest, and as a jump.

    Attributes:
        window: frames before and after a frame that are looked at: a third of a second at 30 frames a second.
        still: pixels of the mask's centre within the window up to which the object rests; masks scatter by one.
        handled: pixels from which somebody moves it.
        jump_mm: millimetres in one frame that are a jump.
        jump_degrees: degrees in one frame that are a jump.
    """

    window: int = 10
    still: float = 2.0
    handled: float = 6.0
    jump_mm: float = 60.0
    jump_degrees: float = 45.0


@dataclass(frozen=True)
class Trembling:
    """How one object's track trembles.

    Attributes:
        valid: share of frames that are valid.
        overlap: mean outline overlap of valid frames.
        rest_mm: mean size of the centre's second difference at rest, millimetres; None without such frames.
        rest_degrees: the same of the rotation, degrees.
        hand_mm: the same in the hand.
        hand_degrees: the same in the hand.
        jumps: steps between successive valid frames that are jumps.
    """

    valid: float
    overlap: float
    rest_mm: float | None
    rest_degrees: float | None
    hand_mm: float | None
    hand_degrees: float | None
    jumps: int


@dataclass(frozen=True)
class Motion:
    """Second differences of a track, one per frame that has a neighbour on either side.

    Attributes:
        shift: (T - 2,) metres, of the object's centre.
        turn: (T - 2,) radians, between the two rotations into and out of a frame.
        known: (T - 2,) whether all three frames are valid.
    """

    shift: Array
    turn: Array
    known: Bools = field(repr=False)


def second_differences(found: RigidObject) -> Motion:
    """Second differences of centre and rotation of an object."""
    poses, valid = found.camera_from_object, found.valid
    centers = poses[:, :3, :3] @ found.mesh.center + poses[:, :3, 3]
    steps = so3_log(poses[1:, :3, :3] @ np.swapaxes(poses[:-1, :3, :3], 1, 2))
    return Motion(
        np.linalg.norm(np.diff(centers, 2, axis=0), axis=1),
        np.linalg.norm(np.diff(steps, axis=0), axis=1),
        valid[2:] & valid[1:-1] & valid[:-2],
    )


def mask_travel(masks: MaskSequence, name: str, window: int) -> Array:
    """(T,) pixels between the extreme places of a mask's centre around each frame; infinite without a mask there."""
    centers = np.full((masks.num_frames, 2), np.nan)
    for i in range(masks.num_frames):
        rows, columns = np.nonzero(masks.mask(i, name))
        if len(rows):
            centers[i] = columns.mean(), rows.mean()
    out = np.full(masks.num_frames, np.inf)
    for i in range(masks.num_frames):
        near = centers[max(i - window, 0) : i + window + 1]
        if np.isfinite(near).all():
            out[i] = float(np.linalg.norm(np.ptp(near, axis=0)))
    return out


def count_jumps(found: RigidObject, options: JitterOptions) -> int:
    """Steps from one valid frame to the next that no object makes."""
    poses, pair = found.camera_from_object, found.valid[1:] & found.valid[:-1]
    centers = poses[:, :3, :3] @ found.mesh.center + poses[:, :3, 3]
    moved = np.linalg.norm(np.diff(centers, axis=0), axis=1) * 1e3
    turned = np.degrees(rotation_angle(np.swapaxes(poses[:-1, :3, :3], 1, 2) @ poses[1:, :3, :3]))
    return int((pair & ((moved > options.jump_mm) | (turned > options.jump_degrees))).sum())


def trembling(
    found: RigidObject, travel: Array, options: JitterOptions, also: Bools | None = None
) -> Trembling:
    """Measure one object.

    Args:
        found: the object.
        travel: (T,) pixels, of :func:`mask_travel`.
        options: what rests.
        also: (T - 2,) frames to measure on beside those that are known, so that two results share theirs.
    """
    motion = second_differences(found)
    known = motion.known if also is None else motion.known & also
    rest, hand = known & (travel[1:-1] < options.still), known & (travel[1:-1] > options.handled)
    hand &= np.isfinite(travel[1:-1])
    overlap = found.track.mask_iou
    seen = overlap is not None and found.valid.any()
    return Trembling(
        float(found.valid.mean()),
        float(overlap[found.valid].mean()) if seen and overlap is not None else 0.0,
        _mean(1e3 * motion.shift, rest),
        _mean(np.degrees(motion.turn), rest),
        _mean(1e3 * motion.shift, hand),
        _mean(np.degrees(motion.turn), hand),
        count_jumps(found, options),
    )


def _mean(values: Array, where: Bools) -> float | None:
    return float(values[where].mean()) if where.any() else None


def compare_runs(
    run: Path, against: Path | None = None, options: JitterOptions | None = None
) -> dict[str, list[Trembling]]:
    """Trembling of every object of a run folder, and of another's, on the frames that both have.

    Args:
        run: folder of a run, with masks and trajectory.
        against: folder of another run of the same clip.
        options: what rests.

    Returns:
        By object: of the run, then of the other.
    """
    options = options or JitterOptions()
    masks = load_masks(run / "stages" / "masks.npz")
    results = [Trajectory.load(folder / "trajectory.npz") for folder in (run, against) if folder is not None]
    out = {}
    for name in results[0].objects:
        objects = [r.objects[name] for r in results]
        travel = mask_travel(masks, name, options.window)
        shared = np.logical_and.reduce([second_differences(o).known for o in objects])
        out[name] = [trembling(o, travel, options, shared) for o in objects]
    return out


def table(rows: dict[str, list[Trembling]]) -> str:
    """Lines for people: each object of each clip, the other result's figures after a slash."""
    head = ("object", "valid %", "overlap", "rest mm", "rest deg", "hand mm", "hand deg", "jumps")
    lines = [_line(head)]
    for name, found in rows.items():
        cells = [
            [f"{100 * t.valid:.0f}" for t in found],
            [f"{t.overlap:.3f}" for t in found],
            [_text(t.rest_mm) for t in found],
            [_text(t.rest_degrees) for t in found],
            [_text(t.hand_mm) for t in found],
            [_text(t.hand_degrees) for t in found],
            [str(t.jumps) for t in found],
        ]
        lines.append(_line((name, *(" / ".join(cell) for cell in cells))))
    return "\n".join(lines)


def _text(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"


def _line(cells: tuple[str, ...]) -> str:
    return f"{cells[0]:<28}" + "".join(f"{cell:>17}" for cell in cells[1:])
