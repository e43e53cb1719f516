"""What ``auto`` means, and for how long."""

from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
import pytest
import torch

from dexman_pose.cli.main import main
from dexman_pose.errors import InputError
from dexman_pose.networks.device import device_named, networks_on

USUAL = "cuda" if torch.cuda.is_available() else "cpu"


def test_a_choice_holds_in_its_block_and_on_all_threads() -> None:
    found: list[str] = []
    with networks_on("meta"):
        worker = threading.Thread(target=lambda: found.append(device_named()))
        worker.start()
        worker.join()
        with networks_on("auto"):
            found.append(device_named())
        with networks_on("cpu"):
            found.append(device_named())
        found.append(device_named("cpu"))
        found.append(device_named("auto"))
    assert found == ["meta", "meta", "cpu", "cpu", "meta"]
    assert device_named() == USUAL


def test_a_choice_ends_where_the_block_fails() -> None:
    with pytest.raises(KeyError), networks_on("meta"):
        raise KeyError
    assert device_named() == USUAL


@pytest.mark.parametrize("name", ["gpu", "cuda:99", "", "hpu", "privateuseone"])
def test_what_torch_cannot_use_is_refused(name: str) -> None:
    with pytest.raises(InputError, match="cannot be used by torch here"), networks_on(name):
        pass


def test_another_thing_than_a_text_is_refused() -> None:
    with pytest.raises(InputError, match="device must be a text"), networks_on(torch.device("cpu")):
        pass


def test_run_refuses_it_before_it_makes_anything(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from PIL import Image

    film = tmp_path / "film"
    film.mkdir()
    for number in range(2):
        Image.fromarray(np.zeros((24, 32, 3), np.uint8)).save(film / f"{number}.png")
    arguments = [
        "run",
        str(film),
        "--box",
        "a=4,4,20,20",
        "--device",
        "cuda:99",
        "--out",
        str(tmp_path / "out"),
    ]
    assert main([*arguments, "--hands", "none"]) == 2
    told = capsys.readouterr().err
    assert "'cuda:99' cannot be used by torch here" in told and "use cpu, cuda or auto" in told
    assert not (tmp_path / "out").exists()
