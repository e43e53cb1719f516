"""From one plan many demonstrations: drawn, tried, filmed where they succeed, kept where an interrupted call goes on.

| in the folder | |
|---|---|
| ``skill.json`` | what the demonstrations are made of; another plan's are refused |
| ``attempts/NNNN.json`` | what became of each that was tried; of those that succeed ``attempts/NNNN.npz``, the plan |
| ``films/NNNN_<objects>/`` | each that succeeded, as a film with its truth, and its ``plan.npz`` |
| TACO's folders | the same films as that data set has them |
| ``summary.json`` | counts and yield |

Whether a demonstration succeeds, and how it looks, depends on seed and number alone, not on workers or interruptions.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from dexman_pose.data import Mesh
from dexman_pose.data.files import make_folder, read_json_or_none, write_json
from dexman_pose.errors import EstimationError, InputError
from dexman_pose.robot.skill.plan import Plan
from dexman_pose.robot.skill.plan_file import NAME, read_plan, write_plan
from dexman_pose.synthetic.grasps.filming import FilmOptions
from dexman_pose.synthetic.grasps.record import FilmRecord, write_film
from dexman_pose.synthetic.grasps.taco_layout import write_taco_film
from dexman_pose.synthetic.skills.attempt import AttemptOptions, attempt
from dexman_pose.synthetic.skills.film import SkillFilm
from dexman_pose.synthetic.skills.side_by_side import in_order
from dexman_pose.synthetic.skills.variation import Variation, VariationOptions, drawn
from dexman_pose.synthetic.skills.varied import shown_meshes

FORMAT, VERSION = "dexman_pose demonstrations", 1
HEADER, SUMMARY = "skill.json", "summary.json"
_VIEWS = 8
_NEXT_VIEW = 1_000_003
_SET = 10_007  # apart from each other the seeds of films of neighbouring sets


@dataclass(frozen=True)
class SkillJob:
    """What is made.

    Attributes:
        plan: file of the plan, or its folder.
        meshes: of its objects by name, metres, in the objects' frames.
        swaps: meshes that may stand in for each object, by its name and theirs, put in its frame.
        out: folder.
        seed: of all that is drawn.
        most: attempts per demonstration wanted, after which it is given up.
        robots: descriptions of the hands by side, which are drawn; without them hands are drawn as they collide.
        varying: how far demonstrations differ.
        trying: whether controls are searched anew.
        filming: how they are filmed.
    """

    plan: Path
    meshes: Mapping[str, Mesh]
    out: Path
    swaps: Mapping[str, Mapping[str, Mesh]] = field(default_factory=dict)
    seed: int = 0
    most: int = 10
    robots: Mapping[str, Path] = field(default_factory=dict)
    varying: VariationOptions = field(default_factory=VariationOptions)
    trying: AttemptOptions = field(default_factory=AttemptOptions)
    filming: FilmOptions = field(default_factory=FilmOptions)


@dataclass(frozen=True)
class Made:
    """What was made.

    Attributes:
        films: folders of the demonstrations, in their order.
        tried: attempts.
        succeeded: of these, by the plan's own controls or new ones.
        searched: of those that succeeded, how many by new controls.
    """

    films: tuple[Path, ...]
    tried: int
    succeeded: int
    searched: int

    def told(self) -> str:
        """In one line."""
        share = 100.0 * self.succeeded / max(self.tried, 1)
        return (
            f"{len(self.films)} demonstrations; {self.succeeded} of {self.tried} attempts succeeded ({share:.0f} %), "
            f"{self.searched} of them with controls searched anew"
        )


def make_demonstrations(
    job: SkillJob,
    count: int,
    *,
    workers: int = 1,
    way: str = "processes",
    said: Callable[[str], object] = lambda line: None,
) -> Made:
    """Make demonstrations until there are enough.

    Args:
        job: what is made.
        count: demonstrations wanted.
        workers: processes.
        way: how these are run, see :func:`~dexman_pose.synthetic.skills.side_by_side.in_order`.
        said: called with a line for every attempt and film.

    Raises:
        InputError: no plan, a mesh is missing, the folder holds another skill's demonstrations, or hands on arms.
        MissingExtraError: MuJoCo, a writer of videos, or Ray is needed and not there.
    """
    plan = read_plan(job.plan)
    names = plan.world().objects
    missing = [name for name in names if name not in job.meshes]
    if missing:
        raise InputError(f"no mesh is given for {', '.join(missing)}; the plan's objects: {', '.join(names)}")
    _claim(job, plan)
    good: list[int] = []
    tried = searched = 0
    for index, told in _attempts(job, count, workers, way):
        tried += 1
        said(_line(index, told))
        if told["success"]:
            good.append(index)
            searched += bool(told["searched"])
        if len(good) >= count:
            break
    films = []
    jobs = ((job, names, index) for index in good)
    for folder in in_order(_filmed, jobs, workers, way):
        said(str(folder))
        films.append(folder)
    made = Made(tuple(films), tried, len(good), searched)
    write_json(job.out / SUMMARY, _summary(made, job))
    return made


def _claim(job: SkillJob, plan: Plan) -> None:
    """Write what the folder holds; refuse one that holds something else."""
    header = {"format": FORMAT, "version": VERSION, "key": _key(job, plan), "seed": job.seed}
    header |= {"source": plan.about.get("source", ""), "varying": asdict(job.varying)}
    make_folder(job.out / "attempts")
    make_folder(job.out / "films")
    before = read_json_or_none(job.out / HEADER)
    if before is not None and before.get("key") != header["key"]:
        raise InputError(
            f"{job.out} holds demonstrations of another plan, seed or settings; give another folder"
        )
    write_json(job.out / HEADER, header)


def _key(job: SkillJob, plan: Plan) -> str:
    text = hashlib.sha256(plan.model.encode())
    for values in (plan.start, plan.controls, plan.reference, plan.qpos):
        text.update(np.ascontiguousarray(values).tobytes())
    meshes = [("", name, mesh) for name, mesh in job.meshes.items()]
    meshes += [(n, other, mesh) for n, by in job.swaps.items() for other, mesh in by.items()]
    for of, name, mesh in sorted(meshes, key=lambda m: m[:2]):
        text.update(f"{of}/{name}".encode())
        text.update(np.ascontiguousarray(mesh.vertices).tobytes())
    text.update(repr((VERSION, job.seed, job.varying, job.trying, job.filming)).encode())
    return text.hexdigest()


def _attempts(job: SkillJob, count: int, workers: int, way: str) -> Iterator[tuple[int, dict[str, Any]]]:
    """Numbers of attempts and what became of them, in order; as many as are asked for, up to a limit."""
    limit = job.most * count
    yield from in_order(_attempted, ((job, index) for index in range(limit)), workers, way)


def _attempted(given: tuple[SkillJob, int]) -> tuple[int, dict[str, Any]]:
    """Try one, or read what became of it before."""
    job, index = given
    file = job.out / "attempts" / f"{index:04d}.json"
    before = read_json_or_none(file)
    if isinstance(before, dict) and "success" in before:
        return index, before
    plan = read_plan(job.plan)
    names = plan.world().objects
    done = attempt(
        plan,
        [job.meshes[name] for name in names],
        variation_of(job, names, index),
        {k: mesh for by in job.swaps.values() for k, mesh in by.items()},
        job.trying,
    )
    if done.success:
        write_plan(file.with_suffix(".npz"), done.plan)
    values = done.values()
    write_json(file, values)
    return index, values


def variation_of(job: SkillJob, names: tuple[str, ...], index: int) -> Variation:
    """How the demonstration of a number differs."""
    return drawn(job.seed, index, tuple(tuple(job.swaps.get(n, ())) for n in names), job.varying)


def _filmed(given: tuple[SkillJob, tuple[str, ...], int]) -> Path:
    """Film one, or find it where it lies."""
    job, names, index = given
    variation = variation_of(job, names, index)
    shown = [name if own else f"{name}_{index:04d}" for name, own in zip(names, variation.own_shape)]
    label = f"{index:04d}_{'_'.join(names)}"
    folder = job.out / "films" / label
    if not folder.is_dir():
        partial = job.out / "films" / f".{label}"
        shutil.rmtree(partial, ignore_errors=True)
        plan = read_plan(job.out / "attempts" / f"{index:04d}.npz")
        swaps = {k: mesh for by in job.swaps.values() for k, mesh in by.items()}
        meshes = shown_meshes([job.meshes[name] for name in names], variation, swaps)
        write_film(partial, _film(job, plan, shown, meshes, index))
        write_plan(partial / NAME, plan)
        partial.rename(folder)
    write_taco_film(job.out, FilmRecord.load(folder), index)
    return folder


def _film(job: SkillJob, plan: Plan, names: list[str], meshes: tuple[Mesh, ...], index: int) -> SkillFilm:
    """The film of the first camera that shows all of it."""
    first = job.seed * _SET + index
    for view in range(_VIEWS):
        try:
            seed = first + view * _NEXT_VIEW
            return SkillFilm(plan, names, meshes, seed, dict(job.robots), job.filming)
        except EstimationError:
            if view == _VIEWS - 1:
                raise
    raise AssertionError


def _line(index: int, told: dict[str, Any]) -> str:
    how = " with controls searched anew" if told["searched"] else ""
    if told["success"]:
        return f"{index:04d}: success{how}"
    return f"{index:04d}: lost at frame {told['tracked']} of {told['frames']}{how}"


def _summary(made: Made, job: SkillJob) -> dict[str, Any]:
    return {
        "demonstrations": len(made.films),
        "tried": made.tried,
        "succeeded": made.succeeded,
        "searched_anew": made.searched,
        "yield": made.succeeded / max(made.tried, 1),
        "seed": job.seed,
        "films": [folder.name for folder in made.films],
    }
