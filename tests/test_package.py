"""The package itself: what importing costs, what it exports, what is shipped."""

from __future__ import annotations

import subprocess
import sys
from importlib import metadata, resources
from pathlib import Path

import pytest

import dexman_pose

ROOT = Path(__file__).resolve().parents[1]


def test_importing_is_quick_and_imports_nothing_heavy() -> None:
    code = (
        "import sys, time\n"
        "start = time.perf_counter()\n"
        "import dexman_pose\n"
        "seconds = time.perf_counter() - start\n"
        "heavy = {'torch', 'warp', 'cv2', 'trimesh', 'scipy', 'numpy'} & set(sys.modules)\n"
        "sys.exit(f'{heavy} in {seconds} s' if heavy or seconds > 0.2 else 0)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("name", dexman_pose.__all__)
def test_every_exported_name_is_there(name: str) -> None:
    assert getattr(dexman_pose, name) is not None
    assert name in dir(dexman_pose)


def test_a_name_that_is_not_there() -> None:
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        dexman_pose.nonsense  # noqa: B018


def test_the_version_is_that_of_the_project_file() -> None:
    assert dexman_pose.__version__ == metadata.version("dexman-pose")
    assert f'version = "{dexman_pose.__version__}"' in (ROOT / "pyproject.toml").read_text()


def test_the_model_cards_are_installed() -> None:
    cards = resources.files("dexman_pose.model_cards")
    installed = {f.name for f in cards.iterdir() if f.name.endswith(".yaml")}
    assert installed == {f.name for f in (ROOT / "models").glob("*.yaml")}
    assert installed
