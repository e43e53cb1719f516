"""Where hands and forearms may be, from 2D joints, and what this person's skin looks like."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from dexman_pose.data import JOINT_PARENTS, Clip, HandObservations
from dexman_pose.imaging.masks import Float, Window
from dexman_pose.imaging.resize import resize_picture
from dexman_pose.imaging.windows import shape_of
from dexman_pose.segmentation.grabcut.color import ColorModel, to_bins, to_lab
from dexman_pose.segmentation.grabcut.model_options import HandOptions
from dexman_pose.segmentation.grabcut.options import DEFAULTS, GrabCutOptions

_WRIST = 0
_PALM = (0, 1, 2, 5, 9, 13, 17)
_KNUCKLES = [5, 9, 13, 17]
_PALM_PAIRS = ((0, 9), (0, 5), (0, 17), (5, 17))
"""Joints by number, in the order of ``joint_names``: outline of the palm, knuckles, ends of the palm's lengths."""
_TINY = 1e-6
"""Pixels; keeps a wrist that lies on the knuckles from dividing by zero."""
_DRAWABLE = 9999
"""Pixels; the drawing functions take no larger coordinates."""


@dataclass(frozen=True)
class HandField:
    """Where one hand and its forearm may be, before looking at colours.

    Attributes:
        window: rows and columns of the picture that hold both.
        half: (h, w) float32 log odds of a hand against background, at half the size of ``window``.
        far: log odds outside of it.
    """

    window: Window
    half: Float
    far: float

    def through(self, window: Window) -> Float:
        """Log odds of a hand at each pixel (H, W) of a window of the picture."""
        rows, cols = window
        matrix = np.array([[2.0, 0, 0.5], [0, 2.0, 0.5]])
        matrix[:, 2] += [self.window[1].start - cols.start, self.window[0].start - rows.start]
        size = (cols.stop - cols.start, rows.stop - rows.start)
        out: Float = cv2.warpAffine(
            self.half,
            matrix,
            size,
            flags=cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_CONSTANT,
            borderValue=self.far,
        )
        return out


class HandModel:
    """Holds the prior and the colours of the hand label.

    Args:
        observations: joints in pixels of the clip's frames.
        scale: working size / clip size.
        skin: colours of the hands.
        options: proportions and levels of the prior.
    """

    def __init__(
        self,
        observations: HandObservations,
        scale: float,
        skin: ColorModel,
        options: HandOptions = DEFAULTS.hands,
    ) -> None:
        self.options = options
        self._joints = (observations.joints_2d + 0.5) * scale - 0.5
        self._valid = observations.valid
        self.skin = skin

    @classmethod
    def learn(
        cls,
        clip: Clip,
        observations: HandObservations,
        scale: float,
        size: tuple[int, int],
        options: GrabCutOptions = DEFAULTS,
    ) -> HandModel:
        """Make the model of a clip; skin colours are taken under the joints in frames spread over the clip."""
        o = options.hands
        model = cls(observations, scale, ColorModel(options.color), o)
        seen = np.flatnonzero(observations.detected.any(1))
        picked = (
            seen[np.unique(np.linspace(0, len(seen) - 1, o.skin_frames).round().astype(int))]
            if len(seen)
            else seen
        )
        for index in picked:
            lab = to_lab(resize_picture(clip.frame(int(index)), size))
            core = model._core(int(index), lab.shape[:2])
            model.skin.add(_most_common_bins(to_bins(lab)[core], o.skin_bulk), o.skin_rate)
        return model

    def present(self, frame: int) -> bool:
        """True when a hand was seen (or bridged) in this frame."""
        return bool(self._valid[frame].any()) and not self.skin.empty

    def _window(self, joints: NDArray[np.float64], shape: tuple[int, int]) -> Window | None:
        """The window of a (H, W) image, of even sizes, that holds a hand and its forearm; None outside the image."""
        margin, length = self.options.window_margin, self._length(joints)
        points = np.concatenate([joints, [self._elbow(joints)]])
        low = np.floor(points.min(0) - margin * length).astype(int)
        high = np.ceil(points.max(0) + margin * length).astype(int) + 1
        low, high = np.maximum(low, 0), np.minimum(high, [shape[1], shape[0]])
        low -= (low > 0) & ((high - low) % 2 > 0)
        high -= (high - low) % 2
        if not (high > low).all():
            return None
        return slice(int(low[1]), int(high[1])), slice(int(low[0]), int(high[0]))

    def fields(self, frame: int, shape: tuple[int, int]) -> tuple[HandField, ...]:
        """Where each hand of a frame may be, in pictures of a shape (H, W); none where no hand is known."""
        if not self.present(frame):
            return ()
        fields = []
        for joints in self._hands(frame):
            window = self._window(joints, shape)
            if window is not None:
                fields.append(HandField(window, self._log_prior(joints, window), self.options.far_log_odds))
        return tuple(fields)

    def _log_prior(self, joints: NDArray[np.float64], window: Window) -> Float:
        """Log odds of a hand against background before looking at colours, at half the size of a window."""
        o = self.options
        shape = tuple(size // 2 for size in shape_of(window))
        out = np.full(shape, o.far_log_odds, np.float32)
        length = self._length(joints) / 2
        local = (joints - [window[1].start, window[0].start] + 0.5) / 2 - 0.5
        hand = np.zeros(shape, np.uint8)
        _draw_hand(hand, local, max(o.least_width, round(o.finger_width * length)))
        arm = np.zeros(shape, np.uint8)
        elbow = (self._elbow(joints) - [window[1].start, window[0].start] + 0.5) / 2 - 0.5
        _line(arm, local[0], elbow, max(o.least_width, round(o.forearm_width * length)))
        for drawn, level in ((hand, o.skeleton_log_odds), (arm, o.forearm_log_odds)):
            if drawn.any():
                away = cv2.distanceTransform(1 - drawn, cv2.DIST_L2, 3)
                softness = max(o.softness * length, o.least_softness / 2)
                np.maximum(out, level - away / softness, out=out)
        return out

    def _hands(self, frame: int) -> list[NDArray[np.float64]]:
        return [self._joints[frame, side] for side in (0, 1) if self._valid[frame, side]]

    def _core(self, frame: int, shape: tuple[int, ...]) -> NDArray[np.bool_]:
        drawn = np.zeros(shape[:2], np.uint8)
        for joints in self._hands(frame):
            _draw_hand(drawn, joints, max(1, round(self.options.core_width * self._length(joints))))
        return drawn.astype(bool)

    def _length(self, joints: NDArray[np.float64]) -> float:
        """Palm size in pixels: the longest of four palm distances, since the palm may be seen edge-on."""
        lengths = (float(np.linalg.norm(joints[a] - joints[b])) for a, b in _PALM_PAIRS)
        return max(self.options.least_palm, *lengths)

    def _elbow(self, joints: NDArray[np.float64]) -> NDArray[np.float64]:
        """A point some way up the forearm: from the knuckles through the wrist and on."""
        away = joints[_WRIST] - joints[_KNUCKLES].mean(0)
        norm = max(float(np.linalg.norm(away)), _TINY)
        along: NDArray[np.float64] = away / norm * self.options.forearm_length * self._length(joints)
        return joints[_WRIST] + along


def _most_common_bins(bins: NDArray[np.int32], bulk: float) -> NDArray[np.int32]:
    """The bins that make up the bulk: what lies under a joint now and then is something else."""
    values, counts = np.unique(bins, return_counts=True)
    order = np.argsort(counts)[::-1]
    cut = np.searchsorted(np.cumsum(counts[order]), bulk * len(bins)) + 1
    return bins[np.isin(bins, values[order[:cut]])]


def _draw_hand(image: NDArray[np.uint8], joints: NDArray[np.float64], width: int) -> None:
    points = _drawable(joints)
    lines = [points[[child, parent]] for child, parent in enumerate(JOINT_PARENTS) if parent >= 0]
    cv2.polylines(image, lines, False, 1, width)
    cv2.fillConvexPoly(image, cv2.convexHull(points[list(_PALM)]), 1)


def _line(image: NDArray[np.uint8], a: NDArray[np.float64], b: NDArray[np.float64], width: int) -> None:
    cv2.polylines(image, [_drawable(np.stack([a, b]))], False, 1, width)


def _drawable(points: NDArray[np.float64]) -> NDArray[np.int32]:
    """Whole pixels, small enough for the drawing functions."""
    return np.clip(points.round(), -_DRAWABLE, _DRAWABLE).astype(np.int32)
