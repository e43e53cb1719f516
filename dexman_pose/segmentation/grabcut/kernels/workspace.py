"""Images that Warp kernels and numpy share, kept from frame to frame, so that nothing is allocated on the way."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from dexman_pose._warp import wp
from dexman_pose.render._buffers import Buffers
from dexman_pose.render.commands import Command

_KINDS = {
    np.dtype(np.uint8): wp.uint8,
    np.dtype(np.int32): wp.int32,
    np.dtype(np.float32): wp.float32,
    np.dtype(np.float64): wp.float64,
}


class Workspace:
    """Holds named images and packed launches of one user; not to be shared between threads."""

    def __init__(self) -> None:
        self._buffers = Buffers("cpu")
        self._commands: dict[str, Command] = {}

    def image(self, name: str, kind: type, shape: tuple[int, ...]) -> NDArray[Any]:
        """The image ``name`` of a shape, with whatever an earlier call left in it; larger ones replace smaller ones."""
        size = int(np.prod(shape))
        self._buffers.get(name, _KINDS[np.dtype(kind)], size)
        return self._buffers.host(name, size).reshape(shape)

    def array(self, name: str) -> Any:
        """The Warp array behind the image ``name``."""
        return self._buffers.kept(name)

    def launch(self, kernel: Any, *arguments: Any) -> None:
        """Run a kernel whose one thread does all the work; texts stand for images of these names."""
        command = self._commands.get(kernel.key)
        if command is None:
            command = self._commands[kernel.key] = Command(kernel, "cpu")
        command((1,), *(self.array(a) if isinstance(a, str) else a for a in arguments))


def shared(values: NDArray[Any]) -> Any:
    """A Warp array over the memory of a contiguous numpy array, which must outlive it; seen as flat."""
    return wp.array(values.reshape(-1), dtype=_KINDS[values.dtype], copy=False, device="cpu")
