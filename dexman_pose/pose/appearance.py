"""Comparing a rendered, coloured mesh with the picture: normalised correlation and feature matches."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from dexman_pose.data import BACKGROUND, Camera, Mesh
from dexman_pose.pose.evidence import crop_box, mask_box
from dexman_pose.pose.refine import PointMatches
from dexman_pose.render import Rasterizer

Array = NDArray[np.float64]
Gray = NDArray[np.uint8]
Mask = NDArray[np.bool_]

_LK = {
    "winSize": (15, 15),
    "maxLevel": 2,
    "criteria": (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, 20, 0.01),
    "minEigThreshold": 1e-3,
}


def local_contrast(gray: NDArray[np.float32], mask: Mask | None = None) -> Gray:
    """A grey picture with brightness and contrast evened out locally, so that shading does not matter.

    With a ``mask`` only its pixels count, and pixels outside become mid-grey: an edge of the mask is no feature.
    """
    weight = np.ones_like(gray) if mask is None else mask.astype(np.float32)
    size, sigma = (0, 0), 9.0
    norm = np.maximum(cv2.GaussianBlur(weight, size, sigma), 1e-3)
    mean = cv2.GaussianBlur(gray * weight, size, sigma) / norm
    centred = (gray - mean) * weight
    spread = np.sqrt(cv2.GaussianBlur(centred * centred, size, sigma) / norm)
    return np.clip(128.0 + 45.0 * centred / (spread + 6.0), 0, 255).astype(np.uint8)


def fit_texture(mesh: Mesh, pixels_across: float) -> Mesh:
    """The mesh with its texture reduced to what a picture can show: finer texels would alias in the rendering.

    Args:
        mesh: any mesh; without a texture it is returned as it is.
        pixels_across: how large the object appears, pixels along its longest side.
    """
    if mesh.texture is None or mesh.uv is None:
        return mesh
    corners = mesh.vertices[mesh.faces]
    surface = np.linalg.norm(np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1).sum()
    edges = mesh.uv[:, 1:] - mesh.uv[:, :1]
    covered = np.abs(edges[:, 0, 0] * edges[:, 1, 1] - edges[:, 0, 1] * edges[:, 1, 0]).sum()
    height, width = mesh.texture.shape[:2]
    texels_per_metre = np.sqrt(covered * width * height / max(float(surface), 1e-12))
    pixels_per_metre = pixels_across / max(float(mesh.extents.max()), 1e-9)
    factor = texels_per_metre / max(pixels_per_metre, 1e-9)
    if factor < 1.5:
        return mesh
    size = (max(int(width / factor), 8), max(int(height / factor), 8))
    return replace(mesh, texture=cv2.resize(mesh.texture, size, interpolation=cv2.INTER_AREA))


def correlation(rendered: NDArray[np.float32], image: NDArray[np.float32], mask: Mask) -> float:
    """Normalised correlation in [-1, 1] of two pictures (h, w[, 3]) over a mask, each channel centred on its own."""
    if int(mask.sum()) < 16:
        return 0.0
    a = rendered[mask].astype(np.float64).reshape(int(mask.sum()), -1)
    b = image[mask].astype(np.float64).reshape(a.shape)
    a, b = a - a.mean(0), b - b.mean(0)
    scale = float(np.sqrt((a * a).sum() * (b * b).sum()))
    return float((a * b).sum()) / scale if scale > 1e-9 else 0.0


def texture_matches(
    rasterizer: Rasterizer,
    camera_from_object: Array,
    image: NDArray[np.uint8],
    camera: Camera,
    labels: NDArray[np.uint8],
    label: int,
    *,
    max_points: int = 120,
    max_side: int = 320,
    trusted: NDArray[np.bool_] | None = None,
) -> tuple[PointMatches | None, float]:
    """Match the mesh, rendered in its own colours at a pose, with the picture, by optical flow checked both ways.

    Args:
        rasterizer: of the coloured mesh.
        camera_from_object: (4, 4) pose to render at.
        image: (H, W, 3) uint8 RGB.
        camera: of the image.
        labels: (H, W) uint8 label image.
        label: the object's value in it.
        max_points: at most this many matches.
        max_side: crops larger than this are reduced.
        trusted: (F,) faces whose colour can be believed, None for all.

    Returns:
        The matches (None when the mesh has no usable contrast) and the correlation of both pictures in [-1, 1].
    """
    vertices = rasterizer.mesh.vertices @ camera_from_object[:3, :3].T + camera_from_object[:3, 3]
    if (vertices[:, 2] <= 0.02).any():
        return None, 0.0
    pixels = camera.project(vertices)
    height, width = labels.shape
    low = np.clip(pixels.min(0), 0, [width - 1, height - 1])
    high = np.clip(pixels.max(0), 0, [width - 1, height - 1])
    if (high - low < 8).any():
        return None, 0.0
    x0, y0, w, h = crop_box([np.concatenate([low, high])], 0.05)
    x1, y1 = min(x0 + w, width), min(y0 + h, height)
    x0, y0 = max(x0, 0), max(y0, 0)
    w, h = x1 - x0, y1 - y0
    scale = min(1.0, max_side / max(w, h))
    cw, ch = int(w * scale), int(h * scale)
    crop = camera.cropped(x0, y0, cw, ch, scale)
    wanted = ("depth", "color") if trusted is None else ("depth", "color", "face_id")
    picture = rasterizer.render(camera_from_object[None], crop.K, cw, ch, attributes=wanted)
    assert picture.depth is not None and picture.color is not None
    depth, drawn = picture.depth[0], picture.mask[0].copy()
    if trusted is not None and picture.face_id is not None:
        ids = picture.face_id[0]
        drawn &= trusted[np.maximum(ids, 0)]
    cut = image[y0:y1, x0:x1]
    seen = labels[y0:y1, x0:x1]
    if scale < 1.0:
        cut = cv2.resize(cut, (cw, ch), interpolation=cv2.INTER_AREA)
        seen = cv2.resize(seen, (cw, ch), interpolation=cv2.INTER_NEAREST)
    # Pixels called background may still show the object (masks are made from less than we know here); the robust
    # fit throws out matches that went astray. Pixels of hands and other objects are never used.
    both = drawn & ((seen == label) | (seen == BACKGROUND))
    if int((drawn & (seen == label)).sum()) < 60:
        return None, 0.0
    color = np.asarray(picture.color[0], np.float32) * 255.0
    weights = np.array([0.299, 0.587, 0.114], np.float32)
    model = local_contrast(color @ weights, drawn)
    view = local_contrast(cut.astype(np.float32) @ weights, both)
    ncc = correlation(model.astype(np.float32), view.astype(np.float32), drawn & (seen == label))
    inner = cv2.erode(drawn.astype(np.uint8), np.ones((7, 7), np.uint8))
    corners = cv2.goodFeaturesToTrack(model, max_points, 0.02, 5, mask=inner)
    if corners is None:
        return None, ncc
    start = corners.reshape(-1, 1, 2).astype(np.float32)
    moved, ok, _ = cv2.calcOpticalFlowPyrLK(model, view, start, None, **_LK)
    back, ok2, _ = cv2.calcOpticalFlowPyrLK(view, model, moved, None, **_LK)
    first, second = start[:, 0], moved[:, 0]
    good = (ok[:, 0] == 1) & (ok2[:, 0] == 1) & (np.linalg.norm(back[:, 0] - first, axis=1) < 0.7)
    good &= (second[:, 0] >= 0) & (second[:, 1] >= 0) & (second[:, 0] < cw) & (second[:, 1] < ch)
    first, second = first[good].astype(np.float64), second[good].astype(np.float64)
    if len(first) < 4:
        return None, ncc
    at = np.round(second).astype(int).clip(0, [cw - 1, ch - 1])
    on = both[at[:, 1], at[:, 0]]
    first, second = first[on], second[on]
    z = depth[np.round(first[:, 1]).astype(int), np.round(first[:, 0]).astype(int)]
    points = crop.unproject(first, z.astype(np.float64))
    local = (points - camera_from_object[:3, 3]) @ camera_from_object[:3, :3]
    target = (second + 0.5) / scale - 0.5 + np.array([x0, y0])
    return PointMatches(local, target, np.ones(len(local))), ncc


def box_of_label(labels: NDArray[np.uint8], label: int) -> Array | None:
    """(4,) bounding box of a label's pixels, or None."""
    return mask_box(labels == label)
