"""The baseline: one affine map per object and chunk, from one shared frame, chained.

Source: Hsieh et al., DexMan, arXiv 2510.08475, appendix B.1.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from dexman_pose.arrays import Array
from dexman_pose.data import MaskSequence
from dexman_pose.depth.alignment.chunks import DepthChunk


def object_centric_affine(chunks: Sequence[DepthChunk], masks: MaskSequence, name: str) -> Array:
    """Affine maps of one object's depth to that of the first chunk, as that paper describes them.

    On the first frame that a chunk shares with the one before, least squares over the object's pixels bring its depth
    to that of the chunk before; the maps are chained. No outlier is left out, no edge is spared: the paper tells of
    neither. It is here to be compared with.

    Args:
        chunks: in order, each with at least one frame of the one before.
        masks: of the clip.
        name: of the object.

    Returns:
        (K, 2) factor and shift in metres per chunk; 1 and 0 for the first, and that of the chunk before where the
        object is not to be seen in the shared frame.
    """
    maps = np.zeros((len(chunks), 2))
    maps[0] = 1.0, 0.0
    for k in range(1, len(chunks)):
        before, chunk = chunks[k - 1], chunks[k]
        mask = masks.mask(chunk.first, name)
        source = chunk.frames.frame(0)[mask].astype(float)
        target = before.frames.frame(chunk.first - before.first)[mask].astype(float)
        known = (source > 0) & (target > 0)
        if known.sum() < 2:
            maps[k] = maps[k - 1]
            continue
        matrix = np.stack([source[known], np.ones(int(known.sum()))], 1)
        factor, shift = np.linalg.lstsq(matrix, maps[k - 1, 0] * target[known] + maps[k - 1, 1], rcond=None)[
            0
        ]
        maps[k] = factor, shift
    return maps
