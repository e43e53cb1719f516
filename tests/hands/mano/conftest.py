"""MANO files of our own numbers, written and read once."""

from __future__ import annotations

from pathlib import Path

import pytest

from dexman_pose.hands.mano.file import ManoFile, load_mano_folder
from dexman_pose.synthetic.tiny_datasets.mano import write_small_mano


@pytest.fixture(scope="session")
def mano_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("mano")
    write_small_mano(folder)
    return folder


@pytest.fixture(scope="session")
def mano_files(mano_folder: Path) -> dict[str, ManoFile]:
    return load_mano_folder(mano_folder)
