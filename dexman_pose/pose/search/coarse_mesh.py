"""Stand-ins of a mesh for small pictures: as few faces as its outline bears.

Small pictures cost by the face, not by the pixel: a triangle of a fine mesh covers less than one.
"""

from __future__ import annotations

from weakref import WeakKeyDictionary, WeakValueDictionary, finalize

import numpy as np

from dexman_pose.arrays import Mask
from dexman_pose.data import Mesh
from dexman_pose.geometry import se3
from dexman_pose.meshing.simplify import simplified
from dexman_pose.pose.refinement.refiner import PoseRefiner
from dexman_pose.pose.search.options import ROUGH_STAND_IN, STAND_IN, StandInOptions
from dexman_pose.pose.search.viewpoints import rotation_grid
from dexman_pose.render.rasterizer import Rasterizer

_Key = tuple[int, int, StandInOptions]
_known: dict[_Key, Mesh] = {}
_owners: WeakValueDictionary[_Key, object] = WeakValueDictionary()
_REFINERS: WeakKeyDictionary[PoseRefiner, PoseRefiner] = WeakKeyDictionary()


def stand_in(mesh: Mesh, options: StandInOptions = STAND_IN) -> Mesh:
    """The coarsest of several simplifications whose outlines are the mesh's, without its colours.

    Made once for all meshes that share their arrays. Told by identity: do not write into a mesh's arrays.

    Args:
        mesh: any mesh, metres.
        options: which grids are tried, and when outlines are alike.

    Returns:
        The stand-in, or the mesh itself where none is both smaller and alike.
    """
    key = id(mesh.vertices), id(mesh.faces), options
    if _owners.get(key) is not mesh.vertices:
        _known[key] = _coarsest(mesh, options)
        _owners[key] = mesh.vertices
        finalize(mesh.vertices, _known.pop, key, None)
    return _known[key]


def rough_refiner(refiner: PoseRefiner) -> PoseRefiner:
    """A refiner of a stand-in that does for half-size pictures, made once; the refiner itself for a coarse mesh."""
    if refiner not in _REFINERS:
        mesh = refiner.rasterizer.mesh
        made = stand_in(mesh, ROUGH_STAND_IN)
        if len(made.faces) == len(mesh.faces):
            return refiner
        _REFINERS[refiner] = PoseRefiner(Rasterizer(made, refiner.rasterizer.device), refiner.center)
    return _REFINERS[refiner]


def _coarsest(mesh: Mesh, options: StandInOptions) -> Mesh:
    if len(mesh.faces) <= options.enough:
        return mesh
    wanted = _outlines(mesh, mesh, options)
    for cells in options.cells:
        made = simplified(mesh, cells, options.enough)
        if cells == options.cells[-1] or _alike(_outlines(made, mesh, options), wanted, options):
            return made if len(made.faces) < len(mesh.faces) else mesh
    return mesh


def _alike(found: Mask, wanted: Mask, options: StandInOptions) -> bool:
    """Whether outlines (B, h, w) overlap as those of one object."""
    shared = np.count_nonzero(found & wanted, axis=(1, 2))
    union = np.maximum(np.count_nonzero(found | wanted, axis=(1, 2)), 1)
    return float((shared / union).mean()) >= options.alike


def _outlines(drawn: Mesh, mesh: Mesh, options: StandInOptions) -> Mask:
    """(B, side, side) outlines of ``drawn`` from all around, in pictures that hold ``mesh``."""
    rotations, away = rotation_grid(options.views, 1), options.distance * mesh.radius
    poses = se3(rotations, np.array([0.0, 0.0, away]) - rotations @ mesh.center)
    middle = 0.5 * (options.side - 1)
    focal = middle * np.sqrt(away**2 - mesh.radius**2) / mesh.radius
    intrinsics = np.array([[focal, 0.0, middle], [0.0, focal, middle], [0.0, 0.0, 1.0]])
    near = min(options.near, 0.5 * (away - mesh.radius))
    return (
        Rasterizer(drawn).render(poses, intrinsics, options.side, options.side, attributes=(), near=near).mask
    )
