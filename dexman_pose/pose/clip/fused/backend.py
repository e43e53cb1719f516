"""Mesh backend ``depth``: the object's shape from the depth images of the clip."""

from __future__ import annotations

from dexman_pose.errors import InputError
from dexman_pose.meshing.generated.request import MadeMesh, MeshRequest
from dexman_pose.pose.clip.fused.mesh import mesh_from_depth


def make_of_depth(request: MeshRequest, fusion: str = "own") -> MadeMesh:
    """Make a mesh of an object from the depth of the clip.

    Args:
        request: the object.
        fusion: what fuses depth images, ``"own"`` or ``"open3d"``.

    Raises:
        InputError: there is no depth.
        MissingExtraError: Open3D was asked for and is not installed.
        EstimationError: too few frames have depth on the object or can be laid onto each other.
    """
    if request.depth is None:
        raise InputError("the mesh backend 'depth' needs depth images: --depth, or depth=")
    made = mesh_from_depth(
        request.clip,
        request.masks,
        request.camera,
        request.depth,
        name=request.name,
        fusion=fusion,
    )
    hidden = {
        "box": "what no camera saw of it is that of a box",
        "fused": "what no camera saw of it is the most that outlines allow",
    }[made.kind]
    return MadeMesh(made.mesh, metric=True, notes=(f"its mesh was made of depth images; {hidden}",))


def make_by_open3d(request: MeshRequest) -> MadeMesh:
    """The same, with depth images fused by Open3D."""
    return make_of_depth(request, "open3d")
