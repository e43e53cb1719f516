"""Outlines of objects and of masks, frame by frame, as the page draws them over the pictures."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from dexman_pose.arrays import Array
from dexman_pose.data import OCCLUDER, Camera, MaskSequence, Trajectory
from dexman_pose.imaging.resize import resize_labels
from dexman_pose.viewer.outline import SceneOutlines, bent
from dexman_pose.viewer.replay.pack import Pack

_PARTS = 8
"""Of a pixel, to which places are kept."""
_OFF = 0.3  # pixels that a thinned curve may leave the full one
_FARTHEST = 32000
_FEWEST = 3


class Drawings:
    """Collects the curves of frames.

    Args:
        trajectory: whose objects are outlined.
        camera: of the pictures drawn on.
        masks: whose areas are outlined too; None for none.
    """

    def __init__(self, trajectory: Trajectory, camera: Camera, masks: MaskSequence | None) -> None:
        self._camera, self._masks = camera, masks
        self._names = list(trajectory.objects)
        self._outlines = SceneOutlines(trajectory.objects, camera)
        self._points: list[NDArray[np.int16]] = []
        self._lengths: list[int] = []
        self._counts: list[list[int]] = []
        labels = [] if masks is None else [*range(1, len(masks.names) + 1), OCCLUDER]
        self.labels: list[int] = labels

    def add(self, frame: int) -> None:
        """Draw a frame of the clip; the curves of frames lie in the order in which they are added."""
        traced = self._outlines.trace(frame)
        items = [[bent(curve, self._camera) for curve in traced[name]] for name in self._names]
        self._counts.append([self._keep(curves) for curves in [*items, *self._areas(frame)]])

    def into(self, pack: Pack) -> None:
        """Put all curves into the page's arrays."""
        points = np.concatenate(self._points) if self._points else np.zeros((0, 2), np.int16)
        pack.whole("drawn.points", points)
        pack.whole("drawn.lengths", np.array(self._lengths, np.uint16))
        pack.whole("drawn.counts", np.array(self._counts, np.uint16))

    def _areas(self, frame: int) -> list[list[Array]]:
        if self._masks is None:
            return []
        labels = resize_labels(self._masks.labels(frame), (self._camera.width, self._camera.height))
        return [_borders(labels == label) for label in self.labels]

    def _keep(self, curves: list[Array]) -> int:
        kept = 0
        for curve in curves:
            if len(curve) < _FEWEST:
                continue
            thin = cv2.approxPolyDP(curve.astype(np.float32), _OFF, True)[:, 0]
            coded = np.clip(np.rint(thin * _PARTS), -_FARTHEST, _FARTHEST).astype(np.int16)
            self._points.append(coded)
            self._lengths.append(len(coded))
            kept += 1
        return kept


def _borders(mask: NDArray[np.bool_]) -> list[Array]:
    found, _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
    return [curve[:, 0].astype(np.float64) for curve in found]
