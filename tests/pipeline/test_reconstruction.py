"""The whole pipeline on a scene of four small frames with exact truth, and what its run folder promises."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import dexman_pose as dp
from dexman_pose.pipeline import StageEvent
from dexman_pose.pipeline.inputs import Inputs

WITHOUT_DRAWING = ["prompts", "masks", "camera_motion", "camera", "objects", "scene", "trajectory"]


def run(scene: Any, out: Path | None = None, **options: Any) -> tuple[dp.Trajectory, list[str]]:
    """The result, and the stages that were computed for it."""
    computed: list[str] = []

    def listen(event: StageEvent) -> None:
        if event.state == "done":
            computed.append(event.name)

    prompt = dp.ObjectPrompt(box=np.array(scene.box), mesh=options.pop("known", None))
    options = {"camera": scene.camera, "hands": None, "overlay": False, **options}
    clip = dp.Clip.from_frames(options.pop("frames", scene.frames))
    return dp.reconstruct(clip, {"box": prompt}, out=out, on_stage=listen, **options), computed


def test_poses_are_those_of_the_truth(tiny_scene: Any) -> None:
    result, computed = run(tiny_scene, known=tiny_scene.mesh)
    box = result.objects["box"]
    assert computed == ["prompts", "follow", *WITHOUT_DRAWING[1:]]
    assert box.valid.all()
    error = box.camera_from_object[:, :3, 3] - tiny_scene.camera_from_object[:, :3, 3]
    distance = np.linalg.norm(error, axis=1)  # the box is 30 pixels large: a third of a pixel is 5 mm
    assert np.median(distance) < 0.003
    assert distance.max() < 0.008
    assert box.scale == 1.0 and box.scale_source == "given"
    assert result.camera.source == "given"
    assert result.hands == {} and result.contacts is None
    assert result.provenance["objects"]["box"]["mesh"] == "given"
    json.dumps(result.provenance)


def test_what_was_not_given_is_said_to_be_assumed(tiny_scene: Any) -> None:
    result, _ = run(tiny_scene, camera=None)
    assert result.camera.source in ("estimated", "assumed")
    assert result.objects["box"].scale_source == "unknown"
    assert result.provenance["objects"]["box"]["mesh"] == result.objects["box"].mesh.source != "file"
    assert result.provenance["objects"]["box"]["shape_sure"] == result.objects["box"].mesh.sure


def test_the_same_input_gives_the_same_output(tiny_scene: Any) -> None:
    first, _ = run(tiny_scene)
    second, _ = run(tiny_scene)
    np.testing.assert_array_equal(
        first.objects["box"].camera_from_object, second.objects["box"].camera_from_object
    )


def test_a_run_folder_is_reused_and_changed_settings_redo_their_part(tiny_scene: Any, tmp_path: Path) -> None:
    first, computed = run(tiny_scene, tmp_path)
    assert computed == WITHOUT_DRAWING
    stored = (tmp_path / "trajectory.npz").read_bytes()
    second, computed = run(tiny_scene, tmp_path)
    assert computed == []
    np.testing.assert_array_equal(
        first.objects["box"].camera_from_object, second.objects["box"].camera_from_object
    )
    camera = dp.Camera.from_focal(151, 128, 96)
    _, computed = run(tiny_scene, tmp_path, camera=camera)
    assert computed == ["prompts", "camera", "objects", "scene", "trajectory"]
    _, computed = run(tiny_scene, tmp_path)
    assert computed == ["prompts", "camera", "objects", "scene", "trajectory"]
    assert (tmp_path / "trajectory.npz").read_bytes() == stored


def test_another_frame_redoes_what_looks_at_frames(tiny_scene: Any, tmp_path: Path) -> None:
    run(tiny_scene, tmp_path)
    frames = [f.copy() for f in tiny_scene.frames]
    frames[3][0, 0] ^= 1
    _, computed = run(tiny_scene, tmp_path, frames=frames)
    assert "masks" in computed and "objects" in computed and "camera" not in computed


def test_drawings_are_made_kept_and_removed_when_outdated(tiny_scene: Any, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    _, computed = run(tiny_scene, tmp_path, overlay=True)
    assert computed == [*WITHOUT_DRAWING, "overlay", "report"]
    assert (tmp_path / "overlay.mp4").stat().st_size > 0
    assert "<html" in (tmp_path / "report.html").read_text()[:500].lower()
    run(tiny_scene, tmp_path)
    assert (tmp_path / "overlay.mp4").exists()
    run(tiny_scene, tmp_path, camera=dp.Camera.from_focal(151, 128, 96))
    assert not (tmp_path / "overlay.mp4").exists() and not (tmp_path / "report.html").exists()


def test_the_result_is_also_a_file(tiny_scene: Any, tmp_path: Path) -> None:
    result, _ = run(tiny_scene, tmp_path)
    loaded = dp.Trajectory.load(tmp_path)
    np.testing.assert_array_equal(
        loaded.objects["box"].camera_from_object, result.objects["box"].camera_from_object
    )
    assert loaded.provenance == result.provenance
    assert json.loads((tmp_path / "run.json").read_text())["objects"] == ["box"]


@pytest.mark.parametrize(
    ("objects", "message"),
    [
        ({}, "at least one"),
        ([1], "at least one"),
        ({"": dp.ObjectPrompt(box=[0, 0, 9, 9])}, "name"),
        ({"cup": [0, 0, 9, 9]}, "must be an ObjectPrompt"),
        ({"cup": dp.ObjectPrompt(box=[300, 300, 310, 310])}, "outside"),
        ({"cup": dp.ObjectPrompt(box=[0, 0, 9, 9], frame=99)}, "frame 99"),
        ({"cup": dp.ObjectPrompt(box=[0, 0, 9, 9], mesh="none.obj")}, "object 'cup'.*none.obj"),
    ],
)
def test_prompts_that_cannot_be_used(tiny_scene: Any, objects: Any, message: str) -> None:
    with pytest.raises(dp.InputError, match=message):
        Inputs.check(dp.Clip.from_frames(tiny_scene.frames), objects)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"camera": dp.Camera.from_focal(500, 640, 480)}, "for 640x480 images"),
        ({"camera": "none.json"}, "none.json"),
        ({"camera": np.eye(2)}, "shape"),
        ({"depth": dp.DepthSequence.from_arrays(np.ones((2, 96, 128)))}, "2 depth images"),
        ({"depth": dp.DepthSequence.from_arrays(np.ones((4, 48, 64)))}, "64x48"),
        ({"max_frames": 2}, "max_frames"),
    ],
)
def test_other_inputs_that_do_not_fit(tiny_scene: Any, options: dict[str, Any], message: str) -> None:
    prompts = {"box": dp.ObjectPrompt(box=tiny_scene.box)}
    with pytest.raises(dp.InputError, match=message):
        Inputs.check(dp.Clip.from_frames(tiny_scene.frames), prompts, **options)


@pytest.mark.parametrize("name", ["hands", "segmentation", "mesh"])
def test_a_backend_that_is_not_there(tiny_scene: Any, name: str) -> None:
    with pytest.raises(dp.InputError, match=f"no {name} backend is named 'psychic'"):
        run(tiny_scene, **{name: "psychic"})
