"""The core alone, as `pip install dexman-pose` gives it: files, geometry, metrics and exports without the engine."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import dexman_pose
from dexman_pose.data import Camera, HandTrack, Mesh, PoseTrack, RigidObject, Trajectory
from dexman_pose.data.tracks import JOINT_PARENTS
from dexman_pose.geometry import se3, so3_exp
from dexman_pose.metrics import add, add_s, diameter, mspd, mssd

ROOT = Path(__file__).resolve().parents[2]
CORE = {"numpy", "trimesh", "pillow", "tqdm", "pyyaml"}
ABSENT = (
    *(
        "torch",
        "warp",
        "scipy",
        "cv2",
        "av",
        "ai_edge_litert",
        "matplotlib",
        "mujoco",
        "coacd",
        "transformers",
    ),
    *("segment_anything", "rsl_rl", "tensordict", "tensorboard", "genesis", "nicegui", "ray", "rerun", "pxr"),
    *("pyarrow", "kornia", "networkx", "shapely", "lxml"),
)
"""Modules of the extras, and those that trimesh uses where it finds them."""

BLOCKED = f"import sys\nfor name in {ABSENT!r}:\n    sys.modules[name] = None\n"


def alone(code: str, *arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run code in a process of its own in which the packages of all extras cannot be imported."""
    command = [sys.executable, "-c", BLOCKED + code, *arguments]
    here = os.pathsep.join([str(Path(dexman_pose.__file__).parents[1]), os.environ.get("PYTHONPATH", "")])
    return subprocess.run(
        command, cwd=cwd, capture_output=True, text=True, check=False, env={**os.environ, "PYTHONPATH": here}
    )


def commands(*lines: list[str], cwd: Path) -> list[tuple[int, str, str]]:
    """Status, output and errors of commands of `dexman-pose`, one after the other there."""
    code = """
import contextlib, io, json
from dexman_pose.cli.main import main
told = []
for line in json.loads(sys.argv[1]):
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        status = main(line)
    told.append((status, out.getvalue(), err.getvalue()))
print(json.dumps(told))
"""
    done = alone(code, json.dumps(lines), cwd=cwd)
    assert done.returncode == 0, done.stderr
    return [(status, out, err) for status, out, err in json.loads(done.stdout)]


def poses(seed: int, count: int) -> Any:
    rng = np.random.default_rng(seed)
    return np.stack(
        [se3(so3_exp(rng.normal(0, 0.3, 3)), rng.normal(0, 0.03, 3) + (0, 0, 0.6)) for _ in range(count)]
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A trajectory with an object and a hand, written with everything installed."""
    rng, made = np.random.default_rng(0), tmp_path_factory.mktemp("core")
    box = np.array([[0, 2, 1], [0, 1, 3], [1, 2, 3], [2, 0, 3]])
    mesh = Mesh(np.array([[0, 0, 0], [0.06, 0, 0], [0, 0.07, 0], [0, 0, 0.08]]), box)
    valid = np.array([True, True, False, True])
    cup = RigidObject("cup", mesh, PoseTrack(poses(1, 4), valid, valid.astype(float)), 1.0, "given")
    posed = rng.normal(0, 0.03, (21, 3))
    joints = posed + np.linspace(0, 0.01, 4)[:, None, None] + (0, 0, 0.6)
    lengths = np.linalg.norm(posed - posed[np.maximum(JOINT_PARENTS, 0)], axis=1)
    flags = np.ones(4, bool)
    hand = HandTrack("right", joints, joints[..., :2] * 100 + 50, flags, ~flags, np.ones(4), lengths)
    Trajectory(Camera.from_focal(120.0, 160, 120), np.arange(4) / 30.0, {"cup": cup}, {"right": hand}).save(
        made / "trajectory.npz"
    )
    return made


def test_the_project_file_asks_for_the_core_alone() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert {name.partition(">")[0] for name in project["dependencies"]} == CORE
    extras = project["optional-dependencies"]
    assert {name.partition(">")[0] for name in extras["engine"]} == {
        "scipy",
        "torch",
        "warp-lang",
        "opencv-python-headless",
    }
    assert "dexman-pose[engine]" in extras["video"]


def test_a_trajectory_is_read_changed_and_written(folder: Path) -> None:
    code = """
import numpy as np, dexman_pose as dp
found = dp.Trajectory.load("trajectory.npz")
cup = found.objects["cup"]
assert cup.valid.tolist() == [True, True, False, True] and found.hands["right"].joints.shape == (4, 21, 3)
again = dp.Trajectory.load(found.save("again.npz"))
np.testing.assert_array_equal(again.objects["cup"].camera_from_object, cup.camera_from_object)
"""
    done = alone(code, cwd=folder)
    assert done.returncode == 0, done.stderr


def test_meshes_are_written_and_read(folder: Path) -> None:
    code = """
import numpy as np, dexman_pose as dp
mesh = dp.Trajectory.load("trajectory.npz").objects["cup"].mesh
for suffix in ("obj", "ply", "stl", "off", "glb"):
    mesh.save(f"cup.{suffix}")
    read = dp.load_mesh(f"cup.{suffix}", "m")
    np.testing.assert_allclose(np.sort(read.vertices, 0), np.sort(mesh.vertices, 0), atol=1e-6, err_msg=suffix)
    assert len(read.faces) == 4, suffix
"""
    done = alone(code, cwd=folder)
    assert done.returncode == 0, done.stderr


def test_metrics_say_what_they_say_with_the_engine(folder: Path) -> None:
    rng = np.random.default_rng(3)
    vertices, one, other = rng.normal(0, 0.05, (700, 3)), poses(4, 6), poses(5, 6)
    np.savez(folder / "poses.npz", vertices=vertices, one=one, other=other)
    code = """
import json, numpy as np
from dexman_pose import Camera, metrics
held = np.load("poses.npz")
v, a, b = held["vertices"], held["one"], held["other"]
joints = v[:21]
print(json.dumps({
    "add": metrics.add(a, b, v).tolist(), "add_s": metrics.add_s(a, b, v).tolist(),
    "single": float(metrics.add(a[0], b[0], v)), "mssd": metrics.mssd(a, b, v).tolist(),
    "mspd": metrics.mspd(a, b, v, Camera.from_focal(300.0, 640, 480)).tolist(),
    "diameter": metrics.diameter(v), "auc": metrics.auc(metrics.add_s(a, b, v), np.ones(6, bool), max_threshold=0.1),
    "hand": float(metrics.joint_errors(joints[None], joints[None] + 0.01).mean()),
    "jitter": metrics.jitter(a, np.ones(6, bool), 30.0) is not None,
}))
"""
    done = alone(code, cwd=folder)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    camera = Camera.from_focal(300.0, 640, 480)
    np.testing.assert_allclose(found["add"], add(one, other, vertices), rtol=1e-12)
    np.testing.assert_allclose(found["single"], add(one[0], other[0], vertices), rtol=1e-12)
    np.testing.assert_allclose(found["add_s"], add_s(one, other, vertices), rtol=1e-6)
    np.testing.assert_allclose(found["mssd"], mssd(one, other, vertices), rtol=1e-12)
    np.testing.assert_allclose(found["mspd"], mspd(one, other, vertices, camera), rtol=1e-12)
    np.testing.assert_allclose(found["diameter"], diameter(vertices), rtol=1e-12)
    np.testing.assert_allclose(found["hand"], 0.01 * np.sqrt(3.0), rtol=1e-12)


def test_commands_and_exports_that_need_no_engine(folder: Path) -> None:
    outs = {"mjcf": "mjcf", "bop": "bop", "bop-csv": "poses.csv", "taco": "taco", "gltf": "scene.glb"}
    exports = [
        [
            "export",
            "trajectory.npz",
            "--format",
            name,
            "--out",
            out,
            *(["--hands", "joints"] if name == "gltf" else []),
        ]
        for name, out in outs.items()
    ]
    lines = [
        ["doctor"],
        ["--help"],
        ["models", "list"],
        ["eval", "protocols"],
        ["view", "trajectory.npz"],
        *exports,
    ]
    told = commands(*lines, cwd=folder)
    assert [(line, err) for line, (status, _, err) in zip(lines, told) if status != 0] == []
    assert all(out for _, out, _ in told)
    assert all((folder / out).exists() for out in outs.values())
    assert "pip install 'dexman-pose[engine]'" in told[0][1].partition("to mend")[2]


def test_what_needs_more_says_the_command_that_brings_it(folder: Path) -> None:
    (folder / "clip.mp4").write_bytes(b"no video")
    lines = [
        ["run", "clip.mp4", "--box", "cup=1,2,3,4", "--out", "out"],
        ["demo", "--out", "demo"],
        ["bench"],
        ["prompt", "clip.mp4"],
        ["plan", "trajectory.npz", "--hand", "right", "--out", "plan"],
        ["view", "trajectory.npz", "--png", "frame.png", "--video", "clip.mp4"],
        ["export", "trajectory.npz", "--format", "gltf", "--out", "skin.glb"],
        ["export", "trajectory.npz", "--format", "usd", "--out", "scene.usda"],
    ]
    for line, (status, _, err) in zip(lines, commands(*lines, cwd=folder)):
        assert status == 2, line
        assert err.count("\n") == 1 and "pip install 'dexman-pose[" in err, (line, err)


def test_every_public_name_is_there_or_says_what_brings_it(tmp_path: Path) -> None:
    code = """
import dexman_pose as dp
from importlib import import_module
from dexman_pose.errors import MissingExtraError
there, missing = [], []
def tried(what, get):
    try:
        get()
    except MissingExtraError as error:
        assert "pip install 'dexman-pose[" in str(error), error
        missing.append(what)
    else:
        there.append(what)
for name in dp.__all__:
    tried(name, lambda: getattr(dp, name))
for room in dp._ROOMS:
    try:
        module = getattr(dp, room)
    except MissingExtraError:
        missing.append(room)
        continue
    for name in getattr(module, "__all__", ()):
        tried(f"{room}.{name}", lambda: getattr(module, name))
print(*there)
"""
    done = alone(code, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    there = set(done.stdout.split())
    assert {"Trajectory", "load_mesh", "export", "reconstruct", "metrics.add_s", "viewer.describe"} <= there
    assert "metrics.vsd" not in there and "pose.track" not in there
