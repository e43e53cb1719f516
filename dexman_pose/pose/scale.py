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
from scipy.spatial import cKDTree

from dexman_pose.data import Camera, DepthSequence, HandTrack, MaskSequence, Mesh, PoseTrack
from dexman_pose.data.tracks import ScaleSource
from dexman_pose.render import Rasterizer

Array = NDArray[np.float64]

_TIPS = (4, 8, 12, 16, 20)
_STEP = 3  # every third frame is plenty: neighbours say the same
_ENOUGH = 5  # frames; with fewer, those in between are asked too
_NEAR = 0.15  # of the object's size in the picture: how far beside its outline a finger tip holds it
_VERTICES = 4000  # of a mesh, enough to tell the depth at a place


@dataclass(frozen=True)
class Scale:
    """A factor on mesh and translations, and what fixed it."""

    factor: float
    source: ScaleSource


def scale_from_depth(
    track: PoseTrack, mesh: Mesh, masks: MaskSequence, name: str, camera: Camera, depth: DepthSequence
) -> Scale | None:
    """Median ratio of measured to rendered depth over the object's pixels; None when there are too few."""
    rasterizer = Rasterizer(mesh)
    ratios: list[float] = []
    for index in _spread(track):
        if index is None:
            if len(ratios) >= _ENOUGH:
                break
            continue
        measured = depth.frame(index)
        if not (measured > 0).any():
            continue
        picture = rasterizer.render(
            track.camera_from_object[index][None], camera.K, camera.width, camera.height
        )
        assert picture.depth is not None
        drawn = picture.depth[0]
        both = (drawn > 0) & (measured > 0) & masks.mask(index, name)
        if int(both.sum()) >= 20:
            ratios.append(float(np.median(measured[both] / drawn[both])))
    return Scale(float(np.median(ratios)), "depth") if ratios else None


def scale_from_hands(
    track: PoseTrack,
    mesh: Mesh,
    masks: MaskSequence,
    name: str,
    hands: dict[str, HandTrack],
    camera: Camera | None = None,
) -> Scale | None:
    """Median ratio of hand to object distance where finger tips overlap the object in the picture.

    With ``camera`` each tip is compared with the part of the object that lies where the tip is seen, behind the hand
    too: right for tools that are held at one end. Without it tips on the mask are compared with the object's middle.
    Returns None when no hand comes near it in three frames while both are tracked.
    """
    ratios = []
    for index in np.nonzero(track.valid)[0][::_STEP].tolist():
        held = [h for h in hands.values() if h.valid[index]]
        pose = track.camera_from_object[index]
        if camera is not None:
            found = [_ratios_at_tips(pose, mesh, camera, h.joints_2d[index], h.joints[index]) for h in held]
        else:
            mask = masks.mask(index, name)
            grown = cv2.dilate(mask.astype(np.uint8), np.ones((9, 9), np.uint8)) > 0
            middle = _middle_depth(pose, mesh)
            found = [_tips_on(grown, h.joints_2d[index], h.joints[index]) / middle for h in held]
        near = np.concatenate(found) if found else np.zeros(0)
        if len(near) >= 2:
            ratios.append(float(np.median(near)))
    return Scale(float(np.median(ratios)), "hand") if len(ratios) >= 3 else None


def _spread(track: PoseTrack) -> list[int | None]:
    """Every third valid frame, then, after a None that marks the place, the others."""
    valid = np.nonzero(track.valid)[0].tolist()
    return [*valid[::_STEP], None, *valid[1::_STEP], *valid[2::_STEP]]


def _ratios_at_tips(pose: Array, mesh: Mesh, camera: Camera, pixels: Array, joints: Array) -> Array:
    """(N,) distance of each finger tip near the object over that of the object there.

    Front and back of the object count alike: fingers close around it.
    """
    points = mesh.vertices[:: max(1, len(mesh.vertices) // _VERTICES)] @ pose[:3, :3].T + pose[:3, 3]
    if (points[:, 2] <= 0.02).any():
        return np.zeros(0)
    drawn = camera.project(points)
    size = float(np.ptp(drawn, axis=0).max())
    off, which = cKDTree(drawn).query(pixels[list(_TIPS)], k=min(16, len(drawn)))
    near = off[:, 0] < _NEAR * size
    there = points[which, 2].mean(1)
    return np.asarray((joints[list(_TIPS), 2] / there)[near], np.float64)


def _tips_on(mask: NDArray[np.bool_], pixels: Array, joints: Array) -> Array:
    """(N,) distances z in metres of the finger tips that lie on the mask."""
    at = np.round(pixels[list(_TIPS)]).astype(int)
    inside = (at >= 0).all(1) & (at[:, 0] < mask.shape[1]) & (at[:, 1] < mask.shape[0])
    at = at.clip(0, [mask.shape[1] - 1, mask.shape[0] - 1])
    return joints[list(_TIPS), 2][inside & mask[at[:, 1], at[:, 0]]]


def _middle_depth(pose: Array, mesh: Mesh) -> float:
    """z of the mesh's middle in the camera frame, metres."""
    return float((pose[:3, :3] @ mesh.center + pose[:3, 3])[2])
