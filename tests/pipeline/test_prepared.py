"""What is prepared is found where it is looked for, no thread stays, and what fails is told by whoever needs it."""

from __future__ import annotations

import threading
from types import SimpleNamespace
from typing import Any

import pytest

from dexman_pose.pipeline import prepared
from dexman_pose.symmetry import cache


def _wait_for(thread_name: str) -> None:
    for thread in threading.enumerate():
        if thread.name == thread_name:
            thread.join(60)


def test_symmetries_are_found_and_nothing_is_left_running(
    tiny_scene: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prepared, "cores", lambda: 2)
    inputs: Any = SimpleNamespace(meshes={"box": tiny_scene.mesh, "made": None})
    with prepared.prepared_beside(inputs, kept=True):
        _wait_for("prepared")
    assert all(thread.name != "prepared" for thread in threading.enumerate())
    searched: list[int] = []
    monkeypatch.setattr(cache, "detect_symmetry", lambda *_, **__: searched.append(1))
    cache.symmetry_of(tiny_scene.mesh)
    assert searched == []


@pytest.mark.parametrize(("kept", "coded"), [(True, 1), (False, 0)])
def test_textures_are_coded_where_files_are_written(
    kept: bool, coded: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[str] = []
    monkeypatch.setattr(prepared, "cores", lambda: 2)
    monkeypatch.setattr(prepared, "coded_texture", seen.append)
    monkeypatch.setattr(cache, "symmetry_of", lambda mesh: None)
    inputs: Any = SimpleNamespace(meshes={"box": SimpleNamespace(texture="pixels")})
    with prepared.prepared_beside(inputs, kept=kept):
        _wait_for("prepared")
    assert seen == ["pixels"] * coded


def test_what_fails_is_not_raised_here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prepared, "cores", lambda: 2)
    inputs: Any = SimpleNamespace(meshes={"box": "no mesh"})
    with prepared.prepared_beside(inputs, kept=True):
        _wait_for("prepared")


def test_one_core_prepares_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prepared, "cores", lambda: 1)
    inputs: Any = SimpleNamespace(meshes={})
    with prepared.prepared_beside(inputs, kept=True):
        assert all(thread.name != "prepared" for thread in threading.enumerate())
