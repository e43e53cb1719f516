"""Prints and backdrops of the stress suite: random shapes, stripes and letters, the same for the same seed."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter, ImageFont
from scipy.ndimage import gaussian_filter, zoom

Box = tuple[int, int, int, int]
Color = tuple[int, int, int]

_WORDS = ("CRISP", "No 7", "TOMATO", "350 g", "DEX", "MILD", "OAT", "24", "SOUP", "X4")


def canvas(width: int, height: int, color: Color) -> tuple[Image.Image, ImageDraw.ImageDraw]:
    """An empty print and its brush."""
    image = Image.new("RGB", (width, height), color)
    return image, ImageDraw.Draw(image)


def finished(image: Image.Image, blur: float = 0.7) -> NDArray[np.uint8]:
    """The print as a texture (H, W, 3), softened so that it does not flicker between pixels."""
    return np.asarray(image.filter(ImageFilter.GaussianBlur(blur)), np.uint8)


def panel(draw: ImageDraw.ImageDraw, box: Box, base: Color, seed: int, *, marks: int = 14) -> None:
    """Fill a rectangle (x0, y0, x1, y1) with a print: a ground, a frame, shapes and a word."""
    rng = np.random.default_rng([71, seed])
    x0, y0, x1, y1 = box
    width, height = x1 - x0, y1 - y0
    draw.rectangle(box, fill=base)
    for _ in range(marks):
        _mark(draw, box, rng)
    size = max(10, int(min(width / 4.5, height / 3)))
    x, y = x0 + rng.uniform(0.35, 0.65) * width, y0 + rng.uniform(0.25, 0.75) * height
    word = _WORDS[int(rng.integers(len(_WORDS)))]
    half = (0.32 * size * len(word), 0.6 * size)
    plate = (max(x - half[0], x0), max(y - half[1], y0), min(x + half[0], x1), min(y + half[1], y1))
    draw.rectangle(plate, fill=_color(rng))
    draw.text((x, y), word, fill=_color(rng), anchor="mm", font=ImageFont.load_default(size))
    edge = max(2, int(0.03 * min(width, height)))
    draw.rectangle((x0, y0, x1, y0 + edge), fill=_color(rng))


def _mark(draw: ImageDraw.ImageDraw, box: Box, rng: np.random.Generator) -> None:
    """One random ellipse, rectangle, triangle or stripe inside the box."""
    x0, y0, x1, y1 = box
    short = min(x1 - x0, y1 - y0)
    r = rng.uniform(0.06, 0.22) * short
    x, y = rng.uniform(x0 + r, x1 - r), rng.uniform(y0 + r, y1 - r)
    fill, kind = _color(rng), rng.integers(4)
    if kind == 0:
        draw.ellipse((x - r, y - 0.7 * r, x + r, y + 0.7 * r), fill=fill)
    elif kind == 1:
        draw.rectangle((x - r, y - 0.5 * r, x + r, y + 0.5 * r), fill=fill)
    elif kind == 2:
        a = rng.uniform(0, 6.28) + np.array([0.0, 2.1, 4.2])
        draw.polygon([(x + r * np.cos(k), y + r * np.sin(k)) for k in a], fill=fill)
    else:
        way = rng.uniform(0, 6.28)
        dx, dy = r * np.cos(way), r * np.sin(way)
        draw.line((x - dx, y - dy, x + dx, y + dy), fill=fill, width=max(2, int(0.25 * r)))


def _color(rng: np.random.Generator) -> Color:
    r, g, b = (int(c) for c in rng.integers(15, 250, 3))
    return r, g, b


def smooth_noise(rng: np.random.Generator, size: tuple[int, ...], scale: float) -> NDArray[np.float64]:
    """Noise of ``size`` (height, width) and unit spread whose blobs are about ``scale`` pixels wide."""
    height, width = size
    step = max(1, int(scale / 3))
    shape = (height // step + 4, width // step + 4)
    coarse = gaussian_filter(rng.standard_normal(shape), scale / step / 2)
    fine = zoom(coarse, step, order=1)[:height, :width] if step > 1 else coarse[:height, :width]
    out: NDArray[np.float64] = (fine - fine.mean()) / max(float(fine.std()), 1e-9)
    return out


def backdrop(width: int, height: int, seed: int) -> NDArray[np.float32]:
    """A cluttered wall (height, width, 3) in 0..255: coloured shapes on a ground of several octaves of noise."""
    rng = np.random.default_rng([72, seed])
    base = rng.uniform(80, 170, 3)
    image, draw = canvas(width, height, (int(base[0]), int(base[1]), int(base[2])))
    short = min(width, height)
    for _ in range(40):
        r = rng.uniform(0.02, 0.14) * short
        x, y = rng.uniform(0, width), rng.uniform(0, height)
        _mark(draw, (int(x - 2 * r), int(y - 2 * r), int(x + 2 * r) + 9, int(y + 2 * r) + 9), rng)
    out = np.asarray(image, np.float32)
    ground = np.asarray(base, np.float32)
    out = ground + np.float32(0.55) * (out - ground)  # paler than prints: the object is not the only colour
    for scale, strength in ((0.2, 16.0), (0.05, 8.0), (0.01, 5.0)):
        noise = smooth_noise(rng, (height, width), max(3.0, scale * short))
        out = out + (strength * noise[..., None] * rng.uniform(0.6, 1.2, 3)).astype(np.float32)
    clipped: NDArray[np.float32] = np.clip(out, 5, 250).astype(np.float32)
    return clipped
