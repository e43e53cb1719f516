"""Several objects in one picture, hiding each other as their depths say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dexman_pose.data.numbers import described, instance
from dexman_pose.errors import InputError
from dexman_pose.render import _inputs
from dexman_pose.render.rasterizer import Rasterizer, Rendering


@dataclass(frozen=True)
class SceneRendering:
    """One image of several objects; an image that was not asked for is None.

    Attributes:
        object_id: (H, W) int32, which object is seen, by its place in the list; -1 where none is.
        mask: (H, W) bool, True where any object is seen.
        depth: (H, W) float32 metres, 0 where none is seen.
        face_id: (H, W) int32, the face within the seen object's mesh; -1 where none is seen.
        barycentric: (H, W, 3) float32.
        normal: (H, W, 3) float32, camera frame.
        color: (H, W, 3) float32 RGB in 0..1.
    """

    object_id: NDArray[np.int32]
    mask: NDArray[np.bool_]
    depth: NDArray[np.float32]
    face_id: NDArray[np.int32] | None = None
    barycentric: NDArray[np.float32] | None = None
    normal: NDArray[np.float32] | None = None
    color: NDArray[np.float32] | None = None

    def __repr__(self) -> str:
        made = ", ".join(f.name for f in fields(self) if getattr(self, f.name) is not None)
        return f"SceneRendering({self.mask.shape[1]}x{self.mask.shape[0]}: {made})"


def render_scene(
    rasterizers: Sequence[Rasterizer],
    poses: ArrayLike,
    K: ArrayLike,
    width: int,
    height: int,
    *,
    attributes: Sequence[str] = ("depth",),
    near: float = 0.01,
) -> SceneRendering:
    """Render several objects into one image.

    Args:
        rasterizers: one per object; the same one may stand in the list several times.
        poses: (N, 4, 4) ``camera_from_object``, one per rasteriser.
        K: (3, 3) intrinsics in pixels.
        width: image width in pixels.
        height: image height in pixels.
        attributes: as for :meth:`Rasterizer.render`; depth is always there.
        near: near plane in metres.

    Returns:
        The composed images. Where two objects are equally near, the earlier one is seen.

    Raises:
        InputError: as :meth:`Rasterizer.render`, or the numbers of objects and poses differ.
    """
    wanted = _inputs.attributes(attributes) | {"depth"}
    if not isinstance(rasterizers, (list, tuple)):
        raise InputError(f"rasterizers must be a list of Rasterizer, but got {described(rasterizers)}")
    for rasterizer in rasterizers:
        instance(rasterizer, Rasterizer, "each of rasterizers", "make one with Rasterizer(mesh)")
    transforms = (
        np.zeros((0, 4, 4)) if len(rasterizers) == 0 == np.size(poses) else _inputs.poses(poses, "poses")
    )
    if len(transforms) != len(rasterizers):
        raise InputError(f"render_scene got {len(rasterizers)} objects but {len(transforms)} poses")
    width, height = _inputs.image_size(width, height)
    out = _empty(wanted, width, height)
    for index, (rasterizer, pose) in enumerate(zip(rasterizers, transforms)):
        layer = rasterizer.render(pose, K, width, height, attributes=tuple(wanted), near=near)
        _merge(out, layer, index)
    return SceneRendering(**out)


def _empty(wanted: frozenset[str], width: int, height: int) -> dict[str, NDArray[Any]]:
    shape = (height, width)
    out: dict[str, NDArray[Any]] = {
        "object_id": np.full(shape, -1, np.int32),
        "mask": np.zeros(shape, np.bool_),
        "depth": np.zeros(shape, np.float32),
    }
    if "face_id" in wanted:
        out["face_id"] = np.full(shape, -1, np.int32)
    for name in wanted & {"barycentric", "normal", "color"}:
        out[name] = np.zeros((*shape, 3), np.float32)
    return out


def _merge(out: dict[str, NDArray[Any]], layer: Rendering, index: int) -> None:
    """Copy the pixels of one object that are nearer than what is there."""
    assert layer.depth is not None
    wins = layer.mask[0] & (~out["mask"] | (layer.depth[0] < out["depth"]))
    out["object_id"][wins] = index
    for field in fields(layer):
        image = getattr(layer, field.name)
        if image is not None:
            out[field.name][wins] = image[0][wins]
