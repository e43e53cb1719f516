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
"""Metres from the other system's finger tips to its whisk, once brought to the whisk's distance, that count as touching."""
_TIPS = (4, 8, 12, 16, 20)
HOLDER = "right"


def run(data: Path, out: Path | None) -> Report:
    """The pipeline on the clip, given one mask, the mesh with its size, and the camera that the other system took."""
    folder = data / "clips" / "whisking"
    clip = Clip.open(folder / "whisking.mp4")
    mesh = load_mesh(folder / "mesh" / "whisk.obj")
    silver, camera = read_silver(folder / "object_layout.json", clip)
    mask = given_mask(mesh, silver[FRAME], camera, None)
    sized = mesh.scaled(SILVER_SCALE)
    found = reconstruct(
        folder / "whisking.mp4",
        {"whisk": ObjectPrompt(mask=mask, frame=FRAME, mesh=sized)},
        camera=camera,
        out=None if out is None else out / "whisking",
        overlay=False,
        progress=False,
    )
    with np.load(folder / "all_hand_meshes.npz") as theirs:
        joints = {side: theirs[f"{side}_joints"].astype(np.float64) for side in ("left", "right")}
        valid = {side: theirs[f"{side}_valid"].astype(np.bool_) for side in ("left", "right")}
    rows = []
    for side in ("left", "right"):
        if side in found.hands:
            rows += hand_rows(side, found.hands[side], joints[side], valid[side])
    whisk = found.objects["whisk"]
    rows += whisk_rows(whisk, silver)
    if HOLDER in found.hands:
        rows += held_rows(found, whisk, sized, joints[HOLDER], valid[HOLDER], silver)
    notes = [f"  {side}: {told['fit']}" for side, told in found.provenance["grips"]["hands"].items()]
    notes += [f"  {h['side']} holds {h['object']}: {h['held']}" for h in found.provenance["grips"]["handled"]]
    return Report("whisking, hands and whisk", rows, notes)


def hand_rows(side: str, hand: HandTrack, joints: Array, valid: NDArray[np.bool_]) -> list[Row]:
    """One hand against the other system's: shape and turn, sizes brought together."""
    both = hand.valid & valid
    own, other = hand.joints[both], joints[both]
    size = np.median(_palm(own)) / np.median(_palm(other))
    scaled = other * size
    reach = np.median(own[:, 0, 2] / other[:, 0, 2])
    rooted, aligned = (1e3 * np.median(joint_errors(own, scaled, align=a).mean(-1)) for a in ("root", "procrustes"))
    return [
        Row(f"{side} hand: frames with joints, %", 100 * float(hand.valid.mean())),
        Row(f"{side} hand: joints relative to the wrist, sizes alike, mm", float(rooted)),
        Row(f"{side} hand: joints, laid on each other, mm", float(aligned)),
        Row(f"{side} hand: size over theirs", float(size), digits=3),
        Row(f"{side} hand: distance over theirs", float(reach), digits=3),
    ]


def whisk_rows(whisk: RigidObject, silver: Array) -> list[Row]:
    """The whisk's pose against the other system's."""
    angle = angle_modulo_spin(whisk.camera_from_object, silver, AXIS)
    valid, clear = whisk.valid, np.zeros(len(silver), np.bool_)
    clear[slice(*CLEAR)] = True
    far = whisk.camera_from_object[:, 2, 3] / silver[:, 2, 3]

    def middle(values: Array, these: NDArray[np.bool_]) -> float:
        return float(np.median(values[these])) if these.any() else np.inf

    return [
        Row("whisk: frames with a pose, %", 100 * float(valid.mean())),
        Row("whisk: angle of its axis to theirs, median, deg", middle(angle, valid)),
        Row(f"whisk: the same, frames {CLEAR[0]}-{CLEAR[1] - 1}, deg", middle(angle, valid & clear)),
        Row("whisk: distance over theirs", middle(far, valid), digits=3),
    ]


def held_rows(
    found: Trajectory, whisk: RigidObject, mesh: Mesh, joints: Array, valid: NDArray[np.bool_], silver: Array
) -> list[Row]:
    """The hand that holds the whisk: where it is on it, and which tips touch."""
    hand = found.hands[HOLDER]
    both = hand.valid & whisk.valid & valid
    own = _gaps(mesh, whisk.camera_from_object[both], hand.joints[both])
    brought = _at_distance(joints, silver, mesh)[both]
    other = _gaps(mesh, silver[both], brought)
    raw = _gaps(mesh, silver[both], joints[both])
    rows = [
        Row(f"{HOLDER} hand: nearest joint to the whisk, median, mm", 1e3 * float(np.median(own.min(1)))),
        Row("theirs, as it is", 1e3 * float(np.median(raw.min(1)))),
        Row("theirs, brought to the whisk's distance", 1e3 * float(np.median(other.min(1)))),
        Row(f"{HOLDER} hand: along the whisk's axis, off theirs, median, mm", _along(whisk, silver, hand.joints, joints, mesh, both)),
    ]
    if found.contacts is not None and (HOLDER, "whisk") in found.contacts.pairs:
        flags = found.contacts.touching[found.contacts.pairs.index((HOLDER, "whisk"))][both]
        fingers = np.stack([flags[:, 2 + 4 * f : 5 + 4 * f].any(1) for f in range(5)], axis=1)
        theirs = np.stack([other[:, 2 + 4 * f : 5 + 4 * f].min(1) < TOUCH for f in range(5)], axis=1)
        score = contact_f_score(fingers, theirs)
        rows += [
            Row("fingers that touch the whisk, F-score against theirs", score.pooled_f_score),
            Row("frames in which thumb and a finger touch, %", 100 * float((fingers[:, 0] & fingers[:, 1:].any(1)).mean())),
            Row("theirs", 100 * float((theirs[:, 0] & theirs[:, 1:].any(1)).mean())),
        ]
    return rows


def _palm(joints: Array) -> Array:
    """(T,) metres from wrist to the knuckle of the middle finger."""
    out: Array = np.linalg.norm(joints[:, 9] - joints[:, 0], axis=-1)
    return out


def _at_distance(joints: Array, silver: Array, mesh: Mesh) -> Array:
    """Joints (T, 21, 3) moved along the line of sight and resized by one factor a frame: the palm at the whisk's depth."""
    depth = transform_points(silver, mesh.center[None])[:, 0, 2]
    out: Array = joints * (depth / joints[:, [0, 5, 9, 13, 17], 2].mean(1))[:, None, None]
    return out


def _gaps(mesh: Mesh, poses: Array, joints: Array) -> Array:
    """(T, 21) metres, signed distances of joints to the whisk."""
    on = transform_points(inverse(poses), joints)
    return signed_distance(mesh, on.reshape(-1, 3)).distance.reshape(joints.shape[:2])


def _along(
    whisk: RigidObject, silver: Array, own: Array, other: Array, mesh: Mesh, both: NDArray[np.bool_]
) -> float:
    """Millimetres along the whisk's axis between where both palms lie on it."""
    palm = [0, 5, 9, 13, 17]
    places = []
    for poses, joints in ((whisk.camera_from_object, own), (silver, _at_distance(other, silver, mesh))):
        on = transform_points(inverse(poses[both]), joints[both][:, palm].mean(1, keepdims=True))[:, 0]
        places.append(on @ np.array(AXIS))
    return 1e3 * float(np.median(np.abs(places[0] - places[1])))
