"""Kernel launches that are packed once and repeated: a plain launch spends more time in Python than in the kernel."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from dexman_pose.render._warp import wp

_LOADING = threading.Lock()
"""Held while a kernel is loaded: not by two threads at a time."""


class Command:
    """One kernel on one device. Only arguments that changed since the last call are packed again.

    Not to be shared between threads. Array arguments are told apart by identity.
    """

    def __init__(self, kernel: Any, device: str) -> None:
        self._kernel, self._device = kernel, device
        self._launch: Any = None
        self._dim: tuple[int, ...] = ()
        self._arguments: list[Any] = []

    def __call__(self, dim: tuple[int, ...], *arguments: Any) -> None:
        """Launch over ``dim`` threads."""
        if self._launch is None:
            with _LOADING:
                self._launch = wp.launch(
                    self._kernel, dim=dim, inputs=arguments, device=self._device, record_cmd=True
                )
            self._dim, self._arguments = dim, list(arguments)
        else:
            if dim != self._dim:
                self._launch.set_dim(dim)
                self._dim = dim
            kept = self._arguments
            for i, value in enumerate(arguments):
                old = kept[i]
                if value is not old and not (type(value) in (int, float) and value == old):
                    self._launch.set_param_at_index(i, value)
                    kept[i] = value
        self._launch.launch()

    @property
    def again(self) -> Callable[[], None]:
        """Launch once more with the arguments of the last call, as a function without arguments."""
        launch: Callable[[], None] = self._launch.launch
        return launch
