"""Exit statuses, help, and what importing costs."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dexman_pose.cli import doctor
from dexman_pose.cli import main as main_module
from dexman_pose.cli.main import COMMANDS, main
from dexman_pose.errors import EstimationError


def answer_with(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    """Make ``doctor`` end in ``error``."""

    def add(subparsers: Any) -> None:
        p: argparse.ArgumentParser = subparsers.add_parser("doctor")
        p.add_argument("--out")
        p.set_defaults(handler=fail)

    def fail(args: argparse.Namespace) -> int:
        raise error

    monkeypatch.setattr(doctor, "add", add)


def test_our_own_failure_is_1_with_a_log(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    answer_with(monkeypatch, ZeroDivisionError("two\nlines"))
    assert main(["doctor", "--out", str(tmp_path)]) == 1
    err = capsys.readouterr().err
    assert (
        err.count("\n") == 1 and "ZeroDivisionError: two lines" in err and str(tmp_path / "error.log") in err
    )
    log = (tmp_path / "error.log").read_text()
    assert "Traceback" in log and "in fail" in log and '"numpy"' in log


def test_the_log_finds_a_place_when_the_run_folder_is_none(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("x")
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    answer_with(monkeypatch, RuntimeError("broken"))
    assert main(["doctor", "--out", str(tmp_path / "file" / "o")]) == 1
    assert len(list(tmp_path.glob("dexman-pose-*.log"))) == 1
    assert "broken" in capsys.readouterr().err


def test_nothing_to_estimate_is_1_and_speaks_plainly(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    answer_with(monkeypatch, EstimationError("no hand was ever seen"))
    assert main(["doctor", "--out", str(tmp_path)]) == 1
    assert capsys.readouterr().err.startswith("dexman-pose: no hand was ever seen")


def test_ctrl_c_is_130_and_says_that_the_run_goes_on(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    answer_with(monkeypatch, KeyboardInterrupt())
    assert main(["doctor"]) == 130
    err = capsys.readouterr().err
    assert err.count("\n") == 1 and "goes on where" in err


@pytest.mark.parametrize("command", [[], *[[name] for name in COMMANDS], ["models", "fetch"]])
def test_help(command: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*command, "--help"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("usage: dexman-pose")


def test_every_command_is_in_the_help(capsys: pytest.CaptureFixture[str]) -> None:
    main(["--help"])
    out = capsys.readouterr().out
    assert all(f"    {name} " in out for name in COMMANDS)


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out.startswith("dexman-pose 0.")


def test_doctor_is_0_and_names_what_is_missing(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("DEXMAN_POSE_MODELS", str(tmp_path))
    assert main(["doctor"]) == 0
    out = capsys.readouterr().out
    assert "numpy" in out and "cpu" in out
    assert "dexman-pose models fetch mediapipe-hands" in out


def test_doctor_tells_programs_the_same(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("DEXMAN_POSE_MODELS", str(tmp_path))
    assert main(["doctor", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["packages"]["numpy"] == np.__version__ and told["models"]["mediapipe-hands"] is False
    assert told["backends"]["segmentation"]["grabcut"] is None
    assert "models fetch mediapipe-hands" in told["backends"]["hands"]["mediapipe"]


def test_models(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DEXMAN_POSE_MODELS", str(tmp_path))
    assert main(["models", "list"]) == 0
    assert "Apache-2.0" in capsys.readouterr().out
    assert main(["models", "where"]) == 0
    assert capsys.readouterr().out.strip() == str(tmp_path)
    assert main(["models", "where", "mediapipe-hands"]) == 2
    assert main(["models", "fetch", "no-such-model"]) == 2


def test_the_module_is_a_program() -> None:
    done = subprocess.run(
        [sys.executable, "-m", main_module.__name__, "--version"], capture_output=True, text=True, check=True
    )
    assert done.stdout.startswith("dexman-pose 0.") and done.stderr == ""


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys\n"
        "from dexman_pose.cli.main import main\n"
        "main(['run', '--help'])\n"
        "heavy = {'torch', 'warp', 'cv2', 'trimesh', 'matplotlib', 'av'} & set(sys.modules)\n"
        "sys.exit(f'imported: {heavy}' if heavy else 0)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
