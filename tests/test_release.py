"""What is released says one thing: version, figures of the demo, and files that belong to it."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path
from typing import Any

import yaml

from dexman_pose._version import __version__
from dexman_pose.cli.demo import LINES

ROOT = Path(__file__).resolve().parents[1]


def text(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def project() -> dict[str, Any]:
    found: dict[str, Any] = tomllib.loads(text("pyproject.toml"))["project"]
    return found


def test_one_version_everywhere() -> None:
    assert project()["version"] == __version__ == str(yaml.safe_load(text("CITATION.cff"))["version"])
    assert f"## [{__version__}] - " in text("CHANGELOG.md")


def test_the_demos_figures_are_those_that_it_wrote() -> None:
    """``eval/results/demo.json`` is the ``errors.json`` of ``make demo``; pages round it and say nothing else."""
    written = json.loads(text("eval/results/demo.json"))
    e = written["errors"]
    assert written["frames"] == 150 and written["hands"] == "mediapipe" and set(LINES) <= set(e)
    pose = f"{e['translation_mm_median']:.1f} mm, {e['rotation_deg_median']:.1f} degrees"
    joints, relative = e["hand_joint_mm_median"], e["hand_relative_mm_median"]
    hand = f"hand joints {joints:.0f} mm, {relative:.0f} mm relative to the wrist"
    touch = f"touching told rightly in {100 * e['contact_agreement']:.0f} % of the frames"
    world = f"gravity {e['gravity_deg']:.1f} degrees, table {e['table_mm']:.1f} mm"
    (row,) = re.findall(r"^\| `make demo`, .*$", text("README.md"), re.MULTILINE)
    assert all(part in row for part in (pose, hand, touch))
    (row,) = re.findall(r"^\| `make demo`, .*$", text("docs/benchmarks.md"), re.MULTILINE)
    assert all(part in row for part in (pose, hand.partition(", ")[0], touch, world))
    first = " ".join(text("README.md").partition("\n## ")[0].split())
    centimetres = [e[key] / 10 for key in ("hand_joint_mm_median", "hand_relative_mm_median")]
    assert f"right to {pose.replace(',', ' and')} (median)" in first
    assert f"about {centimetres[0]:.1f} cm ({centimetres[1]:.1f} cm relative to the wrist)" in first
    assert f"gravity to {e['gravity_deg']:.1f} degrees" in first


def test_source_distributions_hold_what_the_manifest_names() -> None:
    for line in text("MANIFEST.in").splitlines():
        kind, *names = line.split()
        if kind in ("include", "graft"):
            assert [n for n in names if not (ROOT / n).exists()] == [], line
    assert {"docs", "tests", "notebooks", "eval", "models"} <= set(
        re.findall(r"^graft (\S+)", text("MANIFEST.in"), re.M)
    )


def test_reports_have_forms() -> None:
    for form in sorted((ROOT / ".github/ISSUE_TEMPLATE").glob("*.md")):
        head = yaml.safe_load(form.read_text(encoding="utf-8").split("---")[1])
        assert head["name"] and head["about"]


def test_every_extra_is_in_the_install_page() -> None:
    page = text("docs/install.md")
    missing = [e for e in project()["optional-dependencies"] if e != "dev" and f"`{e}`" not in page]
    assert missing == []
