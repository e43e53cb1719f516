"""Scores as tables: Markdown, plain text for the console, and CSV files that hold everything."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dexman_pose.arrays import Array
from dexman_pose.data.files import atomic_file
from dexman_pose.evaluation.columns import Column, columns
from dexman_pose.evaluation.pooling import Pooled, Row, pool
from dexman_pose.evaluation.published import Published
from dexman_pose.evaluation.results import ContactScores, HandScores, ObjectScores, Results

_MAIN = (
    "auc_add_s", "auc_add", "add_s_mean", "add_s_median", "add_median", "recall_add_s", "ar", "rotation_median",
    "translation_median", "agreement_auc", "failure_rate", "stability",
)  # fmt: skip
_FRAME_UNITS = {
    "translation": ("mm", 1000.0), "add": ("mm", 1000.0), "add_s": ("mm", 1000.0), "mssd": ("mm", 1000.0),
    "rotation": ("deg", 180 / np.pi), "rotation_plain": ("deg", 180 / np.pi), "mspd": ("px", 1.0),
}  # fmt: skip


@dataclass(frozen=True)
class Table:
    """Texts in rows and columns.

    Attributes:
        head: names of the columns, with units.
        rows: one text for each column.
        numbers: columns that hold numbers and are set to the right.
    """

    head: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]
    numbers: frozenset[int] = frozenset()


def summary_table(pooled: Pooled, protocol: Mapping[str, object]) -> Table:
    """Every figure down, and across it all frames pooled, the mean over objects, and each role."""
    shown = [pooled.overall, pooled.mean_over_objects, *pooled.roles]
    counts: list[tuple[str, ...]] = [
        ("recordings x objects", *(str(r.recordings) for r in shown)),
        ("different objects", *(str(r.objects) for r in shown)),
        ("frames", *(str(r.frames) for r in shown)),
        ("frames without prediction", *(_failures(r) for r in shown)),
        ("frames with VSD", *(str(r.vsd_frames) for r in shown)),
    ]
    named = [(c.title, *(c.text(r.values[c.key]) for r in shown)) for c in columns(protocol)]
    head = ("figure", *(r.label for r in shown))
    return Table(head, counts + named, frozenset(range(1, len(head))))


def row_table(
    rows: Sequence[Row],
    protocol: Mapping[str, object],
    *,
    what: str = "recording / object",
    symmetry: bool = False,
) -> Table:
    """One line for each row with the main figures; all of them are in the CSV files.

    Args:
        rows: e.g. per object.
        protocol: the protocol's values.
        what: head of the first column.
        symmetry: whether what is known of symmetries is shown.
    """
    chosen = _main_columns(rows, protocol)
    extra = ("recordings",) if any(r.recordings > 1 for r in rows) else ()
    head = (what, *extra, "frames", "without prediction", *(c.title for c in chosen))
    numbers = frozenset(range(1, len(head)))
    texts = []
    for row in rows:
        counts = (*((str(row.recordings),) if extra else ()), str(row.frames), _failures(row))
        last = (row.symmetry or "-",) if symmetry else ()
        texts.append((row.label, *counts, *(c.text(row.values[c.key]) for c in chosen), *last))
    return Table((*head, "symmetry") if symmetry else head, texts, numbers)


def published_table(published: Published, pooled: Pooled, protocol: Mapping[str, object]) -> Table:
    """Their rows, then ours of the same definitions, pooled and as the mean over objects."""
    by_key = {c.key: c for c in columns(protocol)}
    lines: list[tuple[str, ...]] = [
        (method, *("-" if v is None else f"{v:.2f}" for v in values)) for method, values in published.rows
    ]
    for row in (pooled.overall, pooled.mean_over_objects, *pooled.roles):
        cells = []
        for key in published.keys:
            cells.append(by_key[key].text(row.values[key]) if key in by_key else "-")
        lines.append((f"ours: {row.label}", *cells))
    return Table(("method", *published.heads), lines, frozenset(range(1, len(published.heads) + 1)))


def hand_table(hands: Sequence[HandScores]) -> Table:
    """Joint errors of each side and of both together, by alignment, over frames with a prediction."""
    names = list(dict.fromkeys(a for h in hands for a in h.joints))
    head: tuple[str, ...] = ("hand", "recordings", "frames", "without prediction")
    for name in names:
        head += (f"joint error mean, {name} (mm)", f"median, {name} (mm)")
    sides = list(dict.fromkeys(h.side for h in hands))
    groups = {side: [h for h in hands if h.side == side] for side in sides}
    if len(sides) > 1:
        groups["both"] = list(hands)
    return Table(head, [_hand_row(k, g, names) for k, g in groups.items()], frozenset(range(1, len(head))))


def contact_table(contacts: Sequence[ContactScores]) -> Table:
    """Touching fingertips against the truth: the mean over recordings, then each recording."""
    head = ("recording", "frames", "precision", "recall", "F score", "penetration (mm)")
    rows = [(f"{c.sequence}/{c.view}", str(c.frames), *_contact_texts([c])) for c in contacts]
    if contacts:
        frames, plural = str(sum(c.frames for c in contacts)), "" if len(contacts) == 1 else "s"
        rows.insert(0, (f"mean over {len(contacts)} recording{plural}", frames, *_contact_texts(contacts)))
    return Table(head, rows, frozenset(range(1, len(head))))


def markdown(table: Table) -> str:
    """The table as Markdown."""
    rule = ["---:" if i in table.numbers else "---" for i in range(len(table.head))]
    lines = [table.head, rule, *table.rows]
    return "\n".join("| " + " | ".join(_cell(c) for c in line) + " |" for line in lines) + "\n"


def plain(table: Table) -> str:
    """The table as aligned text for a console."""
    lines = [table.head, *table.rows]
    widths = [max(len(line[i]) for line in lines) for i in range(len(table.head))]

    def aligned(line: Sequence[str]) -> str:
        cells = (
            c.rjust(w) if i in table.numbers else c.ljust(w) for i, (c, w) in enumerate(zip(line, widths))
        )
        return "  ".join(cells).rstrip()

    return "\n".join(aligned(line) for line in lines) + "\n"


def console_text(results: Results, *, pooled: Pooled | None = None) -> str:
    """The summary and how many findings there are of each kind, for a console."""
    rows = pool(results) if pooled is None else pooled
    text = plain(summary_table(rows, results.protocol))
    kinds: dict[str, int] = {}
    for finding in results.findings:
        kinds[finding.kind] = kinds.get(finding.kind, 0) + 1
    if kinds:
        found = ", ".join(f"{kind} {count}" for kind, count in sorted(kinds.items()))
        text += f"\nWhat looks like a mistake ({len(results.findings)}): {found}\n"
    return text


def write_csvs(results: Results, folder: str | Path, *, pooled: Pooled | None = None) -> dict[str, Path]:
    """Write frames.csv, sequences.csv, objects.csv, summary.csv, findings.csv, and where there are any hands.csv and
    contacts.csv; each appears only when complete.

    Units are in the names of the columns. A cell is empty where there is nothing to say, e.g. the errors of a frame
    without a prediction.

    Args:
        results: of a run.
        folder: made if absent.
        pooled: the rows, where they are known already.

    Returns:
        Path by the name of the file without its ending.
    """
    rows, base = pool(results) if pooled is None else pooled, Path(folder)
    chosen = columns(results.protocol)
    overall = [rows.overall, rows.mean_over_objects, *rows.roles]
    made: dict[str, Iterable[Sequence[object]]] = {
        "summary": _row_lines(overall, chosen),
        "objects": _row_lines(rows.objects, chosen),
        "sequences": _row_lines(rows.sequences, chosen),
        "frames": _frame_lines(results.objects),
        "findings": [("kind", "where", "text"), *((f.kind, f.where, f.text) for f in results.findings)],
    }
    if results.hands:
        made["hands"] = _hand_lines(results.hands)
    if results.contacts:
        head = ("sequence", "view", "frames", "precision", "recall", "f_score", "penetration_mm")
        made["contacts"] = [head, *(_contact_line(c) for c in results.contacts)]
    return {name: _write_csv(base / f"{name}.csv", lines) for name, lines in made.items()}


def _main_columns(rows: Sequence[Row], protocol: Mapping[str, object]) -> list[Column]:
    """The main figures, without those that no row has."""
    main = [c for c in columns(protocol) if c.key in _MAIN]
    return [c for c in main if any(r.values[c.key] is not None for r in rows)] or main


def _failures(row: Row) -> str:
    return f"{row.failures} ({100 * row.failures / row.frames:.0f} %)" if row.failures else "0"


def _hand_row(label: str, group: Sequence[HandScores], names: Sequence[str]) -> tuple[str, ...]:
    frames = sum(len(h.frames) for h in group)
    missing = sum(int((~h.valid).sum()) for h in group)
    texts = [label, str(len(group)), str(frames), f"{missing}"]
    for name in names:
        parts = [h.joints[name][h.valid].ravel() for h in group if name in h.joints]
        errors = np.concatenate(parts) if parts else np.zeros(0)
        errors = errors[np.isfinite(errors)]
        texts += [f"{1000 * f(errors):.1f}" if len(errors) else "-" for f in (np.mean, np.median)]
    return tuple(texts)


def _contact_texts(group: Sequence[ContactScores]) -> tuple[str, ...]:
    values = np.mean([[c.precision, c.recall, c.f_score, 1000 * c.penetration_m] for c in group], axis=0)
    precision, recall, f_score, depth = (float(v) for v in values)
    return f"{precision:.3f}", f"{recall:.3f}", f"{f_score:.3f}", f"{depth:.1f}"


def _contact_line(c: ContactScores) -> tuple[object, ...]:
    numbers = (_number(v) for v in (c.precision, c.recall, c.f_score, 1000 * c.penetration_m))
    return (c.sequence, c.view, c.frames, *numbers)


def _row_lines(rows: Sequence[Row], chosen: Sequence[Column]) -> Iterator[Sequence[object]]:
    about = ("label", "sequence", "view", "name", "object_id", "symmetry")
    counts = ("recordings", "objects", "frames", "failures", "vsd_frames")
    yield (*about, *counts, *(c.csv_name for c in chosen))
    for row in rows:
        values = (row.values[c.key] for c in chosen)
        numbers = ("" if v is None else _number(v * c.scale) for v, c in zip(values, chosen))
        yield (*(getattr(row, a) for a in about), *(getattr(row, c) for c in counts), *numbers)


def _frame_lines(objects: Sequence[ObjectScores]) -> Iterator[Sequence[object]]:
    names = list(dict.fromkeys(n for s in objects for n in s.errors))
    taus = max((s.vsd.shape[1] for s in objects if s.vsd.size), default=0)
    units = [_FRAME_UNITS.get(n, ("", 1.0)) for n in names]
    about = ("sequence", "view", "group", "split", "name", "object_id", "diameter_mm", "frame", "predicted")
    heads = (f"{n}_{unit}" if unit else n for n, (unit, _) in zip(names, units))
    yield (*about, *heads, *(f"vsd_{k + 1}" for k in range(taus)), "agreement", "failed")
    for s in objects:
        texts = [_texts(s.errors.get(n), scale, s.valid) for n, (_, scale) in zip(names, units)]
        sparse, failed = _sparse_texts(s, taus), _failed_texts(s)
        fixed = (s.sequence, s.view, s.group, s.split, s.name, s.object_id, _number(1000 * s.diameter))
        for i, frame in enumerate(s.frames):
            found = sparse.get(i, [""] * (taus + 1))
            yield (*fixed, int(frame), int(s.valid[i]), *(t[i] for t in texts), *found, failed[i])


def _texts(values: Array | None, scale: float, valid: NDArray[np.bool_]) -> list[str]:
    if values is None:
        return [""] * len(valid)
    return [_number(v) if ok else "" for v, ok in zip((values * scale).tolist(), valid.tolist())]


def _sparse_texts(s: ObjectScores, taus: int) -> dict[int, list[str]]:
    """VSD and agreement of the frames that have them and a prediction, by index."""
    found = {}
    for k, i in enumerate(s.vsd_frames.tolist()):
        if s.valid[i]:
            vsd = [_number(v) for v in s.vsd[k].tolist()] if s.vsd.size else [""] * taus
            agreement = _number(float(s.agreement[k])) if len(s.agreement) else ""
            found[i] = [*vsd, agreement]
    return found


def _failed_texts(s: ObjectScores) -> list[str]:
    if not len(s.failed):
        return [""] * len(s.frames)
    lost = s.failed | ~s.valid
    return [str(int(f)) if known else "" for f, known in zip(lost, s.failure_known)]


def _hand_lines(hands: Sequence[HandScores]) -> Iterator[Sequence[object]]:
    names = list(dict.fromkeys(a for h in hands for a in h.joints))
    head = ("sequence", "view", "side", "frames", "failures")
    yield (*head, *(f"joint_error_{n}_mm" for n in names))
    for h in hands:
        means = []
        for name in names:
            errors = h.joints[name][h.valid] if name in h.joints else np.zeros(0)
            means.append(_number(1000 * float(errors.mean())) if errors.size else "")
        yield (h.sequence, h.view, h.side, len(h.frames), int((~h.valid).sum()), *means)


def _number(value: float) -> str:
    """Format a number with its significant digits; empty where it is not a number."""
    # Below a billionth of any unit there is only the order in which a machine adds up.
    return f"{round(float(value), 9) + 0.0:.7g}" if np.isfinite(value) else ""


def _write_csv(path: Path, lines: Iterable[Sequence[object]]) -> Path:
    with atomic_file(path) as stream:
        text = io.TextIOWrapper(stream, "utf-8", newline="", errors="replace")
        csv.writer(text, lineterminator="\n").writerows(lines)
        text.flush()
        text.detach()  # the stream is still to be brought to the disk
    return path


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
