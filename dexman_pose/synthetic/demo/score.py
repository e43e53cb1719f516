"""How far a reconstruction of the demonstration clip is from what is true in it."""

from __future__ import annotations

import numpy as np

from dexman_pose.arrays import Array
from dexman_pose.data import Trajectory
from dexman_pose.errors import InputError
from dexman_pose.geometry.se3 import rotation_angle
from dexman_pose.synthetic.demo.files import HAND_SIDE, OBJECT_NAME, DemoTruth

_CENTIMETRES = 0.05  # a pose farther than this in translation is no pose
_DEGREES = 20.0  # or this in rotation


def compare_with_truth(trajectory: Trajectory, truth: DemoTruth) -> dict[str, float]:
    """Errors of a trajectory of the rendered clip.

    The object is the one named ``"tin"``, or the only one. Its pose must be that of the mesh that was rendered
    (``object.obj``): a mesh made from the clip has its own origin and axes, of which the truth knows nothing.
    Errors are taken over the frames that are valid in both; missing frames count in the shares, never as errors.

    Args:
        trajectory: a reconstruction of the clip, with as many frames as the truth.
        truth: what :func:`~dexman_pose.synthetic.demo.clip.render_demo` returned.

    Returns:
        A flat dictionary: ``object_valid_share`` (valid frames in all true ones) and ``object_good_share`` (valid
        and within 5 cm and 20 degrees), ``translation_mm_median`` and ``_max``, ``rotation_deg_median`` and
        ``_max``; ``hand_valid_share``, ``hand_joint_mm_median``, ``hand_joint_mm_max`` (mean over the 21 joints of
        a frame, camera frame), ``hand_relative_mm_median`` (wrists brought together first);
        ``contact_agreement``, the share of frames in which "the hand touches the object" agrees; and, where the table
        was found, ``gravity_deg`` and ``table_mm``, how far the true table's point under the object's first place lies
        from it. A number that cannot be computed is left out.

    Raises:
        InputError: different numbers of frames, or no such object.
    """
    if trajectory.num_frames != truth.num_frames:
        raise InputError(
            f"the trajectory has {trajectory.num_frames} frames, the truth {truth.num_frames}: not the same clip"
        )
    return (
        _object_errors(trajectory, truth)
        | _hand_errors(trajectory, truth)
        | _contact_errors(trajectory, truth)
        | _world_errors(trajectory, truth)
    )


def _object_errors(trajectory: Trajectory, truth: DemoTruth) -> dict[str, float]:
    name = OBJECT_NAME if OBJECT_NAME in trajectory.objects else next(iter(trajectory.objects), "")
    if not name or (name != OBJECT_NAME and len(trajectory.objects) > 1):
        raise InputError(
            f"the trajectory holds no object {OBJECT_NAME!r}; it holds: {', '.join(trajectory.objects) or 'none'}"
        )
    found = trajectory.objects[name]
    both = found.valid & truth.object_valid
    pose, true = found.camera_from_object, truth.camera_from_object
    shift = np.linalg.norm(pose[:, :3, 3] - true[:, :3, 3], axis=1)
    turn = np.degrees(rotation_angle(np.swapaxes(true[:, :3, :3], 1, 2) @ pose[:, :3, :3]))
    good = both & (shift < _CENTIMETRES) & (turn < _DEGREES)
    expected = max(int(truth.object_valid.sum()), 1)
    out = {
        "object_valid_share": float(both.sum() / expected),
        "object_good_share": float(good.sum() / expected),
    }
    return out | _summary("translation_mm", 1e3 * shift[both]) | _summary("rotation_deg", turn[both])


def _hand_errors(trajectory: Trajectory, truth: DemoTruth) -> dict[str, float]:
    if HAND_SIDE not in trajectory.hands:
        return {"hand_valid_share": 0.0}
    found = trajectory.hands[HAND_SIDE]
    both = found.valid & truth.hand_valid
    out = {"hand_valid_share": float(both.sum() / max(int(truth.hand_valid.sum()), 1))}
    if not both.any():
        return out
    difference = found.joints[both] - truth.joints[both]
    out |= _summary("hand_joint_mm", 1e3 * np.linalg.norm(difference, axis=-1).mean(1))
    relative = np.linalg.norm(difference - difference[:, :1], axis=-1).mean(1)
    return out | {"hand_relative_mm_median": float(1e3 * np.median(relative))}


def _contact_errors(trajectory: Trajectory, truth: DemoTruth) -> dict[str, float]:
    contacts = trajectory.contacts
    if contacts is None or not contacts.pairs:
        return {}
    touching = np.zeros(truth.num_frames, np.bool_)
    for pair, flags in zip(contacts.pairs, contacts.touching):
        if pair[0] == HAND_SIDE:
            touching |= flags.any(-1)
    return {"contact_agreement": float(np.mean(touching == truth.touching.any(1)))}


def _world_errors(trajectory: Trajectory, truth: DemoTruth) -> dict[str, float]:
    table = trajectory.table
    if table is None:
        return {}
    up = truth.camera_from_world[:3, 2]
    place = truth.camera_from_object[0, :3, 3]
    foot = place - float(up @ (place - truth.camera_from_world[:3, 3])) * up
    return {
        "gravity_deg": float(np.degrees(np.arccos(np.clip(table.normal @ up, -1.0, 1.0)))),
        "table_mm": 1e3 * abs(float(table.heights(foot))),
    }


def _summary(name: str, values: Array) -> dict[str, float]:
    if len(values) == 0:
        return {}
    return {f"{name}_median": float(np.median(values)), f"{name}_max": float(values.max())}
