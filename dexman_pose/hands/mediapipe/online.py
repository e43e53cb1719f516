"""The default hand detector picture by picture: nothing is known of later ones."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dexman_pose.data.model_store import locate
from dexman_pose.data.tracks import SIDES
from dexman_pose.hands.identity import assign_sides
from dexman_pose.hands.live import LiveHand
from dexman_pose.hands.mediapipe.backend import MODEL
from dexman_pose.hands.mediapipe.landmarks import LandmarkDetector
from dexman_pose.hands.mediapipe.network import load_bundle
from dexman_pose.hands.mediapipe.palm import PalmDetector
from dexman_pose.hands.mediapipe.tracking import Detectors, Follower, Tracklet

MEMORY = 60
"""Frames that sides are told from; older ones are forgotten."""
RECONSIDERED = 10
"""Frames between two decisions on sides that are settled."""
UNSETTLED = 3
"""The same where some hand has no side: it may never get one, and a decision takes as long as a network."""
ENOUGH = 1
"""Hands followed surely from which on new ones are not looked for in every picture: each search is time that the hands
in sight lag behind, and nothing is lost by finding the second hand two pictures later."""


class OnlineHands:
    """The two hands of a person, picture by picture. Not to be shared between threads.

    The same networks and the same following of hands as in :func:`dexman_pose.hands.detect_hands`; what looks back or
    ahead is left out: gaps are not bridged, jitter is not taken off, and a new hand needs a few pictures until it is
    told whose it is.

    Args:
        detectors: the networks.
    """

    def __init__(self, detectors: Detectors) -> None:
        self._follower = Follower(detectors, enough=ENOUGH)
        self._known: list[Tracklet] = []
        self._sides: list[int] = []
        self._count = -1

    @classmethod
    def open(cls, model: str | Path | None = None, *, threads: int = 1) -> OnlineHands:
        """With MediaPipe's networks.

        Args:
            model: a ``hand_landmarker.task`` bundle; None takes the one in the model store.
            threads: CPU threads per network.

        Raises:
            MissingModelError: the weights are not on this machine.
            MissingExtraError: a package is missing.
            InputError: the file is no such bundle.
        """
        networks = load_bundle(locate(MODEL) if model is None else model, threads=threads)
        landmarks = LandmarkDetector(networks.landmark, networks.landmarks)
        return cls(Detectors(PalmDetector(networks.palm), landmarks))

    def __call__(self, index: int, image: NDArray[np.uint8]) -> dict[str, LiveHand]:
        """The hands by side in the next picture (H, W, 3) RGB; indices grow, and may leave some out."""
        self._count += (
            1  # hands move on from one picture that is looked at to the next, however many lie between
        )
        now = self._count
        new = self._follower.step(now, image)
        kept = [t.last >= now - MEMORY for t in self._known]
        pause = UNSETTLED if -1 in self._sides else RECONSIDERED
        if new or not all(kept) or now % pause == 0:
            self._known = [*(t for t, k in zip(self._known, kept) if k), *new]
            for tracklet in self._known:
                tracklet.forget(now - MEMORY)
            self._sides = assign_sides(self._known)
        return self._seen(now, index)

    def _seen(self, now: int, index: int) -> dict[str, LiveHand]:
        out: dict[str, LiveHand] = {}
        for tracklet, side in zip(self._known, self._sides):
            if side < 0 or tracklet.last != now:
                continue
            seen, name = tracklet.seen[now], SIDES[side]
            if name not in out or seen.presence > out[name].score:
                out[name] = LiveHand(name, seen.joints, seen.local, min(seen.presence, 1.0), index)
        return out
