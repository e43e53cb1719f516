"""Estimates from one picture, whatever is known of the mesh's size."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dexman_pose.data import Camera, Mesh
from dexman_pose.data.tracks import ScaleSource
from dexman_pose.geometry.symmetry import SymmetryGroup
from dexman_pose.pose.estimate import PoseEstimate, estimate_of
from dexman_pose.pose.search import has_color, refiner_for, search_pose


def find_pose(
    mesh: Mesh,
    image: NDArray[np.uint8],
    labels: NDArray[np.uint8],
    label: int,
    camera: Camera,
    *,
    depth: NDArray[np.float32] | None = None,
    scales: int = 0,
    source: ScaleSource = "given",
    symmetry: SymmetryGroup,
    device: str = "cpu",
) -> list[PoseEstimate]:
    """Ranked estimates of one object in one picture, best first.

    Where one scale is unknown and the mesh has colours, shape and depth give the size first; with the size known,
    colours then tell what shape leaves open.

    Args:
        mesh: metres, or of any size where ``scales`` is not 0.
        image: (H, W, 3) uint8 RGB.
        labels: (H, W) uint8 label image.
        label: the object's value in it.
        camera: intrinsics.
        depth: (H, W) metres, 0 where not measured.
        scales: unknown factors of the mesh: 0, 1, or 3 along its axes.
        source: what fixes the scale.
        symmetry: of the mesh.
        device: where the engine runs.

    Raises:
        EstimationError: the mask is empty.
    """
    own = labels == label
    refiner = refiner_for(mesh, own, device)
    found = search_pose(refiner, image, labels, label, camera, depth=depth, scales=scales, symmetry=symmetry)
    if scales != 1 or not has_color(refiner):
        return [estimate_of(refiner, h.refined, h.score, source) for h in found]
    factor = float(found[0].refined.stretch[0])
    refiner = refiner_for(mesh.scaled(factor), own, device)
    found = search_pose(refiner, image, labels, label, camera, depth=depth, symmetry=symmetry.scaled(factor))
    return [estimate_of(refiner, h.refined, h.score, source).with_mesh_scaled(factor) for h in found]
