"""Groups of real single pictures with known poses, each prompted by boxes: a cube of one colour, a can, a bottle."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from dexman_pose.arrays import Array, Bools
from dexman_pose.benchmarks.flags.cases import FlagCase
from dexman_pose.benchmarks.flags.options import FlagOptions
from dexman_pose.benchmarks.real.cache import Cache
from dexman_pose.benchmarks.real.engine import box_around, mask_in_box, outline, read_depth, read_rgb
from dexman_pose.benchmarks.real.scores import rigid
from dexman_pose.benchmarks.real.stills import half_turn, read_m3t_camera
from dexman_pose.data import Camera, Mesh, align_depth
from dexman_pose.errors import InputError
from dexman_pose.meshing import load_mesh
from dexman_pose.render import Rasterizer
from dexman_pose.synthetic.scenes.true_symmetry import TrueSymmetry

CUBE_PICTURES, CAN, BOTTLE = "rbt_cube", "lmo_can", "m3t_bottle"
"""Names of the groups, and of their folders in ``rgbd/``."""


@dataclass(frozen=True)
class BoxOptions:
    """How boxes are drawn around an object.

    Attributes:
        loose: pixels by which the tightest and the loosest box exceed the object; by hand 3 to 8.
        bottle_frame: the bottle's frame whose pose is known.
    """

    loose: tuple[float, float] = (3.0, 8.0)
    bottle_frame: int = 200


@dataclass(frozen=True)
class _Picture:
    """A picture with its truth.

    Attributes:
        name: in the case's name.
        mesh: metres.
        camera: of the colour image.
        image: (H, W, 3) uint8.
        depth: (H, W) float32 metres.
        true: (4, 4) camera_from_object.
        symmetry: of the object.
    """

    name: str
    mesh: Mesh
    camera: Camera
    image: NDArray[np.uint8]
    depth: NDArray[np.float32]
    true: Array
    symmetry: TrueSymmetry = field(default_factory=TrueSymmetry)


def cube_pictures(options: FlagOptions) -> Iterator[FlagCase]:
    """33 views of a cube of one colour, a box each, without and with depth; it looks the same from 24 sides."""
    folder = data_folder(options, "rgbd", CUBE_PICTURES)
    known = json.loads((folder / "poses.json").read_text())
    mesh = load_mesh(folder / "mesh" / "cube.obj")
    rng = np.random.default_rng(0)
    for name, frame in known["frames"].items():
        image = read_rgb(folder / f"color_image_{int(name):04d}.png")
        picture = _Picture(
            name,
            mesh,
            Camera(np.array(known["K"]), image.shape[1], image.shape[0]),
            image,
            read_depth(folder / f"depth_{int(name):04d}.png"),
            rigid(frame["camera_from_object"]),
            TrueSymmetry(_turns(Rotation.create_group("O").as_matrix())),
        )
        yield from _prompted(picture, CUBE_PICTURES, [rng.uniform(*BoxOptions().loose, 4)], options)


def can(options: FlagOptions) -> Iterator[FlagCase]:
    """A watering can in clutter, one picture, several boxes, without and with depth."""
    folder = data_folder(options, "rgbd", CAN)
    image = read_rgb(folder / "rgb.png")
    k = np.array(json.loads((folder / "camera.json").read_text())["cam_K"]).reshape(3, 3)
    picture = _Picture(
        "can",
        load_mesh(folder / "obj_000005.ply"),
        Camera(k, image.shape[1], image.shape[0]),
        image,
        read_depth(folder / "depth.png"),
        rigid(json.loads((folder / "pose.json").read_text())["camera_from_object"]),
    )
    yield from _prompted(picture, CAN, _margins(options), options)


def bottle(options: FlagOptions) -> Iterator[FlagCase]:
    """A bottle without colours, several boxes, without and with the depth of a second camera beside."""
    folder, frame = data_folder(options, "rgbd", BOTTLE), BoxOptions().bottle_frame
    mesh, image = load_mesh(folder / "schauma.obj"), read_rgb(folder / f"color_camera_image_{frame}.png")
    raw = read_depth(folder / f"depth_camera_image_{frame}.png")
    camera, _ = read_m3t_camera(folder / "color_camera.yaml", image.shape[1], image.shape[0])
    sensor, color_from_sensor = read_m3t_camera(folder / "depth_camera.yaml", raw.shape[1], raw.shape[0])
    picture = _Picture(
        str(frame),
        mesh,
        camera,
        image,
        align_depth(raw, sensor, color_from_sensor, camera),
        rigid(json.loads((folder / "pose.json").read_text())["camera_from_object"]),
        TrueSymmetry(_turns(half_turn(mesh)[:, :3, :3])),
    )
    yield from _prompted(picture, BOTTLE, _margins(options), options)


def data_folder(options: FlagOptions, *names: str) -> Path:
    """A folder of the data.

    Raises:
        InputError: no data was given, or it has no such folder.
    """
    if options.data is None:
        raise InputError(
            f"the group {names[-1]!r} needs real data: give --data the folder that holds rgbd/ and clips/"
        )
    folder = options.data.joinpath(*names)
    if not folder.is_dir():
        raise InputError(f"no real data at {folder}: --data must name the folder that holds rgbd/ and clips/")
    return folder


def _prompted(
    picture: _Picture, group: str, margins: list[Array], options: FlagOptions
) -> Iterator[FlagCase]:
    """The picture's cases: a mask per box, without and with depth."""
    c = picture.camera
    visible = outline(Rasterizer(picture.mesh), picture.true, c)
    for k, margin in enumerate(margins):
        mask = _kept_mask(picture.image, box_around(visible, margin), group, options)
        for depth in (None, [picture.depth]):
            yield FlagCase(
                group,
                "/".join([picture.name, str(k), *(("depth",) if depth else ())]),
                "picture",
                picture.mesh,
                c,
                [picture.image],
                [mask.astype(np.uint8)],
                picture.true[None],
                np.ones(1),
                picture.symmetry,
                depth=depth,
            )


def _kept_mask(image: NDArray[np.uint8], box: Array, group: str, options: FlagOptions) -> Bools:
    made = Cache(options.cache).get(
        group, (image, box), ("segmentation", "hands"), lambda: {"mask": mask_in_box(image, box)}
    )
    return made["mask"]


def _margins(options: FlagOptions) -> list[Array]:
    return [np.full(4, m) for m in np.linspace(*BoxOptions().loose, options.boxes)]


def _turns(rotations: Array) -> Array:
    """(S, 4, 4) of rotations (S, 3, 3), the identity first."""
    out = np.repeat(np.eye(4)[None], len(rotations), 0)
    out[:, :3, :3] = sorted(rotations, key=lambda r: -float(np.trace(r)))
    return out
