"""The symmetry of a mesh object, detected once."""

from __future__ import annotations

from weakref import WeakValueDictionary, finalize

from dexman_pose.data import Mesh
from dexman_pose.geometry.symmetry import SymmetryGroup
from dexman_pose.symmetry.detect import detect_symmetry

_known: dict[tuple[int, int, bool], SymmetryGroup] = {}
_meshes: WeakValueDictionary[tuple[int, int, bool], object] = WeakValueDictionary()


def symmetry_of(mesh: Mesh) -> SymmetryGroup:
    """The symmetry group of a mesh, by shape and colour. Told by identity: do not write into a mesh's arrays."""
    return _detected(mesh, mesh, True)


def shape_symmetry_of(mesh: Mesh) -> SymmetryGroup:
    """The symmetry group of a mesh's shape, whatever its colours: the same for all meshes that share their arrays."""
    return _detected(mesh, mesh.vertices, False)


def _detected(mesh: Mesh, owner: object, use_color: bool) -> SymmetryGroup:
    """The group kept as long as ``owner`` lives."""
    key = (id(owner), id(mesh.faces), use_color)
    if _meshes.get(key) is not owner:
        _known[key] = detect_symmetry(mesh, use_color=use_color)
        _meshes[key] = owner
        finalize(owner, _known.pop, key, None)
    return _known[key]
