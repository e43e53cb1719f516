"""Freed memory goes back to the system."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from dexman_pose._memory import LEAST_APART, give_back_memory

_PIECE, _PIECES = 50_000, 2_000  # bytes: below the size from which the C library maps memory by itself


def resident() -> int:
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
    full = resident()
    del pieces
    give_back_memory()
    assert full - resident() > 0.8 * _PIECE * _PIECES and kept[0] == 1


_LARGE = """
import sys
import numpy as np
from dexman_pose._memory import large_blocks_apart
from tests.test_memory import resident
if not large_blocks_apart(0):
    sys.exit(3)
del_first = np.ones(30 << 20, np.uint8)
del del_first  # from now on glibc would keep blocks of this size
blocks, kept = [], []
for _ in range(20):
    blocks.append(np.ones({size}, np.uint8))
    kept.append(np.ones(1000, np.uint8))
full = resident()
del blocks
sys.exit(0 if full - resident() > 0.8 * 20 * {size} else 1)
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="only Linux tells")
def test_large_blocks_go_back_by_themselves() -> None:
    script = _LARGE.format(size=LEAST_APART + 1)
    done = subprocess.run([sys.executable, "-c", script], check=False, cwd=Path(__file__).parent.parent)
    if done.returncode == 3:
        pytest.skip("this C library has no such option")
    assert done.returncode == 0
