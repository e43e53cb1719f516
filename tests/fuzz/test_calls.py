"""Wrong calls of the public functions: each argument replaced by each wrong kind of thing ends in one clear line.

The table names every public function with one right call. An argument of a kind is replaced by everything that is wrong
for the kind; the call must raise an error of the package with one line, before any long work.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import dexman_pose as dp
from dexman_pose import geometry
from dexman_pose.contact import detect_contacts, hysteresis, signed_distance
from dexman_pose.data import Camera, HandObservations, HandTrack, align_depth
from dexman_pose.data.accept import (
    as_camera,
    as_clip,
    as_depth,
    as_depths,
    as_mask,
    as_masks,
    as_picture,
    as_pose,
    as_prompts,
)
from dexman_pose.errors import DexmanError
from dexman_pose.geometry import se3, so3_exp
from dexman_pose.hands import detect_hands, lift_hands
from dexman_pose.meshing.convert import as_mesh
from dexman_pose.pose import (
    align_mesh,
    detect_symmetry,
    estimate_camera,
    estimate_pose,
    reconstruct_objects,
    refine_pose,
    smooth_track,
    track,
)
from dexman_pose.render import Rasterizer, render, render_scene
from dexman_pose.segmentation import segment_clip
from dexman_pose.viewer import describe, overlay_frame, write_overlay, write_report

WIDTH, HEIGHT, FRAMES = 64, 48, 3
CAMERA = Camera.from_focal(75.0, WIDTH, HEIGHT)


class Nothing:
    """An object that is no array, picture, path or anything else."""


def box() -> dp.Mesh:
    """A coloured box of 8 x 5 x 12 cm."""
    corners = np.array([[x, y, z] for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)]) * [0.04, 0.025, 0.06]
    faces = [[0, 1, 3], [0, 3, 2], [4, 6, 7], [4, 7, 5], [0, 4, 5], [0, 5, 1]]
    faces += [[2, 3, 7], [2, 7, 6], [0, 2, 6], [0, 6, 4], [1, 5, 7], [1, 7, 3]]
    colors = np.random.default_rng(0).integers(40, 255, (8, 3))
    return dp.Mesh(corners, faces, vertex_colors=colors)


MESH = box()
POSES = np.stack([se3(so3_exp([0.5, 0.6 + 0.03 * t, 0.1]), [0.004 * t, 0.0, 0.3]) for t in range(FRAMES)])
DRAWN = Rasterizer(MESH).render(POSES, CAMERA.K, WIDTH, HEIGHT, attributes=("depth", "color"))
assert DRAWN.color is not None and DRAWN.depth is not None
FRAMES_RGB = np.where(DRAWN.mask[..., None], np.rint(255 * DRAWN.color), 90).astype(np.uint8)
MASK, DEPTH, IMAGE = DRAWN.mask[0], np.where(DRAWN.mask[0], DRAWN.depth[0], 0.8), FRAMES_RGB[0]
CLIP = dp.Clip.from_frames(FRAMES_RGB)
MASKS = as_masks({"box": DRAWN.mask}, CLIP)
TRACK = dp.PoseTrack(POSES, [True] * FRAMES, [1.0] * FRAMES)
OBJECT = dp.RigidObject("box", MESH, TRACK)
JOINTS = np.random.default_rng(0).normal(0, 0.03, (FRAMES, 21, 3)) + [0, 0, 0.3]
HAND = HandTrack("left", JOINTS, np.zeros((FRAMES, 21, 2)), [1] * 3, [0] * 3, [1.0] * 3, np.full(21, 0.03))
RESULT = dp.Trajectory(CAMERA, [0.0, 0.1, 0.2], {"box": OBJECT}, {"left": HAND})
SEEN = HandObservations(
    np.zeros((FRAMES, 2, 21, 2)), np.zeros((FRAMES, 2, 21, 3)), np.zeros((FRAMES, 2)), np.zeros((FRAMES, 2)),
    np.zeros((FRAMES, 2)),
)  # fmt: skip
PROMPT = dp.ObjectPrompt(box=(20, 12, 44, 36))


def no_array() -> Iterator[tuple[str, Any]]:
    """Things that are no numbers at all."""
    yield "none", None
    yield "text", "nonsense"
    yield "no text", ""
    yield "bytes", b"abc"
    yield "dict", {"a": 1}
    yield "set", {1, 2}
    yield "object", Nothing()
    yield "class", Nothing
    yield "function", len
    yield "ragged", [[1.0, 2.0], [3.0]]
    yield "ragged tuple", ((1, 2), (3, 4, 5))
    yield "mixed", [1, "two", None]
    yield "none inside", [None, None]
    yield "dates", np.array(["2024-01-01"], "datetime64[D]")
    yield "fields", np.zeros(3, [("a", float)])
    yield "generator", (i for i in range(3))


def wrong_array(right: Any) -> Iterator[tuple[str, Any]]:
    """Arrays like a right one, and yet wrong."""
    value = np.asarray(right)
    yield from no_array()
    yield "number", 5
    yield "empty list", []
    yield "empty", np.zeros(0)
    yield "empty 2d", np.zeros((0, 3))
    yield "complex", value + 1j
    yield "objects", value.astype(object)
    yield "strings", value.astype(str)
    yield "two of them", np.stack([value, value])
    yield "one short", value[:-1]
    yield "flat", value.ravel()[:-1]
    yield "torch complex", torch.zeros(value.shape, dtype=torch.complex64)
    masked = np.ma.MaskedArray(value, mask=np.ones(value.shape, bool))
    yield "masked out", masked


def not_finite(right: Any) -> Iterator[tuple[str, Any]]:
    """A right array with values that are no numbers."""
    value = np.array(right, dtype=np.float64)
    for name, bad in (("nan", np.nan), ("inf", np.inf), ("minus inf", -np.inf)):
        some = value.copy()
        some.flat[some.size // 2] = bad
        yield f"{name} inside", some
        yield f"all {name}", np.full(value.shape, bad)
        yield f"{name} in torch", torch.tensor(some)


def wrong_image() -> Iterator[tuple[str, Any]]:
    yield from wrong_array(IMAGE)
    yield from not_finite(IMAGE)
    yield "normalised", (IMAGE / 255.0 - 0.5) / 0.25
    yield "from -1", IMAGE / 127.5 - 1.0
    yield "overshooting", IMAGE / 200.0
    yield "negative", -IMAGE.astype(int)
    yield "huge", IMAGE * 1e300
    yield "above bytes", IMAGE.astype(np.int64) * 300
    yield "flags", np.ones(IMAGE.shape, bool)
    yield "two channels", IMAGE[..., :2]
    yield "five channels", np.zeros((HEIGHT, WIDTH, 5), np.uint8)
    yield "turned", np.swapaxes(IMAGE, 0, 1)
    yield "half", IMAGE[::2, ::2]
    yield "twice", np.repeat(np.repeat(IMAGE, 2, 0), 2, 1)
    yield "missing file", "no/such/picture.png"
    yield "not a picture", Path(__file__)


def wrong_mask() -> Iterator[tuple[str, Any]]:
    yield from wrong_array(MASK)
    yield from not_finite(MASK)
    yield "labels", np.where(MASK, 7, 0)
    yield "two labels", np.where(MASK, 2, 1).astype(np.uint8)
    yield "label image", np.where(MASK, np.uint8(1), np.uint8(255))[:, ::-1] * MASK
    yield "logits", np.where(MASK, 3.5, -8.0)
    yield "signed", np.where(MASK, 1, -1)
    yield "half", np.where(MASK, 0.5, 0.0)
    yield "divided twice", MASK / 255.0
    yield "grey levels", np.where(MASK, np.uint8(200), np.uint8(40))
    yield "huge", MASK * 1e300
    yield "turned", MASK.T
    yield "small", MASK[::2, ::2]
    yield "colours", IMAGE
    yield "cutout", np.dstack([IMAGE, 255 * MASK.astype(np.uint8)])


def wrong_depth() -> Iterator[tuple[str, Any]]:
    for name, value in wrong_array(DEPTH):
        if name != "none":  # may be left out
            yield name, value
    yield "millimetres", np.rint(1000 * DEPTH)
    yield "millimetres of a sensor", np.rint(1000 * DEPTH).astype(np.uint16)
    yield "quarter millimetres", np.rint(4000 * DEPTH).astype(np.uint16)
    yield "centimetres", 100 * DEPTH
    yield "kilometres", DEPTH / 1000
    yield "huge", DEPTH * 1e30
    yield "flags", DEPTH > 0
    yield "turned", DEPTH.T
    yield "small", DEPTH[::2, ::2]


def wrong_pose() -> Iterator[tuple[str, Any]]:
    right = POSES[0]
    yield from (
        (name, value) for name, value in wrong_array(right) if name != "one short"
    )  # three rows will do
    yield from not_finite(right)
    for name, change in (
        ("scaled", np.diag([2.0, 2, 2, 1])),
        ("mirrored", np.diag([1.0, 1, -1, 1])),
        ("sheared", np.array([[1, 0.2, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1.0]])),
        ("flattened", np.diag([1.0, 1, 0, 1])),
    ):
        yield name, right @ change
    yield "transposed", right.T
    yield "zeros", np.zeros((4, 4))
    yield "rotation alone", right[:3, :3]
    yield "quaternion and translation", [1.0, 0, 0, 0, 0, 0, 0.3]
    yield "huge", right * 1e300
    yield "flags", right > 0


def wrong_start() -> Iterator[tuple[str, Any]]:
    yield from wrong_pose()
    yield "inverse", np.linalg.inv(POSES[0])
    yield "behind", np.diag([1.0, 1, -1, 1]) @ POSES[0] @ np.diag([1.0, 1, -1, 1])
    yield "opengl", np.diag([1.0, -1, -1, 1]) @ POSES[0]
    yield "at the camera", se3(np.eye(3), [0, 0, 0])
    for name, factor in (("millimetres", 1000.0), ("centimetres", 100.0), ("far", 1e6)):
        pose = POSES[0].copy()
        pose[:3, 3] *= factor
        yield name, pose
    yield "100 m", se3(np.eye(3), [0, 0, 100.0])
    yield "aside", se3(np.eye(3), [30.0, 0, 0.3])


def wrong_camera() -> Iterator[tuple[str, Any]]:
    k = CAMERA.K
    yield from wrong_array(k)
    yield from not_finite(k)
    yield "another size", Camera.from_focal(75.0, WIDTH * 2, HEIGHT * 2)
    yield "turned", Camera.from_focal(75.0, HEIGHT, WIDTH)
    yield "transposed", k.T
    yield "negative", np.diag([-75.0, 75, 1])
    yield "zeros", np.zeros((3, 3))
    yield "projection", np.hstack([k, np.zeros((3, 1))])
    yield "shares of the image", [[1.2, 0, 0.5], [0, 1.6, 0.5], [0, 0, 1]]
    yield "of another image", [[750.0, 0, 320], [0, 750, 240], [0, 0, 1]]
    yield "missing file", "no/such/camera.json"
    yield "not a camera", Path(__file__)


def wrong_mesh() -> Iterator[tuple[str, Any]]:
    yield from no_array()
    yield "vertices", MESH.vertices
    yield "pair", (MESH.vertices, MESH.faces)
    yield "missing file", "no/such/mesh.obj"
    yield "not a mesh", Path(__file__)


def wrong_sized_mesh() -> Iterator[tuple[str, Any]]:
    yield from wrong_mesh()
    yield "millimetres", MESH.scaled(1000.0)


def wrong_clip() -> Iterator[tuple[str, Any]]:
    yield from wrong_array(FRAMES_RGB)
    yield from not_finite(FRAMES_RGB)
    yield "one frame", IMAGE
    yield "another size", dp.Clip.from_frames(FRAMES_RGB[:, ::2, ::2])
    yield "longer", dp.Clip.from_frames(np.concatenate([FRAMES_RGB, FRAMES_RGB]))
    yield "frames of two sizes", [IMAGE, IMAGE[::2, ::2], IMAGE]
    yield "missing file", "no/such/clip.mp4"
    yield "not a video", Path(__file__)


def wrong_frames() -> Iterator[tuple[str, Any]]:
    """What is no clip, of any size or length."""
    yield from ((n, v) for n, v in wrong_clip() if n != "one short" and not isinstance(v, dp.Clip))


def wrong_masks() -> Iterator[tuple[str, Any]]:
    yield from wrong_array(DRAWN.mask)
    yield from not_finite(DRAWN.mask)
    yield "one mask", MASK
    yield "shorter", as_masks(DRAWN.mask[:2], dp.Clip.from_frames(FRAMES_RGB[:2]))
    yield "another size", as_masks(DRAWN.mask[:, ::2, ::2], dp.Clip.from_frames(FRAMES_RGB[:, ::2, ::2]))
    yield "labels by name", {"box": np.where(DRAWN.mask, 7, 0)}
    yield "no name", {"": DRAWN.mask}
    yield "number for a name", {3: DRAWN.mask}


def wrong_depths_of_a_run() -> Iterator[tuple[str, Any]]:
    """A run reads depth of any program: what is masked out was not measured, millimetres are a guess that is said."""
    return ((n, v) for n, v in wrong_depths() if n not in {"masked out", "millimetres", "sensor"})


def wrong_depths() -> Iterator[tuple[str, Any]]:
    stack = np.repeat(DEPTH[None], FRAMES, 0)
    for name, value in wrong_array(stack):
        if name != "none":
            yield name, value
    yield "one image", DEPTH
    yield "millimetres", 1000 * stack
    yield "sensor", np.rint(1000 * stack).astype(np.uint16)
    yield "sequence in millimetres", dp.DepthSequence.from_arrays(1000 * stack)
    yield "shorter", dp.DepthSequence.from_arrays(stack[:2])
    yield "another size", dp.DepthSequence.from_arrays(stack[:, ::2, ::2])
    yield "missing folder", "no/such/folder"


def wrong_word() -> Iterator[tuple[str, Any]]:
    yield from no_array()
    yield "number", 7
    yield "array", np.zeros(3)
    yield "list", ["known", "lm"]


def wrong_name() -> Iterator[tuple[str, Any]]:
    for name, value in wrong_word():
        if name != "none":
            yield name, value


def wrong_number() -> Iterator[tuple[str, Any]]:
    yield from no_array()
    yield "nan", float("nan")
    yield "two", [1.0, 2.0]
    yield "complex", 1 + 2j
    yield "array", np.zeros(3)
    yield "inf", float("inf")
    yield "minus inf", -float("inf")


def wrong_positive() -> Iterator[tuple[str, Any]]:
    yield from wrong_number()
    yield "negative", -1.0
    yield "zero", 0


def wrong_frame() -> Iterator[tuple[str, Any]]:
    yield from wrong_number()
    yield "negative", -1
    yield "beyond", FRAMES
    yield "half", 0.5
    yield "huge", 10**30


def wrong_flag() -> Iterator[tuple[str, Any]]:
    for name, value in wrong_word():
        if name != "none":
            yield name, value
    yield "half", 0.5


def wrong_instance() -> Iterator[tuple[str, Any]]:
    for name, value in no_array():
        if name != "none":
            yield name, value
    yield "number", 5
    yield "array", np.zeros((4, 4))


def wrong_required() -> Iterator[tuple[str, Any]]:
    yield "none", None
    yield from wrong_instance()


def wrong_named() -> Iterator[tuple[str, Any]]:
    """Dicts by name that are none."""
    yield from wrong_required()
    yield "list", [1, 2]
    yield "numbers for names", {3: None}
    yield "numbers inside", {"box": 5}
    yield "texts inside", {"box": "cup.obj"}


def wrong_flags() -> Iterator[tuple[str, Any]]:
    right = np.ones(FRAMES, bool)
    yield from wrong_array(right)
    yield from not_finite(right)
    yield "numbers", np.array([0, 1, 7])
    yield "halves", np.array([0.0, 0.5, 1.0])


def wrong_values(right: Any) -> Callable[[], Iterator[tuple[str, Any]]]:
    def make() -> Iterator[tuple[str, Any]]:
        yield from wrong_array(right)
        yield from not_finite(right)

    return make


def misshapen(right: Any) -> Iterator[tuple[str, Any]]:
    """Of arrays of any batch: no numbers, or other last axes."""
    value = np.asarray(right, dtype=np.float64)
    yield from no_array()
    yield "number", 5
    yield "empty list", []
    yield "complex", value + 1j
    yield "objects", value.astype(object)
    yield "strings", value.astype(str)
    yield "one column short", value[..., :-1]
    yield "one column more", np.concatenate([value, value[..., :1]], -1)


def optional(wrong: Callable[[], Iterator[tuple[str, Any]]]) -> Callable[[], Iterator[tuple[str, Any]]]:
    """Everything wrong for an argument that may be None."""
    return lambda: ((name, value) for name, value in wrong() if name != "none")


Wrong = Callable[[], Iterator[tuple[str, Any]]]


@dataclass(frozen=True)
class Call:
    """One right call, and what is wrong for each of its arguments."""

    function: Callable[..., Any]
    right: dict[str, Any]
    wrong: dict[str, Wrong]
    name: str = ""
    skipped: frozenset[str] = field(default_factory=frozenset)


PICTURE = {"mesh": MESH, "mask": MASK, "camera": CAMERA}
VIDEO = {"mesh": MESH, "clip": CLIP, "masks": MASKS, "camera": CAMERA}
PICTURE_WRONG: dict[str, Wrong] = {
    "mesh": wrong_sized_mesh,
    "mask": wrong_mask,
    "camera": wrong_camera,
    "depth": wrong_depth,
    "occluders": optional(wrong_mask),
    "scale": wrong_word,
    "device": wrong_word,
}
VIDEO_WRONG: dict[str, Wrong] = {
    "mesh": wrong_mesh,
    "clip": wrong_clip,
    "masks": wrong_masks,
    "camera": wrong_camera,
    "depth": wrong_depths,
    "name": wrong_name,
    "symmetry": wrong_instance,
    "device": wrong_word,
}
CONTACTS = {"objects": {"box": OBJECT}, "hands": {"left": HAND}}
TRACK_FIELDS = {"camera_from_object": POSES, "valid": np.ones(FRAMES, bool), "confidence": np.ones(FRAMES)}
HAND_FIELDS = {
    "side": "left",
    "joints": JOINTS,
    "joints_2d": np.zeros((FRAMES, 21, 2)),
    "valid": np.ones(FRAMES, bool),
    "bridged": np.zeros(FRAMES, bool),
    "confidence": np.ones(FRAMES),
    "bone_lengths": np.full(21, 0.03),
}

CALLS = [
    Call(as_picture, {"value": IMAGE, "size": (HEIGHT, WIDTH)}, {"value": wrong_image}),
    Call(as_mask, {"value": MASK, "size": (HEIGHT, WIDTH)}, {"value": wrong_mask}),
    Call(as_depth, {"value": DEPTH, "size": (HEIGHT, WIDTH)}, {"value": wrong_depth}),
    Call(as_pose, {"value": POSES[0]}, {"value": wrong_pose}),
    Call(as_camera, {"value": CAMERA, "size": (HEIGHT, WIDTH)}, {"value": wrong_camera}),
    Call(as_mesh, {"value": MESH}, {"value": wrong_mesh}),
    Call(as_clip, {"value": CLIP, "max_frames": None}, {"max_frames": optional(wrong_positive)}),
    Call(as_masks, {"value": MASKS, "clip": CLIP}, {"value": wrong_masks}),
    Call(as_depths, {"value": DEPTH[None].repeat(FRAMES, 0), "clip": CLIP}, {"value": wrong_depths}),
    Call(as_prompts, {"value": {"box": PROMPT}}, {"value": wrong_named}),
    Call(estimate_pose, {**PICTURE, "image": IMAGE}, {**PICTURE_WRONG, "image": wrong_image}),
    Call(
        refine_pose,
        {**PICTURE, "camera_from_object": POSES[0]},
        {
            **PICTURE_WRONG,
            "image": optional(wrong_image),
            "camera_from_object": wrong_start,
            "solver": wrong_word,
        },
    ),
    Call(
        track,
        VIDEO | {"start": POSES[0]},
        {
            **VIDEO_WRONG,
            "masks": optional(VIDEO_WRONG["masks"]),
            "start": optional(wrong_start),
            "start_frame": wrong_frame,
            "scale": wrong_word,
        },
    ),
    Call(
        align_mesh,
        VIDEO | {"start": POSES[0], "start_frame": 0},
        {
            **VIDEO_WRONG,
            "start": optional(wrong_start),
            "start_frame": wrong_frame,
            "scale": wrong_word,
            "hands": optional(wrong_named),
            "smooth": wrong_flag,
            "closed": wrong_flag,
            "held": wrong_flag,
        },
    ),
    Call(
        smooth_track,
        {**VIDEO, "track": TRACK},
        {**VIDEO_WRONG, "mesh": wrong_sized_mesh, "track": wrong_required, "options": wrong_instance},
    ),
    Call(
        reconstruct_objects,
        {"clip": CLIP, "masks": MASKS, "prompts": {"box": PROMPT}, "meshes": {"box": MESH}, "camera": CAMERA},
        {
            "clip": wrong_clip,
            "masks": wrong_masks,
            "prompts": wrong_named,
            "meshes": wrong_required,
            "camera": wrong_camera,
            "hands": optional(wrong_named),
            "depth": wrong_depths,
        },
        skipped=frozenset({"dict"}),
    ),
    Call(
        estimate_camera,
        {"clip": CLIP, "masks": MASKS, "prompts": {"box": PROMPT}, "meshes": {"box": None}},
        {"clip": wrong_clip, "masks": wrong_masks, "prompts": wrong_named, "meshes": wrong_required},
        skipped=frozenset({"dict"}),
    ),
    Call(
        detect_symmetry,
        {"mesh": MESH},
        {
            "mesh": wrong_required,
            "tolerance": wrong_positive,
            "outliers": wrong_number,
            "color_outliers": wrong_number,
            "color_tolerance": wrong_number,
            "use_color": wrong_flag,
        },
    ),
    Call(
        render,
        {"mesh": MESH, "camera_from_object": POSES[0], "camera": CAMERA, "size": (HEIGHT, WIDTH)},
        {
            "mesh": wrong_required,
            "camera_from_object": lambda: ((n, v) for n, v in wrong_values(POSES[0])() if n != "two of them"),
            "camera": lambda: ((n, v) for n, v in wrong_camera() if not isinstance(v, Camera)),
            "size": optional(wrong_values((HEIGHT, WIDTH))),
            "near": wrong_positive,
            "scale": optional(wrong_positive),
            "vertices": optional(wrong_values(MESH.vertices)),
            "colors": optional(wrong_values(np.full(MESH.vertices.shape, 0.5))),
            "K": optional(wrong_values(CAMERA.K)),
        },
    ),
    Call(Rasterizer, {"mesh": MESH}, {"mesh": wrong_required, "device": wrong_word}),
    Call(
        render_scene,
        {
            "rasterizers": [Rasterizer(MESH)],
            "poses": POSES[:1],
            "K": CAMERA.K,
            "width": WIDTH,
            "height": HEIGHT,
        },
        {
            "rasterizers": wrong_required,
            "poses": wrong_values(POSES[:1]),
            "K": wrong_values(CAMERA.K),
            "width": wrong_positive,
            "height": wrong_positive,
            "attributes": lambda: ((n, v) for n, v in no_array()),
            "near": wrong_positive,
        },
    ),
    Call(
        detect_contacts,
        CONTACTS,
        {
            "objects": wrong_named,
            "hands": wrong_named,
            "threshold_on": wrong_number,
            "threshold_off": wrong_number,
            "min_frames": wrong_positive,
            "joint_radius": optional(wrong_number),
            "device": wrong_word,
        },
    ),
    Call(
        signed_distance,
        {"mesh": MESH, "points": np.zeros((4, 3))},
        {
            "mesh": wrong_mesh,
            "points": lambda: (
                (n, v) for n, v in wrong_values(np.zeros((4, 3)))() if n not in ("one short", "empty 2d")
            ),
            "device": wrong_word,
        },
    ),
    Call(
        hysteresis,
        {"values": np.ones(5), "valid": np.ones(5, bool), "threshold_on": 0.1, "threshold_off": 0.2},
        {
            "values": lambda: ((n, v) for n, v in no_array()),
            "valid": lambda: ((n, v) for n, v in no_array()),
            "threshold_on": wrong_number,
            "threshold_off": wrong_number,
            "min_frames": wrong_positive,
        },
    ),
    Call(
        segment_clip,
        {"clip": CLIP, "prompts": {"box": PROMPT}},
        {
            "clip": wrong_frames,
            "prompts": wrong_named,
            "hands": wrong_instance,
            "backend": wrong_word,
        },
    ),
    Call(
        detect_hands,
        {"clip": CLIP},
        {"backend": wrong_word, "clip": lambda: ((n, v) for n, v in no_array())},
    ),
    Call(
        lift_hands,
        {"observations": SEEN, "camera": CAMERA},
        {
            "observations": wrong_required,
            "camera": wrong_required,
            "depth": wrong_instance,
            "hand_scale": optional(wrong_positive),
        },
    ),
    Call(
        align_depth,
        {"depth": DEPTH, "depth_camera": CAMERA, "color_from_depth": np.eye(4), "color_camera": CAMERA},
        {
            "depth": lambda: (("none", None), *wrong_depth()),
            "depth_camera": wrong_required,
            "color_from_depth": wrong_pose,
            "color_camera": wrong_required,
        },
    ),
    Call(
        dp.reconstruct,
        {"video": CLIP, "objects": {"box": PROMPT}, "hands": None},
        {
            "video": wrong_frames,
            "objects": wrong_named,
            "camera": optional(wrong_camera),
            "depth": wrong_depths_of_a_run,
            "hands": wrong_name,
            "segmentation": wrong_word,
            "mesh": wrong_word,
            "out": wrong_instance,
            "max_frames": optional(wrong_positive),
            "mesh_unit": wrong_word,
            "overlay": wrong_flag,
            "overwrite": wrong_flag,
            "progress": wrong_flag,
            "on_stage": lambda: ((n, v) for n, v in wrong_instance() if not callable(v)),
        },
        skipped=frozenset({"text", "bytes"}),
    ),
    Call(
        dp.Camera,
        {"K": CAMERA.K, "width": WIDTH, "height": HEIGHT},
        {
            "K": wrong_values(CAMERA.K),
            "width": wrong_positive,
            "height": wrong_positive,
            "source": wrong_word,
        },
    ),
    Call(
        dp.Camera.from_focal,
        {"focal": 75.0, "width": WIDTH, "height": HEIGHT},
        {"focal": wrong_positive, "width": wrong_positive, "height": wrong_positive},
        name="Camera.from_focal",
    ),
    Call(
        dp.ObjectPrompt,
        {"box": (1, 2, 3, 4)},
        {
            "box": wrong_values([1.0, 2, 3, 4]),
            "points": lambda: (
                (n, v)
                for n, v in wrong_values(np.ones((4, 3)))()
                if n not in ("none", "one short", "empty 2d")
            ),
            "mask": lambda: (
                (n, v) for n, v in wrong_mask() if n not in ("none", "one short", "turned", "small")
            ),
            "frame": lambda: (("negative", -1), *wrong_number()),
            "mesh_scale": wrong_word,
        },
    ),
    Call(
        dp.PoseTrack,
        TRACK_FIELDS,
        {
            "camera_from_object": wrong_values(POSES),
            "valid": wrong_flags,
            "confidence": wrong_values(np.ones(FRAMES)),
            "mask_iou": optional(wrong_values(np.ones(FRAMES))),
            "covariance": optional(wrong_values(np.ones((FRAMES, 6, 6)))),
            "mesh_scale": wrong_positive,
            "doubt": optional(wrong_values(np.ones(FRAMES))),
        },
        skipped=frozenset(),
    ),
    Call(
        dp.RigidObject,
        {"name": "box", "mesh": MESH, "track": TRACK},
        {
            "name": lambda: ((n, v) for n, v in wrong_word() if n != "text"),
            "mesh": wrong_required,
            "track": wrong_required,
            "scale": wrong_positive,
            "scale_source": wrong_word,
            "symmetry": wrong_values(np.eye(4)[None]),
        },
    ),
    Call(
        dp.HandTrack,
        HAND_FIELDS,
        {
            "side": wrong_word,
            "joints": wrong_values(HAND_FIELDS["joints"]),
            "joints_2d": wrong_values(HAND_FIELDS["joints_2d"]),
            "valid": wrong_flags,
            "bridged": wrong_flags,
            "confidence": wrong_values(np.ones(FRAMES)),
            "bone_lengths": wrong_values(np.full(21, 0.03)),
            "scale_source": wrong_word,
        },
    ),
    Call(
        dp.Trajectory,
        {"camera": CAMERA, "frame_times": [0.0, 0.1, 0.2], "objects": {"box": OBJECT}},
        {
            "camera": wrong_required,
            "frame_times": wrong_values([0.0, 0.1, 0.2]),
            "objects": wrong_named,
            "hands": wrong_named,
            "world_from_camera": wrong_pose,
        },
    ),
    Call(
        dp.MaskSequence,
        {"names": ("box",), "height": HEIGHT, "width": WIDTH, "num_frames": 3},
        {
            "names": wrong_required,
            "height": wrong_positive,
            "width": wrong_positive,
            "num_frames": lambda: (("negative", -1), *wrong_number()),
        },
    ),
    *(
        Call(function, {name: right}, {name: lambda right=right: misshapen(right)})
        for function, name, right in (
            (geometry.hat, "w", np.zeros((5, 3))),
            (geometry.so3_exp, "w", np.zeros((5, 3))),
            (geometry.so3_log, "rotation", np.eye(3)),
            (geometry.quaternion_from_matrix, "rotation", np.eye(3)),
            (geometry.matrix_from_quaternion, "wxyz", np.array([1.0, 0, 0, 0])),
            (geometry.se3_exp, "twist", np.zeros(6)),
            (geometry.se3_log, "transform", np.eye(4)),
            (geometry.inverse, "b_from_a", np.eye(4)),
            (geometry.rotation_angle, "rotation", np.eye(3)),
            (geometry.orthonormalize, "transform", np.eye(4)),
        )
    ),
    Call(
        geometry.se3,
        {"rotation": np.eye(3), "translation": np.zeros(3)},
        {"rotation": lambda: misshapen(np.eye(3)), "translation": lambda: misshapen(np.zeros(3))},
    ),
    Call(
        geometry.transform_points,
        {"b_from_a": np.eye(4), "points": np.zeros((5, 3))},
        {"b_from_a": lambda: misshapen(np.eye(4)), "points": lambda: misshapen(np.zeros((5, 3)))},
    ),
    Call(
        geometry.interpolate,
        {"first": np.eye(4), "second": np.eye(4), "fraction": 0.5},
        {
            "first": lambda: misshapen(np.eye(4)),
            "second": lambda: misshapen(np.eye(4)),
            "fraction": lambda: ((n, v) for n, v in no_array()),
        },
    ),
    *(
        Call(
            function,
            {"a": np.arange(15.0).reshape(5, 3), "b": np.arange(15.0).reshape(5, 3)},
            {
                "a": wrong_values(np.zeros((5, 3))),
                "b": wrong_values(np.zeros((5, 3))),
                "weights": optional(
                    lambda: ((n, v) for n, v in wrong_values(np.ones(5))() if n != "two of them")
                ),
            },
            skipped=frozenset({"masked out"}),
        )
        for function in (geometry.kabsch, geometry.umeyama)
    ),
    Call(
        geometry.SymmetryGroup,
        {"discrete": np.eye(4)[None]},
        {
            "discrete": wrong_values(np.eye(4)[None]),
            "sphere": optional(wrong_values(np.zeros(3))),
        },
        skipped=frozenset({"masked out"}),
    ),
    Call(describe, {"trajectory": RESULT}, {"trajectory": wrong_required}),
    Call(
        overlay_frame,
        {"trajectory": RESULT, "image": IMAGE, "index": 0},
        {
            "trajectory": wrong_required,
            "image": wrong_image,
            "index": wrong_frame,
            "masks": wrong_instance,
            "max_width": wrong_positive,
        },
    ),
    Call(
        write_overlay,
        {"trajectory": RESULT, "clip": CLIP, "path": "never.mp4"},
        {"trajectory": wrong_required, "clip": wrong_frames, "masks": wrong_instance},
    ),
    Call(
        write_report,
        {"trajectory": RESULT, "path": "never.html"},
        {"trajectory": wrong_required, "clip": optional(wrong_frames), "masks": wrong_instance},
    ),
    Call(MESH.scaled, {"factor": 2.0}, {"factor": wrong_positive}, name="Mesh.scaled"),
    Call(
        MESH.moved, {"new_from_old": np.eye(4)}, {"new_from_old": wrong_values(np.eye(4))}, name="Mesh.moved"
    ),
]


def wrong_calls() -> Iterator[Any]:
    for call in CALLS:
        title = call.name or call.function.__name__
        for argument, wrong in call.wrong.items():
            yield pytest.param(call, argument, wrong, id=f"{title}-{argument}")


@pytest.mark.parametrize(("call", "argument", "wrong"), list(wrong_calls()))
def test_a_wrong_argument_is_refused_in_one_line(call: Call, argument: str, wrong: Wrong) -> None:
    told = []
    for kind, value in wrong():
        if kind in call.skipped:
            continue
        try:
            found = call.function(**{**call.right, argument: value})
        except DexmanError as error:
            message = str(error)
            if not message.strip() or "\n" in message or len(message) > 400:
                told.append(f"{kind}: no line: {message!r}")
        except Exception as error:
            told.append(f"{kind}: {type(error).__name__}: {str(error)[:150]}")
        else:
            told.append(f"{kind}: taken, gave {str(found)[:80]}")
    assert not told, "\n".join(told)


def test_the_table_holds_hundreds_of_wrong_calls() -> None:
    count = sum(len(list(wrong())) for call in CALLS for wrong in call.wrong.values())
    assert count > 2000


LONG = (align_mesh, dp.reconstruct, detect_hands, estimate_pose, segment_clip, write_overlay, write_report)
QUICK = [c for c in CALLS if c.function not in LONG]


@pytest.mark.parametrize("call", QUICK, ids=[c.name or c.function.__name__ for c in QUICK])
def test_the_right_call_of_the_table_is_right(call: Call) -> None:
    """Without it the wrong calls could be refused for another reason."""
    call.function(**call.right)


@pytest.mark.slow
@pytest.mark.parametrize("function", [align_mesh, dp.reconstruct, estimate_pose, segment_clip])
def test_the_right_long_call_of_the_table_is_right(function: Any) -> None:
    (call,) = (c for c in CALLS if c.function is function)
    call.function(**call.right)


@pytest.mark.skipif(os.name == "nt", reason="paths")
def test_paths_of_any_kind_are_paths(tmp_path: Path) -> None:
    from PIL import Image

    Image.fromarray(IMAGE).save(tmp_path / "image.png")
    for path in (tmp_path / "image.png", str(tmp_path / "image.png")):
        np.testing.assert_array_equal(as_picture(path), IMAGE)
