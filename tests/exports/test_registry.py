"""Formats by name: what is refused, in one line each, and that every entry of the table has its writer."""

from __future__ import annotations

import inspect
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import dexman_pose as dp
from dexman_pose.errors import InputError, MissingExtraError
from dexman_pose.exports import FORMATS


@pytest.mark.parametrize("name", FORMATS)
def test_every_writer_is_there_and_takes_its_options(name: str) -> None:
    entry = FORMATS[name]
    parameters = inspect.signature(entry.write()).parameters
    assert [p for p, v in parameters.items() if v.kind is v.KEYWORD_ONLY] == list(entry.options)


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_is_in_the_page(name: str) -> None:
    page = Path(__file__).parents[2] / "docs" / "exports.md"
    assert f"| `{name}` |" in page.read_text(encoding="utf-8")


def test_a_file_and_a_folder_of_a_run_are_read(trajectory: dp.Trajectory, tmp_path: Path) -> None:
    trajectory.save(tmp_path)
    for source in (tmp_path, str(tmp_path / "trajectory.npz")):
        assert dp.export(source, "bop-csv", tmp_path / "poses.csv").is_file()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("glft", "a.glb"), "there is no format 'glft'; did you mean 'gltf'"),
        ((3, "a.glb"), "there is no format 3"),
        (("gltf", "a.obj"), "writes .glb, but the path is"),
        (("mjcf", "there.npz"), "writes a folder, but"),
    ],
)
def test_what_is_wrong_is_said(
    trajectory: dp.Trajectory, tmp_path: Path, arguments: tuple[Any, str], message: str
) -> None:
    (tmp_path / "there.npz").touch()
    with pytest.raises(InputError, match=message):
        dp.export(trajectory, arguments[0], tmp_path / arguments[1])


SUFFIXES = {name: (entry.suffixes or ("",))[0] for name, entry in FORMATS.items()}
NEED_HANDS = ("mano", "maniptrans")
NEED_OBJECTS = ("taco", "maniptrans", "dexmachina")


def written(trajectory: dp.Trajectory, name: str, folder: Path) -> bool:
    """Whether a format writes a trajectory; False where it refuses in one line."""
    try:
        return dp.export(trajectory, name, folder / f"out{SUFFIXES[name]}").exists()
    except MissingExtraError as error:
        pytest.skip(str(error))
    except InputError as error:
        assert "\n" not in str(error)
        return False


@pytest.mark.parametrize("name", FORMATS)
def test_trajectories_that_lack_much_are_written_or_refused(
    trajectory: dp.Trajectory, tmp_path: Path, name: str
) -> None:
    never = {n: replace(o, track=replace(o.track, valid=0 * o.valid)) for n, o in trajectory.objects.items()}
    unseen = {s: replace(h, valid=0 * h.valid) for s, h in trajectory.hands.items()}
    empty = dp.Trajectory(trajectory.camera, np.zeros(0))
    assert written(replace(trajectory, objects=never, hands={}, contacts=None), name, tmp_path / "a") == (
        name not in NEED_HANDS
    )
    assert written(replace(trajectory, hands=unseen), name, tmp_path / "b") == (name not in NEED_HANDS)
    bare = replace(trajectory, objects={}, hands={}, contacts=None)
    assert written(bare, name, tmp_path / "c") == (name not in (*NEED_OBJECTS, *NEED_HANDS))
    assert not written(empty, name, tmp_path / "d")


def test_other_things_than_trajectories_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="must be a Trajectory"):
        dp.export(7, "gltf", tmp_path / "a.glb")  # type: ignore[arg-type]


@pytest.mark.parametrize(("name", "module", "extra"), [("usd", "pxr", "usd"), ("rerun", "rerun", "view3d")])
def test_a_missing_package_is_named_with_its_extra(
    trajectory: dp.Trajectory,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    module: str,
    extra: str,
) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(MissingExtraError, match=rf"dexman-pose\[{extra}\]"):
        dp.export(trajectory, name, tmp_path / f"a{FORMATS[name].suffixes[0]}")


def test_the_table_imports_no_writer() -> None:
    heavy = "('pxr', 'rerun', 'mujoco', 'trimesh')"
    code = f"import sys, dexman_pose.exports; print([m for m in sys.modules if m in {heavy}])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
