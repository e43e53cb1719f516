"""Pictures of a trajectory: overlays on the video, plots, a self-contained HTML report, a summary."""

from typing import TYPE_CHECKING

from dexman_pose._lazy import lazy_names

if TYPE_CHECKING:
    from dexman_pose.viewer.describe import describe
    from dexman_pose.viewer.figures import figures
    from dexman_pose.viewer.overlay import OverlayRenderer, overlay_frame, write_overlay
    from dexman_pose.viewer.plots import plot_contacts, plot_distances, plot_hands, plot_object
    from dexman_pose.viewer.report import write_report

__all__ = [
    "OverlayRenderer",
    "describe",
    "figures",
    "overlay_frame",
    "plot_contacts",
    "plot_distances",
    "plot_hands",
    "plot_object",
    "write_overlay",
    "write_report",
]

__getattr__, __dir__ = lazy_names(
    __name__,
    {
        "OverlayRenderer": "dexman_pose.viewer.overlay",
        "describe": "dexman_pose.viewer.describe",
        "figures": "dexman_pose.viewer.figures",
        "overlay_frame": "dexman_pose.viewer.overlay",
        "plot_contacts": "dexman_pose.viewer.plots",
        "plot_distances": "dexman_pose.viewer.plots",
        "plot_hands": "dexman_pose.viewer.plots",
        "plot_object": "dexman_pose.viewer.plots",
        "write_overlay": "dexman_pose.viewer.overlay",
        "write_report": "dexman_pose.viewer.report",
    },
)
