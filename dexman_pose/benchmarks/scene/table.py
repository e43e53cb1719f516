"""Scores of films as a table: medians over films, the worst film named."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from dexman_pose.benchmarks.scene.run import FilmScores, SceneJob
from dexman_pose.synthetic.grasps.truth import FINGERTIPS

ROWS: dict[str, tuple[str, str, bool]] = {
    "valid": ("objects: share of frames with a pose", "", True),
    "add_s_mm": ("objects: ADD-S, median", "mm", False),
    "add_s_auc": ("objects: ADD-S, area to 0.1 m", "", True),
    "vsd": ("objects: VSD, mean over thresholds", "", False),
    "rotation_deg": ("objects: rotation, median", "deg", False),
    "depth_percent": ("objects: distance from the camera, error", "%", False),
    "scale_percent": ("objects: size, error", "%", False),
    "surface_percent": ("objects: surface of made shapes, of the diameter", "%", False),
    "thickness_ratio": ("objects: thickness of flat made shapes, over truth", "", False),
    "jitter": ("objects: jitter beyond the truth's", "m/s2", False),
    "distance_mm": ("objects: distance between two, error", "mm", False),
    "hand_valid": ("hands: share of frames with joints", "", True),
    "hand_valid_seen": ("hands: the same, where most of it is seen", "", True),
    "hand_mm": ("hands: joints, camera frame", "mm", False),
    "hand_wrist_mm": ("hands: joints, relative to the wrist", "mm", False),
    "hand_object_mm": ("hands: joints, relative to the object", "mm", False),
    "hand_jitter": ("hands: jitter beyond the truth's", "m/s2", False),
    "contact_f": ("contact: finger tips, F-score", "", True),
    **{f"contact_f_{f}": (f"contact: {f}, F-score", "", True) for f in FINGERTIPS},
    "hold_f": ("contact: hold, F-score", "", True),
    "gap_mm": ("contact: skin to surface where they touch", "mm", False),
    "gap_bias_mm": ("contact: the same with sign", "mm", False),
    "drift_mm": ("contact: drift of what is held in the palm", "mm", False),
    "gravity_deg": ("world: gravity", "deg", False),
    "table_mm": ("world: table", "mm", False),
    "focal_percent": ("world: focal length, error", "%", False),
}
"""Text, unit, and whether more is better, of every score."""


def summary(films: Sequence[FilmScores]) -> dict[str, dict[str, Any]]:
    """Each score's median over the films that have it, its worst value, and the film of that."""
    out: dict[str, dict[str, Any]] = {}
    for name, (_, _, more) in ROWS.items():
        known = [(film.flat().get(name), film.name) for film in films]
        values = [(value, film) for value, film in known if value is not None]
        if not values:
            out[name] = {"median": None, "worst": None, "film": None, "films": 0}
            continue
        worst, film = min(values, key=lambda v: v[0]) if more else max(values, key=lambda v: abs(v[0]))
        median = float(np.median([value for value, _ in values]))
        out[name] = {"median": median, "worst": worst, "film": film, "films": len(values)}
    return out


def lines(films: Sequence[FilmScores], job: SceneJob) -> list[str]:
    """The table as text."""
    given = ", ".join(
        [
            "boxes",
            *(
                word
                for word, is_given in (("meshes", job.mesh), ("depth", job.depth), ("camera", job.camera))
                if is_given
            ),
        ]
    )
    out = [f"{len(films)} films; given: {given}; medians over films, and the worst film"]
    for name, row in summary(films).items():
        text, unit, _ = ROWS[name]
        if row["median"] is None:
            out.append(f"{text:<46} {'none':>10}")
            continue
        out.append(f"{text:<46} {row['median']:>10.3g} {unit:<5} worst {row['worst']:.3g} in {row['film']}")
    failed = [f"{film.name}: {film.error}" for film in films if film.error]
    return out + [f"no trajectory of {text}" for text in failed]


def as_json(films: Sequence[FilmScores], job: SceneJob) -> dict[str, Any]:
    """Everything, for a file."""
    return {"given": asdict(job), "summary": summary(films), "films": [asdict(film) for film in films]}
