"""The bench as a whole: what the pipeline is given, what is scored, the table."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from dexman_pose.benchmarks.scene import run
from dexman_pose.benchmarks.scene.run import FilmScores, SceneJob, run_film, score_film
from dexman_pose.benchmarks.scene.table import ROWS, as_json, lines, summary
from dexman_pose.data import Mesh, Trajectory
from dexman_pose.errors import EstimationError, MissingModelError
from dexman_pose.synthetic.grasps.record import FilmRecord


def test_the_truth_scores_best_in_every_row(
    record: FilmRecord, meshes: dict[str, Mesh], perfect: Trajectory
) -> None:
    scores = score_film(record, perfect, SceneJob())
    flat = scores.flat()
    assert set(flat) == set(ROWS)
    assert flat["valid"] == flat["hand_valid"] == 1.0
    assert flat["add_s_mm"] == pytest.approx(0.0, abs=1e-5) and flat["hand_mm"] == pytest.approx(
        0.0, abs=1e-6
    )


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch, record: FilmRecord, perfect: Trajectory) -> dict[str, Any]:
    """What the pipeline was called with; it answers the truth."""
    calls: dict[str, Any] = {}

    def reconstruct(video: Any, objects: Any, **given: Any) -> Trajectory:
        calls.update(given, video=video, objects=objects)
        return perfect

    monkeypatch.setattr(run, "reconstruct", reconstruct)
    record.labels[0, 10:20, 30:50], record.labels[0, 40:60, 70:80] = 1, 2
    return calls


def test_the_pipeline_gets_boxes_and_what_the_job_says(record: FilmRecord, asked: dict[str, Any]) -> None:
    run_film(record, SceneJob())
    assert (
        asked["objects"]["box"].box.tolist() == [26, 6, 53, 23] and asked["objects"]["box"].mesh is not None
    )
    assert asked["camera"].fx == record.truth.camera.fx and asked["depth"] is None
    run_film(record, SceneJob(mesh=False, depth=True, camera=False))
    assert asked["objects"]["brick"].mesh is None and asked["camera"] is None
    depth, true = asked["depth"], record.depth_image(0)
    seen = (depth[0] > 0) & (true > 0)
    assert 0.3 < seen.mean() < 1.0 and 1e-3 < np.std(depth[0][seen] - true[seen]) < 4e-3


def test_failures_are_told_and_missing_weights_stop(
    record: FilmRecord, asked: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: Any, **__: Any) -> Trajectory:
        raise EstimationError("nothing was found")

    monkeypatch.setattr(run, "reconstruct", fails)
    scores = run_film(record, SceneJob())
    assert scores.error == "nothing was found" and scores.flat() == {}

    def lacks(*_: Any, **__: Any) -> Trajectory:
        raise MissingModelError("get it")

    monkeypatch.setattr(run, "reconstruct", lacks)
    with pytest.raises(MissingModelError):
        run_film(record, SceneJob())


def test_the_table_names_the_worst_film_and_says_none() -> None:
    films = [
        FilmScores("a", 5, {"x": {"add_s_mm": 2.0, "valid": 0.9}}, scene={"gap_bias_mm": -9.0}),
        FilmScores(
            "b",
            5,
            {"x": {"add_s_mm": 6.0, "valid": 1.0}, "y": {"add_s_mm": None}},
            scene={"gap_bias_mm": 1.0},
        ),
        FilmScores("c", 5, error="lost"),
    ]
    found = summary(films)
    assert found["add_s_mm"] == {"median": 4.0, "worst": 6.0, "film": "b", "films": 2}
    assert found["valid"]["film"] == "a" and found["gap_bias_mm"]["worst"] == -9.0
    assert found["gravity_deg"]["median"] is None
    text = lines(films, SceneJob(depth=True))
    assert "boxes, meshes, depth, camera" in text[0] and any("none" in line for line in text)
    assert text[-1] == "no trajectory of c: lost"
    assert as_json(films, SceneJob())["films"][2]["error"] == "lost"
