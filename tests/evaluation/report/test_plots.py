"""What the figures of scores hold."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
from PIL import Image

from dexman_pose.evaluation.pooling import pool
from dexman_pose.evaluation.report.plots import plot_accuracy, plot_sequences, plot_tracks, plot_vsd
from dexman_pose.evaluation.results import ObjectScores, Results
from dexman_pose.viewer.plots import figure_png

PROTOCOL: dict[str, object] = {"auc_threshold": 0.1}


def track(errors: list[float | None], sequence: str = "s", name: str = "tool", **more: Any) -> ObjectScores:
    add_s = np.array([0.0 if e is None else e for e in errors])
    valid = np.array([e is not None for e in errors], np.bool_)
    frames = 5 * np.arange(len(errors))
    values = {"add_s": add_s, "add": 2 * add_s}
    return ObjectScores(sequence, "v", "", "", name, name, 0.2, "none", frames, valid, values, **more)


def test_accuracy_is_the_exact_curve() -> None:
    left, right = plot_accuracy(Results(PROTOCOL, [track([0.02, 0.04, None, 0.3])])).axes
    curve = left.lines[0]
    np.testing.assert_allclose(curve.get_xdata(), [0, 20, 40, 100])
    np.testing.assert_allclose(curve.get_ydata(), [0, 0.25, 0.5, 0.5])
    labels = [t.get_text() for t in left.get_legend().get_texts()]
    assert labels == ["all, AUC 0.350", "tool, AUC 0.350"]
    assert right.lines[0].get_xdata()[1] == pytest.approx(40)


def test_accuracy_of_many_frames_stays_small_and_exact() -> None:
    errors = np.linspace(0, 0.1, 9001)
    curve = plot_accuracy(Results(PROTOCOL, [track(list(errors))])).axes[0].lines[0]
    x, y = curve.get_xdata(), curve.get_ydata()
    assert len(x) <= 2002
    np.testing.assert_allclose(y[1:-1], x[1:-1] / 100, atol=2e-4)


def test_vsd_counts_missing_frames() -> None:
    s = track([0.0, None], vsd=np.array([[0.0, 0.4], [1.0, 1.0]]), vsd_frames=np.array([0, 1]))
    (ax,) = plot_vsd(Results(PROTOCOL, [s])).axes
    thin, mean = ax.lines[:2], ax.lines[2]
    assert [line.get_ydata()[30] for line in thin] == [0.5, 0.0]
    assert mean.get_ydata()[30] == pytest.approx(0.25) and mean.get_ydata()[-1] == pytest.approx(0.5)
    assert mean.get_label() == f"all, AR {(10 + 2) / 40:.3f}"


def test_sequences_worst_first_and_cut() -> None:
    results = Results(PROTOCOL, [track([0.01 * i, None], f"s{i}") for i in range(6)])
    strip, bars, gone = plot_sequences(results, pool(results), most=4).axes
    assert [t.get_text() for t in bars.get_yticklabels()] == [f"s{i}/v/tool" for i in (5, 4, 3, 2)]
    np.testing.assert_allclose([p.get_width() for p in bars.patches], [0.25, 0.3, 0.35, 0.4])
    np.testing.assert_allclose([p.get_width() for p in gone.patches], 50.0)
    assert len(strip.lines[0].get_xdata()) == 6


def test_tracks_leave_gaps_and_shade_them() -> None:
    results = Results(PROTOCOL, [track([0.01, None, None, 0.02])])
    (ax,) = plot_tracks(results, pool(results)).axes
    add, add_s = ax.lines[:2]
    np.testing.assert_allclose(add_s.get_ydata(), [10, np.nan, np.nan, 20])
    np.testing.assert_allclose(add.get_ydata(), [20, np.nan, np.nan, 40])
    (shaded,) = ax.patches
    assert (shaded.get_x(), shaded.get_width()) == (5.0, 10.0)


def test_one_wild_frame_does_not_flatten_the_rest() -> None:
    results = Results(PROTOCOL, [track([0.01, 50.0])])
    (ax,) = plot_tracks(results, pool(results)).axes
    assert ax.get_ylim()[1] < 400 and "largest 1e+05 mm" in ax.get_title("right")


@pytest.mark.parametrize("objects", [[], [track([])], [track([None])], [track([0.01])]])
def test_little_or_nothing_draws(objects: list[ObjectScores]) -> None:
    results = Results(PROTOCOL, objects)
    pooled = pool(results)
    for figure in (
        plot_accuracy(results),
        plot_vsd(results),
        plot_sequences(results, pooled),
        plot_tracks(results, pooled),
    ):
        assert Image.open(io.BytesIO(figure_png(figure, dpi=40))).size[0] > 100
