"""The two steps of an evaluation: predictions, which are slow and kept, and scores, which are quick and repeatable."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import lru_cache, partial
from multiprocessing import get_context
from pathlib import Path
from typing import TypeVar

import numpy as np

from dexman_pose.data.mesh import Mesh
from dexman_pose.datasets.recording import Problem, Recording
from dexman_pose.errors import DexmanError, InputError
from dexman_pose.evaluation.predicting import Outcome, predict_recording
from dexman_pose.evaluation.predictions import check_predictions, is_truth, load_prediction
from dexman_pose.evaluation.protocol import Protocol
from dexman_pose.evaluation.results import Finding, Results
from dexman_pose.evaluation.scoring import RecordingScores, score_recording
from dexman_pose.evaluation.sources import Source
from dexman_pose.evaluation.store import load_scores, save_scores
from dexman_pose.geometry.symmetry import SymmetryGroup
from dexman_pose.pipeline.hashing import hash_arrays, hash_code, hash_file, hash_json
from dexman_pose.pipeline.versions import versions
from dexman_pose.symmetry.declared import load_symmetries, symmetry_of

_log = logging.getLogger(__name__)
T = TypeVar("T")
SCORES = "scores"
_ROOMS = ("metrics", "evaluation", "datasets", "render")


@dataclass(frozen=True)
class _Job:
    """What a worker needs to score or predict one sequence; plain values only."""

    source: Source
    sequence: str
    protocol: Protocol
    predictions: str
    out: Path


def predict(
    source: Source,
    protocol: Protocol,
    out: str | Path,
    *,
    sequences: Iterable[str] | None = None,
    workers: int = 1,
    on_done: Callable[[Outcome], None] | None = None,
) -> list[Outcome]:
    """Run the default pipeline on every recording; ``out/<name>/<view>`` are its run folders.

    What is there already is not done again. A recording that fails is reported, and the rest goes on.

    Args:
        source: the dataset.
        protocol: which view and objects, whether the mesh is given.
        out: folder of the predictions.
        sequences: some sequences, None for all.
        workers: processes side by side.
        on_done: called after each recording.
    """
    jobs = [_Job(source, name, protocol, "", Path(out)) for name in _chosen(source, sequences)]
    outcomes: list[Outcome] = []
    for done in _each(_predict_sequence, jobs, workers):
        for outcome in done:
            outcomes.append(outcome)
            if on_done is not None:
                on_done(outcome)
    return outcomes


def score(
    source: Source,
    protocol: Protocol,
    predictions: str | Path,
    out: str | Path,
    *,
    sequences: Iterable[str] | None = None,
    workers: int = 1,
    on_done: Callable[[str], None] | None = None,
) -> Results:
    """Score predictions; the scores of every sequence are kept in ``out/scores`` and used again while nothing changed.

    Args:
        source: the dataset.
        protocol: what is scored and how.
        predictions: as :func:`~dexman_pose.evaluation.predictions.load_prediction` reads them.
        out: folder of the scores.
        sequences: some sequences, None for all.
        workers: processes side by side.
        on_done: called with the name of each sequence that is done.

    Raises:
        InputError: there is no such dataset, sequence or set of predictions.
    """
    check_predictions(predictions)
    chosen = _chosen(source, sequences)
    jobs = [_Job(source, name, protocol, str(predictions), Path(out)) for name in chosen]
    results = Results(protocol.as_dict(), [], provenance=_provenance(source, protocol, predictions, chosen))
    for job, scored in zip(jobs, _each(_score_sequence, jobs, workers)):
        for one in scored:
            results.objects.extend(one.objects)
            results.hands.extend(one.hands)
            results.contacts.extend(one.contacts)
            results.findings.extend(one.findings)
        if on_done is not None:
            on_done(job.sequence)
    return results


def _chosen(source: Source, sequences: Iterable[str] | None) -> list[str]:
    there = source.sequences()
    if sequences is None:
        return there
    wanted = list(sequences)
    unknown = [name for name in wanted if name not in there]
    if unknown:
        some = ", ".join(there[:8]) + (" ..." if len(there) > 8 else "")
        raise InputError(f"no sequence named {unknown[0]!r} in {source.root}; there are: {some}")
    return wanted


def _each(work: Callable[[_Job], T], jobs: list[_Job], workers: int) -> Iterator[T]:
    """Yield results in the order of the jobs, so that the report does not depend on which is done first."""
    if workers <= 1 or len(jobs) <= 1:
        yield from map(work, jobs)
        return
    # Forking a process that has started threads or a GPU is asking for a deadlock.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    with ProcessPoolExecutor(min(workers, len(jobs)), mp_context=get_context("spawn")) as pool:
        yield from pool.map(work, jobs)


def _predict_sequence(job: _Job) -> list[Outcome]:
    problems: list[Problem] = []
    outcomes = []
    for recording in job.source.read(job.sequence, problems.append):
        folder = job.out / recording.name / recording.view
        try:
            predict_recording(recording, job.protocol, folder)
            outcomes.append(Outcome(recording.key, folder))
        except DexmanError as error:
            outcomes.append(Outcome(recording.key, folder, str(error)))
    outcomes += [Outcome(p.sequence, p.path, p.what) for p in problems]
    return outcomes


def _score_sequence(job: _Job) -> list[RecordingScores]:
    path = job.out / SCORES / f"{job.sequence.replace(chr(47), '--')}.npz"
    problems: list[Problem] = []
    recordings = job.source.read(job.sequence, problems.append)
    key = _fingerprint(job, recordings)
    kept = load_scores(path, key)
    if kept is not None:
        return kept
    scored = [_score_one(recording, job) for recording in recordings]
    if problems:
        unread = [Finding("unread", p.sequence, f"{p.path}: {p.what}") for p in problems]
        scored.append(RecordingScores([], [], [], unread))
    save_scores(path, key, scored)
    return scored


def _score_one(recording: Recording, job: _Job) -> RecordingScores:
    try:
        prediction = load_prediction(job.predictions, recording)
    except DexmanError as error:  # a broken prediction is a missing one, and said
        scored = score_recording(recording, None, job.protocol, partial(_symmetry, job.protocol.symmetries))
        scored.findings.append(Finding("unread", recording.key, str(error)))
        return scored
    return score_recording(recording, prediction, job.protocol, partial(_symmetry, job.protocol.symmetries))


def _symmetry(file: str, recording: Recording, name: str) -> tuple[SymmetryGroup, str]:
    declared = recording.symmetries.get(name)
    if declared is not None:
        return declared, f"{declared.name} (declared by the dataset)"
    object_id = recording.object_ids.get(name, name)
    group, source = _symmetry_kept(file, recording.dataset, object_id, _Keyed(recording.objects[name].mesh))
    return group, f"{group.name} ({source})"


class _Keyed:
    """A mesh that counts as equal to another of the same geometry, so that its symmetry is detected once."""

    def __init__(self, mesh: Mesh) -> None:
        self.mesh = mesh
        self.digest = hash_arrays(mesh.vertices, mesh.faces)

    def __hash__(self) -> int:
        return hash(self.digest)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Keyed) and other.digest == self.digest


@lru_cache(maxsize=512)
def _symmetry_kept(file: str, dataset: str, object_id: str, keyed: _Keyed) -> tuple[SymmetryGroup, str]:
    declared = load_symmetries(file) if file else None
    # Symmetry is that of the shape: an estimate may use texture to tell poses apart, the score does not require it.
    return symmetry_of(dataset, object_id, keyed.mesh, declared, use_color=False)


def _fingerprint(job: _Job, recordings: list[Recording]) -> str:
    """Of everything the scores of a sequence are made from."""
    truth = [
        [r.key, *(hash_arrays(o.camera_from_object, o.valid, o.mesh.vertices) for o in r.objects.values())]
        for r in recordings
    ]
    files = [p for r in recordings for p in _prediction_files(job.predictions, r)]
    said = [[str(p), hash_file(p)] for p in files]
    return hash_json([job.protocol.as_dict(), truth, job.predictions, said, hash_code(*_ROOMS)])


def _prediction_files(predictions: str, recording: Recording) -> list[Path]:
    root = Path(predictions)
    if is_truth(predictions):
        return []
    if root.is_file():
        return [root]
    base = root / recording.name
    single = [base.with_suffix(".npz"), (base / recording.view).with_suffix(".npz"), base / "trajectory.npz"]
    found = [p for p in single if p.is_file()]
    folder = base / recording.view
    if (folder / "trajectory.npz").is_file():
        return [*found, folder / "trajectory.npz"]
    return found + sorted(p for p in base.rglob("*") if p.is_file() and p.suffix in (".txt", ".npy", ".npz"))


def _provenance(
    source: Source, protocol: Protocol, predictions: str | Path, sequences: list[str]
) -> dict[str, object]:
    return {
        "dataset": source.dataset,
        "root": str(source.root),
        "predictions": str(predictions),
        "sequences": len(sequences),
        "sequences_sha256": hash_json(sequences),
        "protocol_sha256": hash_json(protocol.as_dict()),
        "code_sha256": hash_code(*_ROOMS),
        "seed": 0,
        "versions": versions(),
        "numpy_float": str(np.dtype(np.float64)),
    }
