"""Places of numbers that host and kernels share: none twice, none beyond the row."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from dexman_pose.pose.region import _layout
from dexman_pose.pose.region._layout import BINS, COLORS, SECTORS, Line, LineReport


@pytest.mark.parametrize("row", [Line, LineReport])
def test_every_number_of_a_row_has_its_place(row: Any) -> None:
    places = {name: place for name, place in vars(row).items() if name.isupper() and name != "SIZE"}
    assert sorted(places.values()) == list(range(row.SIZE))


def test_colours_and_sectors_fill_the_tables(shapes: Any) -> None:
    assert COLORS == BINS**3 and 256 % BINS == 0
    assert shapes.bin_of((0, 0, 0)) == 0 and shapes.bin_of((255, 255, 255)) == COLORS - 1
    assert shapes.table_of().shape == (SECTORS, COLORS)
    assert _layout.STEPS % 2 == 0  # half of them inwards


def test_a_report_counts_its_lines(scene: Any, shapes: Any) -> None:
    """Outline and hidden lines are counted apart: together they are all of the outline."""
    true = scene.pose_at((0.5, 0.4, 0.1), (0.0, 0.0, 0.35))
    image = scene.painted(scene.clutter(), scene.plain, true, scene.plain_color)
    hidden = np.zeros(image.shape[:2], np.bool_)
    hidden[:, :160] = True
    said = {}
    for told in (None, hidden):
        refiner = shapes.refiner_of(scene.plain, scene.camera)
        refiner.learn_at(true, image, told)
        said[told is not None] = refiner.solver.examine(true)
    seen, covered = said[False], said[True]
    assert seen[LineReport.HIDDEN] == 0 and covered[LineReport.HIDDEN] > 0
    assert covered[LineReport.OUTLINE] + covered[LineReport.HIDDEN] == seen[LineReport.OUTLINE]
    assert seen[LineReport.AGREE] > 0.95 * seen[LineReport.OUTLINE]
