"""Fingerprints of everything a result depends on: files, arrays, settings, clips, meshes, the code itself."""

from __future__ import annotations

import hashlib
import json
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dexman_pose.data.camera import Camera
from dexman_pose.data.clip import Clip
from dexman_pose.data.depth import DepthSequence
from dexman_pose.data.files import sha256_of
from dexman_pose.data.mesh import Mesh
from dexman_pose.data.prompts import ObjectPrompt


def hash_file(path: Path) -> str:
    """SHA-256 of a file's bytes."""
    return sha256_of(path)


def hash_json(value: Any) -> str:
    """SHA-256 of plain JSON values, independent of the order of keys."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()


def hash_arrays(*arrays: NDArray[Any] | None) -> str:
    """SHA-256 of the dtypes, shapes and values of some arrays; ``None`` is a value of its own."""
    digest = hashlib.sha256()
    for array in arrays:
        if array is None:
            digest.update(b"none;")
            continue
        digest.update(f"{array.dtype.str}{array.shape};".encode())
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()


def hash_clip(clip: Clip, content: str) -> str:
    """Fingerprint of a clip: its content, hashed before, and how many of its frames are used."""
    return hash_json([content, clip.num_frames])


def hash_depth(depth: DepthSequence | None, num_frames: int) -> str | None:
    """Fingerprint of the depth images of the frames used, or None without depth."""
    if depth is None:
        return None
    digest = hashlib.sha256()
    for i in range(min(num_frames, len(depth))):
        digest.update(hash_arrays(depth.frame(i)).encode())
    return digest.hexdigest()


def hash_mesh(mesh: Mesh | None) -> str | None:
    """Fingerprint of a mesh's geometry, colours and who said its unit, or None where there is no mesh."""
    if mesh is None:
        return None
    found = hash_arrays(mesh.vertices, mesh.faces, mesh.uv, mesh.texture, mesh.vertex_colors, mesh.seen)
    if mesh.unit is None:
        return found
    return hash_json([found, mesh.unit.name, mesh.unit.source, list(mesh.unit.others)])


def hash_camera(camera: Camera | None) -> str | None:
    """Fingerprint of the intrinsics, or None when they are to be estimated."""
    if camera is None:
        return None
    size = np.array([camera.width, camera.height])
    lens = [] if camera.lens is None else [camera.lens.model, hash_arrays(camera.lens.coefficients)]
    return hash_json([hash_arrays(camera.K, camera.distortion, size), camera.source, *lens])


def hash_prompt(prompt: ObjectPrompt) -> str:
    """Fingerprint of where the user pointed; the mesh is not part of it."""
    shown = hash_arrays(prompt.box, prompt.points, prompt.mask, np.array([prompt.frame]))
    return shown if prompt.mesh_scale == "known" else hash_json([shown, prompt.mesh_scale])


@cache
def hash_code(*rooms: str) -> str:
    """Fingerprint of the package's own source in ``rooms``, so that a run made by other code is not reused.

    Args:
        rooms: sub-packages by name, e.g. ``"hands"``; geometry and data, which all stages use, always count.
    """
    package = Path(__file__).resolve().parents[1]
    files = sorted(f for room in {"geometry", "data", *rooms} for f in _sources(package / room))
    return hash_json([[f.relative_to(package).as_posix(), hash_file(f)] for f in files])


def _sources(room: Path) -> list[Path]:
    """Files of a room that make its results: programs, and the scripts and styles of pages."""
    return [path for kind in ("*.py", "*.js", "*.css") for path in room.rglob(kind)]
