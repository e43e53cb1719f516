"""``dexman-pose batch`` from its arguments on."""

from __future__ import annotations

from pathlib import Path

import pytest

from dexman_pose.cli.main import main


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--options=--meshes"], "there is no option --meshes"),
        (["--options=--out=x"], "must not hold --out"),
        (["--options='--no-overlay"], "cannot be taken apart"),
        (["--seconds", "0"], "must be positive"),
        (["--prompts", "none.json"], "none.json"),
    ],
)
def test_what_is_wrong_is_told_before_the_first_clip(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], said: str
) -> None:
    clip = tmp_path / "a.mp4"
    clip.touch()
    assert main(["batch", str(clip), "--out", str(tmp_path / "out"), *arguments]) == 2
    assert said in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_clip_that_is_none_is_told_in_the_table(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    clip = tmp_path / "a.mp4"
    clip.write_bytes(b"no video")
    options = "--options=--hands none --box cup=1,2,30,40"
    assert main(["batch", str(clip), "--out", str(tmp_path / "out"), options]) == 1
    assert "a: refused" in capsys.readouterr().out
    assert "a.mp4" in (tmp_path / "out" / "summary.csv").read_text(encoding="utf-8")
