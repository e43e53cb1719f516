"""The page in a browser without a screen: point, name, run, open the result."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dexman_pose.data.video.writer import write_video

pytestmark = pytest.mark.slow
ROOT = Path(__file__).resolve().parents[2]
PORT = 8797


@pytest.fixture()
def browser() -> Iterator[Any]:
    playwright = pytest.importorskip("playwright.sync_api", reason="needs: pip install playwright")
    path = shutil.which("chromium") or shutil.which("google-chrome")
    if path is None:
        pytest.skip("needs Chromium")
    with playwright.sync_playwright() as started:
        found = started.chromium.launch(
            executable_path=path, args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
        )
        yield found
        found.close()


@pytest.fixture()
def address(tiny_scene: Any, tmp_path: Path) -> Iterator[str]:
    pytest.importorskip("nicegui", reason="needs: pip install 'dexman-pose[prompt]'")
    video = write_video(tmp_path / "clip.mp4", tiny_scene.frames)
    command = [sys.executable, "-m", "dexman_pose.cli.main", "prompt", str(video), "--no-browser"]
    command += ["--prompts", str(tmp_path / "p.json"), "--out", str(tmp_path / "out"), "--port", str(PORT)]
    # NiceGUI serves otherwise in tests: it looks for pytest's variable.
    environment = {k: v for k, v in os.environ.items() if k != "PYTEST_CURRENT_TEST"}
    process = subprocess.Popen(
        [*command, "--options=--hands none"], stdout=subprocess.PIPE, text=True, cwd=ROOT, env=environment
    )
    assert process.stdout is not None
    yield process.stdout.readline().strip()
    process.terminate()
    process.wait(20)


def _open(page: Any, address: str) -> None:
    for _ in range(60):
        try:
            page.goto(address)
            break
        except Exception:
            page.wait_for_timeout(500)
    page.wait_for_selector("text=frame 0 of 4", timeout=60_000)


def test_point_name_run_and_open(browser: Any, address: str, tiny_scene: Any, tmp_path: Path) -> None:
    page = browser.new_page(viewport={"width": 1400, "height": 1000})
    asked: list[str] = []
    wrong: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: wrong.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: wrong.append(str(error)))
    _open(page, address)
    picture = page.locator("img").first
    picture.wait_for()
    page.wait_for_function("document.querySelector('img').naturalWidth > 0")
    place = picture.bounding_box()
    factor = place["width"] / 128
    x0, y0, x1, y1 = (factor * v for v in tiny_scene.box)
    page.mouse.move(place["x"] + x0, place["y"] + y0)
    page.mouse.down()
    page.mouse.move(place["x"] + x1, place["y"] + y1, steps=4)
    page.mouse.up()
    page.wait_for_selector("svg rect")
    page.locator("input[aria-label='Name']").fill("cup")
    page.keyboard.press("Tab")
    page.wait_for_selector("svg >> text=cup")
    page.get_by_role("button", name="Save").click()
    page.wait_for_selector("text=saved")
    saved = json.loads((tmp_path / "p.json").read_text())["objects"]["cup"]
    assert saved["frame"] == 0 and saved["box"] == pytest.approx(tiny_scene.box, abs=1.0)
    page.get_by_role("button", name="Start run").click()
    page.wait_for_selector("a:has-text('report.html')", timeout=300_000)
    with page.expect_popup() as opened:
        page.locator("a:has-text('report.html')").click()
    report = opened.value
    report.wait_for_load_state()
    assert "cup" in report.content()
    outside = [url for url in asked if not url.startswith((f"http://127.0.0.1:{PORT}", "data:", "blob:"))]
    assert not outside and not wrong


def test_without_the_secret_word_there_is_no_page(browser: Any, address: str) -> None:
    page = browser.new_page()
    _open(page, address)
    assert browser.new_page().goto(f"http://127.0.0.1:{PORT}/").status == 404
