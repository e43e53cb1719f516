"""From a wheel, outside the checkout: install, demo, a clip of their own, 3D view, export to MuJoCo, a notebook.

The environment is made anew, which takes a network and 2 GB; ``DEXMAN_WALK_ENV`` names one to be used as it is instead.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.slow
ROOT = Path(__file__).resolve().parents[2]
EXTRAS = "video,prompt,view3d,robot"
FRAMES = 60
PORT = 8798
PATIENCE_MS = 1_800_000
"""A run on a machine that others use, too."""

STEPS = """
import sys, numpy as np, mujoco
model = mujoco.MjModel.from_xml_path(sys.argv[1])
data = mujoco.MjData(model)
mujoco.mj_resetDataKeyframe(model, data, model.nkey // 2)
for _ in range(200):
    mujoco.mj_step(model, data)
assert np.isfinite(data.qpos).all() and np.isfinite(data.xpos).all()
print(model.nkey, "keyframes,", model.nmesh, "meshes")
"""


class Walk:
    """Runs what a newcomer types, in a folder and an environment of its own, and keeps the time of each step."""

    def __init__(self, folder: Path, environment: Path) -> None:
        self.folder, self.bin = folder, environment / "bin"
        self.times: list[tuple[str, float]] = []
        # Nothing of the checkout, of this test's own environment or of pytest reaches it.
        hidden = ("PYTHONPATH", "PYTEST_CURRENT_TEST", "VIRTUAL_ENV", "PYTHONHOME")
        self.variables = {k: v for k, v in os.environ.items() if k not in hidden}

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Time one step."""
        start = time.perf_counter()
        yield
        self.times.append((name, time.perf_counter() - start))
        print(f"{name:<40} {self.times[-1][1]:8.1f} s", flush=True)

    def run(self, program: str, *arguments: str, **more: str) -> str:
        """Run a program of the environment; its output."""
        done = subprocess.run(
            [str(self.bin / program), *arguments],
            cwd=self.folder,
            env=self.variables | more,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, (
            f"{program} {' '.join(arguments)}\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}"
        )
        return done.stdout


def environment(folder: Path) -> Path:
    """An environment with the wheel of this checkout and the extras."""
    named = os.environ.get("DEXMAN_WALK_ENV")
    if named:
        return Path(named)
    made, wheels = folder / "environment", folder / "wheels"
    source = shutil.copytree(
        ROOT, folder / "source", ignore=shutil.ignore_patterns(".git", ".venv", "out", "build", ".*_cache")
    )
    quiet = ["--quiet", "--disable-pip-version-check"]
    subprocess.run([sys.executable, "-m", "venv", str(made)], check=True)
    pip = [str(made / "bin/python"), "-m", "pip"]
    subprocess.run([*pip, "wheel", *quiet, "--no-deps", "-w", str(wheels), str(source)], check=True)
    (wheel,) = wheels.glob("dexman_pose-*.whl")
    constraints = ["-c", str(ROOT / "constraints.txt")]
    subprocess.run([*pip, "install", *quiet, *constraints, f"{wheel}[{EXTRAS}]"], check=True)
    return made


def test_the_walk(tmp_path: Path) -> None:
    playwright = pytest.importorskip("playwright.sync_api", reason="needs: pip install playwright")
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        pytest.skip("needs Chromium")
    folder = tmp_path / "newcomer"
    folder.mkdir()
    started = time.perf_counter()
    walk = Walk(folder, environment(tmp_path))
    walk.times.append(("install", time.perf_counter() - started))

    with walk.step("where it comes from"):
        place = walk.run("python", "-c", "import dexman_pose; print(dexman_pose.__file__)")
        assert Path(place.strip()).is_relative_to(walk.bin.parent.resolve()) or str(walk.bin.parent) in place
        assert walk.run("python", "-m", "dexman_pose", "--version").startswith("dexman-pose 0.")
    with walk.step("doctor"):
        told = walk.run("dexman-pose", "doctor")
        if "mediapipe        works here" not in told:
            assert "dexman-pose models fetch mediapipe-hands" in told
            pytest.skip(
                "the hand detector's weights are not on this machine: dexman-pose models fetch mediapipe-hands"
            )
    with walk.step("demo"):
        walk.run("dexman-pose", "demo", "--quiet", "--frames", str(FRAMES), "--out", "out/demo")
        errors = json.loads((folder / "out/demo/errors.json").read_text())["errors"]
        assert errors["translation_mm_median"] < 3.0 and errors["rotation_deg_median"] < 3.0
        assert errors["object_valid_share"] > 0.9
    with walk.step("a clip of their own by the page"):
        shutil.copy(folder / "out/demo/clip/video.mp4", folder / "my_clip.mp4")
        (box,) = json.loads((folder / "out/demo/clip/prompts.json").read_text())["objects"].values()
        with playwright.sync_playwright() as browsers:
            browser = browsers.chromium.launch(
                executable_path=chromium,
                args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
            )
            _point_and_run(walk, browser, box["box"] if isinstance(box, dict) else box)
            browser.close()
        summary = json.loads(walk.run("dexman-pose", "view", "out/my_clip", "--json"))
        assert summary["frames"] == FRAMES and summary["objects"]["tin"]["valid"] > 0.5
        for name in ("trajectory.npz", "overlay.mp4", "report.html"):
            assert (folder / "out/my_clip" / name).stat().st_size > 1000
    with walk.step("3D view"):
        walk.run("dexman-pose", "view", "out/my_clip", "--3d")
        assert (folder / "out/my_clip/scene.rrd").stat().st_size > 10_000
    with walk.step("to MuJoCo, and 200 steps there"):
        walk.run(
            "dexman-pose", "export", "out/my_clip", "--format", "mjcf", "--bodies", "free", "--out", "mjcf"
        )
        assert walk.run("python", "-c", STEPS, "mjcf/scene.xml").startswith(f"{FRAMES} keyframes")
    with walk.step("notebook 1"):
        shutil.copy(ROOT / "notebooks/01_quickstart.py", folder)
        out = walk.run("python", "01_quickstart.py", MPLBACKEND="Agg", NOTEBOOK_FRAMES=str(FRAMES))
        assert f"{FRAMES} of {FRAMES} poses are valid" in out
    print("\n".join(f"{name:<40} {seconds:8.1f} s" for name, seconds in walk.times))


def _point_and_run(walk: Walk, browser: Any, box: list[float]) -> None:
    """Serve the page for the clip, drag a box, name it, start the run and wait for its report."""
    command = [str(walk.bin / "dexman-pose"), "prompt", "my_clip.mp4", "--no-browser", "--port", str(PORT)]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, cwd=walk.folder, env=walk.variables
    )
    try:
        assert process.stdout is not None
        address = process.stdout.readline().strip()
        page = browser.new_page(viewport={"width": 1400, "height": 1000})
        for _ in range(120):
            try:
                page.goto(address)
                break
            except Exception:
                page.wait_for_timeout(500)
        page.wait_for_selector(f"text=frame 0 of {FRAMES}", timeout=120_000)
        page.locator("img").first.wait_for()
        page.wait_for_function("document.querySelector('img').naturalWidth > 0")
        place = page.locator("img").first.bounding_box()
        width = page.evaluate("document.querySelector('img').naturalWidth")
        x0, y0, x1, y1 = (place["width"] / width * v for v in box)
        page.mouse.move(place["x"] + x0, place["y"] + y0)
        page.mouse.down()
        page.mouse.move(place["x"] + x1, place["y"] + y1, steps=4)
        page.mouse.up()
        page.wait_for_selector("svg rect")
        page.locator("input[aria-label='Name']").fill("tin")
        page.keyboard.press("Tab")
        page.wait_for_selector("svg >> text=tin")
        page.get_by_role("button", name="Save").click()
        page.wait_for_selector("text=saved")
        page.get_by_role("button", name="Start run").click()
        page.wait_for_selector("a:has-text('report.html')", timeout=PATIENCE_MS)
    finally:
        process.terminate()
        process.wait(30)
