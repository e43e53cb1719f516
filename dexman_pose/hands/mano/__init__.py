"""MANO from the user's own file: the hand, its parameters, and fits of them to joints."""

from typing import TYPE_CHECKING

from dexman_pose._lazy import lazy_names

if TYPE_CHECKING:
    from dexman_pose.data.mano import ManoParameters
    from dexman_pose.hands.mano.file import ManoFile, load_mano, load_mano_folder
    from dexman_pose.hands.mano.fit import ManoCoding, ManoFit, fit_mano, fit_mano_track
    from dexman_pose.hands.mano.hand import ManoHand
    from dexman_pose.hands.mano.layout import TIPS
    from dexman_pose.hands.mano.parameters import parameter_joints, parameter_mesh, parameter_vertices
    from dexman_pose.hands.mano.system import ManoFitOptions

__all__ = [
    "TIPS",
    "ManoCoding",
    "ManoFile",
    "ManoFit",
    "ManoFitOptions",
    "ManoHand",
    "ManoParameters",
    "fit_mano",
    "fit_mano_track",
    "load_mano",
    "load_mano_folder",
    "parameter_joints",
    "parameter_mesh",
    "parameter_vertices",
]

__getattr__, __dir__ = lazy_names(
    __name__,
    {
        "ManoCoding": "dexman_pose.hands.mano.fit",
        "ManoFile": "dexman_pose.hands.mano.file",
        "ManoFit": "dexman_pose.hands.mano.fit",
        "ManoFitOptions": "dexman_pose.hands.mano.system",
        "ManoHand": "dexman_pose.hands.mano.hand",
        "ManoParameters": "dexman_pose.data.mano",
        "TIPS": "dexman_pose.hands.mano.layout",
        "fit_mano": "dexman_pose.hands.mano.fit",
        "fit_mano_track": "dexman_pose.hands.mano.fit",
        "load_mano": "dexman_pose.hands.mano.file",
        "load_mano_folder": "dexman_pose.hands.mano.file",
        "parameter_joints": "dexman_pose.hands.mano.parameters",
        "parameter_mesh": "dexman_pose.hands.mano.parameters",
        "parameter_vertices": "dexman_pose.hands.mano.parameters",
    },
)
