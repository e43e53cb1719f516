"""Small turns of a pose, refined side by side: a face seen front on looks the same from either side."""

from __future__ import annotations

import numpy as np

from dexman_pose.arrays import Array
from dexman_pose.pose.observation.crop import CropObservation
from dexman_pose.pose.refinement.options import AROUND_HYPOTHESIS, AROUND_START, PerturbationOptions
from dexman_pose.pose.refinement.refiner import PoseRefiner, Refined, apply_increment
from dexman_pose.pose.solver.options import RefineOptions
from dexman_pose.pose.solver.problem import Problem


def perturbed_poses(pose: Array, center: Array, angle: float = AROUND_HYPOTHESIS.angle) -> list[Array]:
    """Turn a pose (4, 4) by a small angle both ways about each axis of the camera.

    Args:
        pose: camera_from_object.
        center: (3,) of the object, object frame; it stays where it is.
        angle: radians.
    """
    middle = pose[:3, :3] @ center + pose[:3, 3]
    turns = np.concatenate([np.eye(3), -np.eye(3)])
    twists = np.concatenate([np.zeros_like(turns), angle * turns], 1)
    return [apply_increment(twist, pose, middle) for twist in twists]


def best_of_perturbed(
    refiner: PoseRefiner,
    start: Array,
    evidence: CropObservation,
    scales: int = 0,
    options: PerturbationOptions = AROUND_START,
) -> Refined:
    """The cheapest refinement from the start and from six small turns of it.

    Where a face seen at a grazing angle comes and goes, the cost has a kink that no single start steps over.

    Args:
        refiner: holds the mesh.
        start: (4, 4).
        evidence: of the frame.
        scales: unknown factors of the mesh; with any, the distance is free.
        options: the turns, and how far the refinement may go.
    """
    shift = None if scales else options.prior_translation * refiner.rasterizer.mesh.radius
    refinement = RefineOptions(
        iterations=options.iterations, prior_translation=shift, prior_rotation=options.prior_rotation
    )
    starts = [start, *perturbed_poses(start, refiner.center, options.angle)]
    problems = [Problem(s, predicted=start) for s in starts]
    return min(refiner.refine_all(problems, [evidence], refinement, scales=scales), key=lambda r: r.cost)
