"""Hands of long clips fitted window by window: memory does not grow with the clip.

A hand has one size and shape. It is found from runs of frames spread over the clip, as many as a window has, and then
held in all windows. These overlap, and each frame is taken from the window in whose middle it lies most.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from dexman_pose.arrays import Array
from dexman_pose.hands.model.system import HandState
from dexman_pose.interaction.along_sight import Grip
from dexman_pose.interaction.hand_picture import HandPicture
from dexman_pose.interaction.options import GripOptions, WindowOptions
from dexman_pose.interaction.solve import fit_above_table, fit_to_picture, fit_to_shape

Frames = NDArray[np.intp]
GripFitter = Callable[[HandPicture, HandState, Sequence[Grip], GripOptions], HandState]


def picture_fit(picture: HandPicture, o: GripOptions) -> HandState:
    """The hand model that the picture alone says, of a clip of any length."""
    count = len(picture.frames)
    if count <= o.windows.frames:
        return fit_to_picture(picture, o)
    found = fit_to_picture(picture.at(spread(np.arange(count), o.windows)), o)
    held = _held(found, o)
    return _joined([(w, fit_to_picture(picture.at(w), held)) for w in windows(count, o.windows)])


def grip_fit(
    fit: GripFitter, picture: HandPicture, alone: HandState, grips: Sequence[Grip], o: GripOptions
) -> HandState:
    """What a fit says of a hand that grips, of a clip of any length.

    Args:
        fit: :func:`~dexman_pose.interaction.solve.fit_to_grips`, or another like it.
        picture: of the hand.
        alone: what the picture alone says.
        grips: at least one, gripped in some frame.
        o: how.
    """
    count = len(picture.frames)
    if count <= o.windows.frames:
        return fit(picture, alone, grips, o)
    gripped = np.flatnonzero(np.any([grip.gripped for grip in grips], axis=0))
    chosen = spread(gripped, o.windows)
    held = _held(fit(picture.at(chosen), _at(alone, chosen), _gripped(grips, chosen), o), o)

    def fitted(frames: Frames) -> HandState:
        there = _gripped(grips, frames)
        part = picture.at(frames)
        return fit(part, _at(alone, frames), there, held) if there else fit_to_picture(part, held)

    return _joined([(w, fitted(w)) for w in windows(count, o.windows)])


def shape_fit(picture: HandPicture, alone: HandState, shape: Array, o: GripOptions) -> HandState:
    """What :func:`~dexman_pose.interaction.solve.fit_to_shape` says, of a clip of any length."""
    every = windows(len(picture.frames), o.windows)
    return _joined([(w, fit_to_shape(picture.at(w), _at(alone, w), shape, o)) for w in every])


def table_fit(picture: HandPicture, alone: HandState, o: GripOptions) -> HandState:
    """What :func:`~dexman_pose.interaction.solve.fit_above_table` says, of a clip of any length."""
    every = windows(len(picture.frames), o.windows)
    held = o if len(every) == 1 else _held(alone, o)
    return _joined([(w, fit_above_table(picture.at(w), _at(alone, w), held)) for w in every])


def windows(count: int, o: WindowOptions) -> list[Frames]:
    """Frames of every window: all but the first begin within the one before."""
    step = o.frames - o.overlap
    starts = range(0, max(count - o.overlap, 1), step)
    return [np.arange(start, min(start + o.frames, count)) for start in starts]


def spread(frames: Frames, o: WindowOptions) -> Frames:
    """Runs of neighbours among frames, spread over all of them, together no more than a window has."""
    if len(frames) <= o.frames:
        return frames
    starts = np.linspace(0, len(frames) - o.run, o.frames // o.run).astype(int)
    return frames[np.unique(starts[:, None] + np.arange(o.run))]


def _held(found: HandState, o: GripOptions) -> GripOptions:
    return replace(o, fit=replace(o.fit, shape=tuple(found.shape.tolist())))


def _at(state: HandState, frames: Frames) -> HandState:
    return replace(state, angles=state.angles[frames], frame_from_hand=state.frame_from_hand[frames])


def _gripped(grips: Sequence[Grip], frames: Frames) -> tuple[Grip, ...]:
    """Those grips that there are in some frames, of these frames."""
    return tuple(grip.at(frames) for grip in grips if grip.gripped[frames].any())


def _joined(parts: Sequence[tuple[Frames, HandState]]) -> HandState:
    """One state of those of the windows; where two overlap, each counts up to the middle."""
    pieces = []
    for k, (frames, state) in enumerate(parts):
        first = frames[0] if k == 0 else (parts[k - 1][0][-1] + 1 + frames[0]) // 2
        stop = frames[-1] + 1 if k + 1 == len(parts) else (frames[-1] + 1 + parts[k + 1][0][0]) // 2
        pieces.append(_at(state, np.arange(first, stop) - frames[0]))
    return HandState(
        parts[0][1].shape,
        np.concatenate([piece.angles for piece in pieces]),
        np.concatenate([piece.frame_from_hand for piece in pieces]),
        float(sum(state.cost for _, state in parts)),
    )
