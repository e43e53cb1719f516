"""Outlines of the visible parts of the objects of a trajectory, frame by frame."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from dexman_pose.arrays import Array
from dexman_pose.data import Camera, RigidObject
from dexman_pose.geometry import transform_points
from dexman_pose.pose.search.viewpoints import extreme_points
from dexman_pose.render import Rasterizer

_NEAR = 0.01
_SMALLEST = 6  # contours of fewer points are specks between pixels


@dataclass(frozen=True)
class _Patch:
    """Depth (h, w) of one object in the part of the image where it can be; top left pixel (x0, y0)."""

    x0: int
    y0: int
    depth: NDArray[np.float32]

    @property
    def box(self) -> tuple[slice, slice]:
        h, w = self.depth.shape
        return slice(self.y0, self.y0 + h), slice(self.x0, self.x0 + w)


class SceneOutlines:
    """Renders objects at their poses and traces what is visible of each; for one thread at a time.

    Objects hide each other by depth. A pose that is not valid is traced as if it were alone: a guess hides
    nothing.

    Args:
        objects: by name.
        camera: intrinsics and size of the picture the outlines are for; they are those without its lens (:func:`bent`).
    """

    def __init__(self, objects: Mapping[str, RigidObject], camera: Camera) -> None:
        self._objects = objects
        self._camera = camera.without_lens()
        self._rasterizers = {name: Rasterizer(obj.mesh) for name, obj in objects.items()}
        self._corners = {name: extreme_points(obj.mesh.vertices) for name, obj in objects.items()}
        self._traced: dict[int, dict[str, list[Array]]] = {}
        self._front = np.full((camera.height, camera.width), np.inf, np.float32)

    def trace_ahead(self, indices: Iterable[int]) -> None:
        """Trace frames before they are asked for; curves are kept until they are."""
        for index in indices:
            self._traced[index] = self._trace(index)

    def trace(self, index: int) -> dict[str, list[Array]]:
        """Closed curves (N, 2) in pixels of every object in frame ``index``; none for one out of sight."""
        known = self._traced.pop(index, None)
        return self._trace(index) if known is None else known

    def _trace(self, index: int) -> dict[str, list[Array]]:
        patches = {name: self._patch(name, index) for name in self._objects}
        trusted = {n: p for n, p in patches.items() if p is not None and self._objects[n].valid[index]}
        front = self._front  # made anew, it would take as long as all the rest of it
        for patch in trusted.values():
            front[patch.box] = np.inf
        for patch in trusted.values():
            part = front[patch.box]
            np.minimum(part, patch.depth, out=part, where=patch.depth > 0)
        curves: dict[str, list[Array]] = {}
        for name, found in patches.items():
            if found is None:
                curves[name] = []
                continue
            visible = found.depth > 0
            if name in trusted:
                visible &= found.depth <= front[found.box]
            curves[name] = self._contours(visible, found.x0, found.y0)
        return curves

    def _patch(self, name: str, index: int) -> _Patch | None:
        obj, camera = self._objects[name], self._camera
        pose = obj.camera_from_object[index]
        box = _image_box(transform_points(pose, self._corners[name]), camera)
        if box is None:
            return None
        x0, y0, width, height = box
        crop = camera.cropped(x0, y0, width, height)
        picture = self._rasterizers[name].render(pose[None], crop.K, width, height, near=_NEAR)
        return _Patch(x0, y0, np.asarray(picture.depth)[0])

    def _contours(self, visible: NDArray[np.bool_], x0: int, y0: int) -> list[Array]:
        found, _ = cv2.findContours(visible.astype(np.uint8), cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
        offset = np.array([x0, y0], dtype=np.float64)
        curves = [_smooth(c[:, 0].astype(np.float64)) for c in found if len(c) >= _SMALLEST]
        return [_moved_outwards(curve, 0.5) + offset for curve in curves]


def bent(pixels: Array, camera: Camera) -> Array:
    """Pixels (N, 2) of the camera without its lens as the lens shows them; those it does not show are left out."""
    if camera.lens is None or len(pixels) == 0:
        return pixels
    shown = camera.project(camera.without_lens().unproject(pixels, np.ones(len(pixels))))
    return shown[np.isfinite(shown).all(-1)]


def _image_box(points: Array, camera: Camera) -> tuple[int, int, int, int] | None:
    """x0, y0, width, height of the part of the image that camera-frame points (V, 3) can cover, or None."""
    front = points[:, 2] > _NEAR
    if not front.any():
        return None
    low, high = np.zeros(2), np.array([camera.width - 1.0, camera.height - 1.0])
    if front.all():
        pixels = camera.project(points)
        low = np.maximum(low, np.floor(pixels.min(0)) - 2)
        high = np.minimum(high, np.ceil(pixels.max(0)) + 2)
    if (high < low).any():
        return None
    x0, y0 = (int(v) for v in low)
    width, height = (int(v) for v in high - low + 1)
    return x0, y0, width, height


def _smooth(curve: Array) -> Array:
    """Take the pixel stairs out of a closed contour: a binomial filter, (1, 4, 6, 4, 1) / 16."""
    for _ in range(2):
        curve = 0.5 * curve + 0.25 * (np.roll(curve, 1, 0) + np.roll(curve, -1, 0))
    return curve


def _moved_outwards(curve: Array, pixels: float) -> Array:
    """Contours run through the outermost pixels of a mask; its edge lies half a pixel farther out.

    OpenCV walks around an area and around its holes so that the area lies on the same hand.
    """
    along = np.roll(curve, -1, 0) - np.roll(curve, 1, 0)
    length = np.linalg.norm(along, axis=1, keepdims=True)
    normal = np.stack([-along[:, 1], along[:, 0]], -1) / np.maximum(length, 1e-9)
    return np.asarray(curve + pixels * normal, dtype=np.float64)
