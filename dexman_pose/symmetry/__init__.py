"""Symmetries of objects: detected from shape and colours, or declared."""

from typing import TYPE_CHECKING

from dexman_pose._lazy import lazy_names
from dexman_pose._optional import require_engine

if TYPE_CHECKING:
    from dexman_pose.symmetry.detect import detect_symmetry

__all__ = ["detect_symmetry"]

__getattr__, __dir__ = lazy_names(__name__, {"detect_symmetry": "dexman_pose.symmetry.detect"})

require_engine("detecting symmetries")
