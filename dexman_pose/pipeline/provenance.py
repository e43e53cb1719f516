"""Where a trajectory comes from and what was assumed, as plain JSON values inside its file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from dexman_pose.data.mesh import Mesh
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


def _mesh_notices(result: Trajectory) -> list[str]:
    """What makers of meshes said of them."""
    return [f"{name}: {note}." for name, obj in result.objects.items() for note in obj.mesh.notes]


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
        "given": inputs.given.provenance(),
        "notices": [*_lens_notices(inputs), *inputs.given.notes, *_mesh_notices(result)],
        "objects": {
            name: {
                "mesh": "given" if inputs.meshes[name] is not None else obj.mesh.source,
                "shape_sure": obj.mesh.sure,
                "mesh_notes": list(obj.mesh.notes),
                "mesh_unit": _unit(inputs.meshes[name], obj.scale),
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


def _unit(mesh: Mesh | None, scale: float) -> dict[str, Any] | None:
    """The unit of a mesh file, who said so, and which others were plausible; None without a file.

    Where hands spoke for another unit than the one it was read in, the object was scaled to that: it is the one told.
    """
    if mesh is None or mesh.unit is None:
        return None
    from dexman_pose.meshing.units import UNITS

    told, read = mesh.unit, mesh.unit.name
    if told.source == "guessed":
        for other in told.others:
            if np.isclose(scale, UNITS[other] / UNITS[read], rtol=1e-9):
                others = [read, *(u for u in told.others if u != other)]
                return {"unit": other, "source": "hand", "others": others}
    return {"unit": read, "source": told.source, "others": list(told.others)}
