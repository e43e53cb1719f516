"""Rotations, rigid transforms, pinhole projection, rigid alignment. Imports no other room of the package."""

from dexman_pose.geometry.align import kabsch, umeyama
from dexman_pose.geometry.se3 import (
    hat,
    interpolate,
    inverse,
    matrix_from_quaternion,
    orthonormalize,
    quaternion_from_matrix,
    rotation_angle,
    se3,
    se3_exp,
    se3_log,
    so3_exp,
    so3_left_jacobian,
    so3_log,
    transform_points,
)
from dexman_pose.geometry.symmetry import Axis, SymmetryGroup
from dexman_pose.geometry.symmetry_generation import generate_symmetry, symmetry_from_bop

__all__ = [
    "Axis",
    "SymmetryGroup",
    "generate_symmetry",
    "hat",
    "interpolate",
    "inverse",
    "kabsch",
    "matrix_from_quaternion",
    "orthonormalize",
    "quaternion_from_matrix",
    "rotation_angle",
    "se3",
    "se3_exp",
    "se3_log",
    "so3_exp",
    "so3_left_jacobian",
    "so3_log",
    "symmetry_from_bop",
    "transform_points",
    "umeyama",
]
