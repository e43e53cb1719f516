"""Freed memory goes back to the system."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from dexman_pose._memory import give_back_memory

_PIECE, _PIECES = 50_000, 2_000  # bytes: below the size from which the C library maps memory by itself


def _resident() -> int:
    """Bytes of this process in memory."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return 1024 * int(line.split()[1])
    raise AssertionError("no VmRSS")


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="only Linux tells")
def test_freed_pieces_go_back() -> None:
    if not give_back_memory():
        pytest.skip("this C library keeps what is free")
    pieces = [np.ones(_PIECE, np.uint8) for _ in range(_PIECES)]
    kept = pieces[-1]  # lies above the others, so that the heap cannot shrink by itself
    full = _resident()
    del pieces
    give_back_memory()
    assert full - _resident() > 0.8 * _PIECE * _PIECES and kept[0] == 1
