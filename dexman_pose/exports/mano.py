"""The hands of a trajectory as MANO parameters, by fit to their joints with the user's own MANO files."""

from __future__ import annotations

from logging import getLogger
from pathlib import Path

import numpy as np

from dexman_pose.data import Trajectory
from dexman_pose.errors import InputError
from dexman_pose.geometry import transform_points
from dexman_pose.hands.mano.export import write_mano
from dexman_pose.hands.mano.file import load_mano
from dexman_pose.hands.mano.fit import ManoFit, fit_mano

log = getLogger(__name__)


def write_mano_fit(
    trajectory: Trajectory,
    path: Path,
    *,
    mano_right: str | Path | None = None,
    mano_left: str | Path | None = None,
) -> Path:
    """Fit MANO to the joints of each hand that a file is given for and write the parameters; returns the path.

    World frame. The file is that of ``dexman-pose mano``, which has more options; how far its joints are off
    stands in ``right_joint_error`` (21,) metres.

    Args:
        trajectory: with hands.
        path: the ``.npz``.
        mano_right: MANO_RIGHT.pkl or a copy; not part of this package.
        mano_left: MANO_LEFT.pkl or a copy.

    Raises:
        InputError: no MANO file, or no hand that one was given for.
    """
    files = {side: file for side, file in (("left", mano_left), ("right", mano_right)) if file is not None}
    if not files:
        raise InputError(
            "hands become MANO parameters by a fit that needs your own MANO files: give mano_right (MANO_RIGHT.pkl), "
            "mano_left (MANO_LEFT.pkl) or both; they come from https://mano.is.tue.mpg.de under their own licence"
        )
    joints = {
        side: transform_points(trajectory.world_from_camera, hand.joints)
        for side, hand in trajectory.hands.items()
    }
    fits: dict[str, ManoFit] = {}
    for side, file in files.items():
        if side in joints and trajectory.hands[side].valid.any():
            model = load_mano(file, side)
            fits[side] = fit_mano(joints[side], model, trajectory.hands[side].valid, frame="world")
            errors = fits[side].errors(joints[side])
            log.info("%s hand: joints of MANO %.1f mm off (median)", side, 1000.0 * float(np.median(errors)))
    if not fits:
        seen = ", ".join(trajectory.hands) or "none"
        raise InputError(
            f"no hand that a MANO file was given for ({', '.join(files)}) is there; there are: {seen}"
        )
    return write_mano(path, fits, joints, trajectory.frame_times)
