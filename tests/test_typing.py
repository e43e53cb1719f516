"""Callers' type checkers agree with what callers may give: snippets of the first pages, lists, other libraries."""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
import sys
import zipfile
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

import dexman_pose as dp
from dexman_pose.data import HandObservations

ROOT = Path(__file__).resolve().parents[1]
PAGES = ("README.md", "docs/python.md")

GIVEN = (
    "image: Any, mask: Any, depth: Any, camera: dp.Camera, start: Any, clip: dp.Clip, masks: dp.MaskSequence"
)
SCORED = "estimated: Any, true: Any, vertices: Any, valid: Any"

CALLS = """
import numpy as np
import dexman_pose as dp

camera = dp.Camera([[500, 0, 320], [0, 500, 240], [0, 0, 1]], 640, 480)
image, mask = np.zeros((480, 640, 3), np.uint8), np.zeros((480, 640), np.bool_)
found = dp.pose.estimate_pose("cup.obj", image, mask, camera.K, depth=[[0.5]])
found = dp.pose.estimate_pose("cup.obj", image, box=(1, 2, 30, 40), camera=(500, 500, 320, 240))
found = dp.pose.refine_pose(dp.load_mesh("cup.obj"), np.eye(4).tolist(), mask, (500, 500, 320, 240))
poses = dp.pose.track("cup.obj", "clip.mp4", {"cup": np.zeros((3, 480, 640))}, camera)
mesh = dp.Mesh([[0, 0, 0]], [[0, 1, 2]], vertex_colors=[[0.5, 0.5, 0.5]])
prompt = dp.ObjectPrompt(box=(1, 2, 3, 4), points=[(1, 2, 1)], mask=[[True]], mesh=mesh)
result = dp.reconstruct("clip.mp4", {"cup": prompt}, camera=(500, 500, 320, 240), depth="depth")
source: str = result.objects["cup"].scale_source
error = dp.metrics.add(np.eye(4), np.eye(4), mesh.vertices)
mask_rendered, *_ = dp.render.render(mesh, np.eye(4), camera)
"""


def programs() -> dict[str, str]:
    """The pages' snippets as functions of what they take for granted, and calls with lists and tuples."""
    text = "".join((ROOT / page).read_text(encoding="utf-8") for page in PAGES)
    start, engine, metrics = re.findall(r"^```python\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    head = "from typing import Any\nimport dexman_pose as dp\n"

    def function(given: str, code: str) -> str:
        return f"{head}def snippet({given}) -> None:\n" + "".join(
            f"    {line}\n" for line in code.splitlines()
        )

    return {
        "start": start,
        "engine": function(GIVEN, engine),
        "metrics": function(SCORED, metrics),
        "calls": CALLS,
    }


@pytest.mark.slow
def test_mypy_agrees_with_the_readme_and_with_lists(tmp_path: Path) -> None:
    pytest.importorskip("mypy")
    for name, program in programs().items():
        (tmp_path / f"{name}.py").write_text(program)
    (tmp_path / "mypy.ini").write_text("[mypy]\nstrict = true\nfollow_imports = silent\n")
    command = [sys.executable, "-m", "mypy", "--config-file", "mypy.ini", "."]
    environment = {"MYPYPATH": str(ROOT), "PATH": "/usr/bin:/bin"}
    done = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=900, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.slow
def test_an_editable_install_leaves_a_plain_path_for_type_checkers(tmp_path: Path) -> None:
    build = f"from setuptools import build_meta; build_meta.build_editable({str(tmp_path)!r})"
    subprocess.run([sys.executable, "-c", build], cwd=ROOT, check=True, capture_output=True, timeout=300)
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as files:
        paths = [files.read(n).decode().strip() for n in files.namelist() if n.endswith("_source.pth")]
        record = next(files.read(n).decode() for n in files.namelist() if n.endswith("RECORD"))
    assert paths == [str(ROOT)]
    assert "_source.pth,sha256=" in record


@pytest.mark.slow
def test_a_wheel_holds_the_scripts_of_the_report(tmp_path: Path) -> None:
    build = f"from setuptools import build_meta; build_meta.build_wheel({str(tmp_path)!r})"
    source = tmp_path / "source"
    shutil.copytree(
        ROOT, source, ignore=shutil.ignore_patterns(".git", ".venv", "build", "out", "*.egg-info")
    )
    subprocess.run([sys.executable, "-c", build], cwd=source, check=True, capture_output=True, timeout=300)
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as files:
        names = set(files.namelist())
    web = {p.name for p in (ROOT / "dexman_pose/viewer/web").iterdir()}
    assert {"three.module.min.js", "three.LICENSE", "player.js", "replay.css"} <= web
    assert {f"dexman_pose/viewer/web/{name}" for name in web} <= names
    assert any(name.endswith("licenses/dexman_pose/viewer/web/three.LICENSE") for name in names)


def declared(kind: type[Any]) -> list[str]:
    """Parameters of the constructor that type checkers read."""
    path = Path(sys.modules[kind.__module__].__file__ or "")
    (body,) = (
        n for n in ast.parse(path.read_text()).body if isinstance(n, ast.ClassDef) and n.name == kind.__name__
    )
    (init,) = (n for n in ast.walk(body) if isinstance(n, ast.FunctionDef) and n.name == "__init__")
    return [argument.arg for argument in init.args.args[1:]]


@pytest.mark.parametrize(
    "kind",
    [
        dp.Camera,
        dp.Contacts,
        dp.HandTrack,
        dp.Mesh,
        dp.ObjectPrompt,
        dp.PoseTrack,
        dp.RigidObject,
        dp.Trajectory,
        HandObservations,
    ],
)
def test_declared_constructors_are_those_that_run(kind: type[Any]) -> None:
    assert declared(kind) == [f.name for f in fields(kind)]


def test_the_package_says_that_it_is_typed() -> None:
    assert (ROOT / "dexman_pose" / "py.typed").is_file()
