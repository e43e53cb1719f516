"""What the README, and the pages it sends its readers to first, tell them to type works."""

from __future__ import annotations

import argparse
import json
import re
import shlex
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import trimesh

import dexman_pose
from dexman_pose.cli.main import build_parser
from dexman_pose.data import Camera, Clip, MaskSequence, Mesh
from dexman_pose.geometry import se3, so3_exp
from dexman_pose.pipeline import load_prompts
from dexman_pose.render import Rasterizer

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
MOST_LINES = 140
"""Of the README: it sells and starts; what is more stands in docs/."""


def blocks(language: str, page: str = "README.md") -> list[str]:
    """Code blocks of one language; an empty name gives those without one."""
    text = (ROOT / page).read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def test_it_is_short() -> None:
    assert len(README.splitlines()) <= MOST_LINES


def test_the_first_screen_holds_exactly_the_two_commands() -> None:
    first = blocks("")[0].splitlines()
    assert first == ["make demo", "make test"]
    assert README.index("make demo") < README.index("\n## ")
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert all(f"\n{line.split()[1]}: " in makefile for line in first)


def test_the_python_example_runs(
    tiny_scene: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write_clip(tmp_path / "clip.mp4", tiny_scene.frames)
    monkeypatch.chdir(tmp_path)
    # The weights of the hand detector are not part of the tests.
    monkeypatch.setattr(
        dexman_pose, "reconstruct", partial(dexman_pose.reconstruct, hands=None), raising=False
    )
    (code,) = blocks("python")
    box = ", ".join(f"{x:.0f}" for x in tiny_scene.box)
    assert "(387, 258, 483, 409)" in code
    space: dict[str, Any] = {}
    exec(code.replace("(387, 258, 483, 409)", f"({box})"), space)
    assert capsys.readouterr().out.startswith("(4, 4, 4)\n")
    np.testing.assert_array_equal(space["same"].objects["cup"].valid, space["cup"].valid)


def test_the_example_of_the_engine_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    box = trimesh.creation.box((0.05, 0.08, 0.11)).subdivide().subdivide()
    box.export(tmp_path / "cup.obj")
    monkeypatch.chdir(tmp_path)
    mesh = Mesh(np.asarray(box.vertices), np.asarray(box.faces))
    camera, rng = Camera.from_focal(300.0, 200, 160), np.random.default_rng(0)
    poses = np.stack([se3(so3_exp([0.5 + 0.03 * t, 0.6, 0.2]), [0.003 * t, 0.0, 0.4]) for t in range(3)])
    drawn = Rasterizer(mesh).render(poses, camera.K, 200, 160, attributes=("depth", "normal"))
    assert drawn.depth is not None and drawn.normal is not None
    shade = np.where(drawn.mask, 80 + 150 * np.abs(drawn.normal[..., 2]), 40.0)
    frames = (shade[..., None] + rng.normal(0, 2, (3, 160, 200, 3))).clip(0, 255).astype(np.uint8)
    masks = MaskSequence(("cup",), 160, 200, 3, np.ones((3, 1), np.float32))
    for t in range(3):
        masks.set(t, drawn.mask[t].astype(np.uint8))
    space: dict[str, Any] = {
        "image": frames[0],
        "mask": drawn.mask[0],
        "depth": drawn.depth[0],
        "camera": camera,
        "start": poses[0],
        "clip": Clip.from_frames(frames),
        "masks": masks,
    }
    code, _ = blocks("python", "docs/python.md")
    exec(code, space)
    assert space["poses"].valid.all() and space["cup"].valid.all()
    assert abs(space["cup"].camera_from_object[0, 2, 3] - 0.4) < 0.01
    assert space["images"].depth.requires_grad


def test_the_example_of_the_metrics_runs() -> None:
    _, code = blocks("python", "docs/python.md")
    rng = np.random.default_rng(0)
    true = np.repeat(np.eye(4)[None], 4, 0)
    estimated = true.copy()
    estimated[:, 0, 3] = [0.0, 0.01, 0.02, 0.3]
    space: dict[str, Any] = {
        "estimated": estimated,
        "true": true,
        "vertices": rng.normal(0, 1e-9, (5, 3)),
        "valid": np.array([True, True, True, False]),
    }
    exec(code, space)
    np.testing.assert_allclose(space["errors"], estimated[:, 0, 3], atol=1e-6)
    np.testing.assert_allclose(space["area"], (1.0 + 0.9 + 0.8) / 4, atol=1e-6)


def test_the_prompt_example_is_understood(tmp_path: Path) -> None:
    (text,) = blocks("json", "docs/commands.md")
    (tmp_path / "prompts.json").write_text(text)
    prompts = load_prompts(tmp_path / "prompts.json")
    assert list(prompts) == list(json.loads(text)["objects"])


def test_the_commands_of_the_examples_are_commands() -> None:
    pages = ("README.md", "docs/evaluation.md")
    lines = [
        line
        for page in pages
        for block in blocks("", page)
        for line in block.splitlines()
        if line.startswith("dexman-pose")
    ]
    assert len(lines) >= 8
    for line in lines:
        assert build_parser().parse_args(shlex.split(line, comments=True)[1:]).handler is not None


def test_the_page_of_commands_names_them_all() -> None:
    page = (ROOT / "docs/commands.md").read_text(encoding="utf-8")
    (commands,) = (
        a.choices for a in build_parser()._actions if isinstance(a, argparse._SubParsersAction) and a.choices
    )
    assert [name for name in commands if f"`{name}" not in page] == []


def test_the_files_it_points_to_are_there() -> None:
    links = [link for link in re.findall(r"\]\(([^)#]+)\)", README) if "://" not in link]
    assert "docs/conventions.md" in links
    assert [link for link in links if not (ROOT / link).exists()] == []


def write_clip(path: Path, frames: list[Any]) -> None:
    """Frames as a video, nearly without loss."""
    av = pytest.importorskip("av")
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=30, options={"crf": "10"})
        stream.height, stream.width = frames[0].shape[:2]
        stream.pix_fmt = "yuv420p"
        for frame in frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        container.mux(stream.encode())
