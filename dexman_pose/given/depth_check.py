"""Whether depth is in the unit it is taken to be in: by the size that known meshes and hands are seen at."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from dexman_pose.arrays import FloatImage, Mask
from dexman_pose.data.camera import Camera
from dexman_pose.data.depth import DepthSequence
from dexman_pose.data.masks import MaskSequence
from dexman_pose.data.mesh import Mesh
from dexman_pose.data.tracks import HandObservations
from dexman_pose.errors import InputError
from dexman_pose.hands.lifting.bones import AVERAGE_LENGTHS
from dexman_pose.hands.mediapipe.roi import hand_size
from dexman_pose.imaging.masks import eroded, mask_box


@dataclass(frozen=True)
class CheckOptions:
    """How far measured depth may be from what sizes tell. Set by hand: masks leak, hands hide, hands differ.

    Attributes:
        near: least measured distance over the least that sizes allow; masks that are cut make things look far.
        far: greatest measured distance over the greatest that sizes allow; masks that leak make things look near.
        frames: frames looked at.
        least: frames, or hands, that must speak against it.
        pixels: measured pixels that make a distance.
        views: sides from which a mesh is looked at.
        vertices: of a mesh, enough to tell its outline.
    """

    near: float = 0.55
    far: float = 2.5
    frames: int = 8
    least: int = 1
    pixels: int = 12
    views: int = 60
    vertices: int = 2000


_DEFAULTS = CheckOptions()


def check_unit(
    depth: DepthSequence,
    masks: MaskSequence,
    camera: Camera,
    meshes: Mapping[str, Mesh | None],
    observations: HandObservations | None,
    options: CheckOptions = _DEFAULTS,
) -> None:
    """Compare measured distances with those at which objects of known size, and hands, look as large as they do.

    Args:
        depth: metres.
        masks: label images.
        camera: intrinsics.
        meshes: of known size, by object; None for others.
        observations: hands, or None.
        options: thresholds.

    Raises:
        InputError: most frames say that the unit is another; the message names the factor.
    """
    found = [
        (f"the mesh of {name!r}", _by_mesh(depth, masks, camera, name, mesh, options))
        for name, mesh in meshes.items()
        if mesh is not None
    ]
    if observations is not None:
        found.append(("the hands", _by_hands(depth, camera, observations, options)))
    for what, ranges in found:
        if len(ranges) < options.least:
            continue
        measured, low, high = np.median(np.array(ranges), axis=0)
        if options.near * low <= measured <= options.far * high:
            continue
        likely = float(np.sqrt(low * high))
        raise InputError(
            f"the depth puts it at {measured:.4g} m, but by {what} it is at about {likely:.2g} m, a factor of "
            f"{measured / likely:.3g}: is the unit of the depth, or of the mesh, another? give depth unit and mesh unit"
        )


def _by_mesh(
    depth: DepthSequence, masks: MaskSequence, camera: Camera, name: str, mesh: Mesh, options: CheckOptions
) -> list[tuple[float, float, float]]:
    """Measured distance, and the least and greatest at which the object looks so large, in frames that show it well."""
    least, greatest = _shown_sizes(mesh, options)
    areas = np.array([int(masks.mask(t, name).sum()) for t in range(masks.num_frames)])
    out = []
    for frame in np.argsort(-areas, kind="stable")[: options.frames]:
        mask = masks.mask(int(frame), name)
        box = mask_box(mask)
        seen = _median(depth.frame(int(frame)), mask, options.pixels) if box is not None else None
        if box is None or seen is None:
            continue
        side = _hull_size(np.argwhere(mask).astype(np.float32))
        focal = 0.5 * (camera.fx + camera.fy)
        out.append((seen, focal * least / side, focal * greatest / side))
    return out


def _shown_sizes(mesh: Mesh, options: CheckOptions) -> tuple[float, float]:
    """Least and greatest square root of the area, metres, that the convex hull of a mesh shows from any side."""
    step = max(1, len(mesh.vertices) // options.vertices)
    points = mesh.vertices[::step]
    turns = np.arange(options.views) + 0.5
    up = 1.0 - turns / options.views
    around = np.pi * (1.0 + 5.0**0.5) * turns
    sizes = []
    for z, angle in zip(up, around):
        flat = np.sqrt(1.0 - z * z)
        view = np.array([flat * np.cos(angle), flat * np.sin(angle), z])
        side = np.cross(view, [1.0, 0.0, 0.0] if abs(view[0]) < 0.5 else [0.0, 1.0, 0.0])
        side /= np.linalg.norm(side)
        plane = np.stack([side, np.cross(view, side)], 1)
        sizes.append(_hull_size((points @ plane).astype(np.float32)))
    return min(sizes), max(sizes)


def _hull_size(points: NDArray[np.float32]) -> float:
    """Square root of the area of the convex hull of points (N, 2), never 0."""
    return float(np.sqrt(max(cv2.contourArea(cv2.convexHull(points)), 1e-12)))


def _median(image: FloatImage, mask: Mask, least: int) -> float | None:
    """Median depth inside a mask, away from its edge where that leaves enough."""
    inner = eroded(mask, 2)
    values = image[inner] if np.count_nonzero(image[inner]) >= least else image[mask]
    values = values[values > 0]
    return float(np.median(values)) if len(values) >= least else None


def _by_hands(
    depth: DepthSequence, camera: Camera, observations: HandObservations, options: CheckOptions
) -> list[tuple[float, float, float]]:
    """The same of palms: measured at the joints."""
    out: list[tuple[float, float, float]] = []
    frames, sides = np.nonzero(observations.detected)
    step = max(1, len(frames) // options.frames)
    for frame, side in zip(frames[::step], sides[::step]):
        pixels = observations.joints_2d[frame, side]
        image = depth.frame(int(frame))
        u, v = np.rint(pixels).astype(int).T
        inside = (u >= 0) & (v >= 0) & (u < image.shape[1]) & (v < image.shape[0])
        values = image[v[inside], u[inside]]
        values = values[values > 0]
        if len(values) < options.pixels:
            continue
        size = max(float(hand_size(pixels)), 1.0)
        likely = 0.5 * (camera.fx + camera.fy) * float(AVERAGE_LENGTHS[5]) / size
        out.append((float(np.median(values)), 0.7 * likely, 1.3 * likely))
    return out
