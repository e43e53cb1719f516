"""What is said where a package or weights are missing or broken: always the next command."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from dexman_pose import _optional
from dexman_pose.backends import DEPTH, SEGMENTATION
from dexman_pose.cli.main import main
from dexman_pose.errors import InputError, MissingExtraError, MissingModelError
from dexman_pose.networks import hub
from dexman_pose.networks.device import device_named
from dexman_pose.pipeline.backends import check_needs
from dexman_pose.segmentation.sam import library

NAMES = [(SEGMENTATION, "sam"), (SEGMENTATION, "sam2"), (SEGMENTATION, "edgetam")]
NAMES += [(DEPTH, "depth_anything"), (DEPTH, "depth_pro")]


@pytest.mark.parametrize(("stage", "name"), NAMES)
def test_a_missing_package_names_the_extra(stage: object, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_optional, "installed", lambda module: False)
    extra = "sam" if name == "sam" else "networks"
    with pytest.raises(MissingExtraError, match=rf"'{name}' needs.*pip install 'dexman-pose\[{extra}\]'"):
        check_needs(stage, name)  # type: ignore[arg-type]


@pytest.mark.parametrize(("stage", "name"), NAMES)
def test_missing_weights_name_the_fetch(
    stage: object, name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(_optional, "find_spec", lambda module: object())
    monkeypatch.setenv("DEXMAN_POSE_MODELS", str(tmp_path))
    with pytest.raises(MissingModelError, match="dexman-pose models fetch ") as caught:
        check_needs(stage, name)  # type: ignore[arg-type]
    assert ("--accept-licence" in str(caught.value)) == (name == "depth_pro")


def test_doctor_tells_each_backend_its_next_command(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from dexman_pose.cli import doctor

    monkeypatch.setattr(_optional, "find_spec", lambda module: object())
    monkeypatch.setenv("DEXMAN_POSE_MODELS", str(tmp_path))
    doctor._models()
    commands = doctor._backends()
    out = capsys.readouterr().out
    for name, command in (
        ("sam", "fetch sam-vit-b"),
        ("sam2", "fetch sam2.1-tiny"),
        ("depth_pro", "fetch depth-pro"),
    ):
        line = next(line for line in out.splitlines() if f" {name} " in line and "does not work" in line)
        assert command in line
    assert "CC-BY-NC-ND-4.0; needs MANO, gated, non-commercial" in out
    assert all("mediapipe-hands" in c for c in commands), (
        "only the defaults' commands are asked for at the end"
    )


def test_the_libraries_themselves_say_it_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub, "find_spec", lambda module: None)
    with pytest.raises(MissingExtraError, match=r"the test needs.*dexman-pose\[networks\]"):
        hub.transformers_class("Sam2VideoModel", "the test")
    monkeypatch.setattr(library, "find_spec", lambda module: None)
    monkeypatch.delitem(sys.modules, "segment_anything", raising=False)
    with pytest.raises(MissingExtraError, match=r"the test needs.*dexman-pose\[sam\]"):
        library.segment_anything("the test")


BROKEN = "raise RuntimeError('operator torchvision::nms does not exist')"
ASKED = """
import sys
from dexman_pose.errors import InputError
from dexman_pose.networks.hub import transformers_class
from dexman_pose.segmentation.sam.library import segment_anything
print(segment_anything("a test").__name__, "torchvision" in sys.modules)
try:
    print(transformers_class("Sam2VideoModel", "a test").__name__)
except InputError as error:
    print(error)
"""


@pytest.fixture
def broken(tmp_path: Path) -> Path:
    """A folder with a torchvision that cannot be imported, as one is beside another torch."""
    package = tmp_path / "torchvision"
    package.mkdir()
    (package / "__init__.py").write_text(BROKEN)
    about = tmp_path / "torchvision-0.28.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: torchvision\nVersion: 0.28.0\n")
    return tmp_path


def test_segment_anything_works_beside_a_torchvision_that_does_not(
    broken: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if library.find_spec("segment_anything") is None:
        pytest.skip("the extra sam")
    before = {
        n: m for n, m in sys.modules.items() if n.partition(".")[0] in {"segment_anything", "torchvision"}
    }
    for name in before:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.syspath_prepend(str(broken))
    try:
        made = library.segment_anything("the test")
        assert made.SamPredictor.__module__ == "segment_anything.predictor"
        assert not any(name.partition(".")[0] == "torchvision" for name in sys.modules)
        with pytest.raises(RuntimeError, match="nms"):
            __import__("torchvision")
    finally:
        for name in [n for n in sys.modules if n.partition(".")[0] in {"segment_anything", "torchvision"}]:
            del sys.modules[name]
        sys.modules.update(before)


def test_transformers_broken_by_it_says_what_to_remove(broken: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(broken))
    error = RuntimeError("operator torchvision::nms does not exist")
    assert str(hub._unusable("Sam2VideoModel", "the test", error)).endswith("pip uninstall -y torchvision")
    lacking = ImportError("no timm")
    lacking.__cause__ = ModuleNotFoundError("No module named 'timm'", name="timm")
    assert str(hub._unusable("EdgeTamModel", "the test", lacking)).endswith("pip install timm")
    old = AttributeError("module transformers has no attribute Sam9Model")
    assert "newer one with: pip install" in str(hub._unusable("Sam9Model", "the test", old))


@pytest.mark.slow
def test_a_torchvision_that_does_not_fit_in_a_fresh_process(broken: Path) -> None:
    """Segment Anything works all the same; transformers does, or says that torchvision has to go."""
    pytest.importorskip("transformers", reason="the extra networks")
    if library.find_spec("segment_anything") is None:
        pytest.skip("the extra sam")
    tmp_path = broken
    root = Path(__file__).resolve().parents[2]
    paths = {"PYTHONPATH": f"{tmp_path}:{root}", "PATH": "/usr/bin:/bin", "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, "-c", ASKED], capture_output=True, text=True, env=paths, check=False
    )
    lines = done.stdout.splitlines()
    assert lines[0] == "segment_anything False", done.stderr
    print(lines)
    assert lines[1] == "Sam2VideoModel" or lines[1].endswith("pip uninstall -y torchvision"), lines


def test_a_device_that_is_not_there() -> None:
    assert device_named("cpu") == "cpu"
    assert device_named() in {"cpu", "cuda"}
    with pytest.raises(InputError, match=r"the device 'nonsense' cannot be used.*cpu, cuda or auto"):
        device_named("nonsense")


def test_run_says_it_before_anything_is_computed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from PIL import Image

    for i in range(2):
        Image.new("RGB", (64, 48), (i, 90, 90)).save(tmp_path / f"{i}.png")
    monkeypatch.setattr(_optional, "find_spec", lambda module: object())
    monkeypatch.setenv("DEXMAN_POSE_MODELS", str(tmp_path / "empty"))
    arguments = [
        "run",
        str(tmp_path),
        "--box",
        "cup=10,10,40,40",
        "--hands",
        "none",
        "--out",
        str(tmp_path / "o"),
    ]
    assert main([*arguments, "--segmentation", "sam2"]) == 2
    assert "dexman-pose models fetch sam2.1-tiny" in capsys.readouterr().err
    assert main([*arguments, "--segmentation", "sam3"]) == 2
    assert "no segmentation backend is named 'sam3'" in capsys.readouterr().err
    assert not (tmp_path / "o").exists()
