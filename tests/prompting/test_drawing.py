"""What is drawn over a frame."""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree

import numpy as np

from dexman_pose.prompting.drawing import color_of, first_masks, overlay, rubber_band, tinted
from dexman_pose.prompting.pointed import Pointed


def _parts(svg: str) -> list[ElementTree.Element]:
    return list(ElementTree.fromstring(f"<svg>{svg}</svg>"))


def test_only_what_was_pointed_at_in_the_frame_is_drawn_and_names_are_text() -> None:
    things = [
        Pointed("a<b", 2, box=(10.0, 50.0, 60.0, 90.0), clicks=((20.0, 60.0, 1), (5.0, 5.0, 0))),
        Pointed("later", 3, box=(1.0, 1.0, 9.0, 9.0)),
    ]
    box, name, on, off = _parts(overlay(things, 2, 0))
    assert (box.tag, box.get("width"), box.get("stroke")) == ("rect", "50.0", color_of(0))
    assert name.text == "a<b" and float(name.get("y") or 0) < 50
    assert on.get("fill") == color_of(0) and off.get("fill") == "none"
    assert len(_parts(overlay(things, 3, 0))) == 2 and overlay(things, 0, 0) == ""


def test_a_name_stands_below_where_there_is_no_room_above() -> None:
    _, name = _parts(overlay([Pointed("x", 0, box=(0.0, 3.0, 40.0, 30.0))], 0, 0))
    assert float(name.get("y") or 0) > 30


def test_a_box_that_is_drawn_backwards_has_a_size() -> None:
    (box,) = _parts(rubber_band((50.0, 40.0), (20.0, 10.0), "red"))
    assert (box.get("x"), box.get("y"), box.get("width"), box.get("height")) == (
        "20.0",
        "10.0",
        "30.0",
        "30.0",
    )


def test_first_masks_are_those_of_the_frame_and_tint_it(tiny_scene: Any) -> None:
    image = tiny_scene.frames[0]
    box = tuple(tiny_scene.box)
    things = [Pointed("other", 1, box=box), Pointed("cup", 0, box=box)]
    masks = first_masks(image, things, 0)
    assert masks is not None and masks.names == ("cup",)
    mask = masks.mask(0, "cup")
    assert 50 < mask.sum() < (box[2] - box[0]) * (box[3] - box[1])
    shown = tinted(image, masks, ["other", "cup"])
    changed = (shown != image).any(-1)
    assert changed[mask].mean() > 0.9 and not changed[~mask].any()
    assert first_masks(image, things, 2) is None and tinted(image, None, []) is image
    assert np.shares_memory(tinted(image, None, []), image)
