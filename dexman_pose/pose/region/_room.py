"""The memory of a region solver: every array that its kernels share, by name."""

from __future__ import annotations

from typing import Any

from numpy.typing import NDArray

from dexman_pose._warp import wp
from dexman_pose.pose.region._layout import COLORS, LINE_ROOM, SECTORS, Line, LineReport
from dexman_pose.pose.solver._layout import (
    UNKNOWNS,
    PointSet,
    Prior,
    Projection,
    Report,
    Slot,
    State,
    System,
    Target,
    Term,
    View,
)
from dexman_pose.render._buffers import Buffers

POINT_ROOM = 128
"""Points beside the lines at most."""

ROWS = LINE_ROOM + POINT_ROOM
"""Lines and points together."""

_SIZES: dict[str, tuple[Any, int]] = {
    "candidate": (wp.float64, State.SIZE),
    "best": (wp.float64, State.SIZE),
    "prior": (wp.float64, Prior.SIZE),
    "projection": (wp.float64, Projection.SIZE),
    "view_of": (wp.int32, 1),
    "views": (wp.float64, View.SIZE),
    "wanted": (wp.float64, 1),
    "set_of": (wp.int32, 1),
    "sets": (wp.int32, PointSet.SIZE),
    "kinds": (wp.int32, ROWS),
    "points": (wp.float64, 3 * ROWS),
    "targets": (wp.float64, Target.SIZE * ROWS),
    "code": (wp.uint8, 1),
    "gray": (wp.float32, 1),
    "slots": (wp.float64, Term.SIZE * Slot.SIZE),
    "system": (wp.float64, System.SIZE),
    "trial": (wp.float64, Report.SIZE),
    "best_system": (wp.float64, System.SIZE),
    "evidence_system": (wp.float64, System.SIZE),
    "report": (wp.float64, Report.SIZE),
    "factor": (wp.float64, UNKNOWNS**2),
    "step": (wp.float64, UNKNOWNS),
    "lines": (wp.float32, Line.SIZE * LINE_ROOM),
    "said": (wp.float32, LineReport.SIZE),
    "table": (wp.float32, SECTORS * COLORS),
    "counts": (wp.float32, 2 * SECTORS * COLORS),
    "totals": (wp.float32, 2 * SECTORS),
    "shares": (wp.float32, 2 * (SECTORS + 1) * COLORS),
    "hidden": (wp.uint8, 0),
}


def solver_room() -> tuple[Buffers, dict[str, NDArray[Any]]]:
    """Buffers of all arrays, and views of them on the host, zero everywhere."""
    buffers, host = Buffers("cpu"), {}
    for name, (kind, size) in _SIZES.items():
        buffers.get(name, kind, size)
        host[name] = buffers.host(name, size)
        host[name][:] = 0
    return buffers, host
