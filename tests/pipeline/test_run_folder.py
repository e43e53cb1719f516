"""Reuse, resume and repair of stages, on stages so small that every reason for redoing one is visible."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from dexman_pose.errors import DexmanError, InputError, TrajectoryError
from dexman_pose.pipeline.run_folder import RunFolder
from dexman_pose.pipeline.runner import Runner
from dexman_pose.pipeline.stage import Stage, StageEvent


class Recipe:
    """Three stages: flour and water (no connection), dough (of both). Counts what is computed."""

    def __init__(self, flour: str = "rye", water: int = 2) -> None:
        self.flour, self.water = flour, water
        self.computed: list[str] = []
        self.stop_in: str | None = None

    def stage(
        self, name: str, make: Callable[[], str], settings: dict[str, object], *after: str
    ) -> Stage[str]:
        def compute() -> str:
            self.computed.append(name)
            if self.stop_in == name:
                raise KeyboardInterrupt
            return make()

        return Stage(
            name,
            f"stages/{name}.txt",
            compute=compute,
            save=lambda text, path: path.write_text(text),
            load=lambda path: path.read_text(),
            settings=settings,
            after=after,
        )

    def bake(self, out: Path, listener: Callable[[StageEvent], None] | None = None) -> str:
        with RunFolder.open(out) as folder:
            runner = Runner(folder, 3, listener)
            flour = runner.run(self.stage("flour", self.flour.upper, {"kind": self.flour}))
            water = runner.run(self.stage("water", lambda: "~" * self.water, {"cups": self.water}))
            return runner.run(self.stage("dough", lambda: flour + water, {}, "flour", "water"))


def test_a_second_run_computes_nothing_and_gives_the_same(tmp_path: Path) -> None:
    first, second = Recipe(), Recipe()
    assert first.bake(tmp_path) == "RYE~~" == second.bake(tmp_path)
    assert first.computed == ["flour", "water", "dough"]
    assert second.computed == []


def test_a_run_killed_between_stages_goes_on_where_it_stopped(tmp_path: Path) -> None:
    killed = Recipe()
    killed.stop_in = "dough"
    with pytest.raises(KeyboardInterrupt):
        killed.bake(tmp_path)
    assert not (tmp_path / "stages/dough.json").exists()
    resumed = Recipe()
    assert resumed.bake(tmp_path) == "RYE~~"
    assert resumed.computed == ["dough"]


def test_a_changed_setting_redoes_what_depends_on_it_and_nothing_else(tmp_path: Path) -> None:
    Recipe().bake(tmp_path)
    changed = Recipe(water=3)
    assert changed.bake(tmp_path) == "RYE~~~"
    assert changed.computed == ["water", "dough"]


def test_the_same_content_from_other_settings_stops_the_redoing(tmp_path: Path) -> None:
    Recipe(flour="rye").bake(tmp_path)
    changed = Recipe(flour="RYE")
    assert changed.bake(tmp_path) == "RYE~~"
    assert changed.computed == ["flour"]


@pytest.mark.parametrize("damage", [b"RYE", b"", b"XXX~~"])
def test_a_damaged_artefact_is_made_again(tmp_path: Path, damage: bytes) -> None:
    Recipe().bake(tmp_path)
    (tmp_path / "stages/dough.txt").write_bytes(damage)
    repaired = Recipe()
    assert repaired.bake(tmp_path) == "RYE~~"
    assert repaired.computed == ["dough"]


def test_a_lost_artefact_and_a_damaged_manifest_are_made_again(tmp_path: Path) -> None:
    Recipe().bake(tmp_path)
    (tmp_path / "stages/flour.txt").unlink()
    (tmp_path / "stages/water.json").write_text('{"key": ')
    repaired = Recipe()
    repaired.bake(tmp_path)
    assert repaired.computed == ["flour", "water"]


def test_a_manifest_that_is_json_but_no_object_is_no_manifest(tmp_path: Path) -> None:
    Recipe().bake(tmp_path)
    (tmp_path / "stages/water.json").write_text("[1]")
    repaired = Recipe()
    repaired.bake(tmp_path)
    assert repaired.computed == ["water"]


def test_an_artefact_that_its_reader_refuses_is_made_again(tmp_path: Path) -> None:
    recipe = Recipe()
    recipe.bake(tmp_path)

    def refuse(path: Path) -> str:
        raise InputError("another layout")

    with RunFolder.open(tmp_path) as folder:
        stage = recipe.stage("flour", lambda: "RYE", {"kind": "rye"})
        assert folder.reuse(stage) == ("RYE",)
        broken = Stage(**{**vars(stage), "load": refuse})
        assert folder.reuse(broken) is None


def test_a_stage_that_fails_while_writing_leaves_neither_artefact_nor_manifest(tmp_path: Path) -> None:
    def half(text: str, path: Path) -> None:
        path.write_text(text[:1])
        raise RuntimeError("pulled the plug")

    recipe = Recipe()
    with RunFolder.open(tmp_path) as folder:
        stage = Stage(**{**vars(recipe.stage("flour", lambda: "RYE", {})), "save": half})
        with pytest.raises(RuntimeError):
            Runner(folder, 1).run(stage)
    assert sorted(p.name for p in tmp_path.rglob("*") if p.is_file()) == [".lock"]


def test_an_inconsistent_result_is_our_failure_and_not_bad_input(tmp_path: Path) -> None:
    def refuse(text: str, path: Path) -> None:
        raise TrajectoryError("frame 3 is valid but has no confidence")

    with RunFolder.open(tmp_path) as folder:
        stage = Stage(**{**vars(Recipe().stage("flour", lambda: "RYE", {})), "save": refuse})
        with pytest.raises(DexmanError, match="'flour' made a result that is wrong: frame 3") as caught:
            Runner(folder, 1).run(stage)
    assert not isinstance(caught.value, InputError)


def test_the_manifest_names_everything_the_artefact_depends_on(tmp_path: Path) -> None:
    Recipe().bake(tmp_path)
    manifest = json.loads((tmp_path / "stages/dough.json").read_text())
    flour = json.loads((tmp_path / "stages/flour.json").read_text())
    assert manifest["upstream"]["flour"] == flour["sha256"]
    assert set(manifest["upstream"]) == {"flour", "water"}
    assert flour["settings"] == {"kind": "rye"}
    assert manifest["versions"]["dexman_pose"] and manifest["versions"]["numpy"]
    assert manifest["seconds"] >= 0
    assert (tmp_path / manifest["artefact"]).read_text() == "RYE~~"


def test_half_written_files_of_a_killed_run_are_swept_away(tmp_path: Path) -> None:
    (tmp_path / "stages").mkdir()
    leftovers = [
        tmp_path / ".tmp-overlay.mp4",
        tmp_path / ".tmp-overlay.x1y2.mp4",
        tmp_path / "..tmp-overlay.x1y2.mp4",
        tmp_path / "stages/.masks.npz.ab12.part",
    ]
    for leftover in leftovers:
        leftover.write_text("half")
    Recipe().bake(tmp_path)
    assert not any(leftover.exists() for leftover in leftovers)


def test_a_folder_removed_under_a_run_is_said(tmp_path: Path) -> None:
    """Removed while a stage computes, replaced by an empty one, and removed after the last stage."""
    out = tmp_path / "run"

    def lost(replaced: bool) -> str:
        shutil.rmtree(out)
        if replaced:
            (out / "stages").mkdir(parents=True)
        return "x"

    for replaced in (False, True):
        for name in ("flour", "dough"):
            with (
                pytest.raises(InputError, match="was removed or replaced") as caught,
                RunFolder.open(out) as folder,
            ):
                stage = Recipe().stage("water", lambda: "~", {})
                last = Recipe().stage(name, lambda replaced=replaced: lost(replaced), {})
                Runner(folder, 2, None).run(stage)
                Runner(folder, 2, None).run(last)
            assert "\n" not in str(caught.value)
            assert not (out / "stages" / f"{name}.txt").exists()
            shutil.rmtree(out, ignore_errors=True)
    with pytest.raises(InputError, match="was removed"), RunFolder.open(out):
        shutil.rmtree(out)
    assert not out.exists(), "nothing is made anew"


def test_two_runs_cannot_write_into_one_folder(tmp_path: Path) -> None:
    with RunFolder.open(tmp_path), pytest.raises(InputError, match="another run"), RunFolder.open(tmp_path):
        pass


def test_an_outdated_drawing_is_removed_and_a_current_one_kept(tmp_path: Path) -> None:
    recipe = Recipe()
    recipe.bake(tmp_path)
    with RunFolder.open(tmp_path) as folder:
        folder.discard_outdated(recipe.stage("flour", lambda: "", {"kind": "rye"}))
        assert (tmp_path / "stages/flour.txt").exists()
        folder.discard_outdated(recipe.stage("flour", lambda: "", {"kind": "spelt"}))
        assert not (tmp_path / "stages/flour.txt").exists()
        assert not (tmp_path / "stages/flour.json").exists()


@pytest.mark.parametrize("below", ["file.txt", "file.txt/deeper"])
def test_a_folder_below_a_file_is_bad_input(tmp_path: Path, below: str) -> None:
    (tmp_path / "file.txt").write_text("x")
    with pytest.raises(InputError, match="cannot write"), RunFolder.open(tmp_path / below):
        pass


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="no /proc on this system")
def test_a_folder_on_a_file_system_without_user_files_is_bad_input() -> None:
    with pytest.raises(InputError, match="cannot write"), RunFolder.open("/proc/run"):
        pass


def test_the_listener_hears_every_stage(tmp_path: Path) -> None:
    heard: list[tuple[str, int, int, str]] = []

    def listen(event: StageEvent) -> None:
        heard.append((event.name, event.index, event.total, event.state))

    Recipe().bake(tmp_path)
    Recipe(water=1).bake(tmp_path, listen)
    assert heard == [
        ("flour", 1, 3, "started"),
        ("flour", 1, 3, "reused"),
        ("water", 2, 3, "started"),
        ("water", 2, 3, "done"),
        ("dough", 3, 3, "started"),
        ("dough", 3, 3, "done"),
    ]
