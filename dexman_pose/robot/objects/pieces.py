"""A mesh as convex pieces, for a simulator that collides nothing else: holes and handles stay open."""

from __future__ import annotations

import hashlib
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import ConvexHull, QhullError, cKDTree

from dexman_pose.arrays import Array
from dexman_pose.data import Mesh
from dexman_pose.data.files import read_arrays, write_npz
from dexman_pose.errors import InputError, MeshError, MissingExtraError
from dexman_pose.geometry.clustering import clustered
from dexman_pose.robot.engine import EXTRA

CACHE_VARIABLE = "DEXMAN_PIECES"
_FORMAT = 1  # of the cached files; raised when pieces are made in another way


@dataclass(frozen=True)
class PieceOptions:
    """How a mesh is cut.

    Attributes:
        concavity: share of the mesh's size that a piece may bulge over the surface.
        most: pieces.
        enough: faces above which the mesh is simplified first; cutting takes time that grows with them.
        cells: grids tried for that, in cells along the longest side, the finest first.
        corners: most corners of a piece; many cost time in every step of a simulation.
        convex: share of the size: a mesh whose hull is nowhere farther from it than this is one piece;
        shallow: or than this, metres: no fingertip gets into it, the rim of a tin say,
        small: as long as that is less than this share of the size.
        samples: points of the surface by which that is judged.
        rounds: how long every cut is searched for.
        seed: of that search.
        hull_only: one piece, the convex hull, whatever the mesh: holes and handles are filled.
    """

    concavity: float = 0.05
    most: int = 16
    enough: int = 2000
    cells: tuple[int, ...] = (64, 48, 36, 28, 24, 20, 16)
    corners: int = 64
    convex: float = 0.025
    shallow: float = 0.005
    small: float = 0.06
    samples: int = 20000
    rounds: int = 80
    seed: int = 0
    hull_only: bool = False


def convex_pieces(
    mesh: Mesh, options: PieceOptions | None = None, cache: str | Path | None = None
) -> tuple[Array, ...]:
    """Cut a mesh into convex pieces.

    A mesh that is nearly convex is its hull. Others are cut by CoACD (Wei et al., 2022), and kept by the mesh's hash.

    Args:
        mesh: of an object, metres.
        options: how it is cut.
        cache: folder of pieces that were made before; ``DEXMAN_PIECES`` or ``~/.cache/dexman_pose/pieces`` where None.

    Returns:
        Corners (N, 3) of each piece, metres, the mesh's frame.

    Raises:
        MeshError: it is flat, or a line.
        MissingExtraError: it is not convex, and the package ``coacd`` is not installed; the message holds the command.
    """
    o = options or PieceOptions()
    hull = _hull(mesh.vertices[np.unique(mesh.faces)], o.corners)
    if o.hull_only or _is_convex(mesh, o):
        return (hull,)
    file = _folder(cache) / f"{_key(mesh, o)}.npz"
    if file.is_file():
        kept = _read(file)
        if kept:
            return kept
    pieces = _cut(mesh, o)
    write_npz(file, {f"piece_{i:03d}": piece for i, piece in enumerate(pieces)})
    return pieces


def _folder(cache: str | Path | None) -> Path:
    named = os.environ.get(CACHE_VARIABLE)
    if cache is not None or named:
        return Path(cache if cache is not None else str(named)).expanduser()
    return Path.home() / ".cache" / "dexman_pose" / "pieces"


def _read(file: Path) -> tuple[Array, ...]:
    """Pieces kept before; none where the file is damaged, which is then made anew."""
    try:
        stored = read_arrays(file)
    except InputError:
        return ()
    pieces = tuple(np.asarray(stored[name], np.float64) for name in sorted(stored))
    return pieces if all(p.ndim == 2 and p.shape[1] == 3 and np.isfinite(p).all() for p in pieces) else ()


def _key(mesh: Mesh, o: PieceOptions) -> str:
    text = hashlib.sha256()
    text.update(np.ascontiguousarray(mesh.vertices, np.float64).tobytes())
    text.update(np.ascontiguousarray(mesh.faces, np.int32).tobytes())
    text.update(repr((_FORMAT, sorted(asdict(o).items()))).encode())
    return text.hexdigest()[:32]


def _hull(points: Array, corners: int) -> Array:
    """Corners of the convex hull of points (N, 3); of many the farthest apart."""
    try:
        found: Array = points[ConvexHull(points).vertices]
    except QhullError as error:
        raise MeshError(
            f"a mesh of {len(points)} vertices has no volume: it is flat, or a line; a solid object is needed"
        ) from error
    return found if len(found) <= corners else found[_spread(found, corners)]


def _spread(points: Array, count: int) -> NDArray[np.intp]:
    """Indices of ``count`` points, each the farthest from those before it."""
    chosen = [int(np.argmax(np.linalg.norm(points - points.mean(0), axis=1)))]
    far = np.linalg.norm(points - points[chosen[0]], axis=1)
    for _ in range(count - 1):
        chosen.append(int(np.argmax(far)))
        far = np.minimum(far, np.linalg.norm(points - points[chosen[-1]], axis=1))
    return np.array(chosen)


def _is_convex(mesh: Mesh, o: PieceOptions) -> bool:
    """Whether the surface is near the whole hull: no hole, no handle, no bend."""
    used = mesh.vertices[np.unique(mesh.faces)]
    hull = ConvexHull(used)
    rng = np.random.default_rng(o.seed)
    on_hull = _sampled(used, hull.simplices, o.samples // 10, rng)
    on_mesh = _sampled(mesh.vertices, mesh.faces, o.samples, rng)
    distance, _ = cKDTree(on_mesh).query(on_hull)
    size = float(np.linalg.norm(mesh.extents))
    return bool(distance.max() < max(o.convex * size, min(o.shallow, o.small * size)))


def _sampled(vertices: Array, faces: NDArray[np.int32], count: int, rng: np.random.Generator) -> Array:
    """(count, 3) points on the faces, evenly by area."""
    a, b, c = np.moveaxis(vertices[faces], 1, 0)
    area = np.linalg.norm(np.cross(b - a, c - a), axis=1)
    at = rng.choice(len(faces), count, p=area / area.sum())
    u, v = rng.random((2, count, 1))
    over = u + v > 1
    u, v = np.where(over, 1 - u, u), np.where(over, 1 - v, v)
    out: Array = a[at] + u * (b - a)[at] + v * (c - a)[at]
    return out


def _cut(mesh: Mesh, o: PieceOptions) -> tuple[Array, ...]:
    try:
        import coacd
    except ImportError as error:
        raise MissingExtraError(
            "an object that is not convex is cut into convex pieces by the package 'coacd', which cannot be imported "
            f"here ({error}). Install it with: pip install 'dexman-pose[{EXTRA}]'; or ask for the convex hull alone "
            "(hull_only, --hull-only), which fills holes and handles"
        ) from error
    vertices, faces = _fewer(mesh, o)
    coacd.set_log_level("error")
    parts: list[tuple[Any, Any]] = coacd.run_coacd(
        coacd.Mesh(vertices, faces),
        threshold=o.concavity,
        max_convex_hull=o.most,
        mcts_iterations=o.rounds,
        seed=o.seed,
    )
    solid = [_hull_or_none(np.asarray(points, np.float64), o.corners) for points, _ in parts]
    kept = tuple(piece for piece in solid if piece is not None)
    if not kept:
        raise MeshError(
            "no convex pieces could be made of the mesh; repair it, or ask for its hull alone (hull_only)"
        )
    return kept


def _hull_or_none(points: Array, corners: int) -> Array | None:
    try:
        return _hull(points, corners)
    except MeshError:
        return None


def _fewer(mesh: Mesh, o: PieceOptions) -> tuple[Array, NDArray[np.int32]]:
    """The mesh with few enough faces to be cut in time."""
    vertices, faces = mesh.vertices, mesh.faces
    for cells in o.cells:
        if len(faces) <= o.enough:
            break
        coarse = clustered(mesh.vertices, mesh.faces, cells)
        if coarse is not None:
            vertices, faces = coarse
    return vertices, faces
