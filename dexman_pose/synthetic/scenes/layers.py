"""Objects of few colours set into a painted picture: shaded, antialiased, behind what is nearer; and their labels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from dexman_pose.arrays import Array
from dexman_pose.data import Camera
from dexman_pose.imaging.resize import Way, resize_picture
from dexman_pose.synthetic.scenes.render import Actor, picture_box
from dexman_pose.synthetic.scenes.solids import Lamp, Pixels

FloatImage = NDArray[np.float32]

_SHEEN, _SHARP = 0.08, 12  # share and exponent of the gloss of plastic


@dataclass(frozen=True)
class Colored:
    """Something solid whose faces have one colour each.

    Attributes:
        actor: mesh, normals and label.
        colors: (F, 3) 0..255.
        pose: camera_from_object (4, 4).
        fine: samples per pixel and side; with 1, the outline is soft instead.
    """

    actor: Actor
    colors: Array
    pose: Array
    fine: int = 2


def set_in(
    image: Pixels,
    depth: FloatImage,
    things: Sequence[Colored],
    camera: Camera,
    lamp: Lamp,
    camera_from_world: Array,
) -> Pixels:
    """A picture with things set into it.

    Args:
        image: (H, W, 3) without them.
        depth: (H, W) metres of what the picture shows; what of a thing lies farther away is hidden.
        things: those listed later are in front of the earlier ones.
        camera: of the picture.
        lamp: in world axes.
        camera_from_world: (4, 4).
    """
    out = image.copy()
    for thing in things:
        box = picture_box(thing.actor, thing.pose, camera)
        if box is not None:
            part = (slice(box[1], box[3]), slice(box[0], box[2]))
            color, alpha = _layer(thing, box, depth[part], camera, lamp, camera_from_world)
            out[part] = ((1 - alpha[..., None]) * out[part] + color + np.float32(0.5)).astype(np.uint8)
    return out


def _layer(
    thing: Colored,
    box: tuple[int, int, int, int],
    depth: FloatImage,
    camera: Camera,
    lamp: Lamp,
    camera_from_world: Array,
) -> tuple[FloatImage, FloatImage]:
    """Colours (h, w, 3), times the share of each pixel (h, w) that the thing covers, and these shares."""
    x0, y0, x1, y1 = box
    k = thing.fine
    crop = camera.cropped(x0, y0, (x1 - x0) * k, (y1 - y0) * k, k)
    wanted = ("depth", "face_id", "barycentric")
    seen = thing.actor.rasterizer.render(thing.pose, crop.K, crop.width, crop.height, attributes=wanted)
    assert seen.depth is not None and seen.face_id is not None and seen.barycentric is not None
    behind = np.where(depth > 0, depth, np.inf).repeat(k, 0).repeat(k, 1)
    front = seen.mask[0] & (seen.depth[0] < behind)
    face = seen.face_id[0][front]
    shade, sheen = _corner_light(thing, lamp, camera_from_world)
    weight = seen.barycentric[0][front]
    bright = np.einsum("nk,nk->n", weight, shade[face])[:, None]
    gloss = np.einsum("nk,nk->n", weight, sheen[face])[:, None]
    fine = np.zeros((crop.height, crop.width, 3), np.float32)
    fine[front] = np.clip(thing.colors[face].astype(np.float32) * bright + 255 * gloss, 0, 255)
    if k == 1:
        return cv2.blur(fine, (2, 2)), cv2.blur(front.astype(np.float32), (2, 2))
    size = (x1 - x0, y1 - y0)
    color = resize_picture(fine, size, Way.AREA)
    return color, resize_picture(front.astype(np.float32), size, Way.AREA)


def _corner_light(thing: Colored, lamp: Lamp, camera_from_world: Array) -> tuple[FloatImage, FloatImage]:
    """Brightness and gloss (F, 3) at the corners of the faces."""
    turn = thing.pose[:3, :3].T @ camera_from_world[:3, :3]  # object_from_world
    normals = thing.actor.normals.astype(np.float32) @ turn.astype(np.float32)
    towards = -camera_from_world[2, :3]  # to the camera, world axes
    half = lamp.way + towards
    half = (half / np.linalg.norm(half)).astype(np.float32)
    sheen = np.float32(_SHEEN) * np.clip(normals @ half, 0, 1) ** _SHARP
    return lamp.shade_unit(normals), sheen.astype(np.float32)


def labelled(
    depth: FloatImage, things: Sequence[Colored], camera: Camera
) -> tuple[NDArray[np.uint8], FloatImage]:
    """Labels (H, W) of the things and depth (H, W) of all, at pixel centres; ``depth`` is that of what is behind."""
    labels = np.zeros(depth.shape, np.uint8)
    out = depth.copy()
    for thing in things:
        seen = thing.actor.rasterizer.render(thing.pose, camera.K, camera.width, camera.height)
        assert seen.depth is not None
        nearer = seen.mask[0] & ((seen.depth[0] < out) | (out == 0))
        labels[nearer], out[nearer] = thing.actor.label, seen.depth[0][nearer]
    return labels, out
