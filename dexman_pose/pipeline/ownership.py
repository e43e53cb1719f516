"""Whose run a folder holds: one clip's; another clip's run is not mixed into it."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from dexman_pose.data.clip import Clip
from dexman_pose.data.files import read_json_or_none, unwritable_is_bad_input
from dexman_pose.errors import InputError
from dexman_pose.pipeline.hashing import hash_arrays
from dexman_pose.pipeline.run_folder import MANIFESTS, RunFolder

RUN_FILE = "run.json"
MADE = ("trajectory.npz", "overlay.mp4", "report.html", "error.log", RUN_FILE)
"""What a run leaves in its folder, beside the folder of its stages."""


def claim(folder: RunFolder, clip: Clip, content: str, *, overwrite: bool) -> None:
    """See that a run folder is empty, or holds a run of the same clip.

    A clip is the same when its content is, when it is the same folder of pictures, of which fewer or more may be used,
    or when frames in memory begin with the same one. With ``overwrite`` another clip's run is removed, all of it; files
    that no run makes stay.

    Args:
        folder: held by this process.
        clip: what is going to be run.
        content: hash of its content.
        overwrite: whether another clip's run may be removed.

    Raises:
        InputError: the folder holds another clip's run, and it may not be removed.
    """
    before = read_json_or_none(folder.path / RUN_FILE)
    if not isinstance(before, dict) or _same(before, clip, content):
        return
    if not overwrite:
        raise InputError(
            f"{folder.path} holds the run of another clip ({before.get('video') or 'frames in memory'}): give another "
            "output folder, or replace it with --overwrite (overwrite=True)"
        )
    _empty(folder.path)


def identity(clip: Clip, content: str) -> dict[str, str | None]:
    """What tells a clip in run folders: where it comes from, its content, and of frames in memory the first one."""
    if clip.path is not None:
        return {"video": str(Path(clip.path).absolute()), "content": content}
    first = f"{clip.width}x{clip.height} {hash_arrays(clip.frame(0))}"
    return {"video": None, "content": content, "first_frame": first}


def _same(before: dict[str, Any], clip: Clip, content: str) -> bool:
    now = identity(clip, content)
    video = now["video"]
    if before.get("content") == content:
        return True
    if video is None:
        return before.get("video") is None and before.get("first_frame") in (None, now["first_frame"])
    written_before_contents = "content" not in before
    return before.get("video") == video and (written_before_contents or Path(video).is_dir())


def _empty(root: Path) -> None:
    with unwritable_is_bad_input(root):
        for name in MADE:
            (root / name).unlink(missing_ok=True)
        for path in (root / MANIFESTS).iterdir():
            if path.is_dir():
                shutil.rmtree(path)
            elif path.name != ".lock":  # held by this process
                path.unlink()
