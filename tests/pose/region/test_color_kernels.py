"""Colours of both sides are told apart, sector by sector, and old ones are forgotten as fast as was asked for."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dexman_pose.pose.region._layout import COLORS, SECTORS
from dexman_pose.pose.region.options import ColorModelOptions, RegionOptions
from dexman_pose.pose.region.window import window_around

POSE = ((0.1, 0.2, 0.3), (0.0, 0.0, 0.22))
LEFT, RIGHT, OTHER = (30, 200, 30), (30, 30, 200), (250, 250, 250)


class Learner:
    """A ball whose colours are learnt in pictures made by hand."""

    def __init__(self, shapes: Any, **colors: float) -> None:
        self.shapes, self.mesh, self.pose = shapes, shapes.ball(), shapes.pose_at(*POSE)
        options = RegionOptions(colors=replace(ColorModelOptions(), **colors))  # type: ignore[arg-type]
        self.solver = shapes.solver_of(self.mesh, options)
        self.window = window_around(self.mesh.vertices, self.pose, shapes.camera, options.window)

    def learn(self, image: NDArray[np.uint8], rate: float, hidden: Any = None) -> NDArray[np.float32]:
        self.solver.look_at(self.window, image, hidden)
        self.solver.examine(self.pose)
        self.solver.learn(rate)
        table: NDArray[np.float32] = self.solver._host["table"].reshape(SECTORS, COLORS).copy()
        return table

    def picture(self, **colors: Any) -> NDArray[np.uint8]:
        image: NDArray[np.uint8] = self.shapes.picture_of(self.mesh, self.pose, **colors)
        return image


def test_log_odds_have_the_right_signs_and_unseen_colours_say_nothing(shapes: Any) -> None:
    learner = Learner(shapes)
    table = learner.learn(learner.picture(), 1.0)
    assert (table[:, shapes.bin_of(shapes.object_color)] > 3.0).all()
    assert (table[:, shapes.bin_of(shapes.ground_color)] < -3.0).all()
    seen = [shapes.bin_of(shapes.object_color), shapes.bin_of(shapes.ground_color)]
    assert np.count_nonzero(np.delete(table, seen, axis=1)) == 0
    same = learner.learn(learner.picture(color=(9, 9, 9), ground=(9, 9, 9)), 1.0)
    np.testing.assert_allclose(same[:, shapes.bin_of((9, 9, 9))], 0.0, atol=1e-3)


def test_sectors_know_their_own_side(shapes: Any) -> None:
    x = np.arange(shapes.camera.width)

    def picture(learner: Learner) -> NDArray[np.uint8]:
        left = (x < shapes.camera.width / 2)[None, :, None]
        ground = np.where(left, np.uint8(LEFT), np.uint8(RIGHT))
        shown = learner.picture(color=OTHER, ground=(0, 0, 0))
        return np.where((shown == 255 - 5).all(-1, keepdims=True), shown, ground).astype(np.uint8)

    local = Learner(shapes, local=1.0)
    table = local.learn(picture(local), 1.0)
    east, west = 0, SECTORS // 2  # directions to the right and to the left
    assert table[east, shapes.bin_of(RIGHT)] < -3.0
    assert table[west, shapes.bin_of(LEFT)] < -3.0
    assert table[east, shapes.bin_of(LEFT)] == table[west, shapes.bin_of(RIGHT)] == 0.0
    everywhere = Learner(shapes, local=0.0)
    table = everywhere.learn(picture(everywhere), 1.0)
    assert (table == table[0]).all()
    assert table[0, shapes.bin_of(RIGHT)] < -3.0 > table[0, shapes.bin_of(LEFT)]


def test_a_rate_of_one_forgets_and_a_small_one_keeps(shapes: Any) -> None:
    learner = Learner(shapes)
    old = shapes.bin_of(shapes.object_color)
    learner.learn(learner.picture(), 1.0)
    other = learner.picture(color=(20, 220, 220), ground=(240, 20, 240))
    kept = learner.learn(other, 0.2)
    assert (kept[:, old] > 3.0).all()
    assert (kept[:, shapes.bin_of((20, 220, 220))] > 1.0).all()
    assert (learner.learn(other, 1.0)[:, old] == 0.0).all()


def test_beginning_anew_forgets_the_sectors_that_are_hidden_now(shapes: Any) -> None:
    learner = Learner(shapes, local=1.0)
    learner.learn(learner.picture(), 1.0)
    hidden = np.zeros((shapes.camera.height, shapes.camera.width), bool)
    hidden[:, : shapes.camera.width // 2] = True
    table = learner.learn(learner.picture(color=(20, 220, 220), ground=(240, 20, 240)), 1.0, hidden)
    assert (table[:, shapes.bin_of(shapes.object_color)] == 0.0).all()
    everything = np.ones_like(hidden)
    assert not learner.learn(learner.picture(), 1.0, everything).any()


def test_counts_are_empty_afterwards_and_hidden_pixels_are_not_counted(shapes: Any) -> None:
    learner = Learner(shapes)
    learner.learn(learner.picture(), 1.0)
    assert not learner.solver._host["counts"].any()
    assert not learner.solver._host["totals"].any()
    image = learner.picture()
    hidden = np.zeros(image.shape[:2], bool)
    hidden[60:70] = True
    image[60:70] = (130, 10, 130)
    table = learner.learn(image, 1.0, hidden)
    assert (table[:, shapes.bin_of((130, 10, 130))] == 0.0).all()
    assert (learner.learn(image, 1.0)[:, shapes.bin_of((130, 10, 130))] != 0.0).any()
