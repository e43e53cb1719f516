"""Another Python environment: where it is, what is called there, and for how long."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from dexman_pose.data.numbers import number
from dexman_pose.errors import InputError

_REQUIRED = {"python", "function"}
_FIELDS = {"python", "function", "paths", "options", "timeout_s", "keep"}


@dataclass(frozen=True)
class Environment:
    """A function of another environment.

    Attributes:
        python: its interpreter, or the folder of a virtual environment.
        function: what is called there, as ``module:function``.
        paths: folders that are put before its ``sys.path``.
        options: handed to the function; whatever JSON can hold.
        timeout_s: seconds after which it is ended.
        keep: folder in which request, answer with all versions, and log are kept; None keeps nothing.
    """

    python: Path
    function: str
    paths: tuple[Path, ...] = ()
    options: dict[str, Any] = field(default_factory=dict)
    timeout_s: float = 3600.0
    keep: Path | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.function, str) or not all(self.function.partition(":")):
            raise InputError(f"function must be module:function, but got {self.function!r}")
        number(self.timeout_s, "timeout_s", above=0.0)

    @property
    def interpreter(self) -> Path:
        """The interpreter itself.

        Raises:
            InputError: there is none.
        """
        named = Path(self.python).expanduser()
        places = (named / "bin" / "python", named / "Scripts" / "python.exe") if named.is_dir() else (named,)
        for place in places:
            if place.is_file():
                return place
        raise InputError(
            f"there is no Python at {named}; make an environment with: python3 -m venv {named}, and install in "
            f"it what {self.function} needs, numpy at least"
        )

    @classmethod
    def read(cls, path: str | Path) -> Environment:
        """An environment as a YAML file tells it; paths in it are relative to the file.

        Raises:
            InputError: no such file, or one that tells no environment.
        """
        path = Path(path).expanduser()
        try:
            told = yaml.safe_load(path.read_text(encoding="utf-8"))
        except (OSError, ValueError, yaml.YAMLError) as error:
            raise InputError(
                f"{path} cannot be read as an environment: {' '.join(str(error).split())}"
            ) from error
        if not isinstance(told, dict) or not _REQUIRED <= set(told) <= _FIELDS:
            held = ", ".join(map(str, told)) if isinstance(told, dict) else type(told).__name__
            more = ", ".join(sorted(_FIELDS - _REQUIRED))
            raise InputError(f"{path} must hold python and function, and may hold {more}; it holds {held}")
        here = path.parent
        return cls(
            here / Path(str(told["python"])).expanduser(),
            str(told["function"]),
            tuple(here / Path(str(p)).expanduser() for p in told.get("paths", ())),
            dict(told.get("options") or {}),
            number(told.get("timeout_s", cls.timeout_s), f"{path}: timeout_s", above=0.0),
            here / Path(str(told["keep"])).expanduser() if told.get("keep") else None,
        )
