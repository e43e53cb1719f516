"""The flag benchmark's results for reading (Markdown) and for programs (JSON)."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from dexman_pose.benchmarks.flags.run import FlagTable
from dexman_pose.benchmarks.flags.scores import FlagScore, FlagTargets
from dexman_pose.data.files import write_bytes

_HEAD = (
    "group",
    "cases",
    "failed",
    "frames",
    "valid",
    "wrong",
    "of them not valid",
    "good",
    "of them valid",
    "",
)


def flags_markdown(table: FlagTable) -> str:
    """A Markdown table: a line per group, last the total, and what counts as wrong and good below it."""
    lines = [_HEAD, ("---",) + ("---:",) * (len(_HEAD) - 2) + ("---",)]
    lines += [_line(score, table.targets) for score in table.groups]
    body = "\n".join("| " + " | ".join(cells) + " |" for cells in lines)
    return f"{body}\n\n{_legend(table.targets)}\n"


def write_flags_json(path: str | Path, table: FlagTable) -> Path:
    """Write targets, scores of groups and cases, and every row with its signals, not indented; returns the path."""
    return write_bytes(path, json.dumps(flags_dict(table), allow_nan=False).encode())


def flags_dict(table: FlagTable) -> dict[str, Any]:
    """Everything the benchmark found as plain values."""
    targets = table.targets
    return {
        "targets": asdict(targets),
        "groups": [_score_dict(s, targets) for s in table.groups],
        "cases": [{"group": group, **_score_dict(s, targets)} for group, s in table.cases],
        "rows": [asdict(r) | {"wrong": r.wrong(targets), "good": r.good(targets)} for r in table.rows],
    }


def score_line(group: str, score: FlagScore) -> str:
    """One line of a score, for the console."""
    wrong = f"wrong {score.wrong:3d}, not valid {_share(score.flagged_share):>7}"
    good = f"good {score.good:3d}, valid {_share(score.kept_share):>7}"
    if score.mm_median is None or score.deg_median is None:
        error = "raised"
    else:
        error = f"median {score.mm_median:.1f} mm {score.deg_median:.1f} deg"
    return f"{group:<14} {score.name:<42} {score.frames:3d}: {wrong}; {good}; {error}"


def _score_dict(score: FlagScore, targets: FlagTargets) -> dict[str, Any]:
    shares = {"flagged_share": score.flagged_share, "kept_share": score.kept_share}
    return asdict(score) | shares | {"passed": score.passed(targets)}


def _line(score: FlagScore, targets: FlagTargets) -> tuple[str, ...]:
    verdict = {None: "-", True: "PASS", False: "FAIL"}[score.passed(targets)]
    return (
        score.name,
        str(score.cases),
        str(score.failed),
        str(score.frames),
        str(score.valid),
        str(score.wrong),
        _share(score.flagged_share),
        str(score.good),
        _share(score.kept_share),
        verdict,
    )


def _share(value: float | None) -> str:
    return "-" if value is None else f"{100 * value:.1f} %"


def _legend(t: FlagTargets) -> str:
    return (
        f"Wrong: off by more than {t.wrong_mm:g} mm or {t.wrong_degrees:g} degrees; at least {100 * t.flagged:g} % "
        f"must be not valid.\nGood: within {t.good_mm:g} mm and {t.good_degrees:g} degrees, more than "
        f"{100 * t.least_visible:g} % visible; at least {100 * t.kept:g} % must be valid."
    )
