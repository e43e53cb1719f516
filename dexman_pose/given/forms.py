"""Types of what callers may hand over."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from dexman_pose.data.masks import MaskSequence
from dexman_pose.data.tracks import HandObservations

POSES_AS = ("start", "fixed")
"""What given poses are for: where tracks begin, or the result."""

MasksLike = MaskSequence | str | Path | NDArray[Any] | Mapping[Any, Any]
HandsLike = HandObservations | str | Path | Mapping[Any, Any] | Sequence[Mapping[str, Any]]
PosesLike = str | Path | NDArray[Any] | Mapping[Any, Any]
