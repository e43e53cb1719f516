"""Earlier views of an object, recognised in later pictures: what was seen before pulls back what has drifted since.

Points followed from frame to frame carry every error along. A keyframe keeps its points where they were on the object
when it was made, and its picture; later it is drawn as it would look from the present pose, by way of the mesh, and
its points are looked for close to where they should be. Turns in the image, of the object and of scale are in the
drawing already, so this reaches as far as the two views share some surface.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from dexman_pose.arrays import Array, FloatImage, Gray, Mask
from dexman_pose.data import Camera
from dexman_pose.imaging.correlation import local_contrast
from dexman_pose.imaging.flow import flow_both_ways
from dexman_pose.imaging.masks import crop_box, mask_box
from dexman_pose.pose.solver.residuals import PointMatches
from dexman_pose.render import Rasterizer

_SIDE = 200  # longest side in pixels of the crops
_POINTS = 60  # of a keyframe
_LEAST = 8  # matches below which a keyframe says nothing
PLENTY = 25
"""Matches above which nothing else is asked: neither a second keyframe nor followed points."""

_GRID = 4  # pixels between the nodes at which the way from one view to the other is worked out
_STEEPEST = 0.3  # cosine between surface normal and line of sight below which points are not looked for
_APART = np.cos(np.radians(30.0))  # views closer than this are one
_NEARER = 1.5  # or this factor of distance
_SAME_DEPTH = 0.12  # of the object's radius: what lies farther behind is another surface
_HEIR = 0.75  # trust of a keyframe, as a share of that of the one it was made by
_ALONE = 0.97  # share of trust left after a frame in which no keyframe was recognised
_SEEN, _SURE = 0.6, 0.6  # visible share and confidence that a new keyframe needs


@dataclass(frozen=True)
class EvenedCrop:
    """A picture of the object, cut out, reduced and evened in brightness.

    Attributes:
        gray: (h, w) uint8, mid-grey where it is not the object.
        own: (h, w) pixels of the object.
        camera: of the crop.
        origin: (2,) image pixel of the crop's corner.
        factors: (2,) by which it is reduced along x and y.
    """

    gray: Gray
    own: Mask
    camera: Camera
    origin: Array
    factors: Array

    def to_image(self, pixels: Array) -> Array:
        """Image pixels (N, 2) of crop pixels (N, 2)."""
        moved: Array = (pixels + 0.5) / self.factors - 0.5 + self.origin
        return moved


def evened_crop(
    frame: Gray, labels: NDArray[np.uint8], label: int, camera: Camera, max_side: int = _SIDE
) -> EvenedCrop | None:
    """Cut the object out of a frame (H, W); None where hardly anything of it is seen.

    Args:
        frame: brightness.
        labels: (H, W) label image; only pixels of ``label`` are the object.
        label: the object's value in it.
        camera: of the frame.
        max_side: longest side of the crop in pixels.
    """
    box = mask_box(labels == label)
    if box is None:
        return None
    x0, y0, w, h = crop_box([box], 0.04)
    x1, y1 = min(x0 + w, labels.shape[1]), min(y0 + h, labels.shape[0])
    x0, y0 = max(x0, 0), max(y0, 0)
    scale = min(1.0, max_side / max(x1 - x0, y1 - y0))
    width, height = round((x1 - x0) * scale), round((y1 - y0) * scale)
    if min(width, height) < 16:
        return None
    own = (labels[y0:y1, x0:x1] == label).astype(np.uint8)
    gray = frame[y0:y1, x0:x1]
    if scale < 1.0:
        gray = np.asarray(cv2.resize(gray, (width, height), interpolation=cv2.INTER_AREA), np.uint8)
        own = np.asarray(cv2.resize(own, (width, height), interpolation=cv2.INTER_NEAREST), np.uint8)
    factors = np.array([width / (x1 - x0), height / (y1 - y0)])
    mask = own > 0
    even = local_contrast(gray.astype(np.float32), mask)
    return EvenedCrop(
        even, mask, camera.cropped(x0, y0, width, height, factors), np.array([x0, y0], np.float64), factors
    )


@dataclass(eq=False)  # one view is another only if it is the same
class Keyframe:
    """A view of the object at a pose that is believed.

    Attributes:
        sight: its picture.
        camera_from_object: (4, 4).
        depth: (h / 4, w / 4) metres of the surface, rendered, 0 beside it.
        points: (N, 3) surface points, object frame.
        normals: (N, 3) unit, object frame.
        trust: 1 for the first, less the more steps it is away from that.
        used: when it was last recognised, in frames.
    """

    evened_crop: EvenedCrop
    camera_from_object: Array
    depth: FloatImage
    points: Array
    normals: Array
    trust: float
    used: int = 0

    @property
    def eye(self) -> Array:
        """(3,) the camera in the object frame."""
        return eye(self.camera_from_object)

    def facing(self, from_where: Array) -> Array:
        """(N,) cosines between each point's normal and the line to a place (3,), object frame."""
        line = from_where - self.points
        out: Array = (line * self.normals).sum(1) / np.linalg.norm(line, axis=1)
        return out


@dataclass(frozen=True)
class Drawn:
    """A keyframe as it would look from another pose: picture, the pixels it knows, and coarse depth there."""

    gray: Gray
    known: Mask
    depth: FloatImage


def eye(camera_from_object: Array) -> Array:
    """(3,) the camera's place in the object frame."""
    out: Array = -camera_from_object[:3, :3].T @ camera_from_object[:3, 3]
    return out


def coarse_depth(rasterizer: Rasterizer, pose: Array, camera: Camera) -> FloatImage:
    """(h / 4, w / 4) depth of the mesh in a crop, metres, 0 beside it."""
    grid = _grid_camera(camera)
    depth = rasterizer.render(pose[None], grid.K, grid.width, grid.height).depth
    assert depth is not None
    out: FloatImage = depth[0]
    return out


def drawn_at(keyframe: Keyframe, pose: Array, where: EvenedCrop, depth: FloatImage, radius: float) -> Drawn:
    """Draw a keyframe as it would look from a pose.

    Args:
        keyframe: the earlier view.
        pose: (4, 4) camera_from_object to draw it at.
        where: the crop to draw it into.
        depth: :func:`coarse_depth` there at that pose.
        radius: of the object, metres.
    """
    grid = _grid_camera(where.camera)
    height, width = depth.shape
    # Beside the surface its rim is carried on, so that the way is smooth up to the outline.
    whole = np.where(depth > 0, depth, cv2.dilate(depth, np.ones((3, 3), np.uint8)))
    v, u = np.mgrid[:height, :width].astype(np.float64)
    z = np.maximum(whole.astype(np.float64), 1e-3)
    points = np.stack([(u - grid.cx) / grid.fx * z, (v - grid.cy) / grid.fy * z, z], -1)
    turn = keyframe.camera_from_object[:3, :3] @ pose[:3, :3].T
    there = (points - pose[:3, 3]) @ turn.T + keyframe.camera_from_object[:3, 3]
    k, ahead = keyframe.evened_crop.camera, np.maximum(there[..., 2], 1e-3)
    x = (k.fx * there[..., 0] / ahead + k.cx).astype(np.float32)
    y = (k.fy * there[..., 1] / ahead + k.cy).astype(np.float32)
    held = cv2.remap(keyframe.depth, *_on_grid(x, y), cv2.INTER_NEAREST, borderValue=0)
    same = (np.abs(held - ahead) < _SAME_DEPTH * radius) & (whole > 0)
    size = (where.camera.width, where.camera.height)
    x, y, share = (_between_nodes(a, size) for a in (x, y, same.astype(np.float32)))
    gray = cv2.remap(keyframe.evened_crop.gray, x, y, cv2.INTER_LINEAR, borderValue=128)
    own = cv2.remap(
        keyframe.evened_crop.own.astype(np.uint8), x, y, cv2.INTER_NEAREST, borderMode=cv2.BORDER_CONSTANT
    )
    known = (share > 0.5) & (own > 0)
    return Drawn(np.where(known, gray, np.uint8(128)).astype(np.uint8), known, depth)


def _grid_camera(camera: Camera) -> Camera:
    """Of the nodes every few pixels of a crop."""
    width, height = -(-camera.width // _GRID) + 1, -(-camera.height // _GRID) + 1
    return camera.cropped(0.0, 0.0, width, height, 1.0 / _GRID)


def _on_grid(x: FloatImage, y: FloatImage) -> tuple[FloatImage, FloatImage]:
    """Places in the grid of places in the crop."""
    half = np.float32(0.5)
    return (x + half) / np.float32(_GRID) - half, (y + half) / np.float32(_GRID) - half


def _between_nodes(values: FloatImage, size: tuple[int, int]) -> FloatImage:
    """Values at the nodes carried to all pixels of the crop (width, height)."""
    height, width = values.shape
    whole = cv2.resize(values, (width * _GRID, height * _GRID), interpolation=cv2.INTER_LINEAR)
    return np.asarray(whole[: size[1], : size[0]], np.float32)


def find_points(
    keyframe: Keyframe, drawn: Drawn, pose: Array, now: EvenedCrop, which: NDArray[np.bool_], radius: float
) -> PointMatches | None:
    """Points (``which``, (N,)) of a keyframe drawn at a pose, found in the picture by flow checked both ways."""
    points = keyframe.points[which]
    moved = points @ pose[:3, :3].T + pose[:3, 3]
    if len(points) < _LEAST or (moved[:, 2] < 0.02).any():
        return None
    at = now.camera.project(moved)
    visible = _sampled(drawn.known, at) & _in_front(drawn.depth, at, moved[:, 2], radius)
    points, at = points[visible], at[visible]
    if len(points) < _LEAST:
        return None
    end, good = flow_both_ways(drawn.gray, now.gray, at)
    good &= _sampled(now.own, end)
    # Most of them are found where the view is recognised; a few among many are chance.
    if int(good.sum()) < max(_LEAST, 0.3 * len(good)):
        return None
    pixels = now.to_image(end[good])
    return PointMatches(points[good], pixels, np.full(len(pixels), keyframe.trust))


def _sampled(mask: Mask, at: Array) -> Mask:
    """(N,) values of a mask (h, w) at pixels (N, 2); False outside."""
    h, w = mask.shape
    x, y = np.round(np.clip(at, -2, [w + 1, h + 1])).astype(int).T
    inside = (x >= 0) & (y >= 0) & (x < w) & (y < h)
    out: Mask = inside & mask[y.clip(0, h - 1), x.clip(0, w - 1)]
    return out


def _in_front(depth: FloatImage, at: Array, z: Array, radius: float) -> Mask:
    """(N,) whether points at crop pixels (N, 2) and depths (N,) are the surface that is rendered there."""
    h, w = depth.shape
    x, y = np.round((at + 0.5) / _GRID - 0.5).astype(int).T
    there = depth[y.clip(0, h - 1), x.clip(0, w - 1)]
    out: Mask = (there <= 0) | (np.abs(there - z) < _SAME_DEPTH * radius)
    return out


@dataclass
class Keyframes:
    """The keyframes of one object.

    Attributes:
        limit: how many are kept at most; 0 for none.
        rasterizer: of the mesh.
        views: the keyframes; the first is the one that tracking began with.
        trust: that a keyframe made now would have.
    """

    limit: int
    rasterizer: Rasterizer
    views: list[Keyframe] = field(default_factory=list)
    trust: float = 1.0
    _tick: int = 0

    def __len__(self) -> int:
        return len(self.views)

    @property
    def radius(self) -> float:
        """Of the object, metres."""
        return self.rasterizer.mesh.radius

    def match(self, pose: Array, now: EvenedCrop) -> PointMatches | None:
        """Points of the keyframes that share most surface with a pose (4, 4), right to a few degrees, in a picture."""
        self._tick += 1
        depth = coarse_depth(self.rasterizer, pose, now.camera)
        parts: list[PointMatches] = []
        for keyframe, which in self._nearest(pose)[:2]:
            drawn = drawn_at(keyframe, pose, now, depth, self.radius)
            found = find_points(keyframe, drawn, pose, now, which, self.radius)
            if found is None:
                continue
            keyframe.used = self._tick
            parts.append(found)
            if len(found) >= PLENTY:
                break
        self._note(parts)
        return _joined(parts)

    def _note(self, parts: list[PointMatches]) -> None:
        if parts:
            self.trust = _HEIR * max(float(p.weight[0]) for p in parts)
        else:
            self.trust *= _ALONE

    def _nearest(self, pose: Array) -> list[tuple[Keyframe, NDArray[np.bool_]]]:
        """Keyframes by how much they and the pose see alike, times trust; with the points (N,) both see."""
        here = eye(pose)
        out = []
        for keyframe in self.views:
            facing = np.minimum(keyframe.facing(here), keyframe.facing(keyframe.eye))
            which = facing > _STEEPEST
            if int(which.sum()) >= _LEAST:
                out.append((keyframe.trust * float(facing[which].sum()), keyframe, which))
        out.sort(key=lambda entry: -entry[0])
        return [(keyframe, which) for _, keyframe, which in out]

    def offer(self, pose: Array, now: EvenedCrop, confidence: float, seen: float) -> None:
        """Keep a view if it is new, well seen and believed.

        Args:
            pose: (4, 4) of the object.
            now: the picture.
            confidence: of the pose, in [0, 1].
            seen: visible share of the object's outline.
        """
        if seen < _SEEN or (self.views and confidence < _SURE) or not self._is_new(pose):
            return
        made = make_keyframe(self.rasterizer, pose, now, confidence * self.trust)
        if made is None:
            return
        made.used = self._tick
        if len(self.views) >= self.limit:
            # The first is never given up: all others got their places from it.
            rest = self.views[1:]
            if not rest:
                return
            self.views.remove(min(rest, key=lambda k: k.used))
        self.views.append(made)

    def _is_new(self, pose: Array) -> bool:
        here = eye(pose)
        far = float(np.linalg.norm(here))
        for keyframe in self.views:
            there = keyframe.eye
            other = float(np.linalg.norm(there))
            if here @ there > _APART * far * other and 1 / _NEARER < far / other < _NEARER:
                return False
        return True


def _joined(parts: list[PointMatches]) -> PointMatches | None:
    if not parts:
        return None
    return PointMatches(
        np.concatenate([p.points for p in parts]),
        np.concatenate([p.pixels for p in parts]),
        np.concatenate([p.weight for p in parts]),
    )


def make_keyframe(rasterizer: Rasterizer, pose: Array, now: EvenedCrop, trust: float) -> Keyframe | None:
    """A keyframe of a picture and a pose (4, 4); None where the object has too few corners."""
    c = now.camera
    drawn = rasterizer.render(pose[None], c.K, c.width, c.height, attributes=("depth", "normal"))
    assert drawn.depth is not None and drawn.normal is not None
    free = cv2.erode((drawn.mask[0] & now.own).astype(np.uint8), np.ones((7, 7), np.uint8))
    corners = cv2.goodFeaturesToTrack(now.gray, _POINTS, 0.02, 5, mask=free)
    if corners is None or len(corners) < _LEAST:
        return None
    at = corners.reshape(-1, 2).astype(np.float64)
    x, y = np.round(at).astype(int).T
    turn = pose[:3, :3]
    points = (c.unproject(at, drawn.depth[0][y, x].astype(np.float64)) - pose[:3, 3]) @ turn
    normals = drawn.normal[0][y, x].astype(np.float64) @ turn
    return Keyframe(now, pose.copy(), coarse_depth(rasterizer, pose, c), points, normals, trust)
