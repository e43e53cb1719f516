"""Kernel launches that are packed once and repeated: a plain launch spends more time in Python than in the kernel."""

from __future__ import annotations

import ctypes
import threading
from collections.abc import Callable
from functools import partial
from typing import Any

from dexman_pose._warp import wp

_LOADING = threading.Lock()
"""Held while a kernel is loaded: not by two threads at a time."""

_MOST_SIZES = 256
"""Launch sizes of one kernel that are kept; crops of a tracked object change their size from frame to frame."""


class Command:
    """One kernel on one device. Only arguments that changed since the last call are packed again.

    Not to be shared between threads. Array arguments are told apart by identity.
    """

    def __init__(self, kernel: Any, device: str) -> None:
        self._kernel, self._device = kernel, device
        self._launch: Any = None
        self._packed: _Packed | None = None
        self._run: Callable[[], object] = _nothing
        self._dim: tuple[int, ...] = ()
        self._arguments: list[Any] = []

    def __call__(self, dim: tuple[int, ...], *arguments: Any) -> None:
        """Launch over ``dim`` threads."""
        if self._launch is None:
            self._record(dim, arguments)
        else:
            if dim != self._dim:
                self._resize(dim)
            kept = self._arguments
            for i, value in enumerate(arguments):
                old = kept[i]
                if value is not old and not (type(value) in (int, float) and value == old):
                    self._put(i, value)
        self._run()

    @property
    def again(self) -> Callable[[], object]:
        """Launch once more with the arguments of the last call, as a function without arguments."""
        return self._run

    def _record(self, dim: tuple[int, ...], arguments: tuple[Any, ...]) -> None:
        with _LOADING:
            self._launch = wp.launch(
                self._kernel, dim=dim, inputs=arguments, device=self._device, record_cmd=True
            )
        self._dim, self._arguments = dim, list(arguments)
        self._packed = _Packed.of(self._launch)
        self._run = self._launch.launch if self._packed is None else self._packed.over(dim, self._launch)

    def _resize(self, dim: tuple[int, ...]) -> None:
        self._dim = dim
        if self._packed is None:
            self._launch.set_dim(dim)
        else:
            self._run = self._packed.over(dim, self._launch)

    def _put(self, index: int, value: Any) -> None:
        self._arguments[index] = value
        if self._packed is not None and type(value) in (int, float):
            self._packed.put(index, value)
            return
        self._launch.set_param_at_index(index, value)
        if self._packed is not None:
            self._packed.put(index, self._launch.params[1 + index])


class _Packed:
    """The arguments of a kernel on a CPU as the compiled function reads them, packed once.

    Warp packs all of them anew in every launch, which takes longer than a small kernel itself.
    """

    def __init__(self, function: Callable[..., object], values: list[Any]) -> None:
        fields = [(_field(i), type(value)) for i, value in enumerate(values)]
        self._function = function
        self._block = type("Arguments", (ctypes.Structure,), {"_fields_": fields})()
        self._runs: dict[tuple[int, ...], Callable[[], object]] = {}
        for i, value in enumerate(values):
            self.put(i, value)

    def put(self, index: int, value: Any) -> None:
        """Change an argument, which Warp has packed."""
        setattr(self._block, _field(index), value)

    def over(self, dim: tuple[int, ...], launch: Any) -> Callable[[], object]:
        """What runs the kernel over ``dim`` threads; ``launch`` is what Warp has recorded, whose size is changed."""
        run = self._runs.get(dim)
        if run is None:
            if len(self._runs) >= _MOST_SIZES:
                self._runs.clear()
            launch.set_dim(dim)
            run = partial(self._function, ctypes.byref(launch.params[0]), ctypes.byref(self._block))
            self._runs[dim] = run
        return run

    @classmethod
    def of(cls, launch: Any) -> _Packed | None:
        """The arguments of a recorded launch; None where it is not on a CPU, or Warp keeps it in another way."""
        try:
            if not launch.device.is_cpu or launch.block_dim > 1 or launch.adjoint:
                return None
            return cls(launch.hooks.forward, launch.params[1:])
        except (AttributeError, TypeError, ValueError):
            return None


def _field(index: int) -> str:
    return f"argument_{index}"


def _nothing() -> None:
    """What is run before there is anything to run."""
