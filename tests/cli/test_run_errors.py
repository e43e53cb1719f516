"""Bad input on the command line: status 2, one clear line on standard error, before any long work."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from dexman_pose.cli.main import main
from dexman_pose.cli.run import scaled_meshes
from dexman_pose.data import ObjectPrompt

OBJ = "v 0 0 0\nv 0.1 0 0\nv 0 0.1 0\nv 0 0 0.1\nf 1 3 2\nf 1 2 4\nf 1 4 3\nf 2 3 4\n"


@pytest.fixture(scope="session")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twelve frames of 64x48 in which a bright square moves."""
    av = pytest.importorskip("av")
    path = tmp_path_factory.mktemp("clip") / "tiny.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=30)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for i in range(12):
            picture = np.full((48, 64, 3), 60, np.uint8)
            picture[10:30, 10 + i : 30 + i] = 220
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode())
    return path


@pytest.fixture
def prompts(tmp_path: Path) -> Path:
    path = tmp_path / "prompts.json"
    path.write_text(json.dumps({"frame": 0, "objects": {"box": [8, 8, 32, 32]}}))
    return path


Refused = Callable[..., str]


@pytest.fixture
def refused(capsys: pytest.CaptureFixture[str]) -> Refused:
    """Run a command that must be refused; gives its one line on standard error."""

    def run(*arguments: object) -> str:
        status = main([str(a) for a in arguments])
        err = capsys.readouterr().err
        assert status == 2
        assert err.count("\n") == 1 and err.startswith("dexman-pose"), err
        assert "Traceback" not in err
        return err

    return run


def test_no_such_video(refused: Refused, prompts: Path, tmp_path: Path) -> None:
    line = refused("run", "none.mp4", "--prompts", prompts, "--hands", "none", "--out", tmp_path / "o")
    assert "none.mp4" in line
    assert not (tmp_path / "o").exists()


def test_a_video_that_was_cut_off(refused: Refused, video: Path, prompts: Path, tmp_path: Path) -> None:
    cut = tmp_path / "cut.mp4"
    cut.write_bytes(video.read_bytes()[:700])
    assert "cut.mp4" in refused("run", cut, "--prompts", prompts, "--hands", "none", "--out", tmp_path / "o")


def test_malformed_prompts(refused: Refused, video: Path, tmp_path: Path) -> None:
    (tmp_path / "p.json").write_text('{"objects": {"box": [1, 2, 3')
    assert "not valid JSON" in refused(
        "run", video, "--prompts", tmp_path / "p.json", "--out", tmp_path / "o"
    )


def test_a_box_outside_the_image(refused: Refused, video: Path, tmp_path: Path) -> None:
    (tmp_path / "p.json").write_text('{"objects": {"box": [100, 100, 120, 120]}}')
    line = refused("run", video, "--prompts", tmp_path / "p.json", "--hands", "none", "--out", tmp_path / "o")
    assert "outside the 64x48 image" in line


def test_a_missing_mesh(refused: Refused, video: Path, prompts: Path, tmp_path: Path) -> None:
    line = refused(
        "run",
        video,
        "--prompts",
        prompts,
        "--mesh",
        "box=none.obj",
        "--hands",
        "none",
        "--out",
        tmp_path / "o",
    )
    assert "none.obj" in line and "'box'" in line


def test_a_mesh_with_nan(refused: Refused, video: Path, prompts: Path, tmp_path: Path) -> None:
    (tmp_path / "m.obj").write_text(OBJ.replace("v 0.1 0 0", "v nan 0 0"))
    mesh = f"box={tmp_path / 'm.obj'}"
    line = refused(
        "run", video, "--prompts", prompts, "--mesh", mesh, "--hands", "none", "--out", tmp_path / "o"
    )
    assert "m.obj" in line


@pytest.mark.parametrize("unit", ["mm", "cm"])
def test_a_unit_that_makes_no_handled_object(
    refused: Refused, video: Path, prompts: Path, tmp_path: Path, unit: str
) -> None:
    (tmp_path / "m.obj").write_text(OBJ)
    mesh = ["--mesh", f"box={tmp_path / 'm.obj'}", "--mesh-unit", unit]
    line = refused("run", video, "--prompts", prompts, *mesh, "--hands", "none", "--out", tmp_path / "o")
    assert f"in the unit {unit}" in line and "too small" in line and "m (100 mm)" in line
    assert not (tmp_path / "o").exists()


def test_an_output_folder_below_a_file(refused: Refused, video: Path, prompts: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    line = refused("run", video, "--prompts", prompts, "--hands", "none", "--out", tmp_path / "file" / "o")
    assert "cannot write" in line


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--mesh", "cup=x.obj"], "no object is named 'cup'"),
        (["--mesh", "x.obj"], "NAME=PATH"),
        (["--K", "1,2,3"], "fx,fy,cx,cy"),
        (["--camera", "none.json"], "none.json"),
        (["--depth", "none"], "none"),
        (["--hands", "psychic"], "psychic"),
        (["--max-frames", "0"], "whole number from 1"),
        (["--mesh-unit", "inch"], "inch"),
        (["--K", "500", "--camera", "x.json"], "not allowed with"),
    ],
)
def test_options_that_do_not_fit(
    refused: Refused, video: Path, prompts: Path, tmp_path: Path, options: list[str], message: str
) -> None:
    hands = [] if "--hands" in options else ["--hands", "none"]
    line = refused("run", video, "--prompts", prompts, "--out", tmp_path / "o", *hands, *options)
    assert message in line


def test_missing_weights_name_the_command_that_gets_them(
    refused: Refused, video: Path, prompts: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("ai_edge_litert")
    monkeypatch.setenv("DEXMAN_POSE_MODELS", str(tmp_path / "empty"))
    line = refused("run", video, "--prompts", prompts, "--out", tmp_path / "o")
    assert "dexman-pose models fetch mediapipe-hands" in line


@pytest.mark.parametrize("arguments", [[], ["fly"], ["run"], ["view"], ["models", "fetch"]])
def test_wrong_usage(refused: Refused, arguments: list[str]) -> None:
    assert "--help" in refused(*arguments)


def test_view_of_nothing(refused: Refused, tmp_path: Path) -> None:
    assert str(tmp_path) in refused("view", tmp_path)


def test_the_process_says_one_line_and_exits_with_2(video: Path, tmp_path: Path) -> None:
    (tmp_path / "p.json").write_text("nonsense")
    done = subprocess.run(
        [sys.executable, "-m", "dexman_pose.cli.main", "run", video, "--prompts", "p.json", "--out", "o"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1 and "p.json" in done.stderr
    assert not (tmp_path / "o").exists()


def test_a_scale_of_no_mesh(refused: Refused, video: Path, prompts: Path, tmp_path: Path) -> None:
    mesh = tmp_path / "box.obj"
    mesh.write_text(OBJ)
    common = ("run", video, "--prompts", prompts, "--out", tmp_path / "run")
    assert "there is no mesh" in refused(*common, "--mesh-scale", "unknown")
    given = (*common, "--mesh", f"box={mesh}")
    assert "no object is named 'cup'" in refused(*given, "--mesh-scale", "cup=unknown")
    assert "'0.5'" in refused(*given, "--mesh-scale", "0.5")


def test_scales_of_meshes_by_name_and_of_all() -> None:
    prompts = {n: ObjectPrompt(box=(0, 0, 9, 9), mesh=f"{n}.obj") for n in ("cup", "lid")}
    prompts["pan"] = ObjectPrompt(box=(0, 0, 9, 9))
    both = scaled_meshes(prompts, ["unknown"])
    assert [both[n].mesh_scale for n in ("cup", "lid", "pan")] == ["unknown", "unknown", "known"]
    one = scaled_meshes(prompts, ["unknown", "lid=known"])
    assert [one[n].mesh_scale for n in ("cup", "lid", "pan")] == ["unknown", "known", "known"]
    assert prompts["cup"].mesh_scale == "known"
