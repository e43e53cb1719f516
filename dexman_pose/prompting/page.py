"""The page: a frame to point into, the objects, the first masks, and the run. Only this machine can open it."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from dexman_pose._optional import require
from dexman_pose.data import Clip, MaskSequence
from dexman_pose.errors import DexmanError
from dexman_pose.prompting.drawing import color_of, first_masks, overlay, rubber_band, tinted
from dexman_pose.prompting.pointed import Pointing
from dexman_pose.prompting.running import run_command, running, share_done

EXTRA = "prompt"
HOST = "127.0.0.1"
RESULTS = ("report.html", "overlay.mp4", "trajectory.npz")
_HELP = (
    "Drag a box around the object. Click adds a point on it, Shift-click one beside it. Keys: left and right for "
    "frames (Shift: ten), N a new object, M its mask, Delete to forget, S to save."
)


@dataclass(frozen=True)
class PageOptions:
    """What the page works on.

    Attributes:
        video: the clip's path.
        prompts: file that is written.
        out: run folder.
        child: what the interpreter is given to reconstruct, see :func:`~dexman_pose.prompting.running.run_command`.
        options: further ones of ``run``.
        port: of this machine; 0 for any that is free.
        show: whether a browser is opened.
    """

    video: str
    prompts: Path
    out: Path
    child: Sequence[str]
    options: Sequence[str] = ()
    port: int = 8765
    show: bool = True


def serve(clip: Clip, pointing: Pointing, o: PageOptions, said: Callable[[str], object] = print) -> None:
    """Serve the page until it is stopped. Its address holds a word that no other page knows.

    Raises:
        MissingExtraError: NiceGUI is not installed.
    """
    nicegui = require("nicegui", EXTRA, "the page for pointing at objects")
    ui, app = nicegui.ui, nicegui.app
    path = f"/{secrets.token_urlsafe(12)}"
    o.out.mkdir(parents=True, exist_ok=True)
    app.add_media_files(f"{path}/result", str(o.out))

    @ui.page(path, title=f"dexman-pose: {Path(o.video).name}")  # type: ignore[untyped-decorator]
    def page() -> None:
        _Page(nicegui, clip, pointing, o, path)

    said(f"http://{HOST}:{o.port}{path}")
    ui.run(
        host=HOST,
        port=o.port,
        show=path if o.show else False,
        reload=False,
        title="dexman-pose",
        show_welcome_message=False,
        dark=None,
    )


class _Page:
    """One view of the clip."""

    def __init__(self, nicegui: Any, clip: Clip, pointing: Pointing, o: PageOptions, path: str) -> None:
        self._ui, self._io = nicegui.ui, nicegui.run.io_bound
        self._clip, self._pointing, self._o, self._path = clip, pointing, o, path
        self._frame = pointing.now.frame if pointing.now.is_pointed_at else 0
        self._start: tuple[float, float] | None = None
        self._masks: MaskSequence | None = None
        self._process: Any = None
        self._build()
        self._ui.timer(0.0, lambda: self._show(self._frame), once=True)

    def _build(self) -> None:
        ui, clip = self._ui, self._clip
        with ui.row().classes("w-full no-wrap items-start gap-4 p-2"):
            with ui.column().classes("grow min-w-0 gap-2"):
                self._image = (
                    ui.interactive_image(
                        "", on_mouse=self._mouse, events=["mousedown", "mousemove", "mouseup"], cross=False
                    )
                    .props('draggable=false aria-label="frame of the clip"')
                    .classes("w-full max-w-6xl")
                )
                with ui.row().classes("w-full items-center no-wrap"):
                    ui.button(icon="chevron_left", on_click=lambda: self._go(-1)).props(
                        'flat aria-label="frame before"'
                    )
                    self._slider = ui.slider(
                        min=0, max=max(clip.num_frames - 1, 1), value=self._frame, on_change=self._slid
                    ).props('label aria-label="frame"')
                    ui.button(icon="chevron_right", on_click=lambda: self._go(1)).props(
                        'flat aria-label="next frame"'
                    )
                self._place = ui.label()
                ui.label(_HELP).classes("text-sm opacity-70")
            with ui.column().classes("w-96 shrink-0 gap-2"):
                self._list = ui.column().classes("w-full gap-1")
                with ui.row():
                    ui.button("New object", on_click=self._add)
                    ui.button("Show masks", on_click=self._show_masks)
                self._named("Prompt file", str(self._o.prompts))
                self._named("Run folder", str(self._o.out))
                with ui.row():
                    ui.button("Save", on_click=self._save)
                    self._begin = ui.button("Start run", on_click=self._run)
                    self._stop = ui.button("Stop", on_click=self._end)
                self._stop.disable()
                self._progress = ui.linear_progress(value=0.0, show_value=False)
                self._log = ui.log(max_lines=200).classes("w-full h-48 text-xs")
                self._links = ui.column()
        ui.keyboard(on_key=self._key)
        self._list_objects()

    def _named(self, title: str, text: str) -> None:
        self._ui.label(f"{title}: {text}").classes("text-sm break-all")

    def _list_objects(self) -> None:
        ui, pointing = self._ui, self._pointing
        self._list.clear()
        with self._list:
            for index, thing in enumerate(pointing):
                chosen = index == pointing.chosen
                with (
                    ui.card()
                    .tight()
                    .classes("w-full p-2")
                    .style(f"border-left: 6px solid {color_of(index)}; opacity: {1.0 if chosen else 0.7}")
                    .on("click", lambda _, i=index: self._choose(i))
                ):
                    if not chosen:
                        ui.label(thing.name)
                    else:
                        self._fields(thing.name, thing.mesh)
                    where = f"frame {thing.frame}" if thing.is_pointed_at else "not pointed at yet"
                    ui.label(where).classes("text-xs opacity-70")

    def _fields(self, name: str, mesh: str) -> None:
        ui, pointing = self._ui, self._pointing
        given = ui.input("Name", value=name).classes("w-full")
        given.on("blur", lambda: self._rename(str(given.value)))
        file = ui.input("Mesh file (optional)", value=mesh).classes("w-full")
        file.on("blur", lambda: self._try(lambda: pointing.give_mesh(str(file.value))))
        with ui.row():
            ui.button("Forget", on_click=self._clear).props("flat dense")
            ui.button("Remove", on_click=self._remove).props("flat dense")

    def _choose(self, index: int) -> None:
        if index == self._pointing.chosen:
            return
        self._pointing.chosen = index
        thing = self._pointing.now
        self._list_objects()
        self._show(thing.frame if thing.is_pointed_at else self._frame)

    def _rename(self, name: str) -> None:
        """Masks bear names: those of before are forgotten."""
        if name != self._pointing.now.name and self._try(lambda: self._pointing.rename(name)):
            self._changed()

    def _try(self, change: Callable[[], object]) -> bool:
        """Make a change; what is wrong with it is shown."""
        try:
            change()
        except DexmanError as error:
            self._ui.notify(str(error), type="warning")
            return False
        self._draw()
        return True

    def _add(self) -> None:
        self._pointing.add()
        self._list_objects()

    def _remove(self) -> None:
        self._pointing.remove()
        self._changed()

    def _clear(self) -> None:
        self._pointing.clear()
        self._changed()

    def _changed(self) -> None:
        """Something was pointed at: masks are of before."""
        if self._masks is not None:
            self._masks = None
            self._show(self._frame)
        self._list_objects()
        self._draw()

    def _slid(self, event: Any) -> None:
        if int(event.value) != self._frame:
            self._show(int(event.value))

    def _go(self, by: int) -> None:
        self._show(min(max(self._frame + by, 0), self._clip.num_frames - 1))

    def _show(self, frame: int) -> None:
        if frame != self._frame:
            self._masks = None
        self._frame = frame
        names = [thing.name for thing in self._pointing]
        self._image.set_source(Image.fromarray(tinted(self._picture(), self._masks, names)))
        self._slider.set_value(frame)
        self._place.set_text(f"frame {frame} of {self._clip.num_frames}")
        self._draw()

    def _picture(self) -> NDArray[np.uint8]:
        return np.ascontiguousarray(self._clip.frame(self._frame))

    def _draw(self, more: str = "") -> None:
        self._image.set_content(overlay(self._pointing, self._frame, self._pointing.chosen) + more)

    async def _mouse(self, event: Any) -> None:
        place = (float(event.image_x), float(event.image_y))
        if event.type == "mousedown":
            self._start = place
        elif self._start is not None and event.type == "mousemove":
            self._draw(rubber_band(self._start, place, color_of(self._pointing.chosen)))
        elif self._start is not None and event.type == "mouseup":
            start, self._start = self._start, None
            if not self._pointing.drag(start, place, self._frame):
                self._pointing.click(*place, self._frame, on=not event.shift)
            self._changed()
            if self._pointing.now.is_pointed_at:
                await self._show_masks()

    async def _key(self, event: Any) -> None:
        if not event.action.keydown:
            return
        step = 10 if event.modifiers.shift else 1
        if event.key.arrow_left:
            self._go(-step)
        elif event.key.arrow_right:
            self._go(step)
        elif event.key == "n":
            self._add()
        elif event.key == "m":
            await self._show_masks()
        elif event.key == "s":
            self._save()
        elif event.key.delete:
            self._clear()

    async def _show_masks(self) -> None:
        """Masks of the objects that were pointed at in this frame."""
        image, things, frame = self._picture(), list(self._pointing), self._frame
        try:
            found = await self._io(first_masks, image, things, frame)
        except DexmanError as error:
            self._ui.notify(str(error), type="warning")
            return
        if found is None:
            self._ui.notify("nothing was pointed at in this frame", type="warning")
        elif frame == self._frame and things == list(
            self._pointing
        ):  # else something was pointed at meanwhile
            self._masks = found
            self._show(frame)

    def _save(self) -> bool:
        saved = self._try(lambda: self._pointing.save(self._o.prompts))
        if saved:
            self._ui.notify(f"saved {self._o.prompts}")
        return saved

    async def _run(self) -> None:
        """Save, and reconstruct the clip."""
        if not self._save():
            return
        o = self._o
        self._begin.disable()
        self._stop.enable()
        self._links.clear()
        self._progress.set_value(0.0)
        command = run_command(o.child, o.video, o.prompts, o.out, o.options)
        self._process, status = await running(command, self._line)
        code = await status
        self._begin.enable()
        self._stop.disable()
        if code:
            self._ui.notify(f"the run ended with status {code}; its last line says why", type="negative")
            return
        self._progress.set_value(1.0)
        with self._links:
            for name in RESULTS:
                if (o.out / name).is_file():
                    self._ui.link(name, f"{self._path}/result/{name}", new_tab=True)

    def _line(self, line: str) -> None:
        self._log.push(line)
        done = share_done(line)
        if done is not None:
            self._progress.set_value(done)

    def _end(self) -> None:
        """End the run; what is done is kept."""
        if self._process is not None and self._process.returncode is None:
            self._process.terminate()
