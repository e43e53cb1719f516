"""A trajectory's summary as plain values, for other programs: what ``describe`` says in words."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from dexman_pose.data import Trajectory
from dexman_pose.data.numbers import instance
from dexman_pose.data.tracks import SIDES
from dexman_pose.viewer.describe import duration, summarize_hand, summarize_object
from dexman_pose.viewer.notices import notices


def figures(trajectory: Trajectory) -> dict[str, Any]:
    """The summary of a trajectory as numbers, texts, lists and dicts that JSON holds.

    Args:
        trajectory: any trajectory, also an empty one.

    Returns:
        ``frames``, ``seconds``; ``camera`` (size, ``K``, ``source``); ``table``, whether gravity is known; ``objects``
        and ``hands`` by name, with the fields of ``ObjectSummary`` and ``HandSummary`` of
        :mod:`dexman_pose.viewer.describe`, metres and shares; ``notes``, what to be careful with.
    """
    instance(trajectory, Trajectory, "trajectory", "dexman_pose.reconstruct gives one, or Trajectory.load")
    camera = trajectory.camera
    return {
        "frames": trajectory.num_frames,
        "seconds": duration(trajectory),
        "camera": {
            "width": camera.width,
            "height": camera.height,
            "K": camera.K.tolist(),
            "source": camera.source,
        },
        "table": trajectory.table is not None,
        "objects": {name: asdict(summarize_object(obj)) for name, obj in trajectory.objects.items()},
        "hands": {
            side: asdict(summarize_hand(trajectory, side)) for side in SIDES if side in trajectory.hands
        },
        "notes": list(notices(trajectory)),
    }
