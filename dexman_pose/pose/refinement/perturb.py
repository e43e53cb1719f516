"""Small turns of a pose, refined side by side: a face seen front on looks the same from either side."""

from __future__ import annotations

import numpy as np

from dexman_pose.arrays import Array
from dexman_pose.pose.observation.crop import CropObservation
from dexman_pose.pose.refinement.refiner import PoseRefiner, Refined, apply_increment
from dexman_pose.pose.solver.options import RefineOptions
from dexman_pose.pose.solver.problem import Problem

START_PERTURBATION = np.deg2rad(4.0)

PERTURBATION = np.deg2rad(5.0)


def best_of_perturbed(
    refiner: PoseRefiner, start: Array, evidence: CropObservation, scales: int = 0
) -> Refined:
    """The cheapest refinement from the start and from six small turns of it.

    Where a face seen at a grazing angle comes and goes, the cost has a kink that no single start steps over.
    """
    radius = refiner.rasterizer.mesh.radius
    # Where the picture leaves a direction open, mostly the distance, the start is what is known of it.
    free = scales > 0
    options = RefineOptions(
        iterations=30, prior_translation=None if free else 0.05 * radius, prior_rotation=0.1
    )
    center = refiner.camera_center(start)
    turns = np.concatenate(
        [np.zeros((6, 3)), START_PERTURBATION * np.concatenate([np.eye(3), -np.eye(3)])], 1
    )
    starts = [start, *(apply_increment(turn, start, center) for turn in turns)]
    problems = [Problem(s, predicted=start) for s in starts]
    return min(refiner.refine_all(problems, [evidence], options, scales=scales), key=lambda r: r.cost)


def perturbed_poses(pose: Array, center: Array) -> list[Array]:
    """Poses (4, 4) turned by a small angle about each axis: a face seen front on looks the same from either side."""
    middle = pose[:3, :3] @ center + pose[:3, 3]
    turns = np.concatenate([np.zeros((6, 3)), PERTURBATION * np.concatenate([np.eye(3), -np.eye(3)])], 1)
    return [apply_increment(turn, pose, middle) for turn in turns]
