"""The symmetry of a mesh object, detected once."""

from __future__ import annotations

from weakref import WeakValueDictionary, finalize

from dexman_pose.data import Mesh
from dexman_pose.geometry.symmetry import SymmetryGroup
from dexman_pose.pose.symmetry import detect_symmetry

_known: dict[tuple[int, bool], SymmetryGroup] = {}
_meshes: WeakValueDictionary[tuple[int, bool], Mesh] = WeakValueDictionary()


def symmetry_of(mesh: Mesh) -> SymmetryGroup:
    """The symmetry group of a mesh, by shape and colour. Told by identity: do not write into a mesh's arrays."""
    return _detected(mesh, True)


def shape_symmetry_of(mesh: Mesh) -> SymmetryGroup:
    """The symmetry group of a mesh's shape, whatever its colours."""
    return _detected(mesh, False)


def _detected(mesh: Mesh, use_color: bool) -> SymmetryGroup:
    key = (id(mesh), use_color)
    if _meshes.get(key) is not mesh:
        _known[key] = detect_symmetry(mesh, use_color=use_color)
        _meshes[key] = mesh
        finalize(mesh, _known.pop, key, None)
    return _known[key]
