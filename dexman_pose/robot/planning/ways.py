"""Two ways of coming to a grip and holding it: neither is the better one for all objects."""

from __future__ import annotations

from dataclasses import replace

from dexman_pose.robot.motion.fixed import FixedOptions
from dexman_pose.robot.planning.prepare import PrepareOptions


def ways(options: PrepareOptions | None = None) -> tuple[PrepareOptions, ...]:
    """The options given, and with plain grips: straight to what is touched, each tip pressing alike.

    With the first, hands go around objects, tips close along normals, and press as what they bear needs: boxes and mugs
    are held without a search. Thin and rounded things (scissors, a banana, a bottle) are held better by the second,
    found by search from motions that end nearer to them.
    """
    first = options or PrepareOptions()
    plain = replace(
        first, around=False, press=replace(first.press, along=False), grip=replace(first.grip, bear=None)
    )
    return (first,) if plain == first else (first, plain)


def fixed(options: PrepareOptions) -> PrepareOptions:
    """The options, with grasps that stay as they are while they hold."""
    return replace(options, fixed=options.fixed or FixedOptions())
