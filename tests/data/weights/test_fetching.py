"""Networks fetched from a server on this machine, file by file."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest

from dexman_pose.cli.main import main
from dexman_pose.data import model_store
from dexman_pose.errors import InputError, MissingModelError


def test_one_file_is_fetched_checked_and_not_fetched_again(hub: Any, cards: Path, content: bytes) -> None:
    path = model_store.fetch("single")
    assert path == model_store.locate("single") == model_store.folder() / "net.pth"
    assert path.read_bytes() == content
    assert model_store.hashes_known("single") == "the card"
    model_store.fetch("single")
    assert hub.ranges == [None]


def test_what_was_cut_off_goes_on_where_it_stopped(hub: Any, cards: Path, content: bytes) -> None:
    hub.cut_at = 1_000_000
    with pytest.raises(MissingModelError, match=r"1000000 bytes are kept.*dexman-pose models fetch single"):
        model_store.fetch("single")
    assert "not fetched" in str(model_store.problem("single"))
    hub.cut_at = None
    assert model_store.fetch("single").read_bytes() == content
    assert hub.ranges == [None, "bytes=1000000-"]


def test_a_whole_part_that_was_not_renamed_is_taken(hub: Any, cards: Path, content: bytes) -> None:
    model_store.folder().mkdir(parents=True)
    (model_store.folder() / "net.pth.part").write_bytes(content)
    assert model_store.fetch("single").read_bytes() == content


def test_wrong_content_is_not_kept(hub: Any, cards: Path) -> None:
    hub.files["/net.pth"] = b"something else"
    with pytest.raises(MissingModelError, match=r"sha256 .* was expected by its card.*models fetch single"):
        model_store.fetch("single")
    assert not list(model_store.folder().iterdir())


def test_a_hash_that_the_source_announces_is_compared(hub: Any, cards: Path, content: bytes) -> None:
    hub.announced = hashlib.sha256(content).hexdigest()
    hub.files["/who/net/resolve/main/config.json"] = content
    path = model_store.fetch("several")
    assert sorted(p.name for p in path.iterdir() if not p.name.endswith(".checked.json")) == [
        "config.json",
        "model.safetensors",
    ]
    assert model_store.hashes_known("several") == "the source, when it was fetched"
    model_store.remove("several")
    hub.announced = "0" * 64
    with pytest.raises(MissingModelError, match="was expected by its source"):
        model_store.fetch("several")


def test_without_any_hash_it_says_so_and_later_changes_are_seen(hub: Any, cards: Path) -> None:
    path = model_store.fetch("several")
    assert model_store.hashes_known("several") == "nobody: no hash known"
    assert model_store.problem("several") is None
    (path / "model.safetensors").write_bytes(b"changed")
    assert "was fetched with" in str(model_store.problem("several"))
    with pytest.raises(MissingModelError, match="dexman-pose models fetch several"):
        model_store.locate("several")


def test_a_token_opens_the_hub_and_does_not_reach_its_store(
    hub: Any, cards: Path, content: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub.token = "secret"
    with pytest.raises(
        MissingModelError, match=r"accept its licence at their page.*HF_TOKEN=.*models fetch several"
    ):
        model_store.fetch("several")
    monkeypatch.setenv("HF_TOKEN", "secret")
    hub.files["/who/net/resolve/main/config.json"] = content
    hub.announced = hashlib.sha256(content).hexdigest()
    model_store.fetch("several")
    assert hub.tokens_at_store == [None, None]


def test_a_licence_that_asks_is_shown_first(
    hub: Any, cards: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["models", "fetch", "asking"]) == 2
    shown = capsys.readouterr().err
    assert "CC-BY-NC-4.0, gated, non-commercial" in shown and "their page" in shown
    assert "dexman-pose models fetch asking --accept-licence" in shown
    assert hub.ranges == []
    assert main(["models", "fetch", "asking", "--accept-licence"]) == 0


def test_a_folder_of_this_machine_in_place_of_the_network(
    hub: Any, cards: Path, content: bytes, tmp_path: Path
) -> None:
    brought = tmp_path / "brought"
    brought.mkdir()
    (brought / "config.json").write_bytes(b"{}")
    with pytest.raises(MissingModelError, match=r"needed as model\.safetensors"):
        model_store.fetch("several", source=brought)
    (brought / "model.safetensors").write_bytes(content)
    model_store.fetch("several", source=brought)
    assert model_store.locate("several").is_dir()
    wrong = tmp_path / "net.pth"
    wrong.write_bytes(b"no")
    with pytest.raises(MissingModelError, match="was expected by its card"):
        model_store.fetch("single", source=wrong)
    assert hub.ranges == []


def test_what_a_program_cannot_fetch_and_what_the_source_has_not(hub: Any, cards: Path) -> None:
    with pytest.raises(InputError, match="by hand: see their page"):
        model_store.fetch("byhand")
    with pytest.raises(MissingModelError, match="by hand: see their page"):
        model_store.locate("byhand")
    del hub.files["/net.pth"]
    with pytest.raises(MissingModelError, match=r"404.*--from FOLDER"):
        model_store.fetch("single")


def test_verify_and_remove(hub: Any, cards: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models", "verify"]) == 0
    assert "no model is in" in capsys.readouterr().out
    path = model_store.fetch("single")
    assert main(["models", "verify"]) == 0
    assert capsys.readouterr().out.strip() == "single: as expected by the card"
    stamp = path.stat()
    path.write_bytes(b"x" + path.read_bytes()[1:])
    import os

    os.utime(path, ns=(stamp.st_atime_ns, stamp.st_mtime_ns))  # a change that only reading can find
    assert main(["models", "verify", "single"]) == 1
    assert "dexman-pose models remove single" in capsys.readouterr().out
    assert main(["models", "remove", "single"]) == 0
    assert not list(model_store.folder().iterdir())
    assert main(["models", "remove", "single"]) == 0
    assert "was not here" in capsys.readouterr().out.splitlines()[-1]


def test_weights_by_name_or_by_path(hub: Any, cards: Path, tmp_path: Path) -> None:
    assert model_store.find_weights(tmp_path) == tmp_path
    with pytest.raises(MissingModelError, match="dexman-pose models fetch single"):
        model_store.find_weights("single")
    with pytest.raises(MissingModelError, match="dexman-pose models list"):
        model_store.find_weights("nothing/like/this")
