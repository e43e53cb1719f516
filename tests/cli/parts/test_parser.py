"""A wrong option or command is told with the one that was probably meant."""

from __future__ import annotations

import subprocess
import sys

import pytest

from dexman_pose.cli.main import main


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ("run v.mp4 --promts p.json --out o", "no option --promts; did you mean --prompts?"),
        ("run v.mp4 --promts=p.json --out o", "did you mean --prompts?"),
        ("run v.mp4 --prompts p --out o --max-frame-count 3", "did you mean --max-frames?"),
        ("run v.mp4 --prompts p --output o", "did you mean --out?"),
        ("run v.mp4 --prompts p --out o --overwrit --no-overlays", "did you mean --no-overlay?"),
        ("run v.mp4 -mesh cup=cup.obj --prompts p --out o", "did you mean --mesh?"),
        ("run v.mp4 --prompts p --out o --zzz", "there is no option --zzz (try"),
        ("run v.mp4 --prompts p --out o --mesh-unit millimetre", "invalid choice: 'millimetre'"),
        ("view out --frames 3", "did you mean --frame?"),
        ("eval score --protocl taco", "did you mean --protocol?"),
        ("models ftech x", "did you mean fetch?"),
        ("rnu v.mp4", "did you mean run?"),
    ],
)
def test_the_nearest_right_word_is_named(
    arguments: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments.split()) == 2
    captured = capsys.readouterr()
    assert said in captured.err
    assert captured.err.count("\n") == 1 and captured.out == ""
    command = " ".join(arguments.split()[: 2 if arguments.startswith(("eval", "models")) else 1])
    helped = "dexman-pose" if command in ("rnu", "models ftech") else f"dexman-pose {command}"
    assert f"(try {helped}" in captured.err and "--help)" in captured.err


def test_values_that_look_like_numbers_are_no_options(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["view", "no-such-run", "--frame", "-1"]) == 2
    assert "no-such-run" in capsys.readouterr().err


def test_what_the_command_line_imports_first_is_light() -> None:
    """A stop with Ctrl-C in the first moments finds the program's own handler, not a traceback of an import."""
    code = (
        "import sys, dexman_pose.cli.main\n"
        "sys.exit(str({'numpy', 'torch', 'cv2', 'tqdm', 'scipy'} & set(sys.modules) or ''))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stderr.strip() == ""


def test_a_stop_while_commands_are_read_is_a_stop(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def stopped() -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("dexman_pose.cli.main.build_parser", stopped)
    assert main(["doctor"]) == 130
    assert "stopped" in capsys.readouterr().err
