"""Depth that a user brings: matched with the frames by name, in metres, as the colour camera would have measured it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from dexman_pose.arrays import Array
from dexman_pose.data import _check
from dexman_pose.data.camera import Camera
from dexman_pose.data.camera_file import load_camera
from dexman_pose.data.clip import Clip, natural_key
from dexman_pose.data.depth import DepthSequence
from dexman_pose.data.depth_align import align_depth
from dexman_pose.data.files import read_arrays, read_json, read_yaml
from dexman_pose.errors import InputError
from dexman_pose.geometry.se3 import inverse
from dexman_pose.given.depth_files import SUFFIXES, checked, load_npy, read_depth_file
from dexman_pose.given.door import reading
from dexman_pose.given.frames import place_names, place_numbers
from dexman_pose.imaging.resize import resize_depth

UNITS: Mapping[str, float] = {"m": 1.0, "cm": 0.01, "mm": 0.001}
UnitSource = Literal["given", "guessed", "coded"]


@dataclass(frozen=True)
class DepthLimits:
    """What depth of things that a hand holds can be. Set by hand.

    Attributes:
        near: metres; a median below is no distance from a camera.
        far: metres; likewise above.
        metres: values of floats up to which they are metres; from ``millimetres`` on they are those.
        millimetres: see ``metres``.
        samples: images whose values are looked at.
        baseline: metres; two cameras of one sensor are no farther apart.
    """

    near: float = 0.05
    far: float = 40.0
    metres: float = 20.0
    millimetres: float = 100.0
    samples: int = 5
    baseline: float = 1.0


LIMITS = DepthLimits()


@dataclass(frozen=True)
class DepthCamera:
    """The camera that measured depth, where it is not the colour camera.

    Attributes:
        camera: intrinsics in pixels of the depth images.
        color_from_depth: (4, 4) transform from its frame to the colour camera's, metres.
    """

    camera: Camera
    color_from_depth: Array


@dataclass(frozen=True)
class GivenDepth:
    """Depth images of all frames of a clip.

    Attributes:
        depth: T images of the frames' size; all 0 where none was given.
        unit_m: metres of one unit of the files.
        unit_source: ``given`` by the user, ``guessed`` from the values, or ``coded`` in the files.
        missing: number of frames without an image.
        notes: sentences for people about what was assumed.
    """

    depth: DepthSequence
    unit_m: float
    unit_source: UnitSource
    missing: int = 0
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Images:
    """Raw images and the frames they are of: ``at[t]`` is the image of frame t, or -1."""

    read: Callable[[int], tuple[NDArray[Any], bool]]
    at: NDArray[np.int64]
    names: Sequence[str]
    note: str = ""


def read_depth(
    source: Any,
    clip: Clip,
    *,
    unit: str | float = "auto",
    depth_camera: DepthCamera | str | Path | None = None,
    color_camera: Camera | None = None,
) -> GivenDepth:
    """Depth of a folder, a file, arrays or a depth sequence, for every frame of a clip.

    Args:
        source: a folder of images, an ``.npy`` or ``.npz`` file (T, H, W), arrays, or a depth sequence.
        clip: the frames.
        unit: metres of one unit of the files, ``m``, ``cm``, ``mm``, a fraction as ``1/4000``, or ``auto``: whole
            numbers are millimetres, floats metres unless they can only be millimetres.
        depth_camera: where depth is not registered to colour: its camera, or a file with ``K`` in pixels of the depth
            images and ``color_from_depth`` (4x4, metres).
        color_camera: intrinsics of the clip; needed with ``depth_camera``.

    Raises:
        InputError: nothing there, damaged, of no frame, of another shape than the frames, or in a unit in which it is
            no distance.
    """
    with reading(source):
        return _read(source, clip, unit, depth_camera, color_camera)


def _read(
    source: Any,
    clip: Clip,
    unit: str | float,
    depth_camera: DepthCamera | str | Path | None,
    color_camera: Camera | None,
) -> GivenDepth:
    if isinstance(source, DepthSequence):
        return _of_sequence(source, clip)
    if isinstance(source, np.ma.MaskedArray):
        source = source.filled(0)  # masked out is not measured
    images = _images(source, clip)
    at = images.at[images.at >= 0]
    raw, coded = images.read(int(at[0]))
    unit_m, how, note = _unit(unit, images, at, coded)
    camera = _camera(depth_camera, raw.shape)
    if camera is not None and color_camera is None:
        raise InputError(
            "depth of a camera of its own needs the intrinsics of the colour camera too; give camera"
        )
    notes = [n for n in (images.note, note) if n]
    shape = clip.height, clip.width
    if camera is None:
        notes += _check_shape(raw.shape, shape, images.names[int(at[0])])

    def frame(t: int) -> NDArray[np.float32]:
        index = int(images.at[t])
        if index < 0:
            return np.zeros(shape, np.float32)
        values, _ = images.read(index)
        if values.shape != raw.shape:
            raise InputError(
                f"{images.names[index]} is {values.shape[1]}x{values.shape[0]}, but other depth images are "
                f"{raw.shape[1]}x{raw.shape[0]}"
            )
        metres = (values * unit_m).astype(np.float32)
        if camera is not None and color_camera is not None:
            return align_depth(metres, camera.camera, camera.color_from_depth, color_camera)
        return resized_depth(metres, shape)

    missing = int((images.at < 0).sum())
    if missing:
        notes.append(f"{missing} of {clip.num_frames} frames have no depth image.")
    names = [images.names[int(i)] if i >= 0 else f"no depth of frame {t}" for t, i in enumerate(images.at)]
    out = GivenDepth(DepthSequence(frame, names, 1.0), unit_m, how, missing, tuple(notes))
    check_distance(out.depth, unit_m, clip)
    return out


def resized_depth(depth: NDArray[np.float32], shape: tuple[int, int]) -> NDArray[np.float32]:
    """Depth at another size of the same shape: the value at the nearest pixel centre, never a mean of two surfaces."""
    if depth.shape == shape:
        return depth
    return resize_depth(depth, (shape[1], shape[0]))


def check_distance(depth: DepthSequence, unit_m: float, clip: Clip) -> None:
    """See that what was measured can be distances from a camera.

    Raises:
        InputError: the median is nearer or farther than such things are; the message names the unit.
    """
    picked = np.unique(np.linspace(0, min(len(depth), clip.num_frames) - 1, LIMITS.samples).astype(int))
    values = [v[v > 0] for v in (depth.frame(int(i)) for i in picked)]
    seen = np.concatenate(values) if values else np.zeros(0)
    if len(seen) == 0:
        return
    middle = float(np.median(seen))
    if not LIMITS.near <= middle <= LIMITS.far:
        raise InputError(
            f"the depth is {middle:.4g} m in the middle with a unit of {unit_m:g} m, which is no distance from a "
            "camera to what a hand holds; give the unit of the depth files: depth unit m, mm, or metres of one step "
            "such as 1/4000"
        )


def parse_unit(unit: str | float) -> float | None:
    """Metres of one unit; None for ``auto``.

    Raises:
        InputError: no unit.
    """
    if isinstance(unit, str):
        text = unit.strip().lower()
        if text == "auto":
            return None
        if text in UNITS:
            return UNITS[text]
        top, _, bottom = text.partition("/")
        try:
            value = float(top) / (float(bottom) if bottom else 1.0)
        except (ValueError, ZeroDivisionError):
            value = float("nan")
    else:
        value = float(unit)
    if not (np.isfinite(value) and value > 0):
        raise InputError(
            f"the unit of depth must be auto, m, cm, mm, or metres as 0.001 or 1/4000, but is {unit!r}"
        )
    return value


def _unit(
    unit: str | float, images: _Images, at: NDArray[np.int64], coded: bool
) -> tuple[float, UnitSource, str]:
    given = parse_unit(unit)
    if coded:
        return 1.0, "coded", ""
    if given is not None:
        return given, "given", ""
    picked = at[np.unique(np.linspace(0, len(at) - 1, LIMITS.samples).astype(int))]
    raws = [images.read(int(i))[0] for i in picked]
    if raws[0].dtype.kind != "f":
        return (
            UNITS["mm"],
            "guessed",
            "The unit of the depth was guessed: whole numbers are taken as millimetres.",
        )
    values = np.concatenate([r[r > 0] for r in raws])
    middle = float(np.median(values)) if len(values) else 1.0
    if middle <= LIMITS.metres:
        return 1.0, "guessed", "The unit of the depth was guessed from its values: metres."
    if middle >= LIMITS.millimetres:
        return UNITS["mm"], "guessed", "The unit of the depth was guessed from its values: millimetres."
    raise InputError(
        f"the unit of the depth cannot be told: its values are {middle:.4g} in the middle; give depth unit m, cm or mm"
    )


def _images(source: Any, clip: Clip) -> _Images:
    if not isinstance(source, (str, PathLike)):
        stack = np.asarray(source)
        return _stack(stack, None, clip, "depth")
    path = Path(source).expanduser()
    if path.is_file() and path.suffix.lower() in (".npy", ".npz"):
        arrays = {"depth": load_npy(path)} if path.suffix.lower() == ".npy" else read_arrays(path)
        frames = arrays.pop("frames", None)
        stack = arrays["depth"] if "depth" in arrays else next(iter(arrays.values()), np.zeros(0))
        return _stack(stack, frames, clip, str(path))
    if not path.is_dir():
        raise InputError(f"no folder of depth images at {path}")
    files = [p for p in path.iterdir() if p.suffix.lower() in SUFFIXES and p.name[0] != "." and p.is_file()]
    named = [p for p in files if "depth" in p.stem.lower()]
    files = sorted(named or files, key=natural_key)
    if not files:
        raise InputError(f"{path} holds no depth images ({', '.join(SUFFIXES)})")
    placed = place_names([p.stem for p in files], clip, f"depth images in {path}")
    at = np.full(clip.num_frames, -1, np.int64)
    at[placed.frames[placed.frames >= 0]] = np.flatnonzero(placed.frames >= 0)
    return _Images(lambda i: _file(files[i]), at, [str(p) for p in files], placed.note)


def _file(path: Path) -> tuple[NDArray[Any], bool]:
    with reading(path):
        return read_depth_file(path)


def _stack(stack: NDArray[Any], frames: NDArray[Any] | None, clip: Clip, where: str) -> _Images:
    if stack.ndim == 4 and stack.shape[-1] == 1:
        stack = stack[..., 0]
    if stack.ndim != 3:
        raise InputError(f"{where} must hold depth of shape (frames, height, width), but got {stack.shape}")
    at = np.full(clip.num_frames, -1, np.int64)
    if frames is not None:
        placed = place_numbers(np.asarray(frames).ravel().tolist(), clip, "depth images", places=True).frames
        at[placed[placed >= 0]] = np.flatnonzero(placed >= 0)
    elif len(stack) < clip.num_frames:
        raise InputError(f"there are {len(stack)} depth images, but the clip has {clip.num_frames} frames")
    else:
        at = np.arange(clip.num_frames, dtype=np.int64)
    names = [f"{where}[{i}]" for i in range(len(stack))]
    return _Images(lambda i: (checked(stack[i], names[i]), False), at, names)


def _of_sequence(depth: DepthSequence, clip: Clip) -> GivenDepth:
    """A depth sequence that the user made: its unit is the user's."""
    if len(depth) < clip.num_frames:
        raise InputError(f"there are {len(depth)} depth images, but the clip has {clip.num_frames} frames")
    shape = clip.height, clip.width
    if (depth.height, depth.width) != shape:
        raise InputError(
            f"depth images are {depth.width}x{depth.height}, but the frames are {clip.width}x{clip.height}; give depth "
            "registered to the colour camera, at its resolution"
        )
    check_distance(depth, 1.0, clip)
    return GivenDepth(depth, 1.0, "given")


def _check_shape(found: tuple[int, ...], shape: tuple[int, int], name: str) -> list[str]:
    if found == shape:
        return []
    if found[0] * shape[1] != found[1] * shape[0]:
        raise InputError(
            f"depth images are {found[1]}x{found[0]}, but the frames are {shape[1]}x{shape[0]} ({name}): give depth "
            "registered to the colour camera, or its own camera as depth camera"
        )
    return [
        f"Depth of {found[1]}x{found[0]} was resized to the frames' {shape[1]}x{shape[0]}; it was taken as registered "
        "to the colour camera."
    ]


def _camera(given: DepthCamera | str | Path | None, shape: tuple[int, ...]) -> DepthCamera | None:
    if given is None:
        return None
    camera = given if isinstance(given, DepthCamera) else _read_camera(Path(given).expanduser(), shape)
    if (camera.camera.height, camera.camera.width) != shape:
        raise InputError(
            f"the depth camera is for {camera.camera.width}x{camera.camera.height} images, but the depth images are "
            f"{shape[1]}x{shape[0]}"
        )
    motion = _check.rigid(np.asarray(camera.color_from_depth, np.float64)[None], "color_from_depth")[0]
    apart = float(np.linalg.norm(motion[:3, 3]))
    if apart > LIMITS.baseline:
        raise InputError(
            f"depth and colour camera would be {apart:.4g} m apart; is the unit of color_from_depth millimetres? "
            "give metres"
        )
    return DepthCamera(camera.camera, motion)


def _read_camera(path: Path, shape: tuple[int, ...]) -> DepthCamera:
    camera = load_camera(path, shape[1], shape[0])
    content = read_json(path) if path.suffix.lower() == ".json" else read_yaml(path)
    for key, turned in (("color_from_depth", False), ("depth_from_color", True)):
        if isinstance(content, Mapping) and key in content:
            motion = _check.rigid(_check.array(content[key], key, (4, 4))[None], key)[0]
            return DepthCamera(camera, inverse(motion) if turned else motion)
    raise InputError(
        f"{path} must also hold color_from_depth, 4x4 in metres: from the depth camera's frame to the colour camera's"
    )
