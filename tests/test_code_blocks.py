"""Every code block of README and docs: parsed, typed, run where that is cheap, or marked with what it needs.

A block without a language is what one types in a shell, ``text`` is a drawing or output. What is not run carries a
comment before its fence, ``<!-- not run: why -->``.
"""

from __future__ import annotations

import ast
import builtins
import json
import re
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import dexman_pose as dp
from dexman_pose.cli.main import build_parser, main
from dexman_pose.data import Camera, PoseTrack
from dexman_pose.data.video.writer import write_video

ROOT = Path(__file__).resolve().parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
LANGUAGES = {"", "python", "json", "text"}
BLOCK = re.compile(
    r"(?P<mark>^<!-- not run: (?P<why>[^\n]+) -->\n\n?)?^```(?P<language>\w*)\n(?P<code>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)

GIVEN = {
    "dp": "import dexman_pose as dp",
    "np": "import numpy as np",
    **dict.fromkeys(("image",), "NDArray[np.uint8]"),
    **dict.fromkeys(("mask", "valid"), "NDArray[np.bool_]"),
    **dict.fromkeys(("start", "pose", "estimated", "true", "vertices", "K"), "NDArray[np.float64]"),
    **dict.fromkeys(("betas", "numbers", "camera_from_hand"), "NDArray[np.float64]"),
    "depth": "NDArray[np.float32]",
    "camera": "dexman_pose.Camera",
    "clip": "dexman_pose.Clip",
    "masks": "dexman_pose.MaskSequence",
    "result": "dexman_pose.Trajectory",
    "motion": "dexman_pose.robot.motion.types.Motion",
    **dict.fromkeys(("k1", "k2", "k3", "k4"), "float"),
    "path": "str",
    "segments": "dict[int, dict[int, NDArray[np.bool_]]]",
    "use": "Callable[..., None]",
}
"""What blocks take for given, with its type; modules with the line that imports them."""

ELSEWHERE = {("README.md", 0), ("python.md", 0), ("python.md", 1), ("trajectory.md", 0)}
"""Blocks of Python that `test_readme.py` and `test_docs.py` run."""


@dataclass(frozen=True)
class Block:
    """One block: its page, number among the page's blocks of that language, code, and why it is not run."""

    page: str
    language: str
    number: int
    code: str
    why: str | None

    @property
    def name(self) -> str:
        return f"{self.page}-{self.language or 'shell'}-{self.number}"


def _blocks() -> list[Block]:
    out: list[Block] = []
    for page in PAGES:
        counts: dict[str, int] = {}
        for found in BLOCK.finditer(page.read_text(encoding="utf-8")):
            language = found["language"]
            number = counts.get(language, 0)
            counts[language] = number + 1
            out.append(Block(page.name, language, number, found["code"], found["why"]))
    return out


BLOCKS = _blocks()
PYTHON = [b for b in BLOCKS if b.language == "python"]
SHELL = [b for b in BLOCKS if b.language == ""]


def test_every_fence_belongs_to_a_block_of_a_known_language() -> None:
    fences = sum(
        line.startswith("```") for page in PAGES for line in page.read_text(encoding="utf-8").splitlines()
    )
    assert fences == 2 * len(BLOCKS) > 60
    assert {b.language for b in BLOCKS} <= LANGUAGES


# Python


def _free(code: str) -> set[str]:
    """Names that a block uses and does not bind."""
    tree = ast.parse(code)
    bound, used = set(dir(builtins)), set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            (used if isinstance(node.ctx, ast.Load) else bound).add(node.id)
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            bound |= {(alias.asname or alias.name).partition(".")[0] for alias in node.names}
        elif isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            bound.add(node.name)
            bound |= {a.arg for a in node.args.args} if isinstance(node, ast.FunctionDef) else set()
    first = {n.id for n in ast.walk(tree) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)} & {
        t.id for s in tree.body if isinstance(s, ast.Assign) for t in s.targets if isinstance(t, ast.Name)
    }
    again = {name for name in first if name in GIVEN and _read_first(tree, name)}
    return (used - bound) | again


def _read_first(tree: ast.Module, name: str) -> bool:
    """Whether a name is read in an earlier statement than the one that binds it."""
    for statement in tree.body:
        names = [n for n in ast.walk(statement) if isinstance(n, ast.Name) and n.id == name]
        if any(isinstance(n.ctx, ast.Load) for n in names):
            return True
        if names:
            return False
    return False


def _typed(block: Block) -> str:
    """A block as a module: what it takes for given is declared."""
    lines = ["from collections.abc import Callable", "import numpy as np", "from numpy.typing import NDArray"]
    lines += ["import dexman_pose", "import dexman_pose.robot.motion.types"]
    for name in sorted(_free(block.code)):
        given = GIVEN[name]
        lines.append(given if given.startswith("import") else f"{name}: {given}")
    return "\n".join(lines) + "\n\n" + block.code


@pytest.mark.parametrize("block", PYTHON, ids=lambda b: b.name)
def test_blocks_of_python_take_nothing_unnamed_for_given(block: Block) -> None:
    assert _free(block.code) <= set(GIVEN)


@pytest.mark.slow
def test_blocks_of_python_pass_the_type_checker(tmp_path: Path) -> None:
    pytest.importorskip("mypy", reason="needs: pip install 'dexman-pose[dev]'")
    files = []
    for i, block in enumerate(PYTHON):
        files.append(tmp_path / f"block_{i}_{block.page.partition('.')[0].replace('-', '_')}.py")
        files[-1].write_text(_typed(block), encoding="utf-8")
    # Untyped functions are what the reader of the file format is for: it is copied into programs of all kinds.
    loose = ["--allow-untyped-defs", "--allow-untyped-calls", "--check-untyped-defs"]
    config = ["--config-file", str(ROOT / "pyproject.toml"), *loose]
    done = subprocess.run(
        [sys.executable, "-m", "mypy", *config, *map(str, files)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout


def _camera(space: dict[str, Any], scene: Any) -> None:
    space |= {"K": Camera.from_focal(300.0, 640, 480).K, "k1": 0.01, "k2": 0.0, "k3": 0.0, "k4": 0.0}


def _tracked(space: dict[str, Any], scene: Any) -> None:
    space |= {"camera": scene.camera, "pose": scene.camera_from_object[0]}
    space["use"] = lambda poses: space.update(used=poses)


def _segments(space: dict[str, Any], scene: Any) -> None:
    masks = {1: np.zeros((4, 6), bool), 2: np.ones((4, 6), bool)}
    space |= {"np": np, "path": "masks.npz", "segments": {0: masks, 1: masks}}


RUN: dict[
    tuple[str, int], tuple[Callable[[dict[str, Any], Any], None], Callable[[dict[str, Any]], object]]
] = {
    ("cameras.md", 0): (_camera, lambda s: s["camera"].lens.model == "fisheye"),
    ("inputs.md", 1): (
        _segments,
        lambda s: sorted(np.load("masks.npz").files) == ["0/1", "0/2", "1/1", "1/2"],
    ),
    ("exports.md", 0): (lambda s, _: None, lambda s: Path("out/clip/mujoco/scene.xml").is_file()),
    ("tracking.md", 0): (_tracked, lambda s: s["used"].shape[1:] == (4, 4)),
    ("tracking.md", 1): (_tracked, lambda s: s["tracker"] is not None),
    ("world.md", 0): (lambda s, _: None, lambda s: s["result"].num_frames == 4),
}
"""Blocks that are run here: what they take for given, and what must hold then; ``out/clip`` is a small trajectory."""


@pytest.mark.parametrize("block", PYTHON, ids=lambda b: b.name)
def test_blocks_of_python_are_run_or_say_why_not(
    block: Block, small_run: Path, tiny_scene: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = (block.page, block.number)
    assert (key in RUN or key in ELSEWHERE) == (block.why is None), "run it here, or say why not"
    if key not in RUN:
        return
    prepared, holds = RUN[key]
    monkeypatch.chdir(small_run)
    space: dict[str, Any] = {}
    prepared(space, tiny_scene)
    exec(compile(block.code, block.page, "exec"), space)
    assert holds(space)


# Shell


@pytest.fixture(scope="module")
def small_run(tiny_scene: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder whose ``out/clip`` holds the true trajectory of a small clip; clip and mesh lie beside it."""
    root = tmp_path_factory.mktemp("pages")
    count = len(tiny_scene.frames)
    track = PoseTrack(tiny_scene.camera_from_object, np.ones(count, bool), np.ones(count))
    cup = dp.RigidObject("cup", tiny_scene.mesh, track, 1.0, "given")
    dp.Trajectory(tiny_scene.camera, np.arange(count) / 30.0, {"cup": cup}).save(
        root / "out/clip/trajectory.npz"
    )
    tiny_scene.mesh.save(root / "cup.obj")
    write_video(root / "clip.mp4", tiny_scene.frames)
    return root


TYPED = {
    "dexman-pose view out/clip",
    "dexman-pose eval protocols",
    "dexman-pose export out/clip --format gltf --out clip.glb",
}
"""Lines that are run here."""


def _lines(block: Block) -> list[str]:
    return [text for line in block.code.splitlines() if (text := line.partition("  #")[0].strip())]


@pytest.mark.parametrize("block", SHELL, ids=lambda b: b.name)
def test_lines_for_a_shell_are_commands_that_there_are(block: Block) -> None:
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    targets = re.findall(r"^(\w[\w-]*):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    for line in _lines(block):
        program, *words = shlex.split(line)
        if program == "dexman-pose":
            assert build_parser().parse_args(words).handler is not None
        elif program == "make":
            assert words[0] in targets, line
        elif program == "python":
            text = (ROOT / words[0]).read_text(encoding="utf-8")
            missing = [w for w in words if w.startswith("--") and f'"{w}"' not in text]
            assert not missing, f"{line}: {words[0]} has no {missing}"
        else:
            assert program == "pip" and words[0] == "install", line
            asked = re.findall(r"\[([\w,]+)\]", line)
            assert asked and set(asked[0].split(",")) <= set(extras["optional-dependencies"]), line


@pytest.mark.parametrize("block", SHELL, ids=lambda b: b.name)
def test_lines_for_a_shell_are_run_or_say_why_not(
    block: Block, small_run: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = _lines(block)
    assert (set(lines) <= TYPED) == (block.why is None), "run it here, or say why not"
    monkeypatch.chdir(small_run)
    for line in lines:
        if line in TYPED:
            assert main(shlex.split(line)[1:]) == 0, line
            assert capsys.readouterr().out


def test_blocks_of_json_are_json() -> None:
    assert all(json.loads(b.code) for b in BLOCKS if b.language == "json")
