"""Episodes to write in another format: those of a plan, or of a folder of demonstrations."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from dexman_pose.errors import InputError
from dexman_pose.robot.skill.plan import Plan
from dexman_pose.robot.skill.plan_file import NAME, read_plan

_FILM = "video.mp4"  # of a demonstration
_SHOWN = "plan.mp4"  # of a plan


@dataclass(frozen=True)
class SavedEpisode:
    """One episode as it lies on the disk.

    Attributes:
        name: unique among those that are written together.
        plan: what was commanded, and what happened.
        video: a picture for each of its frames; None where there is none.
    """

    name: str
    plan: Plan
    video: Path | None

    @property
    def task(self) -> str:
        """What is done, in words."""
        hands = " and ".join(self.plan.about.get("hands", ())) or "robot"
        names = [name.replace("_", " ") for name in self.plan.about.get("objects", {})]
        return f"move {' and '.join(names) or 'the object'} with the {hands} hand as a person did"


def saved_episodes(path: str | Path) -> list[SavedEpisode]:
    """Find the episodes of a plan (its file or its folder) or of a folder of demonstrations, as ``synth --skill`` makes
    them.

    Raises:
        InputError: there is neither; or a file is damaged.
    """
    path = Path(path)
    films = sorted(p.parent for p in (path / "films").glob(f"[!.]*/{NAME}")) if path.is_dir() else []
    if films:
        return [SavedEpisode(f.name, read_plan(f / NAME), _file(f / _FILM)) for f in films]
    if not path.exists():
        raise InputError(f"there is nothing at {path}; give a plan, or a folder that synth --skill has made")
    plan = read_plan(path)
    folder = path if path.is_dir() else path.parent
    return [SavedEpisode("plan", plan, _file(folder / _SHOWN))]


def _file(path: Path) -> Path | None:
    return path if path.is_file() else None
