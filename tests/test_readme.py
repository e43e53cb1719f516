"""What the README tells its readers to type works."""

from __future__ import annotations

import json
import re
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import dexman_pose
from dexman_pose.cli.main import build_parser
from dexman_pose.pipeline import load_prompts

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    """Code blocks of one language; an empty name gives those without one."""
    return re.findall(rf"^```{language}\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)


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


def test_the_prompt_example_is_understood(tmp_path: Path) -> None:
    (text,) = blocks("json")
    (tmp_path / "prompts.json").write_text(text)
    prompts = load_prompts(tmp_path / "prompts.json")
    assert list(prompts) == list(json.loads(text)["objects"])


def test_the_commands_of_the_examples_are_commands() -> None:
    lines = [line for block in blocks("") for line in block.splitlines() if line.startswith("dexman-pose")]
    assert len(lines) >= 4
    for line in lines:
        assert build_parser().parse_args(line.split()[1:]).handler is not None


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
