"""Arrays that pass through the page come out as they went in, to the promised step."""

from __future__ import annotations

import gzip

import numpy as np

from dexman_pose.viewer.replay.pack import Pack


def test_arrays_begin_where_numbers_may_and_come_back() -> None:
    pack = Pack()
    parts = {
        "flags": np.array([1, 0, 1], np.uint8),
        "bits": np.array([1 << 20, 7], np.uint32),
        "lengths": np.array([[3, 65535]], np.uint16),
    }
    for name, values in parts.items():
        pack.whole(name, values)
    data = gzip.decompress(pack.data())
    for name, values in parts.items():
        entry = pack.index[name]
        assert entry["at"] % 4 == 0 and entry["count"] == values.size
        np.testing.assert_array_equal(
            np.frombuffer(data, values.dtype, values.size, entry["at"]), values.reshape(-1)
        )


def test_rounded_numbers_keep_their_range_and_unknown_rows_are_marked() -> None:
    values = np.array([[0.4, -0.1], [1e9, 1e9], [0.7, 0.2]])
    pack = Pack()
    pack.rounded("at", values, np.array([True, False, True]))
    entry = pack.index["at"]
    raw = np.frombuffer(gzip.decompress(pack.data()), "<i2", 6).reshape(3, 2)
    assert (raw[1] == -32768).all()
    found = raw[[0, 2]] * entry["step"] + entry["middle"]
    np.testing.assert_allclose(found, values[[0, 2]], atol=0.8 / 65534 / 2 * 1.01)


def test_numbers_that_do_not_differ_or_are_not_there() -> None:
    pack = Pack()
    pack.rounded("same", np.full(3, 2.5))
    pack.rounded("none", np.full(3, np.nan))
    pack.rounded("empty", np.zeros((0, 3)))
    raw = np.frombuffer(gzip.decompress(pack.data()), "<i2")
    same = pack.index["same"]
    assert raw[0] * same["step"] + same["middle"] == 2.5
    assert (raw[4:7] == -32768).all() and pack.index["empty"]["count"] == 0


def test_the_same_arrays_make_the_same_bytes() -> None:
    def made() -> bytes:
        pack = Pack()
        pack.rounded("a", np.linspace(0, 1, 50))
        return pack.data()

    assert made() == made()
