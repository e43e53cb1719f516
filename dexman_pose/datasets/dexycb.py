"""DexYCB as recordings: one per sequence and camera.

What is unlike elsewhere, and where it goes:

- An object that is not there has a pose of zeros; a hand that is not there joints of -1 and parameters of zeros. All
  become ``valid`` False.
- Poses are already in the camera frame, in metres. ``extrinsics.yml`` holds world from camera, the world being the
  master camera; here it is inverted.
- Hand poses are 45 coefficients of MANO's principal components about its mean hand: kept as they are and marked
  (``pca``, ``flat_hand_mean=False``).
- Masks have 255 for the hand and the YCB class 1..21 for objects; here the i-th object has i+1.
- Names such as ``20200702_151821`` are numbers to YAML where they are not quoted.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dexman_pose.arrays import Array
from dexman_pose.data import Camera, HandTrack, RigidObject
from dexman_pose.data.files import door, existing_folder, one_line, read_yaml
from dexman_pose.data.mano import ManoParameters
from dexman_pose.datasets.plausible import with_suspicions
from dexman_pose.datasets.reading import (
    OnProblem,
    image_size,
    note_absent,
    read_depth_image,
    read_mesh,
    report,
    reported,
    truth_hand,
    truth_object,
)
from dexman_pose.datasets.recording import DepthOf, MaskOf, Problem, Recording
from dexman_pose.errors import InputError
from dexman_pose.geometry import inverse, se3

YCB_NAMES: tuple[str, ...] = (
    "002_master_chef_can",
    "003_cracker_box",
    "004_sugar_box",
    "005_tomato_soup_can",
    "006_mustard_bottle",
    "007_tuna_fish_can",
    "008_pudding_box",
    "009_gelatin_box",
    "010_potted_meat_can",
    "011_banana",
    "019_pitcher_base",
    "021_bleach_cleanser",
    "024_bowl",
    "025_mug",
    "035_power_drill",
    "036_wood_block",
    "037_scissors",
    "040_large_marker",
    "051_large_clamp",
    "052_extra_large_clamp",
    "061_foam_brick",
)
"""Names of the objects; the first has number 1."""

SERIALS: tuple[str, ...] = (
    "836212060125",
    "839512060362",
    "840412060917",
    "841412060263",
    "932122060857",
    "932122060861",
    "932122061900",
    "932122062010",
)
"""The cameras, in the order that the splits count them."""

FPS = 30.0

_HAND = 255
_SEQUENCES = 100  # of each subject; the splits s0 and s3 count them


def read_dexycb(
    root: str | Path,
    *,
    sequences: Iterable[str] | None = None,
    views: Iterable[str] | None = None,
    setup: str = "s0",
    on_problem: OnProblem | None = None,
) -> Iterator[Recording]:
    """The sequences of DexYCB, each as seen by each camera.

    Args:
        root: folder with ``calibration``, ``models`` and one folder per subject; any of it may be missing in part.
        sequences: ``20200709_141754`` or with the subject before it, ``20200709-subject-01/20200709_141754``; None
            for all.
        views: serial numbers of cameras; None for all of a sequence.
        setup: which of the splits ``s0`` to ``s3`` ``Recording.split`` names.
        on_problem: gets every sequence, view or object that cannot be read; the rest goes on. None writes to the log.

    Yields:
        Recordings; objects by YCB name, ``object_ids`` their numbers, ``group`` the object that is grasped.

    Raises:
        InputError: no such folder, no sequences in it, or an unknown setup.
    """
    folder = existing_folder(root, "the root of DexYCB")
    if setup not in ("s0", "s1", "s2", "s3"):
        raise InputError(f"setup must be s0, s1, s2 or s3, but is {setup!r}")
    found = _folders(folder)
    wanted = None if sequences is None else set(sequences)
    if wanted is not None:
        found = [p for p in found if p.name in wanted or f"{p.parent.name}/{p.name}" in wanted]
    if not found:
        raise InputError(
            f"{folder} holds no sequences{'' if wanted is None else ' of that name'}: */*/meta.yml"
        )
    chosen = None if views is None else set(views)
    return _recordings(folder, found, chosen, setup, on_problem)


def list_sequences(root: str | Path) -> list[str]:
    """Names of the sequences under a root, without the subject: date and time tell them apart."""
    return [folder.name for folder in _folders(Path(root))]


def _folders(root: Path) -> list[Path]:
    return sorted(p.parent for p in root.glob("*/*/meta.yml"))


def split_of(setup: str, subject: int, serial: int, sequence: int | None) -> str:
    """``train``, ``val`` or ``test``; "" where the place of the sequence must be known and is not.

    Args:
        setup: s0 (nothing new), s1 (new subjects), s2 (new views) or s3 (new grasped objects).
        subject: its place, from 0.
        serial: the camera's place in :data:`SERIALS`.
        sequence: its place among the 100 of its subject.
    """
    if setup == "s1":
        return "val" if subject == 6 else "test" if subject in (7, 8) else "train"
    if setup == "s2":
        return "val" if serial == 6 else "test" if serial == 7 else "train"
    if sequence is None:
        return ""
    if setup == "s0":
        held = sequence % 5 == 4
        return "train" if not held else "val" if subject in (0, 1) else "test"
    grasped = sequence // 5
    return "val" if grasped in (3, 19) else "test" if grasped in (7, 11, 15) else "train"


def _recordings(
    root: Path, found: list[Path], views: set[str] | None, setup: str, on_problem: OnProblem | None
) -> Iterator[Recording]:
    for folder in found:
        sequence: _Sequence | None = None
        with reported(on_problem, folder.name, folder / "meta.yml", "the description of a sequence"):
            sequence = _Sequence(root, folder, setup, on_problem)
        for serial in sequence.serials if sequence is not None else ():
            if views is not None and serial not in views:
                continue
            made: Recording | None = None
            with reported(on_problem, f"{folder.name}/{serial}", folder / serial, "a view of a sequence"):
                made = with_suspicions(sequence.recording(serial))
            if made is not None:
                yield made


@dataclass(frozen=True)
class _Labels:
    """The label files of one view; rows of frames without a file are zeros and not ``present``."""

    present: NDArray[np.bool_]
    pose_y: Array
    pose_m: Array
    joint_3d: Array
    joint_2d: Array


class _Sequence:
    """One sequence, seen by several cameras."""

    def __init__(self, root: Path, folder: Path, setup: str, on_problem: OnProblem | None) -> None:
        self.root, self.folder = root, folder
        self.setup, self.on_problem = setup, on_problem
        meta = read_yaml(folder / "meta.yml")
        try:
            self.serials = [str(s) for s in meta["serials"]]
            self.count = int(meta["num_frames"])
            self.ids = [int(i) for i in meta["ycb_ids"]]
            self.grasped = YCB_NAMES[self.ids[int(meta["ycb_grasp_ind"])] - 1]
            self.names = [YCB_NAMES[i - 1] for i in self.ids]
            self.extrinsics = _quoted(meta["extrinsics"])
            self.sides = [str(s) for s in meta.get("mano_sides", ())]
            self.calibrations = [_quoted(c) for c in meta.get("mano_calib", ())]
        except (KeyError, TypeError, ValueError, IndexError) as error:
            raise InputError(f"{folder / 'meta.yml'} lacks or garbles {one_line(error)}") from error
        if self.count < 1:
            raise InputError(f"{folder / 'meta.yml'}: num_frames is {self.count}")

    def recording(self, serial: str) -> Recording:
        folder = self.folder / serial
        labels = _labels(folder, self.count, len(self.ids))
        missing = note_absent([folder / f"labels_{t:06d}.npz" for t in range(self.count)], "label files")
        images = tuple(folder / f"color_{t:06d}.jpg" for t in range(self.count))
        missing += note_absent(images, "pictures")
        camera = self._camera(serial, images)
        objects = self._objects(labels, missing)
        hands, mano = self._hands(labels, camera, missing)
        return Recording(
            dataset="dexycb",
            name=self.folder.name,
            view=serial,
            camera=camera,
            camera_from_world=self._world(serial, missing),
            frame_times=np.arange(self.count) / FPS,
            objects=objects,
            object_ids={name: str(YCB_NAMES.index(name) + 1) for name in objects},
            hands=hands,
            mano=mano,
            images=images,
            depth=self._depth(folder, missing),
            masks=self._masks(folder, list(objects)),
            group=self.grasped,
            split=self._split(serial),
            missing=tuple(missing),
        )

    def _camera(self, serial: str, images: Sequence[Path]) -> Camera:
        width, height = next((image_size(p) for p in images if p.is_file()), (640, 480))
        path = self.root / "calibration" / "intrinsics" / f"{serial}_{width}x{height}.yml"
        entry = read_yaml(path)
        try:
            fx, fy, cx, cy = (float(entry["color"][key]) for key in ("fx", "fy", "ppx", "ppy"))
        except (KeyError, TypeError, ValueError) as error:
            raise InputError(f"{path} must hold color: fx, fy, ppx, ppy; {one_line(error)}") from error
        return Camera(np.array([[fx, 0, cx], [0, fy, cy], [0, 0, 1]]), width, height)

    def _world(self, serial: str, missing: list[str]) -> Array:
        path = self.root / "calibration" / f"extrinsics_{self.extrinsics}" / "extrinsics.yml"
        try:
            entries = {str(key): value for key, value in read_yaml(path)["extrinsics"].items()}
            world_from_camera = np.asarray(entries[serial], dtype=np.float64).reshape(3, 4)
            camera_from_world = inverse(se3(world_from_camera[:, :3], world_from_camera[:, 3]))
        except (InputError, KeyError, TypeError, ValueError, AttributeError) as error:
            missing.append(f"{path} does not place camera {serial} ({one_line(error)}): world is the camera")
            camera_from_world = np.eye(4)
        return np.tile(camera_from_world, (self.count, 1, 1))

    def _objects(self, labels: _Labels, missing: list[str]) -> dict[str, RigidObject]:
        out: dict[str, RigidObject] = {}
        for i, name in enumerate(self.names):
            valid = labels.present & (labels.pose_y[:, i] != 0).any((1, 2))
            poses = se3(labels.pose_y[:, i, :, :3], labels.pose_y[:, i, :, 3])
            try:
                mesh = read_mesh(self.root / "models" / name / "textured_simple.obj", "m")
            except InputError as error:
                missing.append(f"{name} is left out: {error}")
                report(self.on_problem, Problem(self.folder.name, self.root / "models" / name, missing[-1]))
                continue
            out[name], notes = truth_object(name, mesh, poses, valid)
            missing += notes
        return out

    def _hands(
        self, labels: _Labels, camera: Camera, missing: list[str]
    ) -> tuple[dict[str, HandTrack], dict[str, ManoParameters]]:
        hands: dict[str, HandTrack] = {}
        mano: dict[str, ManoParameters] = {}
        for i, side in enumerate(self.sides[:1]):  # every sequence has one hand
            seen = labels.present & (labels.joint_3d[:, i] != -1).any((1, 2))
            hand = truth_hand(side, labels.joint_3d[:, i], seen, camera, labels.joint_2d[:, i])
            if hand is not None:
                hands[side] = hand
            shape = self._shape(i, missing)
            fitted = labels.present & (labels.pose_m[:, i] != 0).any(1)
            if shape is not None and fitted.any():
                pose, shift = labels.pose_m[:, i, :48], labels.pose_m[:, i, 48:]
                mano[side] = ManoParameters(
                    side,
                    pose,
                    shift,
                    shape,
                    fitted,
                    frame="camera",
                    flat_hand_mean=False,
                    left_fixed=False,  # the sign was found after its hands had been fitted
                    pca=True,
                )
        return hands, mano

    def _shape(self, i: int, missing: list[str]) -> Array | None:
        if i >= len(self.calibrations):
            return None
        path = self.root / "calibration" / f"mano_{self.calibrations[i]}" / "mano.yml"
        try:
            return np.asarray(read_yaml(path)["betas"], dtype=np.float64).reshape(10)
        except (InputError, KeyError, TypeError, ValueError) as error:
            missing.append(f"{path} gives no hand shape ({one_line(error)}): no MANO parameters")
            return None

    def _depth(self, folder: Path, missing: list[str]) -> DepthOf | None:
        paths = [folder / f"aligned_depth_to_color_{t:06d}.png" for t in range(self.count)]
        missing += note_absent(paths, "depth images")
        if not any(path.is_file() for path in paths):
            return None
        return lambda frame: read_depth_image(paths[frame], 0.001)

    def _masks(self, folder: Path, kept: list[str]) -> MaskOf:
        table = np.zeros(256, np.uint8)
        table[[_HAND, *self.ids]] = _HAND  # an object that is left out is something else
        for i, name in enumerate(kept):
            table[YCB_NAMES.index(name) + 1] = i + 1

        def mask_of(frame: int) -> NDArray[np.uint8] | None:
            path = folder / f"labels_{frame:06d}.npz"
            if not path.is_file():
                return None
            seg = _label_arrays(path, ["seg"])["seg"]
            if seg.dtype.kind not in "iu" or seg.min(initial=0) < 0 or seg.max(initial=0) > _HAND:
                raise InputError(f"{path}: seg must hold labels from 0 to {_HAND}, but holds {seg.dtype}")
            return table[seg]

        return mask_of

    def _split(self, serial: str) -> str:
        subject = self.folder.parent.name.rpartition("-")[2]
        siblings = sorted(p.name for p in self.folder.parent.iterdir() if p.is_dir())
        place = siblings.index(self.folder.name) if len(siblings) == _SEQUENCES else None
        if not subject.isdigit() or serial not in SERIALS:
            return ""
        return split_of(self.setup, int(subject) - 1, SERIALS.index(serial), place)


def _labels(folder: Path, count: int, objects: int) -> _Labels:
    """All label files of a view; the pictures of labels stay unread."""
    out = _Labels(
        np.zeros(count, np.bool_),
        np.zeros((count, objects, 3, 4)),
        np.zeros((count, 1, 51)),
        np.full((count, 1, 21, 3), -1.0),
        np.full((count, 1, 21, 2), -1.0),
    )
    for t in range(count):
        path = folder / f"labels_{t:06d}.npz"
        if not path.is_file():
            continue
        out.present[t] = True
        for name, value in _label_arrays(path, ("pose_y", "pose_m", "joint_3d", "joint_2d")).items():
            rows: Array = getattr(out, name)
            if value.shape != rows.shape[1:]:
                raise InputError(f"{path}: {name} must be {rows.shape[1:]}, but is {value.shape}")
            rows[t] = value
    if not out.present.any():
        raise InputError(f"{folder} holds no labels_*.npz")
    return out


def _label_arrays(path: Path, names: Sequence[str]) -> dict[str, NDArray[Any]]:
    """Some arrays of one label file; the others stay unread."""
    with door(path, "a label file"), np.load(path, allow_pickle=False) as arrays:
        return {name: arrays[name] for name in names}


def _quoted(value: object) -> str:
    """A name of date and time that YAML may have read as a number."""
    text = str(value)
    return f"{text[:8]}_{text[8:]}" if isinstance(value, int) and len(text) == 14 else text
