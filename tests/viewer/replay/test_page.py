"""What the page holds, taken apart without a browser: every frame's poses, hands, contacts, pictures."""

from __future__ import annotations

import base64
import hashlib
import io
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from PIL import Image

from dexman_pose.data import Clip, MaskSequence, Trajectory
from dexman_pose.geometry import matrix_from_quaternion, transform_points
from dexman_pose.viewer import write_report
from dexman_pose.viewer.bundled import BUNDLED, WEB
from dexman_pose.viewer.replay.page import in_script, replay
from dexman_pose.viewer.replay.shown import ReplayOptions, shown_frames


@pytest.fixture
def page(trajectory: Trajectory, clip: Clip, masks: MaskSequence, tmp_path: Path, take_apart: Any) -> Any:
    path = write_report(trajectory, tmp_path / "r.html", clip=clip, masks=masks)
    return take_apart(path.read_text(encoding="utf-8"))


def test_poses_and_joints_are_those_of_the_trajectory(page: Any, trajectory: Trajectory) -> None:
    assert page.meta["frames"] == list(range(24)) and page.meta["total"] == 24
    for k, (name, obj) in enumerate(trajectory.objects.items()):
        assert page.meta["objects"][k]["name"] == name
        at = page.array(f"object{k}.at").reshape(24, 3)
        np.testing.assert_allclose(at, obj.camera_from_object[:, :3, 3], atol=1e-5)
        turn = matrix_from_quaternion(page.array(f"object{k}.turn").reshape(24, 4))
        np.testing.assert_allclose(turn, obj.camera_from_object[:, :3, :3], atol=2e-4)
        np.testing.assert_array_equal(page.array(f"object{k}.valid"), obj.valid)
        np.testing.assert_allclose(page.array(f"object{k}.iou"), obj.track.mask_iou, atol=1e-4)
        corners = page.array(f"object{k}.vertices").reshape(-1, 3)[page.array(f"object{k}.faces")]
        np.testing.assert_allclose(corners, obj.mesh.vertices[obj.mesh.faces].reshape(-1, 3), atol=1e-5)
    for side, hand in trajectory.hands.items():
        joints = page.array(f"{side}.joints").reshape(24, 21, 3)
        np.testing.assert_allclose(joints[hand.valid], hand.joints[hand.valid], atol=1e-5)
        assert np.isnan(joints[~hand.valid]).all(), "what is not known has no place"
        state = hand.valid.astype(int) + (hand.valid & hand.bridged)
        np.testing.assert_array_equal(page.array(f"{side}.state"), state)


def test_contacts_are_bits_of_joints(page: Any, trajectory: Trajectory) -> None:
    contacts = trajectory.contacts
    assert contacts is not None and contacts.touching.any()
    for k, (side, name) in enumerate(contacts.pairs):
        assert page.meta["pairs"][k] == [side, list(trajectory.objects).index(name), name]
        bits = page.array(f"pair{k}.touching")[:, None] >> np.arange(21, dtype=np.uint32) & 1
        np.testing.assert_array_equal(bits, contacts.touching[k])


def test_outlines_and_masks_lie_where_objects_are(page: Any, trajectory: Trajectory) -> None:
    counts = page.array("drawn.counts").reshape(24, -1)
    assert counts.shape[1] == 2 + len(page.meta["labels"]) == 5
    ends = np.cumsum(page.array("drawn.lengths"))
    first = page.array("drawn.points").reshape(-1, 2)[: ends[counts[0, 0] - 1]] / 8
    cube = trajectory.objects["cube"]
    shown = trajectory.camera.project(transform_points(cube.camera_from_object[0], cube.mesh.vertices))
    scale = page.meta["size"][0] / trajectory.camera.width
    np.testing.assert_allclose(first.min(0), scale * shown.min(0), atol=2.0)
    np.testing.assert_allclose(first.max(0), scale * shown.max(0), atol=2.0)
    assert (counts[:, 2] == 1).all() and (counts[:, 4] == 1).all(), "the mask of the cube, and the occluder"


def test_pictures_are_jpegs_while_they_are_few(page: Any, clip: Clip) -> None:
    about = page.meta["pictures"]
    assert about["kind"] == "jpeg" and about["every"] == 1 and len(about["ends"]) == 24
    part = page.pictures[about["ends"][6] : about["ends"][7]]
    found = np.asarray(Image.open(io.BytesIO(part)).convert("RGB")).astype(float)
    assert found.shape == clip.frame(7).shape
    assert np.abs(found - clip.frame(7)).mean() < 2.0


def test_many_pictures_become_a_film(
    trajectory: Trajectory, clip: Clip, take_apart: Any, tmp_path: Path
) -> None:
    made = replay(trajectory, clip, None, ReplayOptions(jpeg_bytes=1000), keep=[3])
    page = take_apart(made.tail)
    assert page.meta["pictures"] == {"kind": "mp4"}
    np.testing.assert_array_equal(made.kept[3], clip.frame(3))
    with av.open(io.BytesIO(page.pictures)) as film:
        times = [float(frame.time) for frame in film.decode(video=0)]
    np.testing.assert_allclose(times, trajectory.frame_times, atol=1e-4)


def test_without_a_coder_every_so_manieth_picture_is_shown(
    trajectory: Trajectory, clip: Clip, take_apart: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dexman_pose.viewer.replay.pictures.find_spec", lambda name: None)
    whole = take_apart(replay(trajectory, clip, None).tail)
    some = take_apart(replay(trajectory, clip, None, ReplayOptions(jpeg_bytes=len(whole.pictures) // 3)).tail)
    every = some.meta["pictures"]["every"]
    assert every > 1 and len(some.meta["pictures"]["ends"]) == -(-24 // every)
    assert len(some.pictures) < len(whole.pictures)


def test_a_long_clip_is_thinned_but_its_curves_are_not(
    trajectory: Trajectory, clip: Clip, take_apart: Any
) -> None:
    made = replay(trajectory, clip, None, ReplayOptions(frames=10))
    page = take_apart(made.tail)
    assert page.meta["frames"] == list(range(0, 24, 3)) and page.meta["total"] == 24
    assert "Of 24 frames 8 can be seen here" in made.stage
    np.testing.assert_array_equal(page.array("object0.valid"), trajectory.objects["cube"].valid[::3])
    assert page.meta["axis"] == [0.0, pytest.approx(24 / 25.0)]
    assert shown_frames(10_000, ReplayOptions()).size <= 3000


def test_no_text_ends_the_block_it_stands_in(
    trajectory_named: Callable[[str, str], Trajectory], take_apart: Any, tmp_path: Path
) -> None:
    names = ("</script><script>alert(1)</script>", "<!--<script>&amp;\u2028")
    trajectory = trajectory_named(*names)
    text = write_report(trajectory, tmp_path / "r.html", title=names[0]).read_text(encoding="utf-8")
    assert [o["name"] for o in take_apart(text).meta["objects"]] == list(names)
    assert text.count("<script") == 4 and text.count("</script>") == 4 and "<!--" not in text
    assert in_script("</script>") == '"\\u003c/script\\u003e"'


def test_the_policy_lets_nothing_run_but_this_script(page: Any, trajectory: Trajectory) -> None:
    made = replay(trajectory, None, None)
    script = re.search(r'<script type="module">(.*)</script>', made.tail, re.DOTALL)
    assert script is not None
    digest = base64.b64encode(hashlib.sha256(script[1].encode()).digest()).decode()
    assert f"script-src &#x27;sha256-{digest}&#x27; blob:;" in made.head
    assert "default-src &#x27;none&#x27;" in made.head
    assert page.three == (WEB / BUNDLED[0].file).read_bytes(), "unchanged"
    assert "https://" not in script[1] and "http://" not in script[1]


def test_poses_that_are_not_valid_stay_where_they_were(trajectory: Trajectory, take_apart: Any) -> None:
    far = trajectory.objects["cube"]
    poses = far.camera_from_object.copy()
    poses[10:14, :3, 3] = [0.0, 0.0, 1e4]
    wild = replace(far, track=replace(far.track, camera_from_object=poses))
    page = take_apart(replay(replace(trajectory, objects={"cube": wild}), None, None).tail)
    at = page.array("object0.at").reshape(-1, 3)
    np.testing.assert_allclose(at[far.valid], poses[far.valid, :3, 3], atol=1e-4)


def test_the_same_trajectory_makes_the_same_page(
    trajectory: Trajectory, clip: Clip, masks: MaskSequence, tmp_path: Path
) -> None:
    pages = [write_report(trajectory, tmp_path / n, clip=clip, masks=masks, title="t") for n in "ab"]
    assert pages[0].read_bytes() == pages[1].read_bytes()
