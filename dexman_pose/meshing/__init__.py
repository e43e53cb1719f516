"""Meshes: loading the user's, making one from silhouettes, colouring it from the frames."""

from dexman_pose.meshing.convert import as_mesh, from_trimesh
from dexman_pose.meshing.load import load_mesh, load_mesh_with_unit
from dexman_pose.meshing.silhouette import shape_from_mask

__all__ = ["as_mesh", "from_trimesh", "load_mesh", "load_mesh_with_unit", "shape_from_mask"]
