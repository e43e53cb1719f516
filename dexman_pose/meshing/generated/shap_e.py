"""Backend ``shap_e``: Shap-E through diffusers, a coarse coloured mesh of one picture."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from dexman_pose._optional import require
from dexman_pose.arrays import Array
from dexman_pose.data import Mesh
from dexman_pose.errors import EstimationError, InputError, MeshError, MissingModelError
from dexman_pose.meshing.colors import encoded_light
from dexman_pose.meshing.generated.clean import cleaned
from dexman_pose.meshing.generated.picture import ObjectPicture, best_picture
from dexman_pose.meshing.generated.request import MadeMesh, MeshRequest
from dexman_pose.networks.device import device_named

HOME = "https://huggingface.co/openai/shap-e-img2img"
"""Where the weights are."""
_STEPS, _GUIDANCE, _GRID = 64, 3.0, 128
"""Steps of its diffusion, how closely it follows the picture, and cells along a side when the surface is taken, as its
authors set them."""


def make_by_shap_e(
    request: MeshRequest,
    weights: str | Path | None = None,
    *,
    steps: int = _STEPS,
    guidance: float = _GUIDANCE,
    grid: int = _GRID,
    device: str = "auto",
) -> MadeMesh:
    """Make a mesh of an object with Shap-E, from the frame that shows it best.

    Args:
        request: the object.
        weights: folder of the pipeline, as it lies at :data:`HOME`: ``mesh="shap_e:/weights/shap-e-img2img"``.
        steps: of the diffusion.
        guidance: how closely it follows the picture.
        grid: cells along a side when the surface is taken.
        device: ``auto``, ``cpu`` or ``cuda``.

    Raises:
        InputError: no folder was named, or it holds another pipeline.
        MissingExtraError: diffusers is not installed.
        MissingModelError: there is nothing in the folder.
        EstimationError: the object has no usable mask, or what came out has no surface.
    """
    import torch

    picture = best_picture(request.clip, request.masks, request.name)
    pipeline = load_pipeline(weights).to(device_named(device))
    pipeline.set_progress_bar_config(disable=True)
    answer = pipeline(
        on_white(picture),
        num_inference_steps=steps,
        guidance_scale=guidance,
        generator=torch.Generator("cpu").manual_seed(0),
        output_type="latent",
    )
    try:
        with torch.inference_mode():
            made = pipeline.shap_e_renderer.decode_to_mesh(
                answer.images[:1], pipeline.device, grid_size=grid, query_batch_size=grid**2
            )
        mesh = cleaned(mesh_of(made), "shap_e", metric=False)
    except (
        MeshError,
        ValueError,
        RuntimeError,
    ) as error:  # its decoder fails where there is nothing to colour
        raise EstimationError(f"Shap-E made no surface of frame {picture.frame}: {error}") from error
    return MadeMesh(mesh, False, picture.frame, (f"its mesh was made by shap_e of frame {picture.frame}",))


def load_pipeline(weights: str | Path | None) -> Any:
    """The pipeline of diffusers in a folder, in float32; nothing is downloaded.

    Raises:
        InputError: no folder was named, or it holds another pipeline.
        MissingExtraError: diffusers is not installed.
        MissingModelError: there is nothing in the folder.
    """
    if weights is None:
        raise InputError(
            f"the mesh backend 'shap_e' needs the folder of its weights: shap_e:FOLDER; get them from {HOME}"
        )
    folder = Path(weights).expanduser()
    if not (folder / "model_index.json").is_file():
        raise MissingModelError(
            f"there is no Shap-E in {folder}: no model_index.json; get all files of {HOME} into it"
        )
    diffusers = require("diffusers", "shap_e", "the mesh backend 'shap_e'")
    try:
        return diffusers.ShapEImg2ImgPipeline.from_pretrained(folder, local_files_only=True)
    except (OSError, ValueError, RuntimeError, KeyError, TypeError, AttributeError) as error:
        why = " ".join(str(error).split())[:300]
        raise InputError(f"{folder} cannot be loaded as Shap-E's pipeline for pictures: {why}") from error


def on_white(picture: ObjectPicture) -> Any:
    """The object before white, as a picture of PIL: Shap-E was trained on such."""
    from PIL import Image

    share = picture.rgba[..., 3:].astype(float) / 255.0
    mixed = picture.rgba[..., :3] * share + 255.0 * (1.0 - share)
    return Image.fromarray(np.rint(mixed).astype(np.uint8))


def mesh_of(made: Any) -> Mesh:
    """A mesh of what Shap-E's renderer decodes.

    Raises:
        MeshError: it has no faces.
    """
    vertices, faces = _numbers(made.verts), _numbers(made.faces).astype(np.int64)
    if len(faces) == 0 or not np.isfinite(vertices).all():
        raise MeshError("it has no faces")
    channels = made.vertex_channels or {}
    colors = None
    if all(name in channels for name in "RGB"):
        # Its renderer hands out linear light.
        colors = encoded_light(np.stack([_numbers(channels[name]) for name in "RGB"], 1))
    mesh = Mesh(vertices, faces, vertex_colors=colors)
    return mesh if volume(mesh) >= 0 else Mesh(vertices, faces[:, ::-1].copy(), vertex_colors=colors)


def volume(mesh: Mesh) -> float:
    """What the faces enclose, negative where they are clockwise seen from outside."""
    corners = mesh.vertices[mesh.faces] - mesh.center
    return float(np.linalg.det(corners).sum() / 6.0)


def _numbers(tensor: Any) -> Array:
    return np.asarray(tensor.detach().cpu().numpy(), np.float64)
