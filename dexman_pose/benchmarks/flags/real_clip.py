"""The group of a real clip with known poses: a textured cube in a hand and behind a mug, as the pipeline does it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from dexman_pose.benchmarks.flags.cases import OBJECT, FlagCase, failed_rows, found_rows
from dexman_pose.benchmarks.flags.options import FlagOptions
from dexman_pose.benchmarks.flags.real_pictures import data_folder
from dexman_pose.benchmarks.flags.scores import FlagRow
from dexman_pose.benchmarks.real.cache import Cache, masks_from
from dexman_pose.data import Camera, Clip, HandObservations, MaskSequence, ObjectPrompt
from dexman_pose.errors import DexmanError
from dexman_pose.geometry import orthonormalize
from dexman_pose.hands import detect_hands, lift_hands
from dexman_pose.meshing import load_mesh
from dexman_pose.pipeline.prompts_from_mesh import sharpen_prompts
from dexman_pose.pose import reconstruct_objects
from dexman_pose.segmentation import segment_clip

CUBE = "cube"
"""Name of the group."""

_CLIP = "cube_video.mp4"


def cube_rows(options: FlagOptions) -> list[FlagRow]:
    """Frames of the clip whose known pose is marked ok, masks and poses as the pipeline makes them from one box."""
    folder = data_folder(options, "clips", CUBE)
    known = json.loads((folder / "poses.json").read_text())
    camera = Camera(np.array(known["K"]), known["width"], known["height"])
    clip = Clip.open(folder / _CLIP, max_frames=options.clip_frames)
    mesh = load_mesh(folder / "cube.obj")
    case = known_case(
        known["frames"],
        clip.num_frames,
        FlagCase(CUBE, "pipeline", "track", mesh, camera, [], [], np.zeros((0, 4, 4)), np.zeros(0)),
    )
    hands = _hands(clip, options)
    prompts = sharpen_prompts(clip, {OBJECT: _prompt(folder.parent)}, {OBJECT: mesh}, camera, hands)
    masks = _masks(clip, prompts, hands, options)
    try:
        found = reconstruct_objects(
            clip, masks, prompts, {OBJECT: mesh}, camera, hands=lift_hands(hands, camera) if hands else None
        )[OBJECT]
    except DexmanError as raised:
        return known_rows(failed_rows(case, raised), known["frames"])
    return known_rows(found_rows(case, replace(found.track, mesh_scale=found.scale)), known["frames"])


def known_case(frames: Mapping[str, Any], count: int, case: FlagCase) -> FlagCase:
    """The case with the poses (T, 4, 4) of a file's frames; those it does not name hold the identity."""
    poses = np.repeat(np.eye(4)[None], count, 0)
    for key, entry in frames.items():
        if int(key) < count:
            poses[int(key)] = orthonormalize(np.asarray(entry["camera_from_object"], np.float64))
    return replace(case, camera_from_object=poses, visible=np.ones(count))


def known_rows(rows: list[FlagRow], frames: Mapping[str, Any]) -> list[FlagRow]:
    """The rows of the frames whose pose is marked ok."""
    ok = {int(key) for key, entry in frames.items() if entry["ok"]}
    return [row for row in rows if row.frame in ok]


def _prompt(clips: Path) -> ObjectPrompt:
    given = json.loads((clips / "prompts.json").read_text())["clips"][f"{CUBE}/{_CLIP}"]
    return ObjectPrompt(box=np.array(given["objects"][CUBE], np.float64), frame=given["frame"])


def _hands(clip: Clip, options: FlagOptions) -> HandObservations | None:
    """Hands by the weights that lie beside the data; None without them."""
    model = data_folder(options) / "weights" / "hand_landmarker.task"
    return detect_hands(clip, model=model) if model.is_file() else None


def _masks(
    clip: Clip, prompts: dict[str, ObjectPrompt], hands: HandObservations | None, options: FlagOptions
) -> MaskSequence:
    prompt = prompts[OBJECT]
    given = prompt.mask if prompt.mask is not None else prompt.box
    made = Cache(options.cache).get(
        CUBE,
        (clip.path, clip.num_frames, given, hands is None),
        ("segmentation", "hands"),
        lambda: segment_clip(clip, prompts, hands).to_arrays(),
    )
    return masks_from(made)
