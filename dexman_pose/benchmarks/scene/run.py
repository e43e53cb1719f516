"""Renders grasp films, runs the whole pipeline on them, and scores what comes out."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dexman_pose.benchmarks.scene.scores.contacts import score_contacts
from dexman_pose.benchmarks.scene.scores.hands import score_hand
from dexman_pose.benchmarks.scene.scores.objects import Scores, score_distances, score_object
from dexman_pose.benchmarks.scene.scores.shape import score_shape
from dexman_pose.benchmarks.scene.scores.world import score_world
from dexman_pose.data import Mesh, Trajectory
from dexman_pose.data.prompts import ObjectPrompt
from dexman_pose.errors import DexmanError
from dexman_pose.pipeline import reconstruct
from dexman_pose.synthetic.grasps.casting import Casting
from dexman_pose.synthetic.grasps.record import FilmRecord, prompted, write_film
from dexman_pose.synthetic.scenes.sensor_noise import noisy_depth

DEPTH_NOISE = 0.002
"""Metres, standard deviation of the depth sensor's noise."""


@dataclass(frozen=True)
class SceneJob:
    """What the pipeline is given.

    Attributes:
        mesh: the objects' meshes.
        depth: depth images with noise and holes.
        camera: the intrinsics.
    """

    mesh: bool = True
    depth: bool = False
    camera: bool = True


@dataclass(frozen=True)
class FilmScores:
    """What came out of one film.

    Attributes:
        name: of the film.
        frames: it has.
        objects: scores by object.
        hands: scores by side.
        scene: scores of contacts, distances between objects, and the world.
        seconds: processor time of the pipeline.
        error: why there is no trajectory, "" where there is one.
    """

    name: str
    frames: int
    objects: dict[str, Scores] = field(default_factory=dict)
    hands: dict[str, Scores] = field(default_factory=dict)
    scene: Scores = field(default_factory=dict)
    seconds: float = 0.0
    error: str = ""

    def flat(self) -> Scores:
        """Every score once: of several objects or hands, the median of those there are."""
        out: Scores = {}
        for group in (self.objects, self.hands):
            for name in dict.fromkeys(key for scores in group.values() for key in scores):
                values = [v for scores in group.values() if (v := scores.get(name)) is not None]
                out[name] = float(np.median(values)) if values else None
        return out | self.scene


def run_scene(
    casting: Casting,
    seeds: Sequence[int],
    job: SceneJob | None = None,
    *,
    keep: str | Path | None = None,
    report: Callable[[FilmScores], None] | None = None,
) -> list[FilmScores]:
    """Render, reconstruct and score a film for every seed.

    Args:
        casting: makes the films.
        seeds: of the films.
        job: what the pipeline is given.
        keep: folder for the films and the runs on them; a film that lies there already is not rendered again. None
            keeps nothing.
        report: is told of every film that is done.

    Raises:
        MissingModelError: the hand detector's weights are not on this machine.
    """
    out = []
    with tempfile.TemporaryDirectory(prefix="dexman_pose_") as temporary:
        root = Path(temporary) if keep is None else Path(keep)
        for seed in seeds:
            record = film_of(casting, seed, root)
            scores = run_film(record, job or SceneJob())
            out.append(scores)
            if report is not None:
                report(scores)
    return out


def film_of(casting: Casting, seed: int, root: Path) -> FilmRecord:
    """The film of a seed in a folder of ``root``, rendered where it is not there."""
    plan = casting.plan(seed)
    width, height = casting.options.size
    folder = root / f"{plan.name}_{plan.film.scene.num_frames}x{width}x{height}"
    if (folder / "depth.npz").is_file():
        return FilmRecord.load(folder)
    return write_film(folder, plan.film, fit_error=plan.fit_error)


def run_film(record: FilmRecord, job: SceneJob) -> FilmScores:
    """Run the pipeline on a film and score it."""
    began = time.process_time()
    try:
        trajectory = reconstruct(
            record.video,
            _prompts(record, job),
            camera=record.truth.camera if job.camera else None,
            depth=_depth(record) if job.depth else None,
            progress=False,
        )
    except DexmanError as error:
        if type(error).__name__.startswith("Missing"):
            raise
        return FilmScores(
            record.folder.name, record.truth.num_frames, seconds=time.process_time() - began, error=str(error)
        )
    return score_film(record, trajectory, job, time.process_time() - began)


def score_film(record: FilmRecord, trajectory: Trajectory, job: SceneJob, seconds: float = 0.0) -> FilmScores:
    """Score a trajectory of a film."""
    meshes = true_meshes(record)
    objects = {
        name: score_object(record, k, meshes[name], trajectory.objects.get(name), same=job.mesh)
        for k, name in enumerate(record.truth.objects)
    }
    for name in objects:
        thing = None if job.mesh else trajectory.objects.get(name)
        objects[name] |= score_shape(None if thing is None else thing.mesh, meshes[name])
    hands = {side: score_hand(record, k, meshes, trajectory) for k, side in enumerate(record.truth.sides)}
    scene = (
        score_contacts(record, meshes, trajectory)
        | score_distances(record, meshes, trajectory)
        | score_world(record, trajectory)
    )
    return FilmScores(record.folder.name, record.truth.num_frames, objects, hands, scene, seconds)


def true_meshes(record: FilmRecord) -> dict[str, Mesh]:
    """The meshes of a film's objects, metres."""
    from dexman_pose.meshing import load_mesh

    return {name: load_mesh(record.mesh_path(name), "m") for name in record.truth.objects}


def _prompts(record: FilmRecord, job: SceneJob) -> dict[str, ObjectPrompt]:
    meshes = true_meshes(record) if job.mesh else {}
    return {
        name: ObjectPrompt(frame=frame, box=np.array(box), mesh=meshes.get(name))
        for name, (frame, box) in prompted(record).items()
    }


def _depth(record: FilmRecord) -> NDArray[np.float32]:
    """(T, H, W) metres as a sensor gives them."""
    rng = np.random.default_rng([41, record.truth.num_frames])
    return np.stack(
        [noisy_depth(record.depth_image(t), rng, DEPTH_NOISE) for t in range(record.truth.num_frames)]
    )
