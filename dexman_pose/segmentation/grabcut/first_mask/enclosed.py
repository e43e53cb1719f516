"""What a box encloses: a surface that goes on outside of it is not the object, whatever its colour.

A box is drawn around the whole object. Cloth, paper or a shadow below it mostly reach beyond it: from each of their
pixels a way leads out of the box on which the colour hardly changes. No way leads out of the object without a change.
"""

from __future__ import annotations

import cv2
import numpy as np

from dexman_pose.arrays import Mask
from dexman_pose.imaging.masks import Float
from dexman_pose.segmentation.grabcut.color import Lab
from dexman_pose.segmentation.grabcut.kernels.barrier import find_barriers
from dexman_pose.segmentation.grabcut.kernels.workspace import Workspace
from dexman_pose.segmentation.grabcut.model_options import EnclosedOptions

_FAR = 1e9


def barriers(lab: Lab, allowed: Mask, options: EnclosedOptions) -> Float:
    """How strongly colours change, at least, on the way out of a box, (H, W), in 8-bit units of Lab.

    Args:
        lab: (H, W, 3) crop around the box with some surroundings.
        allowed: (H, W) pixels in the box.
        options: how colours are compared.
    """
    height, width = allowed.shape
    smooth = cv2.GaussianBlur(lab, (0, 0), options.blur).astype(np.float32)
    smooth[..., 0] *= options.lightness
    work = Workspace()
    for name in ("values", "lowest", "highest"):
        work.image(name, np.float32, smooth.shape)[...] = smooth
    out = work.image("barrier", np.float32, allowed.shape)
    out[...] = np.where(allowed, np.float32(_FAR), np.float32(0.0))
    work.launch(find_barriers, "values", "lowest", "highest", "barrier", height, width, options.sweeps)
    return out.copy()


def enclosed_log_odds(lab: Lab, allowed: Mask, options: EnclosedOptions) -> Float:
    """Log odds (H, W) of the object, told by the way out of a box; see :func:`barriers`."""
    found = barriers(lab, allowed, options)
    odds = (found - options.barrier) / options.softness
    return np.asarray(np.clip(odds, *options.log_odds), np.float32)
