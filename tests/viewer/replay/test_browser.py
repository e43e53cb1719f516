"""The page in a browser without a screen: scrubbed by slider, keys and curves; a scene with something in it."""

from __future__ import annotations

import io
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from dexman_pose.data import Clip, MaskSequence, Trajectory
from dexman_pose.viewer import write_report
from dexman_pose.viewer.replay.shown import ReplayOptions

pytestmark = pytest.mark.slow
LARGEST = 15_000_000


@pytest.fixture(scope="module")
def launch() -> Iterator[Callable[..., Any]]:
    """Starts Chromium, with what is wanted of it besides."""
    playwright = pytest.importorskip("playwright.sync_api", reason="needs: pip install playwright")
    path = shutil.which("chromium") or shutil.which("google-chrome")
    if path is None:
        pytest.skip("needs Chromium")
    flags = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
    with playwright.sync_playwright() as engine:
        yield lambda *more: engine.chromium.launch(executable_path=path, args=[*flags, *more])


@pytest.fixture(scope="module")
def browser(launch: Callable[..., Any]) -> Iterator[Any]:
    found = launch()
    yield found
    found.close()


@pytest.fixture
def plain_browser(launch: Callable[..., Any]) -> Iterator[Any]:
    """One without WebGL."""
    found = launch("--disable-3d-apis")
    yield found
    found.close()


class Opened:
    """A page that is ready, and what went wrong in it."""

    def __init__(self, browser: Any, path: Path, **context: Any) -> None:
        settings = {"viewport": {"width": 1300, "height": 900}, "offline": True, **context}
        self.page = browser.new_context(**settings).new_page()
        self.asked: list[str] = []
        self.wrong: list[str] = []
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.page.on("console", lambda m: self.wrong.append(m.text) if m.type == "error" else None)
        self.page.on("pageerror", lambda error: self.wrong.append(str(error)))
        self.page.goto(path.as_uri())
        self.page.wait_for_selector("body[data-ready]", timeout=60_000)

    def frame(self, wanted: int) -> None:
        """Wait until a frame is shown."""
        self.page.wait_for_selector(f'body[data-frame="{wanted}"]', timeout=10_000)

    def pixels(self, canvas: str) -> Any:
        self.page.wait_for_timeout(400)
        return np.asarray(
            Image.open(io.BytesIO(self.page.locator(canvas).screenshot())).convert("RGB")
        ).astype(float)

    def check(self) -> None:
        assert not self.wrong
        outside = [url for url in self.asked if not url.startswith(("file:///", "blob:", "data:"))]
        assert not outside and len([url for url in self.asked if url.startswith("file:")]) == 1


@pytest.fixture
def report(trajectory: Trajectory, clip: Clip, masks: MaskSequence, tmp_path: Path) -> Path:
    path = write_report(trajectory, tmp_path / "r.html", clip=clip, masks=masks)
    assert path.stat().st_size < LARGEST
    return path


@pytest.fixture(params=["jpeg", "mp4"])
def either(
    request: pytest.FixtureRequest,
    trajectory: Trajectory,
    clip: Clip,
    masks: MaskSequence,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Path:
    if request.param == "mp4":
        monkeypatch.setattr(
            "dexman_pose.viewer.replay.page.ReplayOptions", lambda: ReplayOptions(jpeg_bytes=1)
        )
    return write_report(trajectory, tmp_path / "r.html", clip=clip, masks=masks)


def test_everything_follows_the_frame(browser: Any, either: Path) -> None:
    follow(browser, either)


def follow(browser: Any, report: Path) -> None:
    """Scrub, and see that pictures, side view, curves and words follow."""
    opened = Opened(browser, report)
    page = opened.page
    before = {name: opened.pixels(name) for name in ("#picture", "#side")}
    page.locator("#frame").fill("18")
    opened.frame(18)
    assert "frame 18 / 23" in page.locator("#where").inner_text()
    for name, seen in before.items():
        assert np.abs(opened.pixels(name) - seen).max() > 40, f"{name} shows another frame"
    assert float(page.locator(".cursor").first.evaluate("e => parseFloat(e.style.left)")) == pytest.approx(
        75.0
    )
    told = page.locator('output[data-curve="chart0.0"]').inner_text()
    assert float(told) == pytest.approx(-0.12 + 0.2 * 18 / 23, abs=2e-3)
    page.locator("#frame").fill("12")
    opened.frame(12)
    assert "not valid" in page.locator("#now").inner_text()
    opened.check()


def test_keys(browser: Any, either: Path) -> None:
    opened = Opened(browser, either)
    keys = opened.page.keyboard
    for key, frame in (
        ("ArrowRight", 1), ("ArrowRight", 2), ("Shift+ArrowRight", 12), ("ArrowLeft", 11), ("End", 23),
        ("ArrowRight", 23), ("Home", 0), ("ArrowLeft", 0),
    ):  # fmt: skip
        keys.press(key)
        opened.frame(frame)
    keys.press("Space")
    opened.page.wait_for_selector('#play[aria-pressed="true"]')
    opened.page.wait_for_selector('body:not([data-frame="0"])', timeout=10_000)  # it plays
    keys.press("Space")
    opened.page.wait_for_selector('#play[aria-pressed="false"]')
    opened.check()


def test_without_webgl_it_says_so_and_the_rest_follows(plain_browser: Any, report: Path) -> None:
    opened = Opened(plain_browser, report)
    assert "no WebGL" in opened.page.locator("#scene-note").inner_text()
    assert opened.page.locator("body").get_attribute("data-ready") == "2d"
    assert not opened.page.locator("#scene").is_visible()
    follow(plain_browser, report)


def test_the_scene_shows_objects_and_hands(browser: Any, report: Path) -> None:
    opened = Opened(browser, report)
    page = opened.page
    seen = opened.pixels("#scene")
    ground = np.median(seen.reshape(-1, 3), axis=0)
    assert 0.01 < (np.abs(seen - ground).max(-1) > 30).mean() < 0.9, "neither blank nor full"
    green = (seen[..., 1] - seen[..., 0] > 40) & (seen[..., 1] - seen[..., 2] > 20)
    assert green.any(), "the cube"
    for view in ("filmed", "side", "top"):
        page.locator(f"[data-view={view}]").click()
        other = opened.pixels("#scene")
        assert np.abs(other - seen).max() > 40
        seen = other
    page.locator("[data-layer=outline]").click()
    assert np.abs(opened.pixels("#scene") - seen).max() > 40
    opened.check()


def test_as_filmed_the_scene_lies_under_the_picture(
    browser: Any, report: Path, trajectory: Trajectory
) -> None:
    opened = Opened(browser, report)
    opened.page.locator("[data-view=filmed]").click()
    for layer in ("hands", "contacts", "axes", "paths", "table"):
        opened.page.locator(f"[data-layer={layer}]").click()
    seen = opened.pixels("#scene")
    cube = trajectory.objects["cube"]
    pose, camera = cube.camera_from_object[0], trajectory.camera
    shown = camera.project(cube.mesh.vertices @ pose[:3, :3].T + pose[:3, 3]) + 0.5
    green = (seen[..., 1] - seen[..., 0] > 30) & (seen[..., 1] - seen[..., 2] > 15)
    rows, columns = np.nonzero(green)
    factor = seen.shape[1] / camera.width
    assert columns.min() == pytest.approx(factor * shown[:, 0].min(), abs=3)
    assert columns.max() == pytest.approx(factor * shown[:, 0].max(), abs=3)
    assert rows.min() == pytest.approx(factor * shown[:, 1].min(), abs=3)
    assert rows.max() == pytest.approx(factor * shown[:, 1].max(), abs=3)


def test_a_click_into_a_curve_or_on_a_frame_goes_there(browser: Any, report: Path) -> None:
    opened = Opened(browser, report)
    field = opened.page.locator(".field").first
    box = field.bounding_box()
    field.click(position={"x": 0.5 * box["width"] + 2, "y": 20})
    opened.frame(12)
    opened.page.locator(".jump", has_text="10-13").first.click()
    opened.frame(10)
    opened.check()


@pytest.mark.parametrize("width", [360, 820, 1500])
def test_nothing_is_wider_than_the_screen_or_without_a_name(browser: Any, report: Path, width: int) -> None:
    opened = Opened(browser, report, viewport={"width": width, "height": 800}, has_touch=width < 500)
    page = opened.page
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    nameless = page.evaluate(
        "[...document.querySelectorAll('button, input, select, canvas, img, svg:not([aria-hidden])')]"
        ".filter(e => !(e.textContent.trim() || e.getAttribute('aria-label') || e.alt)).length"
    )
    assert nameless == 0
    if width < 500:
        page.locator("#on").tap()
        opened.frame(1)
    opened.check()


def test_a_hostile_name_runs_nothing(
    browser: Any, trajectory_named: Callable[[str, str], Trajectory], tmp_path: Path
) -> None:
    name = "</script><script>document.title='bad'</script><img src=x onerror=\"document.title='bad'\">"
    path = write_report(trajectory_named(name, "b"), tmp_path / "r.html", title="good")
    opened = Opened(browser, path)
    assert opened.page.title() == "good" and name in opened.page.locator("#now").inner_text()
    opened.check()
