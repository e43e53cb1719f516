"""Objects pointed at by words: boxes that a network finds for them, which become prompts."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from dexman_pose.arrays import Array
from dexman_pose.data import ObjectPrompt
from dexman_pose.data.accept import ClipLike, as_clip
from dexman_pose.data.model_store import find_weights
from dexman_pose.errors import EstimationError, InputError
from dexman_pose.networks.device import device_named
from dexman_pose.networks.hub import load_model, transformers_class
from dexman_pose.networks.pictures import picture_tensor

if TYPE_CHECKING:
    import torch

PURPOSE = "finding objects by words"
_PLAIN = re.compile(r"[^\W_][\w\- ']*")
"""A word or a few of them; a full stop would end one and begin the next."""


@dataclass(frozen=True)
class WordOptions:
    """How words are looked for. The sizes are those of the network's training.

    Attributes:
        shorter_side: pixels of the picture that the network looks at.
        longer_side: the most its longer side may have.
        threshold: score below which nothing was found.
        apart: overlap (intersection over union) from which on two boxes are one thing, which has one word.
        device: where the network runs.
    """

    shorter_side: int = 800
    longer_side: int = 1333
    threshold: float = 0.3
    apart: float = 0.8
    device: str = "auto"


DEFAULTS: Final = WordOptions()
"""What :func:`find_by_words` uses."""


@dataclass(frozen=True)
class Found:
    """A thing that a word was found for.

    Attributes:
        prompt: its box, on the frame that was looked at.
        score: in [0, 1], by the network itself.
    """

    prompt: ObjectPrompt
    score: float


def find_by_words(
    clip: ClipLike,
    words: Sequence[str],
    *,
    frame: int = 0,
    weights: str | Path = "grounding-dino-tiny",
    options: WordOptions = DEFAULTS,
) -> dict[str, Found]:
    """Find one thing for each word in a frame of a clip.

    Args:
        clip: the video.
        words: a name for each object, in English, as ``["ladle", "red bowl"]``.
        frame: index of the frame that is looked at.
        weights: name of a model's card, or a folder.
        options: thresholds.

    Returns:
        By word, a box as a prompt and its score. Two of one kind are not told apart: each word gets the likeliest box
        that no likelier word has.

    Raises:
        InputError: words that are none, or weights that cannot be loaded.
        MissingExtraError: transformers is missing; the message holds the command that installs it.
        MissingModelError: the weights are missing; the message holds the command that fetches them.
        EstimationError: nothing was found for a word.
    """
    film, names = as_clip(clip), _checked(words)
    folder, device = find_weights(weights), device_named(options.device)
    network = load_model("GroundingDinoForObjectDetection", folder, PURPOSE, device)
    rgb = film.frame(frame)
    ids, spans = tokens_of(_tokenizer(folder), names)
    scores, boxes = _looked(network, rgb, ids, device, options)
    of_words = np.stack([scores[:, span].max(1) for span in spans], 1)
    chosen = choose(of_words, boxes, options)
    height, width = rgb.shape[:2]
    out = {}
    for k, name in enumerate(names):
        query = chosen[k]
        if query is None:
            raise EstimationError(
                f"nothing like {name!r} was found in frame {frame} (best score {of_words[:, k].max():.2f}, "
                f"{options.threshold:g} is wanted); say where it is with a box: --box {name}=X0,Y0,X1,Y1"
            )
        box = pixel_box(boxes[query], width, height)
        out[name] = Found(ObjectPrompt(box=box, frame=frame), float(of_words[query, k]))
    return out


def _checked(words: Sequence[str]) -> list[str]:
    names = [words] if isinstance(words, str) else list(words)
    bad = [w for w in names if not isinstance(w, str) or not _PLAIN.fullmatch(w)]
    if bad or not names or len(set(names)) < len(names):
        raise InputError(
            "words must be different plain names as 'ladle' or 'red bowl', but got "
            f"{', '.join(map(repr, names)) or 'none'}"
        )
    return names


def _tokenizer(folder: Path) -> Any:
    kind = transformers_class("AutoTokenizer", PURPOSE)
    try:
        return kind.from_pretrained(folder, local_files_only=True)
    except Exception as error:  # of the library, of its hub, and of the files themselves
        why = " ".join(str(error).split())[:200]
        raise InputError(f"{PURPOSE}: {folder} holds no tokenizer that can be read: {why}") from error


def tokens_of(tokenizer: Any, names: Sequence[str]) -> tuple[torch.Tensor, list[list[int]]]:
    """Token numbers (1, L) of "ladle. red bowl.", and which of them each name is."""
    lower = [name.lower() for name in names]
    text = " ".join(f"{name}." for name in lower)
    told = tokenizer(text, return_offsets_mapping=True, return_tensors="pt")
    offsets = told["offset_mapping"][0].tolist()
    spans, start = [], 0
    for name in lower:
        stop = start + len(name)
        spans.append([i for i, (a, b) in enumerate(offsets) if b > a and a < stop and b > start])
        start = stop + 2  # a full stop and a space
    return told["input_ids"], spans


def _looked(
    network: Any, rgb: NDArray[np.uint8], ids: torch.Tensor, device: str, options: WordOptions
) -> tuple[Array, Array]:
    """Scores (Q, L) of every box for every token, and the boxes (Q, 4): middle and size as shares of the picture."""
    import torch

    height, width = rgb.shape[:2]
    pixels = picture_tensor(rgb, network_size(width, height, options), device)
    with torch.inference_mode():
        answer = network(
            pixel_values=pixels, input_ids=ids.to(device), attention_mask=torch.ones_like(ids).to(device)
        )
    scores = torch.sigmoid(answer.logits[0].float()).cpu().numpy()
    return scores, answer.pred_boxes[0].float().cpu().numpy()


def network_size(width: int, height: int, options: WordOptions = DEFAULTS) -> tuple[int, int]:
    """Width and height at which a picture is looked at: its shorter side as in training, the longer not too long."""
    scale = min(options.shorter_side / min(width, height), options.longer_side / max(width, height))
    return max(1, round(width * scale)), max(1, round(height * scale))


def choose(scores: Array, boxes: Array, options: WordOptions = DEFAULTS) -> list[int | None]:
    """A box for each word: the surest pair first, no two words for one thing.

    Args:
        scores: (Q, K) of Q boxes for K words.
        boxes: (Q, 4) middle x, y, width, height.
        options: thresholds.

    Returns:
        (K,) number of the box, or None where no free one is good enough.
    """
    out: list[int | None] = [None] * scores.shape[1]
    taken: list[int] = []
    for flat in np.argsort(-scores, axis=None, kind="stable"):
        query, word = (int(i) for i in np.unravel_index(flat, scores.shape))
        if scores[query, word] < options.threshold:
            break
        if out[word] is None and all(_overlap(boxes[query], boxes[t]) < options.apart for t in taken):
            out[word] = query
            taken.append(query)
    return out


def _overlap(one: Array, other: Array) -> float:
    low = np.maximum(one[:2] - one[2:] / 2, other[:2] - other[2:] / 2)
    high = np.minimum(one[:2] + one[2:] / 2, other[:2] + other[2:] / 2)
    shared = float(np.clip(high - low, 0, None).prod())
    whole = float(one[2:].prod() + other[2:].prod()) - shared
    return shared / whole if whole > 0 else 0.0


def pixel_box(box: Array, width: int, height: int) -> Array:
    """A box (4,) x0, y0, x1, y1 in pixels, of a middle and size as shares of the picture, cut at its edges."""
    size = np.array([width, height], float)
    middle, half = np.asarray(box[:2], float) * size - 0.5, np.asarray(box[2:], float) * size / 2
    low, high = np.clip(middle - half, 0, size - 1), np.clip(middle + half, 0, size - 1)
    return np.concatenate([low, np.maximum(high, low + 1e-3)])
