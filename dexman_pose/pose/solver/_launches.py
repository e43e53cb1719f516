"""The fused refinement's kernels by name, each with its recorded launch, and the sizes they are launched with."""

from __future__ import annotations

from dataclasses import dataclass

from dexman_pose.pose.solver import _dense_kernels as terms
from dexman_pose.pose.solver import _gather_kernels as gather
from dexman_pose.pose.solver import _point_kernels as sparse
from dexman_pose.pose.solver import _projection_kernels as projections
from dexman_pose.pose.solver import _step_kernels as steps
from dexman_pose.pose.solver._layout import POSE
from dexman_pose.render import _raster_kernels as raster
from dexman_pose.render.commands import Command


class SolverLaunches:
    """The kernels of an iteration, each with the launch that is recorded for it."""

    def __init__(self, device: str) -> None:
        self.project_vertices = Command(raster.project_vertices, device)
        self.rasterize = Command(raster.rasterize, device)
        self.dense_terms = Command(terms.dense_terms, device)
        self.mask_edges = Command(terms.mask_edges, device)
        self.sparse_terms = Command(sparse.sparse_terms, device)
        self.project_states = Command(projections.project_states, device)
        self.gather_terms = Command(gather.gather_terms, device)
        self.step_states = Command(steps.step_states, device)


@dataclass(frozen=True)
class SolverPlan:
    """Sizes and switches of one call."""

    batch: int
    width: int
    height: int
    threads: int
    silhouette: bool
    depth: bool
    scales: int
    focal: int

    @property
    def unknowns(self) -> int:
        """Number of unknowns."""
        return POSE + self.scales + self.focal
