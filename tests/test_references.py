"""What docstrings and pages refer to exists: cross-references, dotted names of the package."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = "dexman_pose"

ROLE = re.compile(r":(?:func|class|mod|data|meth|attr|exc|obj|const):`~?([^`]+)`")
"""A cross-reference of a docstring."""

DOTTED = re.compile(r"\bdexman_pose(?:\.[A-Za-z_]\w*)+")
"""A name of the package as prose and code write it."""

HISTORY = "CHANGELOG.md"
"""The page that may name what is no longer there."""

NO_CODE = {"dexman_pose.model_cards", "dexman_pose.trajectory"}
"""The folder models/, installed under this name, and the name of the trajectory file's schema."""


@dataclass
class Names:
    """What a module or class holds: names, and the classes among them with theirs."""

    all: set[str] = field(default_factory=set)
    classes: dict[str, Names] = field(default_factory=dict)
    imported: dict[str, tuple[str, str]] = field(default_factory=dict)
    """Names brought from elsewhere in the package: module and name there."""
    open: bool = False
    """A class with bases from elsewhere or attributes made at run time may hold more names than can be read."""


@cache
def module(name: str) -> Names | None:
    """Reads the names of a module of the package, or None if there is none of that name."""
    path = ROOT.joinpath(*name.split("."))
    file = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    return _names(ast.parse(file.read_text(encoding="utf-8"))) if file.is_file() else None


def _names(node: ast.Module | ast.ClassDef) -> Names:
    found = Names(open=isinstance(node, ast.ClassDef) and bool(node.bases))
    for child in ast.walk(node) if isinstance(node, ast.ClassDef) else _unnested(node):
        if isinstance(child, ast.ImportFrom) and child.module and child.level == 0:
            for a in child.names:
                found.imported[a.asname or a.name] = (child.module, a.name)
                found.all.add(a.asname or a.name)
        elif isinstance(child, ast.Import):
            found.all |= {(a.asname or a.name).split(".")[0] for a in child.names}
        elif isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
            found.all.add(child.name)
        elif isinstance(child, ast.ClassDef) and child is not node:
            found.all.add(child.name)
            found.classes[child.name] = _names(child)
        elif isinstance(child, ast.Assign | ast.AnnAssign):
            for target in child.targets if isinstance(child, ast.Assign) else [child.target]:
                found.all |= {t.id for t in ast.walk(target) if isinstance(t, ast.Name)}
                found.all |= {
                    t.attr
                    for t in ast.walk(target)
                    if isinstance(t, ast.Attribute) and isinstance(t.value, ast.Name) and t.value.id == "self"
                }
    return found


def _unnested(node: ast.AST) -> Iterator[ast.AST]:
    """Statements of a module, inside ``if``, ``try`` and ``with`` too, but not inside functions and classes."""
    for child in ast.iter_child_nodes(node):
        yield child
        if not isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda):
            yield from _unnested(child)


def exists(name: str) -> bool:
    """Tells whether a dotted name of the package is a module, or a definition or member in one."""
    parts = name.split(".")
    for cut in range(len(parts), 0, -1):
        found = module(".".join(parts[:cut]))
        if found is not None:
            rest = parts[cut:]
            return not rest or _holds(found, rest)
    return False


def _holds(names: Names, parts: list[str]) -> bool:
    if parts[0] not in names.all:
        return names.open
    if len(parts) == 1:
        return True
    if parts[0] in names.classes:
        return _holds(names.classes[parts[0]], parts[1:])
    source, original = names.imported.get(parts[0], ("", ""))
    return not source.startswith(PACKAGE) or exists(".".join([source, original, *parts[1:]]))


def unresolved(source: str) -> list[tuple[int, str]]:
    """Finds the cross-references of a module's text that lead nowhere.

    A reference is looked up in the module, in every class of the module, and as a full name.

    Args:
        source: text of the module.

    Returns:
        (line, name as written) pairs.
    """
    here = _names(ast.parse(source))
    lost = []
    for match in ROLE.finditer(source):
        name = re.sub(r"\s+", "", match[1]).removesuffix("()")
        if name.startswith(PACKAGE):
            good = exists(name)
        else:
            scopes = [here, *here.classes.values()]
            good = any(name.split(".")[0] in s.all and _holds(s, name.split(".")) for s in scopes)
        if not good:
            lost.append((source[: match.start()].count("\n") + 1, name))
    return lost


def _dotted(text: str) -> list[tuple[int, str]]:
    """Dotted names of a page or module that are neither modules of the package nor defined in one."""
    return [
        (number, name)
        for number, line in enumerate(text.splitlines(), 1)
        for name in DOTTED.findall(line)
        if name not in NO_CODE and not exists(name)
    ]


def _modules() -> list[Path]:
    return sorted((ROOT / PACKAGE).rglob("*.py"))


def test_cross_references_of_docstrings_lead_somewhere() -> None:
    lost = []
    for path in _modules():
        found = unresolved(path.read_text(encoding="utf-8"))
        lost += [f"{path.relative_to(ROOT)}:{line}: {target}" for line, target in found]
    assert not lost, "docstrings refer to what does not exist:\n" + "\n".join(lost)


def test_dotted_names_of_modules_and_pages_exist() -> None:
    pages = [p for p in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")] if p.name != HISTORY]
    lost = [
        f"{path.relative_to(ROOT)}:{line}: {name}"
        for path in [*_modules(), *sorted(pages)]
        for line, name in _dotted(path.read_text(encoding="utf-8"))
    ]
    assert not lost, "names that do not exist are mentioned:\n" + "\n".join(lost)


def test_a_reference_to_nothing_is_found() -> None:
    source = '''"""See :func:`made`, :class:`~dexman_pose.errors.InputError`, :attr:`Box.side` and :meth:`Box.open`."""
from dexman_pose.errors import InputError as Wrong
class Box:
    """:attr:`side`, :data:`LIMIT`, :class:`Wrong`, :mod:`dexman_pose.nowhere`."""
    side: float
def made():
    """:func:`dexman_pose.errors.gone`"""
'''
    assert unresolved(source) == [
        (1, "Box.open"),
        (4, "LIMIT"),
        (4, "dexman_pose.nowhere"),
        (7, "dexman_pose.errors.gone"),
    ]
    assert _dotted("from dexman_pose.errors import x\n`dexman_pose.errors.gone`") == [
        (2, "dexman_pose.errors.gone")
    ]
