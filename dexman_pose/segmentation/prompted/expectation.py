"""What poses that were followed beside a network say of its masks, frame by frame of one pass."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dexman_pose.arrays import Mask
from dexman_pose.data import OCCLUDER, Clip, MaskSequence, ObjectPrompt
from dexman_pose.errors import InputError
from dexman_pose.segmentation.prompted.options import AgainOptions


@dataclass
class _Judged:
    """One object.

    Attributes:
        area: of its outline at the prompt, 0 where mask and outline disagreed there already.
        unlike: frames in a row in which they disagree.
        since: frame in which it was shown again last.
        lost: whether its pose was not valid since they agreed last: where it is found again may be another thing.
    """

    area: int
    unlike: int = 0
    since: int | None = None
    lost: bool = False


@dataclass(frozen=True)
class Cover:
    """What may hide an object in a frame.

    Attributes:
        hands: (H, W) what hands cover.
        others: (H, W) where other objects are seen that have no outline there.
    """

    hands: Mask
    others: Mask


@dataclass(frozen=True)
class _Compared:
    """Pixels in both mask and outline, in either, and of the mask elsewhere."""

    both: int
    either: int
    elsewhere: int

    @property
    def overlap(self) -> float:
        """Intersection over union."""
        return self.both / self.either if self.either else 0.0


class Expectation:
    """Tells when a network should be shown an object again.

    Args:
        outlines: of the objects whose poses were followed; confidence 0 where a pose is not valid.
        options: when it disagrees.
    """

    def __init__(self, outlines: MaskSequence | None, options: AgainOptions) -> None:
        self._outlines, self._options = outlines, options
        self._judged: dict[str, _Judged] = {}

    @property
    def silent(self) -> bool:
        """Whether there is nothing to compare with."""
        return self._outlines is None

    def draws(self, name: str, index: int) -> bool:
        """Whether there is an outline of an object in a frame: those of others lack what it covers of them."""
        return self._outline(name, index) is not None

    def begin(self, name: str, index: int, mask: Mask, cover: Cover) -> None:
        """Compare what a network sees of an object where it is prompted: nothing is said later if that disagrees.

        Args:
            name: of the object.
            index: frame of its prompt.
            mask: (H, W) what the network sees of it.
            cover: what may hide it.
        """
        outline = self._outline(name, index)
        if outline is None or self._compared(index, mask, outline, cover).overlap < self._options.unlike:
            self._judged[name] = _Judged(0)
        else:
            self._judged[name] = _Judged(int(outline.sum()))

    def disagrees(self, name: str, index: int, mask: Mask, cover: Cover) -> bool:
        """Whether the object should be shown again in this frame; frames come in order, in either direction."""
        judged, o = self._judged.get(name), self._options
        if judged is None or not judged.area:
            return False
        outline = self._outline(name, index)
        least = o.shown * judged.area
        if outline is None or (outline & ~cover.hands).sum() < least:
            judged.unlike = 0
            judged.lost |= not self.trust(name, index)
            return False
        seen = self._compared(index, mask, outline, cover)
        # All else of it may be where another object is seen, and a pose that was found anew may be another thing's.
        if seen.either < least or (judged.lost and seen.overlap < o.unlike and seen.elsewhere >= least):
            judged.unlike = 0
            return False
        unlike = seen.overlap < o.unlike
        judged.lost &= unlike
        judged.unlike = judged.unlike + 1 if unlike else 0
        due = judged.since is None or abs(index - judged.since) >= o.apart
        if judged.unlike < o.patience or not due:
            return False
        judged.unlike, judged.since = 0, index
        return True

    def prompt(self, name: str, index: int, cover: Cover) -> ObjectPrompt:
        """The outline as a prompt, where :meth:`disagrees` said so: without what hides it.

        Others hide it as long as enough of it is left: one that is seen all over it may be its own mask gone astray.
        """
        outline = self._outline(name, index)
        assert outline is not None
        outline = outline & ~cover.hands
        alone = outline & ~cover.others
        enough = alone.sum() >= self._options.shown * self._judged[name].area
        return ObjectPrompt(mask=alone if enough else outline, frame=index)

    def trust(self, name: str, index: int) -> float:
        """How far the outline can be trusted, in [0, 1]."""
        assert self._outlines is not None
        return float(self._outlines.confidence[index, self._outlines.label_of(name) - 1])

    def _outline(self, name: str, index: int) -> Mask | None:
        if self._outlines is None or name not in self._outlines.names or not self.trust(name, index):
            return None
        mask = self._outlines.mask(index, name)
        return mask if mask.any() else None

    def _compared(self, index: int, mask: Mask, outline: Mask, cover: Cover) -> _Compared:
        """Mask and outline, of the pixels that would be seen."""
        assert self._outlines is not None
        seen = ~cover.hands & (self._outlines.labels(index) != OCCLUDER)
        seen &= mask | ~cover.others  # what the mask lacks of the outline is where another object is seen
        return _Compared(
            *(int((part & seen).sum()) for part in (mask & outline, mask | outline, mask & ~outline))
        )


def check_expected(clip: Clip, outlines: MaskSequence | None) -> None:
    """See that outlines fit a clip.

    Raises:
        InputError: they have another size or number of frames.
    """
    if outlines is None:
        return
    shape = (clip.num_frames, clip.height, clip.width)
    found = (outlines.num_frames, outlines.height, outlines.width)
    if found != shape:
        raise InputError(f"the expected masks are (T, H, W) = {found}, but the clip is {shape}")


def covered(masks: list[Mask], shape: tuple[int, int]) -> Mask:
    """(H, W) what any of them covers."""
    return np.logical_or.reduce(masks) if masks else np.zeros(shape, bool)
