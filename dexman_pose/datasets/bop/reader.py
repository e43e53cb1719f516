"""BOP datasets as recordings: one per scene, or per run of images with the same intrinsics.

What is unlike elsewhere, and where it goes:

- Everything is in millimetres; here in metres. Depth images hold steps of ``depth_scale`` millimetres.
- Each image has its own intrinsics. A :class:`Recording` has one camera, so a scene whose intrinsics change is cut
  into runs of successive images with the same ones (in T-LESS nearly every image is a run of its own). Runs are named
  by the scene and their first image, ``000002_000017``; a scene in one piece by its number alone, ``000002``.
- Nothing says which instance is which in another image. Instances of one object are numbered by their order in the
  annotation: ``obj_000005``, ``obj_000005_1``, ... An instance that an image lacks is not ``valid`` there.
- Images have numbers, no times: the time is the number divided by ``fps``. :func:`image_ids` gives the numbers back.
- Poses with no world (``cam_R_w2c`` absent) have the world in the camera.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dexman_pose.data import Camera, RigidObject
from dexman_pose.data.files import existing_folder
from dexman_pose.datasets.bop.models import BopModels, Use
from dexman_pose.datasets.bop.scene import (
    BopImage,
    BopInstance,
    BopScene,
    BopTarget,
    in_targets,
    read_bop_scene,
    read_bop_targets,
)
from dexman_pose.datasets.reading import (
    OnProblem,
    note_absent,
    read_depth_image,
    read_image,
    report,
    reported,
    truth_object,
)
from dexman_pose.datasets.recording import DepthOf, MaskOf, Problem, Recording
from dexman_pose.errors import InputError
from dexman_pose.geometry import SymmetryGroup

Key = tuple[int, int]  # object number, which of its instances

_OTHER = 255
_MOST = 254  # labels of a mask besides background and "other"


def read_bop(
    root: str | Path,
    split: str = "test",
    *,
    scenes: Iterable[int] | None = None,
    targets: str | Path | None = None,
    use: Use = "errors",
    fps: float = 30.0,
    on_problem: OnProblem | None = None,
) -> Iterator[Recording]:
    """The scenes of a BOP dataset as recordings, one after the other.

    Args:
        root: folder of the dataset, with ``models_info.json`` in ``models_eval`` or ``models``.
        split: folder of the scenes, e.g. ``"test"`` or ``"test_primesense"``.
        scenes: numbers of the scenes; None for all.
        targets: a file such as ``test_targets_bop19.json`` (a path, or a name within ``root``): only its images are
            read, and of each object only as many instances as it asks for, the most visible ones. Targets that name
            images alone (``test_targets_bop24.json``) ask for everything these show. None for all.
        use: which meshes: ``"errors"`` (``models_eval``) or ``"display"`` (``models``).
        fps: images per second, by their numbers.
        on_problem: gets every scene or object that cannot be read; the rest goes on. None writes to the log.

    Yields:
        Recordings named by scene; ``view`` is the folder of the pictures, ``object_ids`` are object numbers,
        ``symmetries`` the declared ones, which ``RigidObject.symmetry`` holds as finely as BOP samples them.

    Raises:
        InputError: no such dataset, split or targets file.
    """
    models = BopModels(root)
    folder = existing_folder(models.root / split, f"a split of {root}")
    wanted = None if targets is None else read_bop_targets(targets_file(models.root, targets))
    numbers = _scene_numbers(folder) if scenes is None else [int(s) for s in scenes]
    if wanted is not None:
        numbers = [n for n in numbers if n in {t.scene_id for t in wanted}]
    if not numbers:
        raise InputError(
            f"{folder} holds no scenes (folders named by numbers){' of the targets' * bool(targets)}"
        )
    if not fps > 0:
        raise InputError(f"fps must be positive, but is {fps}")
    return _recordings(models, folder, numbers, wanted, use, fps, on_problem)


def image_ids(recording: Recording) -> NDArray[np.int64]:
    """(T,) numbers of the images of a recording of :func:`read_bop`."""
    return np.array([int(path.stem) for path in recording.images], dtype=np.int64)


def scene_id(recording: Recording) -> int:
    """Number of the scene that a recording of :func:`read_bop` comes from."""
    return int(recording.name.split("_")[0])


def instance_of(name: str) -> Key:
    """Object number and instance of an object's name: ``obj_000005_1`` is (5, 1)."""
    parts = name.split("_")
    return int(parts[1]), int(parts[2]) if len(parts) > 2 else 0


def targets_file(root: str | Path, targets: str | Path) -> Path:
    """Where a targets file lies: a path of its own, or a name within the dataset's folder."""
    return Path(targets) if Path(targets).is_file() else Path(root) / targets


def _scene_numbers(folder: Path) -> list[int]:
    return sorted(int(p.name) for p in folder.iterdir() if p.is_dir() and p.name.isdigit())


def _recordings(
    models: BopModels,
    folder: Path,
    numbers: list[int],
    targets: list[BopTarget] | None,
    use: Use,
    fps: float,
    on_problem: OnProblem | None,
) -> Iterator[Recording]:
    for number in numbers:
        path = folder / f"{number:06d}"
        scene: BopScene | None = None
        with reported(on_problem, path.name, path, "a scene of a BOP dataset"):
            found = read_bop_scene(path)
            size = found.size()
            scene = found
        if scene is None:
            continue
        if targets is not None:
            scene = _restricted(scene, [t for t in targets if t.scene_id == number])
            if not scene.images:
                report(
                    on_problem, Problem(path.name, path, "has none of the images that the targets ask for")
                )
        runs = _runs(scene.images)
        for run in runs:
            name = path.name if len(runs) == 1 else f"{path.name}_{run[0].im_id:06d}"
            made: Recording | None = None
            with reported(on_problem, name, path, "a scene of a BOP dataset"):
                reader = _Run(replace(scene, images=tuple(run)), models, use, name, on_problem)
                made = reader.recording(size, fps, folder.name)
            if made is not None:
                yield made


def _restricted(scene: BopScene, targets: list[BopTarget]) -> BopScene:
    """The scene with only the images and instances of the targets."""
    counts: dict[int, Counter[int]] = {}
    whole = {target.im_id for target in targets if target.obj_id is None}
    for target in targets:
        if target.obj_id is not None:
            counts.setdefault(target.im_id, Counter())[target.obj_id] += target.inst_count
    images = [
        im if im.im_id in whole else in_targets(im, counts[im.im_id])
        for im in scene.images
        if im.im_id in whole or im.im_id in counts
    ]
    return replace(scene, images=tuple(images))


def _runs(images: tuple[BopImage, ...]) -> list[list[BopImage]]:
    """Successive images with the same intrinsics."""
    runs: list[list[BopImage]] = []
    for image in images:
        if runs and np.allclose(image.K, runs[-1][0].K, rtol=0, atol=1e-6):
            runs[-1].append(image)
        else:
            runs.append([image])
    return runs


class _Run:
    """The images of one recording."""

    def __init__(
        self, scene: BopScene, models: BopModels, use: Use, name: str, on_problem: OnProblem | None
    ) -> None:
        self.scene, self.models, self.use, self.name, self.on_problem = scene, models, use, name, on_problem
        self.missing = list(scene.missing)
        self.instances = _numbered(scene.images)
        self.keys: list[Key] = []
        self.symmetries: dict[str, SymmetryGroup] = {}

    def recording(self, size: tuple[int, int], fps: float, split: str) -> Recording:
        scene, images = self.scene, self.scene.images
        objects = self._objects()
        paths = tuple(scene.picture(im.im_id) for im in images)
        self.missing += note_absent(paths, "pictures") if scene.color else []
        return Recording(
            dataset="bop",
            name=self.name,
            view=scene.color or "rgb",
            camera=Camera(images[0].K, *size),
            camera_from_world=self._world(),
            frame_times=np.array([im.im_id / fps for im in images]),
            objects=objects,
            object_ids={name: str(instance_of(name)[0]) for name in objects},
            symmetries=self.symmetries,
            images=paths,
            depth=self._depth(),
            masks=self._masks(size),
            group=models_name(self.models),
            split=split,
            missing=tuple(self.missing),
        )

    def _objects(self) -> dict[str, RigidObject]:
        out: dict[str, RigidObject] = {}
        for key in sorted({key for found in self.instances for key in found}):
            try:
                mesh = self.models.mesh(key[0], self.use)
                symmetry = self.models.symmetry_transforms(key[0])
            except InputError as error:
                self._left_out(key, error)
                continue
            poses = np.tile(np.eye(4), (len(self.instances), 1, 1))
            valid = np.array([key in found for found in self.instances])
            for t in np.flatnonzero(valid):
                poses[t] = self.instances[t][key].camera_from_object
            name = _name(key)
            self.symmetries[name] = self.models.symmetry(key[0])
            out[name], notes = truth_object(name, mesh, poses, valid, symmetry)
            self.missing += notes
            self.keys.append(key)
        return out

    def _left_out(self, key: Key, error: InputError) -> None:
        self.missing.append(f"{_name(key)} is left out: {error}")
        report(self.on_problem, Problem(self.name, self.models.root, self.missing[-1]))

    def _world(self) -> NDArray[np.float64]:
        worlds = [im.camera_from_world for im in self.scene.images]
        known = [w for w in worlds if w is not None]
        if len(known) < len(worlds):
            if known:
                without = len(worlds) - len(known)
                self.missing.append(f"{without} images have no cam_R_w2c: the world is taken in the camera")
            return np.tile(np.eye(4), (len(worlds), 1, 1))
        return np.stack(known)

    def _depth(self) -> DepthOf | None:
        scene = self.scene
        if not (scene.folder / "depth").is_dir():
            self.missing.append(f"{scene.folder / 'depth'} is not there")
            return None

        def depth_of(frame: int) -> NDArray[np.float32]:
            image = scene.images[frame]
            return read_depth_image(scene.depth(image.im_id), image.depth_scale)

        return depth_of

    def _masks(self, size: tuple[int, int]) -> MaskOf | None:
        scene = self.scene
        if not (scene.folder / "mask_visib").is_dir():
            self.missing.append(f"{scene.folder / 'mask_visib'} is not there")
            return None
        if len(self.keys) > _MOST:
            self.missing.append(f"masks: {len(self.keys)} objects are more than {_MOST} labels")
            return None
        labels = {key: i + 1 for i, key in enumerate(self.keys)}
        return _mask_reader(scene, self.instances, labels, size)


def _mask_reader(
    scene: BopScene, instances: list[dict[Key, BopInstance]], labels: dict[Key, int], size: tuple[int, int]
) -> MaskOf:
    def mask_of(frame: int) -> NDArray[np.uint8] | None:
        image = scene.images[frame]
        painted = [(labels.get(key, _OTHER), i.gt_id) for key, i in instances[frame].items()]
        painted += [(_OTHER, i.gt_id) for i in image.others]
        out = np.zeros(size[::-1], np.uint8)
        for label, gt_id in painted:
            path = scene.mask(image.im_id, gt_id)
            if not path.is_file():
                return None
            out[read_image(path) > 0] = label
        return out

    return mask_of


def _numbered(images: tuple[BopImage, ...]) -> list[dict[Key, BopInstance]]:
    """Per image the instances by object and how many of that object came before."""
    out = []
    for image in images:
        seen: Counter[int] = Counter()
        found: dict[Key, BopInstance] = {}
        for instance in image.instances:
            found[(instance.obj_id, seen[instance.obj_id])] = instance
            seen[instance.obj_id] += 1
        out.append(found)
    return out


def _name(key: Key) -> str:
    return f"obj_{key[0]:06d}" + (f"_{key[1]}" if key[1] else "")


def models_name(models: BopModels) -> str:
    """Name of the dataset: that of its folder."""
    return models.root.resolve().name


__all__ = ["image_ids", "instance_of", "read_bop", "scene_id", "targets_file"]
