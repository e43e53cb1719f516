"""Comparing a rendered, coloured mesh with the picture: normalised correlation and feature matches."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from dexman_pose.arrays import Array, Gray, Mask, bounds
from dexman_pose.data import BACKGROUND, Camera
from dexman_pose.imaging.correlation import correlation, cover_of, local_agreement, local_contrast
from dexman_pose.imaging.flow import flow_both_ways
from dexman_pose.imaging.masks import crop_box, inner_edge
from dexman_pose.imaging.resize import Way, resize_labels, resize_picture
from dexman_pose.pose.matching.edge_profiles import changes_across, strongest_change
from dexman_pose.pose.matching.options import FINE_TEXTURE, TextureMatchOptions
from dexman_pose.pose.observation.view import ObjectView, in_front
from dexman_pose.pose.solver.residuals import EdgeMatches, PointMatches
from dexman_pose.render import Rasterizer

_TINY = 1e-6
"""Length below which a direction is not divided by."""


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
class RenderedCrop:
    """The rendered crop and the same cut of the picture."""

    camera: Camera
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
    view: ObjectView,
    *,
    trusted: NDArray[np.bool_] | None = None,
    beyond_mask: bool = True,
    options: TextureMatchOptions = FINE_TEXTURE,
) -> TextureEvidence:
    """Match the mesh, rendered in its own colours at a pose, with the picture, by optical flow checked both ways.

    Args:
        rasterizer: of the coloured mesh.
        camera_from_object: (4, 4) pose to render at.
        view: the picture.
        trusted: (F,) faces whose colour can be believed, None for all.
        beyond_mask: also use pixels called background; a mask is made from less than is known here, and the robust
            fit throws out matches that went astray. Pixels of hands and other objects are never used.
        options: size of the crop, number of matches.
    """
    crop = render_crop(rasterizer, camera_from_object, view, trusted, options)
    if crop is None:
        return _NOTHING
    own = crop.labels == view.label
    usable = own | (crop.labels == BACKGROUND) if beyond_mask else own
    open_view = bool(usable.all())
    both = crop.believed if open_view else crop.believed & usable
    if int(np.count_nonzero(both)) < options.least_pixels:
        return _NOTHING
    cover = cover_of(both)
    model = local_contrast(
        cv2.cvtColor(crop.color, cv2.COLOR_RGB2GRAY), crop.believed, cover=cover if open_view else None
    )
    seen = local_contrast(cv2.cvtColor(crop.picture, cv2.COLOR_RGB2GRAY), both, cover=cover)
    ncc = correlation(model, seen, both)
    agree = local_agreement(model, seen, both)
    matches = _match_points(crop, model, seen, both & agree, camera_from_object, options)
    edges = _match_edges(crop, usable, agree, camera_from_object, options)
    visible = np.count_nonzero(usable & crop.drawn) / np.count_nonzero(crop.drawn)
    return TextureEvidence(matches, edges, ncc, visible)


def texture_matches(
    rasterizer: Rasterizer,
    camera_from_object: Array,
    view: ObjectView,
    *,
    trusted: NDArray[np.bool_] | None = None,
    options: TextureMatchOptions = FINE_TEXTURE,
) -> tuple[PointMatches | None, float]:
    """The matches and the correlation of :func:`texture_evidence` alone."""
    found = texture_evidence(rasterizer, camera_from_object, view, trusted=trusted, options=options)
    return found.matches, found.ncc


def render_crop(
    rasterizer: Rasterizer,
    camera_from_object: Array,
    view: ObjectView,
    trusted: NDArray[np.bool_] | None,
    options: TextureMatchOptions,
) -> RenderedCrop | None:
    """Render the mesh into the part of the picture it covers; None when it is behind the camera or out of sight."""
    vertices = rasterizer.mesh.vertices @ camera_from_object[:3, :3].T + camera_from_object[:3, 3]
    if not in_front(vertices):
        return None
    pixels = view.camera.project(vertices)
    height, width = view.labels.shape
    low, high = (np.clip(corner, 0, [width - 1, height - 1]) for corner in bounds(pixels))
    if (high - low < options.least_side).any():
        return None
    x0, y0, w, h = crop_box([np.concatenate([low, high])], options.margin)
    x1, y1 = min(x0 + w, width), min(y0 + h, height)
    x0, y0 = max(x0, 0), max(y0, 0)
    scale = min(1.0, options.side / max(x1 - x0, y1 - y0))
    cw, ch = max(round((x1 - x0) * scale), 4), max(round((y1 - y0) * scale), 4)
    # Whole pixels reduce the sides by slightly different factors: half a pixel here is a percent of the distance.
    factors = np.array([cw / (x1 - x0), ch / (y1 - y0)])
    crop = view.camera.cropped(x0, y0, cw, ch, factors)
    wanted = ("depth", "color") if trusted is None else ("depth", "color", "face_id")
    picture = rasterizer.render(camera_from_object[None], crop.K, cw, ch, attributes=wanted)
    assert picture.depth is not None and picture.color is not None
    drawn = picture.mask[0]
    believed = drawn
    if trusted is not None and picture.face_id is not None:
        believed = drawn & trusted[np.maximum(picture.face_id[0], 0)]
    cut, seen = view.image[y0:y1, x0:x1], view.labels[y0:y1, x0:x1]
    if scale < 1.0:
        # Averaging over areas costs as much as rendering: where little is left out, neighbours interpolated will do.
        way = Way.LINEAR if scale > options.lightly else Way.AREA
        cut = resize_picture(cut, (cw, ch), way)
        seen = resize_labels(seen, (cw, ch))
    origin = np.array([x0, y0], dtype=np.float64)
    color = picture.color[0]
    color *= np.float32(255.0)
    return RenderedCrop(
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
    crop: RenderedCrop,
    model: Gray,
    seen: Gray,
    both: Mask,
    camera_from_object: Array,
    options: TextureMatchOptions,
) -> PointMatches | None:
    """Corners of the rendering, found again in the picture."""
    inner = cv2.erode(crop.believed.astype(np.uint8), np.ones((options.inside, options.inside), np.uint8))
    corners = cv2.goodFeaturesToTrack(model, options.points, options.quality, options.spacing, mask=inner)
    if corners is None:
        return None
    first = corners.reshape(-1, 2)
    second, good = flow_both_ways(model, seen, first)
    ch, cw = model.shape
    good &= (second >= 0).all(1) & (second[:, 0] < cw) & (second[:, 1] < ch)
    at = np.round(second).astype(int).clip(0, [cw - 1, ch - 1])
    good &= both[at[:, 1], at[:, 0]]
    if int(good.sum()) < options.least_points:
        return None
    first, second = first[good].astype(np.float64), second[good]
    ix, iy = np.round(first).astype(int).T
    points = crop.camera.unproject(first, crop.depth[iy, ix].astype(np.float64))
    local = (points - camera_from_object[:3, 3]) @ camera_from_object[:3, :3]
    return PointMatches(local, (second + 0.5) / crop.scale - 0.5 + crop.origin, np.ones(len(local)))


def _match_edges(
    crop: RenderedCrop, usable: Mask, agree: Mask, camera_from_object: Array, options: TextureMatchOptions
) -> EdgeMatches | None:
    """The strongest edge of the picture across each point of the rendered outline, the nearer the better."""
    outline = inner_edge(crop.drawn)
    outline = outline[:: 1 + len(outline) // options.outline_points]
    x, y = outline[:, 0], outline[:, 1]
    h, w = crop.drawn.shape
    reach = options.reach
    away = (x > reach) & (y > reach) & (x < w - 1 - reach) & (y < h - 1 - reach)
    x, y = x[away], y[away]
    # A blurred mask tells directions better than the distance to its edge, which follows the steps of its pixels.
    soft = cv2.GaussianBlur(crop.drawn.astype(np.uint8) * np.uint8(255), (0, 0), options.roundness)
    right, left, below, above = (
        soft[y + dy, x + dx].astype(np.float64) for dx, dy in ((1, 0), (-1, 0), (0, 1), (0, -1))
    )
    gradient = np.stack([right - left, below - above], 1)
    # Across a straight outline the gradient is the height of the Gaussian's bell.
    steepest = 255.0 / (np.sqrt(2.0 * np.pi) * options.roundness)
    gradient *= 0.5 / steepest
    length = np.hypot(gradient[:, 0], gradient[:, 1])
    free = length > options.least_slope
    if not usable.all():
        hidden = cv2.dilate((~usable).astype(np.uint8), np.ones((options.hidden, options.hidden), np.uint8))
        free &= hidden[y, x] == 0
    inner = np.round(
        np.stack([x, y], 1) + options.outline_inside * gradient / np.maximum(length, _TINY)[:, None]
    ).astype(int)
    inner = inner.clip(0, [w - 1, h - 1])
    # No edge of the object where its inside looks like something else.
    free &= agree[inner[:, 1], inner[:, 0]]
    if int(free.sum()) < options.least_edges:
        return None
    x, y, outward = x[free], y[free], -gradient[free] / length[free, None]
    blurred = cv2.GaussianBlur(crop.picture, (0, 0), options.blur)
    changes, steps = changes_across(blurred, np.stack([x, y], 1), outward, reach)
    change = changes.sum(2).astype(np.float64)
    # The drawn edge lies half a pixel outside the centres of its rim.
    offset, strong = strongest_change(change, (steps - 0.5)[None], reach, options.weakest)
    if int(strong.sum()) < options.least_edges:
        return None
    x, y, outward, offset = x[strong], y[strong], outward[strong], offset[strong]
    points = crop.camera.unproject(np.stack([x, y], 1), crop.depth[y, x].astype(np.float64))
    local = (points - camera_from_object[:3, 3]) @ camera_from_object[:3, :3]
    target = np.stack([x, y], 1) + offset[:, None] * outward
    return EdgeMatches(local, (target + 0.5) / crop.scale - 0.5 + crop.origin, outward)
