"""The room reads the trajectory's types and nothing else of the library, and only the ends of the house use it."""

from __future__ import annotations

import ast
import importlib.util
from pathlib import Path
from types import ModuleType

ROOT = Path(__file__).resolve().parents[2]
BELOW = {"geometry", "data", "robot"}
ABOVE = {"robot", "genesis", "benchmarks", "cli", "synthetic"}


def _plan() -> ModuleType:
    spec = importlib.util.spec_from_file_location("plan_of_the_house", ROOT / "tests" / "test_imports.py")
    assert spec is not None and spec.loader is not None
    plan = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(plan)
    return plan


def _rooms_imported(path: Path) -> set[str]:
    """Rooms that a file imports, those for type checkers and inside functions too."""
    rooms = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        names = []
        if isinstance(node, ast.ImportFrom) and node.module:
            names = (
                [node.module]
                if node.module != "dexman_pose"
                else [f"dexman_pose.{a.name}" for a in node.names]
            )
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        rooms |= {name.split(".")[1] for name in names if name.startswith("dexman_pose.")}
    return rooms


def test_it_reads_nothing_but_the_types_of_a_trajectory() -> None:
    allowed = BELOW | set(_plan().ROOMS[0])
    files = sorted((ROOT / "dexman_pose" / "robot").rglob("*.py"))
    assert len(files) > 20
    wrong = {str(f.relative_to(ROOT)): _rooms_imported(f) - allowed for f in files}
    assert not {f: rooms for f, rooms in wrong.items() if rooms}


def test_so_does_the_room_of_the_other_simulator() -> None:
    allowed = BELOW | {"genesis"} | set(_plan().ROOMS[0])
    files = sorted((ROOT / "dexman_pose" / "genesis").rglob("*.py"))
    assert len(files) > 3
    wrong = {str(f.relative_to(ROOT)): _rooms_imported(f) - allowed for f in files}
    assert not {f: rooms for f, rooms in wrong.items() if rooms}


def test_nothing_but_demonstrations_benches_and_commands_reads_it() -> None:
    users = {
        path.relative_to(ROOT / "dexman_pose").parts[0]
        for path in (ROOT / "dexman_pose").rglob("*.py")
        if "robot" in _rooms_imported(path)
    }
    assert users <= ABOVE


def test_importing_it_needs_no_simulator() -> None:
    """MuJoCo and CoACD are imported in functions alone."""
    for path in (ROOT / "dexman_pose" / "robot").rglob("*.py"):
        top = [
            n
            for n in ast.parse(path.read_text(encoding="utf-8")).body
            if isinstance(n, ast.Import | ast.ImportFrom)
        ]
        named = [a.name for n in top if isinstance(n, ast.Import) for a in n.names]
        named += [n.module or "" for n in top if isinstance(n, ast.ImportFrom)]
        assert not [n for n in named if n.split(".")[0] in ("mujoco", "coacd")], path


def test_the_checks_see_an_import_of_another_room(tmp_path: Path) -> None:
    file = tmp_path / "a.py"
    file.write_text("def f() -> None:\n    from dexman_pose.scene import estimate\n", encoding="utf-8")
    assert _rooms_imported(file) == {"scene"}
