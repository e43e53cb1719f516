"""Run lengths against a twin that packs and unpacks pixel by pixel."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dexman_pose.errors import InputError
from dexman_pose.given.rle import decode_rle, unpack


def runs_of(mask: np.ndarray) -> list[int]:
    """Lengths of runs down the columns, off first, counted one pixel at a time."""
    out, now, count = [], False, 0
    for x in range(mask.shape[1]):
        for y in range(mask.shape[0]):
            if bool(mask[y, x]) != now:
                out.append(count)
                now, count = not now, 0
            count += 1
    return [*out, count]


def packed(runs: list[int]) -> str:
    """Text of runs: differences to two before from the fourth on, five bits a letter, with sign."""
    out = ""
    for i, run in enumerate(runs):
        value, more = run - runs[i - 2] if i > 2 else run, True
        while more:
            group = value & 31
            value >>= 5
            more = not ((value == 0 and not group & 16) or (value == -1 and bool(group & 16)))
            out += chr(48 + (group | 32 if more else group))
    return out


@settings(deadline=None, max_examples=60)
@given(st.integers(1, 40), st.integers(1, 30), st.integers(0, 10**6), st.sampled_from([0.0, 0.02, 0.5, 1.0]))
def test_decoding_undoes_encoding(height: int, width: int, seed: int, share: float) -> None:
    mask = np.random.default_rng(seed).random((height, width)) < share
    runs = runs_of(mask)
    for counts in (runs, packed(runs), packed(runs).encode()):
        np.testing.assert_array_equal(decode_rle({"size": [height, width], "counts": counts}), mask)
    assert unpack(packed(runs)) == runs


def test_a_mask_as_pycocotools_packs_it() -> None:
    """3 wide, 4 high, the middle column on but for its first pixel: runs 5, 3, 4."""
    mask = decode_rle({"size": [4, 3], "counts": "534"})
    np.testing.assert_array_equal(mask, [[0, 0, 0], [0, 1, 0], [0, 1, 0], [0, 1, 0]])


@pytest.mark.parametrize(
    "value",
    [
        {"size": [4, 3], "counts": "53"},
        {"size": [4, 3], "counts": "5 4"},
        {"size": [4, 3], "counts": "53T"},
        {"size": [4, 3], "counts": [5, -1, 8]},
        {"size": [4, 3], "counts": [5, 3.0, 4]},
        {"size": [4, 3], "counts": [5, 3]},
        {"size": [4], "counts": [12]},
        {"size": [10**9, 10**9], "counts": [10**18]},
        {"size": None, "counts": [12]},
        {"counts": [12]},
        [5, 3, 4],
        {"size": [4, 3], "counts": "oooooooooooooooooooooooo0"},
    ],
)
def test_damaged_runs_are_refused(value: object) -> None:
    with pytest.raises(InputError, match=r"^mask"):
        decode_rle(value)
