"""Follow known objects in a webcam, a network stream or a film, and see them in a window.

    python examples/live.py 0 --mesh cup.obj --camera camera.json
    python examples/live.py rtsp://camera.local/stream --mesh cup=cup.obj --mesh box=box.ply --camera cam.json --hands
    python examples/live.py film.mp4 --mesh cube.obj --camera 605,605,325.5,245 --box 365,208,526,356 --out seen.mp4

In the window: drag a box around each object that has none and press the space bar. Then q quits, and r asks for all
boxes again. Without a display, or with --out, a film is written instead.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from dexman_pose.data import JOINT_PARENTS, Camera, LiveSource, load_camera
from dexman_pose.data.live import LiveFrame
from dexman_pose.data.video.writer import write_video
from dexman_pose.errors import DexmanError, InputError
from dexman_pose.imaging.undistort import undistortion_of
from dexman_pose.meshing import load_mesh
from dexman_pose.pose import LivePose, LiveTracker
from dexman_pose.render import Rasterizer

Image = NDArray[np.uint8]

TITLE = "dexman-pose live"
COLORS = ((255, 140, 0), (0, 190, 255), (60, 220, 90), (230, 80, 230))
DOUBTED = (150, 150, 150)
HANDS = {"left": (255, 90, 90), "right": (90, 160, 255)}
NO_WINDOW = (
    "no window can be shown here: {why}. Give --out FILM.mp4 to write a film, or install an OpenCV with windows:\n"
    "    pip uninstall -y opencv-python-headless && pip install opencv-python"
)


class Viewer:
    """Draws what the tracker says; meshes are drawn at their poses where they are valid, grey where they are not."""

    def __init__(self, tracker: LiveTracker, meshes: dict[str, str]) -> None:
        self._tracker = tracker
        self._rasterizers = {name: Rasterizer(load_mesh(path)) for name, path in meshes.items()}

    def drawn(self, image: Image, poses: dict[str, LivePose], note: str) -> Image:
        """The picture (H, W, 3) RGB with outlines, axes, hands and a line of text."""
        out = image.copy()
        for hand in self._tracker.hands.values():
            places = [tuple(int(v) for v in joint) for joint in np.round(hand.joints_2d)]
            for joint, parent in enumerate(JOINT_PARENTS):
                if parent >= 0:
                    cv2.line(out, places[joint], places[parent], HANDS[hand.side], 2, cv2.LINE_AA)
        lines = [note]
        for (name, pose), color in zip(poses.items(), COLORS * len(poses)):
            if pose.valid:
                self._outline(out, name, pose, color)
                self._axes(out, name, pose)
            elif not pose.lost_for:
                self._outline(out, name, pose, DOUBTED)
            lines.append(f"{name}: {pose.confidence:.2f} {', '.join(pose.doubts)}")
        for row, line in enumerate(lines):
            for shift, color in ((1, (0, 0, 0)), (0, (255, 255, 255))):
                at = (8 + shift, 20 + 18 * row + shift)
                cv2.putText(out, line, at, cv2.FONT_HERSHEY_SIMPLEX, 0.5, color, 1, cv2.LINE_AA)
        return out

    def _outline(self, out: Image, name: str, pose: LivePose, color: tuple[int, int, int]) -> None:
        height, width = out.shape[:2]
        drawn = self._rasterizers[name].render(
            pose.camera_from_object[None], self._tracker.camera.K, width, height
        )
        curves, _ = cv2.findContours(drawn.mask[0].astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
        cv2.drawContours(out, curves, -1, color, 2, cv2.LINE_AA)

    def _axes(self, out: Image, name: str, pose: LivePose) -> None:
        mesh = self._rasterizers[name].mesh
        tips = mesh.center + mesh.radius * np.concatenate([np.zeros((1, 3)), np.eye(3)])
        points = tips @ pose.camera_from_object[:3, :3].T + pose.camera_from_object[:3, 3]
        if (points[:, 2] <= 0).any():
            return
        middle, *ends = (tuple(int(v) for v in p) for p in np.round(self._tracker.camera.project(points)))
        for end, color in zip(ends, ((255, 0, 0), (0, 255, 0), (60, 60, 255))):
            cv2.arrowedLine(out, middle, end, color, 2, cv2.LINE_AA, tipLength=0.15)


class Live:
    """The loop: newest picture in, drawn picture out."""

    def __init__(self, options: argparse.Namespace, *, window: bool) -> None:
        self._meshes = dict(_named(text) for text in options.mesh)
        boxes = {name: [float(v) for v in box.split(",")] for name, box in map(_named, options.box)}
        self._window, self._limit = window, options.frames
        self._source = LiveSource(options.source, options.fps, paced=options.paced)
        try:
            first = self._source.read()
            if first is None:
                raise InputError(f"{options.source} holds no picture")
            height, width = first[2].shape[:2]
            camera = _camera(options.camera, width, height)
            self._undistorted = undistortion_of(camera)
            self._tracker = LiveTracker(self._meshes, camera, box=boxes, hands=options.hands)
        except BaseException:
            self._source.close()
            raise
        self._viewer, self._first = Viewer(self._tracker, self._meshes), first
        self._given = set(boxes)
        self.milliseconds: list[float] = []

    def close(self) -> None:
        self._tracker.close()
        self._source.close()

    def pictures(self) -> Iterator[Image]:
        """Drawn pictures until the source ends."""
        self._ask(self._first[2], [n for n in self._meshes if n not in self._given])
        found: LiveFrame | None = self._first
        before = self._first[0] - 1
        while found is not None and (self._limit is None or len(self.milliseconds) < self._limit):
            index, _, image = found
            began = time.perf_counter()
            poses = self._tracker.update(image, passed=index - before)
            self.milliseconds.append(1e3 * (time.perf_counter() - began))
            before = index
            shown = image if self._undistorted is None else self._undistorted.picture(image)
            note = f"{index}: {self.milliseconds[-1]:.0f} ms, {self._source.dropped} dropped"
            yield self._viewer.drawn(shown, poses, note)
            found = self._source.read()

    def ask_again(self) -> None:
        """Let the user box all objects again, in the newest picture."""
        found = self._source.read()
        if found is not None:
            self._ask(found[2], list(self._meshes))

    def _ask(self, image: Image, names: list[str]) -> None:
        for name in names:
            if not self._window:
                raise InputError(
                    f"where is {name}? Give --box {name}=x0,y0,x1,y1, in pixels of the first picture"
                )
            shown = cv2.cvtColor(image, cv2.COLOR_RGB2BGR)
            cv2.putText(
                shown,
                f"box around {name}, then space",
                (8, 24),
                cv2.FONT_HERSHEY_SIMPLEX,
                0.7,
                (0, 0, 255),
                2,
            )
            x, y, width, height = cv2.selectROI(TITLE, shown, showCrosshair=False)
            if width and height:
                self._tracker.restart(name, box=(x, y, x + width, y + height))


def _named(text: str) -> tuple[str, str]:
    """NAME=VALUE, or a value of the only object."""
    name, found, value = text.partition("=")
    return (name, value) if found else ("object", text)


def _camera(text: str, width: int, height: int) -> Camera:
    if Path(text).suffix:
        with suppress(ValueError):
            [float(v) for v in text.split(",")]
            return _of_numbers(text, width, height)
        return load_camera(Path(text), width, height)
    return _of_numbers(text, width, height)


def _of_numbers(text: str, width: int, height: int) -> Camera:
    try:
        fx, fy, cx, cy = (float(v) for v in text.split(","))
    except ValueError:
        raise InputError(f"--camera takes fx,fy,cx,cy in pixels or a camera file, but got {text!r}") from None
    return Camera(np.array([[fx, 0.0, cx], [0.0, fy, cy], [0.0, 0.0, 1.0]]), width, height)


def _why_no_window() -> str | None:
    """Why no window can be shown; None where one can."""
    if sys.platform.startswith("linux") and not (
        os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    ):
        return "there is no display"
    try:
        cv2.namedWindow(TITLE)
    except cv2.error:
        return "this OpenCV was built without windows"
    return None


def _show(live: Live) -> None:
    for picture in live.pictures():
        cv2.imshow(TITLE, cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))
        key = cv2.waitKey(1) & 0xFF
        if key == ord("q"):
            return
        if key == ord("r"):
            live.ask_again()


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Follow known objects in pictures as they come.")
    parser.add_argument("source", help="number of a camera, /dev/videoN, rtsp://..., or a film")
    parser.add_argument(
        "--mesh", action="append", required=True, help="mesh file, or NAME=FILE; may be repeated"
    )
    parser.add_argument("--camera", required=True, help="fx,fy,cx,cy in pixels, or a camera file")
    parser.add_argument(
        "--box", action="append", default=[], help="x0,y0,x1,y1, or NAME=...; may be repeated"
    )
    parser.add_argument("--hands", action="store_true", help="detect hands beside")
    parser.add_argument(
        "--fps", type=float, help="pictures per second to ask of a camera, or to read a film at"
    )
    parser.add_argument("--paced", action="store_true", help="read a film at its own pace, as a camera")
    parser.add_argument("--frames", type=int, help="stop after so many pictures")
    parser.add_argument("--out", help="write a film instead of opening a window")
    return parser.parse_args()


def main() -> int:
    """Run; 2 where something given cannot be used."""
    options = _options()
    why = None if options.out else _why_no_window()
    if why is not None:
        sys.stderr.write(NO_WINDOW.format(why=why) + "\n")
        return 2
    try:
        live = Live(options, window=not options.out)
        try:
            if options.out:
                write_video(options.out, live.pictures(), options.fps or 30.0, preset="veryfast")
            else:
                _show(live)
        finally:
            live.close()
    except DexmanError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    taken = np.array(live.milliseconds[1:] or live.milliseconds)
    sys.stdout.write(f"{len(live.milliseconds)} pictures, median {np.median(taken):.1f} ms an update\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
