"""``dexman-pose mano``: a trajectory and the user's files in, parameters out."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from dexman_pose.cli.main import main
from dexman_pose.data import Camera, HandTrack, Trajectory
from dexman_pose.geometry import se3, so3_exp, transform_points
from dexman_pose.hands.mano import load_mano, parameter_joints
from dexman_pose.hands.mano.export import read_mano
from dexman_pose.hands.model.hand_model import HandModel
from dexman_pose.synthetic.tiny_datasets.mano import write_small_mano

FRAMES = 5
WORLD = se3(so3_exp([1.5, 0.2, 0.0]), [0.1, 0.2, 0.9])


@pytest.fixture(scope="module")
def given(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Path]]:
    """A trajectory of two hands, the left one not valid in a frame, and MANO files."""
    folder = tmp_path_factory.mktemp("mano")
    files = write_small_mano(folder)
    hands = {}
    for side in files:
        ours = HandModel(side, resolution=0.005)
        bent = np.stack([ours.pose(finger_flexion=angle) for angle in np.linspace(0.0, 0.8, FRAMES)])
        valid = np.ones(FRAMES, np.bool_)
        valid[2] = side == "right"
        hands[side] = HandTrack(
            side,
            ours.joints(bent) + [0.0, 0.0, 0.6],
            np.zeros((FRAMES, 21, 2)),
            valid,
            np.zeros(FRAMES, np.bool_),
            np.ones(FRAMES),
            ours.bone_lengths,
        )
    camera = Camera.from_focal(600.0, 640, 480)
    result = Trajectory(camera, np.arange(FRAMES) / 25.0, hands=hands, world_from_camera=WORLD)
    return result.save(folder / "trajectory.npz"), files


def test_both_hands(
    given: tuple[Path, dict[str, Path]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run, files = given
    out = tmp_path / "mano.npz"
    asked = ["mano", run, "--right", files["right"], "--left", files["left"], "--out", out]
    assert main([str(a) for a in asked]) == 0
    said = capsys.readouterr().out
    assert "right hand: 5 of 5 frames, joints " in said and "left hand: 4 of 5 frames" in said
    assert "thumb_cmc" in said and "pinky_tip" in said and str(out) in said
    result = Trajectory.load(run)
    for side, parameters in read_mano(out).items():
        joints = parameter_joints(parameters, load_mano(files[side]))
        valid = result.hands[side].valid
        np.testing.assert_array_equal(parameters.valid, valid)
        assert np.linalg.norm(joints - result.hands[side].joints, axis=-1)[valid].max() < 0.002


def test_options_are_obeyed(given: tuple[Path, dict[str, Path]], tmp_path: Path) -> None:
    run, files = given
    out = tmp_path / "mano.npz"
    asked = ["mano", run, "--left", files["left"], "--out", out, "--frame", "world", "--zero", "mean"]
    asked += ["--pca", "45", "--places", "template", "--left-shape", "as-is", "--tips", "manopth"]
    assert main([str(a) for a in asked]) == 0
    found = read_mano(out)
    assert list(found) == ["left"]
    p = found["left"]
    assert (p.frame, p.flat_hand_mean, p.pca, p.center_joint, p.left_fixed) == (
        "world",
        False,
        True,
        None,
        False,
    )
    track = Trajectory.load(run).hands["left"]
    expected = transform_points(WORLD, track.joints)
    joints = parameter_joints(p, load_mano(files["left"]), tips="manopth")
    assert np.linalg.norm(joints - expected, axis=-1)[track.valid].max() < 0.003


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ([], "no MANO file is given"),
        (["--right", "LEFT"], "is a left hand"),
        (["--right", "none.pkl"], "no MANO file at none.pkl"),
        (["--right", "RIGHT", "--tips", "x"], "smplx, manopth"),
        (["--right", "RIGHT", "--pca", "50"], "1 to 45"),
    ],
)
def test_refusals(
    given: tuple[Path, dict[str, Path]],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    options: list[str],
    words: str,
) -> None:
    run, files = given
    named = {"LEFT": str(files["left"]), "RIGHT": str(files["right"])}
    out = tmp_path / "mano.npz"
    assert main(["mano", str(run), "--out", str(out), *[named.get(o, o) for o in options]]) == 2
    said = capsys.readouterr().err
    assert words in said and said.count("\n") == 1 and not out.exists()


def test_no_such_hand(
    given: tuple[Path, dict[str, Path]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run, files = given
    result = Trajectory.load(run)
    alone = Trajectory(result.camera, result.frame_times, hands={"left": result.hands["left"]})
    path = alone.save(tmp_path / "left.npz")
    assert main(["mano", str(path), "--right", str(files["right"]), "--out", str(tmp_path / "m.npz")]) == 2
    assert "no hand that a MANO file was given for; it has: left" in capsys.readouterr().err
    assert main(["mano", str(path), "--right", str(files["right"]), "--out", str(tmp_path / "m.txt")]) == 2
    assert "must be a .npz file" in capsys.readouterr().err
