"""The package's public calls as the cases need them; options that a version does not know yet are left out."""

from __future__ import annotations

import inspect
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from dexman_pose.arrays import Array, Bools
from dexman_pose.benchmarks.real.cache import (
    Cache,
    hands_arrays,
    hands_from,
    lifted_arrays,
    lifted_from,
    masks_from,
    prompt_arrays,
    prompt_from,
)
from dexman_pose.data import Camera, Clip, HandObservations, HandTrack, MaskSequence, Mesh, ObjectPrompt
from dexman_pose.hands import detect_hands, lift_hands
from dexman_pose.pipeline.prompts_from_mesh import sharpen_prompts
from dexman_pose.pose import PoseEstimate, estimate_pose
from dexman_pose.render import Rasterizer
from dexman_pose.segmentation import segment_clip

Picture = NDArray[np.uint8]


def known(function: Callable[..., Any], **options: Any) -> dict[str, Any]:
    """Those of the options that the function takes."""
    names = inspect.signature(function).parameters
    return {name: value for name, value in options.items() if name in names}


@dataclass(frozen=True)
class Found:
    """An estimate and the seconds it took; ``estimate`` is None where the engine gave up, with its ``reason``."""

    estimate: PoseEstimate | None
    seconds: float
    reason: str = ""


def estimate(
    mesh: Mesh,
    image: Picture,
    mask: Bools,
    camera: Camera,
    *,
    depth: NDArray[np.float32] | None = None,
    scale: str = "known",
    occluders: Bools | None = None,
) -> Found:
    """Search alone; a failure of the estimation is an outcome, not an error."""
    from dexman_pose.errors import DexmanError

    begin = time.perf_counter()
    asked = {"scale": None if scale == "known" else scale, "occluders": occluders}
    options = known(estimate_pose, **{key: value for key, value in asked.items() if value is not None})
    try:
        found = estimate_pose(mesh, image, mask, camera, depth=depth, **options)
    except DexmanError as error:
        return Found(None, time.perf_counter() - begin, str(error))
    return Found(found, time.perf_counter() - begin)


def mask_in_box(image: Picture, box: Array) -> Bools:
    """The mask that the default segmentation finds in a box of a single picture; empty where it finds none."""
    from dexman_pose.errors import EstimationError

    try:
        found = segment_clip(Clip.from_frames([image], 30.0), {"it": ObjectPrompt(box=box)}, None)
    except EstimationError:
        return np.zeros(image.shape[:2], bool)
    return found.mask(0, "it")


def box_around(mask: Bools, margins: Array | float) -> Array:
    """(4,) x0, y0, x1, y1 of a mask, loosened by pixels on its left, top, right and bottom side."""
    v, u = np.nonzero(mask)
    left, top, right, bottom = np.broadcast_to(np.asarray(margins, np.float64), 4)
    low = np.maximum([u.min() - left, v.min() - top], 0.0)
    high = np.minimum([u.max() + right, v.max() + bottom], [mask.shape[1] - 1.0, mask.shape[0] - 1.0])
    return np.array([*low, *high], np.float64)


def outline(rasterizer: Rasterizer, pose: Array, camera: Camera) -> Bools:
    """The mask of the mesh at a pose."""
    return rasterizer.render(pose[None], camera.K, camera.width, camera.height).mask[0]


def hands_of(cache: Cache, clip: Clip, name: str) -> HandObservations:
    """Both hands in every frame of a clip."""
    inputs = (clip.path, clip.num_frames)
    return hands_from(
        cache.get(f"{name}-hands", inputs, ("hands",), lambda: hands_arrays(detect_hands(clip)))
    )


def lifted_of(cache: Cache, clip: Clip, name: str, camera: Camera) -> dict[str, HandTrack]:
    """The hands in metres."""
    observed = hands_of(cache, clip, name)
    inputs = (clip.path, clip.num_frames, camera.K)
    code = ("hands",)
    return lifted_from(
        cache.get(f"{name}-lift", inputs, code, lambda: lifted_arrays(lift_hands(observed, camera)))
    )


def masks_of(
    cache: Cache, clip: Clip, name: str, prompt: ObjectPrompt, mesh: Mesh | None, camera: Camera
) -> tuple[ObjectPrompt, MaskSequence]:
    """Masks of one object through a clip as the pipeline makes them: a mesh sharpens a prompt by box first."""
    hands = hands_of(cache, clip, name)
    given = prompt.mask if prompt.mask is not None else prompt.box
    inputs: tuple[object, ...] = (clip.path, clip.num_frames, prompt.frame, given, camera.K)
    if mesh is not None and prompt.mask is None:
        code = ("pose", "segmentation", "render", "hands")
        inputs = (*inputs, mesh.vertices, mesh.faces)
        prompt = prompt_from(
            cache.get(
                f"{name}-prompt",
                inputs,
                code,
                lambda: prompt_arrays(
                    sharpen_prompts(clip, {name: prompt}, {name: mesh}, camera, hands)[name]
                ),
            )
        )
    sharpened = prompt.mask if prompt.mask is not None else prompt.box
    made = cache.get(
        f"{name}-masks",
        (clip.path, clip.num_frames, prompt.frame, sharpened),
        ("segmentation", "hands"),
        lambda: segment_clip(clip, {name: prompt}, hands).to_arrays(),
    )
    return prompt, masks_from(made)


def read_rgb(path: Path) -> Picture:
    """A picture, (H, W, 3) uint8."""
    return np.array(Image.open(path).convert("RGB"))


def read_depth(path: Path) -> NDArray[np.float32]:
    """A depth image in millimetres as float32 metres, 0 where not measured."""
    return np.asarray(Image.open(path)).astype(np.float32) * np.float32(1e-3)
