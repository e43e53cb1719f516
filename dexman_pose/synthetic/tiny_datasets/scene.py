"""Pictures of a few meshes at given poses, for the small synthetic datasets: colour, depth, who is where."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray
from PIL import Image

from dexman_pose.data import Camera, Mesh
from dexman_pose.data.files import write_bytes
from dexman_pose.render import Rasterizer

_WALL = 1.5  # metres to the wall behind everything
_WALL_COLOR = (90, 96, 104)


@dataclass(frozen=True)
class SmallPicture:
    """One picture.

    Attributes:
        rgb: (H, W, 3) uint8.
        depth: (H, W) float32 metres, the wall included.
        whole: by name, (H, W) bool, the outline as if nothing hid it.
        seen: by name, (H, W) bool, the visible part.
    """

    rgb: NDArray[np.uint8]
    depth: NDArray[np.float32]
    whole: dict[str, NDArray[np.bool_]]
    seen: dict[str, NDArray[np.bool_]]


class SmallScene:
    """Meshes that are drawn again and again.

    Args:
        meshes: by name of the mesh, metres.
    """

    def __init__(self, meshes: Mapping[str, Mesh]) -> None:
        self._rasterizers = {name: Rasterizer(mesh) for name, mesh in meshes.items()}

    def picture(self, camera: Camera, placed: Mapping[str, tuple[str, ArrayLike]]) -> SmallPicture:
        """Draw things, each a name with (mesh, camera_from_object); lens distortion is not drawn."""
        size = (camera.height, camera.width)
        rgb = np.tile(np.array(_WALL_COLOR, np.uint8), (*size, 1))
        depth, owner = np.full(size, _WALL, np.float32), np.full(size, -1)
        whole = {}
        for i, (name, (mesh, pose)) in enumerate(placed.items()):
            r = self._rasterizers[mesh].render(
                pose, camera.K, camera.width, camera.height, attributes=("depth", "color", "normal")
            )
            assert r.depth is not None and r.color is not None and r.normal is not None
            whole[name] = r.mask[0]
            nearer = r.mask[0] & (r.depth[0] < depth)
            light = 0.4 + 0.6 * np.abs(r.normal[0, ..., 2:])
            rgb[nearer] = np.clip(255 * r.color[0] * light, 0, 255).astype(np.uint8)[nearer]
            depth[nearer], owner[nearer] = r.depth[0][nearer], i
        return SmallPicture(rgb, depth, whole, {name: owner == i for i, name in enumerate(placed)})


def write_image(path: Path, image: NDArray[np.generic]) -> Path:
    """Write pixels as they are, PNG or JPEG by the suffix, atomically; returns the path."""
    stream = io.BytesIO()
    if path.suffix in (".jpg", ".jpeg"):
        Image.fromarray(image).save(stream, format="JPEG", quality=92)
    else:
        Image.fromarray(image).save(stream, format="PNG", compress_level=3)
    return write_bytes(path, stream.getvalue())


def depth_steps(depth: NDArray[np.float32], unit_m: float) -> NDArray[np.uint16]:
    """Depth in metres as 16-bit steps of ``unit_m`` metres."""
    return np.clip(np.round(depth / unit_m), 0, 65535).astype(np.uint16)
