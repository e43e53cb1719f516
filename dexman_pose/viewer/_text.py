"""Lines of text as coverage images, drawn once and kept."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray


@lru_cache(maxsize=8)
def _font(size: int) -> Any:
    from PIL import ImageFont

    return ImageFont.load_default(size)


@lru_cache(maxsize=1024)
def text_coverage(text: str, size: int) -> NDArray[np.float32]:
    """(h, w) in 0..1, how much of each pixel a line of text covers; ``h`` depends on ``size`` only."""
    from PIL import Image, ImageDraw

    font = _font(size)
    width = max(1, int(np.ceil(font.getlength(text))) + 1)
    image = Image.new("L", (width, round(size * 1.35)), 0)
    ImageDraw.Draw(image).text((0, round(size * 0.1)), text, font=font, fill=255)
    return np.asarray(image, dtype=np.float32) / 255.0
