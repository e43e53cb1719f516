"""How far a live tracker is behind its camera: an object and two hands in pictures that do not wait."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dexman_pose.data import Camera
from dexman_pose.errors import DexmanError
from dexman_pose.pose.live import LiveTracker
from dexman_pose.pose.tracking.live_verdict import LiveOptions
from dexman_pose.synthetic.demo.clip import SyntheticClip

RATE = 25.0
"""Pictures a second of the camera."""

AIM = 2.0
"""Pictures by which object and hands may be behind."""

_LEFT, _WIDTH = 180, 320  # columns of the demonstration that show tin and hand
_FIRST = 20  # its first picture in which the hand is in them
_DRAWN = 16  # pictures that are played to and fro
_WARM = 30  # pictures before the clock starts: kernels, networks, sides of the hands


@dataclass(frozen=True)
class LiveLag:
    """One measurement.

    Attributes:
        pictures: of the camera while it was measured.
        late: of them gave way to newer ones.
        rate: updates a second.
        object_behind: (U,) pictures by which the camera was ahead of each update's picture when the update was done.
        hands_behind: (U,) the same of the picture that the hands were of; of updates with two hands.
        two_hands: share of the updates that had two hands.
    """

    pictures: int
    late: int
    rate: float
    object_behind: NDArray[np.int64]
    hands_behind: NDArray[np.int64]
    two_hands: float


def measure_lag(
    tracker: LiveTracker,
    pictures: Sequence[NDArray[np.uint8]],
    count: int,
    *,
    rate: float = RATE,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> LiveLag:
    """Play pictures to and fro as a camera gives them, the newest one at a time, and note how far behind one is.

    Args:
        tracker: begun; it is not closed.
        pictures: (H, W, 3), two at least.
        count: of the camera's pictures.
        rate: of them a second.
        clock: seconds.
        sleep: waits for so many of them.
    """
    began, before = clock(), -1
    updates: list[int] = []
    objects: list[int] = []
    hands: list[int] = []
    while (now := int((clock() - began) * rate)) < count:
        if now == before:
            sleep(max(0.0, began + (now + 1) / rate - clock()))
            continue
        tracker.update(pictures[to_and_fro(now, len(pictures))], passed=now - before)
        updates.append(now)
        before = now
        shown = int((clock() - began) * rate)
        objects.append(shown - now)
        behind = tracker.hands_behind
        if len(tracker.hands) > 1 and behind is not None and behind < len(updates):
            hands.append(shown - updates[-1 - behind])
    took = max(clock() - began, 1e-9)
    return LiveLag(
        count,
        count - len(updates),
        len(updates) / took,
        np.array(objects, np.int64),
        np.array(hands, np.int64),
        len(hands) / max(len(updates), 1),
    )


def to_and_fro(index: int, count: int) -> int:
    """The place in a sequence of ``count`` that is played forwards and backwards without end."""
    turn = index % (2 * (count - 1))
    return min(turn, 2 * (count - 1) - turn)


def two_handed(count: int = _DRAWN) -> tuple[list[NDArray[np.uint8]], LiveTracker]:
    """Pictures of 640x480 in which a hand holds a tin, beside their mirror image, and a tracker that begins in them.

    Raises:
        MissingModelError: the weights of the hand detector are not on this machine.
        MissingExtraError: a package is missing.
    """
    clip = SyntheticClip()
    k = clip.camera.K.copy()
    k[0, 2] += _WIDTH - _LEFT
    tracker = LiveTracker(
        clip.mesh,
        Camera(k, 2 * _WIDTH, clip.height),
        start=clip.truth.camera_from_object[_FIRST],
        hands=True,
        options=LiveOptions(),
    )
    halves = [clip.frame(_FIRST + i)[:, _LEFT : _LEFT + _WIDTH] for i in range(count)]
    return [np.concatenate([half[:, ::-1], half], 1) for half in halves], tracker


def bench_lag(count: int = 250) -> LiveLag | None:
    """Measure on this machine as it is; None where the hand detector is not there."""
    try:
        pictures, tracker = two_handed()
    except DexmanError as error:
        if type(error).__name__.startswith("Missing"):
            return None
        raise
    with tracker:
        measure_lag(tracker, pictures, _WARM)
        return measure_lag(tracker, pictures, count)
