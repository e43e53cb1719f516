"""A small network of Segment Anything with weights of chance, in a file as the real ones are."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest


@pytest.fixture(scope="session")
def shape() -> Any:
    from dexman_pose.segmentation.sam.network import Shape

    return Shape(
        side=64, patch=16, width=16, depth=2, heads=2, ratio=2.0, window=2, whole=(1,), prompt=32, mask=4,
        layers=1, inner=16, iou_layers=2, iou_width=16,
    )  # fmt: skip


@pytest.fixture(scope="session")
def weights(tmp_path_factory: pytest.TempPathFactory, shape: Any) -> Path:
    import torch

    from dexman_pose.errors import MissingExtraError
    from dexman_pose.segmentation.sam.network import build

    torch.manual_seed(0)
    try:
        network = build(shape, "a test")
    except MissingExtraError as error:
        pytest.skip(str(error))
    path = tmp_path_factory.mktemp("sam") / "small.pth"
    torch.save(network.state_dict(), path)
    return path


@pytest.fixture
def network(weights: Path) -> Any:
    from dexman_pose.segmentation.sam.network import load_network

    return load_network(weights, "a test", "cpu")
