"""Words on the command line: ``ladle, red bowl``, with ``@FRAME`` behind where they are not of the first frame."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from dexman_pose.errors import InputError

if TYPE_CHECKING:
    from dexman_pose.data import ObjectPrompt


def words_of(option: str) -> tuple[list[str], int]:
    """The words and the frame of an ``--objects`` option.

    Raises:
        InputError: no words, or a frame that is no number.
    """
    text, at, frame = option.partition("@")
    words = [word.strip() for word in text.split(",") if word.strip()]
    if not words or (at and not frame.strip().isdigit()):
        raise InputError(f"--objects must be words as in 'ladle, red bowl' or 'ladle@12', but got {option!r}")
    return words, int(frame) if at else 0


def prompts_of_words(option: str, video: str, known: Sequence[str]) -> dict[str, ObjectPrompt]:
    """Boxes that a network finds for the words of an ``--objects`` option; each is said on standard error.

    Args:
        option: as on the command line.
        video: file or folder.
        known: names of objects that have a box already.

    Raises:
        InputError: an option of another form, or a word for what has a box.
        MissingModelError: the network is not on this machine; the message holds the command that fetches it.
        EstimationError: nothing was found for a word.
    """
    words, frame = words_of(option)
    twice = sorted(set(words) & set(known))
    if twice:
        raise InputError(f"--objects {twice[0]}: there is a box for {twice[0]!r} too; give it once")
    from dexman_pose.pipeline.inputs import open_clip
    from dexman_pose.segmentation.words import find_by_words

    found = find_by_words(open_clip(video), words, frame=frame)
    for name, one in found.items():
        assert one.prompt.box is not None
        box = ",".join(f"{x:.0f}" for x in one.prompt.box)
        print(
            f"found {name} in frame {frame}: --box '{name}={box}@{frame}' (score {one.score:.2f})",
            file=sys.stderr,
        )
    return {name: one.prompt for name, one in found.items()}
