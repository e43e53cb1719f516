"""Conventions against what another program computed with MANO's real files: parameters, joints and vertices of a clip.

The files themselves are not here. What parameters, joints and vertices say of each other without them is checked:
order of fingers, rotation vectors, root, translation, tips; and fits to these joints find root and translation.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from dexman_pose.arrays import Array
from dexman_pose.geometry import rotation_angle, so3_exp
from dexman_pose.hands.mano.file import ManoFile, mano_from
from dexman_pose.hands.mano.fit import ManoCoding, fit_mano
from dexman_pose.hands.mano.layout import BONES_IN_FILE, JOINTS_IN_FILE, TIPS
from dexman_pose.hands.model.skeleton import BONE_JOINTS
from dexman_pose.synthetic.tiny_datasets.mano import mano_entries

pytestmark = pytest.mark.data
TIP_JOINTS = [4, 8, 12, 16, 20]


@dataclass(frozen=True)
class _Hand:
    """A side of the clip: root (T, 3), angles (T, 45), translation (T, 3), joints (T, 21, 3), vertices (T, 778, 3)."""

    side: str
    root: Array
    angles: Array
    translation: Array
    joints: Array
    vertices: Array


@pytest.fixture(params=["right", "left"])
def real(request: pytest.FixtureRequest, data_dir: Path) -> _Hand:
    side = str(request.param)
    with np.load(data_dir / "clips" / "whisking" / "all_hand_meshes.npz") as arrays:
        valid = arrays[f"{side}_valid"]
        names = ("rot", "hand_pose", "trans", "joints", "vertices")
        return _Hand(side, *(arrays[f"{side}_{name}"][valid].astype(np.float64) for name in names))


def _bones(real: _Hand) -> tuple[Array, Array]:
    """From each finger joint to the next (T, 15, 3), and from the wrist to each first joint (T, 5, 3), at rest."""
    palm = so3_exp(real.root)
    local = so3_exp(real.angles.reshape(-1, 15, 3)[:, list(BONES_IN_FILE)])
    turns = [palm]
    for bone in range(15):
        turns.append(turns[0 if bone % 3 == 0 else bone] @ local[:, bone])
    at = np.array(BONE_JOINTS)
    along = real.joints[:, at + 1] - real.joints[:, at]
    back = np.swapaxes(np.stack(turns[1:], 1), -1, -2)
    first = real.joints[:, at[::3]] - real.joints[:, :1]
    return (back @ along[..., None])[..., 0], (np.swapaxes(palm, -1, -2)[:, None] @ first[..., None])[..., 0]


def test_bones_are_rigid_by_our_order_and_rotations(real: _Hand) -> None:
    """Turned back by the pose, every bone is the same in all frames, up to what the shape changes in this clip."""
    bones, palm = _bones(real)
    assert bones.std(0).max() < 0.0012 and palm.std(0).max() < 0.002


def test_tips_are_the_vertices_of_their_library(real: _Hand) -> None:
    tips = real.joints[:, TIP_JOINTS]
    off = {n: np.linalg.norm(tips - real.vertices[:, list(v)], axis=-1).max() for n, v in TIPS.items()}
    assert off["smplx"] == 0.0 and all(0.001 < off[name] < 0.01 for name in off if name != "smplx")


def test_the_root_turns_about_the_wrist(real: _Hand) -> None:
    """The wrist lies off the translation by its place in the template, however the hand is turned."""
    off = real.joints[:, 0] - real.translation
    assert off.std(0).max() < 0.002
    sign = 1.0 if real.side == "right" else -1.0
    np.testing.assert_allclose(off.mean(0), [0.0957 * sign, 0.0064, 0.0062], atol=0.003)


def _like(real: _Hand) -> ManoFile:
    """A file whose joints at rest are those of the clip's hand, everything else made up."""
    bones, palm = (part.mean(0) for part in _bones(real))
    joints = np.zeros((21, 3))
    joints[0] = (real.joints[:, 0] - real.translation).mean(0)
    for bone, joint in enumerate(BONE_JOINTS):
        if bone % 3 == 0:
            joints[joint] = joints[0] + palm[bone // 3]
        joints[joint + 1] = joints[joint] + bones[bone]
    entries = mano_entries(real.side)
    template = entries["v_template"].copy()
    regressor = entries["J_regressor"]
    for ours, theirs in zip([0, *BONE_JOINTS], JOINTS_IN_FILE):
        template[regressor[theirs] > 0] += joints[ours] - regressor[theirs] @ template
    template[list(TIPS["smplx"])] = joints[TIP_JOINTS]
    return mano_from({**entries, "v_template": template, "posedirs": 0.0 * entries["posedirs"]}, "like")


def test_fits_find_root_and_translation(real: _Hand) -> None:
    """As the other program had them; how bones turn about themselves is not compared, for joints do not show it."""
    file = _like(real)
    fit = fit_mano(real.joints, file, coding=ManoCoding(center_joint=None))
    assert np.median(fit.errors(real.joints)) < 0.001 and fit.errors(real.joints).max() < 0.008
    turned = rotation_angle(np.swapaxes(so3_exp(fit.parameters.pose[:, :3]), -1, -2) @ so3_exp(real.root))
    assert np.degrees(np.median(turned)) < 2.0
    assert np.median(np.linalg.norm(fit.parameters.translation - real.translation, axis=1)) < 0.002
