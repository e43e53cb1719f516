"""A network of Segment Anything out of a file of weights, whose own shapes say how it is built."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dexman_pose.errors import InputError
from dexman_pose.segmentation.sam.library import segment_anything

if TYPE_CHECKING:
    import torch

_HEADS = 8
"""Attention heads of the mask decoder, which no shape tells; all released networks have these."""
_MEAN = [123.675, 116.28, 103.53]
_DEVIATION = [58.395, 57.12, 57.375]
"""Colours of the pictures that it was trained on, in 0..255."""
_EPSILON = 1e-6
_MULTIMASKS = 3
_BLOCK = re.compile(r"image_encoder\.blocks\.(\d+)\.")
_LAYER = re.compile(r"mask_decoder\.transformer\.layers\.(\d+)\.")
_IOU = re.compile(r"mask_decoder\.iou_prediction_head\.layers\.(\d+)\.")


@dataclass(frozen=True)
class Shape:
    """How a network is built.

    Attributes:
        side: of its square picture in pixels.
        patch: side of a patch in pixels.
        width: channels of the picture encoder.
        depth: of its blocks.
        heads: of its attention.
        ratio: of the inner width of a block to its width.
        window: side of the windows of its local attention in patches.
        whole: numbers of the blocks that look at the whole picture.
        prompt: channels of prompts and features.
        mask: channels of the mask input.
        layers: of the mask decoder.
        inner: width of these layers.
        iou_layers: of the head that guesses the overlap.
        iou_width: of these layers.
    """

    side: int
    patch: int
    width: int
    depth: int
    heads: int
    ratio: float
    window: int
    whole: tuple[int, ...]
    prompt: int
    mask: int
    layers: int
    inner: int
    iou_layers: int
    iou_width: int

    @classmethod
    def of(cls, state: Mapping[str, torch.Tensor]) -> Shape:
        """Read it off the weights.

        Raises:
            KeyError: they are not those of such a network.
        """
        grid, width = (
            int(state["image_encoder.pos_embed"].shape[1]),
            int(state["image_encoder.pos_embed"].shape[-1]),
        )
        patch = int(state["image_encoder.patch_embed.proj.weight"].shape[-1])
        depth = _count(_BLOCK, state)
        reach = [int(state[f"image_encoder.blocks.{i}.attn.rel_pos_h"].shape[0]) for i in range(depth)]
        head = int(state["image_encoder.blocks.0.attn.rel_pos_h"].shape[1])
        whole = tuple(i for i, r in enumerate(reach) if r == 2 * grid - 1)
        local = [r for i, r in enumerate(reach) if i not in whole]
        return cls(
            side=grid * patch,
            patch=patch,
            width=width,
            depth=depth,
            heads=width // head,
            ratio=int(state["image_encoder.blocks.0.mlp.lin1.weight"].shape[0]) / width,
            window=(local[0] + 1) // 2 if local else 0,
            whole=whole,
            prompt=int(state["image_encoder.neck.0.weight"].shape[0]),
            mask=int(state["prompt_encoder.mask_downscaling.3.weight"].shape[0]),
            layers=_count(_LAYER, state),
            inner=int(state["mask_decoder.transformer.layers.0.mlp.lin1.weight"].shape[0]),
            iou_layers=_count(_IOU, state),
            iou_width=int(state["mask_decoder.iou_prediction_head.layers.0.weight"].shape[0]),
        )


def _count(pattern: re.Pattern[str], state: Mapping[str, Any]) -> int:
    return 1 + max(int(match[1]) for key in state if (match := pattern.match(key)))


def build(shape: Shape, purpose: str) -> Any:
    """A network of this shape, with weights of chance."""
    import torch

    segment_anything(purpose)
    from segment_anything.modeling import ImageEncoderViT, MaskDecoder, PromptEncoder, Sam, TwoWayTransformer

    grid = shape.side // shape.patch
    return Sam(
        image_encoder=ImageEncoderViT(
            img_size=shape.side,
            patch_size=shape.patch,
            embed_dim=shape.width,
            depth=shape.depth,
            num_heads=shape.heads,
            mlp_ratio=shape.ratio,
            out_chans=shape.prompt,
            qkv_bias=True,
            norm_layer=partial(torch.nn.LayerNorm, eps=_EPSILON),
            use_rel_pos=True,
            window_size=shape.window,
            global_attn_indexes=shape.whole,
        ),
        prompt_encoder=PromptEncoder(
            embed_dim=shape.prompt,
            image_embedding_size=(grid, grid),
            input_image_size=(shape.side, shape.side),
            mask_in_chans=shape.mask,
        ),
        mask_decoder=MaskDecoder(
            transformer_dim=shape.prompt,
            transformer=TwoWayTransformer(
                depth=shape.layers, embedding_dim=shape.prompt, num_heads=_HEADS, mlp_dim=shape.inner
            ),
            num_multimask_outputs=_MULTIMASKS,
            iou_head_depth=shape.iou_layers,
            iou_head_hidden_dim=shape.iou_width,
        ),
        pixel_mean=_MEAN,
        pixel_std=_DEVIATION,
    )


def load_network(path: Path, purpose: str, device: str) -> Any:
    """Read a network from a file of weights, ready to predict; pickled code in it is refused.

    Raises:
        InputError: damaged weights, or those of another network.
        MissingExtraError: segment-anything is missing.
    """
    segment_anything(purpose)
    import torch

    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
        network = build(Shape.of(state), purpose)
        network.load_state_dict(state)
    except Exception as error:  # damaged files raise those of zip, pickle and torch
        why = " ".join(str(error).split())[:300] or type(error).__name__
        raise InputError(f"{purpose}: {path} holds no weights of Segment Anything: {why}") from error
    return network.eval().to(device)
