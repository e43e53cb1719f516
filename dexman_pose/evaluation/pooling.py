"""From errors per frame to rows: per recording, per object, per role, all frames at once, and the mean over objects.

The last two answer different questions and differ: pooled, an object with many frames weighs more; as the mean over
objects, each object weighs the same. Both are always given.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from dexman_pose.arrays import Array, Bools
from dexman_pose.evaluation.columns import AGREEMENT_RANGE, AGREEMENT_SUCCESS, columns, protocol_number
from dexman_pose.evaluation.results import ObjectScores, Results
from dexman_pose.metrics.scores import auc, auc_posecnn, average_recall, recall

ROLES = ("tool", "target")
SHARES = tuple(round(0.05 * i, 2) for i in range(1, 11))
"""Thresholds of MSSD (diameters) and VSD."""
PIXELS = tuple(5.0 * i for i in range(1, 11))
"""Thresholds of MSPD, pixels for a width of 640."""


@dataclass(frozen=True)
class Row:
    """The figures of some frames.

    Attributes:
        label: what the row is about: a recording and object, an object's id, a role, or the way of pooling.
        sequence: recording, "" where the row covers several.
        view: its camera.
        name: the object's name or role.
        object_id: the dataset's id of its mesh.
        recordings: how many tracks the row covers.
        objects: of how many different objects.
        frames: scored frames.
        failures: of these, frames without a prediction.
        vsd_frames: of these, frames with VSD and depth agreement.
        symmetry: what is known of the object's symmetry.
        values: by the keys of :func:`columns`, metres, radians and shares; None where there is nothing to say.
    """

    label: str
    recordings: int
    objects: int
    frames: int
    failures: int
    vsd_frames: int
    values: Mapping[str, float | None]
    sequence: str = ""
    view: str = ""
    name: str = ""
    object_id: str = ""
    symmetry: str = ""


@dataclass(frozen=True)
class Pooled:
    """All rows of a run.

    Attributes:
        sequences: per recording and object, the worst ADD-S AUC first.
        objects: per object id, over all its frames, the worst first.
        roles: tool and target apart, and other names that several objects share.
        overall: all frames at once.
        mean_over_objects: the mean of the figures of ``objects``; counts are sums.
        not_finite: frames whose errors are not finite numbers; they count as frames without a prediction.
    """

    sequences: list[Row]
    objects: list[Row]
    roles: list[Row]
    overall: Row
    mean_over_objects: Row
    not_finite: int = 0


def pool(results: Results) -> Pooled:
    """All rows of a run's results.

    Args:
        results: of any number of recordings, also none.
    """
    checked = [_finite(s) for s in results.objects]
    protocol = results.protocol
    bad = sum(c.failures - s.failures for c, s in zip(checked, results.objects))
    sequences = [_sequence_row(s, protocol) for s in checked]
    objects = [
        _row(key, group, protocol, object_id=key, symmetry=_joined(s.symmetry for s in group))
        for key, group in _grouped(checked, lambda s: s.object_id).items()
    ]
    roles = [_row(name, group, protocol, name=name) for name, group in _role_groups(checked).items()]
    overall = _row("all frames pooled", checked, protocol)
    mean = _mean_row(objects, overall)
    return Pooled(worst_first(sequences), worst_first(objects), roles, overall, mean, bad)


def worst_first(rows: Iterable[Row]) -> list[Row]:
    """Rows by their ADD-S AUC, the lowest first; rows without it at the end, ties by missing frames, then by label."""

    def rank(row: Row) -> tuple[bool, float, float, str]:
        area = row.values.get("auc_add_s")
        missing = row.failures / max(row.frames, 1)
        return area is None, 0.0 if area is None else area, -missing, row.label

    return sorted(rows, key=rank)


def figures(group: Sequence[ObjectScores], protocol: Mapping[str, object]) -> dict[str, float | None]:
    """Compute figures over all frames of some tracks; None where there are no frames.

    Args:
        group: tracks of one or of many objects.
        protocol: the protocol's values.

    Returns:
        By the keys of :func:`columns`; metres, radians and shares.
    """
    found = {
        **_distances(group, protocol),
        **_average_recalls(group, protocol),
        **_medians(group),
        **_agreement(group),
        "failure_rate": _failure_rate(group),
        "stability": _mean(np.concatenate([s.stability for s in group])) if group else None,
        "jitter": _jitter(group),
    }
    return {column.key: found[column.key] for column in columns(protocol)}


def frames_of(group: Sequence[ObjectScores], name: str, *, per_diameter: bool = False) -> tuple[Array, Bools]:
    """Errors and their ``valid`` of all frames of the tracks that have errors of that name.

    Args:
        group: tracks.
        name: of an error, e.g. ``"add_s"``.
        per_diameter: divided by each object's diameter.
    """
    have = [s for s in group if name in s.errors]
    if not have:
        return np.zeros(0), np.zeros(0, np.bool_)
    parts = [s.errors[name] / (s.diameter if per_diameter else 1.0) for s in have]
    return np.concatenate(parts), np.concatenate([s.valid for s in have])


def vsd_of(group: Sequence[ObjectScores]) -> tuple[Array, Bools]:
    """VSD (G, taus) of all frames that have it, and which of these have a prediction (G,)."""
    have = [s for s in group if s.vsd.size]
    if not have:
        return np.zeros((0, 0)), np.zeros(0, np.bool_)
    return np.concatenate([s.vsd for s in have]), np.concatenate([s.valid[s.vsd_frames] for s in have])


def _row(label: str, group: Sequence[ObjectScores], protocol: Mapping[str, object], **about: str) -> Row:
    return Row(
        label=label,
        recordings=len(group),
        objects=len({s.object_id for s in group}),
        frames=sum(len(s.frames) for s in group),
        failures=sum(s.failures for s in group),
        vsd_frames=sum(len(s.vsd_frames) for s in group),
        values=figures(group, protocol),
        **about,
    )


def _sequence_row(s: ObjectScores, protocol: Mapping[str, object]) -> Row:
    about = {"sequence": s.sequence, "view": s.view, "name": s.name, "object_id": s.object_id}
    return _row(s.key, [s], protocol, symmetry=s.symmetry, **about)


def _mean_row(objects: Sequence[Row], overall: Row) -> Row:
    """Mean of each figure over the objects that have it."""
    means: dict[str, float | None] = {}
    for key in overall.values:
        have = [v for row in objects if (v := row.values[key]) is not None]
        means[key] = float(np.mean(have)) if have else None
    return replace(overall, label="mean over objects", values=means)


def _distances(group: Sequence[ObjectScores], protocol: Mapping[str, object]) -> dict[str, float | None]:
    top = protocol_number(protocol, "auc_threshold")
    near = protocol_number(protocol, "recall_diameter")
    found: dict[str, float | None] = {}
    for name in ("add_s", "add"):
        errors, valid = frames_of(group, name)
        shares, _ = frames_of(group, name, per_diameter=True)
        any_frame = len(errors) > 0
        found[f"auc_{name}"] = float(auc(errors, valid, max_threshold=top)) if any_frame else None
        found[f"recall_{name}"] = float(recall(shares, near, valid)) if any_frame else None
        found[f"{name}_mean"] = _mean(errors[valid])
        found[f"{name}_median"] = _median(errors[valid])
        if name == "add_s":
            found["auc_add_s_posecnn"] = (
                float(auc_posecnn(errors, valid, max_threshold=top)) if any_frame else None
            )
    return found


def _average_recalls(
    group: Sequence[ObjectScores], protocol: Mapping[str, object]
) -> dict[str, float | None]:
    """The three average recalls of BOP, and their mean where all exist."""
    vsd, seen = vsd_of(group)
    mssd, mssd_valid = frames_of(group, "mssd", per_diameter=True)
    mspd, mspd_valid = frames_of(group, "mspd")
    three = {
        "ar_vsd": _average_recall(vsd, SHARES, seen),
        "ar_mssd": _average_recall(mssd, SHARES, mssd_valid),
        "ar_mspd": _average_recall(mspd, PIXELS, mspd_valid),
    }
    have = [v for v in three.values() if v is not None]
    return {**three, "ar": float(np.mean(have)) if len(have) == 3 else None}


def _average_recall(errors: Array, thresholds: tuple[float, ...], valid: Bools) -> float | None:
    return float(average_recall(errors, thresholds, valid)) if len(errors) else None


def _medians(group: Sequence[ObjectScores]) -> dict[str, float | None]:
    found = {}
    for name in ("rotation", "translation"):
        errors, valid = frames_of(group, name)
        found[f"{name}_median"] = _median(errors[valid])
    return found


def _agreement(group: Sequence[ObjectScores]) -> dict[str, float | None]:
    """Area and success of the depth agreement; it is a score: a frame without a prediction has 0."""
    have = [s for s in group if len(s.agreement)]
    parts = [np.where(s.valid[s.vsd_frames], s.agreement, 0.0) for s in have]
    scores = np.concatenate(parts) if parts else np.zeros(0)
    low, high = AGREEMENT_RANGE
    return {
        # The share of frames above a threshold, averaged over all thresholds of the range, in closed form.
        "agreement_auc": _mean(np.clip((scores - low) / (high - low), 0.0, 1.0)),
        "agreement_success": _mean((scores > AGREEMENT_SUCCESS).astype(np.float64)),
    }


def _failure_rate(group: Sequence[ObjectScores]) -> float | None:
    have = [s for s in group if len(s.failed)]
    known = [(s.failed | ~s.valid)[s.failure_known] for s in have]
    return _mean(np.concatenate(known).astype(np.float64)) if known else None


def _jitter(group: Sequence[ObjectScores]) -> float | None:
    """Root mean square over tracks, weighted by their frames with a prediction."""
    have = [(s.jitter, int(s.valid.sum())) for s in group if s.jitter is not None and s.valid.any()]
    if not have:
        return None
    values, weights = np.array(have, dtype=np.float64).T
    return float(np.sqrt(np.average(values**2, weights=weights)))


def _mean(values: Array) -> float | None:
    return float(values.mean()) if len(values) else None


def _median(values: Array) -> float | None:
    return float(np.median(values)) if len(values) else None


def _finite(scores: ObjectScores) -> ObjectScores:
    """The same with frames whose errors are not finite marked as frames without a prediction."""
    good = scores.valid.copy()
    for errors in scores.errors.values():
        good &= np.isfinite(errors)
    if scores.vsd.size:
        good[scores.vsd_frames] &= np.isfinite(scores.vsd).all(1)
    if len(scores.agreement):
        good[scores.vsd_frames] &= np.isfinite(scores.agreement)
    jitter = scores.jitter if scores.jitter is not None and np.isfinite(scores.jitter) else None
    return replace(
        scores,
        valid=good,
        errors={name: np.where(good, errors, 0.0) for name, errors in scores.errors.items()},
        vsd=np.where(np.isfinite(scores.vsd), scores.vsd, 1.0),
        agreement=np.where(np.isfinite(scores.agreement), scores.agreement, 0.0),
        stability=scores.stability[np.isfinite(scores.stability)],
        jitter=jitter,
    )


def _grouped(
    scores: Iterable[ObjectScores], key: Callable[[ObjectScores], str]
) -> dict[str, list[ObjectScores]]:
    groups: dict[str, list[ObjectScores]] = {}
    for s in scores:
        groups.setdefault(key(s), []).append(s)
    return dict(sorted(groups.items()))


def _role_groups(scores: Sequence[ObjectScores]) -> dict[str, list[ObjectScores]]:
    """Tool, target, and other names that several objects share: a name of one object alone is no role."""
    by_name = _grouped(scores, lambda s: s.name)
    roles = {name: by_name[name] for name in ROLES if name in by_name}
    for name, group in by_name.items():
        if name not in roles and len({s.object_id for s in group}) > 1:
            roles[name] = group
    return roles


def _joined(texts: Iterable[str]) -> str:
    return ", ".join(sorted({t for t in texts if t}))
