"""The report on scores as Markdown: the same figures as the HTML page, without pictures."""

from __future__ import annotations

from collections.abc import Iterable

from dexman_pose.evaluation.pooling import Pooled
from dexman_pose.evaluation.published import Published
from dexman_pose.evaluation.report import words
from dexman_pose.evaluation.results import Results
from dexman_pose.evaluation.tables import (
    Table,
    contact_table,
    hand_table,
    markdown,
    published_table,
    row_table,
    summary_table,
)

MOST_ROWS = 50
_MOST_FINDINGS = 20


def report_markdown(results: Results, pooled: Pooled, published: Published | None = None) -> str:
    """The whole report as Markdown.

    Args:
        results: of a run.
        pooled: its rows.
        published: a table to be set beside them.
    """
    protocol = results.protocol
    parts = [f"# {_line(words.heading(results))}", words.lead(results, pooled)]
    parts += [_findings(results, pooled)]
    parts += ["## Summary", words.POOLING, markdown(summary_table(pooled, protocol))]
    if published is not None:
        parts += _published(published, results, pooled)
    parts += [
        "## Per object",
        _cut(row_table(pooled.objects, protocol, what="object", symmetry=True), "objects"),
    ]
    parts += ["## Per recording, worst first", _cut(row_table(pooled.sequences, protocol), "sequences")]
    notes = words.track_notes(results.objects)[:_MOST_FINDINGS]
    parts += [_list(notes)] if notes else []
    parts += ["## Hands", markdown(hand_table(results.hands)) if results.hands else "Not scored."]
    contacts = _cut(contact_table(results.contacts), "contacts") if results.contacts else "Not scored."
    parts += ["## Contacts", contacts, "## Protocol"]
    parts += [markdown(Table(("key", "value"), list(words.protocol_rows(protocol))))]
    parts += [_list(words.protocol_notes(protocol))]
    parts += ["## Provenance", f"```json\n{words.provenance_text(results.provenance)}\n```"]
    return "\n\n".join(p.strip("\n") for p in parts if p) + "\n"


def _findings(results: Results, pooled: Pooled) -> str:
    groups = words.grouped_findings(results.findings)
    said = words.warnings(pooled)
    if not groups and not said:
        return "## What looks like a mistake\n\nNothing was found."
    lines = [f"## What looks like a mistake ({len(results.findings)})", _list(said)]
    for group in groups:
        tracks = words.counted(len(group.places), "place")
        lines.append(f"### {_line(group.title)}: {len(group.findings)} in {tracks}")
        texts = [words.finding_text(f) for f in group.findings[:_MOST_FINDINGS]]
        if len(group.findings) > _MOST_FINDINGS:
            texts.append(f"and {len(group.findings) - _MOST_FINDINGS} more: findings.csv")
        lines.append(_list(texts))
    return "\n\n".join(line for line in lines if line)


def _published(published: Published, results: Results, pooled: Pooled) -> list[str]:
    return [
        f"## Beside published figures: {_line(published.title)}",
        markdown(published_table(published, pooled, results.protocol)),
        f"Source: {_line(published.source)}",
        _list(published.notes),
        "What differs:",
        _list(words.comparison(published, results)),
    ]


def _cut(table: Table, name: str) -> str:
    """The first rows, and where the rest is."""
    if not table.rows:
        return "None."
    text = markdown(Table(table.head, table.rows[:MOST_ROWS], table.numbers))
    left = len(table.rows) - MOST_ROWS
    return text + (f"\n{left} more rows: {name}.csv" if left > 0 else "")


def _list(texts: Iterable[str]) -> str:
    return "\n".join(f"- {_line(t)}" for t in texts)


def _line(text: str) -> str:
    """One line of text whose names are shown as they are."""
    flat = " ".join(text.split())
    return "".join(f"\\{c}" if c in "\\`*_<>[]" else c for c in flat)
