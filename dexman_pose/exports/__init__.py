"""Trajectories in the formats of other programs."""

from __future__ import annotations

from dexman_pose.exports.registry import FORMATS, ExportFormat, export

__all__ = ["FORMATS", "ExportFormat", "export"]
