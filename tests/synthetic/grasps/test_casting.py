"""Which film a seed gives."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from dexman_pose.data import Clip
from dexman_pose.data.tracks import SIDES
from dexman_pose.errors import InputError
from dexman_pose.hands.detect import detect_hands
from dexman_pose.synthetic.demo.clip import SyntheticClip
from dexman_pose.synthetic.demo.files import write_obj
from dexman_pose.synthetic.grasps.casting import Casting
from dexman_pose.synthetic.grasps.film import FilmOptions
from dexman_pose.synthetic.grasps.record import write_film

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


@pytest.mark.data
def test_the_hand_detector_sees_drawn_hands(data_dir: Path, tmp_path: Path) -> None:
    """In more than nine of ten frames in which at least half of the hand is not hidden."""
    casting = Casting(data_dir / "grasps", data_dir / "meshes" / "ycb", kinds=("lift",), frames=48)
    record = write_film(tmp_path, casting.plan(5).film)
    seen = detect_hands(Clip.open(record.video), model=data_dir / "weights" / "hand_landmarker.task")
    side = SIDES.index(record.truth.sides[0])
    shown = record.truth.hand_seen[0] >= 0.5
    assert shown.sum() >= 24 and seen.detected[shown, side].mean() > 0.9
    pixels = record.truth.camera.project(record.truth.joints[0])
    palm = np.linalg.norm(pixels[:, 9] - pixels[:, 0], axis=-1)
    error = np.linalg.norm(seen.joints_2d[:, side] - pixels, axis=-1).mean(-1) / palm
    assert np.median(error[shown]) < 0.25
