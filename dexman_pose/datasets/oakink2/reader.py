"""OakInk2 as recordings: one per sequence and camera.

What is unlike elsewhere, and where it goes:

- One pickle per sequence holds everything, keyed by mocap frame numbers: 120 a second, of which the videos have
  every fourth. Only frames with a picture become frames here; their times are number / 120.
- Objects are placed in the mocap world, cameras by camera from world; here objects are in the camera frame.
- Hands are MANO parameters with quaternions (w, x, y, z) for all 16 joints, in the world, the wrist at ``tsl``. They
  become axis-angle; joints, and with them hand tracks, take MANO's own file.
- A frame whose entry is missing is not ``valid``.
- Pictures are JPEG files in folders named by the serial number of the camera.
- The program (which primitive when) is a file of its own: :mod:`dexman_pose.datasets.oakink2.program`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dexman_pose.arrays import Array
from dexman_pose.data import Camera, HandTrack, Mesh, RigidObject
from dexman_pose.data.files import existing_folder, one_line
from dexman_pose.data.mano import ManoParameters
from dexman_pose.data.pickles.load import load_pickle
from dexman_pose.datasets.mano_joints import ManoModels, joints_from_mano
from dexman_pose.datasets.reading import (
    OnProblem,
    image_size,
    is_rotation,
    note_absent,
    read_mesh,
    report,
    reported,
    truth_hand,
    truth_object,
)
from dexman_pose.datasets.recording import Problem, Recording
from dexman_pose.errors import InputError
from dexman_pose.geometry import matrix_from_quaternion, so3_log, transform_points

MOCAP_RATE = 120.0
"""Mocap frames per second: frame numbers count them, also those of the pictures."""

_MODELS = ("object_raw", "object_repair", "object_preview")
_SIDES = {"left": "lh", "right": "rh"}
_DEFAULT_SIZE = (848, 480)
_MAX_BYTES = 1 << 31


def read_oakink2(
    root: str | Path,
    *,
    sequences: Iterable[str] | None = None,
    views: Iterable[str] | None = None,
    on_problem: OnProblem | None = None,
    mano: ManoModels | str | Path | None = None,
) -> Iterator[Recording]:
    """The sequences of OakInk2, each as seen by each camera.

    Args:
        root: folder with ``anno_preview`` and, where they are unpacked, ``data`` and ``object_raw`` (or
            ``object_repair``, ``object_preview``).
        sequences: names such as ``scene_01__A001++0123__2023-04-01-10-00-00``, ``/`` allowed for ``++``; None: all.
        views: names of cameras such as ``"egocentric"`` or ``"allocentric_top"``; None for all selected ones.
        on_problem: gets every sequence, view or object that cannot be read; the rest goes on. None writes to the log.
        mano: the folder of the user's MANO files, or these with what the dataset does not say; without them hands have
            no joints.

    Yields:
        Recordings; objects by their id, ``group`` the scene, MANO parameters in the world.

    Raises:
        InputError: no such folder, or no sequences in it.
    """
    folder = existing_folder(Path(root) / "anno_preview", "the root of OakInk2, with anno_preview in it")
    files = sorted(folder.glob("*.pkl"))
    if sequences is not None:
        wanted = {name.replace("/", "++") for name in sequences}
        files = [path for path in files if path.stem in wanted]
    if not files:
        raise InputError(f"{folder} holds no sequences{'' if sequences is None else ' of that name'}: *.pkl")
    wanted_views = None if views is None else set(views)
    return _recordings(Path(root), files, wanted_views, on_problem, ManoModels.of(mano))


def list_sequences(root: str | Path) -> list[str]:
    """Names of the annotated sequences under a root."""
    return sorted(path.stem for path in (Path(root) / "anno_preview").glob("*.pkl"))


def _recordings(
    root: Path,
    files: list[Path],
    views: set[str] | None,
    on_problem: OnProblem | None,
    models: ManoModels | None,
) -> Iterator[Recording]:
    for path in files:
        sequence: _Sequence | None = None
        with reported(on_problem, path.stem, path, "an annotation of OakInk2"):
            sequence = _Sequence(root, path, on_problem, models)
        for view in sequence.views if sequence is not None else ():
            if views is not None and view not in views:
                continue
            made: Recording | None = None
            with reported(on_problem, f"{path.stem}/{view}", path, "an annotation of OakInk2"):
                made = sequence.recording(view)
            if made is not None:
                yield made


class _Sequence:
    """One sequence, seen by several cameras."""

    def __init__(
        self, root: Path, path: Path, on_problem: OnProblem | None, models: ManoModels | None
    ) -> None:
        self.root, self.path, self.on_problem = root, path, on_problem
        self.anno = load_pickle(path, max_bytes=_MAX_BYTES)
        if not isinstance(self.anno, dict):
            raise InputError(f"must hold a dict, but holds a {type(self.anno).__name__}")
        self.views = [str(name) for name in self._entry("cam_selection", (list, tuple))]
        self.serials = {str(name): str(s) for s, name in self._entry("cam_def", (dict,)).items()}
        self.frames = self._frame_numbers()
        self.notes: list[str] = []
        self.world_from_object = self._objects()
        self.mano = self._hands()
        self.joints = self._joints(models)

    def recording(self, view: str) -> Recording:
        missing = list(self.notes)
        images = self._images(view)
        missing += note_absent(images, "pictures")
        camera_from_world, known = self._extrinsics(view)
        if not known.all():
            missing.append(f"{int((~known).sum())} frames have no camera pose: nothing is valid in them")
        objects: dict[str, RigidObject] = {}
        for name, (mesh, poses, valid) in self.world_from_object.items():
            objects[name], notes = truth_object(name, mesh, camera_from_world @ poses, valid & known)
            missing += notes
        size = next((image_size(p) for p in images if p.is_file()), _DEFAULT_SIZE)
        camera = Camera(self._intrinsics(view), *size)
        return Recording(
            dataset="oakink2",
            name=self.path.stem,
            view=view,
            camera=camera,
            camera_from_world=camera_from_world,
            frame_times=(np.array(self.frames) - self.frames[0]) / MOCAP_RATE,
            objects=objects,
            object_ids={name: name for name in objects},
            hands=self._tracks(camera, camera_from_world, known),
            mano=self.mano,
            images=images,
            group=self.path.stem.split("++")[0],
            missing=tuple(missing),
            first_number=self.frames[0],
        )

    def _entry(self, key: str, kinds: tuple[type, ...]) -> Any:
        value = self.anno.get(key) if isinstance(self.anno, dict) else None
        if not isinstance(value, kinds):
            raise InputError(f"{key} must be a {kinds[0].__name__}, but is a {type(value).__name__}")
        return value

    def _frame_numbers(self) -> list[int]:
        """Numbers of the frames that have pictures."""
        try:
            frames = [int(f) for f in self._entry("frame_id_list", (list, tuple, np.ndarray))]
            mocap = {int(f) for f in self._entry("mocap_frame_id_list", (list, tuple, np.ndarray, range))}
        except (TypeError, ValueError) as error:
            raise InputError(f"frame numbers must be whole numbers: {error}") from error
        if not frames or any(b <= a for a, b in pairwise(frames)):
            raise InputError("frame_id_list must hold increasing frame numbers")
        if mocap and not set(frames) & mocap:
            raise InputError(
                "no number of frame_id_list is in mocap_frame_id_list: the two do not count alike"
            )
        return frames

    def _images(self, view: str) -> tuple[Path, ...]:
        if view not in self.serials:
            raise InputError(f"cam_def names no camera {view}; it has {', '.join(self.serials) or 'none'}")
        folder = self.root / "data" / self.path.stem / self.serials[view]
        suffix = ".png" if not any(folder.glob("*.jpg")) and any(folder.glob("*.png")) else ".jpg"
        return tuple(folder / f"{frame:06d}{suffix}" for frame in self.frames)

    def _intrinsics(self, view: str) -> Array:
        per_frame = self._per_frame(self._entry("cam_intr", (dict,)).get(view), (3, 3), f"cam_intr of {view}")
        known = [k for k in per_frame if k is not None]
        if not known:
            raise InputError(f"cam_intr has nothing for {view}")
        if any(np.abs(k - known[0]).max() > 1e-3 for k in known):
            raise InputError(
                f"the intrinsics of {view} change within the sequence, which one camera cannot hold"
            )
        return known[0]

    def _extrinsics(self, view: str) -> tuple[Array, NDArray[np.bool_]]:
        per_frame = self._per_frame(self._entry("cam_extr", (dict,)).get(view), (4, 4), f"cam_extr of {view}")
        known = np.array([m is not None and bool(is_rotation(m[:3, :3])) for m in per_frame])
        return np.stack([np.eye(4) if m is None or not k else m for m, k in zip(per_frame, known)]), known

    def _per_frame(self, by_frame: Any, shape: tuple[int, ...], what: str) -> list[Array | None]:
        """The arrays of all frames with pictures, None where there is none."""
        if not isinstance(by_frame, dict):
            raise InputError(f"{what} must map frame numbers to arrays, but is a {type(by_frame).__name__}")
        out: list[Array | None] = []
        for frame in self.frames:
            value = by_frame.get(frame)
            try:
                out.append(None if value is None else np.asarray(value, dtype=np.float64).reshape(shape))
            except (TypeError, ValueError) as error:
                raise InputError(f"{what}, frame {frame}: must be {shape}: {one_line(error)}") from error
        return out

    def _objects(self) -> dict[str, tuple[Mesh, Array, NDArray[np.bool_]]]:
        """Mesh, world from object (T, 4, 4) and valid (T,) by id."""
        out = {}
        transforms = self._entry("obj_transf", (dict,))
        for name in map(str, self._entry("obj_list", (list, tuple))):
            try:
                per_frame = self._per_frame(transforms.get(name), (4, 4), f"obj_transf of {name}")
                mesh = read_mesh(self._mesh_file(name), "m")
            except InputError as error:
                self.notes.append(f"{name} is left out: {error}")
                report(self.on_problem, Problem(self.path.stem, self.path, self.notes[-1]))
                continue
            valid = np.array([m is not None for m in per_frame])
            out[name] = mesh, np.stack([np.eye(4) if m is None else m for m in per_frame]), valid
        return out

    def _mesh_file(self, name: str) -> Path:
        folders = [self.root / models / "align_ds" / name for models in _MODELS]
        for folder in folders:
            files = (
                sorted(p for p in folder.glob("*") if p.suffix in (".obj", ".ply")) if folder.is_dir() else []
            )
            if len(files) > 1:
                raise InputError(f"{folder} must hold one mesh, but holds {', '.join(p.name for p in files)}")
            if files:
                return files[0]
        raise InputError(f"no mesh in {folders[0]} (nor in {', '.join(_MODELS[1:])})")

    def _hands(self) -> dict[str, ManoParameters]:
        raw = self.anno.get("raw_mano") if isinstance(self.anno, dict) else None
        if not isinstance(raw, dict):
            self.notes.append(f"{self.path}: no raw_mano, so no hands")
            return {}
        found = {side: self._hand(raw, side, prefix) for side, prefix in _SIDES.items()}
        return {side: mano for side, mano in found.items() if mano is not None}

    def _joints(self, models: ManoModels | None) -> dict[str, Array]:
        """(T, 21, 3) joints in the world, by side."""
        if models is not None:
            return joints_from_mano(self.mano, models, self.notes)
        if self.mano:
            self.notes.append("hand joints: only MANO parameters are given, and joints need MANO's own file")
        return {}

    def _tracks(self, camera: Camera, poses: Array, known: NDArray[np.bool_]) -> dict[str, HandTrack]:
        """Hands as a camera sees them."""
        found = {
            side: truth_hand(side, transform_points(poses, joints), self.mano[side].valid & known, camera)
            for side, joints in self.joints.items()
        }
        return {side: track for side, track in found.items() if track is not None}

    def _hand(self, raw: dict[Any, Any], side: str, prefix: str) -> ManoParameters | None:
        def column(name: str, shape: tuple[int, ...]) -> list[Array | None]:
            key = f"{prefix}__{name}"
            values = {f: e.get(key) for f in self.frames if isinstance(e := raw.get(f), dict)}
            return self._per_frame(values, shape, key)

        quaternions, shifts = column("pose_coeffs", (16, 4)), column("tsl", (3,))
        shapes = column("betas", (10,))
        valid = np.array([_usable(q, t, b) for q, t, b in zip(quaternions, shifts, shapes)])
        if not valid.any():
            return None
        pose, shift, shape = np.zeros((len(valid), 48)), np.zeros((len(valid), 3)), np.zeros((len(valid), 10))
        for i in np.flatnonzero(valid).tolist():
            pose[i] = so3_log(matrix_from_quaternion(quaternions[i])).reshape(48)  # type: ignore[arg-type]
            shift[i], shape[i] = shifts[i], shapes[i]
        return ManoParameters(
            side, pose, shift, shape, valid, frame="world", flat_hand_mean=True, center_joint=0
        )


def _usable(quaternions: Array | None, *others: Array | None) -> bool:
    """All is there and finite, and no quaternion is zero."""
    if quaternions is None or any(o is None or not np.isfinite(o).all() for o in others):
        return False
    return bool(np.isfinite(quaternions).all() and (np.linalg.norm(quaternions, axis=-1) > 0.5).all())
