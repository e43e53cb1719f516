"""How far away the hands are taken to be before they are fitted: from their apparent size, over the whole clip.

Bone directions guessed from one image are off by tens of degrees, and a fit that is free in depth explains such errors
by moving the hand: a foreshortened palm passes for a far one. Over a clip these errors differ and the distance hardly
does, so each frame's apparent size is only allowed to move the distance a little from the clip's.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import median_filter

from dexman_pose.data.tracks import JOINT_PARENTS

Array = NDArray[np.float64]

WINDOW = 15  # frames: half a second over which the distance is nearly constant
FOLLOWED = 0.5  # share of a slow change of apparent size that is believed to be a change of distance
SHARED = 0.5  # how far a hand is drawn to the middle of both: they work on the same things
POOR = 0.4  # disagreement of guess and image, in palm lengths, at which the prior has its full weight
SIGMA = 0.03  # relative standard deviation of a frame's distance around its prior


def distance_prior(log_depths: dict[int, Array], disagreement: dict[int, Array]) -> dict[int, Array]:
    """Expected log depth (n,) of every frame of each hand.

    Args:
        log_depths: by side, (n,) log of the depth in metres at which the guessed hand is as large as it was seen.
        disagreement: by side, (n,) how far the guessed hand is off its image there, in palm lengths: the hand that is
            guessed better speaks for both.
    """
    middles = {side: float(np.median(values)) for side, values in log_depths.items()}
    errors = {side: max(float(np.median(values)), 0.05) for side, values in disagreement.items()}
    total = sum(e**-2 for e in errors.values())
    common = sum(middles[s] * errors[s] ** -2 for s in middles) / max(total, 1e-9)
    out = {}
    for side, values in log_depths.items():
        slow = median_filter(values, size=min(WINDOW, len(values)), mode="nearest")
        middle = middles[side] + min(max(SHARED, errors[side]), 1.0) * (common - middles[side])
        out[side] = middle + FOLLOWED * np.clip(slow - middles[side], -0.5, 0.5)
    return out


def farthest_depth(rays: Array, lengths: Array) -> Array:
    """(n,) depth in metres beyond which some bones would have to be longer than they are.

    A bone of known length cannot look longer than it does across the line of sight, so each gives an upper bound; of
    20 bones a few always lie across. The tenth percentile stands for the smallest, which noise would decide.

    Args:
        rays: (n, 21, 2) x/z and y/z of the joints.
        lengths: (21,) bone lengths in metres, 0 for the wrist.
    """
    seen = np.linalg.norm(rays[:, 1:] - rays[:, list(JOINT_PARENTS[1:])], axis=-1)
    bounds = lengths[1:] / np.maximum(seen, 1e-6)
    return np.asarray(np.percentile(bounds, 10, axis=1), dtype=np.float64)


def prior_weight(disagreement: Array) -> float:
    """Inverse variance of the prior, from how far (n,) the guessed hands are off their images, in palm lengths.

    A guess that explains the image tells its distance well, and needs no prior.
    """
    poor = min(float(np.median(disagreement)) / POOR, 1.0) if len(disagreement) else 1.0
    return poor**4 / SIGMA**2
