"""Objects by words, with a small network of chance and a tokenizer of a few words."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dexman_pose.data import Clip
from dexman_pose.errors import EstimationError, InputError, MissingModelError
from dexman_pose.segmentation.words import (
    WordOptions,
    choose,
    find_by_words,
    network_size,
    pixel_box,
    tokens_of,
)

HEIGHT, WIDTH = 48, 80
SMALL = WordOptions(shorter_side=64, longer_side=160, threshold=0.0, device="cpu")


def noise() -> Clip:
    return Clip.from_frames(np.random.default_rng(0).integers(0, 255, (2, HEIGHT, WIDTH, 3), dtype=np.uint8))


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    transformers = pytest.importorskip("transformers")
    import torch

    torch.manual_seed(0)
    backbone = {
        "model_type": "swin", "image_size": 64, "patch_size": 4, "embed_dim": 8, "depths": [1, 1, 1, 1],
        "num_heads": [1, 2, 2, 2], "window_size": 4, "out_indices": [2, 3, 4],
    }  # fmt: skip
    text = {
        "model_type": "bert", "vocab_size": 1100, "hidden_size": 16, "num_hidden_layers": 1,
        "num_attention_heads": 2, "intermediate_size": 16, "max_position_embeddings": 64,
    }  # fmt: skip
    config = transformers.GroundingDinoConfig(
        backbone_config=backbone, text_config=text, num_queries=20, encoder_layers=1, encoder_ffn_dim=16,
        encoder_attention_heads=2, decoder_layers=2, decoder_ffn_dim=16, decoder_attention_heads=2, d_model=32,
        max_text_len=32,
    )  # fmt: skip
    folder = tmp_path_factory.mktemp("dino")
    transformers.GroundingDinoForObjectDetection(config).save_pretrained(folder)
    # The numbers of these four are written into the network's code.
    places = {0: "[PAD]", 100: "[UNK]", 101: "[CLS]", 102: "[SEP]", 103: "[MASK]", 1012: ".", 1029: "?"}
    places |= {1030: "lad", 1031: "##le", 1032: "red", 1033: "bowl"}
    vocabulary = [places.get(i, f"[unused{i}]") for i in range(1100)]
    (folder / "vocab.txt").write_text("\n".join(vocabulary) + "\n")
    transformers.BertTokenizerFast(
        vocab=str(folder / "vocab.txt"), vocab_file=str(folder / "vocab.txt")
    ).save_pretrained(folder)
    return folder


def test_tokens_of_each_name(weights: Path) -> None:
    import transformers

    ids, spans = tokens_of(transformers.AutoTokenizer.from_pretrained(weights), ["Ladle", "red bowl"])
    assert ids[0].tolist() == [101, 1030, 1031, 1012, 1032, 1033, 1012, 102]
    assert spans == [[1, 2], [4, 5]]


def test_boxes_become_prompts_within_the_picture(weights: Path) -> None:
    found = find_by_words(noise(), ["ladle", "red bowl"], frame=1, weights=weights, options=SMALL)
    assert list(found) == ["ladle", "red bowl"]
    for one in found.values():
        assert one.prompt.frame == 1 and 0 <= one.score <= 1
        box = one.prompt.box
        assert box is not None and (box[:2] >= 0).all() and box[2] <= WIDTH - 1 and box[3] <= HEIGHT - 1
    with pytest.raises(EstimationError, match=r"nothing like 'ladle' was found in frame 0.*--box ladle="):
        find_by_words(noise(), ["ladle"], weights=weights, options=WordOptions(64, 160, 1.0))


def test_the_surest_word_chooses_first_and_one_thing_has_one_word() -> None:
    boxes = np.array([[0.3, 0.3, 0.2, 0.2], [0.31, 0.3, 0.2, 0.2], [0.7, 0.7, 0.2, 0.2]])
    scores = np.array([[0.9, 0.8], [0.85, 0.7], [0.1, 0.4]])
    assert choose(scores, boxes) == [0, 2]
    assert choose(scores, boxes, WordOptions(threshold=0.5)) == [0, None]
    assert choose(np.array([[0.5, 0.6]]), boxes[:1]) == [None, 0]


def test_shares_of_the_picture_as_pixels() -> None:
    whole = pixel_box(np.array([0.5, 0.5, 1.0, 1.0]), 80, 48)
    assert whole.tolist() == [0, 0, 79, 47]
    assert np.allclose(pixel_box(np.array([0.25, 0.5, 0.1, 0.25]), 80, 48), [15.5, 17.5, 23.5, 29.5])


@pytest.mark.parametrize(("size", "expected"), [((640, 480), (1067, 800)), ((1920, 1080), (1333, 750))])
def test_the_size_that_is_looked_at(size: tuple[int, int], expected: tuple[int, int]) -> None:
    assert network_size(*size) == expected


@pytest.mark.parametrize("words", [[], ["cup", "cup"], ["a. b"], [""], [3]])
def test_words_that_are_none(words: list[Any]) -> None:
    with pytest.raises(InputError, match="words must be different plain names"):
        find_by_words(noise(), words)


def test_missing_weights(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DEXMAN_POSE_MODELS", str(tmp_path))
    with pytest.raises(MissingModelError, match="dexman-pose models fetch grounding-dino-tiny"):
        find_by_words(noise(), ["cup"])
