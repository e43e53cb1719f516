"""MANO's numbering against names."""

from __future__ import annotations

import numpy as np

from dexman_pose.data.tracks import JOINT_NAMES, JOINT_PARENTS
from dexman_pose.hands.mano.layout import BONES_IN_FILE, JOINTS_IN_FILE, MANO_ORDER, PARENTS, TIPS
from dexman_pose.hands.model.skeleton import BONE_JOINTS, BONE_NAMES

FINGERS = ("index", "middle", "pinky", "ring", "thumb")


def _names() -> list[str]:
    """Of the 16 joints of the file and the tips after them."""
    out = ["wrist"]
    for finger in FINGERS:
        first = ("cmc", "mcp", "ip") if finger == "thumb" else ("mcp", "pip", "dip")
        out += [f"{finger}_{joint}" for joint in first]
    return out + [f"{finger}_tip" for finger in ("thumb", "index", "middle", "ring", "pinky")]


def test_names_agree() -> None:
    names = _names()
    assert [names[place] for place in MANO_ORDER] == list(JOINT_NAMES)
    assert [names[1 + place] for place in BONES_IN_FILE] == list(BONE_NAMES)
    assert [names[place] for place in JOINTS_IN_FILE] == ["wrist", *BONE_NAMES]


def test_trees_agree() -> None:
    for ours, theirs in zip(BONE_JOINTS, JOINTS_IN_FILE[1:]):
        parent = JOINT_PARENTS[ours]
        at = 0 if parent == 0 else JOINTS_IN_FILE[1 + BONE_JOINTS.index(parent)]
        assert PARENTS[theirs] == at


def test_tips_of_libraries_are_near_each_other_in_number() -> None:
    chosen = np.array(list(TIPS.values()))
    assert (np.ptp(chosen, axis=0) <= 3).all() and len(np.unique(chosen, axis=0)) == len(TIPS)
