"""Labels from likelihoods: mean field in a contrast-sensitive Potts model on the pixel grid.

Every label (background, hand, each object) competes for every pixel, so the masks exclude each other by
construction. The pairwise weight between neighbours falls with their colour difference, as in GrabCut (Rother,
Kolmogorov and Blake, 2004); the update is the naive mean field of Kraehenbuehl and Koltun (2011) on 8 neighbours.
"""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dexman_pose.segmentation.grabcut.color import Float, Lab
from dexman_pose.segmentation.grabcut.kernels import labels as kernels
from dexman_pose.segmentation.grabcut.kernels.workspace import Workspace
from dexman_pose.segmentation.grabcut.model_options import LabelingOptions
from dexman_pose.segmentation.grabcut.options import DEFAULTS

EVIDENCE = "evidence"
"""Name of the image (K, H, W) that evidence is written into."""
LAB = "lab"
"""Name of the image (H, W, 3) of the picture."""


class Labeler:
    """Labels windows; holds what a solution needs on the way.

    Args:
        work: holds ``EVIDENCE`` and ``LAB``; results are written beside them.
        options: how strongly neighbours agree, and how long it is iterated.
    """

    def __init__(self, work: Workspace, options: LabelingOptions = DEFAULTS.labeling) -> None:
        self._work = work
        self._rule: Any = kernels.PottsRule()
        for field in fields(options):
            setattr(self._rule, field.name, getattr(options, field.name))

    def solve(self, labels: int, height: int, width: int) -> tuple[Float, NDArray[np.uint8]]:
        """Solve the window whose evidence lies in the workspace.

        Returns:
            (K, H, W) probability of each label, and (H, W) uint8 the likeliest one; both are views that the next
            call overwrites.
        """
        work = self._work
        work.image("labeling", np.float32, (kernels.work_size(labels, height, width),))
        probability = work.image("probability", np.float32, (labels, height, width))
        winner = work.image("winner", np.uint8, (height, width))
        work.launch(
            kernels.solve,
            EVIDENCE,
            LAB,
            labels,
            height,
            width,
            self._rule,
            "labeling",
            "probability",
            "winner",
        )
        return probability, winner


def posterior(log_evidence: Float, lab: Lab, options: LabelingOptions = DEFAULTS.labeling) -> Float:
    """Compute the probability of each label at each pixel, (K, H, W) float32.

    Args:
        log_evidence: (K, H, W) log likelihood plus log prior of each label.
        lab: (H, W, 3) the picture, whose edges the labels may follow at little cost.
        options: how strongly neighbours agree, and how long it is iterated.
    """
    work = Workspace()
    work.image(EVIDENCE, np.float32, log_evidence.shape)[...] = log_evidence
    work.image(LAB, np.uint8, lab.shape)[...] = lab
    found, _ = Labeler(work, options).solve(*log_evidence.shape)
    return found
