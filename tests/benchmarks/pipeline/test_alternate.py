"""The comparison of two checkouts: the order of runs, the least of their numbers, ratios, differences of results."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from dexman_pose.benchmarks.pipeline import alternate
from dexman_pose.benchmarks.pipeline.alternate import WARM_UP, Comparison, compare
from dexman_pose.benchmarks.pipeline.difference import difference
from dexman_pose.benchmarks.pipeline.process import Cost, Job, Run
from dexman_pose.benchmarks.pipeline.report import as_json, lines
from dexman_pose.cli.main import main
from dexman_pose.geometry import se3, so3_exp

OWN, OTHER = Path("own"), Path("other")
JOB = Job(Path("v.mp4"), Path("p.json"))


def run(costs: dict[str, tuple[float, float, float]], shift: float = 0.0, turn: float = 0.0) -> Run:
    poses = np.stack([se3(so3_exp([0.0, 0.0, turn * i]), [shift * i, 0.0, 0.5]) for i in range(4)])
    valid = np.array([True, True, True, False])
    masks = np.packbits(np.eye(4, 16, dtype=bool) | (shift > 0), axis=1)
    return Run({n: Cost(n, *c) for n, c in costs.items()}, {"cup": poses}, {"cup": valid}, {"cup": masks})


class Machine:
    """Stands for the processes: the n-th counted run of a checkout takes what is written here."""

    def __init__(self) -> None:
        self.asked: list[tuple[Path, int | None, Path]] = []

    def __call__(self, checkout: Path, job: Job, folder: Path) -> Run:
        self.asked.append((checkout, job.max_frames, folder))
        n = sum(1 for where, _, at in self.asked if where == checkout and not at.name.startswith("before"))
        if folder.name.startswith("before"):
            return run({"masks": (0.001, 0.001, 1.0), "whole run": (0.001, 0.001, 1.0)})
        slow = {1: 5.0, 2: 1.0, 3: 2.0}[n]
        if checkout == OWN:
            return run(
                {"masks": (slow, 2.0, 100.0 + n), "new": (1.0, 1.0, 1.0), "whole run": (slow, 4.0, 9.0)}
            )
        return run(
            {"masks": (3 * slow, 6.0, 250.0), "gone": (2.0, 2.0, 2.0), "whole run": (3 * slow, 8.0, 9.0)},
            shift=0.002,
            turn=np.radians(1.0),
        )


def test_runs_alternate_and_the_first_ones_do_not_count() -> None:
    machine = Machine()
    found = compare(OWN, OTHER, JOB, Path("x"), rounds=3, runner=machine)
    assert [where for where, _, _ in machine.asked] == [OWN, OTHER, OWN, OTHER, OTHER, OWN, OWN, OTHER]
    assert [frames for _, frames, _ in machine.asked] == [WARM_UP] * 2 + [None] * 6
    assert len({folder for _, _, folder in machine.asked}) == 8
    masks, new, gone, whole = found.stages
    assert [pair.name for pair in found.stages] == ["masks", "new", "gone", "whole run"]
    assert masks.own == Cost("masks", 1.0, 2.0, 101.0) and masks.other == Cost("masks", 3.0, 6.0, 250.0)
    assert masks.ratio("wall") == 3.0 and masks.ratio("processor") == 3.0 and whole.ratio("processor") == 2.0
    assert new.other is None and gone.own is None and new.ratio("wall") is None and gone.ratio("wall") is None


def test_a_short_clip_is_not_made_longer_by_the_first_runs() -> None:
    machine = Machine()
    compare(OWN, OTHER, Job(JOB.video, JOB.prompts, max_frames=3), Path("x"), rounds=1, runner=machine)
    assert [frames for _, frames, _ in machine.asked] == [3] * 4


def test_results_are_compared_where_both_are_valid() -> None:
    one, two = run({}), run({}, shift=0.002, turn=np.radians(1.0))
    two.valid["cup"][0] = False
    found = difference(one, two)["cup"]
    assert (found.frames, found.own_valid, found.other_valid) == (2, 3, 2)
    assert found.mm == pytest.approx((3.0, 4.0)) and found.deg == pytest.approx((1.5, 2.0))
    assert found.iou == pytest.approx((1 / 16, 1 / 16))
    assert difference(one, one)["cup"].mm == (0.0, 0.0) and difference(one, one)["cup"].iou == (1.0, 1.0)
    two.valid["cup"][:] = False
    two.masks.clear()
    nothing = difference(one, two)["cup"]
    assert nothing.frames == 0 and all(np.isnan([*nothing.mm, *nothing.deg, *nothing.iou]))


def test_the_table_and_the_json_hold_the_numbers() -> None:
    found = compare(OWN, OTHER, JOB, Path("x"), rounds=2, runner=Machine())
    text = list(lines(found))
    row = next(line for line in text if line.startswith("masks")).split()
    assert row[1:] == ["3.00", "1.00", "3.00", "6.00", "2.00", "3.00", "250.00", "101.00", "2.48"]
    assert next(line for line in text if line.startswith("new")).split()[1:4] == ["-", "1.00", "-"]
    assert "2.00 mm and 1.00 deg in the median, 4.00 mm" in text[-1]
    held = json.loads(json.dumps(as_json(found)))
    assert held["stages"][0]["ratio"]["processor"] == 3.0 and held["stages"][1]["other"] is None
    assert held["objects"]["cup"]["mm"] == pytest.approx([2.0, 4.0])


def test_the_command_asks_for_what_it_needs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    there = tmp_path / "dexman_pose/__init__.py"
    there.parent.mkdir()
    there.touch()
    against = ["bench", "pipeline", "--against", str(tmp_path)]
    for more, message in (
        (["--clip", "no.mp4"], "--prompts"),
        (["--mesh", "cup=cup.obj"], "belongs to a clip"),
    ):
        assert main([*against, *more]) == 2
        assert message in capsys.readouterr().err
    assert main(["bench", "pipeline", "--against", str(tmp_path / "nowhere")]) == 2
    assert "not a checkout" in capsys.readouterr().err


def test_the_command_prints_and_writes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    there = tmp_path / "dexman_pose/__init__.py"
    there.parent.mkdir()
    there.touch()
    prompts, clip, mesh = tmp_path / "p.json", tmp_path / "v.mp4", tmp_path / "cup.obj"
    prompts.write_text(json.dumps({"frame": 0, "objects": {"cup": [0, 0, 9, 9]}}))
    clip.touch()
    mesh.touch()
    asked: list[Job] = []

    def compared(own: Path, other: Path, job: Job, folder: Path, **options: object) -> Comparison:
        asked.append(job)
        assert (own / "dexman_pose").is_dir() and other == tmp_path.resolve() and options["rounds"] == 2
        return compare(OWN, OTHER, JOB, folder, rounds=2, runner=Machine())

    monkeypatch.setattr(alternate, "compare", compared)
    file = tmp_path / "out.json"
    options = ["--prompts", str(prompts), "--mesh", f"cup={mesh}", "--hands", "none", "--frames", "7"]
    command = ["bench", "pipeline", "--against", str(tmp_path), "--clip", str(clip), "--rounds", "2"]
    assert main([*command, *options, "--json", str(file)]) == 0
    assert asked[0].meshes == {"cup": mesh} and asked[0].hands is None and asked[0].max_frames == 7
    assert "masks" in capsys.readouterr().out
    assert json.loads(file.read_text())["stages"][0]["stage"] == "masks"
