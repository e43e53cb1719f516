"""What the network remembers of one thing, kept as small as it needs it."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from dexman_pose.arrays import Mask
from dexman_pose.data import ObjectPrompt
from dexman_pose.networks.pictures import moved_pixels

_ID = 1
_CORNERS = (2, 3)
"""Labels of the clicks that stand for the corners of a box."""
_BULKY = ("high_res_masks", "pred_masks")
"""Parts of an answer that only the frame itself needs."""
_MEMORY = ("maskmem_features", "maskmem_pos_enc")
"""Parts that only the next few frames need."""
_HALF = 0.5


class SharedFeatures:
    """The features of the picture at hand, found once for all things in it.

    It stands in the place of a session's cache, whose two methods it has.
    """

    def __init__(self) -> None:
        self._index: int | None = None
        self._features: Any = None

    def cache_vision_features(self, frame_idx: int, features: Any) -> None:
        """Take what was found of a picture."""
        self._index, self._features = frame_idx, features

    def get_vision_features(self, frame_idx: int) -> Any:
        """Give it back; a copy, since the network writes into the list."""
        if frame_idx != self._index:
            return None
        return {k: list(v) if isinstance(v, (list, tuple)) else v for k, v in self._features.items()}

    def clear_all(self) -> None:
        """Forget the picture."""
        self._index = self._features = None


class Memory:
    """One thing of a pass.

    Args:
        network: of the kind of SAM 2.
        session: class of its sessions.
        features: of the picture at hand, shared with the other things.
        device: where the network runs.
        reverse: whether the pass goes back in time.
    """

    def __init__(
        self, network: Any, session: Any, features: SharedFeatures, device: str, reverse: bool
    ) -> None:
        self.network, self.reverse, self.device = network, reverse, device
        self.session = session(inference_device=device, inference_state_device=device, dtype=torch.float32)
        self.session.cache = features
        self.index = self.session.obj_id_to_idx(_ID)

    def start(
        self, frame: int, pixels: torch.Tensor, prompt: ObjectPrompt, size: tuple[int, int]
    ) -> tuple[torch.Tensor, float]:
        """See the thing where a prompt shows it.

        Args:
            frame: index of the picture.
            pixels: (1, 3, S, S), as the network wants it.
            prompt: box, clicks or mask in pixels of the picture of the clip; a mask counts alone.
            size: width and height of that picture.

        Returns:
            (h, w) logits in the network's own resolution, and the log odds that the thing is there.
        """
        side = int(pixels.shape[-1])
        if prompt.mask is not None:
            self.session.add_mask_inputs(self.index, frame, _mask_input(prompt.mask, side))
        else:
            coordinates, labels = clicks(prompt, size, side)
            inputs = {"point_coords": coordinates, "point_labels": labels}
            self.session.add_point_inputs(self.index, frame, inputs)
        self.session.obj_with_new_inputs = [_ID]
        return self._answer(frame, pixels)

    def follow(self, frame: int, pixels: torch.Tensor) -> tuple[torch.Tensor, float]:
        """Find the thing again; as :meth:`start`."""
        return self._answer(frame, pixels)

    def _answer(self, frame: int, pixels: torch.Tensor) -> tuple[torch.Tensor, float]:
        answer = self.network(
            inference_session=self.session, frame_idx=frame, frame=pixels, reverse=self.reverse
        )
        self._forget(frame)
        return answer.pred_masks[0, 0], float(answer.object_score_logits.reshape(-1)[0])

    def _forget(self, frame: int) -> None:
        """Drop what no later frame of this pass reads: memory stays the same for any length."""
        config = self.network.config
        self.session.processed_frames = {}
        outputs = self.session.output_dict_per_obj[self.index]
        for kept in (*outputs["cond_frame_outputs"].values(), *outputs["non_cond_frame_outputs"].values()):
            for bulky in _BULKY:
                kept.pop(bulky, None)
        later = outputs["non_cond_frame_outputs"]
        for index in list(later):
            age = abs(frame - index)
            if age >= config.max_object_pointers_in_encoder:
                del later[index]
            elif age >= config.num_maskmem:
                for part in _MEMORY:
                    later[index].pop(part, None)
        tracked = self.session.frames_tracked_per_obj[self.index]
        for index in [i for i in tracked if i != frame]:
            del tracked[index]


def clicks(prompt: ObjectPrompt, size: tuple[int, int], side: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Box and clicks of a prompt as the network wants them: corners first, pixel centres in its own picture.

    Args:
        prompt: box, clicks or both.
        size: width and height of the picture they are in.
        side: of the network's square picture.

    Returns:
        (1, 1, N, 2) coordinates float32 and (1, 1, N) labels int32.
    """
    places: list[list[float]] = []
    labels: list[int] = []
    if prompt.box is not None:
        places += prompt.box.reshape(2, 2).tolist()
        labels += _CORNERS
    if prompt.points is not None:
        places += prompt.points[:, :2].tolist()
        labels += [int(v) for v in prompt.points[:, 2]]
    moved = moved_pixels(np.array(places), size, (side, side))
    return (
        torch.tensor(moved, dtype=torch.float32)[None, None],
        torch.tensor(labels, dtype=torch.int32)[None, None],
    )


def _mask_input(mask: Mask, side: int) -> torch.Tensor:
    """A mask in the network's square picture: the pixels that are mostly in it."""
    field = torch.from_numpy(mask.astype(np.float32))[None, None]
    scaled = torch.nn.functional.interpolate(
        field, size=(side, side), mode="bilinear", align_corners=False, antialias=True
    )
    return (scaled >= _HALF).float()
