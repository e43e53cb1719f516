"""Mutated files of data sets, folders of poses and result files: each is read right or refused in one line."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from inputs import seeds_of
from mutate import checked, is_one_line, mutated

from dexman_pose.datasets.bop.results import BopEstimate, read_bop_results, write_bop_results
from dexman_pose.datasets.oakink2.program import read_oakink2_program
from dexman_pose.datasets.pose_folder import read_pose_folder
from dexman_pose.datasets.reading import _read_mesh
from dexman_pose.datasets.recording import Problem, Recording
from dexman_pose.evaluation.predictions import load_prediction
from dexman_pose.evaluation.protocol import load_protocol, protocol_folder
from dexman_pose.evaluation.sources import Source
from dexman_pose.geometry import se3, so3_exp
from dexman_pose.synthetic.tiny_datasets.bop import demo_bop
from dexman_pose.synthetic.tiny_datasets.dexycb import write_small_dexycb
from dexman_pose.synthetic.tiny_datasets.ho3d import write_small_ho3d
from dexman_pose.synthetic.tiny_datasets.oakink2 import write_small_oakink2
from dexman_pose.synthetic.tiny_datasets.taco import write_taco

WRITERS: dict[str, Callable[[Path], Any]] = {
    "bop": lambda root: demo_bop(root, images=2, width=64, height=48),
    "dexycb": write_small_dexycb,
    "ho3d": write_small_ho3d,
    "oakink2": write_small_oakink2,
    "taco": lambda root: write_taco(root, sequences=1, frames=6, size=(64, 48)),
}


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """The root of a tiny data set by name, written once."""
    roots: dict[str, Path] = {}

    def root_of(dataset: str) -> Path:
        if dataset not in roots:
            roots[dataset] = tmp_path_factory.mktemp(dataset) / "set"
            WRITERS[dataset](roots[dataset])
        return roots[dataset]

    return root_of


def _read_all(dataset: str, root: Path) -> None:
    """Everything of a data set, as a score reads it: truth, and the first images of depth and masks."""
    problems: list[Problem] = []
    targets = ("test_targets_bop19.json",) if dataset == "bop" else ()
    source = Source(dataset, root, split="test" if dataset == "bop" else "", targets=targets)
    for sequence in source.sequences():
        for recording in source.read(sequence, problems.append):
            _look_at(recording)
    for problem in problems:
        assert is_one_line(str(problem)), problem


def _look_at(recording: Recording) -> None:
    for thing in recording.objects.values():
        assert np.isfinite(thing.camera_from_object).all() and thing.valid.dtype == np.bool_
    for hand in recording.hands.values():
        assert np.isfinite(hand.joints).all()
    for note in recording.missing:
        assert is_one_line(note), note
    for read in (recording.depth, recording.masks):
        for frame in range(min(recording.num_frames, 2)):
            if read is not None:
                checked(lambda read=read, frame=frame: read(frame), f"image {frame} of {recording.key}")


def _fuzz(dataset: str, root: Path, seeds: range) -> None:
    files = sorted(p for p in root.rglob("*") if p.is_file())
    kinds = sorted({p.suffix for p in files})
    for seed in seeds:
        rng = random.Random(seed)
        # By kind first: pictures are many, and one description of a camera among them counts as much.
        kind = rng.choice(kinds)
        path = rng.choice([p for p in files if p.suffix == kind])
        whole = path.read_bytes()
        try:
            path.write_bytes(mutated(path.name, whole, seed))
            _read_mesh.cache_clear()
            checked(lambda: _read_all(dataset, root), f"{path.relative_to(root)}, seed {seed}")
        finally:
            path.write_bytes(whole)


@pytest.mark.parametrize("dataset", sorted(WRITERS))
def test_mutated_files_of_data_sets_are_read_or_named(written: Callable[[str], Path], dataset: str) -> None:
    _fuzz(dataset, written(dataset), seeds_of(dataset, slow=False))


@pytest.mark.slow
@pytest.mark.parametrize("dataset", sorted(WRITERS))
def test_thousands_of_mutated_files_of_data_sets(written: Callable[[str], Path], dataset: str) -> None:
    _fuzz(dataset, written(dataset), seeds_of(dataset, slow=True))


def _single_files(folder: Path) -> dict[str, tuple[Path, Callable[[Path], Any]]]:
    """Right files that are read on their own, and how."""
    poses = np.stack([se3(so3_exp([0.1 * t, 0.2, 0.3]), [0.0, 0.1, 0.5]) for t in range(3)])
    (folder / "txt").mkdir(parents=True)
    np.savetxt(folder / "txt/000001.txt", poses[0])
    np.save(folder / "poses.npy", poses)
    np.savez(folder / "poses.npz", poses=poses, frames=np.arange(3))
    write_bop_results(
        folder / "r.csv", [BopEstimate(1, t, 5, 0.5, pose, 0.1) for t, pose in enumerate(poses)]
    )
    program = '{"((1, 20), None)": {"primitive": "pour", "interaction_mode": "lh_main", "obj_list": ["a"]}}'
    (folder / "p.json").write_text(program)
    (folder / "protocol.yaml").write_text((protocol_folder() / "bop.yaml").read_text())
    return {
        "text": (folder / "txt/000001.txt", lambda path: read_pose_folder(path.parent)),
        "npy": (folder / "poses.npy", read_pose_folder),
        "npz": (folder / "poses.npz", read_pose_folder),
        "results": (folder / "r.csv", read_bop_results),
        "program": (folder / "p.json", read_oakink2_program),
        "protocol": (folder / "protocol.yaml", load_protocol),
    }


def _fuzz_single(kind: str, folder: Path, seeds: range) -> None:
    path, read = _single_files(folder)[kind]
    whole = path.read_bytes()
    for seed in seeds:
        path.write_bytes(mutated(path.name, whole, seed))
        checked(lambda: read(path), f"{kind}, seed {seed}")


KINDS = ("text", "npy", "npz", "results", "program", "protocol")


@pytest.mark.parametrize("kind", KINDS)
def test_mutated_files_of_poses_are_read_or_refused(tmp_path: Path, kind: str) -> None:
    _fuzz_single(kind, tmp_path / "one", seeds_of("pose file", slow=False))


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_thousands_of_mutated_files_of_poses(tmp_path: Path, kind: str) -> None:
    _fuzz_single(kind, tmp_path / "one", seeds_of("pose file", slow=True))


def test_mutated_predictions_are_read_or_refused(tmp_path: Path, written: Callable[[str], Path]) -> None:
    (recording, *_) = Source("bop", written("bop"), split="test").read("000001", lambda problem: None)
    folder = tmp_path / recording.name / recording.view / "obj_000005" / "ob_in_cam"
    folder.mkdir(parents=True)
    paths = [folder / f"{image.stem}.txt" for image in recording.images]
    for path, pose in zip(paths, recording.objects["obj_000005"].camera_from_object):
        np.savetxt(path, pose)
    whole = paths[0].read_bytes()
    assert load_prediction(tmp_path, recording) is not None
    for seed in range(100):
        paths[0].write_bytes(mutated(paths[0].name, whole, seed))
        checked(lambda: load_prediction(tmp_path, recording), f"pose folder, seed {seed}")
