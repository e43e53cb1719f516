"""Comparing a rendered, coloured mesh with the picture: normalised correlation and feature matches."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from dexman_pose.arrays import Array, Gray, Mask
from dexman_pose.data import BACKGROUND, Camera
from dexman_pose.imaging.correlation import correlation, local_agreement, local_contrast
from dexman_pose.imaging.flow import flow_both_ways
from dexman_pose.imaging.masks import crop_box, inner_edge, mask_box
from dexman_pose.pose.observation.view import ObjectView
from dexman_pose.pose.solver.residuals import EdgeMatches, PointMatches
from dexman_pose.render import Rasterizer

TEXTURE_SIDE = 200  # longest side in pixels of the crop in which texture is matched


@dataclass(frozen=True)
class TextureEvidence:
    """What the coloured mesh, rendered near its pose, finds of itself in the picture.

    Attributes:
        matches: surface points and where they are in the picture, or None when there are too few.
        edges: points of the outline and the picture's edge nearest to them, or None.
        ncc: correlation of rendering and picture over what is not hidden, in [-1, 1].
        visible: share of the rendered object that no other label covers, in [0, 1].
    """

    matches: PointMatches | None
    edges: EdgeMatches | None
    ncc: float
    visible: float


@dataclass(frozen=True)
class _View:
    """The rendered crop and the same cut of the picture."""

    crop: Camera
    scale: Array
    origin: Array
    depth: NDArray[np.float32]
    drawn: Mask
    believed: Mask
    color: NDArray[np.float32]
    picture: NDArray[np.float32]
    labels: NDArray[np.uint8]


_NOTHING = TextureEvidence(None, None, 0.0, 0.0)


def texture_evidence(
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
    beyond_mask: bool = True,
) -> TextureEvidence:
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
        beyond_mask: also use pixels called background; a mask is made from less than is known here, and the robust
            fit throws out matches that went astray. Pixels of hands and other objects are never used.
    """
    view = _render_view(rasterizer, camera_from_object, image, camera, labels, max_side, trusted)
    if view is None:
        return _NOTHING
    own = view.labels == label
    usable = own | (view.labels == BACKGROUND) if beyond_mask else own
    both = view.believed & usable
    if int(np.count_nonzero(both)) < 60:
        return _NOTHING
    model = local_contrast(cv2.cvtColor(view.color, cv2.COLOR_RGB2GRAY), view.believed)
    seen = local_contrast(cv2.cvtColor(view.picture, cv2.COLOR_RGB2GRAY), both)
    ncc = correlation(model, seen, both)
    agree = local_agreement(model, seen, both)
    matches = _match_points(view, model, seen, both & agree, camera_from_object, max_points)
    edges = _match_edges(view, usable, agree, camera_from_object)
    visible = np.count_nonzero(usable & view.drawn) / np.count_nonzero(view.drawn)
    return TextureEvidence(matches, edges, ncc, visible)


def texture_matches(
    rasterizer: Rasterizer,
    camera_from_object: Array,
    image: NDArray[np.uint8],
    camera: Camera,
    labels: NDArray[np.uint8],
    label: int,
    *,
    trusted: NDArray[np.bool_] | None = None,
) -> tuple[PointMatches | None, float]:
    """The matches and the correlation of :func:`texture_evidence` alone."""
    found = texture_evidence(rasterizer, camera_from_object, image, camera, labels, label, trusted=trusted)
    return found.matches, found.ncc


_LIGHTLY = 0.7  # a picture reduced by no more than this keeps its detail without averaging


def _render_view(
    rasterizer: Rasterizer,
    camera_from_object: Array,
    image: NDArray[np.uint8],
    camera: Camera,
    labels: NDArray[np.uint8],
    max_side: int,
    trusted: NDArray[np.bool_] | None,
) -> _View | None:
    """Render the mesh into the part of the picture it covers; None when it is behind the camera or out of sight."""
    vertices = rasterizer.mesh.vertices @ camera_from_object[:3, :3].T + camera_from_object[:3, 3]
    if (vertices[:, 2] <= 0.02).any():
        return None
    pixels = camera.project(vertices)
    height, width = labels.shape
    low = np.clip(pixels.min(0), 0, [width - 1, height - 1])
    high = np.clip(pixels.max(0), 0, [width - 1, height - 1])
    if (high - low < 8).any():
        return None
    x0, y0, w, h = crop_box([np.concatenate([low, high])], 0.05)
    x1, y1 = min(x0 + w, width), min(y0 + h, height)
    x0, y0 = max(x0, 0), max(y0, 0)
    scale = min(1.0, max_side / max(x1 - x0, y1 - y0))
    cw, ch = max(round((x1 - x0) * scale), 4), max(round((y1 - y0) * scale), 4)
    # Whole pixels reduce the sides by slightly different factors: half a pixel here is a percent of the distance.
    factors = np.array([cw / (x1 - x0), ch / (y1 - y0)])
    crop = camera.cropped(x0, y0, cw, ch, factors)
    wanted = ("depth", "color") if trusted is None else ("depth", "color", "face_id")
    picture = rasterizer.render(camera_from_object[None], crop.K, cw, ch, attributes=wanted)
    assert picture.depth is not None and picture.color is not None
    drawn = picture.mask[0]
    believed = drawn
    if trusted is not None and picture.face_id is not None:
        believed = drawn & trusted[np.maximum(picture.face_id[0], 0)]
    cut, seen = image[y0:y1, x0:x1], labels[y0:y1, x0:x1]
    if scale < 1.0:
        # Averaging over areas costs as much as rendering: where little is left out, neighbours interpolated will do.
        way = cv2.INTER_LINEAR if scale > _LIGHTLY else cv2.INTER_AREA
        cut = cv2.resize(cut, (cw, ch), interpolation=way)
        seen = cv2.resize(seen, (cw, ch), interpolation=cv2.INTER_NEAREST)
    origin = np.array([x0, y0], dtype=np.float64)
    color = picture.color[0] * np.float32(255.0)
    return _View(
        crop,
        factors,
        origin,
        picture.depth[0],
        drawn,
        believed,
        color,
        cut.astype(np.float32),
        np.asarray(seen, np.uint8),
    )


def _match_points(
    view: _View, model: Gray, seen: Gray, both: Mask, camera_from_object: Array, max_points: int
) -> PointMatches | None:
    """Corners of the rendering, found again in the picture."""
    inner = cv2.erode(view.believed.astype(np.uint8), np.ones((7, 7), np.uint8))
    corners = cv2.goodFeaturesToTrack(model, max_points, 0.02, 5, mask=inner)
    if corners is None:
        return None
    first = corners.reshape(-1, 2)
    second, good = flow_both_ways(model, seen, first)
    ch, cw = model.shape
    good &= (second >= 0).all(1) & (second[:, 0] < cw) & (second[:, 1] < ch)
    at = np.round(second).astype(int).clip(0, [cw - 1, ch - 1])
    good &= both[at[:, 1], at[:, 0]]
    if int(good.sum()) < 4:
        return None
    first, second = first[good].astype(np.float64), second[good]
    ix, iy = np.round(first).astype(int).T
    points = view.crop.unproject(first, view.depth[iy, ix].astype(np.float64))
    local = (points - camera_from_object[:3, 3]) @ camera_from_object[:3, :3]
    return PointMatches(local, (second + 0.5) / view.scale - 0.5 + view.origin, np.ones(len(local)))


_REACH = 4  # pixels on either side of the rendered outline in which the picture's edge is looked for
_WEAKEST = 24.0  # sum over the channels of the change across two pixels
_ROUND = 2.0  # pixels: blur of the drawn mask whose gradient is the way across its outline
_STEEPEST = 255.0 / (np.sqrt(2.0 * np.pi) * _ROUND)  # that gradient at a straight outline


def _match_edges(view: _View, usable: Mask, agree: Mask, camera_from_object: Array) -> EdgeMatches | None:
    """The strongest edge of the picture across each point of the rendered outline, the nearer the better."""
    outline = inner_edge(view.drawn)
    outline = outline[:: 1 + len(outline) // 140]
    x, y = outline[:, 0], outline[:, 1]
    h, w = view.drawn.shape
    away = (x > _REACH) & (y > _REACH) & (x < w - 1 - _REACH) & (y < h - 1 - _REACH)
    x, y = x[away], y[away]
    # A blurred mask tells directions better than the distance to its edge, which follows the steps of its pixels.
    soft = cv2.GaussianBlur(view.drawn.astype(np.uint8) * np.uint8(255), (0, 0), _ROUND).astype(np.float64)
    gradient = np.stack([soft[y, x + 1] - soft[y, x - 1], soft[y + 1, x] - soft[y - 1, x]], 1)
    gradient *= 0.5 / _STEEPEST
    length = np.hypot(gradient[:, 0], gradient[:, 1])
    free = length > 0.3
    if not usable.all():
        hidden = cv2.dilate((~usable).astype(np.uint8), np.ones((9, 9), np.uint8))
        free &= hidden[y, x] == 0
    inner = np.round(np.stack([x, y], 1) + 5.0 * gradient / np.maximum(length, 1e-6)[:, None]).astype(int)
    inner = inner.clip(0, [w - 1, h - 1])
    free &= agree[
        inner[:, 1], inner[:, 0]
    ]  # no edge of the object where its inside looks like something else
    if int(free.sum()) < 12:
        return None
    x, y, outward = x[free], y[free], -gradient[free] / length[free, None]
    steps = np.arange(-_REACH - 1, _REACH + 2, dtype=np.float64)
    at = np.stack([x, y], 1)[:, None] + steps[None, :, None] * outward[:, None]
    profile = cv2.remap(
        cv2.GaussianBlur(view.picture, (0, 0), 0.8),
        at[..., 0].astype(np.float32),
        at[..., 1].astype(np.float32),
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )
    change = np.abs(profile[:, 2:] - profile[:, :-2]).sum(2).astype(np.float64)
    offsets = steps[1:-1] - 0.5  # the drawn edge lies half a pixel outside the centres of its rim
    score = change * np.exp(-0.5 * (offsets / (0.5 * _REACH)) ** 2)
    best = score[:, 1:-1].argmax(1) + 1
    rows = np.arange(len(best))
    left, middle, right = change[rows, best - 1], change[rows, best], change[rows, best + 1]
    bend = np.minimum(left - 2 * middle + right, -1e-6)
    offset = offsets[best] + np.clip(0.5 * (left - right) / bend, -0.5, 0.5)
    strong = (middle > _WEAKEST) & (middle >= left) & (middle >= right)
    if int(strong.sum()) < 12:
        return None
    x, y, outward, offset = x[strong], y[strong], outward[strong], offset[strong]
    points = view.crop.unproject(np.stack([x, y], 1), view.depth[y, x].astype(np.float64))
    local = (points - camera_from_object[:3, 3]) @ camera_from_object[:3, :3]
    target = np.stack([x, y], 1) + offset[:, None] * outward
    return EdgeMatches(local, (target + 0.5) / view.scale - 0.5 + view.origin, outward)


def box_of_label(labels: NDArray[np.uint8], label: int) -> Array | None:
    """(4,) bounding box of a label's pixels, or None."""
    return mask_box(labels == label)


def texture_of_view(rasterizer: Rasterizer, camera_from_object: Array, view: ObjectView) -> TextureEvidence:
    """What the mesh's colours say at a pose (4, 4), in a crop small enough to be quick."""
    return texture_evidence(
        rasterizer,
        camera_from_object,
        view.image,
        view.camera,
        view.labels,
        view.label,
        max_side=TEXTURE_SIDE,
    )
