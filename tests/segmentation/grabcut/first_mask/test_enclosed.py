"""What goes on beyond a box is not the object in it."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from dexman_pose.data import Clip, ObjectPrompt
from dexman_pose.segmentation import segment_clip
from dexman_pose.segmentation.grabcut.color import to_lab
from dexman_pose.segmentation.grabcut.first_mask.enclosed import barriers, enclosed_log_odds
from dexman_pose.segmentation.grabcut.model_options import EnclosedOptions

OPTIONS = EnclosedOptions()
PLAIN = EnclosedOptions(blur=0.3, lightness=1.0)


def picture() -> tuple[NDArray[np.uint8], NDArray[np.bool_], NDArray[np.bool_]]:
    """A red bar on yellow paper that reaches out of the box on one side only; the box's mask; the bar's."""
    rgb = np.full((120, 160, 3), (90, 110, 100), np.uint8)
    rgb[30:90, 50:160] = (230, 200, 80)
    bar = np.zeros((120, 160), np.bool_)
    bar[55:65, 40:110] = True
    rgb[bar] = (190, 40, 35)
    noise = np.random.default_rng(0).normal(0, 2, rgb.shape)
    rgb = np.clip(rgb + noise, 0, 255).astype(np.uint8)
    box = np.zeros((120, 160), np.bool_)
    box[26:94, 36:114] = True
    return rgb, box, bar


def test_a_barrier_is_the_least_span_of_colours_on_the_way_out() -> None:
    lab = np.full((9, 9, 3), 100, np.uint8)
    lab[2:7, 2:7, 0] = 130  # a wall ...
    lab[3:6, 3:6, 0] = 105  # ... around a court ...
    lab[4, 5:7, 0] = 110  # ... with a gate
    allowed = np.zeros((9, 9), np.bool_)
    allowed[1:8, 1:8] = True
    found = barriers(lab, allowed, PLAIN)
    assert found[1, 1] == 0.0 and found[0, 0] == 0.0
    assert found[2, 2] == pytest.approx(30.0, abs=0.5)
    assert found[4, 4] == pytest.approx(10.0, abs=0.5)
    assert found[3, 3] == pytest.approx(10.0, abs=0.5)


def test_ways_that_wind_are_found() -> None:
    """A spiral: each way out turns several times."""
    lab = np.full((41, 41, 3), 200, np.uint8)
    allowed = np.zeros((41, 41), np.bool_)
    allowed[2:39, 2:39] = True
    y, x, length = 3, 3, 35
    dy, dx = 0, 1
    lab[0:4, 3] = 100
    for turn in range(9):
        for _ in range(length - 1):
            lab[y, x] = 100
            y, x = y + dy, x + dx
        lab[y, x] = 100
        dy, dx = dx, -dy
        length -= 4 if turn % 2 else 0
    lab[4:6, 3] = 200
    found = barriers(lab, allowed, EnclosedOptions(blur=0.2, lightness=1.0, sweeps=40))
    few = barriers(lab, allowed, EnclosedOptions(blur=0.2, lightness=1.0, sweeps=2))
    assert found[y, x] < 1.0
    assert few[y, x] > found[y, x]


def test_what_goes_on_beyond_the_box_is_not_the_object() -> None:
    rgb, box, bar = picture()
    odds = enclosed_log_odds(to_lab(rgb), box, OPTIONS)
    inner = cv2.erode(bar.astype(np.uint8), np.ones((5, 5))) > 0
    assert odds[inner].min() == 0.0
    assert np.median(odds[box & ~bar]) < -0.8


def test_the_paper_below_an_object_is_not_taken_for_it() -> None:
    """Most of the box is paper, which reaches three of its sides: its colour is that of the box's bulk."""
    rgb, _, bar = picture()
    prompt = ObjectPrompt(box=np.array([36.0, 50.0, 114.0, 70.0]))
    found = segment_clip(Clip.from_frames([rgb]), {"bar": prompt}).mask(0, "bar")
    assert (found & bar).sum() / (found | bar).sum() > 0.9
