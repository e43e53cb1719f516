"""A trajectory in words and numbers: what the report's tables and the command line say."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dexman_pose.data import JOINT_NAMES, HandTrack, Mesh, RigidObject, Trajectory
from dexman_pose.data.evidence import evidence_summary
from dexman_pose.data.numbers import instance
from dexman_pose.data.tracks import SIDES
from dexman_pose.viewer._text import percent
from dexman_pose.viewer.notices import notices

Flags = NDArray[np.bool_]

_SHOWN_EVIDENCE = 4
FINGERS: tuple[str, ...] = ("thumb", "index", "middle", "ring", "pinky", "wrist")


@dataclass(frozen=True)
class ObjectSummary:
    """Figures of one object; means and the worst overlap are over its valid frames, None without any."""

    name: str
    valid: float
    confidence: float | None
    mean_iou: float | None
    worst_iou: float | None
    worst_frame: int | None
    scale: float
    scale_source: str
    extents: tuple[float, float, float]
    faces: int
    source: str
    carried: str = ""


@dataclass(frozen=True)
class HandSummary:
    """Shares of the frames in which a hand was seen, was bridged over a gap, and touches each object."""

    side: str
    detected: float
    bridged: float
    touching: dict[str, float]


def summarize_object(obj: RigidObject) -> ObjectSummary:
    """Figures of one object over the clip."""
    valid, track = obj.valid, obj.track
    iou = None if track.mask_iou is None or not valid.any() else track.mask_iou
    worst = None if iou is None else int(np.argmin(np.where(valid, iou, np.inf)))
    x, y, z = (float(v) for v in obj.mesh.extents)
    return ObjectSummary(
        name=obj.name,
        valid=_share(valid),
        confidence=float(track.confidence[valid].mean()) if valid.any() else None,
        mean_iou=None if iou is None else float(iou[valid].mean()),
        worst_iou=None if iou is None or worst is None else float(iou[worst]),
        worst_frame=worst,
        scale=obj.scale,
        scale_source=obj.scale_source,
        extents=(x, y, z),
        faces=len(obj.mesh.faces),
        source=_source(obj.mesh),
        carried="" if track.evidence is None else evidence_summary(track.evidence),
    )


def _source(mesh: Mesh) -> str:
    """Where a mesh comes from; of a shape made from the clip how sure its kind is, too."""
    return mesh.source if mesh.sure is None else f"{mesh.source}, {percent(mesh.sure)} sure"


def summarize_hand(trajectory: Trajectory, side: str) -> HandSummary:
    """Shares of frames of one hand that the trajectory holds."""
    hand, contacts = trajectory.hands[side], trajectory.contacts
    touching: dict[str, float] = {}
    for k, (who, name) in enumerate(contacts.pairs if contacts is not None else ()):
        if contacts is not None and who == side:
            touching[name] = _share(contacts.touching[k].any(1))
    return HandSummary(side, _share(seen(hand)), _share(hand.valid & hand.bridged), touching)


def seen(hand: HandTrack) -> Flags:
    """(T,) frames in which the hand was detected: valid and not bridged."""
    return hand.valid & ~hand.bridged


def touching_fingers(flags: Flags) -> list[str]:
    """Names of the fingers with a touching joint, of flags (21,)."""
    touched = {name.split("_")[0] for name, on in zip(JOINT_NAMES, flags) if on}
    return [finger for finger in FINGERS if finger in touched]


def contact_text(trajectory: Trajectory, side: str, index: int) -> str:
    """What one hand does in one frame, e.g. ``"right hand: cube (thumb, index)"``."""
    hand, contacts = trajectory.hands[side], trajectory.contacts
    if not hand.valid[index]:
        return f"{side} hand: not seen"
    held = []
    for k, (who, name) in enumerate(contacts.pairs if contacts is not None else ()):
        if contacts is not None and who == side and contacts.touching[k, index].any():
            held.append(f"{name} ({', '.join(touching_fingers(contacts.touching[k, index]))})")
    text = f"{side} hand: {', '.join(held) if held else 'no contact'}"
    return text + (" [bridged]" if hand.bridged[index] else "")


def camera_text(trajectory: Trajectory) -> str:
    """The camera in one line: size, focal length, field of view, where it comes from."""
    camera = trajectory.camera
    view = np.degrees(2 * np.arctan(0.5 * camera.width / camera.fx))
    lens = "" if camera.lens is None else f", with a {camera.lens.model} lens"
    filmed = trajectory.filmed_camera
    if filmed is not None and not filmed.is_pinhole:
        what = "skew" if filmed.lens is None else f"a {filmed.lens.model} lens"
        lens = f", undistorted from {what} of focal length {filmed.fx:.1f} px"
    focal = f"{camera.fx:.1f}" if np.isclose(camera.fx, camera.fy) else f"{camera.fx:.1f} x {camera.fy:.1f}"
    size = f"{camera.width}x{camera.height}"
    return f"{size}, focal length {focal} px ({view:.0f} degrees wide){lens}, intrinsics {camera.source}"


def world_text(trajectory: Trajectory) -> list[str]:
    """The table in one line: what gravity is known from, how well, how high the camera is; none without a table."""
    table = trajectory.table
    if table is None:
        return []
    tilt, height = np.degrees(table.normal_std), 1000 * table.offset
    rest = table.evidence[_SHOWN_EVIDENCE:]
    of = "; ".join(table.evidence[:_SHOWN_EVIDENCE]) + (f"; and {len(rest)} more" if rest else "")
    return [
        f"world: gravity from {of or 'the table'}: +-{tilt:.1f} degrees; the camera is {height:.0f} mm above the table"
    ]


def duration(trajectory: Trajectory) -> float:
    """Seconds from the first frame to the last."""
    times = trajectory.frame_times
    return float(times[-1] - times[0]) if len(times) else 0.0


def describe(trajectory: Trajectory) -> str:
    """The trajectory as plain text, several lines: clip, camera, objects, hands, contacts, what to be careful
    with.

    Args:
        trajectory: any trajectory, also an empty one.
    """
    instance(trajectory, Trajectory, "trajectory", "dexman_pose.reconstruct gives one, or Trajectory.load")
    t = trajectory
    lines = [f"{t.num_frames} frames, {duration(t):.2f} s", f"camera: {camera_text(t)}", *world_text(t)]
    lines += [_object_text(summarize_object(obj)) for obj in t.objects.values()] or ["no objects"]
    lines += [_hand_text(summarize_hand(t, side)) for side in SIDES if side in t.hands] or ["no hands"]
    warnings = notices(t)
    if warnings:
        lines += ["to note:", *(f"  - {text}" for text in warnings)]
    return "\n".join(lines)


def _object_text(s: ObjectSummary) -> str:
    size = " x ".join(f"{1000 * v:.0f}" for v in s.extents)
    text = f"object {s.name}: valid in {percent(s.valid)} of the frames, {size} mm"
    text += f", scale {s.scale:.4g} ({s.scale_source}), {s.faces} faces ({s.source})"
    if s.confidence is not None:
        text += f", confidence {s.confidence:.2f}"
    if s.mean_iou is not None:
        text += f", mask IoU {s.mean_iou:.3f} (worst {s.worst_iou:.3f} in frame {s.worst_frame})"
    return f"{text}; carried by {s.carried}" if s.carried else text


def _hand_text(s: HandSummary) -> str:
    text = f"{s.side} hand: seen in {percent(s.detected)} of the frames, bridged in {percent(s.bridged)}"
    held = [f"{name} in {percent(share)}" for name, share in s.touching.items() if share > 0]
    return text + (f", touches {', '.join(held)}" if held else ", touches nothing")


def _share(flags: Flags) -> float:
    return float(flags.mean()) if flags.size else 0.0
