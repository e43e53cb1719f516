"""A command of this package in a process of its own, whose memory is watched stage by stage."""

from __future__ import annotations

import re
import subprocess
import sys
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from time import monotonic, sleep

from dexman_pose.errors import EstimationError

COMMAND = (sys.executable, "-m", "dexman_pose.cli.main")
"""How the command line of this package is started."""

_STAGE = re.compile(r"stage \d+/\d+\s+(\S+)\s")
_LAST_LINES = 400  # characters of what it printed that an error repeats


@dataclass(frozen=True)
class Watched:
    """What a command needed.

    Attributes:
        seconds: by the clock.
        processor: seconds of all cores.
        peaks: most resident MiB until each stage was done since the one before it, by stage, in their order; the last,
            ``"end"``, is what came after the last stage.
    """

    seconds: float
    processor: float
    peaks: dict[str, float]

    @property
    def peak_mib(self) -> float:
        """Most resident memory."""
        return max(self.peaks.values(), default=0.0)


def run_watched(arguments: Sequence[str], interval: float = 0.05) -> Watched:
    """Run the command line with arguments, reading its resident memory every ``interval`` seconds; Linux only.

    Raises:
        EstimationError: it ended with another status than 0.
    """
    began = monotonic()
    process = subprocess.Popen(
        [*COMMAND, *arguments], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, bufsize=1
    )
    peaks: dict[str, float] = {}
    said: list[str] = []
    high = [0.0]
    processor = [0.0]
    ended = threading.Event()

    def watch() -> None:
        while not ended.is_set():
            high[0] = max(high[0], _resident_mib(process.pid))
            processor[0] = max(processor[0], _processor_seconds(process.pid))
            sleep(interval)

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    assert process.stdout is not None
    for line in process.stdout:
        said.append(line)
        if found := _STAGE.search(line):
            peaks[found[1]], high[0] = high[0], 0.0
    status = process.wait()
    ended.set()
    watcher.join()
    peaks["end"] = high[0]
    if status != 0:
        raise EstimationError(
            f"'{' '.join(arguments)}' ended with {status}: ...{''.join(said)[-_LAST_LINES:]}"
        )
    return Watched(monotonic() - began, processor[0], peaks)


def _resident_mib(process: int) -> float:
    try:
        for line in Path(f"/proc/{process}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) / 1024
    except (OSError, IndexError, ValueError):
        pass
    return 0.0


def _processor_seconds(process: int) -> float:
    import os

    try:
        fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / float(os.sysconf("SC_CLK_TCK"))
    except (OSError, IndexError, ValueError):
        return 0.0
