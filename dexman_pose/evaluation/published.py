"""Figures that others published, with what their source says and leaves open about how they were made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from dexman_pose.errors import InputError


@dataclass(frozen=True)
class Published:
    """A published table.

    Attributes:
        title: short.
        source: full reference.
        data: what it was measured on.
        heads: names of its columns as printed.
        keys: for each column the key of our figure of the same definition.
        better: ``"high"`` or ``"low"``, for each column.
        rows: method and its figures; None where none is printed.
        protocol: what the source states, by our protocol's keys.
        notes: what a reader must know.
        unclear: what the source leaves open: our protocol's key ("" for none) and the question.
    """

    title: str
    source: str
    data: str
    heads: tuple[str, ...]
    keys: tuple[str, ...]
    better: tuple[str, ...]
    rows: tuple[tuple[str, tuple[float | None, ...]], ...]
    protocol: Mapping[str, object]
    notes: tuple[str, ...]
    unclear: tuple[tuple[str, str], ...]


def load_published(name: str | Path) -> Published:
    """A published table by its name, or from a YAML file.

    Args:
        name: e.g. ``"dexman_taco"``, or a path that ends in .yaml.

    Raises:
        InputError: there is no such file, or it does not hold such a table.
    """
    path = Path(name)
    if path.suffix not in (".yaml", ".yml"):
        path = published_folder() / f"{name}.yaml"
    if not path.is_file():
        known = ", ".join(sorted(p.stem for p in published_folder().glob("*.yaml"))) or "none here"
        raise InputError(f"no published table {name}; there are: {known}; or give the path of a YAML file")
    try:
        return _from_values(yaml.safe_load(path.read_text(encoding="utf-8")))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: not a YAML file: {str(error).splitlines()[0]}") from error
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise InputError(
            f"{path}: expected title, source, columns (head, key) and rows (method, values), but {error!r}"
        ) from error


def published_folder() -> Path:
    """Where the published tables lie: in the installed package, or in a checkout."""
    inside = Path(__file__).resolve().parent / "published"
    return inside if inside.is_dir() else Path(__file__).resolve().parents[2] / "eval" / "published"


def differences(published: Published, protocol: Mapping[str, object]) -> list[str]:
    """What differs between their protocol and ours, one sentence each; what they do not state is listed as open.

    Args:
        published: their table.
        protocol: our protocol's values.
    """
    found = []
    for key, theirs in published.protocol.items():
        ours = protocol.get(key)
        if ours is None:
            found.append(f"{key}: theirs {theirs}; ours not recorded.")
        elif ours != theirs:
            found.append(f"{key}: theirs {theirs}, ours {ours}: the figures do not measure the same thing.")
    for key, question in published.unclear:
        ours = protocol.get(key) if key else None
        chosen = "" if ours is None else f"; ours: {key} {_shown(ours)}"
        found.append(f"Not stated there: {question}{chosen}.")
    return found


def _shown(value: object) -> str:
    return "all" if value == "" else str(value)


def _from_values(values: Any) -> Published:
    columns = values["columns"]
    rows = tuple((str(row["method"]), _numbers(row["values"], len(columns))) for row in values["rows"])
    return Published(
        title=str(values["title"]),
        source=str(values["source"]),
        data=str(values.get("data", "")),
        heads=tuple(str(c["head"]) for c in columns),
        keys=tuple(str(c["key"]) for c in columns),
        better=tuple(str(c.get("better", "high")) for c in columns),
        rows=rows,
        protocol=dict(values.get("protocol") or {}),
        notes=tuple(str(n) for n in values.get("notes") or ()),
        unclear=tuple((str(u.get("key", "")), str(u["text"])) for u in values.get("unclear") or ()),
    )


def _numbers(values: list[Any], count: int) -> tuple[float | None, ...]:
    if len(values) != count:
        raise ValueError(f"a row has {len(values)} values for {count} columns")
    return tuple(None if v is None else float(v) for v in values)
