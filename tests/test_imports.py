"""The house holds: imports go one way, in no circle, no folder is a warehouse. Imports inside functions count."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = "dexman_pose"
MOST_FILES = 22

ROOMS = (
    (
        "_version",
        "arrays",
        "errors",
        "_optional",
        "_lazy",
        "_stderr",
        "_warp",
        "progress",
        "backends",
        "model_cards",
        "threads",
        "_memory",
    ),
    ("geometry",),
    ("data",),
    ("imaging", "optimize", "robot", "networks"),
    ("render", "genesis"),
    ("symmetry",),
    ("meshing",),
    ("segmentation", "hands", "contact", "scene", "metrics", "depth"),
    ("interaction",),
    ("datasets",),
    ("given",),
    ("pose",),
    ("viewer",),
    ("exports",),
    ("pipeline",),
    ("synthetic", "batch", "prompting"),
    ("evaluation",),
    ("benchmarks",),
    ("cli",),
    ("__main__",),
)
"""The rooms from the ground up: each imports only from rooms before it, rooms of one line not from each other."""

TOWER = ("observation", "solver", "matching", "refinement", "region", "search", "tracking", "clip")
"""The storeys of pose/, from the ground up; files directly in pose/ lie on top, but for those in ``GROUND``."""

GROUND = ("estimate",)
"""Files of pose/ that the storey of the search hands its results out in."""


def _modules() -> dict[str, Path]:
    found = {}
    for path in sorted((ROOT / PACKAGE).rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def _lazy(tree: ast.Module) -> set[ast.AST]:
    """Imports that only type checkers read."""
    out: set[ast.AST] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            out |= {inner for part in node.body for inner in ast.walk(part)}
    return out


def _imports(path: Path, modules: dict[str, Path]) -> Iterator[str]:
    """Modules of the package that a file imports, at its top or inside functions."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    skipped = _lazy(tree)
    for node in ast.walk(tree):
        if node in skipped:
            continue
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0 and node.module, f"{path}: imports are written out in full"
            for alias in node.names:
                assert alias.name != "*", f"{path}: star import"
                inner = f"{node.module}.{alias.name}"
                yield inner if inner in modules else node.module
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


def _graph() -> dict[str, set[str]]:
    modules = _modules()
    return {
        name: {m for m in _imports(path, modules) if m in modules and m != name}
        for name, path in modules.items()
    }


def _room(module: str) -> str | None:
    parts = module.split(".")
    return parts[1] if len(parts) > 1 else None


def test_every_room_is_on_the_plan() -> None:
    planned = {room for line in ROOMS for room in line}
    found = {_room(m) for m in _modules()} - {None}
    assert found <= planned, f"rooms that are not in ROOMS: {sorted(str(r) for r in found - planned)}"


def test_imports_between_rooms_go_down_only() -> None:
    height = {room: i for i, line in enumerate(ROOMS) for room in line}
    wrong = []
    for name, targets in _graph().items():
        here = _room(name)
        for target in targets:
            there = _room(target)
            if here is None or there is None or here == there or there not in height:
                continue
            ground = here in ROOMS[0] and there in ROOMS[0]
            if height[there] >= height[here] and not ground:
                wrong.append(f"{name} -> {target}")
    assert not wrong, "imports that go up or sideways:\n" + "\n".join(sorted(wrong))


def test_imports_inside_pose_go_down_only() -> None:
    def storey(module: str) -> int | None:
        parts = module.split(".")
        if parts[:2] != [PACKAGE, "pose"] or len(parts) < 3:
            return None
        if parts[2] in GROUND:
            return TOWER.index("search")
        return TOWER.index(parts[2]) if parts[2] in TOWER else len(TOWER)

    wrong = []
    for name, targets in _graph().items():
        here = storey(name)
        for target in targets:
            there = storey(target)
            if here is not None and there is not None and there > here:
                wrong.append(f"{name} -> {target}")
    assert not wrong, "imports that go up inside pose:\n" + "\n".join(sorted(wrong))


def test_no_module_imports_itself_in_a_circle() -> None:
    graph = _graph()
    done: set[str] = set()

    def walk(name: str, path: list[str]) -> list[str] | None:
        if name in path:
            return path[path.index(name) :] + [name]
        if name in done:
            return None
        for target in sorted(graph[name]):
            found = walk(target, [*path, name])
            if found:
                return found
        done.add(name)
        return None

    for name in sorted(graph):
        circle = walk(name, [])
        assert circle is None, "circle: " + " -> ".join(circle or [])


def test_no_folder_is_a_warehouse() -> None:
    folders = {path.parent for path in _modules().values()}
    full = {
        str(f.relative_to(ROOT)): n for f in folders if (n := len(list(f.glob("*.py")))) > MOST_FILES + 1
    }  # __init__.py is not counted
    assert not full, f"folders above {MOST_FILES} files: {full}"


def test_the_checks_see_imports_inside_functions(tmp_path: Path) -> None:
    file = tmp_path / "a.py"
    file.write_text("def f() -> None:\n    from dexman_pose.pose import api\n", encoding="utf-8")
    assert list(_imports(file, _modules())) == ["dexman_pose.pose.api"]
