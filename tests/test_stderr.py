"""Native notes are dropped; what comes before, after, or as an exception is not."""

from __future__ import annotations

import os

import pytest

from dexman_pose._stderr import silent_stderr


def test_only_what_is_written_inside_is_dropped(capfd: pytest.CaptureFixture[str]) -> None:
    os.write(2, b"before ")
    with silent_stderr():
        os.write(2, b"inside ")
    os.write(2, b"after")
    assert capfd.readouterr().err == "before after"


def test_exceptions_pass_and_standard_error_is_back(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ValueError, match="mine"), silent_stderr():
        raise ValueError("mine")
    os.write(2, b"back")
    assert capfd.readouterr().err == "back"
