"""Intrinsics as bare numbers, and as RealSense's tools print them."""

from __future__ import annotations

import re

import numpy as np

from dexman_pose.data.camera_files.found import FoundCamera, matrix, of_four
from dexman_pose.data.camera_files.lens_names import lens_of, model_of

_NUMBER = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?"
_ONLY_NUMBERS = re.compile(r"[-+0-9.eE\s,;\[\]()naNAifIF]*")  # nan and inf are told later
_PRINTED = re.compile(
    rf"\[?\s*(\d+)x(\d+)\s+p\[\s*({_NUMBER})\s+({_NUMBER})\s*\]\s+f\[\s*({_NUMBER})\s+({_NUMBER})\s*\]\s+"
    rf"([A-Za-z][A-Za-z0-9 _-]*?)\s*\[([^\]]*)\]"
)
_BLOCK = re.compile(r'Intrinsics? of "([^"]+)"', re.IGNORECASE)
_LINE = re.compile(r"^\s*([A-Za-z]+)\s*:\s*(.+?)\s*$", re.MULTILINE)
_WANTED = ("width", "height", "ppx", "ppy", "fx", "fy")


def number_cameras(text: str) -> list[FoundCamera]:
    """Cameras of a text of numbers alone; an empty list for any other text.

    K as three rows of three (also with a fourth row and column, or a baseline on a line of its own), as nine numbers in
    a row, one row a frame; fx fy cx cy; or width height fx fy cx cy.
    """
    lines = [line.split("#")[0].strip() for line in text.splitlines()]
    lines = [line for line in lines if line]
    joined = "\n".join(lines)
    if not lines or _ONLY_NUMBERS.fullmatch(joined) is None:
        return []
    try:
        rows = [[float(part) for part in re.split(r"[\s,;\[\]()]+", line) if part] for line in lines]
    except ValueError:
        return []
    rows = [row for row in rows if row]
    flat = [value for row in rows for value in row]
    if len(rows) > 1 and all(len(row) == 9 for row in rows):
        return [FoundCamera(matrix(row), name=f"line {i}") for i, row in enumerate(rows)]
    if len(flat) == 10 and len(rows[-1]) == 1:  # K and the baseline of a stereo pair
        flat = flat[:-1]
    if len(flat) == 6 and all(value == int(value) for value in flat[:2] if np.isfinite(value)):
        width, height, fx, fy, cx, cy = flat
        return [FoundCamera(of_four(fx, fy, cx, cy), (int(width), int(height)))]
    return [FoundCamera(matrix(flat))] if len(flat) in (4, 9, 12, 16) else []


def realsense_cameras(text: str) -> list[FoundCamera]:
    """Cameras of what ``rs-enumerate-devices -c`` or ``print(intrinsics)`` shows; an empty list for any other text."""
    found = []
    for match in _PRINTED.finditer(text):
        width, height, px, py, fx, fy, model, coefficients = match.groups()
        values = np.array([float(v) for v in re.findall(_NUMBER, coefficients)])
        lens = lens_of(model_of(model), values, model)
        k = of_four(float(fx), float(fy), float(px), float(py))
        found.append(FoundCamera(k, (int(width), int(height)), lens))
    blocks = _BLOCK.split(text)[1:]
    for name, block in zip(blocks[::2], blocks[1::2]):
        entries = {key.lower(): value for key, value in _LINE.findall(block.split("Motion")[0])}
        if any(key not in entries for key in _WANTED):
            continue
        width, height, px, py, fx, fy = (float(entries[key]) for key in _WANTED)
        model = entries.get("distortion", "none")
        values = np.array([float(v) for v in re.findall(_NUMBER, entries.get("coeffs", ""))])
        lens = lens_of(model_of(model), values, model)
        found.append(FoundCamera(of_four(fx, fy, px, py), (int(width), int(height)), lens, name))
    return found
