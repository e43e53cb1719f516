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
from dexman_pose.imaging.resize import Way, resize_labels, resize_picture
from dexman_pose.pose.matching.options import KEYFRAMES, KeyframeOptions
from dexman_pose.pose.observation.view import in_front
from dexman_pose.pose.solver.residuals import PointMatches, join_matches
from dexman_pose.render import Rasterizer

PLENTY = KEYFRAMES.plenty
"""Matches above which nothing else is asked: neither a second keyframe nor followed points."""

_MIDDLE_GRAY = 128
"""Grey level of pixels that are not the object."""


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
    frame: Gray, labels: NDArray[np.uint8], label: int, camera: Camera, options: KeyframeOptions = KEYFRAMES
) -> EvenedCrop | None:
    """Cut the object out of a frame (H, W); None where hardly anything of it is seen.

    Args:
        frame: brightness.
        labels: (H, W) label image; only pixels of ``label`` are the object.
        label: the object's value in it.
        camera: of the frame.
        options: size of the crop, and how much must be seen.
    """
    box = mask_box(labels == label)
    if box is None:
        return None
    x0, y0, w, h = crop_box([box], options.margin)
    x1, y1 = min(x0 + w, labels.shape[1]), min(y0 + h, labels.shape[0])
    x0, y0 = max(x0, 0), max(y0, 0)
    scale = min(1.0, options.side / max(x1 - x0, y1 - y0))
    width, height = round((x1 - x0) * scale), round((y1 - y0) * scale)
    if min(width, height) < options.least_side:
        return None
    own = (labels[y0:y1, x0:x1] == label).astype(np.uint8)
    gray = frame[y0:y1, x0:x1]
    if scale < 1.0:
        gray = resize_picture(gray, (width, height), Way.AREA)
        own = resize_labels(own, (width, height))
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
        evened_crop: its picture.
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


def coarse_depth(
    rasterizer: Rasterizer, pose: Array, camera: Camera, options: KeyframeOptions = KEYFRAMES
) -> FloatImage:
    """(h / 4, w / 4) depth of the mesh in a crop, metres, 0 beside it; 4 is the options' grid."""
    grid = _grid_camera(camera, options.grid)
    depth = rasterizer.render(pose[None], grid.K, grid.width, grid.height).depth
    assert depth is not None
    out: FloatImage = depth[0]
    return out


def drawn_at(
    keyframe: Keyframe,
    pose: Array,
    where: EvenedCrop,
    depth: FloatImage,
    radius: float,
    options: KeyframeOptions = KEYFRAMES,
) -> Drawn:
    """Draw a keyframe as it would look from a pose.

    Args:
        keyframe: the earlier view.
        pose: (4, 4) camera_from_object to draw it at.
        where: the crop to draw it into.
        depth: :func:`coarse_depth` there at that pose.
        radius: of the object, metres.
        options: the grid that ``depth`` was made with.
    """
    grid = _grid_camera(where.camera, options.grid)
    height, width = depth.shape
    # Beside the surface its rim is carried on, so that the way is smooth up to the outline.
    whole = np.where(depth > 0, depth, cv2.dilate(depth, np.ones((3, 3), np.uint8)))
    v, u = np.mgrid[:height, :width].astype(np.float64)
    z = np.maximum(whole.astype(np.float64), options.least_depth)
    points = np.stack([(u - grid.cx) / grid.fx * z, (v - grid.cy) / grid.fy * z, z], -1)
    turn = keyframe.camera_from_object[:3, :3] @ pose[:3, :3].T
    there = (points - pose[:3, 3]) @ turn.T + keyframe.camera_from_object[:3, 3]
    k, ahead = keyframe.evened_crop.camera, np.maximum(there[..., 2], options.least_depth)
    x = (k.fx * there[..., 0] / ahead + k.cx).astype(np.float32)
    y = (k.fy * there[..., 1] / ahead + k.cy).astype(np.float32)
    held = cv2.remap(keyframe.depth, *_on_grid(x, y, options.grid), cv2.INTER_NEAREST, borderValue=0)
    same = (np.abs(held - ahead) < options.same_depth * radius) & (whole > 0)
    size = (where.camera.width, where.camera.height)
    x, y, share = (_between_nodes(a, size, options.grid) for a in (x, y, same.astype(np.float32)))
    gray = cv2.remap(keyframe.evened_crop.gray, x, y, cv2.INTER_LINEAR, borderValue=_MIDDLE_GRAY)
    own = cv2.remap(
        keyframe.evened_crop.own.astype(np.uint8), x, y, cv2.INTER_NEAREST, borderMode=cv2.BORDER_CONSTANT
    )
    known = (share > 0.5) & (own > 0)
    return Drawn(np.where(known, gray, np.uint8(_MIDDLE_GRAY)).astype(np.uint8), known, depth)


def _grid_camera(camera: Camera, grid: int) -> Camera:
    """Of the nodes every few pixels of a crop."""
    width, height = -(-camera.width // grid) + 1, -(-camera.height // grid) + 1
    return camera.cropped(0.0, 0.0, width, height, 1.0 / grid)


def _on_grid(x: FloatImage, y: FloatImage, grid: int) -> tuple[FloatImage, FloatImage]:
    """Places in the grid of places in the crop."""
    half = np.float32(0.5)
    return (x + half) / np.float32(grid) - half, (y + half) / np.float32(grid) - half


def _between_nodes(values: FloatImage, size: tuple[int, int], grid: int) -> FloatImage:
    """Values at the nodes carried to all pixels of the crop (width, height)."""
    height, width = values.shape
    whole = resize_picture(values, (width * grid, height * grid), Way.LINEAR)
    return np.asarray(whole[: size[1], : size[0]], np.float32)


def find_points(
    keyframe: Keyframe,
    drawn: Drawn,
    pose: Array,
    now: EvenedCrop,
    which: NDArray[np.bool_],
    radius: float,
    options: KeyframeOptions = KEYFRAMES,
) -> PointMatches | None:
    """Points (``which``, (N,)) of a keyframe drawn at a pose, found in the picture by flow checked both ways."""
    points = keyframe.points[which]
    moved = points @ pose[:3, :3].T + pose[:3, 3]
    if len(points) < options.least or not in_front(moved):
        return None
    at = now.camera.project(moved)
    visible = _sampled(drawn.known, at) & _on_surface(
        drawn.depth, at, moved[:, 2], options.same_depth * radius, options.grid
    )
    points, at = points[visible], at[visible]
    if len(points) < options.least:
        return None
    end, good = flow_both_ways(drawn.gray, now.gray, at)
    good &= _sampled(now.own, end)
    # Most of them are found where the view is recognised; a few among many are chance.
    if int(good.sum()) < max(options.least, options.least_share * len(good)):
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


def _on_surface(depth: FloatImage, at: Array, z: Array, tolerance: float, grid: int) -> Mask:
    """(N,) whether points at crop pixels (N, 2) and depths (N,) are the surface that is rendered there."""
    h, w = depth.shape
    x, y = np.round((at + 0.5) / grid - 0.5).astype(int).T
    there = depth[y.clip(0, h - 1), x.clip(0, w - 1)]
    out: Mask = (there <= 0) | (np.abs(there - z) < tolerance)
    return out


@dataclass
class Keyframes:
    """The keyframes of one object.

    Attributes:
        limit: how many are kept at most; 0 for none.
        rasterizer: of the mesh.
        views: the keyframes; the first is the one that tracking began with.
        trust: that a keyframe made now would have.
        options: when a view is kept, and when it is recognised.
    """

    limit: int
    rasterizer: Rasterizer
    views: list[Keyframe] = field(default_factory=list)
    trust: float = 1.0
    options: KeyframeOptions = KEYFRAMES
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
        depth = coarse_depth(self.rasterizer, pose, now.camera, self.options)
        parts: list[PointMatches] = []
        for keyframe, which in self._nearest(pose)[: self.options.asked]:
            drawn = drawn_at(keyframe, pose, now, depth, self.radius, self.options)
            found = find_points(keyframe, drawn, pose, now, which, self.radius, self.options)
            if found is None:
                continue
            keyframe.used = self._tick
            parts.append(found)
            if len(found) >= self.options.plenty:
                break
        self._note(parts)
        return join_matches(parts) if parts else None

    def _note(self, parts: list[PointMatches]) -> None:
        if parts:
            self.trust = self.options.inherited * max(float(p.weight[0]) for p in parts)
        else:
            self.trust *= self.options.unrecognised

    def _nearest(self, pose: Array) -> list[tuple[Keyframe, NDArray[np.bool_]]]:
        """Keyframes by how much they and the pose see alike, times trust; with the points (N,) both see."""
        here = eye(pose)
        out = []
        for keyframe in self.views:
            facing = np.minimum(keyframe.facing(here), keyframe.facing(keyframe.eye))
            which = facing > self.options.steepest
            if int(which.sum()) >= self.options.least:
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
        if not self.limit or seen < self.options.seen or not self._is_new(pose):
            return
        if self.views and confidence < self.options.sure:
            return
        made = make_keyframe(self.rasterizer, pose, now, confidence * self.trust, self.options)
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
        far, nearer = float(np.linalg.norm(here)), self.options.nearer
        apart = np.cos(np.radians(self.options.apart))
        for keyframe in self.views:
            there = keyframe.eye
            other = float(np.linalg.norm(there))
            if here @ there > apart * far * other and 1 / nearer < far / other < nearer:
                return False
        return True


def make_keyframe(
    rasterizer: Rasterizer,
    pose: Array,
    now: EvenedCrop,
    trust: float,
    options: KeyframeOptions = KEYFRAMES,
) -> Keyframe | None:
    """A keyframe of a picture and a pose (4, 4); None where the object has too few corners."""
    c = now.camera
    drawn = rasterizer.render(pose[None], c.K, c.width, c.height, attributes=("depth", "normal"))
    assert drawn.depth is not None and drawn.normal is not None
    free = cv2.erode(
        (drawn.mask[0] & now.own).astype(np.uint8), np.ones((options.inside, options.inside), np.uint8)
    )
    corners = cv2.goodFeaturesToTrack(now.gray, options.points, options.quality, options.spacing, mask=free)
    if corners is None or len(corners) < options.least:
        return None
    at = corners.reshape(-1, 2).astype(np.float64)
    x, y = np.round(at).astype(int).T
    turn = pose[:3, :3]
    points = (c.unproject(at, drawn.depth[0][y, x].astype(np.float64)) - pose[:3, 3]) @ turn
    normals = drawn.normal[0][y, x].astype(np.float64) @ turn
    return Keyframe(now, pose.copy(), coarse_depth(rasterizer, pose, c, options), points, normals, trust)
