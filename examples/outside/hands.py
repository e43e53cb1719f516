"""HaMeR and WiLoR, called by their public functions inside their own environments.

Every function here takes ``(frames, inputs, options)`` and returns ``joints_2d``, ``joints_local`` and ``score`` as
docs/backends.md says. Both networks look at a crop in which a left hand is mirrored, and guess its camera with a focal
length that they assume; what is returned is where the joints are seen, and their shape, of the hand that it is. Both
need MANO's files, which you get from their makers. Neither was run here with its weights.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

Arrays = dict[str, Any]
Found = tuple[np.ndarray, np.ndarray, np.ndarray]
"""Boxes (N, 4) x0, y0, x1, y1 in pixels, whether each is a right hand (N,), scores (N,)."""

LEFT, RIGHT, JOINTS = 0, 1, 21


def wilor(frames: np.ndarray, inputs: Arrays, options: dict[str, Any]) -> Arrays:
    """WiLoR: github.com/rolpotamias/WiLoR, from the folder of its repository (option ``checkout``)."""
    import os

    os.chdir(os.path.expanduser(options["checkout"]))  # it reads ./mano_data
    from ultralytics import YOLO
    from wilor.models import load_wilor

    folder = options.get("weights", "./pretrained_models")
    model, config = load_wilor(f"{folder}/wilor_final.ckpt", f"{folder}/model_config.yaml")
    return _hands(
        frames, _detected(YOLO(f"{folder}/detector.pt"), frames, options), model, config, "wilor", options
    )


def hamer(frames: np.ndarray, inputs: Arrays, options: dict[str, Any]) -> Arrays:
    """HaMeR: github.com/geopavlakos/hamer, from the folder of its repository (option ``checkout``).

    Its own detector wants detectron2 and ViTPose; boxes come from a detector of hands of ultralytics instead (option
    ``detector``, classes left and right), WiLoR's say.
    """
    import os

    detector = os.path.abspath(os.path.expanduser(options["detector"]))
    os.chdir(os.path.expanduser(options["checkout"]))  # it reads ./_DATA
    from hamer.models import DEFAULT_CHECKPOINT, load_hamer
    from ultralytics import YOLO

    model, config = load_hamer(options.get("weights", DEFAULT_CHECKPOINT))
    return _hands(frames, _detected(YOLO(detector), frames, options), model, config, "hamer", options)


def _detected(detector: Any, frames: np.ndarray, options: dict[str, Any]) -> Iterable[Found]:
    """Hands of each frame, at most the likeliest one of each side."""
    for rgb in frames:
        # It takes arrays in the order of colours of OpenCV.
        boxes = detector(np.ascontiguousarray(rgb[..., ::-1]), conf=options.get("least", 0.3), verbose=False)[
            0
        ].boxes
        place = boxes.xyxy.cpu().numpy().reshape(-1, 4)
        yield one_of_each_side(
            place, boxes.cls.cpu().numpy().reshape(-1) > 0.5, boxes.conf.cpu().numpy().reshape(-1)
        )


def one_of_each_side(boxes: np.ndarray, right: np.ndarray, score: np.ndarray) -> Found:
    """The likeliest left and the likeliest right hand."""
    kept = []
    for side in (False, True):
        of_side = np.nonzero(right == side)[0]
        if len(of_side):
            kept.append(of_side[int(score[of_side].argmax())])
    return boxes[kept], right[kept], score[kept]


def _hands(
    frames: np.ndarray, found: Iterable[Found], model: Any, config: Any, package: str, options: dict[str, Any]
) -> Arrays:
    """Run a network on the crops of all frames."""
    import importlib

    import torch

    crops = importlib.import_module(f"{package}.datasets.vitdet_dataset").ViTDetDataset
    device = "cuda" if torch.cuda.is_available() else "cpu"
    model = model.to(device).eval()
    count = len(frames)
    out = {
        "joints_2d": np.zeros((count, 2, JOINTS, 2)),
        "joints_local": np.zeros((count, 2, JOINTS, 3)),
        "score": np.zeros((count, 2)),
    }
    for index, (boxes, right, score) in enumerate(found):
        if len(boxes) == 0:
            continue
        bgr = np.ascontiguousarray(frames[index][..., ::-1])
        wider = float(options.get("rescale_factor", 2.0))
        items = crops(config, bgr, boxes, right.astype(np.float32), rescale_factor=wider)
        batch = torch.utils.data.default_collate([items[i] for i in range(len(items))])
        batch = {name: value.to(device) for name, value in batch.items()}
        with torch.no_grad():
            answer = {name: _numbers(value) for name, value in model(batch).items() if hasattr(value, "cpu")}
        pixels, local = of_the_hand(
            answer["pred_keypoints_2d"],
            answer["pred_keypoints_3d"],
            _numbers(batch["box_center"]),
            _numbers(batch["box_size"]),
            right,
        )
        side = right.astype(int)
        out["joints_2d"][index, side], out["joints_local"][index, side] = pixels, local
        out["score"][index, side] = np.clip(score, 1e-3, 1.0)
    return out


def of_the_hand(
    in_crop: np.ndarray, local: np.ndarray, center: np.ndarray, size: np.ndarray, right: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Pixels (N, 21, 2) of the frame and joints (N, 21, 3), a mirrored left hand mirrored back.

    Args:
        in_crop: (N, 21, 2) in shares of the crop's side about its middle, as the networks give them.
        local: (N, 21, 3) metres, as of a right hand.
        center: (N, 2) middle of the crop in the frame.
        size: (N,) side of the crop in pixels of the frame.
        right: (N,) whether it is a right hand.
    """
    back = np.stack([np.where(right, 1.0, -1.0), np.ones(len(right))], 1)[:, None]
    pixels = center[:, None] + size.reshape(-1, 1, 1) * in_crop * back
    mirrored = local * np.concatenate([back, np.ones((len(right), 1, 1))], 2)
    return pixels, mirrored


def _numbers(value: Any) -> np.ndarray:
    return value.detach().cpu().numpy().astype(np.float64)
