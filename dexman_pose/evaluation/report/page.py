"""The report on scores: one self-contained HTML page, the same as Markdown, and all figures as CSV."""

from __future__ import annotations

import io
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dexman_pose._version import __version__
from dexman_pose.data.files import write_bytes
from dexman_pose.evaluation.columns import columns
from dexman_pose.evaluation.pooling import Pooled, pool
from dexman_pose.evaluation.published import Published, load_published
from dexman_pose.evaluation.report import plots as score_plots
from dexman_pose.evaluation.report import words
from dexman_pose.evaluation.report.markdown import report_markdown
from dexman_pose.evaluation.results import Results
from dexman_pose.evaluation.tables import (
    Table,
    contact_table,
    hand_table,
    published_table,
    row_table,
    summary_table,
    write_csvs,
)
from dexman_pose.imaging.resize import resize_picture
from dexman_pose.viewer import html, plots

Image = NDArray[np.uint8]
Pictures = Mapping[str, Sequence[tuple[str, Image]]]
MOST_ROWS = 100
"""Rows of a table on the page; the CSV files hold all."""
MOST_FINDINGS = 15
"""Findings of one kind on the page."""
PICTURE_BYTES = 2_500_000
"""JPEG bytes on the page; base64 makes a third more of them, and a page stays below 5 MB."""
_WIDEST = 640


def write_score_report(
    results: Results,
    folder: str | Path,
    *,
    published: Published | str | Path | None = None,
    pictures: Pictures | None = None,
) -> dict[str, Path]:
    """Write report.html, report.md, provenance.json and the CSV files; each appears only when complete.

    What does not fit a page that opens quickly is left to the CSV files, and the page says so.

    Args:
        results: of a run, of any number of recordings.
        folder: made if absent.
        published: a table to be set beside ours: its name, a YAML file, or what was read from one.
        pictures: captions and pictures, uint8 RGB, by track, as
            :func:`~dexman_pose.evaluation.report.overlays.worst_pictures` gives them.

    Returns:
        Paths: ``html``, ``markdown``, ``provenance``, and the name of each CSV file without its ending.

    Raises:
        InputError: the folder cannot be written to, or there is no such published table.
    """
    base = Path(folder)
    theirs = load_published(published) if isinstance(published, (str, Path)) else published
    pooled = pool(results)
    paths = write_csvs(results, base, pooled=pooled)
    provenance = json.dumps(words.finite(results.provenance), indent=2, sort_keys=True, ensure_ascii=False)
    paths["provenance"] = write_bytes(base / "provenance.json", _encoded(provenance + "\n"))
    paths["markdown"] = write_bytes(base / "report.md", _encoded(report_markdown(results, pooled, theirs)))
    body = _body(results, pooled, theirs, pictures or {})
    paths["html"] = write_bytes(base / "report.html", _encoded(html.page(words.heading(results), body)))
    return paths


def _body(results: Results, pooled: Pooled, published: Published | None, pictures: Pictures) -> list[str]:
    protocol = results.protocol
    title, lead = html.escape(words.heading(results)), html.escape(words.lead(results, pooled))
    body = [f'<header><h1>{title}</h1>\n<p class="lead">{lead}</p></header>', _findings(results, pooled)]
    body.append(html.section("Summary", _text(words.POOLING), _summary(pooled, protocol)))
    if published is not None:
        body.append(_published(published, results, pooled))
    objects = row_table(pooled.objects, protocol, what="object", symmetry=True)
    body.append(html.section("Per object, worst first", _table(objects, "objects")))
    body.append(html.section("Per recording, worst first", *_recordings(results, pooled, pictures)))
    body.append(html.section("Curves", *_curves(results, pooled)))
    hands = _table(hand_table(results.hands), "hands") if results.hands else _text("Not scored.")
    body.append(html.section("Hands", hands))
    contacts = (
        _table(contact_table(results.contacts), "contacts") if results.contacts else _text("Not scored.")
    )
    body.append(html.section("Contacts", contacts))
    rows = Table(("key", "value"), list(words.protocol_rows(protocol)))
    body.append(html.section("Protocol", _list(words.protocol_notes(protocol)), _table(rows, "")))
    code = f"<pre>{html.escape(words.provenance_text(results.provenance))}</pre>"
    version = f'<p class="lead">dexman_pose {html.escape(__version__)}</p>'
    body.append(html.section("Provenance", code, version))
    return body


def _findings(results: Results, pooled: Pooled) -> str:
    """What looks like a mistake, above everything else."""
    groups = words.grouped_findings(results.findings)
    said = words.warnings(pooled)
    if not groups and not said:
        return html.section("What looks like a mistake", _text("Nothing was found."))
    parts = [f"<h2>What looks like a mistake ({len(results.findings)})</h2>"]
    parts += [html.notes(said)] if said else []
    if groups:
        rows = [(g.title, str(len(g.findings)), str(len(g.places)), _some(g.places)) for g in groups]
        head = ("kind", "findings", "places", "where")
        parts.append(_table(Table(head, rows, frozenset((1, 2))), ""))
    for group in groups:
        parts.append(f"<h3>{html.escape(group.title)} ({len(group.findings)})</h3>")
        texts = [words.finding_text(f) for f in group.findings[:MOST_FINDINGS]]
        if len(group.findings) > MOST_FINDINGS:
            texts.append(f"and {len(group.findings) - MOST_FINDINGS} more: see findings.csv")
        parts.append(html.notes(texts))
    return '<section class="alarm">\n' + "\n".join(parts) + "\n</section>"


def _summary(pooled: Pooled, protocol: Mapping[str, object]) -> str:
    """The summary with what each figure means."""
    meanings = {c.title: c.meaning for c in columns(protocol)}
    table = summary_table(pooled, protocol)
    rows = [(*row, meanings.get(row[0], "")) for row in table.rows]
    return _table(Table((*table.head, "meaning"), rows, table.numbers), "")


def _published(published: Published, results: Results, pooled: Pooled) -> str:
    return html.section(
        f"Beside published figures: {published.title}",
        _table(published_table(published, pooled, results.protocol), ""),
        _text(f"Source: {published.source}"),
        "<h3>How they measured</h3>",
        _list(published.notes),
        "<h3>What differs from ours</h3>",
        html.notes(words.comparison(published, results)),
    )


def _recordings(results: Results, pooled: Pooled, pictures: Pictures) -> list[str]:
    if not pooled.sequences:
        return [_text("None.")]
    parts = _gallery(pooled, pictures)
    parts.append(_plot("recordings from the worst on", score_plots.plot_sequences(results, pooled)))
    parts.append(_table(row_table(pooled.sequences, results.protocol), "sequences"))
    notes = words.track_notes(results.objects)
    if notes:
        parts += ["<h3>Notes on tracks</h3>", _list(notes[:MOST_FINDINGS])]
        parts += [_text(f"and {len(notes) - MOST_FINDINGS} more.")] if len(notes) > MOST_FINDINGS else []
    return parts


def _curves(results: Results, pooled: Pooled) -> list[str]:
    if not pooled.overall.frames:
        return [_text("No frames.")]
    parts = [_plot("share of frames below a threshold", score_plots.plot_accuracy(results))]
    if any(s.vsd.size for s in results.objects):
        parts.append(_plot("recall of VSD", score_plots.plot_vsd(results)))
    parts.append(
        _text("Errors over time of the worst tracks; grey: no prediction; dashed: upper end of the AUC.")
    )
    parts.append(_plot("errors over time", score_plots.plot_tracks(results, pooled)))
    return parts


def _gallery(pooled: Pooled, pictures: Pictures) -> list[str]:
    """Pictures in the order of the tracks, as many as the page can bear."""
    order = [r.label for r in pooled.sequences]
    keys = [k for k in order if k in pictures] + [k for k in pictures if k not in set(order)]
    every = [item for key in keys for item in pictures[key]]
    figures, spent = [], 0
    for text, picture in every:
        data = _jpeg(picture)
        if spent + len(data) > PICTURE_BYTES:
            break
        spent += len(data)
        figures.append(html.figure(html.image(data, "jpeg", text), text))
    if not figures:
        return []
    parts = [_text("Worst frames: the truth green, the estimate red.")]
    parts.append('<div class="frames">\n' + "\n".join(figures) + "\n</div>")
    if len(figures) < len(every):
        parts.append(_text(f"{len(figures)} of {len(every)} pictures, to keep the page small."))
    return parts


def _jpeg(picture: Image) -> bytes:
    from PIL import Image as Images

    height, width = picture.shape[:2]
    scale = min(1.0, _WIDEST / max(width, height))
    small = resize_picture(picture, (max(1, round(width * scale)), max(1, round(height * scale))))
    out = io.BytesIO()
    Images.fromarray(small).save(out, format="JPEG", quality=84, optimize=True)
    return out.getvalue()


def _plot(text: str, figure: Any) -> str:
    return html.figure(html.image(plots.figure_png(figure, dpi=120), "png", text), look="plot")


def _table(table: Table, name: str) -> str:
    """A table, its first rows where it is long; the rest is in ``name``.csv."""
    if not table.rows:
        return _text("None.")
    shown: Iterable[Sequence[str]] = table.rows[:MOST_ROWS] if name else table.rows
    made = html.table(table.head, ([html.escape(c) for c in row] for row in shown), numbers=table.numbers)
    if not name:
        return made
    left = len(table.rows) - MOST_ROWS
    rest = f"{left} more rows, and all" if left > 0 else "All"
    return made + "\n" + _text(f"{rest} figures: {name}.csv")


def _text(text: str) -> str:
    return f'<p class="lead">{html.escape(text)}</p>'


def _list(texts: Sequence[str]) -> str:
    return "<ul>" + "".join(f"<li>{html.escape(t)}</li>" for t in texts) + "</ul>" if texts else ""


def _some(places: Sequence[str], most: int = 4) -> str:
    return ", ".join(places[:most]) + (f" and {len(places) - most} more" if len(places) > most else "")


def _encoded(text: str) -> bytes:
    # A lone surrogate (an undecodable byte of a file name) has no UTF-8 form.
    return text.encode("utf-8", errors="replace")
