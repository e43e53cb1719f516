"""HO3D (versions 2 and 3) as recordings: one per sequence.

What is unlike elsewhere, and where it goes:

- Poses, joints and hand parameters are in OpenGL axes (+y up, +z backwards); here all are in OpenCV's.
- Turning MANO parameters into other axes is more than turning the root: the root joint stays where the template has
  it, so the translation changes by a term that the annotated wrist gives (:func:`_mano_in_opencv`).
- A frame without annotation has a pickle with None in place of arrays; such frames are not ``valid``.
- Depth is spread over two channels of an 8-bit image, (red + 256 green) steps of 0.125 mm.
- Joints come in MANO's order, index finger first; here in that of ``JOINT_NAMES``.
- The evaluation split has only the wrist of the hand, which makes no hand track.
- One camera per sequence; version 3 places the cameras of some sequences (``calibration``), else the world is the
  camera.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dexman_pose.arrays import Array
from dexman_pose.data import Camera, RigidObject
from dexman_pose.data.files import existing_folder
from dexman_pose.data.mano import ManoParameters
from dexman_pose.data.pickles.load import load_pickle
from dexman_pose.datasets.plausible import with_suspicions
from dexman_pose.datasets.reading import (
    OnProblem,
    image_size,
    note_absent,
    read_image,
    read_mesh,
    report,
    reported,
    truth_hand,
    truth_object,
)
from dexman_pose.datasets.recording import DepthOf, Problem, Recording
from dexman_pose.errors import InputError
from dexman_pose.geometry import inverse, se3, so3_exp, so3_log
from dexman_pose.hands.mano.layout import MANO_ORDER

Annotation = dict[str, Any]

DEPTH_STEP = 0.00012498664727900177
"""Metres of one step of the depth images."""

OPENCV_FROM_OPENGL = np.diag([1.0, -1.0, -1.0])

SPLITS = ("train", "evaluation")

FPS = 30.0
_SIDE = "right"


def read_ho3d(
    root: str | Path,
    split: str | None = None,
    *,
    sequences: Iterable[str] | None = None,
    models: str | Path | None = None,
    on_problem: OnProblem | None = None,
) -> Iterator[Recording]:
    """The sequences of HO3D.

    Args:
        root: folder with ``train`` and ``evaluation``, or one of them.
        split: which of the two; None for both.
        sequences: e.g. ``ABF10``; None for all.
        models: folder of the YCB models, ``<models>/003_cracker_box/textured_simple.obj``; ``root/models`` if None.
        on_problem: gets every sequence that cannot be read; the rest goes on. None writes to the log.

    Yields:
        Recordings with one object, named as in YCB, and the right hand; times by file number at 30 a second.

    Raises:
        InputError: no such folder, another split, or no sequences in it.
    """
    folder = existing_folder(root, "the root of HO3D")
    if split is not None and split not in SPLITS:
        raise InputError(f"split must be {' or '.join(SPLITS)}, but is {split!r}")
    found = _folders(folder, split)
    if sequences is not None:
        wanted = set(sequences)
        found = [path for path in found if path.name in wanted]
    if not found:
        named = "" if sequences is None else " of that name"
        raise InputError(f"{folder} holds no sequences{named}: {split or '/'.join(SPLITS)}/<sequence>/meta")
    return _recordings(folder, found, Path(models or folder / "models"), on_problem)


def list_sequences(root: str | Path, split: str | None = None) -> list[str]:
    """Names of the sequences under a root, of one split or both."""
    return [folder.name for folder in _folders(Path(root), split)]


def _folders(root: Path, split: str | None) -> list[Path]:
    splits = SPLITS if split is None else (split,)
    return [p.parent for name in splits for p in sorted((root / name).glob("*/meta")) if p.is_dir()]


def decode_depth(image: NDArray[np.uint8]) -> NDArray[np.float32]:
    """(H, W) metres of the pixels (H, W, 3) RGB of a depth image; 0 where nothing was measured."""
    if image.ndim != 3 or image.shape[2] < 3 or image.dtype != np.uint8:
        raise InputError(
            f"an HO3D depth image has 8-bit red, green, blue, but is {image.dtype} {image.shape}"
        )
    wide = image.astype(np.uint16)  # 256 does not fit the 8 bits of the file
    steps = wide[..., 0] + 256 * wide[..., 1]
    return (steps * DEPTH_STEP).astype(np.float32)


def _recordings(
    root: Path, found: list[Path], models: Path, on_problem: OnProblem | None
) -> Iterator[Recording]:
    for folder in found:
        made: Recording | None = None
        with reported(on_problem, folder.name, folder, "a sequence of HO3D"):
            made = with_suspicions(_Sequence(root, folder, models, on_problem).recording(folder.parent.name))
        if made is not None:
            yield made


class _Sequence:
    """One sequence."""

    def __init__(self, root: Path, folder: Path, models: Path, on_problem: OnProblem | None) -> None:
        self.root, self.folder, self.models = root, folder, models
        self.on_problem = on_problem
        self.missing: list[str] = []
        stems = {p.stem for p in (folder / "meta").glob("*.pkl")}
        self.stems = sorted(stems | {p.stem for p in (folder / "rgb").glob("*") if p.stem.isdigit()})
        if not all(stem.isdigit() for stem in self.stems):
            raise InputError(f"{folder / 'meta'}: files must be named by frame numbers")
        self.frames = [self._annotation(folder / "meta" / f"{stem}.pkl") for stem in self.stems]

    def recording(self, split: str) -> Recording:
        images = self._images()
        camera = self._camera(images)
        objects = self._objects()
        hands, mano = self._hands(camera)
        return Recording(
            dataset="ho3d",
            name=self.folder.name,
            view="camera",
            camera=camera,
            camera_from_world=np.tile(self._world(), (len(self.stems), 1, 1)),
            frame_times=np.array([int(stem) / FPS for stem in self.stems]),
            objects=objects,
            object_ids={name: name for name in objects},
            hands=hands,
            mano=mano,
            images=images,
            depth=self._depth(),
            group=next(iter(objects), ""),
            split=split,
            missing=tuple(self.missing),
        )

    def _annotation(self, path: Path) -> Annotation:
        """The annotation of a frame, empty where there is none."""
        if not path.is_file():
            self.missing.append(f"{path} is not there: the frame has no annotation")
            return {}
        value = load_pickle(path)
        if not isinstance(value, dict):
            raise InputError(f"{path} must hold a dict, but holds a {type(value).__name__}")
        return {_text(key): entry for key, entry in value.items() if entry is not None}

    def _images(self) -> tuple[Path, ...]:
        rgb = self.folder / "rgb"
        suffix = (
            ".png" if not any(rgb.glob("*.jpg")) and any(rgb.glob("*.png")) else ".jpg"
        )  # version 2, or 3
        paths = tuple(rgb / (stem + suffix) for stem in self.stems)
        self.missing += note_absent(paths, "pictures")
        return paths

    def _camera(self, images: Sequence[Path]) -> Camera:
        matrices = [
            self._array(t, "camMat", (3, 3)) for t in range(len(self.frames)) if "camMat" in self.frames[t]
        ]
        if not matrices:
            raise InputError("no frame has camMat: nothing is annotated")
        if any(np.abs(k - matrices[0]).max() > 1e-3 for k in matrices):
            raise InputError("the intrinsics change within the sequence, which one camera cannot hold")
        width, height = next((image_size(p) for p in images if p.is_file()), (640, 480))
        return Camera(matrices[0], width, height)

    def _world(self) -> Array:
        """(4, 4) camera from world, by the calibration of the cameras that saw one scene together."""
        name, digit = self.folder.name[:-1], self.folder.name[-1]
        folder = self.root / "calibration" / name / "calibration"
        order = folder / "cam_orders.txt"
        if not (digit.isdigit() and order.is_file()):
            return np.eye(4)
        try:
            place = np.loadtxt(order, ndmin=1).astype(int).tolist().index(int(digit))
            world_from_camera = np.loadtxt(folder / f"trans_{place}.txt").reshape(4, 4)
        except (OSError, ValueError) as error:
            self.missing.append(f"{folder} does not place this camera ({error}): the world is the camera")
            return np.eye(4)
        return inverse(world_from_camera)

    def _array(self, t: int, key: str, shape: tuple[int, ...]) -> Array:
        try:
            value = np.asarray(self.frames[t][key], dtype=np.float64).reshape(shape)
        except (TypeError, ValueError) as error:
            raise InputError(f"frame {self.stems[t]}: {key} must be {shape}: {error}") from error
        return value

    def _objects(self) -> dict[str, RigidObject]:
        names = {_text(f["objName"]) for f in self.frames if "objName" in f}
        if len(names) != 1:
            raise InputError(
                f"a sequence must have one object, but the annotations name {sorted(names) or 'none'}"
            )
        name = names.pop()
        valid = np.array(["objRot" in f and "objTrans" in f for f in self.frames])
        poses = np.tile(np.eye(4), (len(valid), 1, 1))
        for t in np.flatnonzero(valid).tolist():
            turn, shift = self._array(t, "objRot", (3,)), self._array(t, "objTrans", (3,))
            poses[t] = se3(OPENCV_FROM_OPENGL @ so3_exp(turn), OPENCV_FROM_OPENGL @ shift)
        try:
            mesh = read_mesh(self.models / name / "textured_simple.obj", "m")
        except InputError as error:
            self.missing.append(f"{name} is left out: {error}")
            report(self.on_problem, Problem(self.folder.name, self.models / name, self.missing[-1]))
            return {}
        thing, notes = truth_object(name, mesh, poses, valid)
        self.missing += notes
        return {name: thing}

    def _hands(self, camera: Camera) -> tuple[dict[str, Any], dict[str, ManoParameters]]:
        sizes = [np.size(f.get("handJoints3D", ())) for f in self.frames]
        if 63 not in sizes:
            if 3 in sizes:
                self.missing.append("hand joints: only the wrist is given")
            return {}, {}
        seen = np.array(sizes) == 63
        joints = np.zeros((len(sizes), 21, 3))
        for t in np.flatnonzero(seen).tolist():
            joints[t] = self._array(t, "handJoints3D", (21, 3))[list(MANO_ORDER)] @ OPENCV_FROM_OPENGL
        hand = truth_hand(_SIDE, joints, seen, camera)
        mano = self._mano(seen)
        return ({} if hand is None else {_SIDE: hand}), ({} if mano is None else {_SIDE: mano})

    def _mano(self, seen: NDArray[np.bool_]) -> ManoParameters | None:
        keys = ("handPose", "handTrans", "handBeta")
        valid = seen & np.array([all(key in f for key in keys) for f in self.frames])
        if not valid.any():
            return None
        pose, shift = np.zeros((len(valid), 48)), np.zeros((len(valid), 3))
        shape = np.zeros((len(valid), 10))
        for t in np.flatnonzero(valid).tolist():
            wrist = self._array(t, "handJoints3D", (21, 3))[0]
            given = self._array(t, "handPose", (48,)), self._array(t, "handTrans", (3,))
            pose[t], shift[t] = _mano_in_opencv(*given, wrist)
            shape[t] = self._array(t, "handBeta", (10,))
        return ManoParameters(_SIDE, pose, shift, shape, valid, frame="camera", flat_hand_mean=True)

    def _depth(self) -> DepthOf | None:
        paths = [self.folder / "depth" / f"{stem}.png" for stem in self.stems]
        self.missing += note_absent(paths, "depth images")
        if not any(path.is_file() for path in paths):
            return None
        return lambda frame: decode_depth(read_image(paths[frame]))


def _mano_in_opencv(pose: Array, translation: Array, wrist: ArrayLike) -> tuple[Array, Array]:
    """MANO pose (48,) and translation (3,) for OpenCV axes, from those for OpenGL axes and the annotated wrist there.

    MANO puts a vertex x of the posed template at R (x - j) + j + t, j being the root joint of the template. Under a
    change of axes F this is F R (x - j) + F (j + t): the root turns by F, and t becomes F (j + t) - j. The annotated
    wrist is j + t, so j need not be known.
    """
    root = so3_log(OPENCV_FROM_OPENGL @ so3_exp(pose[:3]))
    joint = np.asarray(wrist) - translation
    return np.concatenate([root, pose[3:]]), OPENCV_FROM_OPENGL @ np.asarray(wrist) - joint


def _text(value: object) -> str:
    """Text that Python 2 may have pickled as bytes."""
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)
