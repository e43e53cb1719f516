"""Small networks of the kind of SAM 2 with weights of chance, in folders as the real ones are."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

SIDE, WIDE = 64, 128


@pytest.fixture(scope="session")
def parts() -> dict[str, Any]:
    backbone = {
        "model_type": "sam2_hiera_det_model", "hidden_size": 8, "num_attention_heads": 1,
        "image_size": [SIDE, SIDE], "blocks_per_stage": [1, 1, 2, 1], "embed_dim_per_stage": [8, 16, 32, 64],
        "num_attention_heads_per_stage": [1, 2, 4, 8], "window_size_per_stage": [4, 4, 4, 4],
        "global_attention_blocks": [3], "window_positional_embedding_background_size": [4, 4],
    }  # fmt: skip
    vision = {
        "model_type": "sam2_vision_model", "backbone_config": backbone, "backbone_channel_list": [64, 32, 16, 8],
        "backbone_feature_sizes": [[16, 16], [8, 8], [4, 4]], "fpn_hidden_size": WIDE,
    }  # fmt: skip
    prompt = {"hidden_size": WIDE, "image_size": SIDE, "patch_size": 16, "mask_input_channels": 8}
    decoder = {"hidden_size": WIDE, "mlp_dim": 32, "num_attention_heads": 2, "iou_head_hidden_dim": 16}
    memory = {
        "memory_attention_hidden_size": WIDE, "memory_attention_num_layers": 1,
        "memory_attention_rope_feat_sizes": [4, 4], "memory_encoder_hidden_size": WIDE,
        "memory_encoder_output_channels": 64, "mask_downsampler_embed_dim": WIDE,
        "memory_fuser_embed_dim": WIDE, "memory_fuser_intermediate_dim": 32, "image_size": SIDE,
    }  # fmt: skip
    return {
        "vision_config": vision,
        "prompt_encoder_config": prompt,
        "mask_decoder_config": decoder,
        **memory,
    }


@pytest.fixture(scope="session")
def sam2(tmp_path_factory: pytest.TempPathFactory, parts: dict[str, Any]) -> Path:
    transformers = pytest.importorskip("transformers")
    import torch

    torch.manual_seed(3)
    config = transformers.Sam2VideoConfig(**parts, memory_attention_feed_forward_hidden_size=32)
    folder = tmp_path_factory.mktemp("sam2")
    transformers.Sam2VideoModel(config).save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def edgetam(tmp_path_factory: pytest.TempPathFactory, parts: dict[str, Any]) -> Path:
    """EdgeTAM's memory on SAM 2's picture encoder: its own needs another package."""
    transformers = pytest.importorskip("transformers")
    import torch

    torch.manual_seed(4)
    config = transformers.EdgeTamVideoConfig(
        **parts, memory_attention_mlp_hidden_size=32, memory_attention_rope_k_sizes=[2, 2],
        perceiver_resampler_num_latents=4, perceiver_resampler_num_latents_2d=4,
        perceiver_resampler_mlp_intermediate_size=16, perceiver_resampler_num_layers=1,
    )  # fmt: skip
    folder = tmp_path_factory.mktemp("edgetam")
    transformers.EdgeTamVideoModel(config).save_pretrained(folder)
    return folder
