"""What other programs made is really used: masks, poses, hands and depth through the whole pipeline."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

import dexman_pose as dp
from dexman_pose.cli.main import main
from dexman_pose.data import Doubt
from dexman_pose.given.depth_check import check_unit
from dexman_pose.pipeline import StageEvent
from dexman_pose.pipeline.given import GIVEN, detector_of
from dexman_pose.render import Rasterizer


@pytest.fixture(scope="module")
def drawn(tiny_scene: Any) -> Any:
    """Exact masks and depth of the small scene, a wall behind it at 0.8 m."""
    out = Rasterizer(tiny_scene.mesh).render(tiny_scene.camera_from_object, tiny_scene.camera.K, 128, 96)
    depth = np.where(out.mask, np.asarray(out.depth), 0.8).astype(np.float32)
    return np.asarray(out.mask), depth


def run(scene: Any, objects: Any = None, **options: Any) -> tuple[dp.Trajectory, list[str]]:
    computed: list[str] = []

    def listen(event: StageEvent) -> None:
        if event.state == "done":
            computed.append(event.name)

    options = {"camera": scene.camera, "hands": None, "overlay": False, **options}
    objects = {"box": scene.mesh} if objects is None else objects
    clip = options.pop("clip", None) or dp.Clip.from_frames(scene.frames)
    return dp.reconstruct(clip, objects, on_stage=listen, **options), computed


def off(scene: Any, result: dp.Trajectory) -> NDArray[np.float64]:
    shift = result.objects["box"].camera_from_object[:, :3, 3] - scene.camera_from_object[:, :3, 3]
    return np.asarray(np.linalg.norm(shift, axis=1))


def test_masks_stand_in_for_prompts(tiny_scene: Any, drawn: Any) -> None:
    result, computed = run(tiny_scene, masks=drawn[0])
    assert computed == ["masks", "camera_motion", "camera", "objects", "scene", "trajectory"]
    assert result.objects["box"].valid.all()
    assert off(tiny_scene, result).max() < 0.004
    assert result.provenance["given"] == {"masks": {"box": 4}}


def test_given_masks_are_used_and_not_only_read(tiny_scene: Any, drawn: Any) -> None:
    """A mask that shows the left half of the box makes a shape of half its width."""
    half = drawn[0].copy()
    for mask in half:
        columns = np.flatnonzero(mask.any(0))
        mask[:, columns[len(columns) // 2] :] = False
    whole, cut = (run(tiny_scene, ["box"], masks=m)[0].objects["box"].mesh for m in (drawn[0], half))
    assert np.ptp(cut.vertices[:, 0]) < 0.7 * np.ptp(whole.vertices[:, 0])


def test_leaks_flicker_and_gaps_are_tolerated(tiny_scene: Any, drawn: Any) -> None:
    masks = {t: {"box": m.copy()} for t, m in enumerate(drawn[0]) if t != 2}  # frame 2 is unknown
    v, u = np.nonzero(masks[1]["box"])
    masks[1]["box"][v.max() : v.max() + 5, int(u.mean()) : int(u.mean()) + 8] = True  # a leak
    result, _ = run(tiny_scene, masks=masks)
    assert result.objects["box"].valid.sum() >= 3
    assert off(tiny_scene, result)[result.objects["box"].valid].max() < 0.01
    assert result.provenance["given"]["masks"] == {"box": 3}


def test_a_frame_without_a_mask_is_followed_and_not_taken_as_empty(tiny_scene: Any, drawn: Any) -> None:
    from dexman_pose.given.mask_labels import label_masks
    from dexman_pose.given.masks import named_masks, read_masks

    clip = dp.Clip.from_frames(tiny_scene.frames)
    given = named_masks(read_masks({t: drawn[0][t] for t in (0, 3)}, clip), {"box": None})
    masks = label_masks(given, clip, None)
    for t in (1, 2):
        found, true = masks.mask(t, "box"), drawn[0][t]
        assert (found & true).sum() / (found | true).sum() > 0.8
        assert 0 < masks.confidence[t, 0] <= 1
    empty = named_masks(read_masks({t: drawn[0][t] * (t != 2) for t in range(4)}, clip), {"box": None})
    assert not label_masks(empty, clip, None).mask(2, "box").any()


def test_hands_are_taken_out_of_given_masks(tiny_scene: Any, drawn: Any) -> None:
    """A bright bar over the wall and the box, with the joints of a hand on it, while the mask leaks over the bar."""
    from dexman_pose.data.masks import OCCLUDER
    from dexman_pose.given.mask_labels import label_masks
    from dexman_pose.given.masks import named_masks, read_masks

    frames = [f.copy() for f in tiny_scene.frames]
    for frame in frames:
        frame[38:46, 60:110] = (250, 160, 120)
    joints = np.zeros((4, 2, 21, 2))
    joints[:, 1] = np.stack([np.linspace(104, 62, 21), np.full(21, 41.5)], 1)
    detected = np.zeros((4, 2), bool)
    detected[:, 1] = True
    hands = dp.data.HandObservations(
        joints, np.zeros((4, 2, 21, 3)), detected, ~detected & False, detected * 1.0
    )
    leaking = drawn[0].copy()
    leaking[:, 38:46, 60:90] = True
    clip = dp.Clip.from_frames(frames)
    masks = label_masks(named_masks(read_masks(leaking, clip), {"box": None}), clip, hands)
    bar = np.zeros((96, 128), bool)
    bar[39:45, 64:86] = True
    before, after = (leaking[1] & bar).mean(), (masks.mask(1, "box") & bar).mean()
    assert after < 0.3 * before
    assert ((masks.labels(1) == OCCLUDER) & bar).sum() > 0.6 * bar.sum()
    kept = drawn[0][1] & ~bar
    assert (masks.mask(1, "box") & kept).sum() > 0.9 * kept.sum()


def test_fixed_poses_are_the_result(tiny_scene: Any, drawn: Any) -> None:
    poses = tiny_scene.camera_from_object.copy()
    poses[:, 2, 3] += 0.07  # wrong on purpose: nothing may mend them
    poses[2] = np.nan
    result, _ = run(tiny_scene, masks=drawn[0], poses=poses, poses_as="fixed")
    box = result.objects["box"]
    np.testing.assert_allclose(box.camera_from_object[[0, 1, 3]], poses[[0, 1, 3]], atol=1e-9)
    np.testing.assert_array_equal(box.valid, [True, True, False, True])
    assert box.track.doubt is not None and box.track.doubt[2] == Doubt.NO_POSE
    assert result.provenance["given"]["poses"] == {"box": {"as": "fixed", "frames": 3}}
    with pytest.raises(dp.InputError, match="fixed poses but no mesh"):
        run(tiny_scene, ["box"], masks=drawn[0], poses=poses, poses_as="fixed")


def test_a_start_is_where_the_track_begins(tiny_scene: Any, drawn: Any, caplog: Any) -> None:
    import logging

    caplog.set_level(logging.INFO)
    start = np.full((4, 4, 4), np.nan)
    start[1] = tiny_scene.camera_from_object[1]
    start[1, :3, 3] += [0.004, 0.003, 0.01]
    result, _ = run(tiny_scene, masks=drawn[0], poses=start)
    assert not [r for r in caplog.records if "search in frame" in r.getMessage()]
    assert result.objects["box"].valid.all()
    assert off(tiny_scene, result).max() < 0.004
    assert result.provenance["given"]["poses"] == {"box": {"as": "start", "frames": 1}}


@pytest.mark.parametrize("factor", [1.0, 1000.0])
def test_float_depth_in_metres_or_millimetres(
    tiny_scene: Any, drawn: Any, tmp_path: Path, factor: float
) -> None:
    for t in range(4):
        np.save(tmp_path / f"{t}.npy", drawn[1][t] * factor)
    result, _ = run(tiny_scene, masks=drawn[0], depth=tmp_path)
    assert off(tiny_scene, result).max() < 0.003
    assert result.provenance["given"]["depth"]["unit_source"] == "guessed"
    assert any("unit of the depth was guessed" in note for note in result.provenance["notices"])


@pytest.mark.parametrize("factor", [0.1, 0.25, 4.0, 10.0])
def test_a_wrong_unit_is_found_by_the_mesh(tiny_scene: Any, drawn: Any, factor: float) -> None:
    with pytest.raises(dp.InputError, match="unit"):
        run(tiny_scene, masks=drawn[0], depth=dp.DepthSequence.from_arrays(drawn[1] * factor))


@pytest.mark.parametrize("factor", [0.1, 1.0, 10.0])
def test_a_wrong_unit_is_found_by_the_hands(drawn: Any, tiny_scene: Any, factor: float) -> None:
    """A palm 0.09 m long, seen 30 pixels large at f = 150, is at 0.44 m."""
    pixels = np.zeros((4, 2, 21, 2))
    pixels[:, 1] = [60.0, 60.0]
    pixels[:, 1, 5:] = [60.0, 30.0]
    seen = np.zeros((4, 2), bool)
    seen[:, 1] = True
    hands = dp.data.HandObservations(pixels, np.zeros((4, 2, 21, 3)), seen, seen & False, seen * 1.0)
    masks = dp.data.MaskSequence(("box",), 96, 128, 4)
    depth = dp.DepthSequence.from_arrays(np.full((4, 96, 128), 0.44 * factor, np.float32))
    if factor == 1.0:
        check_unit(depth, masks, tiny_scene.camera, {"box": None}, hands)
        return
    with pytest.raises(dp.InputError, match=r"by the hands.*unit"):
        check_unit(depth, masks, tiny_scene.camera, {"box": None}, hands)


def test_given_hands_are_lifted_and_kept(tiny_scene: Any, drawn: Any) -> None:
    pixels = np.zeros((4, 21, 2))
    for finger in range(5):
        for k in range(4):
            pixels[:, 1 + 4 * finger + k] = [10.0 * (finger - 2), -22.0 - 8 * k]
    pixels += [70.0, 80.0]
    result, computed = run(tiny_scene, masks=drawn[0], hands={"right": {"joints_2d": pixels}})
    assert computed[:2] == ["hands", "masks"] and "lift" in computed
    assert set(result.hands) == {"right"} and result.hands["right"].valid.all()
    np.testing.assert_allclose(result.hands["right"].joints_2d, pixels)
    assert result.provenance["given"]["hands"] == 4 and result.provenance["settings"]["hands"] == GIVEN


def test_given_inputs_are_part_of_what_a_stage_depends_on(
    tiny_scene: Any, drawn: Any, tmp_path: Path
) -> None:
    masks = drawn[0].copy()
    poses = tiny_scene.camera_from_object
    _, computed = run(tiny_scene, masks=masks, out=tmp_path)
    assert computed == ["masks", "camera_motion", "camera", "objects", "scene", "trajectory"]
    assert run(tiny_scene, masks=masks, out=tmp_path)[1] == []
    masks[3, 40, 40] ^= True
    assert "masks" in run(tiny_scene, masks=masks, out=tmp_path)[1]
    _, computed = run(tiny_scene, masks=masks, poses=poses, poses_as="fixed", out=tmp_path)
    assert computed == ["objects", "scene", "trajectory"]
    moved = poses.copy()
    moved[0, 0, 3] += 1e-4
    assert run(tiny_scene, masks=masks, poses=moved, poses_as="fixed", out=tmp_path)[1] == [
        "objects",
        "scene",
        "trajectory",
    ]
    described = json.loads((tmp_path / "run.json").read_text())
    assert described["given"]["poses"]["box"]["as"] == "fixed"


def test_a_text_is_a_detector_or_a_file(tmp_path: Path) -> None:
    assert detector_of(None) == (None, None)
    assert detector_of("mediapipe") == ("mediapipe", None)
    assert detector_of("psychic") == ("psychic", None)  # refused later, with the names there are
    assert detector_of("hands.json") == (GIVEN, Path("hands.json"))
    assert detector_of(tmp_path)[0] == GIVEN
    assert detector_of({"right": {}}) == (GIVEN, {"right": {}})


def test_the_command_line(tiny_scene: Any, drawn: Any, tmp_path: Path, capsys: Any) -> None:
    for t, (frame, mask) in enumerate(zip(tiny_scene.frames, drawn[0])):
        for folder, pixels in (("rgb", frame), ("masks", (255 * mask).astype(np.uint8))):
            (tmp_path / folder).mkdir(exist_ok=True)
            Image.fromarray(pixels).save(tmp_path / folder / f"{t + 1:05d}.png")
        (tmp_path / "depth").mkdir(exist_ok=True)
        Image.fromarray(np.rint(4000 * drawn[1][t]).astype(np.uint16)).save(
            tmp_path / f"depth/{t + 1:05d}.png"
        )
    import trimesh

    mesh = tiny_scene.mesh
    trimesh.Trimesh(mesh.vertices, mesh.faces, vertex_colors=mesh.vertex_colors, process=False).export(
        tmp_path / "box.ply"
    )
    np.save(tmp_path / "poses.npy", tiny_scene.camera_from_object)
    command = [
        "run",
        str(tmp_path / "rgb"),
        "--out",
        str(tmp_path / "out"),
        "--hands",
        "none",
        "--no-overlay",
    ]
    command += [
        "--masks",
        str(tmp_path / "masks"),
        "--mesh",
        f"box={tmp_path / 'box.ply'}",
        "--mesh-unit",
        "m",
    ]
    command += ["--K", "150,150,63.5,47.5", "--depth", str(tmp_path / "depth")]
    assert main([*command, "--poses", str(tmp_path / "poses.npy"), "--depth-unit", "1/4000"]) == 0
    result = dp.Trajectory.load(tmp_path / "out")
    assert off(tiny_scene, result).max() < 0.003
    assert result.provenance["given"]["depth"]["unit_m"] == 1 / 4000
    capsys.readouterr()
    assert main(command) == 2  # the unit is guessed to be millimetres, and the mesh says that it is not
    assert "unit" in capsys.readouterr().err
    assert main(["run", str(tmp_path / "rgb"), "--out", str(tmp_path / "o")]) == 2
    assert "--prompts FILE, --objects WORDS, --masks PATH" in capsys.readouterr().err
    assert main([*command, "--poses", f"cup={tmp_path / 'poses.npy'}"]) == 2
    assert "no object is named 'cup'" in capsys.readouterr().err


def test_given_masks_and_hands_are_undistorted_with_the_pictures(tiny_scene: Any, drawn: Any) -> None:
    from dexman_pose.pipeline.given import Brought
    from dexman_pose.pipeline.inputs import Inputs

    camera = dp.Camera(tiny_scene.camera.K, 128, 96, np.array([-0.3, 0.08, 0, 0, 0]))
    pixels = np.full((4, 21, 2), 20.0) + np.arange(21)[:, None]
    brought = Brought(masks=drawn[0], hands={"right": {"joints_2d": pixels}})
    clip = dp.Clip.from_frames(tiny_scene.frames)
    inputs = Inputs.check(clip, {"box": None}, camera=camera, brought=brought)
    masks, hands = inputs.given.masks, inputs.given.hands
    assert masks is not None and hands is not None
    found = masks.mask(0, "box")
    assert not np.array_equal(found, drawn[0][0])
    overlap = (found & drawn[0][0]).sum() / (found | drawn[0][0]).sum()
    assert 0.7 < overlap < 1.0
    assert masks.known("box") == {0, 1, 2, 3}
    assert inputs.camera is not None
    rays = inputs.camera.unproject(hands.joints_2d[0, 1], np.ones(21))
    seen = cv2.projectPoints(rays, np.zeros(3), np.zeros(3), camera.K, np.array([-0.3, 0.08, 0, 0, 0]))[0]
    np.testing.assert_allclose(seen.reshape(-1, 2), pixels[0], atol=1e-3)
