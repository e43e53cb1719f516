"""The central types, video reading, and the trajectory file. Imports only geometry."""

from dexman_pose.data.camera import Camera
from dexman_pose.data.camera_file import load_camera, parse_k
from dexman_pose.data.clip import Clip
from dexman_pose.data.depth import DepthSequence
from dexman_pose.data.depth_align import align_depth
from dexman_pose.data.doubt import Doubt
from dexman_pose.data.evidence import Evidence
from dexman_pose.data.lenses.models import Lens
from dexman_pose.data.live import LiveSource
from dexman_pose.data.masks import BACKGROUND, OCCLUDER, MaskSequence
from dexman_pose.data.mesh import Mesh, MeshUnit
from dexman_pose.data.prompts import ObjectPrompt
from dexman_pose.data.tracks import (
    JOINT_NAMES,
    JOINT_PARENTS,
    Contacts,
    HandObservations,
    HandTrack,
    PoseTrack,
    RigidObject,
)
from dexman_pose.data.trajectory import Trajectory
from dexman_pose.data.world.table import TablePlane

__all__ = [
    "BACKGROUND",
    "JOINT_NAMES",
    "JOINT_PARENTS",
    "OCCLUDER",
    "Camera",
    "Clip",
    "Contacts",
    "DepthSequence",
    "Doubt",
    "Evidence",
    "HandObservations",
    "HandTrack",
    "Lens",
    "LiveSource",
    "MaskSequence",
    "Mesh",
    "MeshUnit",
    "ObjectPrompt",
    "PoseTrack",
    "RigidObject",
    "TablePlane",
    "Trajectory",
    "align_depth",
    "load_camera",
    "parse_k",
]
