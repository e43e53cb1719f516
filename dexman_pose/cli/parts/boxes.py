"""Boxes on the command line: ``cup=x0,y0,x1,y1``, with ``@FRAME`` behind where it is not the first frame."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from dexman_pose.errors import InputError

if TYPE_CHECKING:
    from dexman_pose.data import ObjectPrompt

SHAPE = "NAME=X0,Y0,X1,Y1[@FRAME]"


def prompts_of_boxes(options: Sequence[str]) -> dict[str, ObjectPrompt]:
    """Prompts of ``--box`` options, in their order.

    Raises:
        InputError: an option of another form, a box without an inside, or two of one name.
    """
    from dexman_pose.data import ObjectPrompt

    out: dict[str, ObjectPrompt] = {}
    for option in options:
        name, _, rest = option.partition("=")
        numbers, at, frame = rest.partition("@")
        if name in out:
            raise InputError(f"--box {option}: there are two boxes for {name!r}; give one for each object")
        try:
            box = [float(number) for number in numbers.split(",")]
            index = int(frame) if at else 0
        except ValueError:
            box, index = [], 0
        if not name or len(box) != 4:
            raise InputError(
                f"--box must be {SHAPE} in pixels, as in cup=387,258,483,409, but got {option!r}"
            )
        try:
            out[name] = ObjectPrompt(box=box, frame=index)
        except InputError as error:
            raise InputError(f"--box {option}: {error}") from error
    return out
