"""Shap-E's pipeline in a folder with small networks of chance: what goes in, and that a mesh comes out."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import trimesh

from dexman_pose.data import Camera, MaskSequence
from dexman_pose.data.accept import as_clip
from dexman_pose.errors import EstimationError, InputError, MissingModelError
from dexman_pose.meshing.generated import shap_e
from dexman_pose.meshing.generated.clean import is_closed
from dexman_pose.meshing.generated.picture import PictureOptions, cut_out
from dexman_pose.meshing.generated.request import MeshRequest
from dexman_pose.meshing.generated.shap_e import load_pipeline, make_by_shap_e, mesh_of, on_white, volume


def request() -> MeshRequest:
    image, labels = np.full((60, 80, 3), 90, np.uint8), np.zeros((60, 80), np.uint8)
    image[15:45, 25:55], labels[15:45, 25:55] = [200, 60, 20], 1
    masks = MaskSequence(("toy",), 60, 80, 1, np.ones((1, 1), np.float32))
    masks.set(0, labels)
    camera = Camera(np.array([[70.0, 0, 39.5], [0, 70.0, 29.5], [0, 0, 1]]), 80, 60)
    return MeshRequest(as_clip(image[None]), masks, "toy", camera)


def small_pipeline(folder: Path) -> Path:
    """Networks of the right kinds, small and random."""
    diffusers = pytest.importorskip("diffusers")
    import torch
    from diffusers.pipelines.shap_e import ShapERenderer
    from transformers import CLIPImageProcessorPil, CLIPVisionConfig, CLIPVisionModel

    torch.manual_seed(0)
    prior = diffusers.PriorTransformer(
        num_attention_heads=2,
        attention_head_dim=16,
        embedding_dim=16,
        num_embeddings=32,
        embedding_proj_dim=16,
        time_embed_dim=64,
        num_layers=1,
        clip_embed_dim=32,
        additional_embeddings=0,
        time_embed_act_fn="gelu",
        norm_in_type="layer",
        embedding_proj_norm_type="layer",
        encoder_hid_proj_type=None,
        added_emb_type=None,
    )
    encoder = CLIPVisionModel(
        CLIPVisionConfig(
            hidden_size=16,
            image_size=32,
            intermediate_size=37,
            num_attention_heads=4,
            num_hidden_layers=1,
            patch_size=8,
        )
    )
    processor = CLIPImageProcessorPil(size={"shortest_edge": 32}, crop_size={"height": 32, "width": 32})
    scheduler = diffusers.HeunDiscreteScheduler(
        beta_schedule="exp",
        num_train_timesteps=1024,
        prediction_type="sample",
        use_karras_sigmas=True,
        clip_sample=True,
        clip_sample_range=1.0,
    )
    renderer = ShapERenderer(
        param_shapes=((8, 93), (8, 8), (8, 8), (8, 8)),
        d_latent=16,
        d_hidden=8,
        n_output=12,
        background=(0.1, 0.1, 0.1),
    )
    whole = diffusers.ShapEImg2ImgPipeline(
        prior=prior,
        image_encoder=encoder,
        image_processor=processor,
        scheduler=scheduler,
        shap_e_renderer=renderer,
    )
    whole.save_pretrained(folder)
    return folder


class Surface:
    """In place of marching cubes, whose tables come with the weights: a ball, coloured by the network."""

    def __call__(self, field: Any, low: Any, size: Any) -> Any:
        import torch
        from diffusers.pipelines.shap_e.renderer import MeshDecoderOutput

        assert field.shape == (18, 18, 18)
        ball = trimesh.creation.icosphere(subdivisions=2, radius=0.5)
        return MeshDecoderOutput(
            verts=torch.tensor(ball.vertices, dtype=torch.float32),
            faces=torch.tensor(np.asarray(ball.faces)),
            vertex_channels=None,
        )


@pytest.mark.slow
def test_a_pipeline_in_a_folder_makes_a_mesh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = small_pipeline(tmp_path / "shap-e")
    with pytest.raises(EstimationError, match="no surface"):
        make_by_shap_e(request(), folder, steps=2, grid=16, device="cpu")

    def loaded(weights: Path) -> Any:
        pipeline = load_pipeline(weights)
        object.__setattr__(pipeline.shap_e_renderer, "mesh_decoder", Surface())
        del pipeline.shap_e_renderer._modules["mesh_decoder"]
        return pipeline

    monkeypatch.setattr(shap_e, "load_pipeline", loaded)
    made = make_by_shap_e(request(), folder, steps=2, grid=16, device="cpu")
    assert made.frame == 0 and not made.metric and made.mesh.source == "shap_e"
    assert made.mesh.vertex_colors is not None and is_closed(made.mesh)
    np.testing.assert_allclose(made.mesh.extents, 0.1, atol=0.002)


def test_its_picture_is_before_white() -> None:
    asked = request()
    found = cut_out(asked.clip.frame(0), asked.masks.labels(0), 1, options=PictureOptions(side=32))
    seen = np.asarray(on_white(found))
    assert (seen[0, 0] == 255).all() and np.abs(seen[16, 16].astype(int) - [200, 60, 20]).max() <= 2


def test_its_faces_are_turned_outwards_and_colours_become_bytes() -> None:
    import torch

    corners = torch.tensor([[0.0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]])
    faces = torch.tensor([[0, 1, 2], [0, 3, 1], [0, 2, 3], [1, 3, 2]])
    channels = {name: torch.full((4,), value) for name, value in (("R", 1.2), ("G", 0.5), ("B", 0.0))}
    mesh = mesh_of(SimpleNamespace(verts=corners, faces=faces, vertex_channels=channels))
    assert volume(mesh) == pytest.approx(1 / 6)
    assert mesh.vertex_colors is not None and mesh.vertex_colors[0].tolist() == [255, 188, 0]


def test_without_weights_it_says_where_they_are(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"shap_e:FOLDER"):
        make_by_shap_e(request())
    with pytest.raises(MissingModelError, match=r"huggingface\.co/openai/shap-e-img2img"):
        load_pipeline(tmp_path)
