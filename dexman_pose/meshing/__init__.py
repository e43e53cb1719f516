"""Meshes: loading the user's, making one from silhouettes, colouring it from the frames."""

from typing import TYPE_CHECKING

from dexman_pose._lazy import lazy_names

if TYPE_CHECKING:
    from dexman_pose.meshing.convert import as_mesh, from_trimesh
    from dexman_pose.meshing.load import load_mesh, load_mesh_with_unit
    from dexman_pose.meshing.silhouette import shape_from_mask

__all__ = ["as_mesh", "from_trimesh", "load_mesh", "load_mesh_with_unit", "shape_from_mask"]

__getattr__, __dir__ = lazy_names(
    __name__,
    dict.fromkeys(("as_mesh", "from_trimesh"), "dexman_pose.meshing.convert")
    | dict.fromkeys(("load_mesh", "load_mesh_with_unit"), "dexman_pose.meshing.load")
    | {"shape_from_mask": "dexman_pose.meshing.silhouette"},
)
