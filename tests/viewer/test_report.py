"""The HTML report: complete, valid, self-contained, escaped."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Callable
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from dexman_pose.data import Camera, Clip, MaskSequence, Trajectory
from dexman_pose.errors import InputError
from dexman_pose.viewer import report, write_overlay, write_report
from dexman_pose.viewer.report import key_frames

VOID = {"meta", "img", "br", "link", "input"}
BLOCKS = ["replay-meta", "replay-data", "replay-three", "replay-pictures", ""]


class Page(HTMLParser):
    """Collects text and addresses, and insists that every element is closed in order."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: set[str] = set()
        self.addresses: list[str] = []
        self.text = ""
        self.scripts: dict[str, str] = {}
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        names = [name for name, _ in attrs]
        assert len(names) == len(set(names))
        self.addresses += [
            v or "" for k, v in attrs if k in ("src", "href", "poster", "data", "srcset", "action")
        ]
        assert not any(name.startswith("on") for name in names)
        if tag == "script":
            self.scripts[dict(attrs).get("id") or ""] = ""
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open[-1:] == ["script"]:
            self.scripts[list(self.scripts)[-1]] += data
        elif "style" not in self.open:
            self.text += data


def parsed(path: Path) -> Page:
    return Page(path.read_text(encoding="utf-8"))


def test_report_holds_every_part(
    trajectory: Trajectory, clip: Clip, masks: MaskSequence, tmp_path: Path
) -> None:
    errors = {"cube": "ADD-S 1.2 mm"}
    path = write_report(
        trajectory, tmp_path / "new" / "r.html", clip=clip, masks=masks, truth_errors=errors, title="A run"
    )
    page = parsed(path)
    for text in (
        "A run",
        "cube",
        "ball",
        "83 %",
        "10-13",
        "unknown",
        "ADD-S 1.2 mm",
        "49 degrees",
        "intrinsics given",
        "19-23",
    ):
        assert text in page.text, text
    kinds = [a.split(",")[0] for a in page.addresses]
    assert kinds.count("data:image/jpeg;base64") == len(key_frames(trajectory)) >= 8
    assert page.text.count("rotation since frame 0") == 2, "a panel for each object"
    for title in ("position in the camera frame", "quality", "hands", "contacts", "distance of the nearest"):
        assert title in page.text, title
    for address in page.addresses:
        if address == "#notes":
            continue
        with Image.open(io.BytesIO(base64.b64decode(address.split(",")[1]))) as image:
            image.verify()
    assert list(page.scripts) == BLOCKS and "link" not in page.tags
    assert [p.name for p in path.parent.iterdir()] == ["r.html"]


def test_nothing_is_loaded_from_anywhere(trajectory: Trajectory, clip: Clip, tmp_path: Path) -> None:
    overlay = write_overlay(trajectory, clip, tmp_path / "o.mp4")
    text = write_report(trajectory, tmp_path / "r.html", clip=clip, overlay=overlay).read_text()
    assert "http://" not in text and "https://" not in text and "url(" not in text and "@import" not in text
    videos = [a for a in Page(text).addresses if a.startswith("data:video/mp4;base64,")]
    assert base64.b64decode(videos[0].split(",")[1]) == overlay.read_bytes()


def test_a_large_overlay_is_linked_by_its_relative_path(
    trajectory: Trajectory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(report, "_LARGEST_EMBEDDED", 3)
    overlay = tmp_path / "videos" / 'a "b" #1.mp4'
    overlay.parent.mkdir()
    overlay.write_bytes(b"12345")
    page = parsed(write_report(trajectory, tmp_path / "pages" / "r.html", overlay=overlay))
    assert "../videos/a%20%22b%22%20%231.mp4" in page.addresses


def test_names_are_escaped_everywhere(
    trajectory_named: Callable[[str, str], Trajectory], hostile_name: str, tmp_path: Path
) -> None:
    trajectory = trajectory_named(hostile_name, "a & b <i>")
    trajectory = replace(trajectory, provenance={"input": hostile_name, "notices": [hostile_name]})
    path = write_report(trajectory, tmp_path / "r.html", truth_errors={hostile_name: hostile_name})
    page = parsed(path)
    assert list(page.scripts) == [b for b in BLOCKS if b != "replay-pictures"] and "i" not in page.tags
    assert page.text.count(hostile_name) >= 6
    assert "a & b <i>" in page.text
    assert [o["name"] for o in json.loads(page.scripts["replay-meta"])["objects"]] == [
        hostile_name,
        "a & b <i>",
    ]


def test_text_that_is_no_utf8(trajectory: Trajectory, tmp_path: Path) -> None:
    made_from = {"input": "caf\udce9\x00.mp4", "array": np.float32(1.5)}
    little = Trajectory(trajectory.camera, np.zeros(1), provenance=made_from)
    assert "caf" in parsed(write_report(little, tmp_path / "r.html", title="\x07bell")).text


def test_key_frames_include_the_worst(trajectory: Trajectory) -> None:
    track = trajectory.objects["cube"].track
    assert track.mask_iou is not None
    track.mask_iou[17] = 0.31
    chosen = key_frames(trajectory)
    assert list(chosen) == sorted(chosen) and {0, 17, 23} <= set(chosen)
    assert "cube: 0.31" in chosen[17]


def test_report_of_an_empty_trajectory(tmp_path: Path) -> None:
    empty = Trajectory(Camera.from_focal(500, 640, 480), np.zeros(0))
    assert "holds no object" in parsed(write_report(empty, tmp_path / "r.html")).text


def test_bad_input(trajectory: Trajectory, clip: Clip, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="does not exist"):
        write_report(trajectory, tmp_path / "r.html", overlay=tmp_path / "none.mp4")
    short = Clip.from_frames([clip.frame(0)], 25.0)
    with pytest.raises(InputError, match="1 frames"):
        write_report(trajectory, tmp_path / "r.html", clip=short)
    assert list(tmp_path.iterdir()) == []
