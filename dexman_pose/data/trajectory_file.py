"""The trajectory file: one npz archive of plain arrays and a JSON header that says what they are.

Entries: ``header`` (UTF-8 JSON as uint8), ``frame_times``, ``world_from_camera``, ``camera/K``, where the pictures were
undistorted ``filmed_camera/K`` and ``filmed_camera/distortion``, where it is known ``table/normal`` and
``table/covariance``, and, with the index of the object or the side of the hand, ``objects/0/vertices``,
``objects/0/camera_from_object``, ``hands/left/joints``, ``contacts/distance`` and so on: the fields of
:mod:`dexman_pose.data.tracks`. Textures are PNG files stored as uint8. Nothing is pickled, so a file from a stranger
runs no code.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from dexman_pose.data.camera import Camera
from dexman_pose.data.files import door, write_npz
from dexman_pose.data.frames.texture_png import coded_texture, decoded_texture
from dexman_pose.data.lenses.models import Lens
from dexman_pose.data.mesh import Mesh
from dexman_pose.data.tracks import JOINT_PARENTS, Contacts, HandTrack, PoseTrack, RigidObject
from dexman_pose.data.trajectory_check import TrajectoryContent, problems
from dexman_pose.data.world.table import TablePlane
from dexman_pose.errors import TrajectoryError

SCHEMA_NAME = "dexman_pose.trajectory"
SCHEMA_VERSION = 1
FILE_NAME = "trajectory.npz"
_MOST_SAID = 8  # of the things that are wrong; they stand on one line

Arrays = dict[str, Any]
T = TypeVar("T", bound=TrajectoryContent)

_CONVENTIONS = {
    "units": "metres, radians, seconds, pixels",
    "camera_frame": "OpenCV: +x right, +y down, +z forward; pixel (0, 0) is the centre of the top-left pixel",
    "transforms": "b_from_a (4, 4) maps points of frame a to frame b, acting on column vectors",
    "camera_from_object": "vertices of the object's mesh to the camera frame, one matrix per frame",
    "world_from_camera": "camera frame to world frame, constant over the clip",
    "table": "normal (3,) upwards, camera frame; normal @ x + offset is the height of a point x above the table",
    "valid": "rows that are not valid hold no result, whatever their values",
    "faces": "counter-clockwise seen from outside; uv per corner, (0, 0) at the bottom left of the texture",
}


def check(trajectory: TrajectoryContent, what: str = "the trajectory") -> None:
    """Raise one :class:`TrajectoryError` that lists what is inconsistent in a trajectory."""
    found = problems(trajectory)
    if found:
        rest = f"; and {len(found) - _MOST_SAID} more" if len(found) > _MOST_SAID else ""
        raise TrajectoryError(f"{what} is not consistent: " + "; ".join(found[:_MOST_SAID]) + rest)


def write(trajectory: TrajectoryContent, path: str | Path) -> Path:
    """Write ``trajectory`` atomically: a reader sees the whole new file or what was there before.

    Args:
        trajectory: checked before anything is written.
        path: a file ending in ``.npz``, or a folder that gets ``trajectory.npz``.

    Returns:
        The path of the file.

    Raises:
        TrajectoryError: the content is inconsistent; the message lists what is wrong, on one line.
    """
    check(trajectory)
    path = Path(path)
    if path.suffix != ".npz" or path.is_dir():
        path = path / FILE_NAME
    header = json.dumps(_header(trajectory), allow_nan=False, ensure_ascii=False)
    return write_npz(path, {"header": _bytes(header.encode()), **_arrays(trajectory)})


def read(path: str | Path, build: Callable[..., T]) -> T:
    """Read and check a trajectory file, or the one in a run folder.

    Args:
        path: the file or the folder.
        build: makes a trajectory of the fields of :class:`TrajectoryContent`, in the order of
            :class:`~dexman_pose.data.trajectory.Trajectory`.

    Raises:
        TrajectoryError: no such file, another kind of file, cut off, a newer schema, or inconsistent content.
    """
    path = Path(path)
    if path.is_dir():
        path = path / FILE_NAME
    if not path.is_file():
        raise TrajectoryError(f"no trajectory file at {path}")
    with door(path, "a trajectory file", TrajectoryError):
        arrays = _load(path)
        trajectory = build(*_fields(_read_header(arrays, path), arrays))
        check(trajectory, str(path))
    return trajectory


def _sure(entry: Mapping[str, Any]) -> float | None:
    """How sure the kind of a made shape is; None where the file does not say."""
    told = entry.get("mesh_sure")
    return None if told is None else float(told)


def _notes(entry: Mapping[str, Any]) -> tuple[str, ...]:
    """What a mesh's maker said; nothing where the file does not say."""
    return tuple(str(note) for note in entry.get("mesh_notes", ()))


def _header(t: TrajectoryContent) -> dict[str, Any]:
    return {
        "schema": {"name": SCHEMA_NAME, "version": SCHEMA_VERSION},
        "conventions": _CONVENTIONS,
        "joint_names": list(t.joint_names),
        "joint_parents": list(JOINT_PARENTS),
        "camera": _camera_header(t.camera),
        **({} if t.filmed_camera is None else {"filmed_camera": _camera_header(t.filmed_camera)}),
        "objects": [
            {
                "name": o.name,
                "scale": o.scale,
                "scale_source": o.scale_source,
                "mesh_source": o.mesh.source,
                **({} if o.mesh.sure is None else {"mesh_sure": o.mesh.sure}),
                **({"mesh_notes": list(o.mesh.notes)} if o.mesh.notes else {}),
            }
            for o in t.objects.values()
        ],
        "hands": [{"side": h.side, "scale_source": h.scale_source} for h in t.hands.values()],
        "contacts": None
        if t.contacts is None
        else {
            "pairs": [list(pair) for pair in t.contacts.pairs],
            "threshold_on": float(t.contacts.threshold_on),
            "threshold_off": float(t.contacts.threshold_off),
        },
        **(
            {}
            if t.table is None
            else {"table": {"offset": t.table.offset, "evidence": list(t.table.evidence)}}
        ),
        "provenance": t.provenance,
    }


def _camera_header(camera: Camera) -> dict[str, Any]:
    """What of a camera is no array; a lens only where OpenCV's coefficients do not say it all."""
    known = {"width": camera.width, "height": camera.height, "source": camera.source}
    lens = camera.lens
    if lens is None or lens.model == "brown-conrady":
        return known
    return {**known, "lens": {"model": lens.model, "coefficients": lens.coefficients.tolist()}}


def _camera(header: Mapping[str, Any], arrays: Arrays) -> Camera:
    known = dict(header)
    if "lens" in known:
        known["lens"] = Lens(known["lens"]["model"], np.asarray(known["lens"]["coefficients"]))
    return Camera(**arrays, **known)


def _arrays(t: TrajectoryContent) -> Arrays:
    out: Arrays = {"frame_times": t.frame_times, "world_from_camera": t.world_from_camera}
    out |= _fields_of(t.camera, "camera/")
    if t.filmed_camera is not None:
        out |= _fields_of(t.filmed_camera, "filmed_camera/")
    if t.table is not None:
        out |= _fields_of(t.table, "table/")
    for i, obj in enumerate(t.objects.values()):
        out |= _fields_of(obj.mesh, f"objects/{i}/") | _fields_of(obj.track, f"objects/{i}/")
        out[f"objects/{i}/symmetry"] = obj.symmetry
        if obj.mesh.texture is not None:
            out[f"objects/{i}/texture"] = coded_texture(obj.mesh.texture)
    for hand in t.hands.values():
        out |= _fields_of(hand, f"hands/{hand.side}/")
    if t.contacts is not None:
        out |= _fields_of(t.contacts, "contacts/")
    return out


def _fields_of(value: Any, prefix: str) -> Arrays:
    """The array fields of a dataclass; what is None or no array is left out."""
    named = ((f.name, getattr(value, f.name)) for f in fields(value))
    return {prefix + name: field for name, field in named if isinstance(field, np.ndarray)}


def _fields(header: Mapping[str, Any], arrays: Arrays) -> tuple[Any, ...]:
    camera, contacts, filmed = header["camera"], header["contacts"], header.get("filmed_camera")
    table = header.get("table")
    objects = [_object(entry, _under(arrays, f"objects/{i}/")) for i, entry in enumerate(header["objects"])]
    hands = [HandTrack(**entry, **_under(arrays, f"hands/{entry['side']}/")) for entry in header["hands"]]
    return (
        _camera(camera, _under(arrays, "camera/")),
        arrays["frame_times"],
        {obj.name: obj for obj in objects},
        {hand.side: hand for hand in hands},
        None if contacts is None else Contacts(**contacts, **_under(arrays, "contacts/")),
        arrays["world_from_camera"],
        dict(header["provenance"]),
        tuple(header["joint_names"]),
        None if filmed is None else _camera(filmed, _under(arrays, "filmed_camera/")),
        None if table is None else TablePlane(**table, **_under(arrays, "table/")),
    )


def _object(entry: Mapping[str, Any], arrays: Arrays) -> RigidObject:
    if "texture" in arrays:
        arrays["texture"] = decoded_texture(arrays["texture"])
    mesh_names, track_names = ({f.name for f in fields(kind)} for kind in (Mesh, PoseTrack))
    mesh = {name: a for name, a in arrays.items() if name in mesh_names}
    track = {name: a for name, a in arrays.items() if name in track_names}
    return RigidObject(
        str(entry["name"]),
        Mesh(**mesh, source=str(entry["mesh_source"]), sure=_sure(entry), notes=_notes(entry)),
        PoseTrack(**track),
        entry["scale"],
        entry["scale_source"],
        arrays["symmetry"],
    )


def _under(arrays: Arrays, prefix: str) -> Arrays:
    return {name[len(prefix) :]: a for name, a in arrays.items() if name.startswith(prefix)}


def _load(path: Path) -> Arrays:
    with np.load(path, allow_pickle=False) as archive:
        if not isinstance(archive, np.lib.npyio.NpzFile) or "header" not in archive.files:
            raise TrajectoryError(f"{path} is not a trajectory file: it has no header")
        return {name: archive[name] for name in archive.files}


def _read_header(arrays: Arrays, path: Path) -> dict[str, Any]:
    header = json.loads(arrays["header"].tobytes().decode())
    name, version = header["schema"]["name"], int(header["schema"]["version"])
    if name != SCHEMA_NAME:
        raise TrajectoryError(f"{path} is not a trajectory file but holds {name!r}")
    if version > SCHEMA_VERSION:
        raise TrajectoryError(
            f"{path} has schema version {version}, but this program reads up to {SCHEMA_VERSION}; update it"
        )
    return dict(header)


def _bytes(data: bytes) -> NDArray[np.uint8]:
    return np.frombuffer(data, np.uint8)
