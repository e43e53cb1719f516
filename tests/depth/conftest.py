"""Small networks that guess depth, with weights of chance, in folders as the real ones are."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture(scope="session", params=["metric", "relative"])
def depth_anything(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, str]:
    transformers = pytest.importorskip("transformers")
    import torch

    torch.manual_seed(1)
    backbone = {
        "model_type": "dinov2", "hidden_size": 16, "num_hidden_layers": 4, "num_attention_heads": 2, "mlp_ratio": 2,
        "image_size": 56, "patch_size": 14, "out_features": ["stage1", "stage2", "stage3", "stage4"],
        "reshape_hidden_states": False, "apply_layernorm": True,
    }  # fmt: skip
    config = transformers.DepthAnythingConfig(
        backbone_config=backbone, reassemble_hidden_size=16, neck_hidden_sizes=[4, 8, 8, 8], fusion_hidden_size=8,
        head_hidden_size=4, depth_estimation_type=request.param, max_depth=20 if request.param == "metric" else 1,
    )  # fmt: skip
    folder = tmp_path_factory.mktemp("depth_anything")
    transformers.DepthAnythingForDepthEstimation(config).save_pretrained(folder)
    return folder, str(request.param)


@pytest.fixture(scope="session")
def depth_pro(tmp_path_factory: pytest.TempPathFactory) -> Path:
    transformers = pytest.importorskip("transformers")
    import torch

    torch.manual_seed(2)
    image = {
        "model_type": "dinov2", "hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "mlp_ratio": 2,
        "image_size": 32, "patch_size": 8,
    }  # fmt: skip
    config = transformers.DepthProConfig(
        patch_size=32, fusion_hidden_size=16, intermediate_hook_ids=[1, 0], intermediate_feature_dims=[8, 8],
        scaled_images_feature_dims=[16, 16, 8], image_model_config=image, patch_model_config=image,
        fov_model_config=image, use_fov_model=True, num_fov_head_layers=0,
    )  # fmt: skip
    network = transformers.DepthProForDepthEstimation(config)
    with torch.no_grad():  # a field of view that cameras have
        list(network.fov_model.head.layers.parameters())[-1].fill_(60.0)
    folder = tmp_path_factory.mktemp("depth_pro")
    network.save_pretrained(folder)
    return folder
