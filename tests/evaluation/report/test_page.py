"""The report on scores: findings first, complete, self-contained, small; and the pictures in it."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
import trimesh

from dexman_pose.data import Camera, Mesh
from dexman_pose.errors import InputError
from dexman_pose.evaluation.protocol import Protocol
from dexman_pose.evaluation.report import page as score_report
from dexman_pose.evaluation.report.overlays import (
    ESTIMATE_COLOR,
    TRUE_COLOR,
    FrameView,
    chosen_frames,
    draw_pair,
    worst_pictures,
)
from dexman_pose.evaluation.report.page import write_score_report
from dexman_pose.evaluation.results import ContactScores, Finding, HandScores, ObjectScores, Results
from dexman_pose.geometry import se3

PROTOCOL = Protocol("taco", "TACO <test>", "taco", ("A note & more.",)).as_dict()


class Page(HTMLParser):
    """Text, headings and addresses; every element must be closed in order."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.open: list[str] = []
        self.addresses: list[str] = []
        self.headings: list[str] = []
        self.text = ""
        self.feed(path.read_text(encoding="utf-8"))
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.addresses += [v or "" for k, v in attrs if k in ("src", "href", "srcset", "data")]
        if tag not in ("meta", "img"):
            self.open.append(tag)
            if tag == "h2":
                self.headings.append("")

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "style" not in self.open:
            self.text += data
        if "h2" in self.open:
            self.headings[-1] += data


def track(sequence: str, name: str, errors: list[float | None], notes: tuple[str, ...] = ()) -> ObjectScores:
    add_s = np.array([0.0 if e is None else e for e in errors])
    valid = np.array([e is not None for e in errors], np.bool_)
    frames = 5 * np.arange(len(errors))
    values = {"add_s": add_s, "add": 2 * add_s, "translation": add_s}
    return ObjectScores(sequence, "v", "", "", name, "007", 0.2, "C2", frames, valid, values, notes=notes)


def results(objects: list[ObjectScores] | None = None) -> Results:
    tracks = [track("s<1>", "tool", [0.01, None, 0.03], ("cut short",)), track("s2", "target", [0.002])]
    hands = [HandScores("s2", "v", "left", np.arange(2), np.ones(2, bool), {"root": np.full((2, 21), 0.012)})]
    findings = [
        Finding("missing", "s<1>/v/tool", "no pose in 1 of 3"),
        Finding("unit", "s2", "millimetres | ?"),
    ]
    return Results(
        PROTOCOL,
        tracks if objects is None else objects,
        hands,
        [ContactScores("s2", "v", 1.0, 0.5, 0.7, 0.001, 9)],
        findings,
        {"seed": 0, "odd": float("nan")},
    )


@pytest.fixture
def quick_plots(monkeypatch: pytest.MonkeyPatch) -> None:
    """For tests that do not look at the plots."""
    monkeypatch.setattr(score_report.plots, "figure_png", lambda figure, dpi: b"picture")


def no_nan(text: str) -> bool:
    plain = re.sub(r"base64,[A-Za-z0-9+/=]+", "", text)
    return re.search(r"\b(nan|inf|infinity)\b", plain, re.IGNORECASE) is None


def test_findings_come_first_and_everything_is_there(tmp_path: Path) -> None:
    picture = np.full((60, 80, 3), 90, np.uint8)
    paths = write_score_report(
        results(), tmp_path / "new", published="dexman_taco", pictures={"s<1>/v/tool": [("worst", picture)]}
    )
    page = Page(paths["html"])
    assert [h.split(":")[0] for h in page.headings] == [
        "What looks like a mistake (2)", "Summary", "Beside published figures", "Per object, worst first",
        "Per recording, worst first", "Curves", "Hands", "Contacts", "Protocol", "Provenance",
    ]  # fmt: skip
    for text in ("Scores: TACO <test>", "s<1>/v/tool: no pose in 1 of 3", "0.82", "ours: all frames pooled",
                 "alignment: theirs first_frame, ours none", "12.0", "A note & more.", "cut short", "worst",
                 "1 (25 %)", "agreement_delta"):  # fmt: skip
        assert text in page.text, text
    assert page.text.index("Wrong unit") < page.text.index("Frames without a prediction")
    assert all(a.startswith("data:image/") for a in page.addresses)
    assert "http" not in re.sub(r"base64,[A-Za-z0-9+/=]+", "", paths["html"].read_text())
    assert all(no_nan(p.read_text(encoding="utf-8")) for p in paths.values())
    assert all(p.is_file() for p in paths.values()) and not list(tmp_path.rglob("*.part"))


def test_markdown_says_the_same(tmp_path: Path, quick_plots: None) -> None:
    text = write_score_report(results(), tmp_path, published="dexman_taco")["markdown"].read_text()
    assert text.index("What looks like a mistake (2)") < text.index("## Summary")
    assert "s\\<1\\>/v/tool: no pose in 1 of 3" in text and "| DexMan | 0.57 |" in text
    assert "### Wrong unit or size: 1 in 1 place\n" in text


@pytest.mark.parametrize("objects", [[], [track("a", "tool", [])], [track("a", "tool", [None])]])
def test_nothing_or_little(objects: list[ObjectScores], tmp_path: Path) -> None:
    made = Results({}, objects)
    paths = write_score_report(made, tmp_path, published="dexman_taco")
    text = Page(paths["html"]).text
    assert no_nan(paths["html"].read_text())
    if not objects:
        assert "Nothing was scored." in text and "Nothing was found." in text
    elif len(objects[0].frames):
        assert "No frame has a prediction" in text


def test_hundreds_of_recordings_stay_small(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    tracks = [track(f"s{i:03}", "tool", list(rng.random(40) / 10)) for i in range(400)]
    noise = rng.integers(0, 255, (420, 560, 3), np.uint8)
    pictures = {s.key: [("noise", noise)] for s in tracks[:60]}
    made = results(tracks)
    made.findings.extend(Finding("lag", f"s{i}", "late " * 400) for i in range(300))
    made.provenance["files"] = ["0" * 64] * 20_000
    path = write_score_report(made, tmp_path, pictures=pictures)["html"]
    text = Page(path).text
    assert path.stat().st_size < 5_000_000
    for said in ("300 more rows", "of 60 pictures", "285 more", "whole in provenance.json"):
        assert said in text, said


def mesh() -> Mesh:
    made = trimesh.creation.box((0.08, 0.08, 0.08))
    return Mesh(np.asarray(made.vertices, np.float64), np.asarray(made.faces, np.int32))


def view(estimate: float | None) -> FrameView:
    """A box at the middle of the picture; the estimate so many metres to its right."""
    camera = Camera.from_focal(500, 640, 480)
    moved = None if estimate is None else se3(np.eye(3), [estimate, 0, 1.0])
    return np.full((480, 640, 3), 128, np.uint8), camera, mesh(), se3(np.eye(3), [0, 0, 1.0]), moved


def middle_of(picture: np.ndarray, color: tuple[int, int, int]) -> float:
    below = picture[60:]  # the legend is above
    return float(np.nonzero(np.abs(below.astype(int) - color).sum(-1) < 12)[1].mean())


def test_outlines_lie_where_the_poses_are() -> None:
    picture = draw_pair(view(0.1))
    true, guess = middle_of(picture, TRUE_COLOR), middle_of(picture, ESTIMATE_COLOR)
    # 0.1 m are 50 px at 1 m; the box is 43 px wide in front, so the cut-out shows both and a margin around.
    scale = picture.shape[1] / np.ceil((50 + 44) * 1.7)
    assert guess - true == pytest.approx(50 * scale, rel=0.06)


@pytest.mark.parametrize("estimate", [None, 40.0])
def test_an_estimate_out_of_sight_leaves_the_truth(estimate: float | None) -> None:
    picture = draw_pair(view(estimate))
    assert np.isfinite(middle_of(picture, TRUE_COLOR))
    assert not (np.abs(picture[60:].astype(int) - ESTIMATE_COLOR).sum(-1) < 12).any()


def test_picture_of_another_size_is_refused() -> None:
    image, *rest = view(None)
    with pytest.raises(InputError, match="640x480"):
        draw_pair((image[:100], *rest))


def test_worst_frames_of_as_many_tracks_as_possible() -> None:
    made = results()
    picked = [(s.sequence, i) for s, i in chosen_frames(made, 10)]
    assert picked == [("s<1>", 2), ("s2", 0), ("s<1>", 1), ("s<1>", 0)]
    asked: list[int] = []

    def frame_of(scores: ObjectScores, frame: int) -> FrameView | None:
        asked.append(frame)
        return None if scores.sequence == "s2" else view(0.05 if frame else None)

    pictures = worst_pictures(made, frame_of, count=2)
    assert asked == [10, 0, 5]  # frame numbers, not indices
    assert [c for c, _ in pictures["s<1>/v/tool"]] == [
        "s<1> / v / tool, frame 10: ADD-S 30 mm",
        "s<1> / v / tool, frame 5: no prediction",
    ]
