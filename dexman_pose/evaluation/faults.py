"""The truth with a mistake planted in it: shows whether an evaluation would notice the same mistake in real results."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from dexman_pose.arrays import Array
from dexman_pose.datasets.recording import Recording
from dexman_pose.errors import InputError
from dexman_pose.evaluation.prediction import TRUTH, ObjectPrediction, Prediction, truth_as_prediction
from dexman_pose.geometry import matrix_from_quaternion, quaternion_from_matrix, se3
from dexman_pose.metrics.points import add_s

_LOST = (0.4, 0.6)  # of the clip, in which poses are missing


def truth_with_fault(recording: Recording, fault: str) -> Prediction:
    """The truth of a recording as a prediction with one planted fault.

    Args:
        recording: whose truth.
        fault: one of :data:`FAULTS`: ``swapped`` (names exchanged), ``centimetres`` (translations 100 times too
            large), ``late`` (one frame), ``missing`` (a fifth of the frames), ``flipped`` (half a turn about the axis
            that changes the shape least), ``xyzw`` (quaternions read in the wrong order), ``transposed`` (rotations).
    """
    check_fault(fault)
    made = FAULTS[fault](recording, truth_as_prediction(recording))
    return replace(made, source=f"{TRUTH}:{fault}")


def check_fault(fault: str) -> None:
    """Raise :class:`InputError` unless there is such a fault; "" is none at all."""
    if fault and fault not in FAULTS:
        raise InputError(f"no fault named {fault!r}; there are: {', '.join(FAULTS)}")


def _swapped(recording: Recording, prediction: Prediction) -> Prediction:
    names = list(prediction.objects)
    taken = names[1:] + names[:1]
    return replace(prediction, objects={name: prediction.objects[other] for name, other in zip(names, taken)})


def _centimetres(recording: Recording, prediction: Prediction) -> Prediction:
    def grown(o: ObjectPrediction) -> ObjectPrediction:
        poses = o.camera_from_object.copy()
        poses[:, :3, 3] *= 100.0
        return replace(o, camera_from_object=poses)

    return replace(prediction, objects={name: grown(o) for name, o in prediction.objects.items()})


def _late(recording: Recording, prediction: Prediction) -> Prediction:
    index = np.maximum(np.arange(recording.num_frames) - 1, 0)

    def shifted(o: ObjectPrediction) -> ObjectPrediction:
        return replace(o, camera_from_object=o.camera_from_object[index], valid=o.valid[index])

    return replace(prediction, objects={name: shifted(o) for name, o in prediction.objects.items()})


def _missing(recording: Recording, prediction: Prediction) -> Prediction:
    share = np.arange(recording.num_frames) / max(recording.num_frames, 1)
    lost = (share >= _LOST[0]) & (share < _LOST[1])

    def thinned(o: ObjectPrediction) -> ObjectPrediction:
        return replace(o, valid=o.valid & ~lost)

    return replace(prediction, objects={name: thinned(o) for name, o in prediction.objects.items()})


def _flipped(recording: Recording, prediction: Prediction) -> Prediction:
    objects = {
        name: replace(o, camera_from_object=o.camera_from_object @ _least_visible_turn(recording, name))
        for name, o in prediction.objects.items()
    }
    return replace(prediction, objects=objects)


def _xyzw(recording: Recording, prediction: Prediction) -> Prediction:
    return _with_rotations(
        prediction, lambda r: matrix_from_quaternion(quaternion_from_matrix(r)[:, [1, 2, 3, 0]])
    )


def _transposed(recording: Recording, prediction: Prediction) -> Prediction:
    return _with_rotations(prediction, lambda r: np.swapaxes(r, 1, 2))


def _with_rotations(prediction: Prediction, change: Callable[[Array], Array]) -> Prediction:
    def changed(o: ObjectPrediction) -> ObjectPrediction:
        poses = o.camera_from_object.copy()
        poses[:, :3, :3] = change(poses[:, :3, :3])
        return replace(o, camera_from_object=poses)

    return replace(prediction, objects={name: changed(o) for name, o in prediction.objects.items()})


def _least_visible_turn(recording: Recording, name: str) -> Array:
    """(4, 4) half a turn about that axis of the object's box which moves its surface least."""
    mesh = recording.objects[name].mesh
    turns = []
    for axis in range(3):
        rotation = -np.eye(3)
        rotation[axis, axis] = 1.0
        turns.append(se3(rotation, mesh.center - rotation @ mesh.center))
    stacked = np.stack(turns)
    errors = add_s(stacked, np.eye(4), mesh.vertices)
    best: Array = stacked[int(np.argmin(errors))]
    return best


FAULTS: dict[str, Callable[[Recording, Prediction], Prediction]] = {
    "swapped": _swapped,
    "centimetres": _centimetres,
    "late": _late,
    "missing": _missing,
    "flipped": _flipped,
    "xyzw": _xyzw,
    "transposed": _transposed,
}
"""Mistakes that can be planted, by name."""
