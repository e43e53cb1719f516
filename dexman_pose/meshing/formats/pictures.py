"""Pictures and materials that lie beside a mesh file, found as people leave them, or said to be missing."""

from __future__ import annotations

import io
from logging import getLogger
from pathlib import Path

import numpy as np

from dexman_pose.arrays import Array
from dexman_pose.data.files import one_line
from dexman_pose.data.frames.texture_png import came_from_jpeg
from dexman_pose.meshing.colors import Bytes, rgb_array

log = getLogger(__name__)

_SHEET = 1 << 26  # most pixels of a picture that is extended beyond its edge


def beside(folder: Path, name: str) -> Path:
    """The file a mesh file names: as it says, else of that name in its own folder, whatever the case of letters.

    Programs on Windows write whole paths of their own machine, and do not tell ``Scan.PNG`` from ``scan.png``.
    """
    told = name.strip().strip('"').replace("\\", "/")
    path = folder / told
    if path.is_file():
        return path
    last = told.rpartition("/")[2]
    if (folder / last).is_file():
        return folder / last
    same = [p for p in folder.iterdir() if p.name.lower() == last.lower() and p.is_file()]
    return same[0] if same else path


def picture_beside(folder: Path, name: str, owner: str) -> Bytes | None:
    """(H, W, 3) picture that a mesh file names, or None and a line in the log.

    Args:
        folder: of the mesh file.
        name: as the file has it.
        owner: what goes without its texture, for the log.
    """
    try:
        return opened(beside(folder, name).read_bytes())
    except Exception as error:  # readers of pictures raise whatever damaged bytes lead them to
        log.warning("%s goes without its texture %s: %s", owner, name.strip(), one_line(error))
        return None


def opened(data: bytes) -> Bytes:
    """(H, W, 3) of the bytes of a picture file."""
    from PIL import Image

    with Image.open(io.BytesIO(data)) as image:
        out = rgb_array(image)
        if image.format == "JPEG" and image.mode == "RGB":
            came_from_jpeg(out, data)
        return out


def clamped(uv: Array, image: Bytes, axes: tuple[bool, bool] = (True, True)) -> tuple[Array, Bytes]:
    """Texture coordinates and picture with its edge carried on outside, for axes (u, v) that do not repeat.

    The picture grows by whole multiples of itself as far as the coordinates reach; beyond eight of them, or where it
    would grow beyond all measure, the corners are pulled to its edge.
    """
    low, high = np.floor(uv.reshape(-1, 2).min(0) + 1e-6), np.ceil(uv.reshape(-1, 2).max(0) - 1e-6)
    low = np.where(axes, np.minimum(low, 0), 0).clip(-4, 0).astype(int)
    high = np.where(axes, np.maximum(high, 1), 1).clip(1, 4).astype(int)
    h, w = image.shape[:2]
    turns = high - low
    if turns[0] * turns[1] * h * w > _SHEET:
        low, high, turns = np.zeros(2, int), np.ones(2, int), np.ones(2, int)
    inside = np.where(axes, np.clip(uv, low, high), uv)
    if (turns == 1).all() and (low == 0).all():
        return inside, image
    around = ((h * (high[1] - 1), h * -low[1]), (w * -low[0], w * (high[0] - 1)), (0, 0))
    wide = np.pad(image, around, mode="edge")
    # An axis that repeats has one turn, and keeps its coordinates.
    return (inside - low) / turns, wide


def mirrored(uv: Array, image: Bytes, axes: tuple[bool, bool]) -> tuple[Array, Bytes]:
    """Texture coordinates and picture beside its mirror image, for axes (u, v) that repeat to and fro."""
    if axes[0]:
        image = np.concatenate([image, image[:, ::-1]], axis=1)
    if axes[1]:
        image = np.concatenate([image[::-1], image], axis=0)  # v grows upwards: the first copy is below
    return uv / np.where(axes, 2.0, 1.0), image
