from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from dexman_pose.segmentation.grabcut.color import (
    ColorModel,
    Mixture,
    gaussian_density,
    shaded_density,
    to_bins,
    to_lab,
)
from dexman_pose.segmentation.grabcut.model_options import ColorOptions

FLOOR = ColorOptions().uniform_density


def _lab(color: tuple[int, int, int], shape: tuple[int, int] = (4, 4)) -> np.ndarray:
    return to_lab(np.full((*shape, 3), color, np.uint8))


def test_lab_of_grey_is_neutral() -> None:
    assert _lab((128, 128, 128))[0, 0].tolist()[1:] == [128, 128]
    assert _lab((255, 255, 255))[0, 0, 0] == 255


def test_seen_colour_is_likely_and_others_get_the_floor() -> None:
    model = ColorModel()
    assert model.empty
    model.add(to_bins(_lab((200, 30, 30))))
    assert not model.empty
    assert model.density(to_bins(_lab((200, 30, 30))))[0, 0] > 0.01
    far = model.density(to_bins(_lab((30, 30, 200))))[0, 0]
    assert 0 < far <= FLOOR


def test_densities_of_all_bins_sum_to_about_one() -> None:
    rng = np.random.default_rng(0)
    model = ColorModel()
    model.add(to_bins(to_lab(rng.integers(60, 200, (40, 40, 3)).astype(np.uint8))))
    table = model.density(np.arange(40 * 32 * 32, dtype=np.int32))
    assert 0.9 < table.sum() < 0.95 + 0.05 * FLOOR * len(table) + 1e-3


def test_share_mixes_old_and_new() -> None:
    red, blue = to_bins(_lab((200, 30, 30))), to_bins(_lab((30, 30, 200)))
    model = ColorModel()
    model.add(red)
    before = model.density(red)[0, 0]
    kept = model.copy()
    model.add(blue, 0.25)
    assert np.isclose(model.density(red)[0, 0] / before, 0.75, atol=0.01)
    assert np.isclose(kept.density(red)[0, 0], before)


def test_gaussian_peaks_at_the_expected_colour_and_shade_is_forgiven_only_by_shaded_density() -> None:
    lit, dark = _lab((180, 140, 90)), _lab((115, 88, 55))
    expected = lit.astype(np.float32)
    assert gaussian_density(lit, expected)[0, 0] > 100 * gaussian_density(dark, expected)[0, 0]
    assert shaded_density(dark, expected)[0, 0] > 100 * gaussian_density(dark, expected)[0, 0]
    assert shaded_density(dark, expected)[0, 0] < shaded_density(lit, expected)[0, 0]
    other = _lab((90, 140, 180))
    assert shaded_density(other, expected)[0, 0] < 1e-3 * shaded_density(dark, expected)[0, 0]


def test_shaded_model_knows_shadows_of_its_colours() -> None:
    model = ColorModel()
    model.add(to_bins(_lab((180, 140, 90))))
    dark = to_bins(_lab((122, 94, 60)))
    assert model.shaded().density(dark)[0, 0] > 5 * model.density(dark)[0, 0]


@pytest.mark.parametrize("spread", [5, 60])
def test_smoothing_is_a_gaussian_filter(spread: int) -> None:
    """Colours in the middle, and at the ends of the histogram."""
    rng = np.random.default_rng(0)
    lab = np.clip(rng.normal(128, spread, (80, 80, 3)), 0, 255).astype(np.uint8)
    model, o = ColorModel(), ColorOptions()
    model.add(to_bins(lab))
    counts = np.bincount(to_bins(lab).ravel(), minlength=40 * 32 * 32).reshape(40, 32, 32) / lab[..., 0].size
    narrow, broad = (
        gaussian_filter(counts, (s[0], s[1], s[1]), mode="nearest", truncate=cut)
        for s, cut in ((o.narrow_sigma, o.narrow_truncate), (o.broad_sigma, o.broad_truncate))
    )
    expected = o.narrow_share * narrow + o.broad_share * broad + o.uniform_share * o.uniform_density
    assert np.allclose(model.table(), expected.ravel(), rtol=1e-4, atol=1e-8)


def test_a_mixture_follows_its_parts() -> None:
    red, blue = to_bins(_lab((200, 30, 30))), to_bins(_lab((30, 30, 200)))
    one, two = ColorModel(), ColorModel()
    one.add(red)
    two.add(blue)
    mixed = Mixture(one, two, 0.25)
    for _ in range(2):
        expected = 0.25 * one.density(red)[0, 0] + 0.75 * two.density(red)[0, 0]
        assert np.isclose(mixed.density(red)[0, 0], expected, rtol=1e-4)
        assert np.array_equal(mixed.array().numpy(), mixed.table())
        two.add(red, 0.5)
