"""Finding the files of a download, however its zips were unpacked."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest

from dexman_pose.datasets.recording import Problem
from dexman_pose.datasets.taco.files import list_sequences, load_array, open_root, plain_name, report
from dexman_pose.errors import InputError


def _sequence(root: Path, kind: str, triplet: str, name: str, *files: str) -> Path:
    folder = root / kind / triplet / name
    folder.mkdir(parents=True)
    for file in files:
        (folder / file).write_bytes(b"x")
    return folder


def test_zips_side_by_side_nested_or_in_their_own_folders(tmp_path: Path) -> None:
    triplet = "(skim off, spatula, plate)"
    one = _sequence(tmp_path, "Object_Poses", triplet, "20230926_004", "tool_012.npy")
    two = _sequence(tmp_path, "Hand_Poses/Hand_Poses", triplet, "20230926_004", "left_hand.pkl")
    three = _sequence(tmp_path, "camera/Egocentric_Camera_Parameters", triplet, "20230926_004")
    _sequence(tmp_path, "__MACOSX/Object_Poses", triplet, "20230926_999")
    _sequence(tmp_path, "Object_Poses", triplet, ".hidden")
    (tmp_path / "models" / "Object_Models" / "object_models_released").mkdir(parents=True)
    (sequence,) = list_sequences(tmp_path)
    assert (sequence.name, sequence.triplet, sequence.split) == ("20230926_004", triplet, "")
    assert sequence.folders == {"objects": (one,), "hands": (two,), "head_camera": (three,)}
    assert sequence.find("hands", "left_hand.pkl") == two / "left_hand.pkl"
    assert sequence.find("hands", "right_hand.pkl") is None
    assert sequence.listed("objects", "tool_*.npy") == [one / "tool_012.npy"]


@pytest.mark.parametrize(
    ("models", "extra", "layout"),
    [
        ("object_models_released", None, "v1"),
        ("Object_Models", "object_models_released", "v1"),
        ("Object_Models", None, "prerelease"),
    ],
)
def test_layout_and_meshes(tmp_path: Path, models: str, extra: str | None, layout: str) -> None:
    _sequence(tmp_path, "Object_Poses", "(stir, spoon, bowl)", "20231105_019")
    folder = tmp_path / models / extra if extra else tmp_path / models
    folder.mkdir(parents=True)
    (folder / "001_cm.obj").write_text("v 0 0 0\n")
    root = open_root(tmp_path)
    assert root.layout == layout
    assert root.mesh_path("001") == folder / "001_cm.obj"
    assert root.mesh_path("002") is None
    for name in ("../001", "a/b", ".", "", "001\n", "001_cm.obj\0"):
        with pytest.raises(InputError, match="is not an object id"):
            root.mesh_path(name)


def test_joints_masks_and_splits_tell_version_one(tmp_path: Path) -> None:
    _sequence(tmp_path / "a", "Hand_Poses", "(a, b, c)", "20231105_019", "hand_joints.npy")
    _sequence(tmp_path / "b", "2D_Segmentation", "(a, b, c)", "20231105_019")
    _sequence(tmp_path / "c", "Object_Poses", "(a, b, c)", "20231105_019")
    assert [open_root(tmp_path / name).layout for name in "abc"] == ["v1", "v1", "prerelease"]
    lists = tmp_path / "c" / "data_lists"
    lists.mkdir()
    (lists / "v1_overall_data_train_test_split.txt").write_text("20231105_019, test_4\r\n\nbroken\n")
    root = open_root(tmp_path / "c")
    assert root.layout == "v1" and root.sequences["20231105_019"].split == "test_4"


def test_same_name_in_two_triplets(tmp_path: Path) -> None:
    _sequence(tmp_path, "Object_Poses", "(a, b, c)", "20231105_019")
    _sequence(tmp_path, "Object_Poses", "(d, e, f)", "20231105_019")
    root = open_root(tmp_path)
    assert root.sequences["20231105_019"].triplet == "(a, b, c)"
    assert len(root.problems) == 1 and "(a, b, c)" in root.problems[0].what


def test_no_dataset(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no folder"):
        open_root(tmp_path / "none")
    with pytest.raises(InputError, match=r"nothing of TACO; expected one of the folders Object_Poses"):
        open_root(tmp_path)


def test_plain_names() -> None:
    assert plain_name("22070938", "a camera") == "22070938"
    for name in ("..", "a/b", "a\\b", "-a", "a b", "a\x00"):
        with pytest.raises(InputError):
            plain_name(name, "a camera")


def test_arrays(tmp_path: Path) -> None:
    path = tmp_path / "a.npy"
    np.save(path, np.arange(6, dtype=np.float32).reshape(2, 3))
    np.testing.assert_array_equal(load_array(path, (None, 3)), [[0, 1, 2], [3, 4, 5]])
    with pytest.raises(InputError, match=r"a\.npy must have the shape \(any, 4\), but has \(2, 3\)"):
        load_array(path, (None, 4))
    header = b"{'descr': '<f8', 'fortran_order': False, 'shape': (1000000000000, 4, 4), }"
    claims = b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header) + 1) + header + b"\n"
    odd = b"\x93NUMPY\x01\x00\x0a\x00{'descr': (\n"  # what parses it gives up in its own way
    for data in (b"", odd, b"\x93NUMPY", path.read_bytes()[:-1], claims, b"PK\x03\x04nothing"):
        path.write_bytes(data)
        with pytest.raises(InputError, match=r"a\.npy") as error:
            load_array(path, (None, 3))
        assert "\n" not in str(error.value)
    for values in (np.array(["a"]), np.array([None], dtype=object), np.array([1j])):
        np.save(path, values, allow_pickle=True)
        with pytest.raises(InputError, match=r"a\.npy"):
            load_array(path, (None,))
    np.savez(tmp_path / "b.npz", a=np.zeros(3))
    (tmp_path / "b.npz").rename(path)
    with pytest.raises(InputError, match=r"a\.npy is no \.npy file"):
        load_array(path, (None,))


def test_reports(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    problem = Problem("s", tmp_path, "broken")
    kept: list[Problem] = []
    report(problem, kept)
    report(problem, kept.append)
    assert kept == [problem, problem]
    report(problem, None)
    assert "broken" in caplog.text
