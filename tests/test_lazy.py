"""Names imported when they are first used, and what single pictures no longer pay for."""

from __future__ import annotations

import subprocess
import sys

import pytest

import dexman_pose.meshing
import dexman_pose.pose
import dexman_pose.render
from dexman_pose._lazy import lazy_names

ROOMS = (dexman_pose.meshing, dexman_pose.pose, dexman_pose.render)


@pytest.mark.parametrize("room", ROOMS, ids=lambda r: str(r.__name__))
def test_every_name_of_a_room_is_there(room: object) -> None:
    names = room.__all__  # type: ignore[attr-defined]
    assert names and set(names) <= set(dir(room))
    assert all(getattr(room, name) is not None for name in names)
    assert all(name in vars(room) for name in names)  # found once, kept


def test_a_name_that_is_nowhere() -> None:
    get, names = lazy_names("dexman_pose.render", {"Rasterizer": "dexman_pose.render.rasterizer"})
    assert "Rasterizer" in names()
    with pytest.raises(AttributeError, match=r"dexman_pose\.render' has no attribute 'nonsense'"):
        get("nonsense")


@pytest.mark.parametrize(
    ("line", "unwanted"),
    [
        ("from dexman_pose.pose import estimate_pose", "torch trimesh tqdm scipy.ndimage scipy.linalg"),
        (
            "from dexman_pose.pose import refine_pose",
            "torch trimesh tqdm dexman_pose.pose.tracking.clip_tracker",
        ),
        ("from dexman_pose.meshing import load_mesh", "torch warp scipy"),
        ("from dexman_pose.render import Rasterizer", "torch scipy"),
        # What a run imports: torch would be 230 MiB and a second.
        (
            "import dexman_pose.pose.clip.objects, dexman_pose.pose.clip.followed, dexman_pose.interaction, "
            "dexman_pose.pipeline.reconstruction, dexman_pose.pipeline.with_contact.contacts, dexman_pose.scene",
            "torch matplotlib",
        ),
    ],
)
def test_what_a_door_does_not_import(line: str, unwanted: str) -> None:
    code = f"import sys\n{line}\nsys.exit(' '.join(m for m in {unwanted.split()} if m in sys.modules) or 0)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{line} imports {done.stderr}"
