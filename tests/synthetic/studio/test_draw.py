"""The renderer: labels of several things and hands, exposures, majorities."""

from __future__ import annotations

import numpy as np
import pytest
import trimesh

from dexman_pose.data import Camera, Mesh
from dexman_pose.geometry.se3 import se3, so3_exp
from dexman_pose.hands.model.hand_model import HandModel
from dexman_pose.synthetic.demo.clip import look_at
from dexman_pose.synthetic.scenes.shape_parts import corner_normals
from dexman_pose.synthetic.studio.backdrop import wooden_table
from dexman_pose.synthetic.studio.draw import Moment, Solid, Studio, majority
from dexman_pose.synthetic.studio.hands import HandLook, PosedHand
from dexman_pose.synthetic.studio.light import studio

CAMERA = Camera.from_focal(160, 160, 120)
POSE = look_at([0.0, -0.5, 0.45], [0.0, 0.0, 0.02])


def _box(color: tuple[int, int, int]) -> Solid:
    box = trimesh.creation.box((0.06, 0.06, 0.06))
    vertices, faces = np.asarray(box.vertices), np.asarray(box.faces)
    colors = np.tile(np.array(color, np.uint8), (len(vertices), 1))
    mesh = Mesh(vertices, faces, vertex_colors=colors)
    return Solid(mesh, corner_normals(mesh.vertices, mesh.faces))


@pytest.fixture(scope="module")
def room() -> Studio:
    lights = studio(np.array([0.0, 0.0, 0.05]), size=64)
    return Studio(
        CAMERA, POSE, [_box((220, 30, 30)), _box((30, 30, 220))], wooden_table(CAMERA, POSE), lights
    )


@pytest.fixture(scope="module")
def hands() -> list[HandModel]:
    return [HandModel(side, forearm_length=0.1, resolution=0.005) for side in ("right", "left")]


def _at(x: float, y: float, z: float = 0.03) -> np.ndarray:
    return se3(np.eye(3), [x, y, z])


def _posed(model: HandModel, x: float, look: HandLook | None = None) -> PosedHand:
    place = se3(so3_exp([0.0, 0.0, np.pi / 2]), [x, -0.1, 0.05])
    return PosedHand(model, model, model.pose(), place, np.zeros(3), look)


def test_every_thing_and_hand_has_its_own_label(room: Studio, hands: list[HandModel]) -> None:
    seen = room.draw([_at(-0.05, 0.0), _at(0.05, 0.0)], [_posed(hands[0], 0.17), _posed(hands[1], -0.17)])
    assert set(np.unique(seen.labels)) == {0, 1, 2, 255} and set(np.unique(seen.hand_ids)) == {0, 1, 2}
    red, blue = (seen.image[seen.labels == k].astype(float).mean(0) for k in (1, 2))
    assert red[0] > 2 * red[2] and blue[2] > 2 * blue[0]
    columns = np.arange(160)
    where = {k: (columns * (seen.labels == k)).sum() / (seen.labels == k).sum() for k in (1, 2)}
    side = {k: (columns * (seen.hand_ids == k)).sum() / (seen.hand_ids == k).sum() for k in (1, 2)}
    assert where[1] < 80 < where[2] and side[2] < where[1] < where[2] < side[1]
    np.testing.assert_array_equal(seen.hand_ids > 0, seen.labels == 255)


def test_what_is_nearer_hides_what_is_behind_but_not_its_outline(room: Studio) -> None:
    alone = room.draw([_at(0.0, 0.1), _at(0.3, 0.3)], [])
    both = room.draw([_at(0.0, 0.1), _at(0.0, 0.0)], [])
    np.testing.assert_array_equal(both.outlines[0], alone.outlines[0])
    assert (both.labels == 1).sum() < 0.8 * (alone.labels == 1).sum()
    assert both.depth[both.labels == 2].max() < alone.depth[alone.labels == 1].max()


def test_things_throw_shadows_on_the_table(room: Studio) -> None:
    empty = room.draw([_at(0.0, -9.0), _at(0.0, -9.0)], []).light.sum(-1)
    full = room.draw([_at(0.0, 0.0), _at(0.0, -9.0)], [])
    table = full.labels == 0
    darker = (full.light.sum(-1) < 0.8 * empty) & table
    assert 20 < darker.sum() < 0.4 * table.sum()


def test_an_exposure_is_the_mean_of_its_moments_and_labels_are_the_middle_ones(room: Studio) -> None:
    moments = [Moment([_at(x, 0.0), _at(0.2, 0.2)], []) for x in (-0.02, 0.0, 0.02)]
    blurred, sharp = room.expose(moments), room.draw(moments[1].places, [])
    np.testing.assert_array_equal(blurred.labels, sharp.labels)
    np.testing.assert_array_equal(blurred.depth, sharp.depth)
    edge = np.abs(np.diff(blurred.light[..., 0], axis=1)).max()
    assert edge < 0.8 * np.abs(np.diff(sharp.light[..., 0], axis=1)).max()
    np.testing.assert_allclose(room.expose([moments[1]] * 3).light, sharp.light, atol=1e-6)


def test_skin_and_sleeve_are_those_of_the_look(room: Studio, hands: list[HandModel]) -> None:
    pale, dark = _posed(hands[0], 0.0), _posed(hands[0], 0.0, HandLook(skin=(0.4, 0.3, 0.3)))
    skin = pale.cloth() == 0
    np.testing.assert_allclose(
        dark.albedo()[skin] / pale.albedo()[skin], [[0.4, 0.3, 0.3]] * skin.sum(), rtol=1e-5
    )
    long = _posed(hands[0], 0.0, HandLook(sleeve=(250.0, 10.0, 10.0), sleeve_start=-0.03, rumple=1.0))
    assert long.cloth().sum() > pale.cloth().sum() + 100
    worn = long.cloth() == 1
    assert long.albedo()[worn][:, 0].min() > 0.9
    lifted = np.linalg.norm(
        long.vertices - _posed(hands[0], 0.0, HandLook(sleeve_start=-1.0)).vertices, axis=1
    )
    assert 0.001 < lifted[worn].mean() < 0.012 and lifted[long.cloth() == 0].max() < 1e-9


def test_majority_prefers_what_comes_first() -> None:
    labels = np.array([[1, 255, 0, 0], [255, 1, 2, 0]], np.uint8)
    np.testing.assert_array_equal(majority(labels, 2, [1, 2, 255]), [[1, 0]])
    np.testing.assert_array_equal(majority(labels, 2, [255, 2, 1]), [[255, 0]])
