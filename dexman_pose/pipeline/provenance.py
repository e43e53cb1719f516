"""Where a trajectory comes from and what was assumed, as plain JSON values inside its file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dexman_pose.data.trajectory import Trajectory
from dexman_pose.pipeline.inputs import Fingerprints, Inputs
from dexman_pose.pipeline.versions import versions


def _lens(inputs: Inputs) -> dict[str, Any]:
    """The lens that was undone: the model, and the camera as it was given."""
    filmed = inputs.filmed_camera
    if filmed is None:
        return {"undistorted": False}
    return {
        "undistorted": True,
        "model": None if filmed.lens is None else filmed.lens.model,
        "coefficients": None if filmed.lens is None else filmed.lens.coefficients.tolist(),
        "filmed_K": filmed.K.tolist(),
    }


def _lens_notices(inputs: Inputs) -> list[str]:
    if inputs.filmed_camera is None:
        return []
    return [
        "The pictures were undistorted: camera, outlines and pixels are those of the undistorted pictures; the camera "
        "as it was given is kept as filmed_camera."
    ]


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
        "lens": _lens(inputs),
        "depth": "given" if inputs.depth is not None else "none",
        "world": "camera",
        "notices": [
            "The world frame is the camera frame: gravity was not estimated.",
            *_lens_notices(inputs),
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
