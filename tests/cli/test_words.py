"""Objects by words on the command line."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from dexman_pose.cli.main import main
from dexman_pose.cli.parts.words import words_of
from dexman_pose.errors import InputError


def test_words_and_their_frame() -> None:
    assert words_of("ladle, red bowl") == (["ladle", "red bowl"], 0)
    assert words_of(" ladle @12") == (["ladle"], 12)
    for bad in ("", ", ,", "ladle@", "ladle@x", "@3"):
        with pytest.raises(InputError, match="--objects must be words"):
            words_of(bad)


def test_a_run_by_words_names_the_network_that_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for i in range(2):
        Image.new("RGB", (64, 48), (i, 90, 90)).save(tmp_path / f"{i}.png")
    monkeypatch.setenv("DEXMAN_POSE_MODELS", str(tmp_path / "empty"))
    arguments = ["run", str(tmp_path), "--hands", "none", "--out", str(tmp_path / "o"), "--objects", "ladle"]
    assert main(arguments) == 2
    assert "dexman-pose models fetch grounding-dino-tiny" in capsys.readouterr().err
    assert main([*arguments, "--box", "ladle=1,1,9,9"]) == 2
    assert "there is a box for 'ladle' too" in capsys.readouterr().err
