"""Pictures of a trajectory: overlays on the video, plots, a self-contained HTML report, a summary."""

from dexman_pose.viewer.describe import describe
from dexman_pose.viewer.overlay import OverlayRenderer, overlay_frame, write_overlay
from dexman_pose.viewer.plots import plot_contacts, plot_distances, plot_hands, plot_object
from dexman_pose.viewer.report import write_report

__all__ = [
    "OverlayRenderer",
    "describe",
    "overlay_frame",
    "plot_contacts",
    "plot_distances",
    "plot_hands",
    "plot_object",
    "write_overlay",
    "write_report",
]
