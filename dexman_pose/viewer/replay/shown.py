"""Which frames of a clip the page can stop at, and how large what it holds may be."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class ReplayOptions:
    """What of a clip goes into the page.

    Attributes:
        frames: at most so many; of a longer clip every second, third, ... is shown. Curves are of all.
        width: of the pictures, pixels.
        jpeg_bytes: pictures are single JPEGs while they fit into so many bytes, a film where they do not.
        film_bytes: about the most that a film takes.
        quality: of the JPEGs.
        rate: constant rate factor of the film, where its size allows it.
        group: frames of the film between two that stand alone: the fewer, the quicker it jumps.
        probes: pictures by whose size that of all is told.
        faces: of a mesh, at most; a finer one is made coarser.
        cells: of the grid that makes it coarser, along its longest side, to begin with.
        texture: pixels of a texture's longer side, at most.
        skin: metres between points of a hand's skin.
    """

    frames: int = 3000
    width: int = 640
    jpeg_bytes: int = 5_000_000
    film_bytes: int = 7_000_000
    quality: int = 76
    rate: int = 25
    group: int = 12
    probes: int = 3
    faces: int = 16_000
    cells: int = 96
    texture: int = 512
    skin: float = 0.005


def shown_frames(count: int, options: ReplayOptions) -> NDArray[np.int64]:
    """Frames that the page shows, evenly spaced, the first one included.

    Args:
        count: frames of the clip.
        options: how many.
    """
    step = max(1, -(-count // options.frames))
    return np.arange(0, count, step)
