"""Hand joints of data sets that give MANO parameters alone, by the user's own MANO files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from dexman_pose.arrays import Array
from dexman_pose.data.mano import ManoParameters
from dexman_pose.errors import InputError
from dexman_pose.hands.mano.file import ManoFile, load_mano_folder
from dexman_pose.hands.mano.parameters import parameter_joints


@dataclass(frozen=True)
class ManoModels:
    """The user's MANO files and what a data set does not say.

    Attributes:
        files: by side, one or both.
        left_fixed: whether left hands were fitted with mended shape directions; None: not known, and left hands of a
            shape other than the mean get no joints.
        tips: which vertices are fingertips, see :data:`~dexman_pose.hands.mano.layout.TIPS`.
    """

    files: Mapping[str, ManoFile]
    left_fixed: bool | None = None
    tips: str | Sequence[int] = "manopth"

    @classmethod
    def of(cls, given: ManoModels | str | Path | None) -> ManoModels | None:
        """Models as they are, or those of a folder.

        Raises:
            InputError: the folder holds none, or one that cannot be read.
        """
        return given if given is None or isinstance(given, ManoModels) else cls(load_mano_folder(given))


def joints_from_mano(
    parameters: Mapping[str, ManoParameters], models: ManoModels, notes: list[str]
) -> dict[str, Array]:
    """The 21 joints (T, 21, 3) by side, metres, in the frame of the parameters.

    Args:
        parameters: by side.
        models: the files; sides without one are left out.
        notes: gets a sentence for every side: where its joints are from, or why it has none.
    """
    out = {}
    for side, p in parameters.items():
        file = models.files.get(side)
        try:
            if file is None:
                raise InputError(f"there is no MANO_{side.upper()}.pkl")
            out[side] = parameter_joints(p, file, tips=models.tips, left_fixed=models.left_fixed)
            notes.append(f"{side} hand: joints are made of its MANO parameters by {file.path}")
        except InputError as error:
            notes.append(f"{side} hand: no joints: {error}")
    return out
