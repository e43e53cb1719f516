"""Find mistakes behind large errors: wrong unit, swapped names, misread rotations, a shifted clip, flips, gaps."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dexman_pose.arrays import Array
from dexman_pose.data.mesh import Mesh
from dexman_pose.datasets.misreadings import MISREADINGS
from dexman_pose.datasets.recording import Recording
from dexman_pose.evaluation.prediction import Prediction
from dexman_pose.evaluation.results import Finding, ObjectScores

UNITS = {100.0: "centimetres", 1000.0: "millimetres", 0.01: "hundredths", 0.001: "thousandths"}
_LAGS = (1, -1, 2, -2, 3, -3, 5, -5)
_CLEARLY = 0.5  # an explanation must halve the error
_LEAST = 0.002  # metres: below this nothing needs explaining
_NEAR, _FITS = 0.5, 0.1  # diameters: an explanation must also leave little unexplained


def diagnose(recording: Recording, name: str, found: Prediction, scores: ObjectScores) -> list[Finding]:
    """What looks like a mistake in the prediction of one object.

    The unit and the exchange of names are looked for in absolute poses, before any alignment of the protocol.
    """
    out = _gaps(scores)
    predicted = found.objects.get(name)
    if predicted is None or not scores.valid.any():
        return out
    frames = scores.frames[scores.valid]
    estimated = predicted.camera_from_object
    unit = _unit(recording, name, estimated[frames], frames, scores.key)
    if unit is not None:
        return [*out, unit]
    if predicted.mesh is not None:
        out += _other_mesh(predicted.mesh, recording.objects[name].mesh, scores.key)
    misread = _misread(recording, name, estimated[frames], frames, scores)
    if misread is not None:
        return [*out, misread]
    for finding in (
        _swapped(recording, name, found, frames, scores),
        _lag(recording, name, estimated, predicted.valid, scores),
        _flipped(scores),
    ):
        if finding is not None:
            out.append(finding)
    return out


def _gaps(scores: ObjectScores) -> list[Finding]:
    count = scores.failures
    if count == 0:
        return []
    share = 100.0 * count / max(len(scores.frames), 1)
    lost = scores.frames[~scores.valid]
    text = f"no pose in {count} of {len(scores.frames)} scored frames ({share:.0f} %): {_ranges(lost, scores.frames)}"
    return [Finding("missing", scores.key, text)]


def _ranges(lost: NDArray[np.int64], scored: NDArray[np.int64]) -> str:
    """Runs of lost frames as text, at most four."""
    at = np.searchsorted(scored, lost)
    runs = np.split(lost, np.flatnonzero(np.diff(at) > 1) + 1)
    texts = [str(r[0]) if len(r) == 1 else f"{r[0]}-{r[-1]}" for r in runs]
    return ", ".join(texts[:4]) + (f" and {len(texts) - 4} more runs" if len(texts) > 4 else "")


def _unit(
    recording: Recording, name: str, estimated: Array, frames: NDArray[np.int64], key: str
) -> Finding | None:
    """Distances that are off by a power of ten that a unit explains."""
    true = recording.objects[name].camera_from_object[frames]
    ratio = float(
        np.median(np.linalg.norm(estimated[:, :3, 3], axis=1))
        / max(float(np.median(np.linalg.norm(true[:, :3, 3], axis=1))), 1e-9)
    )
    for factor, unit in UNITS.items():
        if 0.6 * factor < ratio < 1.6 * factor:
            return Finding(
                "unit",
                key,
                f"translations are {ratio:.3g} times the true ones: they look like {unit}, not metres",
            )
    return None


def _other_mesh(mesh: Mesh, true: Mesh, key: str) -> list[Finding]:
    ratio = mesh.radius / max(true.radius, 1e-12)
    if 0.95 < ratio < 1.05:
        return []
    return [Finding("unit", key, f"the prediction's mesh is {ratio:.3g} times as large as the dataset's")]


def _misread(
    recording: Recording, name: str, estimated: Array, frames: NDArray[np.int64], scores: ObjectScores
) -> Finding | None:
    """Poses that fit far better when a usual mistake of conversion is undone."""
    truth = recording.objects[name]
    corners, true = _corners(truth.mesh), truth.camera_from_object[frames]
    own = _distance(_moved(estimated, corners), _moved(true, corners))
    if own < max(_LEAST, 0.5 * _FITS * scores.diameter):
        return None
    undone = {
        said: _distance(_moved(undo(estimated), corners), _moved(true, corners))
        for said, undo in MISREADINGS.items()
    }
    said = min(undone, key=lambda key: undone[key])
    if undone[said] > 0.5 * _CLEARLY * own or undone[said] > _FITS * scores.diameter:
        return None
    text = (
        f"its points lie {1e3 * own:.0f} mm off, and {1e3 * undone[said]:.1f} mm once a mistake is undone: "
        f"it looks as if {said}"
    )
    return Finding("misread", scores.key, text)


def _corners(mesh: Mesh) -> Array:
    """(6, 3) middles of the sides of the mesh's box."""
    return np.array(
        [mesh.center + s * np.eye(3)[k] * 0.5 * mesh.extents[k] for k in range(3) for s in (1, -1)]
    )


def _swapped(
    recording: Recording, name: str, found: Prediction, frames: NDArray[np.int64], scores: ObjectScores
) -> Finding | None:
    """Another object's prediction fits this object far better than its own."""
    center = recording.objects[name].mesh.center
    true = _moved(recording.objects[name].camera_from_object[frames], center)
    own = _distance(_moved(found.objects[name].camera_from_object[frames], center), true)
    if own < 0.25 * scores.diameter:
        return None
    for other, predicted in found.objects.items():
        if other == name or other not in recording.objects or not predicted.valid[frames].any():
            continue
        middle = recording.objects[other].mesh.center
        held = predicted.valid[frames]
        # Either the poses were exchanged with their meshes' centres, or the names alone.
        there = min(
            _distance(_moved(predicted.camera_from_object[frames], c)[held], true[held])
            for c in (center, middle)
        )
        if there < _CLEARLY * own and there < _NEAR * scores.diameter:
            text = (
                f"the prediction of {other} lies {1e3 * there:.0f} mm from {name}, its own {1e3 * own:.0f} mm: "
                "the two look swapped"
            )
            return Finding("swapped", scores.key, text)
    return None


def _lag(
    recording: Recording, name: str, estimated: Array, valid: NDArray[np.bool_], scores: ObjectScores
) -> Finding | None:
    """The same track moved by a few frames fits far better."""
    truth = recording.objects[name]
    corners = _corners(truth.mesh)
    now = _lagged(truth.camera_from_object, truth.valid, estimated, valid, corners, 0)
    best, at = now, 0
    for lag in _LAGS:
        error = _lagged(truth.camera_from_object, truth.valid, estimated, valid, corners, lag)
        if error is not None and best is not None and error < best:
            best, at = error, lag
    if now is None or best is None or at == 0 or now < _LEAST:
        return None
    if best > _CLEARLY * now or best > _FITS * scores.diameter:
        return None
    word = "late" if at > 0 else "early"
    text = (
        f"moved by {abs(at)} frame{'s' if abs(at) > 1 else ''} the track fits to {1e3 * best:.1f} mm in place of "
        f"{1e3 * now:.1f} mm: it looks {abs(at)} {word}"
    )
    return Finding("lag", scores.key, text)


def _lagged(
    true: Array,
    known: NDArray[np.bool_],
    estimated: Array,
    valid: NDArray[np.bool_],
    corners: Array,
    lag: int,
) -> float | None:
    """Median distance of corners when frame i + lag of the prediction is taken to show frame i of the truth."""
    count = len(true)
    index = np.arange(max(0, -lag), min(count, count - lag))
    index = index[known[index] & valid[index + lag]]
    if len(index) < 3:
        return None
    a, b = _moved(true[index], corners), _moved(estimated[index + lag], corners)
    return float(np.median(np.linalg.norm(a - b, axis=-1).mean(-1)))


def _flipped(scores: ObjectScores) -> Finding | None:
    """The shape lies where it should, but turned: what ADD-S forgives."""
    add_s, add = scores.errors["add_s"][scores.valid], scores.errors["add"][scores.valid]
    plain = np.degrees(scores.errors["rotation_plain"][scores.valid])
    modulo = np.degrees(scores.errors["rotation"][scores.valid])
    turned = (
        (plain > 60.0) & (add_s < 0.1 * scores.diameter) & (add > 3.0 * add_s) & (add > 0.1 * scores.diameter)
    )
    if turned.mean() < 0.1:
        return None
    median = float(np.median(plain[turned]))
    share = 100.0 * turned.mean()
    if float(np.median(modulo[turned])) < 0.3 * median:
        text = (
            f"turned by {median:.0f} deg in {share:.0f} % of frames, within its symmetry: right but for ADD"
        )
    else:
        text = f"flipped by {median:.0f} deg in {share:.0f} % of frames: ADD-S hardly sees it, ADD does"
    return Finding("flipped", scores.key, text)


def _moved(poses: Array, points: Array) -> Array:
    """Points (3,) or (P, 3) under each pose."""
    if points.ndim == 1:
        one: Array = poses[:, :3, :3] @ points + poses[:, :3, 3]
        return one
    many: Array = points @ poses[:, :3, :3].transpose(0, 2, 1) + poses[:, None, :3, 3]
    return many


def _distance(a: Array, b: Array) -> float:
    return float(np.median(np.linalg.norm(a - b, axis=-1)))
