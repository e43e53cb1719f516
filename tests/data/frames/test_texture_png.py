"""Textures come back as they were, and the same pixels are coded once."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image

from dexman_pose.data.frames.texture_png import came_from_jpeg, coded_texture, decoded_texture


def test_a_texture_comes_back_and_is_coded_once() -> None:
    texture = np.random.default_rng(0).integers(0, 256, (20, 30, 3), dtype=np.uint8)
    coded = coded_texture(texture)
    np.testing.assert_array_equal(decoded_texture(coded), texture)
    assert coded_texture(texture.copy()) is coded


def test_pixels_that_changed_or_lie_in_another_shape_are_another_texture() -> None:
    texture = np.zeros((20, 30, 3), np.uint8)
    first = coded_texture(texture)
    assert decoded_texture(coded_texture(texture.reshape(30, 20, 3))).shape == (30, 20, 3)
    texture[0, 0] = 9
    second = coded_texture(texture)
    assert second is not first and decoded_texture(second)[0, 0, 0] == 9


def test_a_texture_from_a_jpeg_file_stays_one() -> None:
    noise = np.random.default_rng(1).integers(0, 256, (40, 60, 3), dtype=np.uint8)
    file = io.BytesIO()
    Image.fromarray(noise).save(file, "JPEG", quality=70)
    texture = decoded_texture(np.frombuffer(file.getvalue(), np.uint8))
    came_from_jpeg(texture, file.getvalue())
    assert coded_texture(texture.copy()).tobytes() == file.getvalue()
    np.testing.assert_array_equal(decoded_texture(coded_texture(texture)), texture)
    assert coded_texture(texture[::-1]).tobytes() != file.getvalue()
