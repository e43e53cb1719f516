"""Notebooks: scripts that run from top to bottom, and the same with outputs beside them."""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from dexman_pose.data.model_store import locate
from dexman_pose.errors import MissingModelError
from dexman_pose.robot.assets.shadow import shadow_hand

FOLDER = Path(__file__).parents[2] / "notebooks"
SCRIPTS = sorted(FOLDER.glob("*.py"))
WITHOUT_WEIGHTS = ("03_the_engine", "05_scoring")
SAID = {
    "01_quickstart": "60 of 60 poses are valid",
    "02_your_own_clip": "longest side 117 mm",
    "03_the_engine": "size from depth, 0.99",
    "04_hands_and_contact": "solved with the tin",
    "05_scoring": "they look like centimetres",
    "06_to_a_robot": "replay: ",
}
"""What the output of each must hold; one that is not listed must hold something."""


def _cells(text: str) -> list[str]:
    """Code of the cells of a percent script."""
    parts = re.split(r"^# %%(.*)$", text, flags=re.MULTILINE)[1:]
    return [body.strip() for kind, body in zip(parts[::2], parts[1::2]) if "[markdown]" not in kind]


def test_there_are_notebooks() -> None:
    assert SCRIPTS


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda p: p.stem)
def test_outputs_belong_to_the_script(script: Path) -> None:
    notebook = json.loads(script.with_suffix(".ipynb").read_text(encoding="utf-8"))
    code = ["".join(c["source"]).strip() for c in notebook["cells"] if c["cell_type"] == "code"]
    assert code == _cells(script.read_text(encoding="utf-8"))
    assert all(ast.parse(cell) for cell in code)
    kinds = [o["output_type"] for c in notebook["cells"] for o in c.get("outputs", [])]
    assert "display_data" in kinds and "error" not in kinds
    assert script.with_suffix(".ipynb").stat().st_size < 1_500_000


@pytest.mark.slow
@pytest.mark.parametrize("script", SCRIPTS, ids=lambda p: p.stem)
def test_a_notebook_runs(script: Path, tmp_path: Path) -> None:
    if script.stem not in WITHOUT_WEIGHTS:
        try:
            locate("mediapipe-hands")
        except MissingModelError as error:
            pytest.skip(str(error))
    if script.stem == "06_to_a_robot":
        pytest.importorskip("mujoco", reason="needs: pip install 'dexman-pose[robot]'")
        try:
            shadow_hand("right")
        except MissingModelError as error:
            pytest.skip(str(error))
    place = {"MPLBACKEND": "Agg", "NOTEBOOK_FRAMES": "60", "TMPDIR": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, str(script)],
        env=os.environ | place,
        capture_output=True,
        text=True,
        check=False,
        timeout=1200,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.strip() and SAID.get(script.stem, "") in done.stdout


@pytest.mark.parametrize(
    "name", ["01_quickstart", "02_your_own_clip", "03_the_engine", "04_hands_and_contact", "05_scoring"]
)
def test_a_notebook_ends_with_the_readers_own_clip(name: str) -> None:
    last = (FOLDER / f"{name}.py").read_text(encoding="utf-8").rpartition("# %% [markdown]")[2]
    assert last.strip().startswith("# ## Your own clip") and "my_clip.mp4" in last
