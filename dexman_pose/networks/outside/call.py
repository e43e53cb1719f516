"""A call into another environment: asked through files, watched, ended with all that it started."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import tempfile
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib.format import open_memmap
from numpy.typing import NDArray

from dexman_pose.data import Clip
from dexman_pose.errors import EstimationError, InputError, MissingExtraError
from dexman_pose.networks.outside import contract, worker
from dexman_pose.networks.outside.environment import Environment

_GRACE = 5.0
"""Seconds to end by itself after it was asked to."""
_LAST_LINES = 3
"""Lines of the log that a message quotes."""
_LONGEST = 600
"""Characters of them."""


@dataclass(frozen=True)
class Outcome:
    """What came back.

    Attributes:
        arrays: by name.
        versions: of Python and the distributions there, by name.
        log: what was printed.
    """

    arrays: dict[str, NDArray[Any]]
    versions: dict[str, str]
    log: str


def call_outside(
    environment: Environment,
    clip: Clip,
    inputs: Mapping[str, NDArray[Any]],
) -> Outcome:
    """Have a function of another environment work on a clip.

    Args:
        environment: where, and which function.
        clip: its frames are written to disk one by one.
        inputs: arrays by name, as :mod:`~dexman_pose.networks.outside.contract` says.

    Raises:
        InputError: no such Python.
        MissingExtraError: the function, or numpy, is missing there; the message says what to install where.
        EstimationError: the function failed, took too long, or answered what is no answer.
    """
    interpreter = environment.interpreter
    folder = environment.keep
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
        return _call(environment, interpreter, clip, inputs, folder)
    with tempfile.TemporaryDirectory(prefix="dexman_pose_") as temporary:
        return _call(environment, interpreter, clip, inputs, Path(temporary))


def _call(
    environment: Environment, interpreter: Path, clip: Clip, inputs: Mapping[str, NDArray[Any]], folder: Path
) -> Outcome:
    for old in (contract.ANSWER, contract.OUTPUTS):
        (folder / old).unlink(missing_ok=True)
    _ask(environment, clip, inputs, folder)
    status = _run(environment, interpreter, folder)
    log = (folder / contract.LOG).read_text(encoding="utf-8", errors="replace")
    return _answer(environment, interpreter, folder, status, log)


def _ask(environment: Environment, clip: Clip, inputs: Mapping[str, NDArray[Any]], folder: Path) -> None:
    frames = open_memmap(
        folder / contract.FRAMES, "w+", np.uint8, (clip.num_frames, clip.height, clip.width, 3)
    )
    for index, rgb in clip.frames(shared=True):
        frames[index] = rgb
    frames.flush()
    del frames
    arrays = {name: np.asarray(value) for name, value in inputs.items()}
    np.savez(folder / contract.INPUTS, allow_pickle=False, **arrays)
    request = {
        "contract": contract.CONTRACT,
        "function": environment.function,
        "paths": [str(p.resolve()) for p in environment.paths],
        "options": environment.options,
        "fps": clip.fps,
    }
    try:
        text = json.dumps(request)
    except TypeError as error:
        raise InputError(f"options of {environment.function} must be what JSON can hold: {error}") from error
    (folder / contract.REQUEST).write_text(text, encoding="utf-8")


def _run(environment: Environment, interpreter: Path, folder: Path) -> int:
    """The exit status of the worker. Whatever happens here, it does not outlive this call."""
    # The other Python must not see this one's packages.
    own = {k: v for k, v in os.environ.items() if k not in {"PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV"}}
    command = [str(interpreter), "-u", worker.__file__, str(folder)]
    with (folder / contract.LOG).open("wb") as log:
        try:
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=own,
                cwd=folder,
                start_new_session=True,
            )
        except OSError as error:
            raise InputError(f"{interpreter} cannot be run as Python: {error}") from error
        try:
            return process.wait(environment.timeout_s)
        except subprocess.TimeoutExpired as error:
            raise EstimationError(
                f"{environment.function} took longer than {environment.timeout_s:g} s in {interpreter} and was "
                f"ended; its last lines: {_last(folder)}. Give it longer with timeout_s"
            ) from error
        finally:
            _end(process)


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a process and all that it started, first politely."""
    for how in (signal.SIGTERM, signal.SIGKILL):
        if hasattr(os, "killpg"):
            try:
                os.killpg(process.pid, how)
            except (ProcessLookupError, PermissionError):
                break
        elif process.poll() is None:
            process.terminate()
        try:
            process.wait(_GRACE)
        except subprocess.TimeoutExpired:
            continue
    process.wait()


def _answer(environment: Environment, interpreter: Path, folder: Path, status: int, log: str) -> Outcome:
    path = folder / contract.ANSWER
    try:
        said = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise EstimationError(
            f"{environment.function} in {interpreter} ended with status {status} and no answer; its last lines: "
            f"{_last(folder)}"
        ) from error
    if said.get("contract") != contract.CONTRACT:
        raise EstimationError(
            f"{interpreter} answered by contract {said.get('contract')}, but {contract.CONTRACT} was expected"
        )
    if not said.get("ok"):
        raise _failure(environment, interpreter, str(said.get("error")))
    try:
        with np.load(folder / contract.OUTPUTS, allow_pickle=False) as stored:
            arrays = {name: stored[name] for name in stored.files}
    except (OSError, ValueError, zipfile.BadZipFile) as error:
        raise EstimationError(f"{environment.function} wrote outputs that cannot be read: {error}") from error
    return Outcome(arrays, {str(k): str(v) for k, v in said.get("versions", {}).items()}, log)


def _failure(environment: Environment, interpreter: Path, error: str) -> Exception:
    kind, _, text = error.partition(": ")
    if kind in {"ModuleNotFoundError", "ImportError"}:
        missing = text.rpartition("No module named ")[2].strip("'\"") if "No module named" in text else None
        how = f"install it with: {interpreter} -m pip install {missing or '...'}"
        if missing is not None and environment.function.partition(".")[0].partition(":")[0] == missing:
            how = f"name the folder it lies in as one of paths, or {how}"
        return MissingExtraError(
            f"{environment.function} cannot be imported in {interpreter} ({text}): {how}"
        )
    return EstimationError(f"{environment.function} failed in {interpreter}: {error[:_LONGEST]}")


def _last(folder: Path) -> str:
    text = (folder / contract.LOG).read_text(encoding="utf-8", errors="replace")
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return " / ".join(lines[-_LAST_LINES:])[-_LONGEST:] or "none"
