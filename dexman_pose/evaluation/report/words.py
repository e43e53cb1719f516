"""What the reports on scores say in words, for HTML and Markdown alike."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from dexman_pose.evaluation.pooling import Pooled
from dexman_pose.evaluation.published import Published, differences
from dexman_pose.evaluation.results import Finding, ObjectScores, Results

KINDS = {
    "unit": "Wrong unit or size",
    "swapped": "Names that look swapped",
    "lag": "Tracks shifted in time",
    "flipped": "Flipped or turned",
    "unread": "Could not be read",
    "missing": "Frames without a prediction",
    "problem": "Problems of the recording",
}
"""Headings of the kinds of findings, the gravest first."""

POOLING = (
    "All frames pooled: an object with many frames weighs more. Mean over objects: the figures of each object id, "
    "over all its frames, averaged with the same weight. Frames without a prediction count as failures in every "
    "area, recall and success, and are left out of means and medians."
)
_EMPTY = {"split": "all", "objects": "all", "symmetries": "detected from the meshes alone"}
_LONGEST_TEXT = 400
_LONGEST_JSON = 40_000


@dataclass(frozen=True)
class FindingGroup:
    """Findings of one kind."""

    kind: str
    title: str
    findings: list[Finding]

    @property
    def places(self) -> list[str]:
        """Where they are, each once, in order."""
        return list(dict.fromkeys(f.where for f in self.findings))


def grouped_findings(findings: Iterable[Finding]) -> list[FindingGroup]:
    """Findings by kind, the gravest kind first, kinds unknown here last."""
    by_kind: dict[str, list[Finding]] = {}
    for finding in findings:
        by_kind.setdefault(finding.kind, []).append(finding)
    order = [k for k in KINDS if k in by_kind] + sorted(k for k in by_kind if k not in KINDS)
    return [FindingGroup(k, KINDS.get(k, k), by_kind[k]) for k in order]


def heading(results: Results) -> str:
    """Title of the report."""
    said = results.protocol.get("title") or results.protocol.get("name")
    return f"Scores: {said}" if said else "Scores"


def lead(results: Results, pooled: Pooled) -> str:
    """How much was scored, in one line."""
    overall = pooled.overall
    if not overall.recordings:
        return "Nothing was scored."
    recordings = len({(s.sequence, s.view) for s in results.objects})
    parts = [
        counted(recordings, "recording"),
        counted(overall.recordings, "track"),
        counted(overall.objects, "different object"),
        counted(overall.frames, "scored frame"),
        f"{overall.failures} without a prediction" if overall.failures else "a prediction in all",
    ]
    return ", ".join(parts)


def counted(count: int, what: str) -> str:
    """``1 frame``, ``2 frames``."""
    return f"{count:,} {what}" + ("" if count == 1 else "s")


def warnings(pooled: Pooled) -> list[str]:
    """What must be known before any figure is read."""
    found = []
    if pooled.not_finite:
        found.append(
            f"{counted(pooled.not_finite, 'frame')} of the predictions gave errors that are not finite numbers; "
            "they count as frames without a prediction."
        )
    overall = pooled.overall
    if overall.frames and overall.failures == overall.frames:
        found.append("No frame has a prediction: every area and recall is 0, and there are no means.")
    return found


def comparison(published: Published, results: Results) -> list[str]:
    """What differs between a published table and ours, the plainest first."""
    said = differences(published, results.protocol)
    if published.data:
        tracks = len(results.objects)
        said.insert(0, f"Data: theirs {published.data}; ours {counted(tracks, 'track')}, as counted above.")
    return said


def finding_text(finding: Finding) -> str:
    """Where and what, cut where somebody put a whole log into it."""
    text = finding.text
    if len(text) > _LONGEST_TEXT:
        text = text[:_LONGEST_TEXT] + "... (whole in findings.csv)"
    return f"{finding.where}: {text}"


def track_notes(objects: Iterable[ObjectScores]) -> list[str]:
    """Notes of tracks, each text once with how many tracks carry it, the most frequent first."""
    counts: dict[str, list[str]] = {}
    for s in objects:
        for text in dict.fromkeys(s.notes):
            counts.setdefault(text, []).append(s.key)
    ranked = sorted(counts.items(), key=lambda item: (-len(item[1]), item[0]))
    return [f"{text} ({keys[0] if len(keys) == 1 else counted(len(keys), 'track')})" for text, keys in ranked]


def protocol_rows(protocol: Mapping[str, object]) -> list[tuple[str, str]]:
    """Every value of the protocol as text, the notes apart (:func:`protocol_notes`)."""
    return [(key, _value(key, value)) for key, value in protocol.items() if key != "notes"]


def protocol_notes(protocol: Mapping[str, object]) -> list[str]:
    """The protocol's notes."""
    said = protocol.get("notes")
    return [str(n) for n in said] if isinstance(said, (list, tuple)) else []


def provenance_text(provenance: Mapping[str, object]) -> str:
    """Indented JSON, cut where it would make a page too long."""
    text = json.dumps(finite(provenance), indent=2, sort_keys=True, default=str, ensure_ascii=False)
    if len(text) > _LONGEST_JSON:
        text = text[:_LONGEST_JSON] + "\n... (whole in provenance.json)"
    return text


def finite(value: object) -> object:
    """The same with floats that are no numbers, which JSON does not know, as None."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(k): finite(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [finite(v) for v in value]
    return value if isinstance(value, (str, int, bool)) or value is None else str(value)


def _value(key: str, value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    text = ", ".join(str(v) for v in value) if isinstance(value, (list, tuple)) else str(value)
    return text or _EMPTY.get(key, "none")
