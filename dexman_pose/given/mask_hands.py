"""Where hands are in the frames of a clip whose objects' masks were given: the occluders, and what they take away."""

from __future__ import annotations

import logging

import numpy as np

from dexman_pose.arrays import Mask
from dexman_pose.data.clip import Clip
from dexman_pose.data.masks import OCCLUDER
from dexman_pose.data.prompts import ObjectPrompt
from dexman_pose.data.tracks import HandObservations
from dexman_pose.errors import EstimationError
from dexman_pose.imaging.resize import resize_picture
from dexman_pose.segmentation.grabcut.color import to_bins, to_lab
from dexman_pose.segmentation.grabcut.hand_labels import label_hands
from dexman_pose.segmentation.grabcut.start import start, working_size

_log = logging.getLogger(__name__)
_SKIN_MARGIN = 2.0
"""How many times likelier skin must be than the object's own colours before a given mask loses a pixel to a hand."""


class HandAreas:
    """Tells hands from objects in the frames of a clip by place and colour.

    Args:
        clip: the frames.
        prompts: one mask of each object.
        observations: 2D joints per frame.
    """

    def __init__(self, clip: Clip, prompts: dict[str, ObjectPrompt], observations: HandObservations) -> None:
        self._clip, self._size, self._seen = (
            clip,
            working_size(clip, prompts),
            np.asarray(observations.valid.any(1), np.bool_),
        )
        try:
            self._states, self._scene = start(clip, prompts, observations)
        except EstimationError as error:
            _log.info("hands are not told from the given masks: %s", error)
            self._seen = np.zeros(clip.num_frames, np.bool_)

    def at(self, frame: int, name: str | None = None) -> Mask | None:
        """(H, W) pixels of hands and forearms; of those likelier skin than the object ``name``; None without hands."""
        if not self._seen[frame]:
            return None
        rgb = resize_picture(self._clip.frame(frame), self._size)
        labels = np.zeros(rgb.shape[:2], np.uint8)
        seen = self._scene.hands
        label_hands(
            rgb, () if seen is None else seen.fields(frame, (rgb.shape[0], rgb.shape[1])), self._scene, labels
        )
        hands = labels == OCCLUDER
        skin = self._scene.hands.skin if self._scene.hands is not None else None
        if name is not None and skin is not None:
            bins = to_bins(to_lab(rgb))
            own = self._states[name].initial_color.density(bins)
            hands &= skin.density(bins) > _SKIN_MARGIN * own
        return self._large(hands)

    def _large(self, mask: Mask) -> Mask:
        size = (self._clip.width, self._clip.height)
        if (mask.shape[1], mask.shape[0]) == size:
            return mask
        share = resize_picture(mask.astype(np.float32), size)
        return np.asarray(share > 0.5)
