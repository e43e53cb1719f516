"""A TensorFlow Lite network as a function of a few images of one size."""

from __future__ import annotations

import zipfile
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dexman_pose._optional import require
from dexman_pose._stderr import silent_stderr
from dexman_pose.errors import InputError
from dexman_pose.threads import cores

PALM_ENTRY = "hand_detector.tflite"
LANDMARK_ENTRY = "hand_landmarks_detector.tflite"


class Network:
    """One network, a fixed number of input images, its outputs in the file's order.

    Args:
        content: the bytes of the ``.tflite`` file.
        threads: CPU threads of one call.
        batch: images of one call. The landmark network takes any number, each as if it were alone; the palm network is
            written for one.
    """

    def __init__(self, content: bytes, *, threads: int = 1, batch: int = 1) -> None:
        runtime = require("ai_edge_litert.interpreter", "video", "the mediapipe hand detector")
        with silent_stderr():  # drops the note about the delegate that runs the network
            self._interpreter: Any = runtime.Interpreter(model_content=content, num_threads=threads)
            details = self._interpreter.get_input_details()[0]
            self._input = details["index"]
            if batch != 1:
                self._interpreter.resize_tensor_input(self._input, [batch, *details["shape"][1:]])
            self._interpreter.allocate_tensors()
        self._outputs = [d["index"] for d in self._interpreter.get_output_details()]
        self._free = Lock()  # an interpreter holds one picture: frames ahead are looked at in another thread

    def __call__(self, images: NDArray[np.float32]) -> list[NDArray[np.float32]]:
        """Run on RGB images (batch, H, W, 3) in [0, 1] of the network's own size; outputs begin with the batch axis."""
        with self._free:
            self._interpreter.set_tensor(self._input, images)
            self._interpreter.invoke()
            return [self._interpreter.get_tensor(index) for index in self._outputs]


@dataclass(frozen=True)
class Networks:
    """The networks of one bundle.

    Attributes:
        palm: finds palms in a whole image.
        landmark: finds the joints in one region.
        landmarks: the same network for two regions at once, on two threads.
    """

    palm: Network
    landmark: Network
    landmarks: Network


def load_bundle(path: str | Path, *, threads: int = 1) -> Networks:
    """The palm network and the landmark network of a ``hand_landmarker.task`` bundle.

    Args:
        path: of the bundle.
        threads: CPU threads of a network per image.

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
        both = Network(contents[1], threads=min(2 * threads, max(threads, cores())), batch=2)
    except ValueError as error:
        raise InputError(f"{path} holds a network that cannot be loaded: {error}") from error
    return Networks(palm, landmark, both)
