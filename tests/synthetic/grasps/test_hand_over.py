"""Handing over: the second hand is the first one's mirror image, and holds what it has taken."""

from __future__ import annotations

import numpy as np

from dexman_pose.geometry.se3 import inverse, transform_points
from dexman_pose.synthetic.grasps.hand_over import HandOverOptions, hand_over
from dexman_pose.synthetic.grasps.placed import PlacedGrasp
from dexman_pose.synthetic.grasps.view import joints_in_world

ALWAYS = HandOverOptions(alike=1.0, apart=-1.0)


def test_a_thing_goes_from_hand_to_hand(placed: PlacedGrasp) -> None:
    scene = hand_over(placed, np.random.default_rng(0), options=ALWAYS)
    assert scene is not None and scene.kind == "hand_over"
    assert [h.side for h in scene.hands] == ["right", "left"] and len(scene.objects) == 1
    first, second = scene.held[:, 0]
    assert (
        first[placed.num_frames - 1]
        and not first[-1]
        and second[-1]
        and not second[: placed.num_frames].any()
    )
    objects = scene.objects[0].world_from_object
    assert first.shape == second.shape == (len(objects),)
    for hand, held in zip(scene.hands, (first, second)):
        if hand.side == "left":  # the first hand shifts its grip a little, as it was measured
            own = (inverse(objects) @ hand.world_from_hand)[held]
            np.testing.assert_allclose(own, np.tile(own[:1], (len(own), 1, 1)), atol=1e-9)
    steps = np.linalg.norm(np.diff(objects[:, :3, 3], axis=0), axis=1)
    assert (
        steps.max() < 0.05 and np.linalg.norm(objects[-1, :2, 3] - placed.world_from_object[-1, :2, 3]) > 0.1
    )


def test_both_hands_hold_it_as_in_a_mirror(placed: PlacedGrasp) -> None:
    scene = hand_over(placed, np.random.default_rng(0), options=ALWAYS)
    assert scene is not None
    t = int(np.argmax(scene.held[1, 0])) - 1  # both have closed
    inside = inverse(scene.objects[0].world_from_object[t])
    one, other = (transform_points(inside, joints_in_world(scene, k)[t]) for k in (0, 1))
    middle = placed.mesh.center
    images = [(one - middle) * np.where(np.arange(3) == axis, -1.0, 1.0) + middle for axis in range(3)]
    assert min(np.abs(image - other).max() for image in images) < 1e-9


def test_what_has_no_mirror_is_not_handed_over(placed: PlacedGrasp) -> None:
    assert hand_over(placed, np.random.default_rng(0), options=HandOverOptions(alike=-1.0)) is None
    assert hand_over(placed, np.random.default_rng(0), options=HandOverOptions(apart=9.0)) is None
