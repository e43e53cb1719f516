"""The group of textured meshes of a folder, each in clutter on a textured ground, with masks that leak."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from dexman_pose.arrays import Array
from dexman_pose.benchmarks.flags.cases import FlagCase
from dexman_pose.benchmarks.flags.mask_defects import boxed, leaked, relabelled
from dexman_pose.benchmarks.flags.options import FlagOptions
from dexman_pose.benchmarks.flags.stress import rng_of
from dexman_pose.data import Camera, Mesh
from dexman_pose.errors import InputError
from dexman_pose.geometry import se3, so3_exp
from dexman_pose.meshing import load_mesh
from dexman_pose.pose import detect_symmetry
from dexman_pose.render import Rasterizer
from dexman_pose.synthetic.scenes.render import Actor, Studio, silhouette_size
from dexman_pose.synthetic.scenes.sensor_noise import noisy_image
from dexman_pose.synthetic.scenes.shape_parts import corner_normals
from dexman_pose.synthetic.scenes.shapes import SHAPES, stress_shape
from dexman_pose.synthetic.scenes.textures import backdrop
from dexman_pose.synthetic.scenes.true_symmetry import TrueSymmetry

MESHES = "meshes"
"""Name of the group."""

_SUFFIXES = (".obj", ".ply")


@dataclass(frozen=True)
class GroundOptions:
    """The pictures: a camera looks down at an object on a ground, with other objects beside it.

    Attributes:
        focal: pixels, of 640x480 pictures.
        nearest: least distance of the camera from the object, metres.
        radius_pixels: largest radius of the object in the picture.
        elevation: degrees above the ground, drawn between the two.
        half: of the ground's side, metres; less than the least distance, so that all of it is before the camera.
        lying: share of the objects that do not stand.
        clutter: other objects on the ground.
        gap: metres between the object and each of them.
        behind: degrees to both sides of the far direction within which they stand, so that they rarely hide it.
        tolerance: of the detection of symmetry, fraction of the diameter; that advised for scans.
        outliers: fraction of the surface that may miss it, the same.
    """

    focal: float = 600.0
    nearest: float = 0.55
    radius_pixels: float = 150.0
    elevation: tuple[float, float] = (15.0, 60.0)
    half: float = 0.45
    lying: float = 0.3
    clutter: int = 3
    gap: float = 0.02
    behind: float = 130.0
    tolerance: float = 0.02
    outliers: float = 0.01


def meshes(options: FlagOptions) -> Iterator[FlagCase]:
    """Every mesh as single pictures: mask exact, a filled box, a leak to one side; the box with depth too."""
    for path in mesh_files(options):
        mesh, name = load_mesh(path), path.parent.name if path.parent != options.meshes else path.stem
        symmetry = scanned_symmetry(mesh)
        for seed in options.all_seeds:
            for kind in ("exact", "box", "side"):
                case = mesh_case(mesh, name, kind, seed, symmetry)
                yield case[0]
                if kind == "box":
                    yield case[1]


def mesh_files(options: FlagOptions) -> list[Path]:
    """A mesh file per mesh: those in the folder, and of each folder in it the first; at most as many as wanted.

    Raises:
        InputError: no folder was given, or it holds no mesh.
    """
    folder = options.meshes
    if folder is None or not folder.is_dir():
        raise InputError(f"the group {MESHES!r} needs a folder of meshes: --meshes was given {folder}")
    found = [p for p in sorted(folder.iterdir()) if p.suffix.lower() in _SUFFIXES]
    for inner in sorted(p for p in folder.iterdir() if p.is_dir()):
        found += [p for p in sorted(inner.iterdir()) if p.suffix.lower() in _SUFFIXES][:1]
    if not found:
        raise InputError(f"no mesh in {folder}: expected OBJ or PLY files, or folders that hold one each")
    step = max(1, len(found) // options.most_meshes)
    return found[::step][: options.most_meshes]


def scanned_symmetry(mesh: Mesh, options: GroundOptions | None = None) -> TrueSymmetry:
    """Symmetry of the mesh's shape and print, detected, for none is declared."""
    options = options or GroundOptions()
    group = detect_symmetry(mesh, tolerance=options.tolerance, outliers=options.outliers)
    axes = np.array([a.direction for a in group.axes]).reshape(-1, 3)
    return TrueSymmetry(group.discrete, axes)


def mesh_case(
    mesh: Mesh, name: str, kind: str, seed: int, symmetry: TrueSymmetry, options: GroundOptions | None = None
) -> tuple[FlagCase, FlagCase]:
    """One picture, without and with depth.

    Args:
        mesh: metres, its z axis up when it stands.
        name: of the mesh.
        kind: of the mask: ``exact``, ``box`` or ``side``.
        seed: other seeds, other grounds, views and neighbours.
        symmetry: of the mesh.
        options: of the picture.
    """
    options, rng = options or GroundOptions(), rng_of(MESHES, name, kind, seed)
    camera = Camera.from_focal(options.focal, 640, 480)
    actor = Actor(Rasterizer(mesh), corner_normals(mesh.vertices, mesh.faces), 1)
    standing = _standing(mesh, rng, options)
    distance = max(options.nearest, mesh.radius * options.focal / options.radius_pixels)
    view = _view(standing[:3, :3] @ mesh.center + standing[:3, 3], distance, rng, options)
    pose = view @ standing
    placed = [(_ground(rng, options), view), (actor, pose)]
    placed += [(other, view @ at) for other, at in _clutter(mesh.radius, rng, options)]
    studio = Studio(camera, int(rng.integers(1 << 30)), distance + 2 * options.half)
    labels, depth = studio.truth(placed)
    mask = labels == 1
    if kind != "exact":
        given = boxed(mask, rng) if kind == "box" else leaked(mask, rng, rng.uniform(0, 2 * np.pi))
        labels = relabelled(labels, given)
    visible = mask.sum() / max(silhouette_size(actor, pose, camera), 1)
    image = noisy_image(studio.draw(placed, 0.0), rng)
    cases = [
        FlagCase(
            MESHES,
            "/".join([name, kind, str(seed), *(("depth",) if z else ())]),
            "picture",
            mesh,
            camera,
            [image],
            [labels],
            pose[None],
            np.array([float(visible)]),
            symmetry,
            depth=z,
        )
        for z in (None, [depth])
    ]
    return cases[0], cases[1]


def _standing(mesh: Mesh, rng: np.random.Generator, options: GroundOptions) -> Array:
    """ground_from_object (4, 4): upright or lying, turned, its lowest point on the ground, above the origin."""
    turn = so3_exp(np.array([0.0, 0.0, rng.uniform(0, 2 * np.pi)]))
    if rng.random() < options.lying:
        turn = (
            turn
            @ so3_exp(np.array([0.5 * np.pi, 0.0, 0.0]))
            @ so3_exp(np.array([0, 0, rng.uniform(0, 6.28)]))
        )
    vertices = mesh.vertices @ turn.T
    middle = turn @ mesh.center
    return se3(turn, np.array([-middle[0], -middle[1], -vertices[:, 2].min()]))


def _view(target: Array, distance: float, rng: np.random.Generator, options: GroundOptions) -> Array:
    """camera_from_ground (4, 4): the camera looks from -y, a little beside the target (3,)."""
    e = np.radians(rng.uniform(*options.elevation))
    forward = np.array([0.0, np.cos(e), -np.sin(e)])
    down = np.array([0.0, -np.sin(e), -np.cos(e)])
    rotation = np.stack([np.cross(down, forward), down, forward])
    middle = np.array([*rng.uniform(-0.06, 0.06, 2), distance])
    return se3(rotation, middle - rotation @ target)


def _ground(rng: np.random.Generator, options: GroundOptions) -> Actor:
    """A textured square, its middle the origin, its normal +z."""
    h = options.half
    corners = np.array([[-h, -h, 0], [h, -h, 0], [h, h, 0], [-h, h, 0]])
    faces = np.array([[0, 1, 2], [0, 2, 3]], np.int32)
    uv = np.array([[0, 0], [1, 0], [1, 1], [0, 1]], np.float32)[faces]
    texture = backdrop(768, 768, int(rng.integers(1 << 30))).astype(np.uint8)
    mesh = Mesh(corners, faces, uv, texture, source="synthetic")
    return Actor(Rasterizer(mesh), corner_normals(corners, faces), 0)


def _clutter(
    radius: float, rng: np.random.Generator, options: GroundOptions
) -> Iterator[tuple[Actor, Array]]:
    """Printed shapes standing beside and behind, with their ground_from_object."""
    sides = np.linspace(-1.0, 1.0, options.clutter) + rng.uniform(-0.2, 0.2, options.clutter)
    for side in sides:
        shape = stress_shape(SHAPES[int(rng.integers(len(SHAPES)))])
        at = _standing(shape.mesh, rng, options)
        away = radius + shape.mesh.radius + options.gap
        angle = np.radians(options.behind) * float(np.clip(side, -1, 1))
        at[:3, 3] += away * np.array([np.sin(angle), np.cos(angle), 0.0])
        yield Actor(Rasterizer(shape.mesh), shape.normals, 0), at
