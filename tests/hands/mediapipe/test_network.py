"""A network looks at one picture at a time, whoever asks."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dexman_pose.hands.mediapipe import network


class _Interpreter:
    """Gives the picture back, and fails where a second one comes before that."""

    def __init__(self, **_: Any) -> None:
        self.busy, self.image = False, np.zeros(0, np.float32)

    def get_input_details(self) -> list[dict[str, Any]]:
        return [{"index": 0, "shape": np.array([1, 2, 2, 3])}]

    def get_output_details(self) -> list[dict[str, Any]]:
        return [{"index": 1}]

    def allocate_tensors(self) -> None:
        pass

    def set_tensor(self, _: int, image: NDArray[np.float32]) -> None:
        assert not self.busy
        self.busy, self.image = True, image

    def invoke(self) -> None:
        time.sleep(0.002)  # lets the other thread come

    def get_tensor(self, _: int) -> NDArray[np.float32]:
        self.busy = False
        return self.image


def test_threads_wait_for_each_other(monkeypatch: Any) -> None:
    runtime = type("runtime", (), {"Interpreter": _Interpreter})
    monkeypatch.setattr(network, "require", lambda *_: runtime)
    made = network.Network(b"")
    images = [np.full((1, 2, 2, 3), k, np.float32) for k in range(12)]
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(made, images))
    for image, (out,) in zip(images, found):
        np.testing.assert_array_equal(out, image)
