"""The symmetry of a mesh object, detected once."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from weakref import WeakValueDictionary, finalize

from dexman_pose.data import Mesh
from dexman_pose.geometry.symmetry import SymmetryGroup

_known: dict[tuple[int, int, bool], SymmetryGroup] = {}
_meshes: WeakValueDictionary[tuple[int, int, bool], object] = WeakValueDictionary()


def detect_symmetry(mesh: Mesh, *, use_color: bool) -> SymmetryGroup:
    """As :func:`dexman_pose.symmetry.detect.detect_symmetry`, imported when a symmetry is not known yet.

    That of the shape, which comes with that of the colours, is kept too.
    """
    from dexman_pose.symmetry import detect

    if not use_color:
        return detect.detect_symmetry(mesh, use_color=False)
    shape, full = detect.detect_symmetries(mesh)
    _keep(mesh, mesh.vertices, False, shape)
    return full


def symmetry_ahead(mesh: Mesh) -> Callable[[], SymmetryGroup]:
    """Begin to detect the symmetry of a mesh in another thread.

    Returns:
        A function that waits for it: what :func:`symmetry_of` gives, or the error it raises.
    """
    if _is_known(mesh, mesh, True):
        return lambda: symmetry_of(mesh)
    pool = ThreadPoolExecutor(1, thread_name_prefix="dexman-symmetry")
    found = pool.submit(symmetry_of, mesh)
    pool.shutdown(wait=False)
    return found.result


def symmetry_of(mesh: Mesh) -> SymmetryGroup:
    """The symmetry group of a mesh, by shape and colour. Told by identity: do not write into a mesh's arrays."""
    return _detected(mesh, mesh, True)


def shape_symmetry_of(mesh: Mesh) -> SymmetryGroup:
    """The symmetry group of a mesh's shape, whatever its colours: the same for all meshes that share their arrays."""
    return _detected(mesh, mesh.vertices, False)


def _detected(mesh: Mesh, owner: object, use_color: bool) -> SymmetryGroup:
    """The group kept as long as ``owner`` lives."""
    if not _is_known(mesh, owner, use_color):
        _keep(mesh, owner, use_color, detect_symmetry(mesh, use_color=use_color))
    return _known[id(owner), id(mesh.faces), use_color]


def _keep(mesh: Mesh, owner: object, use_color: bool, group: SymmetryGroup) -> None:
    if not _is_known(mesh, owner, use_color):
        key = (id(owner), id(mesh.faces), use_color)
        _known[key] = group
        _meshes[key] = owner
        finalize(owner, _known.pop, key, None)


def _is_known(mesh: Mesh, owner: object, use_color: bool) -> bool:
    return _meshes.get((id(owner), id(mesh.faces), use_color)) is owner
