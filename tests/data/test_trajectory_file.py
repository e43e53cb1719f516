"""The trajectory file: exact roundtrip, clear refusals, every kind of inconsistency named."""

from __future__ import annotations

import json
import pickle
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dexman_pose.data import Camera, Doubt, HandTrack, Trajectory
from dexman_pose.data.lenses.models import Lens
from dexman_pose.data.trajectory_check import problems
from dexman_pose.data.world.table import TablePlane
from dexman_pose.errors import InputError, TrajectoryError


def _same(a: Any, b: Any) -> None:
    assert type(a) is type(b)
    if isinstance(a, np.ndarray):
        assert a.dtype == b.dtype
        np.testing.assert_array_equal(a, b)
    elif isinstance(a, dict):
        assert list(a) == list(b)
        for key in a:
            _same(a[key], b[key])
    elif hasattr(a, "__dataclass_fields__"):
        for name in a.__dataclass_fields__:
            _same(getattr(a, name), getattr(b, name))
    else:
        assert a == b


def test_roundtrip_is_exact(trajectory: Trajectory, tmp_path: Path) -> None:
    path = trajectory.save(tmp_path / "deep" / "t.npz")
    assert path == tmp_path / "deep" / "t.npz"
    _same(Trajectory.load(path), trajectory)
    assert [p.name for p in path.parent.iterdir()] == ["t.npz"]


def test_doubts_are_kept_and_files_without_them_load(trajectory: Trajectory, tmp_path: Path) -> None:
    name, obj = next(iter(trajectory.objects.items()))
    assert obj.track.doubt is None
    doubt = np.where(obj.valid, Doubt.MASK_LOST, np.arange(len(obj.track))).astype(np.uint16)
    judged = replace(obj, track=replace(obj.track, doubt=doubt))
    judged_trajectory = replace(trajectory, objects={**trajectory.objects, name: judged})
    loaded = Trajectory.load(judged_trajectory.save(tmp_path / "a.npz")).objects[name].track.doubt
    assert loaded is not None and loaded.dtype == np.uint16
    np.testing.assert_array_equal(loaded, doubt)
    plain = Trajectory.load(trajectory.save(tmp_path / "b.npz"))
    assert plain.objects[name].track.doubt is None


def test_what_makers_of_meshes_said_is_kept_and_files_without_it_load(
    trajectory: Trajectory, tmp_path: Path
) -> None:
    name, obj = next(iter(trajectory.objects.items()))
    said = replace(obj, mesh=replace(obj.mesh, notes=("made of frame 3", "half of it is a guess")))
    told = replace(trajectory, objects={**trajectory.objects, name: said})
    assert Trajectory.load(told.save(tmp_path / "a.npz")).objects[name].mesh.notes == said.mesh.notes
    assert Trajectory.load(trajectory.save(tmp_path / "b.npz")).objects[name].mesh.notes == ()


def _with_table(trajectory: Trajectory) -> Trajectory:
    normal = np.array([0.0, -0.8, -0.6])
    world = np.eye(4)
    world[1, :3], world[2] = [0.0, -0.6, 0.8], [*normal, 0.7]
    world[0, 0] = np.linalg.det(world[:3, :3])
    table = TablePlane(normal, 0.7, 1e-4 * np.eye(4), ("a cup at rest", "depth"))
    return replace(trajectory, world_from_camera=world, table=table)


def test_the_table_is_kept_and_files_without_one_load(trajectory: Trajectory, tmp_path: Path) -> None:
    with_table = _with_table(trajectory)
    _same(Trajectory.load(with_table.save(tmp_path / "a.npz")), with_table)
    with np.load(with_table.save(tmp_path / "a.npz"), allow_pickle=False) as file:
        header = json.loads(file["header"].tobytes())
        np.testing.assert_array_equal(file["table/normal"], [0.0, -0.8, -0.6])
    assert header["table"] == {"offset": 0.7, "evidence": ["a cup at rest", "depth"]}
    path = trajectory.save(tmp_path / "b.npz")
    with np.load(path, allow_pickle=False) as file:
        assert "table" not in json.loads(file["header"].tobytes())
    assert Trajectory.load(path).table is None


def test_a_world_beside_its_table_is_refused(trajectory: Trajectory, tmp_path: Path) -> None:
    beside = _with_table(trajectory)
    beside.world_from_camera[2, 3] += 0.01
    with pytest.raises(TrajectoryError, match="must stand on the table"):
        beside.save(tmp_path)
    with pytest.raises(InputError, match="table must be a TablePlane"):
        replace(trajectory, table=np.zeros(4))


def test_a_run_folder_stands_for_its_file(trajectory: Trajectory, tmp_path: Path) -> None:
    assert trajectory.save(tmp_path / "run") == tmp_path / "run" / "trajectory.npz"
    _same(Trajectory.load(tmp_path / "run"), trajectory)


def test_a_trajectory_without_anything_found(tmp_path: Path, trajectory: Trajectory) -> None:
    empty = Trajectory(trajectory.camera, [0.0, 0.1])  # type: ignore[arg-type]
    _same(Trajectory.load(empty.save(tmp_path)), empty)


def test_the_file_explains_itself_without_this_package(trajectory: Trajectory, tmp_path: Path) -> None:
    with np.load(trajectory.save(tmp_path), allow_pickle=False) as file:
        header = json.loads(file["header"].tobytes())
        np.testing.assert_array_equal(
            file["objects/1/camera_from_object"], trajectory.objects["möbius lid"].camera_from_object
        )
    assert header["schema"] == {"name": "dexman_pose.trajectory", "version": 1}
    assert "metres" in header["conventions"]["units"]
    assert [o["name"] for o in header["objects"]] == ["cup", "möbius lid"]
    assert len(header["joint_names"]) == 21


def test_a_failed_write_leaves_the_old_file(trajectory: Trajectory, tmp_path: Path) -> None:
    path = trajectory.save(tmp_path)
    before = path.read_bytes()
    trajectory.frame_times[3] = 0.0
    with pytest.raises(TrajectoryError, match="must increase"):
        trajectory.save(tmp_path)
    assert path.read_bytes() == before and len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize("share", [0.0, 0.01, 0.3, 0.7, 0.999])
def test_a_cut_off_file_is_refused_in_one_line(trajectory: Trajectory, tmp_path: Path, share: float) -> None:
    path = trajectory.save(tmp_path / "t.npz")
    path.write_bytes(path.read_bytes()[: int(share * path.stat().st_size)])
    with pytest.raises(TrajectoryError, match="not a trajectory file") as caught:
        Trajectory.load(path)
    assert "\n" not in str(caught.value) and str(path) in str(caught.value)


def test_flipped_bytes_are_noticed(trajectory: Trajectory, tmp_path: Path) -> None:
    path = trajectory.save(tmp_path / "t.npz")
    whole = path.read_bytes()
    for at in np.linspace(40, len(whole) - 40, 25).astype(int):
        damaged = bytearray(whole)
        damaged[at] ^= 0xFF
        path.write_bytes(damaged)
        try:
            _same(Trajectory.load(path), trajectory)  # a byte of no meaning, such as a time stamp
        except TrajectoryError as error:
            assert str(path) in str(error)


def test_other_files_are_refused(tmp_path: Path) -> None:
    plain, text, pickled = tmp_path / "a.npz", tmp_path / "b.npz", tmp_path / "c.npz"
    np.savez(plain, x=np.zeros(3))
    text.write_text("hello")
    pickled.write_bytes(pickle.dumps({"header": 1}))
    for path in (plain, text, pickled):
        with pytest.raises(TrajectoryError, match="not a trajectory file"):
            Trajectory.load(path)
    with pytest.raises(TrajectoryError, match="no trajectory file at"):
        Trajectory.load(tmp_path)


def _rewritten(path: Path, change: Callable[[dict[str, Any], dict[str, Any]], None]) -> Path:
    with np.load(path) as file:
        arrays = dict(file)
    header = json.loads(arrays["header"].tobytes())
    change(header, arrays)
    arrays["header"] = np.frombuffer(json.dumps(header).encode(), np.uint8)
    np.savez(path, **arrays)
    return path


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda h, a: h["schema"].update(version=2), "schema version 2.*reads up to 1"),
        (lambda h, a: h["schema"].update(name="other"), "holds 'other'"),
        (lambda h, a: a.pop("camera/K"), "damaged.* not a trajectory file"),
        (lambda h, a: a.pop("objects/0/faces"), "damaged.* not a trajectory file"),
        (lambda h, a: a.pop("frame_times"), "it lacks 'frame_times'"),
        (lambda h, a: h.pop("hands"), "it lacks 'hands'"),
        (lambda h, a: h["objects"][0].update(scale=-1), "scale must be positive"),
        (
            lambda h, a: a.update({"objects/0/texture": np.zeros(9, np.uint8)}),
            "damaged.* not a trajectory file",
        ),
        (lambda h, a: a.update({"objects/0/valid": np.zeros(3, bool)}), r"valid must have shape \(10,\)"),
        (lambda h, a: a.update({"objects/0/confidence": np.full(10, 2.0)}), "confidence outside 0..1"),
    ],
)
def test_changed_files_are_refused(
    trajectory: Trajectory, tmp_path: Path, change: Callable[..., None], message: str
) -> None:
    path = _rewritten(trajectory.save(tmp_path / "t.npz"), change)
    with pytest.raises(TrajectoryError, match=message):
        Trajectory.load(path)


def test_files_with_pickles_are_not_opened(trajectory: Trajectory, tmp_path: Path) -> None:
    path = trajectory.save(tmp_path / "t.npz")
    with np.load(path) as file:
        arrays = dict(file)
    np.savez(path, **arrays, extra=np.array([{"a": 1}], dtype=object))
    with pytest.raises(TrajectoryError, match="not a trajectory file"):
        Trajectory.load(path)


def test_a_good_trajectory_has_no_problems(trajectory: Trajectory) -> None:
    assert problems(trajectory) == []
    trajectory.validate()


def _spoil(t: Trajectory, what: str) -> Trajectory:
    """The trajectory with one thing wrong; arrays are written to, for a result as such does not change."""
    cup, hand, contacts = t.objects["cup"], t.hands["right"], t.contacts
    assert contacts is not None
    match what:
        case "times":
            t.frame_times[5] = t.frame_times[4]
        case "start":
            t.frame_times[:] += 1.0
        case "nan time":
            t.frame_times[2] = np.nan
        case "world":
            t.world_from_camera[0, 0] += 0.1
        case "provenance":
            t.provenance["bad"] = float("nan")
        case "rotation":
            cup.track.camera_from_object[3, :3, :3] *= 1.1
        case "nan pose":
            cup.track.camera_from_object[3, 0, 3] = np.nan
        case "behind":
            cup.track.camera_from_object[2, 2, 3] = -1.0
            cup.track.valid[2] = True
        case "unsure":
            cup.track.valid[:2], cup.track.confidence[:2] = True, 0.0
        case "doubted":
            doubt = np.zeros(len(cup.track), np.uint16)
            cup.track.valid[5], doubt[5] = True, Doubt.COLORS | Doubt.MASK_LOST
            t.objects["cup"] = replace(cup, track=replace(cup.track, doubt=doubt))
        case "iou":
            assert cup.track.mask_iou is not None
            cup.track.mask_iou[7] = 1.5
        case "covariance":
            assert cup.track.covariance is not None
            cup.track.covariance[1, 2, 2] = -1.0
        case "symmetry":
            t.objects["cup"] = replace(cup, symmetry=cup.symmetry[::-1])
        case "name":
            t.objects["pot"] = t.objects.pop("cup")
        case "bones":
            hand.joints[6, 8] += 0.01
        case "wrist":
            hand.bone_lengths[0] = 0.1
        case "bridged":
            hand.valid[4] = False
        case "side":
            t.hands["left"] = hand
        case "contact object":
            return replace(t, contacts=replace(contacts, pairs=(("right", "spoon"),)))
        case "contact length":
            names = ("distance", "touching", "nearest", "valid")
            short = {name: getattr(contacts, name)[:, :5] for name in names}
            return replace(t, contacts=replace(contacts, **short))
        case "thresholds":
            return replace(t, contacts=replace(contacts, threshold_off=0.001))
        case "touching":
            contacts.touching[0, :, 2] = False
            contacts.valid[0, 3], contacts.touching[0, 3, 2] = False, True
    return t


PROBLEMS = {
    "times": "frame_times must increase, but frame 5",
    "start": "frame_times must start at 0",
    "nan time": "frame_times must be finite",
    "world": "world_from_camera is not a rigid",
    "provenance": "provenance must hold plain JSON",
    "rotation": "object 'cup': camera_from_object: entry 3 is not a rigid",
    "nan pose": "object 'cup': camera_from_object holds 1 values",
    "behind": "object 'cup': 1 frames are valid but behind the camera (the first: frame 2)",
    "unsure": "object 'cup': 2 frames are valid but have no confidence",
    "doubted": "object 'cup': 1 frames are valid although their pose is doubted (the first: frame 5)",
    "iou": "object 'cup': 1 frames have a mask_iou outside 0..1 (the first: frame 7)",
    "covariance": "negative variance (the first: frame 1)",
    "symmetry": "object 'cup': symmetry must start with the identity",
    "name": "object 'pot': is stored under this name but is called 'cup'",
    "bones": "right hand: 1 frames have bones that differ",
    "wrist": "right hand: bone_lengths must be positive, and 0 for the wrist",
    "bridged": "right hand: 1 frames are bridged but not valid (the first: frame 4)",
    "side": "left hand: is stored as left but says it is the right",
    "contact object": "contacts: unknown object 'spoon'",
    "contact length": "contacts: cover 5 frames, but there are 10",
    "thresholds": "contacts: thresholds must be",
    "touching": "contacts: 1 frames touch without ever being valid",
}


@pytest.mark.parametrize("what", PROBLEMS)
def test_each_problem_is_named(trajectory: Trajectory, what: str) -> None:
    assert PROBLEMS[what] in "\n".join(problems(_spoil(trajectory, what)))


def test_all_problems_are_listed_at_once(trajectory: Trajectory) -> None:
    for what in ("times", "iou", "bones", "touching"):
        _spoil(trajectory, what)
    assert len(problems(trajectory)) == 4
    with pytest.raises(TrajectoryError) as caught:
        trajectory.validate()
    assert str(caught.value).count("; ") == 3 and "\n" not in str(caught.value)


def test_lengths_must_agree_from_the_start(trajectory: Trajectory) -> None:
    with pytest.raises(InputError, match="object 'cup' has 10 poses, but there are 9 frames"):
        Trajectory(trajectory.camera, np.arange(9.0), trajectory.objects)
    with pytest.raises(InputError, match="the right hand has 10 entries, but there are 9"):
        Trajectory(trajectory.camera, np.arange(9.0), {}, trajectory.hands)
    with pytest.raises(InputError, match="world_from_camera"):
        Trajectory(trajectory.camera, np.arange(9.0), world_from_camera=np.ones((4, 4)))


def test_the_filmed_camera_and_its_lens_are_kept(trajectory: Trajectory, tmp_path: Path) -> None:
    fisheye = Camera.with_lens(
        trajectory.camera.K, 640, 480, Lens("fisheye", np.array([0.05, -0.02, 0.003, -0.002]))
    )
    brown = Camera(trajectory.camera.K, 640, 480, np.array([-0.2, 0.05, 0.0, 0.0]))
    for filmed in (fisheye, brown):
        result = replace(trajectory, filmed_camera=filmed)
        _same(Trajectory.load(result.save(tmp_path / "lens.npz")), result)
    assert Trajectory.load(trajectory.save(tmp_path / "old.npz")).filmed_camera is None


def test_a_camera_with_a_lens_is_kept_and_old_files_with_coefficients_load(
    trajectory: Trajectory, tmp_path: Path
) -> None:
    bent = replace(trajectory.camera, distortion=np.array([-0.2, 0.05, 0.001, 0.0]))
    path = replace(trajectory, camera=bent).save(tmp_path / "a.npz")
    header = json.loads(np.load(path)["header"].tobytes())
    assert set(header["camera"]) == {"width", "height", "source"}  # as versions before lens models wrote it
    loaded = Trajectory.load(path).camera
    assert loaded.lens is not None and loaded.lens.model == "brown-conrady"
    np.testing.assert_array_equal(loaded.lens.coefficients, [-0.2, 0.05, 0.001, 0.0])


def test_the_hand_model_is_kept_and_files_without_it_load(tmp_path: Path) -> None:
    track = HandTrack(
        "right",
        np.zeros((2, 21, 3)),
        np.zeros((2, 21, 2)),
        np.zeros(2, bool),
        np.zeros(2, bool),
        np.zeros(2),
        np.r_[0.0, np.full(20, 0.03)],
    )
    fitted = replace(
        track, camera_from_wrist=np.tile(np.eye(4), (2, 1, 1)), angles=np.ones((2, 21)), shape=np.ones(31)
    )
    camera = Camera([[100, 0, 32], [0, 100, 24], [0, 0, 1]], 64, 48)
    for hand in (track, fitted):
        path = Trajectory(camera, [0.0, 0.1], {}, {"right": hand}).save(tmp_path / "t.npz")
        again = Trajectory.load(path).hands["right"]
        for name in ("camera_from_wrist", "angles", "shape"):
            kept, given = getattr(again, name), getattr(hand, name)
            assert (kept is None) == (given is None)
            if given is not None:
                np.testing.assert_array_equal(kept, given)
    with pytest.raises(InputError, match="belong together"):
        replace(track, angles=np.ones((2, 21)))
    with pytest.raises(InputError, match="one per frame"):
        replace(fitted, camera_from_wrist=np.tile(np.eye(4), (3, 1, 1)))
