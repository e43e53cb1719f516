"""Textures as PNG bytes, each coded once: the files of one run hold the same texture several times."""

from __future__ import annotations

import hashlib
import io
from collections import OrderedDict

import numpy as np
from numpy.typing import NDArray

_LEVEL = 3  # of zlib: two thirds of the time of the usual 6, files of nearly the same size
_KEPT = 4  # coded textures; a run's objects seldom have more

_coded: OrderedDict[bytes, NDArray[np.uint8]] = OrderedDict()


def coded_texture(texture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The bytes (N,) of a PNG file of a texture (H, W, 3) uint8; not to be written to.

    The last few are kept by what they show, so that coding the same pixels again costs one hash of them.
    """
    digest = hashlib.blake2b(repr(texture.shape).encode())
    digest.update(np.ascontiguousarray(texture).data)
    key = digest.digest()
    found = _coded.get(key)
    if found is None:
        found = _encoded(texture)
        _coded[key] = found
        while len(_coded) > _KEPT:
            _coded.popitem(last=False)
    return found


def decoded_texture(data: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The texture (H, W, 3) of the bytes of a PNG file."""
    from PIL import Image

    with Image.open(io.BytesIO(data.tobytes()), formats=("PNG",)) as image:
        return np.array(image.convert("RGB"))


def _encoded(texture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    from PIL import Image

    buffer = io.BytesIO()
    Image.fromarray(texture).save(buffer, "PNG", compress_level=_LEVEL)
    return np.frombuffer(buffer.getvalue(), np.uint8)
