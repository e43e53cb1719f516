"""The files of one BOP scene as plain records: images, cameras, annotated instances. Metres from here on."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from dexman_pose.arrays import Array
from dexman_pose.data.files import door, read_json
from dexman_pose.datasets.bop.models import MM
from dexman_pose.datasets.reading import image_size
from dexman_pose.errors import InputError
from dexman_pose.geometry.se3 import se3

_COLOUR = ("rgb", "gray")
_SUFFIXES = (".png", ".jpg", ".tif", ".jpeg")


@dataclass(frozen=True)
class BopInstance:
    """One annotated object in one image.

    Attributes:
        obj_id: its number.
        gt_id: its place in the image's list, which names its masks.
        camera_from_object: (4, 4) metres.
        visible: share of its outline that is seen, 0..1; 1 where ``scene_gt_info.json`` is missing.
    """

    obj_id: int
    gt_id: int
    camera_from_object: Array
    visible: float = 1.0


@dataclass(frozen=True)
class BopImage:
    """One image.

    Attributes:
        im_id: its number.
        K: (3, 3) pixels.
        camera_from_world: (4, 4) metres, or None where it is not given.
        depth_scale: metres of one step of the depth image.
        instances: what is annotated, in the order of the file.
        others: annotated too, but not asked for.
    """

    im_id: int
    K: Array
    camera_from_world: Array | None
    depth_scale: float
    instances: tuple[BopInstance, ...] = ()
    others: tuple[BopInstance, ...] = ()


@dataclass(frozen=True)
class BopScene:
    """One scene.

    Attributes:
        scene_id: its number.
        folder: where it lies.
        images: in the order of their numbers.
        color: folder of the pictures, ``"rgb"`` or ``"gray"``, or None where there are none.
        annotated: whether ``scene_gt.json`` is there.
        missing: what is not, in words.
    """

    scene_id: int
    folder: Path
    images: tuple[BopImage, ...]
    color: str | None
    annotated: bool = True
    missing: tuple[str, ...] = field(default=())

    def picture(self, im_id: int) -> Path:
        """The picture of an image; where it is missing, where it would be."""
        return _file(self.folder / (self.color or "rgb"), f"{im_id:06d}")

    def depth(self, im_id: int) -> Path:
        """The depth image, there or not."""
        return _file(self.folder / "depth", f"{im_id:06d}")

    def mask(self, im_id: int, gt_id: int) -> Path:
        """The mask of the visible part of an instance, there or not."""
        return self.folder / "mask_visib" / f"{im_id:06d}_{gt_id:06d}.png"

    def size(self) -> tuple[int, int]:
        """(width, height) of the images.

        Raises:
            InputError: there is no image at all to read it from.
        """
        for im in self.images:
            for path in (self.picture(im.im_id), self.depth(im.im_id), self.mask(im.im_id, 0)):
                if path.is_file():
                    return image_size(path)
        raise InputError(
            f"{self.folder} holds no image to read the size from: neither rgb, gray, depth nor masks"
        )


@dataclass(frozen=True)
class BopTarget:
    """What is to be found in an image.

    Attributes:
        scene_id: number of the scene.
        im_id: number of the image.
        obj_id: number of the object; None for all that the image shows, as the targets of detection since 2024 have
            it, which name scene and image alone.
        inst_count: how many instances of it, where it is named.
    """

    scene_id: int
    im_id: int
    obj_id: int | None = None
    inst_count: int = 1


def read_bop_targets(path: str | Path) -> list[BopTarget]:
    """Targets such as those of ``test_targets_bop19.json`` (localisation) or ``test_targets_bop24.json`` (detection).

    Raises:
        InputError: missing, an entry lacks a field, or holds what is no whole number.
    """
    path = Path(path)
    entries = read_json(path)
    if not isinstance(entries, list):
        raise InputError(f"{path} must hold a list of targets, but holds a {type(entries).__name__}")
    out = []
    for i, entry in enumerate(entries):
        if not isinstance(entry, dict) or not {"scene_id", "im_id"} <= entry.keys():
            raise InputError(f"{path}: entry {i} must have scene_id and im_id, but is {entry!r:.80}")
        named = {key: entry[key] for key in ("scene_id", "im_id", "obj_id", "inst_count") if key in entry}
        wrong = [key for key, value in named.items() if type(value) is not int or value < 0]
        if wrong:
            raise InputError(
                f"{path}: entry {i}: {wrong[0]} must be a whole number, but is {named[wrong[0]]!r:.80}"
            )
        out.append(BopTarget(**named))
    return out


def read_bop_scene(folder: str | Path) -> BopScene:
    """One scene, e.g. ``test/000001``.

    Raises:
        InputError: no ``scene_camera.json``, damaged files, or a camera that is no pinhole.
    """
    folder = Path(folder)
    if not folder.name.isdigit():
        raise InputError(f"{folder}: a BOP scene is a folder named by a number")
    with door(folder, "a scene of a BOP dataset"):
        return _read_scene(folder)


def _read_scene(folder: Path) -> BopScene:
    cameras = _by_image(folder / "scene_camera.json")
    truth = _optional(folder / "scene_gt.json")
    info = _optional(folder / "scene_gt_info.json")
    color = next((name for name in _COLOUR if (folder / name).is_dir()), None)
    missing = [
        f"{folder / name} is not there"
        for name, found in (("scene_gt.json", truth), ("scene_gt_info.json", info), ("rgb", color))
        if found is None
    ]
    images = []
    for im_id in sorted(cameras):
        instances = _instances((truth or {}).get(im_id, ()), (info or {}).get(im_id, ()), folder, im_id)
        images.append(_image(im_id, cameras[im_id], instances, folder))
    if not images:
        raise InputError(f"{folder / 'scene_camera.json'} holds no images")
    return BopScene(int(folder.name), folder, tuple(images), color, truth is not None, tuple(missing))


def in_targets(image: BopImage, wanted: Counter[int]) -> BopImage:
    """The image with only the target instances: of each object the ``wanted`` most visible ones, as BOP takes them."""
    kept: set[int] = set()
    for obj_id, count in wanted.items():
        mine = [i for i in image.instances if i.obj_id == obj_id]
        kept |= {i.gt_id for i in sorted(mine, key=lambda i: -i.visible)[:count]}
    return replace(
        image,
        instances=tuple(i for i in image.instances if i.gt_id in kept),
        others=tuple(i for i in image.instances if i.gt_id not in kept),
    )


def _by_image(path: Path) -> dict[int, Any]:
    raw = read_json(path)
    try:
        return {int(key): value for key, value in raw.items()}
    except (AttributeError, ValueError) as error:
        raise InputError(f"{path} must map image numbers to their entries: {error}") from error


def _optional(path: Path) -> dict[int, Any] | None:
    return _by_image(path) if path.is_file() else None


def _image(im_id: int, entry: Any, instances: tuple[BopInstance, ...], folder: Path) -> BopImage:
    where = f"{folder / 'scene_camera.json'}: image {im_id}"
    if not isinstance(entry, dict):
        raise InputError(f"{where} must have cam_K, but is {entry!r:.80}")
    if "cam_K" not in entry:
        model = entry.get("cam_model")
        what = f"only a cam_model {str(model)[:60]}: not a pinhole" if model else "no cam_K"
        raise InputError(f"{where} has {what}")
    world = None
    if "cam_R_w2c" in entry:
        shift = _numbers(entry.get("cam_t_w2c", (0, 0, 0)), 3, f"{where}: cam_t_w2c")
        world = se3(_numbers(entry["cam_R_w2c"], 9, f"{where}: cam_R_w2c").reshape(3, 3), MM * shift)
    scale = float(_numbers(entry.get("depth_scale", 1.0), 1, f"{where}: depth_scale")[0]) * MM
    if scale <= 0:
        raise InputError(f"{where}: depth_scale must be positive, but is {scale / MM:g}")
    k = _numbers(entry["cam_K"], 9, f"{where}: cam_K").reshape(3, 3)
    return BopImage(im_id, k, world, scale, instances)


def _instances(truth: Any, info: Any, folder: Path, im_id: int) -> tuple[BopInstance, ...]:
    where = f"{folder / 'scene_gt.json'}: image {im_id}"
    out = []
    for i, entry in enumerate(truth):
        if not isinstance(entry, dict):
            raise InputError(f"{where}: entry {i} must be an object with its pose, but is {entry!r:.80}")
        missing = [key for key in ("obj_id", "cam_R_m2c", "cam_t_m2c") if key not in entry]
        if missing:
            raise InputError(f"{where}: entry {i} has no {missing[0]}")
        rotation = _numbers(entry["cam_R_m2c"], 9, f"{where}: cam_R_m2c").reshape(3, 3)
        shift = MM * _numbers(entry["cam_t_m2c"], 3, f"{where}: cam_t_m2c")
        visible = float(info[i].get("visib_fract", 1.0)) if i < len(info) else 1.0
        out.append(BopInstance(int(entry["obj_id"]), i, se3(rotation, shift), visible))
    return tuple(out)


def _numbers(value: Any, count: int, what: str) -> Array:
    try:
        out = np.asarray(value, dtype=np.float64).reshape(-1)
    except (TypeError, ValueError) as error:
        raise InputError(f"{what} must be {count} numbers: {error}") from error
    if out.shape != (count,) or not np.isfinite(out).all():
        raise InputError(f"{what} must be {count} finite numbers, but has {out.size}")
    return out


def _file(folder: Path, stem: str) -> Path:
    """The file with that stem, whatever image format; the PNG where there is none."""
    paths = [folder / (stem + suffix) for suffix in _SUFFIXES]
    return next((path for path in paths if path.is_file()), paths[0])
