"""``dexman-pose licences``, ``python -m dexman_pose``, and what the repository says of itself."""

from __future__ import annotations

import email.message
import subprocess
import sys
from importlib.metadata import Distribution
from pathlib import Path
from typing import Any

import pytest
import yaml

from dexman_pose import __version__
from dexman_pose.cli.licences import _asked, licence_of, needed
from dexman_pose.cli.main import main
from dexman_pose.viewer.bundled import BUNDLED, WEB

ROOT = Path(__file__).parents[2]


def test_the_table_names_itself_what_it_needs_and_what_those_need(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["licences"]) == 0
    lines = {line.split()[0]: line for line in capsys.readouterr().out.splitlines()}
    assert "MIT" in lines["dexman-pose"] and lines["dexman-pose"].endswith("itself")
    assert "BSD" in lines["numpy"] and lines["numpy"].endswith("core")
    assert "sympy" in lines, "needed by torch"
    assert lines["av"].endswith("video")
    assert lines["three"].endswith("within it") and " MIT " in lines["three"]


def test_every_package_is_there_once_and_none_without_a_word() -> None:
    rows = list(needed())
    assert len({row.name for row in rows}) == len(rows) > 20
    assert all(row.licence or row.version == "not installed" for row in rows)


def test_what_lies_within_the_package_is_what_it_says_and_has_its_licence_beside_it() -> None:
    (part,) = BUNDLED
    code, text = (WEB / part.file).read_text(encoding="utf-8"), (WEB / part.text).read_text(encoding="utf-8")
    assert (
        f'const t="{part.version.split(".")[1]}"' in code[:400]
        and f"SPDX-License-Identifier: {part.licence}" in code[:200]
    )
    assert text.startswith("The MIT License") and "three.js authors" in text
    assert f'"dexman_pose/viewer/web/{part.text}"' in (ROOT / "pyproject.toml").read_text(encoding="utf-8")


def test_without_an_installation_it_says_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("dexman_pose.cli.licences._PROJECT", "no-such-distribution")
    assert main(["licences"]) == 2
    assert "without being installed" in capsys.readouterr().err


class _Stated(Distribution):
    def __init__(self, **fields: Any) -> None:
        self._message = email.message.Message()
        for name, values in fields.items():
            for value in values if isinstance(values, list) else [values]:
                self._message[name.replace("_", "-")] = value

    @property
    def metadata(self) -> Any:
        return self._message

    def read_text(self, filename: str) -> None:
        return None

    def locate_file(self, path: Any) -> Path:
        return Path(path)


@pytest.mark.parametrize(
    ("fields", "licence"),
    [
        ({"License_Expression": "BSD-3-Clause", "License": "other"}, "BSD-3-Clause"),
        ({"Classifier": ["License :: OSI Approved :: MIT License", "Typing :: Typed"]}, "MIT License"),
        ({"License": "Apache 2.0"}, "Apache 2.0"),
        (
            {"License": "Copyright (c) somebody, who grants many things in a very long first line of text"},
            "see its own files",
        ),
        ({}, "see its own files"),
    ],
)
def test_what_packages_state(fields: dict[str, Any], licence: str) -> None:
    assert licence_of(_Stated(**fields)) == licence


def test_the_package_runs_as_a_module() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "dexman_pose", "--version"],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
    )
    assert done.stdout.strip() == f"dexman-pose {__version__}"


def test_the_citation_is_of_this_version() -> None:
    cited = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert cited["version"] == __version__ and cited["license"] == "MIT" and cited["cff-version"] == "1.2.0"
    assert {"message", "title", "authors"} <= cited.keys()


def test_extras_of_packages_are_followed() -> None:
    assert _asked("dexman-pose[engine]; extra == 'video'") == [("dexman-pose", ""), ("dexman-pose", "engine")]
    assert _asked("mkdocstrings[python, crystal]>=0.29") == [
        ("mkdocstrings", ""),
        ("mkdocstrings", "python"),
        ("mkdocstrings", "crystal"),
    ]
    assert _asked("Types_PyYAML") == [("types-pyyaml", "")]
