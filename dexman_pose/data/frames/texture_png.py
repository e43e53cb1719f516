"""Textures as bytes of PNG files, each coded once: the files of one run hold the same texture several times.

A texture that came from a JPEG file stays one: a tenth of the size, without the second that coding it takes.
"""

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
    """The bytes (N,) of a PNG file of a texture (H, W, 3) uint8, or of the JPEG it came from; not to be written to.

    The last few are kept by what they show, so that coding the same pixels again costs one hash of them.
    """
    key = _key(texture)
    found = _coded.get(key)
    return _keep(key, _encoded(texture)) if found is None else found


def came_from_jpeg(texture: NDArray[np.uint8], data: bytes) -> None:
    """Keep the bytes of the JPEG file that a texture (H, W, 3) was decoded from, as :func:`decoded_texture` does it."""
    _keep(_key(texture), np.frombuffer(data, np.uint8))


def _key(texture: NDArray[np.uint8]) -> bytes:
    # Processors have instructions for this one.
    digest = hashlib.sha256(repr(texture.shape).encode())
    digest.update(np.ascontiguousarray(texture).data)
    return digest.digest()


def _keep(key: bytes, coded: NDArray[np.uint8]) -> NDArray[np.uint8]:
    _coded[key] = coded
    while len(_coded) > _KEPT:
        _coded.popitem(last=False)
    return coded


def decoded_texture(data: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The texture (H, W, 3) of the bytes of a PNG or JPEG file."""
    from PIL import Image

    with Image.open(io.BytesIO(data.tobytes()), formats=("PNG", "JPEG")) as image:
        return np.array(image.convert("RGB"))


def _encoded(texture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    from PIL import Image

    buffer = io.BytesIO()
    Image.fromarray(texture).save(buffer, "PNG", compress_level=_LEVEL)
    return np.frombuffer(buffer.getvalue(), np.uint8)
