"""The symmetry of a mesh object, detected once."""

from __future__ import annotations

from weakref import WeakValueDictionary, finalize

from dexman_pose.data import Mesh
from dexman_pose.geometry.symmetry import SymmetryGroup
from dexman_pose.pose.symmetry import detect_symmetry

_known: dict[int, SymmetryGroup] = {}
_meshes: WeakValueDictionary[int, Mesh] = WeakValueDictionary()


def symmetry_of(mesh: Mesh) -> SymmetryGroup:
    """The symmetry group of a mesh, by shape and colour. Told by identity: do not write into a mesh's arrays."""
    key = id(mesh)
    if _meshes.get(key) is not mesh:
        group = detect_symmetry(mesh)
        _known[key] = group
        _meshes[key] = mesh
        finalize(mesh, _known.pop, key, None)
    return _known[key]
