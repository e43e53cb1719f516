"""A hand that seems to be beneath the table is nearer than it seems."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from dexman_pose.data.world.table import TablePlane
from dexman_pose.interaction import fit_grips
from dexman_pose.interaction.above_table import no_flesh_below, sure_table, table_misfit
from dexman_pose.interaction.options import TableOptions
from dexman_pose.interaction.probes import RADII, probes

OPTIONS = TableOptions()


def _behind(joints: np.ndarray, gap: float, unsure: float = 0.002) -> TablePlane:
    """A table that faces the camera, so far behind the skin of a hand."""
    last = float((probes(joints)[..., 2] + RADII).max())
    return TablePlane([0.0, 0.0, -1.0], last + gap, np.diag([0.0, 0.0, 0.0, unsure**2]))


def test_what_is_above_the_table_is_left_as_it_is(grasp: Callable[..., Any]) -> None:
    joints = grasp(frames=4).joints
    table = _behind(joints, 0.001)
    assert not no_flesh_below(joints, table, OPTIONS).residuals(joints).any()
    np.testing.assert_array_equal(table_misfit(joints, table, np.array([-0.1, 0.0]), OPTIONS), 0.0)


def test_the_deeper_beneath_the_table_the_less_likely(grasp: Callable[..., Any]) -> None:
    joints = grasp(frames=4).joints
    misfit = table_misfit(joints, _behind(joints, 0.0), np.array([0.0, 0.03, 0.06, 1.0, 2.0]), OPTIONS)
    assert (np.diff(misfit) > 0).all() and (misfit < 0.5 * OPTIONS.reach**2).all()
    low = joints + [0.0, 0.0, 0.03]
    assert no_flesh_below(low, _behind(joints, 0.0), OPTIONS).residuals(low).min() < -2.0


def test_a_table_of_unsure_height_says_nothing(grasp: Callable[..., Any]) -> None:
    joints = grasp(frames=4).joints
    assert sure_table(_behind(joints, 0.0), joints, OPTIONS) is not None
    assert sure_table(_behind(joints, 0.0, unsure=2 * OPTIONS.unsure), joints, OPTIONS) is None
    assert sure_table(None, joints, OPTIONS) is None


def test_a_hand_that_holds_nothing_is_lifted_above_the_table(grasp: Callable[..., Any]) -> None:
    scene = grasp(carried=False)
    hands, things = {"right": scene.hand}, {"bar": scene.bar}
    table = _behind(scene.joints, 0.005)
    free = fit_grips(things, hands, scene.seen, scene.camera, scene.times)
    above = fit_grips(things, hands, scene.seen, scene.camera, scene.times, table=table)

    def lowest(joints: np.ndarray) -> float:
        return float((table.heights(probes(joints)) - RADII).min())

    def far(joints: np.ndarray) -> float:
        return float(np.median(np.linalg.norm(joints - scene.joints, axis=-1)))

    assert lowest(free.hands["right"].joints) < -0.05
    assert lowest(above.hands["right"].joints) > -0.015
    assert far(above.hands["right"].joints) < 0.5 * far(free.hands["right"].joints)
    assert above.report["right"]["fit"] == "picture"
