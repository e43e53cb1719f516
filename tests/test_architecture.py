"""The page about the architecture is true: its rooms and storeys are those of the package, in the same order."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from types import ModuleType

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "architecture.md"


def _plan() -> ModuleType:
    """The test that holds the plan of the house."""
    spec = importlib.util.spec_from_file_location("plan_of_the_house", ROOT / "tests" / "test_imports.py")
    assert spec is not None and spec.loader is not None
    plan = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(plan)
    return plan


def _drawn(page: str, title: str) -> list[tuple[str, ...]]:
    """Names in brackets of the drawing below a title, line by line from the ground up."""
    drawing = page.partition(f"## {title}\n")[2].partition("```text\n")[2].partition("```")[0]
    lines = [tuple(re.findall(r"\[(\w+)\]", line)) for line in drawing.splitlines()]
    return [line for line in reversed(lines) if line]


def _listed(page: str) -> list[str]:
    """First column of the table of rooms."""
    table = page.partition("| room |")[2].partition("\n\n")[0]
    return re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE)


def test_rooms_are_drawn_in_the_order_of_the_plan() -> None:
    assert _drawn(PAGE.read_text(encoding="utf-8"), "Rooms") == list(_plan().ROOMS)


def test_every_room_is_described_and_none_that_is_not_there() -> None:
    listed = _listed(PAGE.read_text(encoding="utf-8"))
    assert listed == [room for line in _plan().ROOMS for room in line]
    package = ROOT / "dexman_pose"
    there = {p.stem if p.is_file() else p.name for p in package.iterdir()}
    lent = {"model_cards"}  # the folder models/, installed under this name
    assert set(listed) - lent <= there, f"no such rooms: {sorted(set(listed) - lent - there)}"


def test_the_tower_is_drawn_in_the_order_of_the_plan() -> None:
    page, plan = PAGE.read_text(encoding="utf-8"), _plan()
    assert _drawn(page, "The tower inside pose") == [(storey,) for storey in plan.TOWER]
    assert {p.name for p in (ROOT / "dexman_pose" / "pose").iterdir() if (p / "__init__.py").exists()} == set(
        plan.TOWER
    )


def test_files_it_sends_readers_to_exist() -> None:
    page = PAGE.read_text(encoding="utf-8").partition("## Where to look")[2]
    named = re.findall(r"`([\w/*]+(?:\.py|/))`", page)
    assert len(named) > 8
    missing = [n for n in named if not list((ROOT / "dexman_pose").glob(n.rstrip("/")))]
    missing = [n for n in missing if n != "_layout.py"]
    assert not missing, f"docs/architecture.md names files that do not exist: {missing}"


def test_files_of_the_glossary_exist() -> None:
    glossary = (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8")
    named = re.findall(r"`((?:\w+/)+(?:\w+\.py)?)`", glossary)
    assert len(named) > 15
    missing = [n for n in named if not (ROOT / "dexman_pose" / n).exists()]
    assert not missing, f"docs/glossary.md names files that do not exist: {missing}"


def test_the_checks_see_a_room_that_moved() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert _drawn(page.replace("[viewer]", "[gallery]"), "Rooms") != list(_plan().ROOMS)
    assert _listed(page.replace("| `viewer` |", "| `gallery` |")) != _listed(page)
