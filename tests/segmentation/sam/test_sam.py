"""The backend ``sam`` with a small network of chance: what goes in and comes out lies where it should."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dexman_pose.data import Clip, ObjectPrompt
from dexman_pose.errors import InputError, MissingModelError
from dexman_pose.segmentation import segment_clip
from dexman_pose.segmentation.sam.expected import box_around, clicks_inside, moved, overlap, step_between
from dexman_pose.segmentation.sam.options import DEFAULTS

HEIGHT, WIDTH = 48, 80
SIDE = 64
"""Of the network's picture."""


def noise(frames: int = 4) -> Clip:
    return Clip.from_frames(
        np.random.default_rng(0).integers(0, 255, (frames, HEIGHT, WIDTH, 3), dtype=np.uint8)
    )


def follower(network: Any) -> Any:
    from dexman_pose.segmentation.sam.backend import FrameByFrame

    made = FrameByFrame(network)
    made.look(0, noise().frame(0))
    return made


def answering(network: Any, low: np.ndarray) -> None:
    """Make the mask decoder answer a field of its own resolution, whatever it is asked."""
    import torch

    field = torch.from_numpy(np.ascontiguousarray(low, np.float32))
    network.mask_decoder.register_forward_hook(
        lambda module, asked, answer: (field.expand_as(answer[0]).clone(), torch.ones_like(answer[1]))
    )


def test_the_shape_of_a_network_is_read_off_its_weights(weights: Path, shape: Any, network: Any) -> None:
    from dexman_pose.segmentation.sam.network import Shape

    assert Shape.of(network.state_dict()) == shape
    assert not network.training


def test_torchvision_is_lent_to_nobody_else(weights: Path) -> None:
    assert "segment_anything" in sys.modules
    assert "torchvision" not in sys.modules or hasattr(sys.modules["torchvision"], "__file__")


@pytest.mark.parametrize(("x", "y"), [(0, 0), (79, 47), (40, 3)])
def test_a_click_hits_the_pixel_that_it_names(network: Any, x: int, y: int) -> None:
    import torch

    asked: list[torch.Tensor] = []
    network.prompt_encoder.register_forward_pre_hook(
        lambda module, args, kwargs: asked.append(kwargs["points"][0]), with_kwargs=True
    )
    follower(network).shown(None, np.array([[x, y, 1.0]]), None)
    share = (asked[0][0, 0].numpy() + 0.5) / SIDE  # of the network's picture, from its corner
    scale = SIDE / WIDTH
    height = int(HEIGHT * scale + 0.5)
    assert share[0] == pytest.approx((x + 0.5) / WIDTH, abs=1e-6)
    assert share[1] == pytest.approx((y + 0.5) / HEIGHT * height / SIDE, abs=1e-6)


def test_a_mask_comes_back_in_pixels_of_the_picture(network: Any) -> None:
    cut = 9.2  # in pixels of the answer, which has a quarter of the network's resolution
    answering(network, np.broadcast_to(np.arange(SIDE // 4) - cut, (SIDE // 4, SIDE // 4)))
    seen = follower(network).shown(np.array([5.0, 5, 60, 40]), None, None)
    column = (cut + 0.5) * 4 * WIDTH / SIDE - 0.5
    assert seen.logits.shape == (HEIGHT, WIDTH)
    assert (seen.mask == (np.arange(WIDTH) > column)[None, :]).all()
    rows = np.broadcast_to((np.arange(SIDE // 4) - 6.1)[:, None], (SIDE // 4, SIDE // 4))
    answering(network, rows)
    used = int(HEIGHT * SIDE / WIDTH + 0.5)
    row = (6.1 + 0.5) * 4 * HEIGHT / used - 0.5
    assert (
        follower(network).shown(np.array([5.0, 5, 60, 40]), None, None).mask
        == (np.arange(HEIGHT) > row)[:, None]
    ).all()


def test_a_clip_both_ways_with_every_kind_of_prompt(weights: Path) -> None:
    given = np.zeros((HEIGHT, WIDTH), bool)
    given[30:40, 50:70] = True
    prompts = {
        "box": ObjectPrompt(box=[10, 10, 40, 30], frame=1),
        "click": ObjectPrompt(points=[[60, 20, 1], [5, 5, 0]], frame=2),
        "mask": ObjectPrompt(mask=given, frame=3),
    }
    masks = segment_clip(noise(), prompts, backend=f"sam:{weights}")
    again = segment_clip(noise(), prompts, backend=f"sam:{weights}")
    assert (masks.mask(3, "mask") == given).all() and masks.confidence[3, 2] == 1.0
    assert all((masks.labels(t) == again.labels(t)).all() for t in range(4))
    assert masks.confidence.shape == (4, 3) and (masks.confidence >= 0).all()


def test_an_object_that_is_nowhere_is_lost_and_not_kept(network: Any) -> None:
    found = follower(network)
    given = np.zeros((HEIGHT, WIDTH), bool)
    given[10:20, 10:20] = True
    found.start("cup", ObjectPrompt(mask=given))
    answering(network, np.full((SIDE // 4, SIDE // 4), -5.0))
    found.look(1, noise().frame(1))
    assert not found.follow("cup").mask.any() and found.follow("cup").trust == 0.0


def test_everything_in_a_picture(weights: Path) -> None:
    from dexman_pose.segmentation.sam.automatic import masks_of_everything

    found = masks_of_everything(
        noise().frame(0), weights=weights, points_per_side=3, least_pixels=1,
        pred_iou_thresh=-9.0, stability_score_thresh=-1.0,
    )  # fmt: skip
    assert found and all(one.mask.shape == (HEIGHT, WIDTH) and one.mask.any() for one in found)
    for one in found:
        ys, xs = np.nonzero(one.mask)
        assert one.box.tolist() == [xs.min(), ys.min(), xs.max(), ys.max()]


def test_weights_that_are_none(tmp_path: Path, weights: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEXMAN_POSE_MODELS", str(tmp_path / "empty"))
    prompts = {"a": ObjectPrompt(box=[10, 10, 40, 30])}
    with pytest.raises(MissingModelError, match="dexman-pose models fetch sam-vit-b"):
        segment_clip(noise(), prompts, backend="sam")
    with pytest.raises(MissingModelError, match="dexman-pose models list"):
        segment_clip(noise(), prompts, backend="sam:no/such.pth")
    damaged = tmp_path / "damaged.pth"
    damaged.write_bytes(weights.read_bytes()[:2000])
    with pytest.raises(InputError, match=r"damaged\.pth holds no weights of Segment Anything"):
        segment_clip(noise(), prompts, backend=f"sam:{damaged}")


def test_the_stand_in_for_torchvision() -> None:
    import torch

    from dexman_pose.segmentation.sam.library import batched_nms, box_area, resize, to_pil_image

    boxes = torch.tensor([[0.0, 0, 10, 10], [1, 1, 11, 11], [20, 20, 30, 40], [0, 0, 10, 9]])
    assert box_area(boxes).tolist() == [100, 100, 200, 90]
    scores, kinds = torch.tensor([0.5, 0.9, 0.1, 0.4]), torch.tensor([0, 0, 0, 1])
    assert batched_nms(boxes, scores, kinds, 0.5).tolist() == [1, 3, 2]
    assert batched_nms(boxes, scores, kinds, 0.9).tolist() == [1, 0, 3, 2]
    picture = np.random.default_rng(0).integers(0, 255, (12, 20, 3), dtype=np.uint8)
    assert np.array(resize(to_pil_image(picture), (6, 10))).shape == (6, 10, 3)
    assert (np.array(resize(to_pil_image(picture), (12, 20))) == picture).all()


def test_where_an_object_is_expected() -> None:
    before, now = np.zeros((40, 60), bool), np.zeros((40, 60), bool)
    before[10:20, 10:20], now[12:22, 15:25] = True, True
    assert step_between(before, now, DEFAULTS) == (5, 2)
    assert step_between(None, now, DEFAULTS) == step_between(before, now & False, DEFAULTS) == (0, 0)
    far = np.zeros_like(now)
    far[10:20, 45:55] = True
    assert step_between(before, far, DEFAULTS) == (0, 0)
    assert np.flatnonzero(moved(now, (5, 2)).any(0)).tolist() == list(range(20, 30))
    assert moved(now, (-100, 0)).sum() == 0
    assert overlap(before, now) == pytest.approx(40 / 160)
    assert overlap(before & False, now & False) == 0.0
    assert (box_around(now, DEFAULTS) == [15 - 0.54, 12 - 0.54, 24 + 0.54, 21 + 0.54]).all()


def test_clicks_lie_deep_inside_and_far_from_each_other() -> None:
    bar = np.zeros((40, 60), bool)
    bar[18:25, 5:55] = True
    clicks = clicks_inside(bar, DEFAULTS)
    assert len(clicks) == 3 and (clicks[:, 2] == 1).all()
    assert all(bar[int(y), int(x)] and 19 <= y <= 23 for x, y, _ in clicks)
    assert np.ptp(clicks[:, 0]) > 35
    dot = np.zeros_like(bar)
    dot[5, 5] = True
    assert clicks_inside(dot, DEFAULTS).tolist() == [[5, 5, 1]]
