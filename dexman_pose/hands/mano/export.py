"""MANO parameters of a clip in an npz file that says by itself how it is to be read.

Entries, for each side (``left_``, ``right_``) that was fitted: ``pose`` (T, 48, or 3 + components), ``translation``
(T, 3) metres, ``shape`` (10,), ``valid`` (T,), ``joints`` (T, 21, 3) metres of the parameters in the order of
``joint_names``, ``joint_error`` (21,) metres, median distance of these from the joints that they were fitted to, and
``left_tips`` or ``right_tips`` (5,), the vertices taken as fingertips. Beside them ``frame_times`` (T,) seconds,
``joint_names`` (21,), and ``options``, a JSON text: schema, frame, units, and what ``ManoParameters`` says of the
numbers.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dexman_pose.arrays import Array
from dexman_pose.data.files import door, read_arrays, write_npz
from dexman_pose.data.mano import ManoParameters
from dexman_pose.data.tracks import JOINT_NAMES, SIDES
from dexman_pose.errors import InputError
from dexman_pose.hands.mano.fit import ManoFit

SCHEMA = "dexman-pose MANO parameters 1"


def write_mano(
    path: str | Path, fits: Mapping[str, ManoFit], measured: Mapping[str, Array], frame_times: Array
) -> Path:
    """Write fits of one clip, atomically; returns the path.

    Args:
        path: the .npz file.
        fits: by side, all coded alike.
        measured: (T, 21, 3) joints that each was fitted to, in the frame of its parameters.
        frame_times: (T,) seconds.

    Raises:
        InputError: no fit, or the place cannot be written to.
    """
    if not fits:
        raise InputError("there is no hand to write")
    arrays: dict[str, Any] = {
        "frame_times": np.asarray(frame_times, np.float64),
        "joint_names": np.array(JOINT_NAMES),
        "options": np.array(json.dumps(_options(fits))),
    }
    for side, fit in fits.items():
        p = fit.parameters
        entries = {
            "pose": p.pose,
            "translation": p.translation,
            "shape": p.shape,
            "valid": p.valid,
            "joints": fit.joints,
            "joint_error": joint_error(fit, measured[side]),
            "tips": np.array(fit.hand.tips),
        }
        arrays.update({f"{side}_{name}": value for name, value in entries.items()})
    return write_npz(path, arrays)


def joint_error(fit: ManoFit, measured: Array) -> Array:
    """(21,) metres: median distance of each fitted joint from the measured one, over valid frames."""
    out: Array = np.median(fit.errors(measured), axis=0)
    return out


def read_mano(path: str | Path) -> dict[str, ManoParameters]:
    """The parameters by side in a file that :func:`write_mano` wrote.

    Raises:
        InputError: no such file, damaged, or another kind of file.
    """
    path = Path(path)
    arrays = read_arrays(path)
    with door(path, "a file of MANO parameters"):
        options = json.loads(str(arrays["options"][()])) if "options" in arrays else {}
        if not isinstance(options, dict) or options.get("schema") != SCHEMA:
            raise InputError(f"{path} is no file of MANO parameters written by this package")
        return {side: _parameters(side, arrays, options) for side in SIDES if f"{side}_pose" in arrays}


def _options(fits: Mapping[str, ManoFit]) -> dict[str, Any]:
    p = next(iter(fits.values())).parameters
    return {
        "schema": SCHEMA,
        "frame": p.frame,
        "units": "metres, radians",
        "pose": "root rotation vector, then the fingers in MANO's order",
        "fingers": "coefficients of hands_components" if p.pca else "rotation vectors",
        "pca": p.pca,
        "flat_hand_mean": p.flat_hand_mean,
        "center_joint": p.center_joint,
        "left_fixed": p.left_fixed,
    }


def _parameters(side: str, arrays: Mapping[str, NDArray[Any]], options: Mapping[str, Any]) -> ManoParameters:
    return ManoParameters(
        side,
        arrays[f"{side}_pose"],
        arrays[f"{side}_translation"],
        arrays[f"{side}_shape"],
        arrays[f"{side}_valid"],
        frame=options["frame"],
        flat_hand_mean=options["flat_hand_mean"],
        center_joint=options["center_joint"],
        left_fixed=options["left_fixed"],
        pca=options["pca"],
    )
