"""Materials of Wavefront OBJ files: the diffuse colour and picture, with the options that move the picture."""

from __future__ import annotations

from dataclasses import dataclass
from logging import getLogger
from pathlib import Path

import numpy as np

from dexman_pose.arrays import Array
from dexman_pose.meshing.colors import Bytes
from dexman_pose.meshing.formats.pictures import beside, clamped, picture_beside

log = getLogger(__name__)

_NUMBERS = {"-s": 3, "-o": 3, "-t": 3, "-mm": 2}  # options with up to so many numbers
_WORDS = {"-blendu", "-blendv", "-cc", "-clamp", "-texres", "-imfchan", "-boost", "-bm", "-type"}  # with one


@dataclass
class Material:
    """The looks of faces.

    Attributes:
        folder: where the pictures lie.
        color: diffuse, as display bytes, or None.
        picture: name of the diffuse picture, or None.
        scale: (u, v) factors on texture coordinates.
        offset: (u, v) added after that.
        clamp: whether the picture ends at its edge instead of repeating.
    """

    folder: Path
    color: tuple[int, int, int] | None = None
    picture: str | None = None
    scale: tuple[float, float] = (1.0, 1.0)
    offset: tuple[float, float] = (0.0, 0.0)
    clamp: bool = False

    def image(self, name: str) -> Bytes | None:
        """The picture, or None and a line in the log that names the material."""
        if self.picture is None:
            return None
        return picture_beside(self.folder, self.picture, f"material {name or '(unnamed)'}")

    def placed(self, uv: Array, image: Bytes) -> tuple[Array, Bytes]:
        """Texture coordinates (F, 3, 2) moved as the options say, and the picture they belong to."""
        moved = uv * np.array(self.scale) + np.array(self.offset)
        return clamped(moved, image) if self.clamp else (moved, image)


def read_materials(path: Path, libraries: list[str]) -> dict[str, Material]:
    """Materials by name of the libraries that the OBJ file ``path`` names; missing ones are told in the log."""
    found: dict[str, Material] = {}
    for library in libraries:
        for file in _files(path, library):
            try:
                text = decoded(file.read_bytes())
            except (OSError, ValueError) as error:
                log.warning("%s goes without its materials: %s", path, error)
                continue
            _read_into(found, text, file.parent)
    return found


def decoded(data: bytes) -> str:
    """Text of a file in UTF-8, with or without a mark at its start, else in Latin-1."""
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("latin-1")


def _files(path: Path, library: str) -> list[Path]:
    """A line may name one file with blanks in its name, or several; else the one called like the OBJ file is taken."""
    whole = beside(path.parent, library)
    if whole.is_file():
        return [whole]
    several = [beside(path.parent, name) for name in library.split()]
    if len(several) > 1 and all(file.is_file() for file in several):
        return several
    own = path.with_suffix(".mtl")
    if own.is_file():
        log.warning("%s: no %s is there; its materials are taken from %s", path, library, own.name)
        return [own]
    return [whole]


def _read_into(found: dict[str, Material], text: str, folder: Path) -> None:
    current = Material(folder)
    for line in text.splitlines():
        kind, _, rest = line.strip().replace("\t", " ").partition(" ")
        rest = rest.strip()
        if kind == "newmtl":
            current = found.setdefault(rest, Material(folder))
        elif kind == "Kd":
            current.color = _color(rest)
        elif kind.lower() == "map_kd" or (kind.lower() == "map_ka" and current.picture is None):
            _read_picture(current, rest)


def _read_picture(material: Material, text: str) -> None:
    """``[-option value...]... name``; the name may hold blanks."""
    words = text.split(" ")
    words = [word for word in words if word] if text.startswith("-") else [text]
    at = 0
    material.scale, material.offset, material.clamp = (1.0, 1.0), (0.0, 0.0), False
    while at < len(words) - 1 and words[at].startswith("-"):
        option = words[at].lower()
        at += 1
        if option in _NUMBERS:
            end = at
            while end < min(at + _NUMBERS[option], len(words) - 1) and _is_number(words[end]):
                end += 1
            _set(material, option, [float(word) for word in words[at:end]])
            at = end
        elif option in _WORDS:
            material.clamp |= option == "-clamp" and words[at].lower() == "on"
            at += 1
        else:
            log.warning("option %s of a picture is not known and was ignored", option)
    material.picture = " ".join(words[at:])


def _set(material: Material, option: str, values: list[float]) -> None:
    if option == "-s" and values:
        material.scale = (values[0], (values + [1.0])[1])
    elif option == "-o" and values:
        material.offset = (values[0], (values + [0.0])[1])
    elif option == "-mm" and values and values != [0.0, 1.0][: len(values)]:
        log.warning("option -mm of a picture, which changes its brightness, was ignored")


def _is_number(word: str) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return True


def _color(text: str) -> tuple[int, int, int] | None:
    try:
        r, g, b = (round(min(max(float(x), 0.0), 1.0) * 255) for x in text.split()[:3])
    except ValueError:
        return None
    return r, g, b
