"""Where a trajectory comes from and what was assumed, as plain JSON values inside its file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dexman_pose.data.trajectory import Trajectory
from dexman_pose.pipeline.inputs import Fingerprints, Inputs
from dexman_pose.pipeline.versions import versions


def provenance(
    inputs: Inputs, marks: Fingerprints, settings: Mapping[str, Any], result: Trajectory
) -> dict[str, Any]:
    """Input, settings, versions, and for every quantity whether it was given, measured or assumed.

    Holds no time and no absolute path: the same input gives the same file.
    """
    clip = inputs.clip
    return {
        "input": {
            "video": Path(clip.path).name if clip.path is not None else None,
            "fingerprint": marks.clip,
            "frames": clip.num_frames,
            "width": clip.width,
            "height": clip.height,
        },
        "settings": dict(settings),
        "versions": versions(),
        "camera": result.camera.source,
        "depth": "given" if inputs.depth is not None else "none",
        "given": inputs.given.provenance(),
        "world": "camera",
        "notices": [
            "The world frame is the camera frame: gravity was not estimated.",
            *inputs.given.notes,
        ],
        "objects": {
            name: {
                "mesh": "given" if inputs.meshes[name] is not None else obj.mesh.source,
                "scale_source": obj.scale_source,
                "valid_frames": int(obj.valid.sum()),
            }
            for name, obj in result.objects.items()
        },
        "hands": {
            side: {"scale_source": hand.scale_source, "valid_frames": int(hand.valid.sum())}
            for side, hand in result.hands.items()
        },
    }
