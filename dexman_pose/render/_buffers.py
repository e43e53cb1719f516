"""Device memory that is kept between calls and grows when a call needs more."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from dexman_pose._warp import wp


class Buffers:
    """Named flat arrays on one device. A call overwrites what an earlier one left: copy results out."""

    def __init__(self, device: str) -> None:
        self.device = device
        self._arrays: dict[str, Any] = {}
        self._views: dict[str, NDArray[Any]] = {}

    def get(self, name: str, dtype: Any, size: int) -> Any:
        """The array ``name`` with room for ``size`` items; its content is whatever was there."""
        array = self._arrays.get(name)
        if array is None or array.shape[0] < size or (size == 0) != (array.shape[0] == 0):
            array = wp.empty(size, dtype=dtype, device=self.device)
            self._arrays[name] = array
            if self.device == "cpu":
                self._views[name] = array.numpy()
        return array

    def kept(self, name: str) -> Any:
        """The array ``name`` as an earlier call left it."""
        return self._arrays[name]

    def upload(self, name: str, values: NDArray[np.float64]) -> Any:
        """Float64 values, flattened, as the array ``name``."""
        flat = np.ascontiguousarray(values).reshape(-1)
        array = self.get(name, wp.float64, flat.size)
        if self.device == "cpu":
            self._views[name][: flat.size] = flat
        else:
            array.assign(np.pad(flat, (0, array.shape[0] - flat.size)))
        return array

    def clear(self, name: str, size: int) -> None:
        """Set the first ``size`` items of ``name`` to zero."""
        if self.device == "cpu":
            self._views[name][:size] = 0
        else:
            self._arrays[name][:size].zero_()

    def host(self, name: str, size: int) -> NDArray[Any]:
        """The first ``size`` items of ``name``: a view on the CPU, a copy from a GPU."""
        if self.device == "cpu":
            return self._views[name][:size]
        out: NDArray[Any] = self._arrays[name][:size].numpy()
        return out
