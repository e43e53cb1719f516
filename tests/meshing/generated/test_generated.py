"""Meshes of other programs: which picture they get, and what becomes of what they answer."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
import trimesh

from dexman_pose.data import OCCLUDER, Camera, MaskSequence, Mesh
from dexman_pose.data.accept import as_clip
from dexman_pose.errors import EstimationError, InputError, MeshError
from dexman_pose.meshing.bake import baked
from dexman_pose.meshing.generated.clean import cleaned, colored, is_closed
from dexman_pose.meshing.generated.holes import filled, joined
from dexman_pose.meshing.generated.outside import make_outside
from dexman_pose.meshing.generated.picture import PictureOptions, best_picture, cut_out
from dexman_pose.meshing.generated.request import MeshRequest
from dexman_pose.networks.outside.environment import Environment

HEIGHT, WIDTH = 60, 80
SMALL = PictureOptions(side=64, least=50)


def scene(hidden: int | None = None) -> tuple[np.ndarray, np.ndarray]:
    """A chequered square on grey, and labels; a hand over its left part where ``hidden`` tells how far."""
    image = np.full((HEIGHT, WIDTH, 3), 90, np.uint8)
    v, u = np.mgrid[0:HEIGHT, 0:WIDTH]
    square = (u >= 30) & (u < 50) & (v >= 20) & (v < 40)
    image[square] = np.where(((u + v) // 2 % 2 == 0)[square][:, None], [250, 40, 40], [40, 40, 250])
    labels = square.astype(np.uint8)
    if hidden is not None:
        labels[:, :hidden] = OCCLUDER
    return image, labels


def request(frames: list[tuple[np.ndarray, np.ndarray]]) -> MeshRequest:
    clip = as_clip(np.stack([image for image, _ in frames]))
    masks = MaskSequence(("toy",), HEIGHT, WIDTH, len(frames), np.ones((len(frames), 1), np.float32))
    for i, (_, labels) in enumerate(frames):
        masks.set(i, labels)
    return MeshRequest(
        clip, masks, "toy", Camera(np.array([[70.0, 0, 39.5], [0, 70.0, 29.5], [0, 0, 1]]), 80, 60)
    )


def blurred(image: np.ndarray) -> np.ndarray:
    import cv2

    return cv2.GaussianBlur(image, (0, 0), 3)


def test_the_frame_is_the_free_and_sharp_one() -> None:
    image, labels = scene()
    frames = [scene(38), (blurred(image), labels), (image, labels), scene(45)]
    asked = request(frames)
    found = best_picture(asked.clip, asked.masks, "toy", SMALL)
    assert found.frame == 2 and found.free == 1.0


def test_the_object_is_in_the_middle_and_alone() -> None:
    image, labels = scene()
    found = cut_out(image, labels, 1, options=SMALL)
    on = found.rgba[..., 3] > 127
    v, u = np.nonzero(on)
    assert abs(u.mean() - 31.5) < 0.6 and abs(v.mean() - 31.5) < 0.6
    assert abs(np.ptp(u) + 1 - 0.8 * 64) <= 1.5
    assert (found.rgba[found.rgba[..., 3] == 0][:, :3] == 255).all()
    assert not found.hidden.any()


def test_a_pixel_of_the_picture_is_that_of_the_frame() -> None:
    image, labels = scene()
    mark = image.copy()
    mark[33, 44] = [0, 255, 0]
    found = cut_out(mark, labels, 1, options=PictureOptions(side=256, least=50))
    green = (found.rgba[..., 1].astype(int) - found.rgba[..., 0] > 100) & (found.rgba[..., 3] > 200)
    v, u = np.nonzero(green)
    x, y, scale = found.crop
    assert abs(x + (u.mean() + 0.5) * scale - 44) < 0.25 and abs(y + (v.mean() + 0.5) * scale - 33) < 0.25


def test_there_is_room_where_something_hides_it() -> None:
    free = cut_out(*scene(), 1, options=SMALL)
    found = cut_out(*scene(38), 1, options=SMALL)
    columns = np.nonzero((found.rgba[..., 3] > 127).any(0))[0]
    assert columns.mean() > 33 and found.hidden[:, :8].any()
    assert free.crop[2] > 0


def test_without_a_mask_it_says_so() -> None:
    image, labels = scene()
    asked = request([(image, np.zeros_like(labels))])
    with pytest.raises(EstimationError, match="no mask of"):
        best_picture(asked.clip, asked.masks, "toy", SMALL)


def painted_ball(radius: float = 1.0) -> Mesh:
    made = trimesh.creation.icosphere(subdivisions=3, radius=radius)
    v = np.asarray(made.vertices)
    return Mesh(v, np.asarray(made.faces), vertex_colors=(127 + 120 * v / radius).astype(np.uint8))


def test_crumbs_go_and_it_is_closed_centred_and_of_a_handled_size() -> None:
    ball, crumb = painted_ball(), trimesh.creation.icosphere(subdivisions=1, radius=0.02)
    away = np.asarray(crumb.vertices) + [3.0, 0.0, 0.0]
    both = Mesh(
        np.concatenate([ball.vertices + [0.0, 5.0, 0.0], away]),
        np.concatenate([ball.faces, np.asarray(crumb.faces) + len(ball.vertices)]),
        vertex_colors=np.concatenate([ball.vertex_colors, np.full((len(away), 3), 9, np.uint8)]),
    )
    made = cleaned(both, "somebody", metric=False)
    assert made.source == "somebody" and is_closed(made)
    np.testing.assert_allclose(made.extents, 0.1, atol=0.001)
    np.testing.assert_allclose(made.center, 0.0, atol=1e-9)
    assert made.vertex_colors is not None or made.texture is not None


def test_an_open_mesh_is_closed_and_keeps_its_colours_and_size() -> None:
    ball = painted_ball(0.05)
    hole = ball.faces[ball.vertices[ball.faces].mean(1)[:, 2] < 0.0475]
    made = cleaned(Mesh(ball.vertices, hole, vertex_colors=ball.vertex_colors), "x", metric=True)
    assert is_closed(made) and made.texture is not None and made.uv is not None
    np.testing.assert_allclose(made.extents, 0.1, atol=0.004)
    middles = made.vertices[made.faces].mean(1)
    from dexman_pose.meshing.generated.clean import texture_at

    shown = texture_at(made.texture, made.uv.mean(1)).astype(float)
    true = 127 + 120 * middles / 0.05
    assert np.median(np.abs(shown - true)) < 6


def test_a_baked_texture_shows_the_finer_meshs_colours() -> None:
    box = trimesh.creation.box((1.0, 1.0, 1.0))
    fine = box.subdivide().subdivide().subdivide().subdivide()
    v = np.asarray(fine.vertices)
    finer = Mesh(v, np.asarray(fine.faces), vertex_colors=(127 + 200 * v).clip(0, 255).astype(np.uint8))
    made = baked(Mesh(np.asarray(box.vertices), np.asarray(box.faces)), finer)
    again = colored(made)
    true = (127 + 200 * made.vertices).clip(0, 255)
    assert np.abs(again.vertex_colors.astype(float) - true).max() < 12


def test_no_surface_is_refused() -> None:
    flat = Mesh(np.zeros((3, 3)) + [[0, 0, 0], [1e-9, 0, 0], [2e-9, 0, 0]], [[0, 1, 2]])
    with pytest.raises(MeshError, match="no surface"):
        cleaned(flat, "x", metric=False)


INSIDE = """
import numpy as np
def box(frames, inputs, options):
    assert frames.shape == (1, 60, 80, 3) and inputs["rgba"].shape[2] == 4
    assert inputs["mask"].sum() == 400 and inputs["K"].shape == (3, 3)
    v = np.array([[x, y, z] for x in (0, 1) for y in (0, 1) for z in (0, 1)], float) * options.get("size", 2.0)
    f = np.array([[0,1,3],[0,3,2],[4,6,7],[4,7,5],[0,4,5],[0,5,1],[2,3,7],[2,7,6],[0,2,6],[0,6,4],[1,5,7],[1,7,3]])
    return {"vertices": v, "faces": f, "vertex_colors": np.full((8, 3), 200, np.uint8)}
def nothing(frames, inputs, options):
    return {"mesh": np.zeros(3)}
"""


def environment(folder: Path, function: str) -> Environment:
    (folder / "inside_mesh.py").write_text(INSIDE)
    return Environment(Path(sys.executable), f"inside_mesh:{function}", (folder,), timeout_s=60)


def test_a_function_of_another_environment_makes_a_mesh(tmp_path: Path) -> None:
    made = make_outside(request([scene()]), environment(tmp_path, "box"))
    assert not made.metric and made.frame == 0 and is_closed(made.mesh)
    assert made.mesh.source == "inside_mesh" and "frame 0" in made.notes[0]
    np.testing.assert_allclose(made.mesh.extents, 0.1, atol=1e-9)


def test_what_is_no_mesh_is_said(tmp_path: Path) -> None:
    with pytest.raises(EstimationError, match="must return 'vertices'"):
        make_outside(request([scene()]), environment(tmp_path, "nothing"))
    with pytest.raises(InputError, match=r"outside:FILE\.yaml"):
        make_outside(request([scene()]))


def test_holes_are_filled_and_seams_joined() -> None:
    ball = painted_ball()
    seam = Mesh(ball.vertices[ball.faces].reshape(-1, 3), np.arange(3 * len(ball.faces)).reshape(-1, 3))
    assert is_closed(joined(seam)) and len(joined(seam).vertices) == len(ball.vertices)
    low = ball.vertices[ball.faces].mean(1)[:, 2] < 0.9
    open_ball = Mesh(ball.vertices, ball.faces[low], vertex_colors=ball.vertex_colors)
    assert not is_closed(open_ball)
    whole = filled(open_ball)
    assert is_closed(whole) and len(whole.vertex_colors) == len(whole.vertices)
    volume = trimesh.Trimesh(whole.vertices, whole.faces).volume
    assert abs(volume / trimesh.Trimesh(ball.vertices, ball.faces).volume - 1) < 0.03
