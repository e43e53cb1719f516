"""A segmentation backend with weights in a run, with a small network of chance."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from dexman_pose.data import Clip, ObjectPrompt
from dexman_pose.errors import InputError, MissingExtraError
from dexman_pose.pipeline import reconstruct
from dexman_pose.pipeline.backends import Backends, check_backends
from dexman_pose.pipeline.inputs import Fingerprints, Inputs
from dexman_pose.pipeline.stages import Stages
from dexman_pose.segmentation import segment_clip


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    import torch

    from dexman_pose.segmentation.sam.network import Shape, build

    shape = Shape(
        side=64, patch=16, width=16, depth=2, heads=2, ratio=2.0, window=2, whole=(1,), prompt=32, mask=4,
        layers=1, inner=16, iou_layers=2, iou_width=16,
    )  # fmt: skip
    torch.manual_seed(0)
    try:
        network = build(shape, "a test")
    except MissingExtraError as error:
        pytest.skip(str(error))
    path = tmp_path_factory.mktemp("sam") / "small.pth"
    torch.save(network.state_dict(), path)
    return path


def masks_stage(scene: Any, backend: str) -> Any:
    prompts = {"box": ObjectPrompt(box=scene.box, mesh=scene.mesh)}
    inputs = Inputs.check(Clip.from_frames(scene.frames), prompts, camera=scene.camera)
    stages = Stages(inputs, Fingerprints.of(inputs), Backends(None, backend))
    return stages.masks(inputs.prompts, None), inputs


def test_masks_of_a_run_are_those_of_the_backend(tiny_scene: Any, weights: Path) -> None:
    backend = f"sam:{weights}"
    check_backends(Backends(None, backend))
    stage, inputs = masks_stage(tiny_scene, backend)
    made = stage.compute()
    alone = segment_clip(inputs.clip, inputs.prompts, backend=backend)
    assert all((made.labels(t) == alone.labels(t)).all() for t in range(4))
    assert (made.confidence == alone.confidence).all()


def test_masks_are_made_again_when_weights_change(tiny_scene: Any, weights: Path) -> None:
    before = masks_stage(tiny_scene, f"sam:{weights}")[0].settings
    assert before == masks_stage(tiny_scene, f"sam:{weights}")[0].settings
    weights.write_bytes(weights.read_bytes() + b" ")
    assert before != masks_stage(tiny_scene, f"sam:{weights}")[0].settings
    assert "weights" not in masks_stage(tiny_scene, "grabcut")[0].settings


def test_a_run_refuses_before_it_begins(
    tiny_scene: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DEXMAN_POSE_MODELS", str(tmp_path / "empty"))
    prompts = {"box": ObjectPrompt(box=tiny_scene.box, mesh=tiny_scene.mesh)}
    with pytest.raises(
        InputError, match=r"dexman-pose models fetch sam-vit-b|pip install 'dexman-pose.sam.'"
    ):
        reconstruct(tiny_scene.frames, prompts, hands=None, segmentation="sam", out=tmp_path / "run")
    assert not (tmp_path / "run").exists()
