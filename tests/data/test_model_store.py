"""The store of network weights, with a made-up wheel in a local folder: nothing is downloaded."""

from __future__ import annotations

import hashlib
import zipfile
from pathlib import Path

import pytest
import yaml

from dexman_pose.data import model_store
from dexman_pose.errors import InputError, MissingModelError

PARTS = {"toy/one.tflite": b"first network", "toy/two.tflite": b"second network" * 1000}
WHEEL = "toynets-1.2.3-cp312-cp312-manylinux_2_28_x86_64.whl"


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty store, a card, and a pip that knows one folder only."""
    cards, wheels = tmp_path / "cards", tmp_path / "wheels"
    cards.mkdir()
    wheels.mkdir()
    members = [
        {"entry": f"{i}.tflite", "from": name, "bytes": len(b), "sha256": hashlib.sha256(b).hexdigest()}
        for i, (name, b) in enumerate(PARTS.items())
    ]
    pip = ["--platform", "manylinux_2_28_x86_64", "--python-version", "3.12", "--implementation", "cp"]
    source = {
        "kind": "wheel",
        "package": "toynets",
        "version": "1.2.3",
        "pip_arguments": [*pip, "--abi", "cp312"],
    }
    card = {"name": "toy", "file": "toy.task", "licence": "MIT", "source": source, "members": members}
    (cards / "toy.yaml").write_text(yaml.safe_dump(card))
    (cards / "byhand.yaml").write_text(
        yaml.safe_dump(
            {**card, "name": "byhand", "file": "b", "source": {"kind": "page", "home": "their page"}}
        )
    )
    monkeypatch.setattr(model_store, "_card_folder", lambda: cards)
    monkeypatch.setenv("DEXMAN_POSE_MODELS", str(tmp_path / "store"))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(wheels))
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    return wheels


def _make_wheel(folder: Path, parts: dict[str, bytes]) -> None:
    with zipfile.ZipFile(folder / WHEEL, "w") as wheel:
        for name, content in parts.items():
            wheel.writestr(name, content)
        info = "toynets-1.2.3.dist-info"
        wheel.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: toynets\nVersion: 1.2.3\n")
        wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nTag: cp312-cp312-manylinux_2_28_x86_64\n")
        wheel.writestr(f"{info}/RECORD", "")


def test_missing_model_names_the_command(store: Path) -> None:
    with pytest.raises(MissingModelError, match="dexman-pose models fetch toy"):
        model_store.locate("toy")
    assert "fetch toy" in str(model_store.problem("toy"))


def test_unknown_model_lists_the_known(store: Path) -> None:
    with pytest.raises(InputError, match=r"no model is called 'nope'.*byhand, toy"):
        model_store.locate("nope")


def test_fetch_checks_stores_and_repeats_exactly(store: Path) -> None:
    _make_wheel(store, PARTS)
    path = model_store.fetch("toy")
    assert path == model_store.locate("toy") == model_store.folder() / "toy.task"
    assert model_store.problem("toy") is None
    with zipfile.ZipFile(path) as bundle:
        assert [bundle.read(n) for n in bundle.namelist()] == list(PARTS.values())
        assert all(entry.compress_type == zipfile.ZIP_STORED for entry in bundle.infolist())
    first = path.read_bytes()
    path.unlink()
    assert model_store.fetch("toy").read_bytes() == first
    assert [p.name for p in model_store.folder().iterdir()] == ["toy.task"]  # nothing left lying about


def test_what_is_there_is_not_downloaded_again(store: Path) -> None:
    _make_wheel(store, PARTS)
    model_store.fetch("toy")
    (store / WHEEL).unlink()
    assert model_store.fetch("toy").is_file()


def test_a_damaged_file_is_fetched_again(store: Path) -> None:
    _make_wheel(store, PARTS)
    model_store.fetch("toy").write_bytes(b"half")
    assert "does not match" in str(model_store.problem("toy"))
    model_store.fetch("toy")
    assert model_store.problem("toy") is None


def test_wrong_content_is_refused(store: Path) -> None:
    _make_wheel(store, {**PARTS, "toy/two.tflite": b"something else"})
    with pytest.raises(MissingModelError, match=r"1\.tflite has sha256 .* was expected"):
        model_store.fetch("toy")
    assert not model_store.folder().exists() or not list(model_store.folder().iterdir())


def test_a_wheel_without_the_networks(store: Path) -> None:
    _make_wheel(store, {"toy/one.tflite": PARTS["toy/one.tflite"]})
    with pytest.raises(MissingModelError, match="does not hold it"):
        model_store.fetch("toy")


def test_failed_download_is_one_clear_line(store: Path) -> None:
    with pytest.raises(MissingModelError, match=r"pip download toynets==1\.2\.3 failed") as caught:
        model_store.fetch("toy")
    assert "\n" not in str(caught.value)


def test_what_a_program_cannot_fetch(store: Path) -> None:
    with pytest.raises(InputError, match="by hand: see their page"):
        model_store.fetch("byhand")


def test_the_shipped_card() -> None:
    card = model_store.card("mediapipe-hands")
    assert card["licence"] == "Apache-2.0" and card["source"]["version"] == "0.10.21"
    assert [m["entry"] for m in card["members"]] == ["hand_detector.tflite", "hand_landmarks_detector.tflite"]
    assert all(len(m["sha256"]) == 64 for m in card["members"])


@pytest.mark.data
def test_the_card_matches_the_reference_bundle(data_dir: Path) -> None:
    with zipfile.ZipFile(data_dir / "weights" / "hand_landmarker.task") as bundle:
        for member in model_store.card("mediapipe-hands")["members"]:
            content = bundle.read(member["entry"])
            assert hashlib.sha256(content).hexdigest() == member["sha256"]
            assert len(content) == member["bytes"]
