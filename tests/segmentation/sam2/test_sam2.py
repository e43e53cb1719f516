"""The backends ``sam2`` and ``edgetam`` with small networks of chance."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dexman_pose.data import OCCLUDER, Clip, HandObservations, ObjectPrompt
from dexman_pose.errors import InputError, MissingModelError
from dexman_pose.segmentation import segment_clip

HEIGHT, WIDTH, FRAMES, SIDE = 48, 80, 22, 64


def noise(frames: int = FRAMES) -> Clip:
    pictures = np.random.default_rng(0).integers(0, 255, (frames, HEIGHT, WIDTH, 3), dtype=np.uint8)
    return Clip.from_frames(pictures)


@pytest.fixture(scope="module")
def network(sam2: Path) -> Any:
    from dexman_pose.networks.hub import load_model

    return load_model("Sam2VideoModel", sam2, "a test")


def follower(network: Any, reverse: bool = False) -> Any:
    import transformers

    from dexman_pose.segmentation.sam2.backend import RememberingFollower

    return RememberingFollower(network, transformers.Sam2VideoInferenceSession, "cpu", reverse)


@pytest.mark.parametrize("reverse", [False, True])
def test_frame_by_frame_it_sees_what_the_network_sees_with_the_whole_film_in_memory(
    network: Any, reverse: bool
) -> None:
    import torch
    import transformers

    from dexman_pose.networks.pictures import picture_tensor, scaled_field
    from dexman_pose.segmentation.sam2.memory import clicks

    clip, prompt = noise(), ObjectPrompt(box=[10, 10, 40, 30], frame=FRAMES - 1 if reverse else 0)
    film = torch.cat([picture_tensor(f, (SIDE, SIDE)) for _, f in clip.frames()])
    session = transformers.Sam2VideoInferenceSession(
        video=film, video_height=HEIGHT, video_width=WIDTH, dtype=torch.float32
    )
    places, labels = clicks(prompt, (WIDTH, HEIGHT), SIDE)
    session.add_point_inputs(
        session.obj_id_to_idx(1), prompt.frame, {"point_coords": places, "point_labels": labels}
    )
    session.obj_with_new_inputs = [1]
    whole = {
        out.frame_idx: scaled_field(out.pred_masks[0, 0], (WIDTH, HEIGHT))
        for out in network.propagate_in_video_iterator(session, prompt.frame, reverse=reverse)
    }
    mine = follower(network, reverse)
    for index, rgb in clip.frames(reverse=reverse):
        mine.look(index, rgb)
        seen = mine.start("a", prompt) if index == prompt.frame else mine.follow("a")
        assert np.allclose(seen.logits, whole[index], atol=2e-4), index


def stored_bytes(memory: Any) -> int:
    import torch

    session = memory.session
    outputs = session.output_dict_per_obj[memory.index]
    tensors = [
        v for kind in outputs.values() for out in kind.values() for v in out.values() if torch.is_tensor(v)
    ]
    assert not session.processed_frames
    return sum(t.numel() * t.element_size() for t in tensors) + 1000 * len(session.frames_tracked_per_obj[0])


def test_what_is_remembered_does_not_grow(network: Any) -> None:
    mine, sizes = follower(network), []
    clip = noise(4)
    for index in range(60):
        mine.look(index, clip.frame(index % 4))
        mine.start("a", ObjectPrompt(points=[[60, 20, 1]])) if index == 0 else mine.follow("a")
        sizes.append(stored_bytes(mine.memories["a"]))
    assert sizes[59] == sizes[20] and sizes[20] < 2 * sizes[10]


@pytest.mark.parametrize(("x", "y"), [(0, 0), (79, 47), (40, 3)])
def test_a_click_hits_the_pixel_that_it_names(network: Any, x: int, y: int) -> None:
    import torch

    from dexman_pose.segmentation.sam2.memory import clicks

    encoder = network.prompt_encoder
    places, labels = clicks(ObjectPrompt(points=[[x, y, 1]]), (WIDTH, HEIGHT), SIDE)
    with torch.no_grad():
        embedded = encoder._embed_points(places, labels, pad=False)[0, 0, 0]
        share = torch.tensor([[[[(x + 0.5) / WIDTH, (y + 0.5) / HEIGHT]]]])
        expected = encoder.shared_embedding(share)[0, 0, 0] + encoder.point_embed.weight[1]
    assert torch.allclose(embedded, expected, atol=1e-5)


def test_a_box_is_shown_by_its_corners_before_the_clicks() -> None:
    pytest.importorskip("torch")
    from dexman_pose.segmentation.sam2.memory import clicks

    places, labels = clicks(
        ObjectPrompt(box=[10, 20, 30, 40], points=[[15, 25, 1], [60, 5, 0]]), (WIDTH, HEIGHT), SIDE
    )
    assert labels[0, 0].tolist() == [2, 3, 1, 0]
    assert np.allclose(places[0, 0, 0], [10.5 * 0.8 - 0.5, 20.5 * SIDE / HEIGHT - 0.5], atol=1e-5)


def test_a_mask_goes_in_and_comes_back_in_pixels_of_the_picture(network: Any) -> None:
    # Whole pixels of the answer, which has a quarter of the network's resolution: 5 by 3 pixels of the picture.
    given = np.zeros((HEIGHT, WIDTH), bool)
    given[12:30, 20:55] = True
    mine = follower(network)
    mine.look(0, noise(1).frame(0))
    seen = mine.start("a", ObjectPrompt(mask=given)).mask
    # The network rounds its corners, and nothing else: edges lie where they were.
    assert (seen[21] == given[21]).all() and (seen[:, 37] == given[:, 37]).all()
    assert (seen != given).sum() <= 4 * 6


def test_clips_both_ways_with_objects_and_hands(sam2: Path) -> None:
    clip = noise(6)
    given = np.zeros((HEIGHT, WIDTH), bool)
    given[30:40, 50:70] = True
    prompts = {
        "box": ObjectPrompt(box=[10, 10, 40, 30], frame=1),
        "mask": ObjectPrompt(mask=given, frame=4),
    }
    joints = np.zeros((6, 2, 21, 2))
    joints[:, 0] = np.random.default_rng(1).uniform([10, 5], [40, 40], (21, 2))
    detected = np.tile([True, False], (6, 1))
    hands = HandObservations(joints, np.zeros((6, 2, 21, 3)), detected, ~detected & False, detected * 1.0)
    masks = segment_clip(clip, prompts, hands, backend=f"sam2:{sam2}", gate=False)
    alone = segment_clip(clip, prompts, None, backend=f"sam2:{sam2}", gate=False)
    assert (masks.mask(4, "mask") == given).all() and masks.confidence[4, 1] == 1.0
    assert set(np.unique(masks.labels(2))) <= {0, 1, 2, OCCLUDER}
    hidden = sum(int((masks.labels(t) == OCCLUDER).sum()) for t in range(6))
    assert hidden > 0 and not any((alone.labels(t) == OCCLUDER).any() for t in range(6))
    for t in range(6):  # hands only take away
        assert not (masks.mask(t, "box") & ~alone.mask(t, "box") & ~alone.mask(t, "mask")).any()


def test_edgetam_follows_too(edgetam: Path) -> None:
    masks = segment_clip(
        noise(4), {"a": ObjectPrompt(box=[10, 10, 40, 30], frame=2)}, backend=f"edgetam:{edgetam}"
    )
    assert masks.confidence.shape == (4, 1)


def test_a_file_that_holds_a_shared_matrix_once(sam2: Path, tmp_path: Path) -> None:
    import torch
    from safetensors.torch import load_file, save_file

    from dexman_pose.networks.hub import load_model
    from dexman_pose.segmentation.sam2.backend import _TWINS

    ((clicks, picture),) = _TWINS.items()
    state = load_file(sam2 / "model.safetensors")
    del state[clicks]
    (tmp_path / "config.json").write_text((sam2 / "config.json").read_text())
    save_file(state, tmp_path / "model.safetensors", metadata={"format": "pt"})
    loaded = load_model("Sam2VideoModel", tmp_path, "a test", twins=_TWINS).state_dict()
    assert torch.equal(loaded[clicks], state[picture]) and torch.equal(loaded[picture], state[picture])
    with pytest.raises(InputError, match=r"1 are missing, 'prompt_encoder\.shared_embedding"):
        load_model("Sam2VideoModel", tmp_path, "a test")


def test_weights_that_are_none(
    tmp_path: Path, sam2: Path, edgetam: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DEXMAN_POSE_MODELS", str(tmp_path / "empty"))
    prompts = {"a": ObjectPrompt(box=[10, 10, 40, 30])}

    def refused(backend: str, kind: type[InputError], message: str) -> None:
        with pytest.raises(kind, match=message):
            segment_clip(noise(2), prompts, backend=backend)

    refused("sam2", MissingModelError, r"sam2\.1-tiny.*dexman-pose models fetch sam2\.1-tiny")
    refused("edgetam", MissingModelError, "dexman-pose models fetch edgetam")
    refused(f"sam2:{tmp_path}", MissingModelError, r"holds no config\.json")
    broken = tmp_path / "broken"
    broken.mkdir()
    (broken / "config.json").write_text((sam2 / "config.json").read_text())
    refused(f"sam2:{broken}", InputError, "cannot be loaded as Sam2VideoModel")
    (broken / "model.safetensors").write_bytes((sam2 / "model.safetensors").read_bytes()[:5000])
    refused(f"sam2:{broken}", InputError, "cannot be loaded as Sam2VideoModel")
    (broken / "model.safetensors").write_bytes((edgetam / "model.safetensors").read_bytes())
    refused(f"sam2:{broken}", InputError, "Sam2VideoModel")
