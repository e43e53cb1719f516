"""Terms of the reward, each a pure function of tensors: N environments, P points of the hands, O objects.

Rotations are matrices, lengths metres, angles radians. Every term can be computed by hand; the tests do.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dexman_pose.robot.learning.options import ContactReward, FollowReward, ImitationReward

if TYPE_CHECKING:
    from torch import Tensor

_TINY = 1e-9


def off_the_table(heights: Tensor, reference: Tensor, start: Tensor, least: float) -> Tensor:
    """Which objects are lifted, and shall be.

    Args:
        heights: (N, O) of the objects.
        reference: (N, O) where they should be.
        start: (O,) at the beginning.
        least: metres above the start.

    Returns:
        (N, O) bool.
    """
    return (heights > start + least) & (reference > start + least)


def touched_places(places: Tensor, turns: Tensor, of: Tensor, point: Tensor) -> Tensor:
    """Where in the world the points of objects are that hands shall touch; they move with the objects.

    Args:
        places: (N, O, 3) of the objects.
        turns: (N, O, 3, 3) world from object.
        of: (N, P) index of the object that each point of the hands touches.
        point: (N, P, 3) where, object frame.

    Returns:
        (N, P, 3).
    """
    rows = of[..., None].expand(*of.shape, 3)
    turn = turns.gather(1, rows[..., None].expand(*rows.shape, 3))
    place = places.gather(1, rows)
    return place + (turn @ point[..., None])[..., 0]


def facing(points: Tensor, pads: Tensor, aims: Tensor, near: float) -> Tensor:
    """How much the inner side of each point of a hand looks at what it shall touch: 1 towards it, 0 away from it.

    Args:
        points: (N, P, 3) of the hands.
        pads: (N, P, 3) unit directions out of their inner sides.
        aims: (N, P, 3) what they shall touch.
        near: metres over which the side stops to matter.

    Returns:
        (N, P) in [0, 1].
    """
    away = aims - points
    distance = away.norm(dim=-1)
    return (((pads * away).sum(-1) + near) / (distance + near + _TINY)).clamp(0.0, 1.0)


def contact_reward(
    points: Tensor, pads: Tensor, aims: Tensor, weight: Tensor, lifted: Tensor, options: ContactReward
) -> Tensor:
    """For points of the hands that are where the person's touched the objects, by their inner sides.

    Args:
        points: (N, P, 3) of the hands.
        pads: (N, P, 3) unit directions out of their inner sides.
        aims: (N, P, 3) of :func:`touched_places`.
        weight: (N, P) of each point; 0 where nothing is to be touched.
        lifted: (N, P) whether the object of each is off the table.
        options: settings.

    Returns:
        (N,).
    """
    near = (-options.sharpness * ((points - aims) ** 2).sum(-1)).exp()
    factor = options.always + options.lifted * lifted.to(near.dtype)
    return (weight * near * facing(points, pads, aims, options.near) * factor).sum(-1)


def follow_reward(distance: Tensor, angle: Tensor, lifted: Tensor, options: FollowReward) -> Tensor:
    """For objects that are where they should be: the mean over objects.

    Args:
        distance: (N, O) metres from the reference.
        angle: (N, O) radians from it.
        lifted: (N, O) of :func:`off_the_table`.
        options: settings.

    Returns:
        (N,).
    """
    at = options.position * (-options.position_sharpness * distance).exp()
    turned = options.rotation * (-options.rotation_sharpness * angle).exp()
    factor = options.always + options.lifted * lifted.to(at.dtype)
    return (factor * (at + turned)).mean(-1)


def imitation_reward(slides: Tensor, hinges: Tensor, fingers: Tensor, options: ImitationReward) -> Tensor:
    """For hands that move as the retargeted ones: the mean over hands.

    Args:
        slides: (N, H, 3) metres from the retargeted place.
        hinges: (N, H, 3) radians.
        fingers: (N, H, J) radians of the fingers' joints.
        options: settings.

    Returns:
        (N,).
    """
    terms = (
        (-options.position_sharpness * slides.norm(dim=-1)).exp()
        + (-options.rotation_sharpness * hinges.norm(dim=-1)).exp()
        + (-options.finger_sharpness * fingers.abs().mean(-1)).exp()
    )
    return (options.weight * terms).mean(-1)
