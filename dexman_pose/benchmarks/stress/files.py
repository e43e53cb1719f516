"""Stress cases as files that any tool can read, and back."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from dexman_pose.benchmarks.stress.case import StressCase
from dexman_pose.data import Camera
from dexman_pose.data.files import write_bytes, write_json
from dexman_pose.errors import InputError
from dexman_pose.meshing.load import load_mesh
from dexman_pose.synthetic.demo.files import write_obj
from dexman_pose.synthetic.scenes.true_symmetry import TrueSymmetry

_FOLDERS = ("rgb", "depth", "mask", "mask_exact")


def write_stress_case(case: StressCase, folder: str | Path) -> Path:
    """Write a case.

    ``rgb/``, ``depth/`` (16 bits, millimetres, 0 where not measured), ``mask/`` (labels as given) and
    ``mask_exact/`` hold ``000000.png`` and so on; ``object.obj`` the mesh as given, ``camera.json`` the
    intrinsics, ``poses.json`` all that is true.

    Args:
        case: the case.
        folder: made when it is not there.

    Returns:
        The folder.
    """
    folder = Path(folder)
    for k in range(case.num_frames):
        millimetres = np.clip(np.round(1e3 * case.depth[k]), 0, 65535).astype(np.uint16)
        images: tuple[NDArray[Any], ...] = (case.images[k], millimetres, case.labels[k], case.exact_labels[k])
        for name, image in zip(_FOLDERS, images):
            _write_png(folder / name / f"{k:06d}.png", image)
    write_obj(folder / "object.obj", case.mesh)
    c = case.camera
    write_json(folder / "camera.json", {"K": c.K.tolist(), "width": c.width, "height": c.height})
    write_json(
        folder / "poses.json",
        {
            "condition": case.condition,
            "shape": case.shape,
            "seed": case.seed,
            "true_scale": case.true_scale,
            "camera_from_object": case.camera_from_object.tolist(),
            "visible": case.visible.tolist(),
            "face_parts": None if case.face_parts is None else case.face_parts.tolist(),
            "symmetry": {"discrete": case.symmetry.discrete.tolist(), "axes": case.symmetry.axes.tolist()},
        },
    )
    return folder


def read_stress_case(folder: str | Path) -> StressCase:
    """Read what :func:`write_stress_case` wrote. Vertex colours are not in an OBJ file: such a mesh comes back plain.

    Raises:
        InputError: no such folder, or a file is missing.
    """
    folder = Path(folder)
    try:
        truth = json.loads((folder / "poses.json").read_text())
        camera = json.loads((folder / "camera.json").read_text())
        count = len(truth["camera_from_object"])
        rgb, depth, labels, exact = (
            [_read_png(folder / name / f"{k:06d}.png") for k in range(count)] for name in _FOLDERS
        )
    except (OSError, ValueError, KeyError) as error:
        raise InputError(f"{folder} holds no stress case (write_stress_case makes one): {error}") from error
    axes = np.array(truth["symmetry"]["axes"], np.float64).reshape(-1, 3)
    return StressCase(
        condition=truth["condition"],
        shape=truth["shape"],
        seed=truth["seed"],
        mesh=load_mesh(folder / "object.obj", "m"),
        true_scale=truth["true_scale"],
        symmetry=TrueSymmetry(np.array(truth["symmetry"]["discrete"]), axes),
        camera=Camera(np.array(camera["K"]), camera["width"], camera["height"]),
        images=[image.astype(np.uint8) for image in rgb],
        labels=[image.astype(np.uint8) for image in labels],
        exact_labels=[image.astype(np.uint8) for image in exact],
        depth=[image.astype(np.float32) * np.float32(0.001) for image in depth],
        camera_from_object=np.array(truth["camera_from_object"]),
        visible=np.array(truth["visible"]),
        face_parts=None if truth.get("face_parts") is None else np.array(truth["face_parts"], np.int64),
    )


def _write_png(path: Path, image: NDArray[Any]) -> None:
    stream = io.BytesIO()
    Image.fromarray(image).save(stream, format="PNG", compress_level=3)
    write_bytes(path, stream.getvalue())


def _read_png(path: Path) -> NDArray[Any]:
    with Image.open(path) as image:
        return np.array(image)
