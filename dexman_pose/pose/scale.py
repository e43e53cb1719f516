"""The metric size of an object whose mesh has none: from depth, or from the hands that hold it.

A picture is unchanged when mesh and distance grow together, so one factor per object is free. It is solved once from
the whole clip, never per frame: the median over all frames in which the object's distance can be read off something
metric.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from dexman_pose.data import Camera, DepthSequence, HandTrack, MaskSequence, Mesh, PoseTrack
from dexman_pose.data.tracks import ScaleSource
from dexman_pose.render import Rasterizer

Array = NDArray[np.float64]

_TIPS = (4, 8, 12, 16, 20)
_STEP = 3  # every third frame is plenty: neighbours say the same


@dataclass(frozen=True)
class Scale:
    """A factor on mesh and translations, and what fixed it."""

    factor: float
    source: ScaleSource


def scale_from_depth(
    track: PoseTrack, mesh: Mesh, masks: MaskSequence, name: str, camera: Camera, depth: DepthSequence
) -> Scale | None:
    """Median ratio of measured to rendered depth over the object's pixels; None when there are too few."""
    rasterizer, ratios = Rasterizer(mesh), []
    for index in np.nonzero(track.valid)[0][::_STEP]:
        measured = depth.frame(int(index))
        picture = rasterizer.render(
            track.camera_from_object[index][None], camera.K, camera.width, camera.height
        )
        assert picture.depth is not None
        drawn = picture.depth[0]
        both = (drawn > 0) & (measured > 0) & masks.mask(int(index), name)
        if int(both.sum()) >= 20:
            ratios.append(float(np.median(measured[both] / drawn[both])))
    return Scale(float(np.median(ratios)), "depth") if ratios else None


def scale_from_hands(
    track: PoseTrack, mesh: Mesh, masks: MaskSequence, name: str, hands: dict[str, HandTrack]
) -> Scale | None:
    """Median ratio of hand to object distance where finger tips overlap the object in the picture.

    A held object is as far away as the fingers that hold it, give or take its own thickness. Returns None when no hand
    comes near it while both are tracked.
    """
    ratios = []
    for index in np.nonzero(track.valid)[0][::_STEP]:
        near = []
        mask = masks.mask(int(index), name)
        if not mask.any():
            continue
        grown = cv2.dilate(mask.astype(np.uint8), np.ones((9, 9), np.uint8)) > 0
        for hand in hands.values():
            if hand.valid[index]:
                near.append(_tips_on(grown, hand.joints_2d[index], hand.joints[index]))
        depths = np.concatenate(near) if near else np.zeros(0)
        if len(depths) < 2:
            continue
        ratios.append(float(np.median(depths)) / _middle_depth(track.camera_from_object[index], mesh))
    return Scale(float(np.median(ratios)), "hand") if len(ratios) >= 3 else None


def _tips_on(mask: NDArray[np.bool_], pixels: Array, joints: Array) -> Array:
    """(N,) distances z in metres of the finger tips that lie on the mask."""
    at = np.round(pixels[list(_TIPS)]).astype(int)
    inside = (at >= 0).all(1) & (at[:, 0] < mask.shape[1]) & (at[:, 1] < mask.shape[0])
    at = at.clip(0, [mask.shape[1] - 1, mask.shape[0] - 1])
    return joints[list(_TIPS), 2][inside & mask[at[:, 1], at[:, 0]]]


def _middle_depth(pose: Array, mesh: Mesh) -> float:
    """z of the mesh's middle in the camera frame, metres."""
    return float((pose[:3, :3] @ mesh.center + pose[:3, 3])[2])
