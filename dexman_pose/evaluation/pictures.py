"""Frames of a dataset with truth and prediction, for the overlays of a report."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dexman_pose.arrays import Array
from dexman_pose.data import Camera, Clip, Mesh
from dexman_pose.datasets.recording import Recording
from dexman_pose.errors import DexmanError
from dexman_pose.evaluation.prediction import Prediction
from dexman_pose.evaluation.predictions import load_prediction
from dexman_pose.evaluation.results import ObjectScores
from dexman_pose.evaluation.sources import Source

Picture = tuple[NDArray[np.uint8], Camera, Mesh, Array, Array | None]


def frames_for(source: Source, predictions: str | Path) -> Callable[[ObjectScores, int], Picture | None]:
    """A function that gives, for an object and a frame: picture, camera, mesh, true pose and predicted pose or None.

    Poses are as predicted, before any alignment of the protocol. Where there is no picture it gives None.
    """

    @lru_cache(maxsize=4)
    def opened(sequence: str) -> list[tuple[Recording, Prediction | None, Clip | None]]:
        out = []
        for recording in source.read(sequence, lambda problem: None):
            try:
                prediction = load_prediction(predictions, recording)
            except DexmanError:
                prediction = None
            out.append((recording, prediction, _clip(recording)))
        return out

    def frame_of(scores: ObjectScores, frame: int) -> Picture | None:
        for recording, prediction, clip in opened(scores.sequence):
            if recording.view != scores.view or clip is None or frame >= clip.num_frames:
                continue
            truth = recording.objects[scores.name]
            found = prediction.objects.get(scores.name) if prediction is not None else None
            pose = found.camera_from_object[frame] if found is not None and found.valid[frame] else None
            return clip.frame(frame), recording.camera, truth.mesh, truth.camera_from_object[frame], pose
        return None

    return frame_of


def _clip(recording: Recording) -> Clip | None:
    try:
        if recording.video is not None:
            return Clip.open(recording.video)
        if recording.images:
            return Clip.from_images(recording.images)
    except DexmanError:
        return None
    return None
