"""Symmetries of objects: detected from shape and colours, or declared."""

from dexman_pose.symmetry.detect import detect_symmetry

__all__ = ["detect_symmetry"]
