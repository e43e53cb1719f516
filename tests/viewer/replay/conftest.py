"""The trajectory of the folder above, as a fixture here too; and pages taken apart."""

from __future__ import annotations

import base64
import gzip
import json
import re
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray


class TakenApart:
    """What the blocks of a page hold: plain values, arrays by name, pictures."""

    def __init__(self, page: str) -> None:
        self.blocks = dict(re.findall(r'<script type="[\w/]+" id="([\w-]+)">([^<]*)</script>', page))
        self.meta: dict[str, Any] = json.loads(self.blocks["replay-meta"])
        self._data = gzip.decompress(base64.b64decode(self.blocks["replay-data"]))
        self.three = gzip.decompress(base64.b64decode(self.blocks["replay-three"]))

    def array(self, name: str) -> NDArray[Any]:
        """An array as the script reads it, flat."""
        entry = self.meta["arrays"][name]
        raw = np.frombuffer(self._data, f"<{KINDS[entry['kind']]}", entry["count"], entry["at"])
        if "step" not in entry:
            return raw
        return np.where(raw == -32768, np.nan, raw * entry["step"] + entry["middle"])

    @property
    def pictures(self) -> bytes:
        return base64.b64decode(self.blocks["replay-pictures"])


KINDS = {"u1": "u1", "u2": "u2", "i2": "i2", "u4": "u4", "f4": "f4"}


@pytest.fixture
def take_apart() -> type[TakenApart]:
    return TakenApart
