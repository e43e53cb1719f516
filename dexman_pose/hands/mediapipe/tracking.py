"""From frame to frame: follow every hand that was seen, look for new ones, drop doubles. No identities here.

The result is a list of tracklets, each one physical hand followed without a doubt; :mod:`dexman_pose.hands.identity`
joins them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from dexman_pose.arrays import Array
from dexman_pose.hands.mediapipe import roi as regions
from dexman_pose.hands.mediapipe.landmarks import Sighting
from dexman_pose.hands.mediapipe.palm import Palms, iou
from dexman_pose.hands.mediapipe.palms_ahead import PalmsAhead
from dexman_pose.hands.mediapipe.roi import Roi

Image = NDArray[np.uint8]

MIN_PRESENCE = 0.5
# A doubtful palm is looked at, too, and taken when the landmark network is sure.
MIN_PALM = 0.1
SURE_PALM = 0.5
SURE_PRESENCE = 0.8
# At most this many new palms are looked at per frame, and one that proved to be no hand not again for some frames.
LOOKS = 3
FORGET = 5
# A lost hand is looked for where it was last seen during this many frames.
PATIENCE = 8
# A hand that lands farther than this many palm lengths from where it was expected is another hand.
MAX_JUMP = 1.0
# A crop this much off (in its own size) is taken again around what it showed: fast hands leave the square.
RECENTRE = 0.12
MAX_TRACKS = 4
# Palms nearer than this, in palm lengths, are one palm. Two hands in each other are rarer than one seen twice.
SAME_CENTRE = 0.45
SAME_BOX = 0.7
# While two hands are followed surely, new ones are looked for only every so many frames.
PALM_EVERY = 3
# The same while one is, and no other has been seen for so many frames; one that comes is followed back.
ALONE = 30


@dataclass(eq=False)
class Tracklet:
    """One hand followed through neighbouring frames.

    Attributes:
        seen: what was seen, by frame index.
        palms: frames in which the palm network saw it, too.
        first: index of the earliest frame.
        last: index of the latest frame.
    """

    seen: dict[int, Sighting]
    palms: set[int] = field(default_factory=set)
    first: int = field(init=False)
    last: int = field(init=False)
    _right: float = field(init=False)

    def __post_init__(self) -> None:
        self.first, self.last = min(self.seen), max(self.seen)
        self._right = sum(s.right for s in self.seen.values())

    def add(self, frame: int, sighting: Sighting) -> None:
        """Note what was seen in a frame before the first or after the last one."""
        self.seen[frame] = sighting
        self.first, self.last = min(self.first, frame), max(self.last, frame)
        self._right += sighting.right

    def forget(self, before: int) -> None:
        """Drop what was seen before a frame, but for the latest sighting."""
        for frame in [f for f in self.seen if f < before and f != self.last]:
            self._right -= self.seen.pop(frame).right
            self.palms.discard(frame)
        self.first = min(self.seen)

    def mean_right(self) -> float:
        """Mean probability of being a right hand."""
        return self._right / len(self.seen)


@dataclass(eq=False)
class Detectors:
    """The two networks as functions: palms of an image, and the hands in regions of it."""

    palms: Callable[[Image, float], Palms]
    landmarks: Callable[[Image, Sequence[Roi]], list[Sighting]]


def centre(joints: Array) -> Array:
    """Middle of the palm (2,): wrist and knuckles of a hand (21, 2)."""
    middle: Array = joints[[0, 5, 9, 13, 17]].mean(0)
    return middle


def expected_roi(tracklet: Tracklet, frame: int, step: int) -> Roi:
    """Where the hand should be in ``frame``: its last region, moved by its last motion if that is fresh."""
    latest = tracklet.last if step > 0 else tracklet.first
    now = tracklet.seen[latest].joints
    before = tracklet.seen.get(latest - step)
    fresh = before is not None and latest == frame - step
    dx, dy = centre(now) - centre(before.joints) if before is not None and fresh else np.zeros(2)
    return regions.from_landmarks(now).shifted(float(dx), float(dy))


def look(detectors: Detectors, image: Image, rois: Sequence[Roi]) -> list[Sighting | None]:
    """The hand in each region, looked at twice where the first look shows that the region was badly placed."""
    found: list[Sighting | None] = []
    misplaced: dict[int, Roi] = {}
    for i, (roi, seen) in enumerate(zip(rois, detectors.landmarks(image, rois))):
        found.append(seen if seen.presence >= MIN_PRESENCE else None)
        better = regions.from_landmarks(seen.joints)
        if found[i] is not None and np.hypot(better.x - roi.x, better.y - roi.y) > RECENTRE * roi.size:
            misplaced[i] = better
    for i, again in zip(misplaced, detectors.landmarks(image, list(misplaced.values()))):
        if again.presence >= MIN_PRESENCE:
            found[i] = again
    return found


def same_hand(a: Array, b: Array) -> bool:
    """Whether two sets of joints (21, 2) lie on one hand: ten joints, the palms' middles or the boxes coincide.

    The boxes matter when a half hidden hand is read in two different ways.
    """
    size = max(float(regions.hand_size(a)), float(regions.hand_size(b)))
    near = int((np.linalg.norm(a - b, axis=-1) < 0.2 * size).sum())
    apart = float(np.linalg.norm(centre(a) - centre(b)))
    return near >= 10 or apart < SAME_CENTRE * size or box_overlap(a, b) > SAME_BOX


def box_overlap(a: Array, b: Array) -> float:
    """Share of the smaller of the boxes around two sets of joints (21, 2) that lies in the other one."""
    low, high = np.maximum(a.min(0), b.min(0)), np.minimum(a.max(0), b.max(0))
    shared = np.prod(np.maximum(high - low, 0.0))
    smaller = min(np.prod(np.ptp(a, axis=0)), np.prod(np.ptp(b, axis=0)))
    return float(shared / max(smaller, 1e-9))


def follow(
    detectors: Detectors, image: Image, frame: int, step: int, active: list[Tracklet]
) -> list[tuple[Tracklet, Sighting]]:
    """Where the active tracklets are in this frame; those that are lost are left out."""
    found: list[tuple[Tracklet, Sighting, float]] = []
    rois = [expected_roi(tracklet, frame, step) for tracklet in active]
    for tracklet, roi, seen in zip(active, rois, look(detectors, image, rois)):
        if seen is None:
            continue
        latest = tracklet.seen[tracklet.last if step > 0 else tracklet.first].joints
        jump = _jump(latest, roi, seen.joints)
        if jump <= MAX_JUMP:
            found.append((tracklet, seen, jump))
    return _without_doubles(found)


def _jump(latest: Array, expected: Roi, now: Array) -> float:
    """Palm lengths between a hand and where it was last or was expected, whichever is nearer."""
    was, is_now = regions.from_landmarks(latest), regions.from_landmarks(now)
    distance = min(
        np.hypot(is_now.x - expected.x, is_now.y - expected.y), np.hypot(is_now.x - was.x, is_now.y - was.y)
    )
    return float(distance / max(float(regions.hand_size(latest)), 1.0))


def _without_doubles(found: list[tuple[Tracklet, Sighting, float]]) -> list[tuple[Tracklet, Sighting]]:
    """Of two tracklets that ended on one hand, the one whose side and motion fit it stays."""

    def misfit(item: tuple[Tracklet, Sighting, float]) -> float:
        tracklet, seen, jump = item
        return 2.0 * abs(tracklet.mean_right() - seen.right) + jump - 0.002 * min(len(tracklet.seen), 100)

    kept: list[tuple[Tracklet, Sighting]] = []
    for tracklet, seen, _ in sorted(found, key=misfit):
        if not any(same_hand(seen.joints, other.joints) for _, other in kept):
            kept.append((tracklet, seen))
    return kept


class Searcher:
    """Detects hands that are not tracked yet, and remembers recent false detections."""

    def __init__(self, detectors: Detectors) -> None:
        self._detectors = detectors
        self._no_hands: list[tuple[int, Array]] = []

    def __call__(self, image: Image, frame: int, active: list[Tracklet]) -> list[Tracklet]:
        """New tracklets of this frame; palms that belong to ``active`` ones (seen in it) are noted there."""
        new: list[Tracklet] = []
        self._no_hands = [(f, box) for f, box in self._no_hands if frame - f <= FORGET]
        looks = 0
        palms = self._detectors.palms(image, MIN_PALM)
        for box, points, score in zip(palms.boxes, palms.keypoints, palms.scores):
            owner = _covered_by(box, [*active, *new], frame)
            if owner is not None:
                owner.palms.add(frame)
            elif looks < LOOKS and len(active) + len(new) < MAX_TRACKS and not self._known(box):
                looks += 1
                seen = self._verified(image, box, points, float(score))
                if seen is None:
                    self._no_hands.append((frame, box))
                elif not any(same_hand(seen.joints, t.seen[frame].joints) for t in [*active, *new]):
                    new.append(Tracklet({frame: seen}, {frame}))
        return new

    def _known(self, box: Array) -> bool:
        return any(iou(box, other[None])[0] > 0.7 for _, other in self._no_hands)

    def _verified(self, image: Image, box: Array, points: Array, score: float) -> Sighting | None:
        """The hand at a palm; after a doubtful palm only one the landmark network is sure of."""
        (seen,) = look(self._detectors, image, [regions.from_palm(box, points)])
        doubtful = seen is not None and score < SURE_PALM and seen.presence < SURE_PRESENCE
        return None if doubtful else seen


def _covered_by(box: Array, tracklets: list[Tracklet], frame: int) -> Tracklet | None:
    """The tracklet whose palm in this frame is the palm in the box (4,), if there is one."""
    middle = (box[:2] + box[2:]) / 2
    for tracklet in tracklets:
        joints = tracklet.seen[frame].joints
        # The palm network's box is centred between wrist and knuckles and nearly a palm wide.
        if np.linalg.norm(centre(joints) - middle) < 0.5 * float(regions.hand_size(joints)):
            return tracklet
    return None


class Follower:
    """Follows hands forwards, one frame at a time, and finds those that appear.

    Attributes:
        alive: hands seen lately, those seen in the last frame among them.

    Args:
        detectors: the networks.
        palms: looked for ahead, or None.
        enough: hands followed surely from which on new ones are looked for only every so many frames.
    """

    def __init__(self, detectors: Detectors, palms: PalmsAhead | None = None, *, enough: int = 2) -> None:
        self.alive: list[Tracklet] = []
        self._enough, self._others = enough, -1
        self._detectors, self._ahead = detectors, palms
        self._search = Searcher(detectors if palms is None else replace(detectors, palms=palms))

    def step(self, index: int, image: Image) -> list[Tracklet]:
        """Note what the next frame, an RGB image, shows; returns the hands that are new in it."""
        self.alive = [t for t in self.alive if t.last >= index - PATIENCE][-MAX_TRACKS:]
        followed = follow(self._detectors, image, index, 1, self.alive)
        for tracklet, sighting in followed:
            tracklet.add(index, sighting)
        if self._others < 0 or len(self.alive) != 1:
            self._others = index  # none or several: there may be more
        enough = self._enough if index - self._others <= ALONE else 1
        sure = sum(sighting.presence > SURE_PRESENCE for _, sighting in followed) >= enough
        if self._ahead is not None:
            self._ahead.often = not sure
        if sure and index % PALM_EVERY:
            return []
        new = self._search(image, index, [tracklet for tracklet, _ in followed])
        self.alive += new
        return new


def track_forward(frames: Iterable[tuple[int, Image]], detectors: Detectors) -> list[Tracklet]:
    """Tracklets of all hands in frames (index, RGB image), in order of appearance.

    Palms are looked for beside the hands, on a thread of their own, in the next frame that will need it.
    """
    palms = PalmsAhead(detectors.palms, lambda index: index % PALM_EVERY == 0)
    follower = Follower(detectors, palms)
    with palms:
        return [new for index, image in palms.frames(frames, MIN_PALM) for new in follower.step(index, image)]


def track_backward(
    frames_before: Callable[[int], Iterable[tuple[int, Image]]],
    detectors: Detectors,
    tracklets: list[Tracklet],
) -> None:
    """Extend tracklets back in time, in place, until each is lost or meets another one.

    A hand is often found late, when it opens or turns; followed backwards it is seen before that, too.

    Args:
        frames_before: frames (index, RGB image) before a given one, in reverse order, read as they are asked for.
        detectors: the networks.
        tracklets: as tracked forward.
    """
    reached = max((t.last for t in tracklets), default=0) + 1
    for start in sorted({t.first for t in tracklets}, reverse=True):
        others = sum(t.first < start <= t.last + 1 for t in tracklets)
        if 0 < start <= reached and others < 2:
            reached = _extend_back(frames_before(start), detectors, tracklets)


def _extend_back(frames: Iterable[tuple[int, Image]], detectors: Detectors, tracklets: list[Tracklet]) -> int:
    """Go back while some tracklet is followed; returns the frame that was reached."""
    met: set[int] = set()
    index = 0
    for index, image in frames:
        active = [t for t in tracklets if index < t.first <= index + PATIENCE and id(t) not in met]
        if not active:
            break
        others = [t.seen[index].joints for t in tracklets if index in t.seen]
        for tracklet, sighting in follow(detectors, image, index, -1, active):
            if any(same_hand(sighting.joints, joints) for joints in others):
                met.add(id(tracklet))
            else:
                tracklet.add(index, sighting)
    return index
