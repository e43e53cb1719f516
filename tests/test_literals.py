"""Thresholds have names: numbers in function bodies are counted, per 1,000 lines of a folder."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[1] / "dexman_pose"

LIMITS = {
    "segmentation": 20.0,
    "optimize": 14.0,
    "pose": 14.0,
}
"""Most numbers per 1,000 lines that the bodies of a folder's functions may hold."""

ALLOWED = frozenset({0, 1, 2, 3, 4, 0.5, 255})
"""Numbers of formulas and shapes, which are not counted, and neither are their negatives."""


def literals(source: str) -> list[tuple[int, complex]]:
    """Find the numbers in function bodies.

    Default arguments, decorators, and the bodies of modules and classes are not bodies of functions; indices, slices
    and lambdas inside a function are part of its body. A minus sign is an operator, so that a number is counted by
    its absolute value.

    Args:
        source: of a module.

    Returns:
        (line, number) pairs in the order of the source.
    """
    return sorted(_in(ast.parse(source), False), key=lambda found: found[0])


def _in(node: ast.AST, counted: bool) -> Iterator[tuple[int, complex]]:
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        children, counted = list[ast.AST](node.body), True
    elif isinstance(node, ast.Lambda):
        children, counted = [node.body], True
    elif isinstance(node, ast.ClassDef):
        children, counted = list[ast.AST](node.body), False
    else:
        children = list(ast.iter_child_nodes(node))
    if counted and isinstance(node, ast.Constant) and type(node.value) in {int, float, complex}:
        assert isinstance(node.value, int | float | complex)
        if node.value not in ALLOWED:
            yield node.lineno, node.value
    for child in children:
        yield from _in(child, counted)


@pytest.mark.parametrize("folder", LIMITS)
def test_function_bodies_hold_few_numbers(folder: str) -> None:
    found: dict[Path, list[tuple[int, complex]]] = {}
    lines = 0
    for path in sorted((PACKAGE / folder).rglob("*.py")):
        text = path.read_text(encoding="utf-8")
        found[path] = literals(text)
        lines += len(text.splitlines())
    assert lines > 0, f"{PACKAGE / folder} holds no code; is the folder's name in LIMITS still right?"
    count = sum(map(len, found.values()))
    rate = 1000.0 * count / lines
    assert rate <= LIMITS[folder], (
        f"{folder}/ holds {count} numbers in function bodies on {lines} lines, {rate:.1f} per 1,000; at most "
        f"{LIMITS[folder]:g} are allowed. Give thresholds a documented field of an options class, and constants a "
        f"name at module level. Most are in:\n{_worst(found)}"
    )


def _worst(found: dict[Path, list[tuple[int, complex]]], files: int = 8) -> str:
    ranked = sorted(found, key=lambda path: -len(found[path]))[:files]
    return "\n".join(
        f"  {path.relative_to(PACKAGE)}: {len(found[path])}: "
        + ", ".join(f"{number:g} (line {line})" for line, number in found[path][:10])
        for path in ranked
        if found[path]
    )


def test_what_counts_as_a_number_in_a_body() -> None:
    source = '''
LIMIT = 7
class Options:
    size: int = 8
    def grow(self, by: int = 9) -> int:
        """Adds 10."""
        return self.size + by * 11 - (-12) + [0, 1, -1, 0.5, 255, True][13] + "14".count("1")
def outer(key=lambda x: x + 15):
    def inner(x, y=16):
        return (lambda z, w=17: z * 18)(x[19:])
    class Local:
        twenty = 20
    return inner(21.5)
'''
    assert [number for _, number in literals(source)] == [11, 12, 13, 18, 19, 21.5]


def test_worst_files_are_named_with_their_lines() -> None:
    text = _worst({PACKAGE / "a.py": [(3, 7)], PACKAGE / "b.py": [(1, 5), (2, 6.5)], PACKAGE / "c.py": []})
    assert text.splitlines() == ["  b.py: 2: 5 (line 1), 6.5 (line 2)", "  a.py: 1: 7 (line 3)"]
