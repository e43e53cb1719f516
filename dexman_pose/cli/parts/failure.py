"""What remains of a failure for us: a log with the traceback."""

from __future__ import annotations

import json
import sys
import tempfile
import traceback
from pathlib import Path

from dexman_pose.pipeline.versions import versions


def write_error_log(error: BaseException, folder: str | Path | None) -> Path:
    """Write command, versions and traceback to ``error.log`` in the run folder, or to a temporary file."""
    text = "\n".join(
        [
            "command: " + " ".join(sys.argv),
            "versions: " + json.dumps(versions()),
            "",
            "".join(traceback.format_exception(error)),
        ]
    )
    if folder is not None:
        path = Path(folder).expanduser() / "error.log"
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
            return path
        except OSError:
            pass  # the run folder cannot be written: keep the log where that is possible
    with tempfile.NamedTemporaryFile(
        "w", prefix="dexman-pose-", suffix=".log", delete=False, encoding="utf-8"
    ) as stream:
        stream.write(text)
    return Path(stream.name)
