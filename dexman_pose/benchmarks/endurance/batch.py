"""A batch with clips that are none, whose driver is killed once: the rest is done once, as single runs do it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from time import monotonic, sleep
from typing import Any

from dexman_pose.batch.kept import FOLDER, RESULT
from dexman_pose.benchmarks.endurance.clips import write_clips
from dexman_pose.errors import EstimationError

_MODULE = (sys.executable, "-m", "dexman_pose.cli.main")
_OPTIONS = "--hands none --no-overlay --K 190,190,79.5,59.5"
_WAIT = 0.2
_LONGEST = 3600.0


@dataclass(frozen=True)
class BatchProof:
    """What came of it.

    Attributes:
        clips: in all.
        refused: names of files that are no clips, as the batch says.
        wanted: those that are none.
        done: names of clips that are done.
        twice: names of clips that were done before the driver was killed and begun again after it.
        different: names of clips whose trajectory is not that of a single run, byte for byte, of those compared.
        compared: number of clips compared.
        before: clips done when the driver was killed.
        seconds: of both batches together.
        peak_mib: most memory of a clip.
        kib: mean size of a run folder.
    """

    clips: int
    refused: tuple[str, ...]
    wanted: tuple[str, ...]
    done: tuple[str, ...]
    twice: tuple[str, ...]
    different: tuple[str, ...]
    compared: int
    before: int
    seconds: float
    peak_mib: float
    kib: float

    @property
    def passed(self) -> bool:
        """Whether everything is as promised."""
        right = set(self.refused) == set(self.wanted) and len(self.done) == self.clips - len(self.wanted)
        return right and not self.twice and not self.different


def prove_batch(
    folder: Path,
    clips: int = 40,
    poisoned: int = 3,
    workers: int = 2,
    compared: int = 4,
    said: Callable[[str], object] = lambda line: None,
) -> BatchProof:
    """Run a batch, kill its driver when a third of the clips is done, run it again, and compare with single runs.

    Args:
        folder: for clips and results.
        clips: in all.
        poisoned: of these, files that are no clips.
        workers: clips at once.
        compared: clips that are run singly, too.
        said: called with a line now and then.

    Raises:
        EstimationError: the batch does not come to an end.
    """
    source, out = folder / "clips", folder / "out"
    source.mkdir(parents=True, exist_ok=True)
    bad = write_clips(source, clips, poisoned)
    command = [*_MODULE, "batch", str(source), "--prompts", str(source / "prompts.json"), "--out", str(out)]
    command += ["--workers", str(workers), f"--options={_OPTIONS}"]
    began = monotonic()
    before = _killed(command, out, max(clips // 3, 1))
    said(f"killed when {len(before)} of {clips} were done")
    stamps = {name: _stamp(out, name) for name in before}
    subprocess.run(command, check=False, stdout=subprocess.DEVNULL, timeout=_LONGEST)
    seconds = monotonic() - began
    outcomes = _outcomes(out)
    done = tuple(name for name, outcome in outcomes.items() if outcome["state"] == "done")
    single = [name for name in done if name not in before][: compared // 2]
    single += [name for name in before if name in done][: compared - len(single)]
    different = tuple(name for name in single if not _is_as_single(folder, name))
    sizes = [sum(f.stat().st_size for f in (out / name).rglob("*") if f.is_file()) for name in done]
    return BatchProof(
        clips,
        tuple(name for name, outcome in outcomes.items() if outcome["state"] == "refused"),
        tuple(bad),
        done,
        tuple(name for name, stamp in stamps.items() if _stamp(out, name) != stamp),
        different,
        len(single),
        len(before),
        seconds,
        max((float(outcome["peak_mib"]) for outcome in outcomes.values()), default=0.0),
        sum(sizes) / max(len(sizes), 1) / 1024,
    )


def _killed(command: list[str], out: Path, count: int) -> list[str]:
    """Begin the batch, kill its driver once so many clips are done; their names."""
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    began = monotonic()
    while len(_done(out)) < count and process.poll() is None:
        if monotonic() - began > _LONGEST:
            process.kill()
            raise EstimationError(f"fewer than {count} clips were done in {_LONGEST:g} s")
        sleep(_WAIT)
    process.kill()
    process.wait()
    return _done(out)


def _outcomes(out: Path) -> dict[str, dict[str, Any]]:
    files = sorted((out / FOLDER).glob("*.json"))
    return {f.stem: json.loads(f.read_text(encoding="utf-8")) for f in files}


def _done(out: Path) -> list[str]:
    return [name for name, outcome in _outcomes(out).items() if outcome["state"] == "done"]


def _stamp(out: Path, name: str) -> tuple[int, int]:
    """What changes when a clip is done again."""
    return tuple(f.stat().st_mtime_ns for f in (out / name / RESULT, out / FOLDER / f"{name}.json"))  # type: ignore[return-value]


def _is_as_single(folder: Path, name: str) -> bool:
    """Whether a run alone, with all cores, gives the same bytes."""
    source, alone = folder / "clips", folder / "alone" / name
    command = [*_MODULE, "run", str(source / f"{name}.mp4"), "--prompts", str(source / "prompts.json")]
    subprocess.run(
        [*command, "--out", str(alone), *_OPTIONS.split()],
        check=True,
        stdout=subprocess.DEVNULL,
        timeout=_LONGEST,
    )
    return (alone / RESULT).read_bytes() == (folder / "out" / name / RESULT).read_bytes()


def lines(proof: BatchProof) -> list[str]:
    """The proof as text."""
    return [
        f"{proof.clips} clips, {len(proof.wanted)} of them no clips; killed when {proof.before} were done",
        f"done {len(proof.done)}, refused {len(proof.refused)}: {', '.join(proof.refused)}",
        f"done again though they were done: {', '.join(proof.twice) or 'none'}",
        f"not the bytes of a single run: {', '.join(proof.different) or 'none'} of {proof.compared} compared",
        f"{proof.seconds:.0f} s, {proof.seconds / max(proof.clips, 1):.1f} s a clip; at most {proof.peak_mib:.0f} MiB "
        f"a clip, {proof.kib:.0f} KiB a run folder",
        "PASS" if proof.passed else "FAIL",
    ]
