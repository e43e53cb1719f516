"""Films in folders: everything that was true is there again."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from dexman_pose.data import Clip
from dexman_pose.datasets.taco.reader import read_taco
from dexman_pose.errors import InputError
from dexman_pose.geometry.se3 import inverse, transform_points
from dexman_pose.meshing import load_mesh
from dexman_pose.synthetic.grasps.film import FilmOptions, GraspFilm
from dexman_pose.synthetic.grasps.placed import PlacedGrasp
from dexman_pose.synthetic.grasps.record import FilmRecord, boxes, prompted, write_film
from dexman_pose.synthetic.grasps.stories import lift, with_bystander
from dexman_pose.synthetic.grasps.taco_layout import MASK_LABELS, SERIAL, write_taco_film
from dexman_pose.synthetic.grasps.truth import FilmTruth

FRAMES = 6


@pytest.fixture(scope="module")
def record(placed: PlacedGrasp, tmp_path_factory: pytest.TempPathFactory) -> FilmRecord:
    scene = with_bystander(
        lift(placed, np.random.default_rng(0)), "other", placed.mesh, np.random.default_rng(1)
    )
    last = float(scene.num_frames - 1)
    options = FilmOptions(size=(160, 120), resolution=0.005, forearm=0.3, shadow_pixels=64)
    film = GraspFilm(scene.at_frames(np.linspace(0.0, last, FRAMES)), 2, options)
    return write_film(tmp_path_factory.mktemp("film"), film, fit_error=np.array([0.001]))


def test_the_folder_holds_what_it_says(record: FilmRecord) -> None:
    clip = Clip.open(record.video)
    assert (clip.num_frames, clip.width, clip.height) == (FRAMES, 160, 120)
    with Image.open(record.folder / "sheet.png") as sheet:
        assert sheet.size == (4 * 80, 2 * 60) and np.asarray(sheet).std() > 10
    again = FilmRecord.load(record.folder)
    np.testing.assert_array_equal(again.labels, record.labels)
    np.testing.assert_array_equal(again.depth, record.depth)
    for name in ("camera_from_object", "joints", "gaps", "touching", "held", "visible", "table", "K"):
        np.testing.assert_array_equal(getattr(again.truth, name), getattr(record.truth, name))
    assert again.truth.objects == ("tin", "other") and again.truth.sides == ("right",)
    assert again.truth.camera.width == 160 and again.truth.fit_error.tolist() == [0.001]
    mesh = load_mesh(record.mesh_path("tin"), "m")
    assert abs(mesh.radius - load_mesh(record.mesh_path("other"), "m").radius) < 1e-6
    prompts = json.loads((record.folder / "prompts.json").read_text())
    assert list(prompts["objects"]) == ["tin", "other"]


def test_truth_agrees_with_itself(record: FilmRecord) -> None:
    truth = record.truth
    mesh = load_mesh(record.mesh_path("tin"), "m")
    feet = transform_points(truth.camera_from_object[0, 0], mesh.vertices)
    height = feet @ truth.table[:3] + truth.table[3]
    assert abs(height.min()) < 1e-3 and 0.05 < height.max() < 0.2
    np.testing.assert_allclose(truth.gravity, -truth.table[:3])
    up = inverse(truth.camera_from_world)[:3, :3] @ truth.table[:3]
    np.testing.assert_allclose(up, [0.0, 0.0, 1.0], atol=1e-9)
    assert truth.touching[0, 0, -1, :5].sum() >= 3 and truth.held[0, 0, -1]
    assert not truth.touching[0, 0, 0].any() and not truth.touching[0, 1].any()
    assert (truth.visible <= 1.0).all() and truth.visible[0, 0] > 0.8
    lengths = np.linalg.norm(truth.joints[0, :, 9] - truth.joints[0, :, 0], axis=-1)
    np.testing.assert_allclose(lengths, truth.bone_lengths[0, 9], atol=1e-9)


def test_boxes_lie_around_what_is_seen(record: FilmRecord) -> None:
    for label, (x0, y0, x1, y1) in enumerate(boxes(record).values(), 1):
        v, u = np.nonzero(record.labels[0] == label)
        assert x0 <= u.min() and u.max() <= x1 and y0 <= v.min() and v.max() <= y1
        assert x1 - x0 <= np.ptp(u) + 9


def test_an_object_is_pointed_at_where_most_of_it_is_seen(record: FilmRecord) -> None:
    name = record.truth.objects[0]
    assert prompted(record)[name] == (0, boxes(record)[name])
    visible = record.truth.visible.copy()
    visible[0] = [0.3, 0.5, 0.7, *visible[0, 3:]]
    hidden = replace(record, truth=replace(record.truth, visible=visible))
    assert prompted(hidden)[name] == (2, boxes(record, 2)[name])
    visible[0] = np.linspace(0.1, 0.4, len(visible[0]))
    never = replace(record, truth=replace(record.truth, visible=visible))
    last = len(visible[0]) - 1
    assert prompted(never)[name] == (last, boxes(record, last)[name])
    gone = replace(record, labels=np.where(record.labels == 1, 0, record.labels).astype(np.uint8))
    assert name not in prompted(gone)


def test_truth_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="make a film first"):
        FilmTruth.load(tmp_path)
    np.savez(tmp_path / "truth.npz", K=np.eye(3))
    with pytest.raises(InputError, match="it lacks"):
        FilmTruth.load(tmp_path)


def test_the_reader_of_taco_reads_films(record: FilmRecord, tmp_path: Path) -> None:
    name = write_taco_film(tmp_path, record, 7)
    found = {r.view: r for r in read_taco(tmp_path, mask_labels=MASK_LABELS)}
    assert set(found) == {SERIAL, "egocentric"} and name == "20000101_007"
    for view in found.values():
        assert view.name == name and view.num_frames == FRAMES and list(view.objects) == ["tool", "target"]
        np.testing.assert_allclose(
            view.objects["tool"].camera_from_object, record.truth.camera_from_object[0], atol=1e-6
        )
        np.testing.assert_allclose(view.hands["right"].joints, record.truth.joints[0], atol=1e-6)
        assert "left" not in view.hands or not view.hands["left"].valid.any()
        assert view.camera.fx == pytest.approx(record.truth.K[0, 0])
    depth = found["egocentric"].depth
    assert depth is not None
    np.testing.assert_allclose(depth(2), record.depth_image(2), atol=2.6e-4)
    masks = found[SERIAL].masks
    assert masks is not None
    seen = masks(0)
    assert seen is not None
