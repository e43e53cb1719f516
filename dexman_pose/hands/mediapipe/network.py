"""A TensorFlow Lite network as a function of one image tensor."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dexman_pose._optional import require
from dexman_pose._stderr import silent_stderr
from dexman_pose.errors import InputError

PALM_ENTRY = "hand_detector.tflite"
LANDMARK_ENTRY = "hand_landmarks_detector.tflite"


class Network:
    """One network, one input image, its outputs in the file's order.

    Args:
        content: the bytes of the ``.tflite`` file.
        threads: CPU threads of one call.
    """

    def __init__(self, content: bytes, *, threads: int = 1) -> None:
        runtime = require("ai_edge_litert.interpreter", "video", "the mediapipe hand detector")
        with silent_stderr():  # drops the note about the delegate that runs the network
            self._interpreter: Any = runtime.Interpreter(model_content=content, num_threads=threads)
            self._interpreter.allocate_tensors()
        self._input = self._interpreter.get_input_details()[0]["index"]
        self._outputs = [d["index"] for d in self._interpreter.get_output_details()]

    def __call__(self, image: NDArray[np.float32]) -> list[NDArray[np.float32]]:
        """Run on an RGB image (H, W, 3) in [0, 1] of the network's own size; outputs keep their batch axis."""
        self._interpreter.set_tensor(self._input, image[None])
        self._interpreter.invoke()
        return [self._interpreter.get_tensor(index) for index in self._outputs]


def load_bundle(path: str | Path, *, threads: int = 1) -> tuple[Network, Network]:
    """The palm network and the landmark network of a ``hand_landmarker.task`` bundle.

    Raises:
        InputError: the file is no such bundle.
    """
    try:
        with zipfile.ZipFile(path) as bundle:
            contents = [bundle.read(PALM_ENTRY), bundle.read(LANDMARK_ENTRY)]
    except (OSError, zipfile.BadZipFile, KeyError) as error:
        raise InputError(
            f"{path} is not a hand_landmarker.task bundle holding {PALM_ENTRY} and {LANDMARK_ENTRY}: {error}"
        ) from error
    try:
        palm, landmark = (Network(content, threads=threads) for content in contents)
    except ValueError as error:
        raise InputError(f"{path} holds a network that cannot be loaded: {error}") from error
    return palm, landmark
