"""A board that is turned before the camera is found to be flat; few frames are spread over what happens."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import trimesh

from dexman_pose.data import Camera, Clip, MaskSequence, Mesh, PoseTrack
from dexman_pose.geometry import se3, so3_exp
from dexman_pose.meshing.hypotheses.guesses import ShapeGuess
from dexman_pose.pose.clip import objects
from dexman_pose.pose.clip.few_frames import few_frames, shown_frames
from dexman_pose.pose.clip.options import ChoiceOptions, RoadOptions
from dexman_pose.pose.clip.shape_choice import Tried, choose_shape, habit, sureness
from dexman_pose.pose.clip.start import begin_object
from dexman_pose.pose.clip.types import ObjectRequest, ObjectStart
from dexman_pose.pose.observation.view import ObjectClip
from dexman_pose.render import Rasterizer

CAMERA = Camera.from_focal(260.0, 200, 150)
FRAMES = 9


def _board() -> Mesh:
    solid = trimesh.creation.box((0.16, 0.1, 0.012)).subdivide_to_size(0.012)
    vertices = np.asarray(solid.vertices)
    waves = 128 + 80 * np.sin(
        vertices @ np.array([[90.0, 20.0, 10.0], [30.0, 110.0, 0.0], [70.0, 70.0, 40.0]]).T
    )
    return Mesh(vertices, np.asarray(solid.faces), vertex_colors=waves.astype(np.uint8))


@pytest.fixture(scope="module")
def filmed() -> ObjectClip:
    """The board lies before a camera that looks down by 40 degrees, and is then stood on its edge."""
    mesh, tilt = _board(), np.radians(40.0)
    lying = so3_exp(np.array([np.pi / 2 + tilt, 0.0, 0.0])) @ so3_exp(np.array([0.0, 0.0, 0.4]))
    turns = np.radians(np.r_[0.0, 0.0, np.linspace(0.0, 70.0, FRAMES - 2)])
    poses = se3(
        np.stack([so3_exp(np.array([-0.6 * a, 0.8 * a, 0.0])) @ lying for a in turns]),
        np.array([0.0, 0.0, 0.4]),
    )
    drawn = Rasterizer(mesh).render(poses, CAMERA.K, 200, 150, attributes=("color",))
    assert drawn.color is not None
    rng = np.random.default_rng(1)
    images = np.where(drawn.mask[..., None], 255 * drawn.color, 90.0) + rng.normal(
        0, 2, (FRAMES, 150, 200, 3)
    )
    masks = MaskSequence(("board",), 150, 200, FRAMES, np.ones((FRAMES, 1)))
    for t in range(FRAMES):
        masks.set(t, drawn.mask[t].astype(np.uint8))
    return ObjectClip(Clip.from_frames(images.clip(0, 255).astype(np.uint8)), masks, "board", CAMERA)


@pytest.fixture(scope="module")
def start(filmed: ObjectClip) -> ObjectStart:
    return begin_object(ObjectRequest("board", frame=0), filmed, {}, RoadOptions())


def test_a_board_that_is_turned_is_flat(filmed: ObjectClip, start: ObjectStart) -> None:
    chosen = choose_shape(filmed, start)
    assert chosen.mesh.source in ("extruded", "box")
    sides = np.sort(
        trimesh.Trimesh(chosen.mesh.vertices, chosen.mesh.faces).bounding_box_oriented.primitive.extents
    )
    first = np.sort(
        trimesh.Trimesh(start.mesh.vertices, start.mesh.faces).bounding_box_oriented.primitive.extents
    )
    assert sides[0] / sides[2] == pytest.approx(0.012 / 0.16, rel=0.6)
    assert sides[1] / sides[2] == pytest.approx(0.1 / 0.16, rel=0.2)
    assert first[0] / first[2] > 3 * sides[0] / sides[2]
    assert chosen.mesh.sure is not None
    assert 0 < chosen.mesh.sure <= 1
    assert chosen.mesh.vertex_colors is not None
    assert (chosen.camera_from_object == start.camera_from_object).all()


def test_a_shape_far_behind_another_is_given_up(filmed: ObjectClip, start: ObjectStart) -> None:
    few = few_frames(filmed, 0, FRAMES, 20)
    overlaps, sure = few.follow(start.mesh, start.camera_from_object)
    assert overlaps[0] > 0.9
    assert len(overlaps) == len(sure) == len(few.frames)
    better = np.minimum(overlaps + 0.2, 1.2)
    early, _ = few.follow(start.mesh, start.camera_from_object, better, 0.1)
    missing = better - early
    assert missing[-1] == pytest.approx(missing[-2], abs=1e-9)
    assert missing[-1] > 0.1


def test_frames_without_the_object_are_not_looked_at(filmed: ObjectClip) -> None:
    gone = MaskSequence(("board",), 150, 200, FRAMES, np.ones((FRAMES, 1)))
    for t in range(FRAMES):
        gone.set(t, filmed.masks.labels(t) if t != 4 else np.zeros((150, 200), np.uint8))
    found = shown_frames(gone, "board", 2, FRAMES, 20)
    assert 4 not in found
    assert 2 in found
    assert found == sorted(found)


def test_what_happens_gets_the_frames() -> None:
    masks = MaskSequence(("thing",), 60, 80, 40, np.ones((40, 1)))
    for t in range(40):
        labels = np.zeros((60, 80), np.uint8)
        labels[20:40, max(t - 30, 0) * 5 : max(t - 30, 0) * 5 + 20] = 1
        masks.set(t, labels)
    found = np.array(shown_frames(masks, "thing", 0, 8, 10))
    assert (found >= 30).sum() > (found < 30).sum()


def _tried(kind: str, merit: float) -> Tried:
    mesh = Mesh(np.eye(3), np.array([[0, 1, 2]]))
    return Tried(ShapeGuess(kind, mesh, np.array([0.0, 0.0, 1.0])), mesh, 1.0, np.ones(2), 1.0, merit)


def test_how_sure_a_kind_is() -> None:
    alone = _tried("box", 1.0)
    assert sureness(alone, [alone]) == 1.0
    even = [_tried("box", 1.0), _tried("vessel", 1.0), _tried("vessel", 0.5)]
    assert sureness(even[0], even) == pytest.approx(0.5)
    assert sureness(even[0], [even[0], _tried("vessel", 0.9)]) > 0.99


def test_habits() -> None:
    o, up = ChoiceOptions(), np.array([0.0, 0.0, 1.0])
    mesh = Mesh(np.eye(3), np.array([[0, 1, 2]]))
    slab = ShapeGuess("extruded", mesh, up, numbers={"thickness": o.thick})
    thin = replace(slab, numbers={"thickness": o.thick / 5})
    assert habit(slab, 1.0, o) > habit(thin, 1.0, o)
    assert habit(slab, 1.0, o) > habit(slab, o.full - 0.05, o)
    assert habit(replace(slab, kind="vessel"), 1.0, o) > habit(slab, 1.0, o)


@pytest.mark.parametrize(
    ("overlap", "promising", "back"),
    [(0.8, True, True), (0.8, False, False), (0.5, False, True), (0.95, True, False)],
)
def test_the_first_shape_comes_back_where_the_chosen_one_explains_less(
    filmed: ObjectClip,
    start: ObjectStart,
    monkeypatch: pytest.MonkeyPatch,
    overlap: float,
    promising: bool,
    back: bool,
) -> None:
    worse, asked = replace(start, mesh=replace(start.mesh, source="box")), []

    def track(quality: float) -> PoseTrack:
        return PoseTrack(np.eye(4)[None], np.ones(1, bool), np.ones(1), mask_iou=np.array([quality]))

    def tracked(clips: object, starts: dict[str, ObjectStart], followed: object) -> dict[str, PoseTrack]:
        asked.extend(s.mesh.source for s in starts.values())
        return {name: track(0.92) for name in starts}

    monkeypatch.setattr(objects, "_tracked", tracked)
    monkeypatch.setattr(objects, "judged_again", lambda track, **_: track)
    monkeypatch.setattr(objects, "_is_promising", lambda *_: promising)
    kept, _ = objects._second_thoughts(
        {"board": filmed}, {"board": worse}, {"board": track(overlap)}, {"board": start}, RoadOptions()
    )
    assert kept["board"] is (start if back else worse)
    assert asked == (["silhouette"] if back else [])
