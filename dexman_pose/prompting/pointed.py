"""What somebody has pointed at so far: objects by name, each with a box or clicks in a frame of its own."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from dexman_pose.data.files import write_json
from dexman_pose.data.prompts import ObjectPrompt
from dexman_pose.errors import InputError

SMALLEST = 4.0
"""Pixels of a side below which a drag is a click."""

Click = tuple[float, float, int]
"""x, y in pixels, and 1 on the object or 0 off it."""


@dataclass(frozen=True)
class Pointed:
    """One object.

    Attributes:
        name: of it.
        frame: in which it was pointed at.
        box: x0, y0, x1, y1 in pixels, or None.
        clicks: on it and off it.
        mesh: path of its mesh, empty where there is none.
    """

    name: str
    frame: int = 0
    box: tuple[float, float, float, float] | None = None
    clicks: tuple[Click, ...] = ()
    mesh: str = ""

    @property
    def is_pointed_at(self) -> bool:
        """Whether anything says where it is."""
        return self.box is not None or any(label == 1 for _, _, label in self.clicks)

    def prompt(self) -> ObjectPrompt:
        """As the pipeline takes it.

        Raises:
            InputError: nothing says where it is.
        """
        if not self.is_pointed_at:
            raise InputError(f"nothing says where {self.name!r} is: drag a box around it, or click on it")
        clicks = np.array(self.clicks) if self.clicks else None
        return ObjectPrompt(box=self.box, points=clicks, frame=self.frame, mesh=self.mesh or None)

    def content(self) -> dict[str, Any]:
        """As it stands in a prompt file."""
        out: dict[str, Any] = {"frame": self.frame}
        if self.box is not None:
            out["box"] = list(self.box)
        if self.clicks:
            out["points"] = [list(click) for click in self.clicks]
        if self.mesh:
            out["mesh"] = str(Path(self.mesh).expanduser().absolute())
        return out


@dataclass
class Pointing:
    """All objects of a clip, and the one that is being pointed at.

    Attributes:
        width: of the pictures, pixels.
        height: of the pictures, pixels.
        objects: in the order in which they were named.
        chosen: index of the one that is being pointed at.
    """

    width: int
    height: int
    objects: list[Pointed] = field(default_factory=lambda: [Pointed("object")])
    chosen: int = 0

    @classmethod
    def of(cls, prompts: dict[str, ObjectPrompt], width: int, height: int) -> Pointing:
        """Of prompts that there are; masks are left out, for they cannot be drawn by hand."""
        found = [_of(name, prompt) for name, prompt in prompts.items()]
        return cls(width, height, found) if found else cls(width, height)

    def __iter__(self) -> Iterator[Pointed]:
        return iter(self.objects)

    @property
    def now(self) -> Pointed:
        """The one that is being pointed at."""
        return self.objects[self.chosen]

    def add(self) -> None:
        """Begin with another object."""
        taken = {thing.name for thing in self.objects}
        number = next(n for n in range(1, len(taken) + 2) if f"object{n}" not in taken)
        self.objects.append(Pointed(f"object{number}"))
        self.chosen = len(self.objects) - 1

    def remove(self) -> None:
        """Drop the one that is being pointed at; there is always one."""
        self.objects.pop(self.chosen)
        if not self.objects:
            self.objects.append(Pointed("object"))
        self.chosen = min(self.chosen, len(self.objects) - 1)

    def rename(self, name: str) -> None:
        """Give it another name.

        Raises:
            InputError: it is empty or taken.
        """
        name = name.strip()
        if not name:
            raise InputError("an object needs a name")
        if any(thing.name == name for i, thing in enumerate(self.objects) if i != self.chosen):
            raise InputError(f"another object is called {name!r} already")
        self._put(name=name)

    def give_mesh(self, path: str) -> None:
        """Say where its mesh is, or that there is none.

        Raises:
            InputError: there is no such file.
        """
        path = path.strip()
        if path and not Path(path).expanduser().is_file():
            raise InputError(f"there is no mesh file {path}")
        self._put(mesh=path)

    def drag(self, start: tuple[float, float], end: tuple[float, float], frame: int) -> bool:
        """Draw a box around it, from one corner to the other; False where that was a click, which changes nothing."""
        low = np.clip(np.minimum(start, end), 0.0, (self.width - 1.0, self.height - 1.0))
        high = np.clip(np.maximum(start, end), 0.0, (self.width - 1.0, self.height - 1.0))
        if min(high - low) < SMALLEST:
            return False
        box = tuple(round(float(v), 1) for v in (*low, *high))
        clicks = self.now.clicks if self.now.frame == frame else ()
        self._put(frame=frame, box=box, clicks=clicks)
        return True

    def click(self, x: float, y: float, frame: int, *, on: bool = True) -> None:
        """Click on it, or beside it; what was said in another frame is forgotten."""
        place = (round(min(max(x, 0.0), self.width - 1.0), 1), round(min(max(y, 0.0), self.height - 1.0), 1))
        same = self.now.frame == frame
        clicks = (*(self.now.clicks if same else ()), (*place, int(on)))
        self._put(frame=frame, box=self.now.box if same else None, clicks=clicks)

    def clear(self) -> None:
        """Forget where it is."""
        self._put(box=None, clicks=())

    def missing(self) -> list[str]:
        """Names of objects of which nothing says where they are."""
        return [thing.name for thing in self.objects if not thing.is_pointed_at]

    def prompts(self) -> dict[str, ObjectPrompt]:
        """Of all objects, as the pipeline takes them."""
        return {thing.name: thing.prompt() for thing in self.objects}

    def save(self, path: Path) -> Path:
        """Write a prompt file.

        Raises:
            InputError: nothing says where an object is, or the file cannot be written.
        """
        for thing in self.objects:
            thing.prompt()
        return write_json(path, {"objects": {thing.name: thing.content() for thing in self.objects}})

    def _put(self, **changes: Any) -> None:
        self.objects[self.chosen] = replace(self.now, **changes)


def _of(name: str, prompt: ObjectPrompt) -> Pointed:
    box = None if prompt.box is None else tuple(float(v) for v in prompt.box)
    clicks = (
        () if prompt.points is None else tuple((float(x), float(y), int(on)) for x, y, on in prompt.points)
    )
    mesh = str(prompt.mesh) if isinstance(prompt.mesh, (str, Path)) else ""
    return Pointed(name, prompt.frame, box, clicks, mesh)  # type: ignore[arg-type]
