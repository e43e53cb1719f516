"""Pictures on their way to a network and back keep their pixel centres."""

from __future__ import annotations

import numpy as np
import pytest

from dexman_pose.networks.pictures import DEVIATION, MEAN, moved_pixels, picture_tensor, scaled_field


def test_colours_are_normalised_and_channels_come_first() -> None:
    picture = np.zeros((4, 6, 3), np.uint8)
    picture[..., 1] = 255
    out = picture_tensor(picture, (6, 4))[0].numpy()
    assert out.shape == (3, 4, 6)
    assert np.allclose(out[:, 0, 0], (np.array([0, 1, 0]) - MEAN) / DEVIATION, atol=1e-6)


@pytest.mark.parametrize("size", [(64, 64), (20, 30), (80, 48)])
def test_a_ramp_stays_where_it_was(size: tuple[int, int]) -> None:
    ramp = np.repeat(np.broadcast_to(np.arange(0, 240, 3, dtype=np.uint8), (48, 80))[..., None], 3, 2)
    out = picture_tensor(ramp, size, mean=(0, 0, 0), deviation=(1, 1, 1))[0, 0].numpy() * 255
    x = moved_pixels(np.stack([np.arange(size[0]), np.zeros(size[0])], 1), size, (80, 48))[:, 0]
    inner = slice(size[0] // 8, -(size[0] // 8))
    assert np.allclose(out[size[1] // 2][inner], 3 * x[inner], atol=0.2)


def test_fields_come_back_at_their_pixels() -> None:
    import torch

    field = torch.arange(16.0).expand(8, 16)
    out = scaled_field(field, (64, 24))
    x = moved_pixels(np.stack([np.arange(64), np.zeros(64)], 1), (64, 24), (16, 8))[:, 0]
    assert out.shape == (24, 64)
    assert np.allclose(out[5], np.clip(x, 0, 15), atol=1e-5)


def test_pixels_there_and_back() -> None:
    here = np.array([[0.0, 0], [79, 47], [12.3, 40.1]])
    there = moved_pixels(here, (80, 48), (64, 64))
    assert np.allclose(moved_pixels(there, (64, 64), (80, 48)), here)
    assert np.allclose(moved_pixels(np.array([-0.5, 47.5]), (80, 48), (64, 64)), [-0.5, 63.5])
