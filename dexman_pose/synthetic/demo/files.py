"""The files of the demonstration clip beside its video, and its truth."""

from __future__ import annotations

import io
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from dexman_pose.arrays import Array
from dexman_pose.data import Camera, Mesh
from dexman_pose.data.files import write_bytes, write_json, write_npz
from dexman_pose.errors import InputError

OBJECT_NAME = "tin"
HAND_SIDE = "right"


@dataclass(frozen=True)
class DemoTruth:
    """What is true in a rendered clip.

    Attributes:
        camera_from_object: (T, 4, 4) metres, of the object named :data:`OBJECT_NAME`.
        joints: (T, 21, 3) of the right hand, camera frame, metres, order of ``JOINT_NAMES``.
        object_valid: (T,) bool, the object is in the picture.
        hand_valid: (T,) bool, the hand is in the picture.
        touching: (T, 5) bool, the skin of thumb, index, middle, ring, pinky touches the object.
        held: (T,) bool, the hand carries the object.
        camera_from_world: (4, 4), world +z up, the table is z = 0.
        frame_times: (T,) seconds.
    """

    camera_from_object: Array
    joints: Array
    object_valid: NDArray[np.bool_]
    hand_valid: NDArray[np.bool_]
    touching: NDArray[np.bool_]
    held: NDArray[np.bool_]
    camera_from_world: Array
    frame_times: Array

    @property
    def num_frames(self) -> int:
        """Number of frames T."""
        return len(self.frame_times)

    def save(self, path: str | Path) -> Path:
        """Write ``truth.npz`` atomically."""
        return write_npz(path, asdict(self))

    @classmethod
    def load(cls, path: str | Path) -> DemoTruth:
        """Read what :meth:`save` wrote; ``path`` is the file or the folder of the clip.

        Raises:
            InputError: no such file, or arrays are missing.
        """
        path = Path(path)
        path = path / "truth.npz" if path.is_dir() else path
        if not path.is_file():
            raise InputError(f"no truth at {path}: render the clip first (render_demo)")
        with np.load(path, allow_pickle=False) as arrays:
            missing = set(cls.__dataclass_fields__) - set(arrays.files)
            if missing:
                raise InputError(f"{path} is no truth file: it lacks {', '.join(sorted(missing))}")
            return cls(**{name: arrays[name] for name in cls.__dataclass_fields__})


def write_demo_files(
    folder: Path, mesh: Mesh, camera: Camera, truth: DemoTruth, outline: NDArray[np.bool_]
) -> None:
    """Write object, camera, prompts and truth; ``outline`` (H, W) is where the object is in frame 0."""
    margin = 4  # pixels: a box drawn by a person is loose
    write_obj(folder / "object.obj", mesh)
    write_json(
        folder / "camera.json", {"K": camera.K.tolist(), "width": camera.width, "height": camera.height}
    )
    v, u = np.nonzero(outline)
    box = [
        max(int(u.min()) - margin, 0),
        max(int(v.min()) - margin, 0),
        min(int(u.max()) + margin, camera.width - 1),
        min(int(v.max()) + margin, camera.height - 1),
    ]
    write_json(folder / "prompts.json", {"frame": 0, "objects": {OBJECT_NAME: box}})
    truth.save(folder / "truth.npz")


def write_obj(path: str | Path, mesh: Mesh) -> Path:
    """Write a mesh as OBJ in metres, with an MTL and a PNG beside it when it has a texture; returns the path.

    Raises:
        InputError: a place that cannot be written.
    """
    path = Path(path)
    lines = [f"v {x:.7g} {y:.7g} {z:.7g}" for x, y, z in mesh.vertices]
    if mesh.uv is None or mesh.texture is None:
        lines += ["f " + " ".join(str(i + 1) for i in face) for face in mesh.faces]
        return write_bytes(path, ("\n".join(lines) + "\n").encode())
    lines.insert(0, f"mtllib {path.stem}.mtl")
    lines += [f"vt {u:.6f} {v:.6f}" for u, v in mesh.uv.reshape(-1, 2)]
    lines.append("usemtl print")
    for k, face in enumerate(mesh.faces):
        lines.append("f " + " ".join(f"{i + 1}/{3 * k + c + 1}" for c, i in enumerate(face)))
    png = io.BytesIO()
    Image.fromarray(mesh.texture).save(png, format="PNG")
    write_bytes(path.with_suffix(".png"), png.getvalue())
    material = f"newmtl print\nKa 1 1 1\nKd 1 1 1\nmap_Kd {path.stem}.png\n"
    write_bytes(path.with_suffix(".mtl"), material.encode())
    return write_bytes(path, ("\n".join(lines) + "\n").encode())
