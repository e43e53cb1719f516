"""The stress suite's results for reading: Markdown, CSV, and the picture of reliability."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path

import numpy as np

from dexman_pose._optional import require
from dexman_pose.benchmarks.stress.score import (
    ReliabilityBin,
    StressRecord,
    StressScore,
    StressTable,
    reliability,
)
from dexman_pose.data.files import write_bytes


def stress_markdown(table: StressTable) -> str:
    """Two Markdown tables for single pictures and clips, and one of reliability."""
    singles = [s for s in table.scores if not s.what.startswith("track")]
    clips = [s for s in table.scores if s.what.startswith("track")]
    parts = []
    if singles:
        parts.append(_markdown(_SINGLE_HEAD, [_single_row(s) for s in singles]))
    if clips:
        parts.append(_markdown(_CLIP_HEAD, [_clip_row(s) for s in clips]))
    bands = reliability(table.records)
    if bands:
        parts.append(_markdown(_BAND_HEAD, [_band_row(b) for b in bands]))
    return "\n".join(parts)


_SINGLE_HEAD: tuple[str, ...] = (
    "condition",
    "what",
    "depth",
    "n",
    "success",
    "mm (median / 90 %)",
    "deg (median / 90 %)",
    "scale error",
    "ms",
    "beyond 6 deg / 10 mm",
    "beyond 20 deg",
    "ADD-S area",
    "part for whole (mask / pose)",
    "good and valid / off but valid",
)
_CLIP_HEAD: tuple[str, ...] = (
    "condition",
    "start",
    "depth",
    "n",
    "right",
    "valid",
    "valid but wrong",
    "mm (median / 90 %)",
    "deg (median / 90 %)",
)
_CLIP_HEAD += ("jumps / 100", "loss noticed", "recovered", "scale error", "frames/s")
_CLIP_HEAD += ("beyond 6 deg / 10 mm", "beyond 20 deg", "ADD-S area", "part for whole (mask / pose)")
_CLIP_HEAD += ("good and valid / off but valid",)
_BAND_HEAD = ("confidence", "frames", "right", "mm (median)", "deg (median)")


def _single_row(s: StressScore) -> tuple[str, ...]:
    ms = "-" if s.per_second is None else f"{1e3 / s.per_second:.0f}"
    return (
        s.condition,
        s.what,
        _yes(s.with_depth),
        _count(s),
        _share(s.success),
        *_errors(s),
        _percent(s.scale_error),
        ms,
        *_misses(s),
    )


def _clip_row(s: StressScore) -> tuple[str, ...]:
    start = {"track-search": "searched", "track-alone": "given, no masks"}.get(s.what, "given")
    shares = (_share(s.success), _share(s.valid_share), _share(s.wrong_share))
    rest = (
        _plain(s.jumps),
        _share(s.loss_noticed),
        _share(s.recovered),
        _percent(s.scale_error),
        _plain(s.per_second),
    )
    return (s.condition, start, _yes(s.with_depth), _count(s), *shares, *_errors(s), *rest, *_misses(s))


def _misses(s: StressScore) -> tuple[str, ...]:
    """How often it is off, valid or not, and what that means for the whole object."""
    area = "-" if s.add_s_area is None else f"{s.add_s_area:.2f}"
    parts = "-" if s.mask_part_share is None else f"{_share(s.mask_part_share)} / {_share(s.pose_part_share)}"
    told = f"{_share(s.believed_share)} / {_share(s.off_believed_share)}"
    return _share(s.off_share), _share(s.gross_share), area, parts, told


def _band_row(b: ReliabilityBin) -> tuple[str, ...]:
    return (
        f"{b.low:.1f} - {b.high:.1f}",
        str(b.frames),
        _share(b.right),
        f"{b.mm_median:.1f}",
        f"{b.deg_median:.1f}",
    )


def _errors(s: StressScore) -> tuple[str, str]:
    return f"{_plain(s.mm_median)} / {_plain(s.mm_p90)}", f"{_plain(s.deg_median)} / {_plain(s.deg_p90)}"


def _count(s: StressScore) -> str:
    return str(s.runs) if not s.failed else f"{s.runs} ({s.failed} raised)"


def _yes(value: bool) -> str:
    return "yes" if value else "no"


def _share(value: float | None) -> str:
    return "-" if value is None else f"{100 * value:.0f} %"


def _percent(value: float | None) -> str:
    return "-" if value is None else f"{value:.1f} %"


def _plain(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:.2f}" if value < 1 else f"{value:.1f}" if value < 100 else f"{value:.0f}"


def _markdown(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"


def write_stress_tables(table: StressTable, folder: str | Path) -> list[Path]:
    """Write ``stress.md``, ``stress.csv`` (lines, also shape by shape), ``stress_runs.csv`` and ``reliability.png``.

    Returns:
        The files; the picture is left out where nothing was tracked.
    """
    folder = Path(folder)
    names = [f.name for f in fields(StressScore)]
    lines = [[getattr(s, n) for n in names] for s in table.scores + table.shape_scores]
    out = [
        write_bytes(folder / "stress.md", stress_markdown(table).encode()),
        _write_csv(folder / "stress.csv", names, lines),
        _write_csv(folder / "stress_runs.csv", _RUN_HEAD, [_run_row(r) for r in table.records]),
    ]
    if reliability(table.records):
        out.append(plot_reliability(table.records, folder / "reliability.png"))
    return out


_RUN_HEAD = [
    "condition",
    "shape",
    "seed",
    "what",
    "with_depth",
    "ms",
    "frames",
    "seen",
    "valid",
    "wrong",
    "mm",
    "deg",
]
_RUN_HEAD += ["jumps", "noticed", "recovered", "scale_error", "error"]


def _run_row(r: StressRecord) -> list[object]:
    """Medians of one run over its seen frames."""
    seen = r.seen if r.seen.any() else np.ones(len(r.valid), np.bool_)
    counts = [
        len(r.valid),
        int(r.seen.sum()),
        int((r.seen & r.valid).sum()),
        int((r.seen & r.valid & r.wrong).sum()),
    ]
    middle = [round(float(np.median(r.millimetres[seen])), 3), round(float(np.median(r.degrees[seen])), 3)]
    gaps = [sum(g[0] for g in r.gaps), sum(g[1] for g in r.gaps)] if r.gaps else ["", ""]
    key = [r.condition, r.shape, r.seed, r.what, r.with_depth, round(1e3 * r.seconds, 2)]
    return [*key, *counts, *middle, r.jumps, *gaps, r.scale_error, r.error]


def _write_csv(path: Path, head: Sequence[str], rows: Sequence[Sequence[object]]) -> Path:
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(head)
    writer.writerows(["" if v is None else v for v in row] for row in rows)
    return write_bytes(path, stream.getvalue().encode())


def plot_reliability(records: Sequence[StressRecord], path: str | Path) -> Path:
    """Draw how often tracked frames are right, and how far off they are, over the confidence given to them."""
    require("matplotlib", "video", "drawing the reliability of tracks")
    from matplotlib.figure import Figure

    bands = reliability(records)
    middle = [0.5 * (b.low + b.high) for b in bands]
    figure = Figure(figsize=(8.0, 3.6), layout="constrained")
    left, right = figure.subplots(1, 2)
    left.bar(middle, [b.right for b in bands], width=0.09, color="#4c78a8")
    left.plot([0, 1], [0, 1], "k--", linewidth=1)
    for x, b in zip(middle, bands):
        left.text(x, 0.02, str(b.frames), ha="center", fontsize=7, rotation=90, color="white")
    left.set(xlabel="confidence", ylabel="share of frames that are right", xlim=(0, 1), ylim=(0, 1.02))
    right.semilogy(middle, [max(b.mm_median, 0.01) for b in bands], "o-", label="mm")
    right.semilogy(middle, [max(b.deg_median, 0.01) for b in bands], "s-", label="degrees")
    right.set(xlabel="confidence", ylabel="median error", xlim=(0, 1))
    right.legend()
    stream = io.BytesIO()
    figure.savefig(stream, format="png", dpi=120)
    return write_bytes(path, stream.getvalue())
