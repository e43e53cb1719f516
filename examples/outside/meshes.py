"""Image-to-3D programs, each called by its public functions inside its own environment.

Every function here takes ``(frames, inputs, options)`` and returns ``vertices``, ``faces`` and colours, as
docs/backends.md says. Make an environment as the program's page tells, add numpy and pillow, and name the function in
a YAML file beside this one. None of them was run here with its weights.
"""

from __future__ import annotations

from typing import Any

import numpy as np

Arrays = dict[str, Any]

GREY = 0.5
"""The background that TripoSR was trained before."""


def trellis(frames: np.ndarray, inputs: Arrays, options: dict[str, Any]) -> Arrays:
    """TRELLIS: github.com/microsoft/TRELLIS, ``TrellisImageTo3DPipeline``."""
    import os

    os.environ.setdefault(
        "SPCONV_ALGO", "native"
    )  # read when it is imported; the other setting tries all first
    from trellis.pipelines import TrellisImageTo3DPipeline
    from trellis.utils import postprocessing_utils

    pipeline = TrellisImageTo3DPipeline.from_pretrained(
        options.get("weights", "microsoft/TRELLIS-image-large")
    )
    pipeline.cuda()
    # A picture with transparency is taken as cut out already.
    made = pipeline.run(_picture(inputs), seed=int(options.get("seed", 1)))
    glb = postprocessing_utils.to_glb(
        made["gaussian"][0],
        made["mesh"][0],
        simplify=float(options.get("simplify", 0.95)),
        texture_size=int(options.get("texture_size", 1024)),
        verbose=False,
    )
    return arrays_of(glb)


def hunyuan3d(frames: np.ndarray, inputs: Arrays, options: dict[str, Any]) -> Arrays:
    """Hunyuan3D 2: github.com/Tencent-Hunyuan/Hunyuan3D-2, shape and, unless ``texture: false``, its colours."""
    from hy3dgen.shapegen import Hunyuan3DDiTFlowMatchingPipeline

    weights, picture = options.get("weights", "tencent/Hunyuan3D-2"), _picture(inputs)
    mesh = Hunyuan3DDiTFlowMatchingPipeline.from_pretrained(weights)(image=picture)[0]
    if options.get("texture", True):
        from hy3dgen.texgen import Hunyuan3DPaintPipeline

        mesh = Hunyuan3DPaintPipeline.from_pretrained(weights)(mesh, image=picture)
    return arrays_of(mesh)


def sam3d_objects(frames: np.ndarray, inputs: Arrays, options: dict[str, Any]) -> Arrays:
    """SAM 3D Objects: github.com/facebookresearch/sam-3d-objects, ``notebook/inference.py``.

    It looks at the whole frame with the object's mask. ``checkout`` is the folder of its repository.
    """
    import sys
    from pathlib import Path

    checkout = Path(options["checkout"]).expanduser()
    sys.path.append(str(checkout / "notebook"))
    from inference import Inference

    config = options.get("config", str(checkout / "checkpoints" / "hf" / "pipeline.yaml"))
    made = Inference(config, compile=False)(
        np.array(frames[0]), np.asarray(inputs["mask"]), seed=int(options.get("seed", 42))
    )
    return arrays_of(made["glb"])


def triposr(frames: np.ndarray, inputs: Arrays, options: dict[str, Any]) -> Arrays:
    """TripoSR: github.com/VAST-AI-Research/TripoSR, ``tsr.system.TSR``; it runs on a CPU too."""
    import torch
    from PIL import Image
    from tsr.system import TSR

    device = "cuda" if torch.cuda.is_available() else "cpu"
    model = TSR.from_pretrained(
        options.get("weights", "stabilityai/TripoSR"), config_name="config.yaml", weight_name="model.ckpt"
    )
    model.renderer.set_chunk_size(int(options.get("chunk_size", 8192)))
    model.to(device)
    with torch.no_grad():
        codes = model([Image.fromarray(over_grey(inputs["rgba"]))], device=device)
        mesh = model.extract_mesh(codes, True, resolution=int(options.get("resolution", 256)))[0]
    return arrays_of(mesh)


def over_grey(rgba: np.ndarray) -> np.ndarray:
    """(H, W, 3) uint8: the object before the grey that TripoSR expects."""
    share = rgba.astype(np.float32) / 255.0
    mixed = share[..., :3] * share[..., 3:] + (1.0 - share[..., 3:]) * GREY
    return (mixed * 255.0).astype(np.uint8)


def _picture(inputs: Arrays) -> Any:
    from PIL import Image

    return Image.fromarray(np.asarray(inputs["rgba"]), "RGBA")


def arrays_of(mesh: Any) -> Arrays:
    """A mesh or scene of trimesh as arrays."""
    if hasattr(mesh, "geometry"):
        mesh = mesh.to_geometry() if hasattr(mesh, "to_geometry") else mesh.dump(concatenate=True)
    out: Arrays = {
        "vertices": np.asarray(mesh.vertices, np.float64),
        "faces": np.asarray(mesh.faces, np.int64),
    }
    visual = mesh.visual
    uv = getattr(visual, "uv", None)
    material = getattr(visual, "material", None)
    image = getattr(material, "baseColorTexture", None) or getattr(material, "image", None)
    if uv is not None and image is not None:
        out["uv"] = np.asarray(uv, np.float32)[out["faces"]]
        out["texture"] = np.asarray(image.convert("RGB"))
    elif getattr(visual, "kind", None) == "vertex":
        out["vertex_colors"] = np.asarray(visual.vertex_colors)[:, :3]
    return out
