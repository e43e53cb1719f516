"""Anyone's results, read as one type: our trajectories, BOP's CSV, folders with a pose per frame."""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from dexman_pose.arrays import Array
from dexman_pose.data import Trajectory
from dexman_pose.datasets.bop.reader import image_ids, instance_of, scene_id
from dexman_pose.datasets.bop.results import BopEstimate, read_bop_results
from dexman_pose.datasets.pose_names import read_named_poses
from dexman_pose.datasets.recording import Recording
from dexman_pose.errors import InputError
from dexman_pose.evaluation.prediction import TRUTH, ObjectPrediction, Prediction, truth_as_prediction


def load_prediction(predictions: str | Path, recording: Recording) -> Prediction | None:
    """What a set of predictions holds for one recording; None where it holds nothing.

    Args:
        predictions: :data:`TRUTH`; a BOP results file (.csv); or a folder with, for each recording, the run folder or
            trajectory file ``<name>/<view>`` (``<name>`` alone will do where there is one view), or a folder
            ``<name>/<view>/<object>`` of one pose a frame.
        recording: whose.

    Raises:
        InputError: the path does not exist, or what lies there cannot be read.
    """
    if is_truth(predictions):
        from dexman_pose.evaluation.faults import truth_with_fault

        fault = str(predictions).partition(":")[2]
        return truth_with_fault(recording, fault) if fault else truth_as_prediction(recording)
    root = Path(predictions)
    if root.suffix.lower() == ".csv":
        return _from_bop(root, recording)
    if not root.is_dir():
        raise InputError(
            f"predictions {root}: expected a BOP results file (.csv), a folder with one trajectory for each "
            f"sequence, or {TRUTH!r}, but there is no such folder"
        )
    for base in (root / recording.name / recording.view, root / recording.name):
        if base.with_suffix(".npz").is_file():
            return _from_trajectory(base.with_suffix(".npz"), recording)
        if (base / "trajectory.npz").is_file():
            return _from_trajectory(base, recording)
        if base.is_dir() and any((base / name).is_dir() for name in _names_of(recording)):
            return _from_pose_folders(base, recording)
    return None


def is_truth(predictions: str | Path) -> bool:
    """Whether predictions stand for the truth, as it is or with a planted fault (``"truth:late"``)."""
    return str(predictions).partition(":")[0] == TRUTH


def check_predictions(predictions: str | Path) -> None:
    """Raise :class:`InputError` when predictions cannot be read at all, before the slow work begins."""
    if is_truth(predictions):
        from dexman_pose.evaluation.faults import check_fault

        check_fault(str(predictions).partition(":")[2])
    elif not Path(predictions).exists():
        raise InputError(f"the predictions {predictions} do not exist; give a folder, a .csv, or {TRUTH!r}")
    elif Path(predictions).is_file():
        read_bop_results(predictions)


def bop_scene(recording: Recording) -> int:
    """The number that stands for a recording in a BOP results file: its scene, or the digits of its name."""
    return scene_id(recording) if recording.dataset == "bop" else _digits(recording.name)


def bop_images(recording: Recording) -> NDArray[np.int64]:
    """(T,) numbers of the frames in a BOP results file: those of a BOP dataset's images, else counted from 0."""
    return image_ids(recording) if recording.dataset == "bop" else np.arange(recording.num_frames)


def bop_object(recording: Recording, name: str) -> int:
    """The number that stands for an object in a BOP results file: the digits of its id."""
    return instance_of(name)[0] if recording.dataset == "bop" else _digits(_id(recording, name))


def to_bop(recording: Recording, prediction: Prediction) -> list[BopEstimate]:
    """A prediction as rows of a BOP results file."""
    scene, images = bop_scene(recording), bop_images(recording)
    return [
        BopEstimate(scene, int(images[i]), bop_object(recording, name), 1.0, found.camera_from_object[i])
        for name, found in prediction.objects.items()
        for i in np.flatnonzero(found.valid)
    ]


def _digits(text: str) -> int:
    digits = re.sub(r"\D", "", text)
    return int(digits) if digits else 0


def _names_of(recording: Recording) -> set[str]:
    return set(recording.objects) | set(recording.object_ids.values())


def _id(recording: Recording, name: str) -> str:
    return recording.object_ids.get(name, name)


def _fitted(poses: Array, valid: NDArray[np.bool_], count: int) -> tuple[Array, NDArray[np.bool_]]:
    """Poses of exactly ``count`` frames: what is missing is not valid, what is too much is dropped."""
    out, known = np.repeat(np.eye(4)[None], count, 0), np.zeros(count, np.bool_)
    n = min(count, len(poses))
    out[:n], known[:n] = poses[:n], valid[:n]
    return out, known


def _from_trajectory(path: Path, recording: Recording) -> Prediction:
    read = Trajectory.load(path)
    notes = []
    if read.num_frames != recording.num_frames:
        notes.append(f"{read.num_frames} frames predicted, {recording.num_frames} recorded")
    objects = {}
    for name in recording.objects:
        key = name if name in read.objects else _id(recording, name)
        if key not in read.objects:
            notes.append(f"no object {name}; predicted are: {', '.join(read.objects) or 'none'}")
            continue
        o = read.objects[key]
        objects[name] = ObjectPrediction(
            *_fitted(o.camera_from_object, o.valid, recording.num_frames), o.mesh
        )
    return Prediction(objects, read.hands, read.contacts, str(path), tuple(notes))


@lru_cache(maxsize=4)
def _bop_table(path: Path, modified: float) -> dict[tuple[int, int], list[BopEstimate]]:
    table: dict[tuple[int, int], list[BopEstimate]] = {}
    for estimate in read_bop_results(path):
        table.setdefault((estimate.scene_id, estimate.obj_id), []).append(estimate)
    return table


def _from_bop(path: Path, recording: Recording) -> Prediction | None:
    if not path.is_file():
        raise InputError(f"the results file {path} does not exist")
    table = _bop_table(path, path.stat().st_mtime)
    alike: dict[int, list[str]] = {}
    for name in recording.objects:
        alike.setdefault(bop_object(recording, name), []).append(name)
    objects: dict[str, ObjectPrediction] = {}
    for number, names in alike.items():
        rows = table.get((bop_scene(recording), number))
        if rows is not None:
            objects |= _instances(rows, names, recording)
    return Prediction(objects, source=str(path)) if objects else None


def _instances(
    rows: list[BopEstimate], names: list[str], recording: Recording
) -> dict[str, ObjectPrediction]:
    """The rows of one object, shared out among its instances: in each image the best scores, each to the nearest."""
    count = recording.num_frames
    poses = {name: np.repeat(np.eye(4)[None], count, 0) for name in names}
    valid = {name: np.zeros(count, np.bool_) for name in names}
    by_image: dict[int, list[BopEstimate]] = {}
    for row in rows:
        by_image.setdefault(row.im_id, []).append(row)
    for frame, image in enumerate(bop_images(recording)):
        # As many as are asked for in this image: an instance that is not has no pose to be near to.
        asked = [name for name in names if recording.objects[name].valid[frame]]
        found = sorted(by_image.get(int(image), []), key=lambda r: -r.score)[: len(asked)]
        if not found:
            continue
        there = [recording.objects[name].camera_from_object[frame, :3, 3] for name in asked]
        apart = np.array([[np.linalg.norm(r.camera_from_object[:3, 3] - t) for t in there] for r in found])
        for i, j in zip(*linear_sum_assignment(apart)):
            poses[asked[j]][frame], valid[asked[j]][frame] = found[i].camera_from_object, True
    return {name: ObjectPrediction(poses[name], valid[name]) for name in names}


def _from_pose_folders(base: Path, recording: Recording) -> Prediction:
    objects, notes = {}, []
    for name in recording.objects:
        folder = next((base / key for key in (name, _id(recording, name)) if (base / key).is_dir()), None)
        if folder is None:
            notes.append(f"no folder for {name} in {base}")
            continue
        inner = folder / "ob_in_cam"
        frames, found, said = read_named_poses(
            inner if inner.is_dir() else folder, recording.images, recording.num_frames
        )
        poses, valid = (
            np.repeat(np.eye(4)[None], recording.num_frames, 0),
            np.zeros(recording.num_frames, np.bool_),
        )
        poses[frames], valid[frames] = found, True
        objects[name] = ObjectPrediction(poses, valid)
        notes += said
    return Prediction(objects, source=str(base), notes=tuple(notes))
