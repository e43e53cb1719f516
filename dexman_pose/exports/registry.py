"""The formats by name: one table, whose writers are imported when they are used."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from difflib import get_close_matches
from importlib import import_module
from pathlib import Path
from typing import Any

from dexman_pose._optional import told_missing
from dexman_pose.data import Trajectory
from dexman_pose.data.numbers import described
from dexman_pose.errors import InputError


@dataclass(frozen=True)
class ExportFormat:
    """One format that something can be exported to.

    Attributes:
        name: what the user calls it.
        writer: ``module:function`` of ``write(source, path, **options) -> Path``.
        suffixes: of the file that is written; empty where it is a folder.
        about: one line for help and documentation.
        options: keywords that the writer takes.
        reads: what is exported: ``"trajectory"``, or ``"path"`` where the writer opens the path it is given itself.
    """

    name: str
    writer: str
    suffixes: tuple[str, ...]
    about: str
    options: tuple[str, ...] = ()
    reads: str = "trajectory"

    def write(self) -> Callable[..., Path]:
        """The function that writes it."""
        module, _, function = self.writer.partition(":")
        with told_missing(f"export to {self.name}"):
            found: Callable[..., Path] = getattr(import_module(module), function)
        return found


_HERE = "dexman_pose.exports"

_TABLE = (
    ExportFormat(
        "gltf", f"{_HERE}.gltf:write_gltf", (".glb",), "animated scene in one file, +Y up", ("hands",)
    ),
    ExportFormat(
        "usd",
        f"{_HERE}.usd:write_usd",
        (".usd", ".usda", ".usdc"),
        "animated stage, z up, textures beside it",
        ("hands",),
    ),
    ExportFormat(
        "mjcf",
        f"{_HERE}.mjcf:write_mjcf",
        (),
        "folder with MuJoCo's scene.xml, a keyframe per frame",
        ("bodies", "density"),
    ),
    ExportFormat(
        "bop",
        f"{_HERE}.bop:write_bop",
        (),
        "folder: scene_gt.json, scene_camera.json, models, millimetres",
        ("clip",),
    ),
    ExportFormat("bop-csv", f"{_HERE}.bop:write_bop_csv", (".csv",), "poses as rows of BOP's results"),
    ExportFormat("taco", f"{_HERE}.taco:write_taco", (), "folders of .npy as TACO's", ("sequence",)),
    ExportFormat(
        "mano",
        f"{_HERE}.mano:write_mano_fit",
        (".npz",),
        "MANO parameters of the hands, fitted with your own MANO files",
        ("mano_right", "mano_left"),
    ),
    ExportFormat(
        "maniptrans",
        f"{_HERE}.maniptrans:write_maniptrans",
        (),
        "dictionary per hand and object as ManipTrans' data classes give it",
    ),
    ExportFormat(
        "dexmachina",
        f"{_HERE}.dexmachina:write_dexmachina",
        (),
        "dictionary per object as DexMachina reads demonstrations",
    ),
    ExportFormat(
        "rerun",
        f"{_HERE}.rerun_log:write_rerun",
        (".rrd",),
        "recording for the Rerun viewer",
        ("clip", "masks"),
    ),
)

FORMATS: dict[str, ExportFormat] = {entry.name: entry for entry in _TABLE}
"""Every format by its name."""


def export(source: Trajectory | str | Path, format: str, path: str | Path, **options: Any) -> Path:
    """Write a trajectory in the format of another program.

    Args:
        source: a :class:`~dexman_pose.Trajectory`, its file, or the folder of a run.
        format: a name in :data:`FORMATS`; docs/exports.md says what each holds.
        path: file to write, or folder to write into.
        **options: of the format, as its entry in the table names them.

    Returns:
        The file or the folder.

    Raises:
        InputError: no such format, an option that it does not have, a path of another kind, nothing to export.
        MissingExtraError: the format needs a package that is not installed.
    """
    chosen = format_of(format)
    path = _checked(chosen, path)
    given = {name: value for name, value in options.items() if value is not None}
    unknown = [name for name in given if name not in chosen.options]
    if unknown:
        known = ", ".join(chosen.options) or "none"
        raise InputError(f"format {chosen.name!r} has no option {', '.join(unknown)}; it has: {known}")
    what = _trajectory(source) if chosen.reads == "trajectory" else source
    return chosen.write()(what, path, **given)


def format_of(name: str) -> ExportFormat:
    """The entry of a name.

    Raises:
        InputError: there is none; the message lists those there are.
    """
    if not isinstance(name, str) or name not in FORMATS:
        near = get_close_matches(name, FORMATS, 1) if isinstance(name, str) else []
        meant = f"; did you mean {near[0]!r}?" if near else ""
        raise InputError(f"there is no format {described(name)}{meant} (there are: {', '.join(FORMATS)})")
    return FORMATS[name]


def _checked(chosen: ExportFormat, path: str | Path) -> Path:
    path = Path(path).expanduser()
    if not chosen.suffixes:
        if path.is_file():
            raise InputError(
                f"format {chosen.name!r} writes a folder, but {path} is a file; give another path"
            )
        return path
    if path.suffix.lower() not in chosen.suffixes:
        raise InputError(
            f"format {chosen.name!r} writes {' or '.join(chosen.suffixes)}, but the path is {path}"
        )
    if path.is_dir():
        raise InputError(f"format {chosen.name!r} writes a file, but {path} is a folder; give another path")
    return path


def _trajectory(source: Trajectory | str | Path) -> Trajectory:
    if isinstance(source, Trajectory):
        source.validate()
        return _seen(source)
    if isinstance(source, (str, Path)):
        return _seen(Trajectory.load(Path(source).expanduser()))
    raise InputError(
        f"what is exported must be a Trajectory, its file or a run's folder, but got {described(source)}"
    )


def _seen(trajectory: Trajectory) -> Trajectory:
    """The trajectory without hands that are valid in no frame: they have no shape."""
    if trajectory.num_frames == 0:
        raise InputError("the trajectory has no frames: there is nothing to export")
    return replace(trajectory, hands={s: hand for s, hand in trajectory.hands.items() if hand.valid.any()})
