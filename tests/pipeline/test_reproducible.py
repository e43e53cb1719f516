"""Fingerprints and random state: what changes them and what must not."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import torch

from dexman_pose.data import Camera, Clip, DepthSequence, Mesh, ObjectPrompt
from dexman_pose.pipeline import hashing
from dexman_pose.pipeline.seed import seeded

TETRAHEDRON = Mesh(
    np.array([[0.0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]]),
    np.array([[0, 2, 1], [0, 1, 3], [0, 3, 2], [1, 2, 3]]),
)


def test_arrays_differ_by_value_shape_and_dtype() -> None:
    a = np.arange(6, dtype=np.int32)
    marks = [
        hashing.hash_arrays(x)
        for x in (a, a + 1, a.reshape(2, 3), a.astype(np.int64), a.view(np.uint32), None, a[:0])
    ]
    assert len(set(marks)) == len(marks)
    assert hashing.hash_arrays(a) == hashing.hash_arrays(np.asfortranarray(a.copy()))


def test_json_does_not_depend_on_the_order_of_keys() -> None:
    assert hashing.hash_json({"a": 1, "b": [2]}) == hashing.hash_json({"b": [2], "a": 1})
    assert hashing.hash_json({"a": 1}) != hashing.hash_json({"a": 2})


def test_a_file_of_many_pieces(tmp_path: Path) -> None:
    import hashlib

    content = bytes(range(256)) * 10_000
    (tmp_path / "f").write_bytes(content)
    assert hashing.hash_file(tmp_path / "f") == hashlib.sha256(content).hexdigest()


def test_one_pixel_changes_a_clip() -> None:
    frames = [np.zeros((4, 6, 3), np.uint8) for _ in range(3)]

    def hashed(count: int = 3) -> str:
        clip = Clip.from_frames(frames[:count])
        return hashing.hash_clip(clip, clip.sha256())

    before = hashed()
    assert before == hashed()
    assert before != hashed(2)
    frames[2][1, 1, 1] = 1
    assert before != hashed()


def test_depth_counts_only_where_frames_use_it() -> None:
    images = np.ones((3, 4, 6), np.float32)
    before = hashing.hash_depth(DepthSequence.from_arrays(images), 2)
    images[2] = 5
    assert before == hashing.hash_depth(DepthSequence.from_arrays(images), 2)
    images[1] = 5
    assert before != hashing.hash_depth(DepthSequence.from_arrays(images), 2)
    assert hashing.hash_depth(None, 2) is None


def test_mesh_camera_and_prompt() -> None:
    assert hashing.hash_mesh(TETRAHEDRON) != hashing.hash_mesh(TETRAHEDRON.scaled(2))
    assert hashing.hash_mesh(None) is None
    camera = Camera.from_focal(500, 640, 480)
    assert hashing.hash_camera(camera) != hashing.hash_camera(Camera.from_focal(501, 640, 480))
    assert hashing.hash_camera(camera) != hashing.hash_camera(Camera.from_focal(500, 640, 480, "assumed"))
    box = np.array([1.0, 2, 3, 4])
    assert hashing.hash_prompt(ObjectPrompt(box)) != hashing.hash_prompt(ObjectPrompt(box, frame=1))
    assert hashing.hash_prompt(ObjectPrompt(box)) == hashing.hash_prompt(ObjectPrompt(box, mesh=TETRAHEDRON))


def test_code_differs_between_rooms() -> None:
    assert hashing.hash_code("hands") != hashing.hash_code("render")
    assert hashing.hash_code("hands") == hashing.hash_code("hands")


def test_a_seeded_block_repeats_itself_and_leaves_the_caller_alone() -> None:
    def draw() -> tuple[float, float, float]:
        return random.random(), float(np.random.rand()), float(torch.rand(1))

    random.seed(5), np.random.seed(5), torch.manual_seed(5)  # type: ignore[no-untyped-call]
    first_outside = draw()
    second_outside = draw()
    random.seed(5), np.random.seed(5), torch.manual_seed(5)  # type: ignore[no-untyped-call]
    assert draw() == first_outside
    with seeded(0):
        inside = draw()
    with seeded(0):
        assert draw() == inside
    with seeded(1):
        assert draw() != inside
    assert draw() == second_outside
