"""The other side of the contract, run as a file by a Python that need not know this package: numpy is enough.

``python worker.py FOLDER`` reads the request in a folder, calls the function, and writes its answer there.
"""

from __future__ import annotations

import importlib
import json
import os
import platform
import sys
import traceback

CONTRACT = 1
FAILED = 3


def versions() -> dict[str, str]:
    """Version of Python and of every distribution of this environment."""
    from importlib.metadata import distributions

    found = {str(d.metadata["Name"]): str(d.version) for d in distributions() if d.metadata["Name"]}
    return {"python": platform.python_version(), **dict(sorted(found.items()))}


def write_json(path: str, content: dict[str, object]) -> None:
    """Write a file that is wholly there or not at all."""
    with open(path + ".tmp", "w", encoding="utf-8") as stream:
        json.dump(content, stream)
    os.replace(path + ".tmp", path)


def answer(folder: str) -> None:
    """Do what the request in a folder asks for."""
    import numpy as np

    with open(os.path.join(folder, "request.json"), encoding="utf-8") as stream:
        request = json.load(stream)
    if request["contract"] != CONTRACT:
        raise ValueError(f"this worker speaks contract {CONTRACT}, the request {request['contract']}")
    sys.path[:0] = request["paths"]
    module, _, name = request["function"].partition(":")
    function = getattr(importlib.import_module(module), name)
    frames = np.load(os.path.join(folder, "frames.npy"), mmap_mode="r", allow_pickle=False)
    with np.load(os.path.join(folder, "inputs.npz"), allow_pickle=False) as stored:
        inputs = {key: stored[key] for key in stored.files}
    given = function(frames, inputs, request["options"])
    if not isinstance(given, dict):
        raise TypeError(
            f"{request['function']} must return a dict of arrays, but returned {type(given).__name__}"
        )
    arrays = {str(key): np.asarray(value) for key, value in given.items()}
    objects = [key for key, value in arrays.items() if value.dtype == object]
    if objects:
        raise TypeError(f"{request['function']} returned objects, not numbers, as {objects[0]!r}")
    np.savez(os.path.join(folder, "outputs.npz"), allow_pickle=False, **arrays)


def main(folder: str) -> int:
    """Answer, or say in one line why not; the whole traceback goes to the log."""
    said: dict[str, object] = {"contract": CONTRACT, "ok": True, "error": "", "versions": {}, "notes": []}
    try:
        answer(folder)
    except BaseException as error:
        traceback.print_exc()
        said |= {"ok": False, "error": f"{type(error).__name__}: {' '.join(str(error).split())}"}
    said["versions"] = versions()
    write_json(os.path.join(folder, "answer.json"), said)
    return 0 if said["ok"] else FAILED


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
