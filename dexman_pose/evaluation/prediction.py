"""What is scored: predicted poses of the objects of one sequence."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from dexman_pose.arrays import Array
from dexman_pose.data import Contacts, HandTrack, Mesh
from dexman_pose.datasets.recording import Recording

TRUTH = "truth"
"""In place of a path: the truth itself, which must score perfectly; ``truth:<fault>`` plants a fault in it."""


@dataclass(frozen=True)
class ObjectPrediction:
    """Where somebody says that an object is.

    Attributes:
        camera_from_object: (T, 4, 4) metres.
        valid: (T,) frames with a pose.
        mesh: the mesh the poses belong to, where it is not the dataset's.
    """

    camera_from_object: Array
    valid: NDArray[np.bool_]
    mesh: Mesh | None = None


@dataclass(frozen=True)
class Prediction:
    """What somebody says of a recording.

    Attributes:
        objects: by the recording's names.
        hands: by side.
        contacts: or None.
        source: the file or folder it was read from.
        notes: what a reader must know: lengths that differ, objects left out.
    """

    objects: dict[str, ObjectPrediction]
    hands: dict[str, HandTrack] = field(default_factory=dict)
    contacts: Contacts | None = None
    source: str = ""
    notes: tuple[str, ...] = ()


def truth_as_prediction(recording: Recording) -> Prediction:
    """The truth in a prediction's place."""
    objects = {name: ObjectPrediction(o.camera_from_object, o.valid) for name, o in recording.objects.items()}
    return Prediction(objects, dict(recording.hands), None, TRUTH)
