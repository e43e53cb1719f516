"""Contact sheets: the mesh's outline at the estimated (red) and the known pose (green) over the picture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from dexman_pose.arrays import Array, Bools
from dexman_pose.data import Camera, Mesh
from dexman_pose.imaging.resize import resize_labels, resize_picture
from dexman_pose.render import Rasterizer

Picture = NDArray[np.uint8]

RED, GREEN, BLUE = (255, 40, 40), (40, 255, 40), (70, 130, 255)


@dataclass(frozen=True)
class Tile:
    """One picture of a sheet.

    Attributes:
        image: (H, W, 3) uint8.
        mesh: as large as ``found`` has it, metres.
        found: (4, 4) estimate, or None.
        true: (4, 4) known pose, or None.
        text: what is written over it.
        mask: (H, W) bool drawn in blue, or None.
        true_mesh: mesh at ``true`` where its size is another.
        creases: edges inside the outline are drawn too; without them small gaps in the outline are closed.
    """

    image: Picture
    mesh: Mesh
    found: Array | None
    true: Array | None
    text: str
    mask: Bools | None = None
    true_mesh: Mesh | None = None
    creases: bool = True


def write_sheet(
    path: Path, tiles: Sequence[Tile], camera: Camera, *, columns: int = 6, size: int = 240
) -> None:
    """Draw the tiles as square crops of ``size`` pixels, row by row, and save them as PNG."""
    if not tiles:
        return
    rasterizers: dict[int, Rasterizer] = {}
    drawn = [_draw(tile, camera, size, rasterizers) for tile in tiles]
    columns = min(columns, len(drawn))
    drawn += [np.zeros((size, size, 3), np.uint8)] * (-len(drawn) % columns)
    rows = [np.concatenate(drawn[i : i + columns], 1) for i in range(0, len(drawn), columns)]
    Image.fromarray(np.concatenate(rows, 0)).save(path)


def _draw(tile: Tile, camera: Camera, size: int, rasterizers: dict[int, Rasterizer]) -> Picture:
    """One crop with its lines, drawn at the crop's own resolution so that they stay thin."""
    shapes: list[tuple[Mesh, Array, tuple[int, int, int]]] = []
    if tile.true is not None:
        shapes.append((tile.true_mesh or tile.mesh, tile.true, GREEN))
    if tile.found is not None:
        shapes.append((tile.mesh, tile.found, RED))
    x0, y0, side = _window(shapes, tile.mask, camera)
    scale = size / side
    crop = camera.cropped(x0, y0, size, size, scale)
    image = _cut(tile.image, x0, y0, side, size)
    for mesh, pose, color in shapes:
        rasterizer = rasterizers.setdefault(id(mesh), Rasterizer(mesh))
        drawn = rasterizer.render(pose[None], crop.K, size, size, attributes=("normal",))
        normal = drawn.normal[0] if tile.creases and drawn.normal is not None else None
        shape = drawn.mask[0] if tile.creases else _closed(drawn.mask[0])
        image[_lines(shape, normal)] = color
    if tile.mask is not None:
        held = _cut(np.repeat(tile.mask[..., None].astype(np.uint8), 3, 2), x0, y0, side, size)[..., 0] > 0
        image[_lines(held, None)] = BLUE
    image[:18] //= 4
    cv2.putText(image, tile.text, (4, 13), cv2.FONT_HERSHEY_SIMPLEX, 0.42, (255, 255, 255), 1, cv2.LINE_AA)
    return image


def _window(
    shapes: Sequence[tuple[Mesh, Array, tuple[int, int, int]]], mask: Bools | None, camera: Camera
) -> tuple[int, int, int]:
    """A square around everything that will be drawn, limited to the picture's size: x0, y0, side."""
    points = []
    for mesh, pose, _ in shapes:
        there = mesh.vertices @ pose[:3, :3].T + pose[:3, 3]
        points.append(camera.project(there[there[:, 2] > 0.01]))
    if mask is not None and mask.any():
        points.append(np.argwhere(mask)[:, ::-1].astype(np.float64))
    seen = np.concatenate(points) if points else np.array([[0.0, 0.0]])
    seen = np.clip(seen, 0, [camera.width, camera.height])
    low, high = seen.min(0), seen.max(0)
    side = int(np.clip(1.3 * float((high - low).max()), 48, max(camera.width, camera.height)))
    x0, y0 = (0.5 * (low + high) - side / 2).astype(int)
    return int(x0), int(y0), side


def _cut(image: Picture, x0: int, y0: int, side: int, size: int) -> Picture:
    """The window resized to (size, size, 3); black outside the picture."""
    window = np.zeros((side, side, 3), np.uint8)
    height, width = image.shape[:2]
    left, top, right, bottom = max(x0, 0), max(y0, 0), min(x0 + side, width), min(y0 + side, height)
    if right > left and bottom > top:
        window[top - y0 : bottom - y0, left - x0 : right - x0] = image[top:bottom, left:right]
    if size < side:
        return resize_picture(window, (size, size))
    return resize_labels(window, (size, size))  # every pixel to be seen as it is


def _closed(mask: Bools) -> Bools:
    """The mask without gaps narrower than about 15 pixels, as between the wires of a whisk."""
    round_ = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (15, 15))
    return np.asarray(cv2.morphologyEx(mask.astype(np.uint8), cv2.MORPH_CLOSE, round_) > 0)


def _lines(mask: Bools, normal: NDArray[np.float32] | None) -> Bools:
    """Pixels on the inner border of a mask, and where neighbouring normals differ by more than 30 degrees."""
    inside = cv2.erode(mask.astype(np.uint8), np.ones((3, 3), np.uint8), borderValue=0) > 0
    out: Bools = mask & ~inside
    if normal is not None:
        bent = np.zeros_like(mask)
        bent[:, 1:] |= (normal[:, 1:] * normal[:, :-1]).sum(-1) < 0.86
        bent[1:] |= (normal[1:] * normal[:-1]).sum(-1) < 0.86
        out |= bent & inside
    return out
