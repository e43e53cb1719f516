"""A trajectory as the dictionaries of demonstrations that DexMachina reads, one per object.

Names, shapes and frames by reading their public code (``envs/demo_data.py``, ``retargeting``, July 2025): a
dictionary saved with ``numpy.save``, loaded there with ``allow_pickle=True``; a run here never loads one.
"""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np

from dexman_pose.arrays import Array
from dexman_pose.data import Trajectory
from dexman_pose.data.files import make_folder, write_bytes
from dexman_pose.data.meshes.obj import write_obj
from dexman_pose.data.tracks import SIDES
from dexman_pose.errors import InputError
from dexman_pose.exports.scene import (
    continuous_quaternions,
    plain_names,
    stands_on_table,
    world_from_object,
    world_joints,
)
from dexman_pose.geometry import so3_log, transform_points
from dexman_pose.hands.mano.layout import MANO_ORDER

PART = 2
"""Of contacts: 1 is the top and 2 the bottom of their articulated objects; a rigid one is all bottom."""

MOST_CONTACTS = 50
"""Rows for contacts in a frame."""

LINKS: tuple[tuple[str, tuple[int, ...]], ...] = (
    ("palm", (0, 1, 5, 9, 13, 17)),
    *(
        (f"{finger}{bone + 1}", (first + bone, first + bone + 1))
        for finger, first in (("thumb", 1), ("index", 5), ("middle", 9), ("ring", 13), ("pinky", 17))
        for bone in range(3)
    ),
)
"""Their 16 links of a hand and the joints each lies between, by index into our ``JOINT_NAMES``."""


def write_dexmachina(trajectory: Trajectory, path: Path) -> Path:
    """Write ``OBJECT_use_01.npy`` and ``OBJECT.obj`` for every object; returns the folder.

    ``params``: ``obj_trans`` (T, 3), ``obj_quat`` (T, 4) wxyz, ``obj_rot`` (T, 3) rotation vectors, ``obj_arti`` (T,)
    zeros, which a rigid object has. ``world_coord``: ``joints.SIDE`` (T, 21, 3) in MANO's order, ``contacts.SIDE``
    (T, 50, 4) places on the object and the part touched, ``valid_contacts.SIDE``, ``contact_links_SIDE`` (T, 16, 4),
    zeros where a link touches nothing. World frame, z up, metres. A hand that is not there is zeros.

    Raises:
        InputError: no object, or no table and so no gravity.
    """
    if not trajectory.objects:
        raise InputError("DexMachina needs an object, but the trajectory has none")
    if not stands_on_table(trajectory):
        raise InputError("DexMachina needs gravity, but the trajectory has no table; docs/world.md says why")
    make_folder(path)
    names = plain_names(trajectory.objects)
    for name, obj in trajectory.objects.items():
        write_obj(path / f"{names[name]}.obj", obj.mesh)
        poses = world_from_object(trajectory, name)
        content = {
            "params": _params(poses),
            "world_coord": _contacts(trajectory, name, poses),
            "frame_times": trajectory.frame_times,
            "valid": obj.valid,
        }
        stream = io.BytesIO()
        np.save(stream, np.array(content, dtype=object), allow_pickle=True)
        write_bytes(path / f"{names[name]}_use_01.npy", stream.getvalue())
    return path


def _params(poses: Array) -> dict[str, Array]:
    return {
        "obj_trans": poses[:, :3, 3],
        "obj_quat": continuous_quaternions(poses[:, :3, :3]),
        "obj_rot": so3_log(poses[:, :3, :3]),
        "obj_arti": np.zeros(len(poses)),
    }


def _contacts(trajectory: Trajectory, name: str, poses: Array) -> dict[str, Any]:
    n, contacts = trajectory.num_frames, trajectory.contacts
    out: dict[str, Any] = {"contact_threshold": np.array(contacts.threshold_on if contacts else 0.0)}
    for side in SIDES:
        there = side in trajectory.hands
        joints = world_joints(trajectory, side) if there else np.zeros((n, 21, 3))
        points, valid, links = (
            np.zeros((n, MOST_CONTACTS, 4)),
            np.zeros((n, MOST_CONTACTS), bool),
            np.zeros((n, 16, 4)),
        )
        if contacts is not None and (side, name) in contacts.pairs:
            row = contacts.pairs.index((side, name))
            touching = contacts.touching[row] & contacts.valid[row][:, None]
            places = transform_points(poses, contacts.nearest[row])
            for frame in np.flatnonzero(touching.any(1)):
                _fill(points[frame], valid[frame], links[frame], touching[frame], places[frame])
        out |= {
            f"joints.{side}": joints[:, list(_TO_MANO)],
            f"contacts.{side}": points,
            f"valid_contacts.{side}": valid,
            f"contact_links_{side}": links,
        }
    return out


_TO_MANO: tuple[int, ...] = tuple(int(i) for i in np.argsort(MANO_ORDER))
"""Our joint at each place of MANO's order."""


def _fill(points: Array, valid: Array, links: Array, touching: Array, places: Array) -> None:
    """Put the contacts of one frame into its rows."""
    found = places[touching]
    points[: len(found), :3], points[: len(found), 3] = found, PART
    valid[: len(found)] = True
    for row, (_, joints) in enumerate(LINKS):
        # A joint belongs to the link that ends in it; the palm owns its own.
        own = [j for j in (joints if row == 0 else joints[1:]) if touching[j]]
        if own:
            links[row, :3], links[row, 3] = places[own].mean(0), PART
