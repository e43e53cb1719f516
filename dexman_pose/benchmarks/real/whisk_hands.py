"""A whisk in one hand, a bowl in the other: the pipeline against another system's hands and whisk.

The other system's hands and whisk are estimates, too, and at distances that do not fit each other, so that relative
figures alone are compared: fingers against the wrist, the hand against the whisk across the line of sight, the whisk's
axis, and which finger tips are near the whisk.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dexman_pose.arrays import Array
from dexman_pose.benchmarks.real.scores import Report, Row, angle_modulo_spin
from dexman_pose.benchmarks.real.whisking import (
    AXIS,
    CLEAR,
    FRAME,
    SILVER_SCALE,
    given_mask,
    read_silver,
)
from dexman_pose.contact.distance import signed_distance
from dexman_pose.data import Clip, HandTrack, Mesh, ObjectPrompt, RigidObject, Trajectory
from dexman_pose.geometry.se3 import inverse, transform_points
from dexman_pose.meshing import load_mesh
from dexman_pose.metrics.contact import contact_f_score
from dexman_pose.metrics.hands import joint_errors
from dexman_pose.pipeline import reconstruct

TOUCH = 0.015
"""Metres from the other system's finger tips to its whisk that count as touching, once at the whisk's distance."""
_TIPS = (4, 8, 12, 16, 20)
HOLDER = "right"


def run(data: Path, out: Path | None) -> Report:
    """The pipeline on the clip, with the mesh in its size and the camera that the other system took.

    Once it is given one mask and finds the whisk itself; once it is given the other system's poses of the whisk as they
    are, so that hands and touches can be judged where it finds none.
    """
    folder = data / "clips" / "whisking"
    clip = Clip.open(folder / "whisking.mp4")
    mesh = load_mesh(folder / "mesh" / "whisk.obj", "m")
    silver, camera = read_silver(folder / "object_layout.json", clip)
    prompt = ObjectPrompt(
        mask=given_mask(mesh, silver[FRAME], camera, None), frame=FRAME, mesh=mesh.scaled(SILVER_SCALE)
    )
    theirs = _theirs(folder / "all_hand_meshes.npz")
    rows: list[Row] = []
    notes: list[str] = []
    for what, poses in (("whisk found", None), ("their whisk", {"whisk": silver})):
        found = reconstruct(
            folder / "whisking.mp4",
            {"whisk": prompt},
            camera=camera,
            poses=poses,
            poses_as="start" if poses is None else "fixed",
            out=None if out is None else out / f"whisking_{what.replace(' ', '_')}",
            overlay=False,
            progress=False,
        )
        rows.append(Row(f"{what}:", float(found.objects["whisk"].valid.sum()), digits=0))
        for side, (joints, valid) in theirs.items():
            if side in found.hands:
                rows += hand_rows(side, found.hands[side], joints, valid)
        whisk = found.objects["whisk"]
        if poses is None:
            rows += whisk_rows(whisk, silver)
        rows += held_rows(found, whisk, theirs[HOLDER], silver)
        grips = found.provenance["grips"]
        notes += [f"  {what}: {side} hand by {told['fit']}" for side, told in grips["hands"].items()]
        notes += [
            f"  {what}: {h['side']} hand grips {h['object']} in {h['gripped']}" for h in grips["handled"]
        ]
    return Report("whisking, hands and whisk", rows, notes)


def _theirs(path: Path) -> dict[str, tuple[Array, NDArray[np.bool_]]]:
    """Joints (T, 21, 3) and valid frames (T,) of the other system's hands, by side."""
    with np.load(path) as file:
        return {
            side: (file[f"{side}_joints"].astype(np.float64), file[f"{side}_valid"].astype(np.bool_))
            for side in ("left", "right")
        }


def hand_rows(side: str, hand: HandTrack, joints: Array, valid: NDArray[np.bool_]) -> list[Row]:
    """One hand against the other system's: shape and turn, sizes brought together."""
    both = hand.valid & valid
    own, other = hand.joints[both], joints[both]
    size = np.median(_palm(own)) / np.median(_palm(other))
    scaled = other * size
    reach = np.median(own[:, 0, 2] / other[:, 0, 2])
    rooted, aligned = (
        1e3 * np.median(joint_errors(own, scaled, align=a).mean(-1)) for a in ("root", "procrustes")
    )
    return [
        Row(f"{side} hand: frames with joints, %", 100 * float(hand.valid.mean())),
        Row(f"{side} hand: joints relative to the wrist, sizes alike, mm", float(rooted)),
        Row(f"{side} hand: joints, laid on each other, mm", float(aligned)),
        Row(f"{side} hand: size over theirs", float(size), digits=3),
        Row(f"{side} hand: distance over theirs", float(reach), digits=3),
    ]


def whisk_rows(whisk: RigidObject, silver: Array) -> list[Row]:
    """The whisk's pose against the other system's: where it may be used, and wherever it was followed."""
    angle = angle_modulo_spin(whisk.camera_from_object, silver, AXIS)
    far = whisk.camera_from_object[:, 2, 3] / silver[:, 2, 3]
    clear = slice(*CLEAR)
    rows = [
        Row("whisk: frames whose pose may be used, %", 100 * float(whisk.valid.mean())),
        Row("whisk: angle of its axis to theirs, all frames, median, deg", float(np.median(angle))),
        Row(f"whisk: the same, frames {CLEAR[0]}-{CLEAR[1] - 1}, deg", float(np.median(angle[clear]))),
        Row(
            f"whisk: distance over theirs, frames {CLEAR[0]}-{CLEAR[1] - 1}",
            float(np.median(far[clear])),
            digits=3,
        ),
    ]
    return rows


def held_rows(
    found: Trajectory, whisk: RigidObject, theirs: tuple[Array, NDArray[np.bool_]], silver: Array
) -> list[Row]:
    """The hand that holds the whisk: where it is on it, and which fingers touch, in frames in which both are valid."""
    hand = found.hands.get(HOLDER)
    both = theirs[1] & whisk.valid & (np.zeros_like(theirs[1]) if hand is None else hand.valid)
    if hand is None or not both.any():
        return []
    mesh, brought = whisk.mesh, _at_distance(theirs[0], silver, whisk.mesh)
    own = _gaps(mesh, whisk.camera_from_object[both], hand.joints[both])
    other = _gaps(mesh, silver[both], brought[both])
    raw = _gaps(mesh, silver[both], theirs[0][both])
    places = [
        _on_axis(poses[both], joints[both])
        for poses, joints in ((whisk.camera_from_object, hand.joints), (silver, brought))
    ]
    rows = [
        Row(f"{HOLDER} hand: nearest joint to the whisk, median, mm", 1e3 * float(np.median(own.min(1)))),
        Row("  theirs, as it is", 1e3 * float(np.median(raw.min(1)))),
        Row("  theirs, brought to the whisk's distance", 1e3 * float(np.median(other.min(1)))),
        Row(
            f"{HOLDER} hand: palm along the whisk's axis, off theirs, median, mm",
            1e3 * float(np.median(np.abs(places[0] - places[1]))),
        ),
    ]
    if found.contacts is None or (HOLDER, "whisk") not in found.contacts.pairs:
        return rows
    flags = found.contacts.touching[found.contacts.pairs.index((HOLDER, "whisk"))][both]
    fingers = np.stack([flags[:, 2 + 4 * f : 5 + 4 * f].any(1) for f in range(5)], axis=1)
    near = np.stack([other[:, 2 + 4 * f : 5 + 4 * f].min(1) < TOUCH for f in range(5)], axis=1)
    score = contact_f_score(fingers, near)
    return [
        *rows,
        Row("fingers that touch the whisk, F-score against theirs", score.pooled_f_score),
        Row("frames in which thumb and a finger touch, %", 100 * _holds(fingers)),
        Row("  theirs", 100 * _holds(near)),
    ]


def _holds(fingers: NDArray[np.bool_]) -> float:
    """Share of frames in which the thumb and another finger touch."""
    return float((fingers[:, 0] & fingers[:, 1:].any(1)).mean())


def _palm(joints: Array) -> Array:
    """(T,) metres from wrist to the knuckle of the middle finger."""
    out: Array = np.linalg.norm(joints[:, 9] - joints[:, 0], axis=-1)
    return out


def _at_distance(joints: Array, silver: Array, mesh: Mesh) -> Array:
    """Joints (T, 21, 3) moved along the line of sight, and resized by as much: the palm at the whisk's depth."""
    depth = transform_points(silver, mesh.center[None])[:, 0, 2]
    out: Array = joints * (depth / joints[:, [0, 5, 9, 13, 17], 2].mean(1))[:, None, None]
    return out


def _gaps(mesh: Mesh, poses: Array, joints: Array) -> Array:
    """(T, 21) metres, signed distances of joints to the whisk."""
    on = transform_points(inverse(poses), joints)
    return signed_distance(mesh, on.reshape(-1, 3)).distance.reshape(joints.shape[:2])


def _on_axis(poses: Array, joints: Array) -> Array:
    """(T,) metres along the whisk's axis, of the palm in the whisk's frame."""
    palm = joints[:, [0, 5, 9, 13, 17]].mean(1, keepdims=True)
    out: Array = transform_points(inverse(poses), palm)[:, 0] @ np.array(AXIS)
    return out
