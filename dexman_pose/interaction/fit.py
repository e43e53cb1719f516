"""Hands and the objects they hold solved together over a clip.

The pictures of objects with known shape tell their poses to about a millimetre; a hand's distance is known to a tenth.
So such objects are the anchor and stay, hands move to where they touch them, and of the hands the picture keeps what
it tells: where joints are seen across the line of sight. A result that disagrees with the picture is given up. Objects
whose tracks tremble are no better known than hands: they are solved with what carries them, in turn with the hands.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np

from dexman_pose.arrays import Array
from dexman_pose.data.camera import Camera
from dexman_pose.data.tracks import HandObservations, HandTrack, RigidObject
from dexman_pose.data.world.table import TablePlane
from dexman_pose.interaction.above_table import sure_table
from dexman_pose.interaction.clip import Clip, GripFit, workers
from dexman_pose.interaction.hand_picture import HandPicture
from dexman_pose.interaction.one_hand import PicturedHand
from dexman_pose.interaction.options import GripOptions
from dexman_pose.interaction.placed import placed_hand
from dexman_pose.interaction.steady.steadied import SteadiedObjects
from dexman_pose.interaction.windows import picture_fit

__all__ = ["GripFit", "PicturedHand", "fit_grips", "fit_pictured", "fit_placed", "picture_hands"]

_SMALLEST_CLIP = 3  # frames: in fewer nothing moves


def picture_hands(
    hands: Mapping[str, HandTrack],
    observations: HandObservations,
    camera: Camera,
    frame_times: Array,
    options: GripOptions | None = None,
    *,
    beside: bool = True,
) -> dict[str, PicturedHand]:
    """Fit hands to their pictures, whatever they hold; those that are hardly seen are left out.

    Args:
        hands: by side, as lifted from ``observations``.
        observations: what a detector saw of them.
        camera: intrinsics, without a lens.
        frame_times: (T,) seconds.
        options: how.
        beside: each hand on a thread of its own, where there are cores for it.
    """
    o = options or GripOptions()
    times = np.asarray(frame_times, np.float64)
    seen = {side: track for side, track in hands.items() if track.valid.sum() >= _SMALLEST_CLIP}

    def pictured(track: HandTrack) -> PicturedHand:
        picture = HandPicture.of(track, observations, camera, times, o)
        return PicturedHand(picture, picture_fit(picture, o))

    with ThreadPoolExecutor(workers(len(seen)) if beside else 1) as both:  # hands know nothing of each other
        return dict(zip(seen, both.map(pictured, seen.values())))


def fit_grips(
    objects: Mapping[str, RigidObject],
    hands: Mapping[str, HandTrack],
    observations: HandObservations,
    camera: Camera,
    frame_times: Array,
    options: GripOptions | None = None,
    *,
    table: TablePlane | None = None,
    pictured: Mapping[str, PicturedHand] | None = None,
    fixed: Collection[str] = (),
) -> GripFit:
    """Solve hands together with the objects they hold.

    Args:
        objects: by name; those stay as they are whose tracks do not tremble.
        hands: by side, as lifted from ``observations``.
        observations: what a detector saw of them.
        camera: intrinsics, without a lens.
        frame_times: (T,) seconds.
        options: how.
        table: that hands are above of; None where it is not known.
        pictured: the hands as :func:`picture_hands` makes them of the same; None to do that here.
        fixed: names of objects that stay as they are, however their tracks tremble.
    """
    o = options or GripOptions()
    times = np.asarray(frame_times, np.float64)
    alone = picture_hands(hands, observations, camera, times, o) if pictured is None else pictured
    return fit_pictured(objects, hands, alone, times, o, table=table, fixed=fixed)


def fit_pictured(
    objects: Mapping[str, RigidObject],
    hands: Mapping[str, HandTrack],
    pictured: Mapping[str, PicturedHand],
    times: Array,
    o: GripOptions,
    *,
    table: TablePlane | None = None,
    fixed: Collection[str] = (),
) -> GripFit:
    """The same of hands that were fitted to what is seen of them; arguments as for :func:`fit_grips`."""
    known = {side: _on_table(hand, table, o) for side, hand in pictured.items()}
    steadied = SteadiedObjects(objects, times, table, o.steady, o.contact, fixed)
    if not steadied.trembling:
        return Clip(dict(objects), hands, known, times, o).fit()
    rough = replace(o, contact=replace(o.contact, skin_rounds=0))
    clip = Clip(steadied.alone(), hands, known, times, rough, steadied.trembling)
    found = GripFit(clip.objects, dict(hands), tuple(clip.handled()), {})
    for number in range(o.steady.rounds):
        things = steadied.carried(clip.objects, found.handled, clip.carriers(found))
        clip = replace(clip, objects=things, options=rough if number + 1 < o.steady.rounds else o)
        found = clip.fit()
    return found


def fit_placed(
    objects: Mapping[str, RigidObject],
    hands: Mapping[str, HandTrack],
    frame_times: Array,
    options: GripOptions | None = None,
    *,
    table: TablePlane | None = None,
    sigma: float | None = None,
) -> GripFit:
    """Solve hands whose joints were measured in space together with the objects they hold; as :func:`fit_grips`.

    Args:
        objects: by name; those stay as they are whose tracks do not tremble.
        hands: by side; bridged frames count less.
        frame_times: (T,) seconds.
        options: how.
        table: that hands are above of; None where it is not known.
        sigma: metres, standard deviation of a joint along an axis; left out, it is told by how much joints tremble.
    """
    o, times = options or GripOptions(), np.asarray(frame_times, np.float64)
    seen = {side: track for side, track in hands.items() if track.valid.sum() >= _SMALLEST_CLIP}
    pictured = {}
    for side, track in seen.items():
        picture = placed_hand(track, times, o, sigma=sigma)
        pictured[side] = PicturedHand(picture, picture_fit(picture, o))
    return fit_pictured(objects, hands, pictured, times, o, table=table)


def _on_table(hand: PicturedHand, table: TablePlane | None, o: GripOptions) -> PicturedHand:
    sure = sure_table(table, hand.picture.joints, o.table)
    return PicturedHand(replace(hand.picture, table=sure), hand.alone)
