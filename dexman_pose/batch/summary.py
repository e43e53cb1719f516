"""What came out of a batch: a row per clip, as a table and as a page that shows the most doubtful first."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields
from pathlib import Path

import numpy as np

from dexman_pose.batch.job import Outcome
from dexman_pose.batch.kept import RESULT
from dexman_pose.data.files import write_bytes
from dexman_pose.data.trajectory import Trajectory
from dexman_pose.errors import DexmanError
from dexman_pose.viewer.html import escape, page
from dexman_pose.viewer.notices import notices

TABLE, PAGE = "summary.csv", "summary.html"
_REPORT = "report.html"
_LOST = 2.0
"""Doubt of a clip of which there is nothing."""

_SORT = """
<script>
document.querySelectorAll("th").forEach((head, column) => head.addEventListener("click", () => {
  const body = document.querySelector("tbody"), down = head.dataset.down !== "1";
  const value = row => { const text = row.children[column].dataset.value; const number = Number(text);
    return text !== "" && !Number.isNaN(number) ? number : text; };
  [...body.rows].sort((a, b) => { const x = value(a), y = value(b);
    return (x > y ? 1 : x < y ? -1 : 0) * (down ? 1 : -1); }).forEach(row => body.append(row));
  head.dataset.down = down ? "1" : "0";
}));
</script>
"""


@dataclass(frozen=True)
class Row:
    """What is told of a clip.

    Attributes:
        name: of the clip.
        state: see :class:`~dexman_pose.batch.job.Outcome`.
        doubt: 0 for none: the share of the frames in which an object has no valid pose, mean over objects; 1 more where
            no object was found or nothing is valid; 2 where there is no result.
        frames: of the clip.
        objects: number of them.
        valid: share of frames with a valid pose, of the object that has fewest; -1 where there is none.
        hands: share of frames with a hand.
        notices: number of things to note in its report.
        seconds: that it took, attempts together.
        attempts: so many.
        peak_mib: most memory, MiB.
        video: path.
        message: why it is not done, else the first thing to note.
    """

    name: str
    state: str
    doubt: float
    frames: int
    objects: int
    valid: float
    hands: float
    notices: int
    seconds: float
    attempts: int
    peak_mib: float
    video: str
    message: str


_SHOWN = tuple(f.name for f in fields(Row) if f.name != "video")
"""Columns of the page; paths are long, and stand under the pointer."""


def row_of(outcome: Outcome, folder: Path) -> Row:
    """The row of a clip whose run folder is given."""
    if outcome.state != "done":
        return _row(outcome, doubt=_LOST)
    try:
        found = Trajectory.load(folder / RESULT)
    except DexmanError as error:
        return _row(outcome, doubt=_LOST, message=f"its result cannot be read: {error}")
    shares = [float(thing.valid.mean()) for thing in found.objects.values() if len(thing.valid)]
    hands = [hand.valid for hand in found.hands.values()]
    said = notices(found)
    nothing = not shares or max(shares) == 0.0
    return _row(
        outcome,
        doubt=(1.0 - float(np.mean(shares)) if shares else 1.0) + float(nothing),
        frames=found.num_frames,
        objects=len(found.objects),
        valid=min(shares, default=-1.0),
        hands=float(np.any(hands, axis=0).mean()) if hands and found.num_frames else 0.0,
        told=len(said),
        message=said[0] if said else "",
    )


def _row(
    outcome: Outcome,
    *,
    doubt: float,
    frames: int = 0,
    objects: int = 0,
    valid: float = -1.0,
    hands: float = 0.0,
    told: int = 0,
    message: str | None = None,
) -> Row:
    return Row(
        outcome.name,
        outcome.state,
        round(doubt, 4),
        frames,
        objects,
        round(valid, 4),
        round(hands, 4),
        told,
        round(outcome.seconds, 2),
        outcome.attempts,
        round(outcome.peak_mib, 1),
        outcome.video,
        outcome.message if message is None else message,
    )


def write_summary(out: Path, rows: Iterable[Row]) -> None:
    """Write the table and the page, the most doubtful clips first."""
    ordered = sorted(rows, key=lambda row: (-row.doubt, row.name))
    write_bytes(out / TABLE, _table(ordered).encode("utf-8"))
    write_bytes(out / PAGE, _page(ordered, out).encode("utf-8"))


def _table(rows: list[Row]) -> str:
    stream = io.StringIO()
    writer = csv.DictWriter(stream, [f.name for f in fields(Row)], lineterminator="\n")
    writer.writeheader()
    writer.writerows(asdict(row) for row in rows)
    return stream.getvalue()


def _page(rows: list[Row], out: Path) -> str:
    done = sum(row.state == "done" for row in rows)
    heads = "".join(f"<th>{escape(name.replace('_', ' '))}</th>" for name in _SHOWN)
    body = "".join(_html_row(row, out) for row in rows)
    return page(
        "Batch",
        [
            "<h1>Batch</h1>",
            f'<p class="lead">{done} of {len(rows)} clips done. The most doubtful come first; a click on a head sorts '
            "by it.</p>",
            f'<div class="scroll"><table><thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table></div>',
            _SORT,
        ],
    )


def _html_row(row: Row, out: Path) -> str:
    cells = []
    for name in _SHOWN:
        value = getattr(row, name)
        text = "none" if name == "valid" and value < 0 else escape(value)
        if name == "name" and (out / row.name / _REPORT).is_file():
            text = f'<a href="{escape(row.name)}/{_REPORT}">{text}</a>'
        kind = ' class="number"' if isinstance(value, (int, float)) else ""
        cells.append(f'<td{kind} data-value="{escape(value)}">{text}</td>')
    return f'<tr title="{escape(row.video)}">{"".join(cells)}</tr>'
