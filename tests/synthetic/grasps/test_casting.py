"""Which film a seed gives."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from dexman_pose.errors import InputError
from dexman_pose.synthetic.demo.clip import SyntheticClip
from dexman_pose.synthetic.demo.files import write_obj
from dexman_pose.synthetic.grasps.casting import Casting
from dexman_pose.synthetic.grasps.film import FilmOptions

SMALL = FilmOptions(size=(96, 72), resolution=0.005, forearm=0.1, shadow_pixels=32)


def test_a_seed_gives_the_same_film_and_never_too_long_a_one(grasp_folder: Path) -> None:
    write_obj(grasp_folder / "meshes" / "box.obj", SyntheticClip(1, 64, 48).mesh)
    casting = Casting(grasp_folder / "grasps", grasp_folder / "meshes", options=SMALL, frames=12)
    names = set()
    for seed in (0, 1, 2, 3):
        plan, again = casting.plan(seed), casting.plan(seed)
        assert plan.name == again.name and plan.film.scene.num_frames <= 12
        np.testing.assert_array_equal(plan.film.camera_from_world, again.film.camera_from_world)
        np.testing.assert_array_equal(plan.film.joints, again.film.joints)
        names.add(plan.film.scene.kind)
        assert plan.film.scene.held.any() and not plan.film.scene.held[:, :, 0].any()
        assert plan.fit_error.shape == (len(plan.film.scene.hands),) and plan.fit_error.max() < 4e-3
    assert names >= {"lift", "put_back", "two_hands"}


def test_folders_and_stories_that_are_not_there(grasp_folder: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no grasps"):
        Casting(tmp_path, grasp_folder / "meshes")
    with pytest.raises(InputError, match="no folder of meshes"):
        Casting(grasp_folder / "grasps", tmp_path / "none")
    with pytest.raises(InputError, match="juggle"):
        Casting(grasp_folder / "grasps", grasp_folder / "meshes", kinds=("juggle",))


@pytest.mark.data
def test_real_grasps_make_films(data_dir: Path) -> None:
    casting = Casting(data_dir / "grasps", data_dir / "meshes" / "ycb", options=SMALL, kinds=("lift",))
    plan = casting.plan(1)
    picture = plan.film.picture(plan.film.scene.num_frames - 1)
    assert (picture.labels == 1).any() and (picture.labels == 255).any()
    assert plan.fit_error.max() < 4e-3
