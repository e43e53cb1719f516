"""Sets of demonstrations: counted, kept, gone on with, read as a data set."""

from __future__ import annotations

import json
from dataclasses import replace
from math import sqrt
from pathlib import Path

import numpy as np
import pytest

from dexman_pose.data import Mesh
from dexman_pose.datasets.taco.reader import read_taco
from dexman_pose.errors import InputError, MissingExtraError
from dexman_pose.robot.skill.plan_file import read_plan
from dexman_pose.synthetic.grasps.filming import FilmOptions
from dexman_pose.synthetic.grasps.record import FilmRecord
from dexman_pose.synthetic.skills.attempt import AttemptOptions
from dexman_pose.synthetic.skills.given import meshes_of_plan, swaps_for
from dexman_pose.synthetic.skills.make import SUMMARY, SkillJob, make_demonstrations
from dexman_pose.synthetic.skills.side_by_side import in_order


@pytest.fixture
def job(plan_folder: Path, mesh: Mesh, tmp_path: Path) -> SkillJob:
    colored = replace(mesh, vertex_colors=np.full((len(mesh.vertices), 3), 200, np.uint8))
    return SkillJob(
        plan_folder,
        {"cube": colored},
        tmp_path / "out",
        trying=AttemptOptions(search=None),
        filming=FilmOptions(size=(64, 48), threads=1),
    )


def test_demonstrations_are_made_counted_and_gone_on_with(job: SkillJob) -> None:
    said: list[str] = []
    made = make_demonstrations(job, 1, said=said.append)
    assert len(made.films) == 1 and made.succeeded == 1
    assert any("success" in line for line in said)
    film = made.films[0]
    before = (film / "video.mp4").stat().st_mtime_ns
    more = make_demonstrations(job, 2)
    assert more.films[0] == film and len(more.films) == 2
    assert (film / "video.mp4").stat().st_mtime_ns == before, "what is there is not made again"
    told = json.loads((job.out / SUMMARY).read_text())
    assert told["demonstrations"] == 2 and told["tried"] == more.tried
    assert told["yield"] == pytest.approx(2 / more.tried)
    assert not list((job.out / "films").glob(".*")), "nothing half-made is left"
    record, plan = FilmRecord.load(film), read_plan(film / "plan.npz")
    assert record.truth.num_frames == plan.num_frames and plan.score().success
    assert plan.about["varied"]["sizes"][0] != 1.0
    with pytest.raises(InputError, match="another plan, seed"):
        make_demonstrations(replace(job, seed=1), 1)


def test_demonstrations_are_read_as_taco(job: SkillJob) -> None:
    made = make_demonstrations(job, 1)
    truth = FilmRecord.load(made.films[0]).truth
    views = list(read_taco(job.out))
    assert len(views) == 2
    fixed = next(v for v in views if v.view != "egocentric")
    assert np.allclose(fixed.objects["tool"].camera_from_object, truth.camera_from_object[0], atol=1e-5)
    assert np.allclose(fixed.objects["tool"].mesh.extents, made_size(made.films[0]), rtol=1e-3)


def made_size(film: Path) -> np.ndarray:
    size = read_plan(film / "plan.npz").about["varied"]["sizes"][0]
    return np.full(3, 0.04 * size)


def test_none_is_kept_that_fails(job: SkillJob) -> None:
    slippery = replace(job, varying=replace(job.varying, friction=0.0, size=0.0, mass=0.0), most=2)
    plan = read_plan(job.plan)
    open_hand = replace(plan, controls=np.repeat(plan.controls[:1], plan.num_frames, axis=0))
    from dexman_pose.robot.skill.plan_file import write_plan

    folder = job.out.parent / "open"
    folder.mkdir()
    write_plan(folder / "plan.npz", open_hand)
    made = make_demonstrations(replace(slippery, plan=folder), 2)
    assert made.films == () and made.succeeded == 0 and made.tried == 4
    assert "0 of 4 attempts" in made.told()


def test_missing_meshes_are_named(job: SkillJob, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no mesh is given for cube"):
        make_demonstrations(replace(job, meshes={}), 1)
    with pytest.raises(InputError, match="--meshes"):
        meshes_of_plan(["cube"], tmp_path, None)
    with pytest.raises(InputError, match=r"NAME=PATH with an object of the plan \(cube\)"):
        swaps_for(job.meshes, ["cup=a.obj"])


def test_jobs_come_back_in_order() -> None:
    assert list(in_order(sqrt, [4.0, 9.0, 16.0], 1)) == [2.0, 3.0, 4.0]
    assert list(in_order(sqrt, iter([4.0, 9.0, 16.0]), 2)) == [2.0, 3.0, 4.0]
    with pytest.raises(InputError, match="processes or ray"):
        list(in_order(sqrt, [1.0], 1, "threads"))
    try:
        import ray  # noqa: F401
    except ImportError:
        with pytest.raises(MissingExtraError, match="batch"):
            list(in_order(sqrt, [1.0], 1, "ray"))
