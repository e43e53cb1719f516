"""Writing BOP datasets: any scenes with meshes, and a tiny synthetic one with everything a reader stumbles over."""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import ConvexHull, QhullError
from scipy.spatial.distance import pdist

from dexman_pose.arrays import Array
from dexman_pose.data import Camera, Mesh
from dexman_pose.data.files import write_bytes, write_json
from dexman_pose.errors import InputError
from dexman_pose.geometry import SymmetryGroup, se3, so3_exp
from dexman_pose.synthetic.scenes.shapes import stress_shape
from dexman_pose.synthetic.tiny_datasets.scene import SmallPicture, SmallScene, depth_steps, write_image

_MM = 0.001
_DEPTH_SCALE = 0.1  # millimetres of one step of the depth images


@dataclass(frozen=True)
class BopModel:
    """An object to write: its mesh in metres and its symmetries."""

    mesh: Mesh
    symmetry: SymmetryGroup = field(default_factory=SymmetryGroup.trivial)


@dataclass(frozen=True)
class BopTruth:
    """A scene to write.

    Attributes:
        image_ids: (T,) numbers of the images.
        cameras: T cameras, all of one size.
        camera_from_world: (T, 4, 4) metres, or None to leave it out.
        objects: number of the object, poses (T, 4, 4) in metres, valid (T,); one entry per instance.
    """

    image_ids: Sequence[int]
    cameras: Sequence[Camera]
    camera_from_world: Array | None
    objects: Sequence[tuple[int, Array, NDArray[np.bool_]]]


def write_bop(
    root: str | Path, models: Mapping[int, BopModel], scenes: Mapping[int, BopTruth], *, split: str = "test"
) -> Path:
    """Write a BOP dataset: models, and scenes rendered with their truth; returns ``root``.

    Every scene gets ``rgb``, ``depth``, ``mask``, ``mask_visib``, ``scene_camera.json``, ``scene_gt.json`` and
    ``scene_gt_info.json``; ``test_targets_bop19.json`` asks for everything of which a tenth is seen.

    Args:
        root: where to.
        models: by object number.
        scenes: by scene number.
        split: name of the folder of the scenes.

    Raises:
        InputError: a scene whose parts differ in length, or with an object that has no model.
    """
    root = Path(root)
    for number, scene in scenes.items():
        _check(number, scene, models)
    write_bop_models(root, models)
    drawer = SmallScene({str(obj_id): model.mesh for obj_id, model in models.items()})
    targets: list[dict[str, int]] = []
    for number, scene in scenes.items():
        targets += _write_scene(root / split / f"{number:06d}", number, scene, drawer)
    write_json(root / "test_targets_bop19.json", targets)
    return root


def write_bop_models(root: str | Path, models: Mapping[int, BopModel]) -> None:
    """Write ``models`` and ``models_eval`` with their ``models_info.json``."""
    info = {str(obj_id): _model_info(model) for obj_id, model in models.items()}
    for folder in ("models", "models_eval"):
        write_json(Path(root) / folder / "models_info.json", info)
        for obj_id, model in models.items():
            write_ply(Path(root) / folder / f"obj_{obj_id:06d}.ply", model.mesh, unit_m=_MM)


def write_ply(path: str | Path, mesh: Mesh, *, unit_m: float = 1.0) -> Path:
    """Write a mesh as binary PLY with vertex colours where it has them; a texture is left out; returns the path.

    Args:
        path: where to.
        mesh: metres.
        unit_m: metres of one unit of the file: 0.001 for millimetres.
    """
    header = ["ply", "format binary_little_endian 1.0", f"element vertex {len(mesh.vertices)}"]
    header += [f"property double {axis}" for axis in "xyz"]
    columns: list[tuple[str, Any]] = [("xyz", "<f8", (3,))]  # type: ignore[list-item]
    if mesh.vertex_colors is not None:
        header += [f"property uchar {name}" for name in ("red", "green", "blue")]
        columns.append(("rgb", "u1", (3,)))  # type: ignore[arg-type]
    header += [f"element face {len(mesh.faces)}", "property list uchar int vertex_indices", "end_header\n"]
    vertices = np.zeros(len(mesh.vertices), dtype=columns)
    vertices["xyz"] = mesh.vertices / unit_m
    if mesh.vertex_colors is not None:
        vertices["rgb"] = mesh.vertex_colors
    faces = b"".join(struct.pack("<B3i", 3, *face) for face in mesh.faces.tolist())
    return write_bytes(path, "\n".join(header).encode() + vertices.tobytes() + faces)


def demo_bop(
    root: str | Path, *, images: int = 4, width: int = 160, height: int = 120
) -> dict[int, BopTruth]:
    """Write a tiny dataset of two scenes and return its truth.

    Scene 1: a camera that stands still, with no world; two instances of a box, of which one is missing in an image,
    and a can. Scene 2: a moving camera, image numbers with gaps, other intrinsics in the last image. The models are a
    box (1), a can (5, its axis declared) and a mug (7); box and can declare their symmetries.
    """
    names = {1: "box", 5: "can", 7: "mug"}
    shapes = {obj_id: stress_shape(name, textured=False) for obj_id, name in names.items()}
    models = {obj_id: BopModel(s.mesh, s.symmetry.for_engine()) for obj_id, s in shapes.items()}
    k = np.array([[1.2 * width, 0.0, 0.48 * width], [0.0, 1.2 * width, 0.51 * height], [0.0, 0.0, 1.0]])
    camera = Camera(k, width, height)
    scenes = {1: _still_scene(camera, images), 2: _moving_scene(camera, images)}
    write_bop(root, models, scenes)
    return scenes


def _still_scene(camera: Camera, count: int) -> BopTruth:
    rest = _turning(count, (0.1, 0.5, 0.2), (-0.16, 0.02, 0.75))
    other = _turning(count, (-0.3, 0.2, 0.4), (0.17, -0.02, 0.8))
    can = _turning(count, (0.4, 0.0, 0.3), (0.02, 0.08, 0.6))
    everywhere = np.ones(count, np.bool_)
    present = everywhere.copy()
    present[1 % count] = False
    objects = [(1, rest, everywhere), (5, can, everywhere), (1, other, present)]
    return BopTruth(list(range(count)), [camera] * count, None, objects)


def _moving_scene(camera: Camera, count: int) -> BopTruth:
    camera_from_world = _turning(count, (0.05, 0.1, 0.02), (0.0, 0.03, 0.7))
    mug = camera_from_world @ se3(so3_exp([1.2, 0.3, 0.1]), [0.02, 0.0, 0.0])
    zoomed = camera.K * np.array([[1.1, 1.0, 1.0], [1.0, 1.1, 1.0], [1.0, 1.0, 1.0]])
    cameras = [camera] * (count - 1) + [Camera(zoomed, camera.width, camera.height)]
    numbers = [3 + 4 * i for i in range(count)]
    return BopTruth(numbers, cameras, camera_from_world, [(7, mug, np.ones(count, np.bool_))])


def _turning(count: int, turn: tuple[float, float, float], start: tuple[float, float, float]) -> Array:
    steps = np.arange(count)[:, None]
    return se3(
        so3_exp(np.array(turn) * (1.0 + 0.2 * steps)), np.array(start) + 0.01 * steps * [1.0, -1.0, 2.0]
    )


def _check(number: int, scene: BopTruth, models: Mapping[int, BopModel]) -> None:
    count = len(scene.image_ids)
    lengths = [
        len(scene.cameras),
        *(len(p) for _, p, _ in scene.objects),
        *(len(v) for *_, v in scene.objects),
    ]
    if any(n != count for n in lengths) or count == 0:
        raise InputError(f"scene {number} has {count} images, but its parts are for {sorted(set(lengths))}")
    absent = [obj_id for obj_id, *_ in scene.objects if obj_id not in models]
    if absent:
        raise InputError(f"scene {number} has object {absent[0]}, of which there is no model")


def _model_info(model: BopModel) -> dict[str, Any]:
    vertices = model.mesh.vertices / _MM
    low, size = vertices.min(0), np.ptp(vertices, axis=0)
    out: dict[str, Any] = {"diameter": _diameter(vertices)}
    out |= {f"min_{axis}": float(v) for axis, v in zip("xyz", low)}
    out |= {f"size_{axis}": float(v) for axis, v in zip("xyz", size)}
    return out | model.symmetry.to_bop(unit=_MM)


def _diameter(vertices: Array) -> float:
    """Largest distance between two vertices: both are on the convex hull."""
    with suppress(QhullError):  # flat: every vertex may count
        vertices = vertices[ConvexHull(vertices).vertices]
    return float(pdist(vertices).max())


def _write_scene(folder: Path, number: int, scene: BopTruth, drawer: SmallScene) -> list[dict[str, int]]:
    cameras, truth, info = {}, {}, {}
    targets: list[dict[str, int]] = []
    for t, im_id in enumerate(scene.image_ids):
        here = [(obj_id, poses[t]) for obj_id, poses, valid in scene.objects if valid[t]]
        placed = {str(i): (str(obj_id), pose) for i, (obj_id, pose) in enumerate(here)}
        picture = drawer.picture(scene.cameras[t], placed)
        _write_pictures(folder, im_id, picture)
        cameras[str(im_id)] = _camera_entry(scene, t)
        truth[str(im_id)] = [_pose_entry(obj_id, pose) for obj_id, pose in here]
        info[str(im_id)] = [_info_entry(picture, str(i)) for i in range(len(here))]
        seen = [obj_id for (obj_id, _), entry in zip(here, info[str(im_id)]) if entry["visib_fract"] >= 0.1]
        targets += [
            {"scene_id": number, "im_id": im_id, "obj_id": obj_id, "inst_count": seen.count(obj_id)}
            for obj_id in sorted(set(seen))
        ]
    write_json(folder / "scene_camera.json", cameras)
    write_json(folder / "scene_gt.json", truth)
    write_json(folder / "scene_gt_info.json", info)
    return targets


def _write_pictures(folder: Path, im_id: int, picture: SmallPicture) -> None:
    write_image(folder / "rgb" / f"{im_id:06d}.png", picture.rgb)
    write_image(folder / "depth" / f"{im_id:06d}.png", depth_steps(picture.depth, _DEPTH_SCALE * _MM))
    for kind, masks in (("mask", picture.whole), ("mask_visib", picture.seen)):
        for gt_id, mask in masks.items():
            path = folder / kind / f"{im_id:06d}_{int(gt_id):06d}.png"
            write_image(path, (mask * np.uint8(255)).astype(np.uint8))


def _camera_entry(scene: BopTruth, t: int) -> dict[str, Any]:
    entry: dict[str, Any] = {"cam_K": scene.cameras[t].K.reshape(-1).tolist(), "depth_scale": _DEPTH_SCALE}
    if scene.camera_from_world is not None:
        world = scene.camera_from_world[t]
        entry["cam_R_w2c"] = world[:3, :3].reshape(-1).tolist()
        entry["cam_t_w2c"] = (world[:3, 3] / _MM).tolist()
    return entry


def _pose_entry(obj_id: int, pose: Array) -> dict[str, Any]:
    return {
        "cam_R_m2c": pose[:3, :3].reshape(-1).tolist(),
        "cam_t_m2c": (pose[:3, 3] / _MM).tolist(),
        "obj_id": obj_id,
    }


def _info_entry(picture: SmallPicture, name: str) -> dict[str, Any]:
    whole, seen = picture.whole[name], picture.seen[name]
    count, visible = int(whole.sum()), int(seen.sum())
    return {
        "bbox_obj": _box(whole),
        "bbox_visib": _box(seen),
        "px_count_all": count,
        "px_count_valid": int((whole & (picture.depth > 0)).sum()),
        "px_count_visib": visible,
        "visib_fract": visible / count if count else 0.0,
    }


def _box(mask: NDArray[np.bool_]) -> list[int]:
    """x, y, width, height; -1 where there is nothing."""
    v, u = np.nonzero(mask)
    if len(v) == 0:
        return [-1, -1, -1, -1]
    return [int(u.min()), int(v.min()), int(np.ptp(u)) + 1, int(np.ptp(v)) + 1]
