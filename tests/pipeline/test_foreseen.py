"""What is foreseen is what would be found afterwards; errors come where a result is asked for; no thread stays."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import dexman_pose as dp
from dexman_pose.pipeline import stages
from dexman_pose.pipeline.foreseen import Foreseen
from dexman_pose.pipeline.growing_masks import GrowingMasks, MasksGivenUp
from dexman_pose.pipeline.stages import Stages

CAMERA = dp.Camera.from_focal(100.0, 8, 8)


def _foreseen(**steps: Any) -> Foreseen:
    masks = GrowingMasks(("cup",), 8, 8, 4)
    found = {
        "camera": lambda: CAMERA,
        "lift": lambda camera: {},
        "objects": lambda camera, hands: {"sum": int(masks.labels(3).sum())},
        **steps,
    }
    return Foreseen(masks, found["camera"], found["lift"], found["objects"], 0)


def test_objects_wait_for_the_masks_they_read() -> None:
    with _foreseen().begun() as foreseen:
        assert foreseen.camera() is CAMERA and foreseen.hands() == {}
        foreseen.masks.filled.set(3, np.ones((8, 8), np.uint8))
        foreseen.masks.settle()
        assert foreseen.objects() == {"sum": 64}


def test_an_error_is_raised_where_its_result_is_asked_for_and_where_one_rests_on_it() -> None:
    def fail(camera: dp.Camera) -> Any:
        raise dp.EstimationError("no hands")

    with _foreseen(lift=fail).begun() as foreseen:
        assert foreseen.camera() is CAMERA
        with pytest.raises(dp.EstimationError, match="no hands"):
            foreseen.hands()
        with pytest.raises(dp.EstimationError, match="no hands"):
            foreseen.objects()


def test_the_thread_ends_where_the_masks_are_not_made() -> None:
    foreseen = _foreseen()
    with pytest.raises(KeyboardInterrupt), foreseen.begun():
        raise KeyboardInterrupt
    assert all(thread.name != "foreseen" for thread in threading.enumerate())
    with pytest.raises(MasksGivenUp):
        foreseen.objects()


@pytest.mark.parametrize("known", [True, False])
def test_a_run_finds_the_same_with_and_without(
    tiny_scene: Any, known: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    used: list[Foreseen] = []
    found: list[dp.Trajectory] = []
    foresee = Stages.foreseen
    for side_by_side in (True, False):
        if side_by_side:
            monkeypatch.setattr(stages, "cores", lambda: 2)

            def noted(self: Stages, *args: Any) -> Any:
                used.append(foresee(self, *args))
                return used[-1]

            monkeypatch.setattr(Stages, "foreseen", noted)
        else:
            monkeypatch.setattr(Stages, "foreseen", lambda *_: None)
        # A mesh of known size would be followed before there are masks.
        mesh = {"mesh": tiny_scene.mesh, "mesh_scale": "unknown"} if known else {}
        prompt = dp.ObjectPrompt(box=np.array(tiny_scene.box), **mesh)
        clip = dp.Clip.from_frames(tiny_scene.frames)
        found.append(dp.reconstruct(clip, {"box": prompt}, camera=tiny_scene.camera, hands=None))
    assert len(used) == 1 and used[0] is not None
    first, second = (result.objects["box"] for result in found)
    np.testing.assert_array_equal(first.camera_from_object, second.camera_from_object)
    np.testing.assert_array_equal(first.mesh.vertices, second.mesh.vertices)
    np.testing.assert_array_equal(first.valid, second.valid)


def test_objects_that_were_followed_are_found_the_same_beside_the_camera_motion(
    tiny_scene: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    used: list[Foreseen | None] = []
    found: list[dp.Trajectory] = []
    foresee = Stages.foreseen

    def noted(self: Stages, *args: Any) -> Any:
        used.append(foresee(self, *args))
        return used[-1]

    monkeypatch.setattr(Stages, "foreseen", noted)
    for count in (2, 1):
        monkeypatch.setattr(stages, "cores", lambda count=count: count)
        prompt = dp.ObjectPrompt(box=np.array(tiny_scene.box), mesh=tiny_scene.mesh)
        clip = dp.Clip.from_frames(tiny_scene.frames)
        found.append(dp.reconstruct(clip, {"box": prompt}, camera=tiny_scene.camera, hands=None))
    assert [foreseen is None for foreseen in used] == [False, True]
    first, second = (result.objects["box"] for result in found)
    np.testing.assert_array_equal(first.camera_from_object, second.camera_from_object)
    np.testing.assert_array_equal(first.valid, second.valid)
    assert first.valid.any()
    assert all(thread.name != "foreseen" for thread in threading.enumerate())


def test_masks_that_fail_end_the_run_with_their_own_error(tiny_scene: Any, tmp_path: Path) -> None:
    """A frame that cannot be decoded in the middle of the masks is what is told, not that masks were given up."""

    from dexman_pose.segmentation.grabcut import backend

    class Failing(backend._Run):
        def _store(self, index: int, *args: Any) -> None:
            if index == 2:
                raise dp.InputError("frame 2 is damaged")
            super()._store(index, *args)

    original = backend._Run
    backend._Run = Failing  # type: ignore[misc]
    try:
        with pytest.raises(dp.InputError, match="frame 2 is damaged"):
            dp.reconstruct(
                dp.Clip.from_frames(tiny_scene.frames),
                {"box": dp.ObjectPrompt(box=np.array(tiny_scene.box))},
                camera=tiny_scene.camera,
                hands=None,
                out=tmp_path,
            )
    finally:
        backend._Run = original  # type: ignore[misc]
    assert all(thread.name != "foreseen" for thread in threading.enumerate())
