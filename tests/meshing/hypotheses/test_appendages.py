"""Handles are told from bodies."""

from __future__ import annotations

import numpy as np

from dexman_pose.meshing.hypotheses.appendages import body_and_appendages


def test_a_pan_is_a_disc_with_a_handle() -> None:
    y, x = np.mgrid[0:100, 0:140]
    disc = np.hypot(x - 45, y - 50) < 35
    handle = (np.abs(y - 50) < 5) & (x > 75) & (x < 130)
    body, thin = body_and_appendages(disc | handle)
    assert (thin & handle & ~disc).sum() > 0.85 * (handle & ~disc).sum()
    assert (body & disc).sum() > 0.98 * disc.sum()
    assert not (body & thin).any()


def test_a_box_has_no_handle() -> None:
    mask = np.zeros((80, 100), bool)
    mask[10:70, 10:90] = True
    body, thin = body_and_appendages(mask)
    assert (body == mask).all()
    assert not thin.any()
