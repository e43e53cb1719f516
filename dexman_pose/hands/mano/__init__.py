"""MANO from the user's own file: the hand, its parameters, and fits of them to joints."""

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
