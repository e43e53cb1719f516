"""Alignment of chunks against made-up ones whose truth is known, and against the published way."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from dexman_pose.data.depth import DepthSequence
from dexman_pose.depth.alignment.chunks import AlignedChunks, DepthChunk, align_chunks, clear_of_edges
from dexman_pose.depth.alignment.maps import IDENTITY, DepthMap, Samples, fit_map, picture_places
from dexman_pose.depth.alignment.object_centric import object_centric_affine
from dexman_pose.errors import InputError

Make = Callable[..., Any]


def aligned(found: AlignedChunks, count: int) -> np.ndarray:
    return np.stack([found.frame(t) for t in range(count)])


def baseline(world: Any, name: str) -> np.ndarray:
    """The object's depth by the maps of the published way; a frame is taken from the last chunk that holds it."""
    maps = object_centric_affine(world.chunks, world.masks, name)
    out = np.zeros_like(world.depth)
    for (factor, shift), chunk in zip(maps, world.chunks):
        for i in range(len(chunk.frames)):
            out[chunk.first + i] = factor * chunk.frames.frame(i) + shift
    return out


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_half_the_error_of_the_published_way_and_no_drift(make_world: Make, seed: int) -> None:
    world = make_world(seed)
    images = aligned(align_chunks(world.chunks, world.masks), len(world.depth))
    last = slice(-24, None)
    for name in ("ball", "box"):
        mine, theirs = world.error(images, name), world.error(baseline(world, name), name)
        assert mine <= 0.5 * theirs, (name, mine, theirs)
        assert mine < 0.004
        early = world.error(images, name, slice(8, 32))
        assert world.error(images, name, last) < early + 0.002, (name, early)


def test_what_no_map_can_follow_stays_as_small_as_it_is(make_world: Make) -> None:
    """Waves of 10 mm over depth: the error may grow slowly, but not beyond what one chunk is off by itself."""
    world = make_world(7, lens=0.01)
    images = aligned(align_chunks(world.chunks, world.masks), len(world.depth))
    for name in ("ball", "box"):
        mine, theirs = world.error(images, name), world.error(baseline(world, name), name)
        assert mine <= 0.5 * theirs, (name, mine, theirs)
        assert world.error(images, name, slice(-24, None)) < 0.015, name


def test_without_a_still_camera_the_shared_frames_are_enough_for_a_few_chunks(make_world: Make) -> None:
    world = make_world(3, chunks=5)
    images = aligned(align_chunks(world.chunks, world.masks, still_camera=False), len(world.depth))
    for name in ("ball", "box"):
        assert world.error(images, name) <= 0.5 * world.error(baseline(world, name), name)


def test_without_masks_what_moves_is_an_outlier(make_world: Make) -> None:
    world = make_world(4, chunks=6)
    images = aligned(align_chunks(world.chunks), len(world.depth))
    assert max(world.error(images, name) for name in ("ball", "box")) < 0.02


@pytest.mark.parametrize(
    ("world", "kind"),
    [
        ({"bend": 0.0, "affine": False}, "scale"),
        ({"bend": 0.0}, "affine"),
        ({"bend": 0.3}, "bent"),
    ],
)
def test_the_evidence_chooses_the_plainest_map(make_world: Make, world: dict[str, Any], kind: str) -> None:
    made = make_world(5, chunks=8, **world)
    kinds = [m.kind for m in align_chunks(made.chunks, made.masks).maps[1:]]
    assert sum(k.startswith(kind) for k in kinds) >= 6, kinds


def samples(count: int = 600, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    return rng.uniform(0.5, 2.0, count), rng.uniform(-1, 1, (count, 2))


def test_a_known_map_is_found_among_outliers() -> None:
    depth, places = samples()
    true = 0.8 * depth + 0.1
    target = true.copy()
    target[::4] *= 2.5
    found = fit_map(Samples(depth, target, places, np.ones(600)))
    assert found.kind == "affine" and np.allclose(found.coefficients, [0.8, 0.1], atol=1e-6)
    assert np.allclose(found(depth, places), true)


def test_tilt_over_the_picture_is_found_too() -> None:
    depth, places = samples(3000)
    true = depth * (1.1 + 0.05 * places[:, 0] - 0.03 * places[:, 1])
    found = fit_map(Samples(depth, true, places, np.ones(3000)))
    assert found.kind == "bent and tilted" and np.allclose(found(depth, places), true, atol=1e-5)


def test_few_samples_give_a_scale_and_none_nothing() -> None:
    depth, places = samples(12)
    found = fit_map(Samples(depth, 1.5 * depth, places, np.ones(12)))
    assert found.kind == "scale" and np.allclose(found.coefficients, [1.5])
    empty = np.zeros(0)
    assert fit_map(Samples(empty, empty, np.zeros((0, 2)), empty)) is IDENTITY


def test_a_picture_is_mapped_pixel_by_pixel_and_absence_stays() -> None:
    image = np.array([[1.0, 2.0, 0.0], [0.2, 1.0, 3.0]], np.float32)
    out = DepthMap("affine", np.array([2.0, -1.0])).image(image)
    assert out.tolist() == [[1.0, 3.0, 0.0], [0.0, 1.0, 5.0]]
    places = picture_places(2, 3)
    assert (
        places[0, 0].tolist() == [-1, -1]
        and places[1, 2].tolist() == [1, 1]
        and places[0, 1].tolist() == [0, -1]
    )


def test_chunks_turn_into_each_other_where_both_show_a_frame() -> None:
    one = DepthChunk(0, DepthSequence.from_arrays(np.full((4, 6, 8), 1.0, np.float32)))
    two = DepthChunk(2, DepthSequence.from_arrays(np.full((4, 6, 8), 2.0, np.float32)))
    found = AlignedChunks((one, two), (IDENTITY, IDENTITY))
    assert [round(float(found.frame(t)[0, 0]), 4) for t in range(6)] == [1.0, 1.0, 1.3333, 1.6667, 2.0, 2.0]
    assert len(found.sequence()) == 6 and found.sequence().frame(5)[0, 0] == 2.0
    assert align_chunks([one, two]).frame(5)[0, 0] == pytest.approx(1.0, abs=1e-5)
    with pytest.raises(InputError, match="no chunk of depth holds frame 6"):
        found.frame(6)


def test_an_object_that_is_hidden_in_the_shared_frame_does_not_break_the_chain(make_world: Make) -> None:
    world = make_world(6, chunks=4)
    for frame in (6, 7):
        labels = world.masks.labels(frame).copy()
        labels[labels == 1] = 0
        world.masks.set(frame, labels)
    maps = object_centric_affine(world.chunks, world.masks, "ball")
    assert np.isfinite(maps).all()
    images = aligned(align_chunks(world.chunks, world.masks), len(world.depth))
    assert world.error(images, "ball") < 0.01


def test_edges_are_left_out_but_not_those_of_the_picture() -> None:
    mask = np.zeros((9, 9), bool)
    mask[:, :5] = True
    assert np.flatnonzero(clear_of_edges(mask, 2)[4]).tolist() == [0, 1, 2]
    assert clear_of_edges(mask, 2)[0, 0]


def test_chunks_that_cannot_be_aligned() -> None:
    def chunk(first: int, shape: tuple[int, int, int] = (4, 6, 8)) -> DepthChunk:
        return DepthChunk(first, DepthSequence.from_arrays(np.ones(shape, np.float32)))

    with pytest.raises(InputError, match="no chunk of depth"):
        align_chunks([])
    with pytest.raises(InputError, match="frames 0 to 3 are followed by 4 to 7"):
        align_chunks([chunk(0), chunk(4)])
    with pytest.raises(InputError, match="one size"):
        align_chunks([chunk(0), chunk(2, (4, 5, 8))])
