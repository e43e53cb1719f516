"""Read protocols: YAML files that state what is scored and how, without defaults in the code."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from dexman_pose.data.files import door, read_yaml
from dexman_pose.errors import InputError

VSD_TAUS = tuple(round(0.05 * i, 2) for i in range(1, 11))

ALIGNMENTS = ("none", "first_frame")
DEPTHS = ("sensor", "truth_scene", "none")
MESHES = ("given", "generated")
HAND_ALIGNMENTS = ("none", "root", "scale_translation", "procrustes")


@dataclass(frozen=True)
class Protocol:
    """How predictions are scored.

    Attributes:
        name: short, for files and tables.
        title: one line for the report.
        notes: choices that a reader must know to compare, one sentence each.
        dataset: ``"taco"``, ``"bop"``, ``"dexycb"``, ``"ho3d"`` or ``"oakink2"``.
        view: a camera's serial number, ``"egocentric"``, ``"first_fixed"`` (the fixed camera with the lowest serial
            number) or ``"all"``.
        split: the dataset's split, "" for all.
        targets: names of files of BOP targets, the best first: the first that lies in the dataset's folder says which
            images and instances of its test splits are scored; where none does, all are.
        stride: every how many frames one is scored.
        objects: which objects are scored, by role or name; empty for all.
        alignment: ``"none"``, or ``"first_frame"``: the track is moved so that its first frame is true.
        depth: what stands for the sensor in VSD and depth agreement: ``"sensor"``, ``"truth_scene"`` (the objects'
            true poses rendered) or ``"none"`` (no such figures).
        mesh: ``"given"``: predictions use the dataset's mesh; ``"generated"``: their own, aligned once per sequence.
        generated_scale: whether that alignment may also change the size.
        auc_threshold: metres, upper end of the ADD and ADD-S curves.
        recall_diameter: recall counts errors below this share of the diameter.
        vsd_delta: metres, tolerance of visibility.
        vsd_taus: thresholds as shares of the diameter.
        vsd_stride: VSD is computed for every n-th scored frame.
        agreement_delta: metres, tolerance of the paper's depth agreement.
        failure: whether the paper's failure rate is computed.
        hands: alignments in which hand joints are scored.
        contacts: whether contacts and penetration are scored.
        symmetries: a symmetry file, "" for detection alone.
        undistort: whether pictures are freed of their lens distortion before they are given to the default pipeline.
        prompt_margin: pixels by which the box of the true outline is widened to make the default pipeline's prompt.
    """

    name: str
    title: str
    dataset: str
    notes: tuple[str, ...] = ()
    view: str = "all"
    split: str = ""
    targets: tuple[str, ...] = ()
    stride: int = 1
    objects: tuple[str, ...] = ()
    alignment: str = "none"
    depth: str = "truth_scene"
    mesh: str = "given"
    generated_scale: bool = False
    auc_threshold: float = 0.1
    recall_diameter: float = 0.1
    vsd_delta: float = 0.015
    vsd_taus: tuple[float, ...] = field(default=VSD_TAUS)
    vsd_stride: int = 1
    agreement_delta: float = 0.01
    failure: bool = True
    hands: tuple[str, ...] = ("none", "root", "procrustes")
    contacts: bool = True
    symmetries: str = ""
    undistort: bool = True
    prompt_margin: float = 2.0

    def __post_init__(self) -> None:
        _one_of("alignment", self.alignment, ALIGNMENTS)
        _one_of("depth", self.depth, DEPTHS)
        _one_of("mesh", self.mesh, MESHES)
        for alignment in self.hands:
            _one_of("hands", alignment, HAND_ALIGNMENTS)
        for name in ("stride", "vsd_stride"):
            if getattr(self, name) < 1:
                raise InputError(
                    f"protocol {self.name}: {name} must be at least 1, but is {getattr(self, name)}"
                )
        for name in ("auc_threshold", "recall_diameter", "vsd_delta", "agreement_delta"):
            if not getattr(self, name) > 0:
                raise InputError(
                    f"protocol {self.name}: {name} must be positive, but is {getattr(self, name)}"
                )

    def as_dict(self) -> dict[str, Any]:
        """Plain values, in the order of the file."""
        return asdict(self)


def load_protocol(name: str | Path) -> Protocol:
    """A protocol by its name, or from a file.

    Args:
        name: one of :func:`protocol_names`, or the path of a YAML file.

    Raises:
        InputError: there is no such protocol, or the file holds keys or values that mean nothing.
    """
    path = Path(name)
    if path.suffix not in (".yaml", ".yml"):
        path = protocol_folder() / f"{name}.yaml"
        if not path.is_file():
            known = ", ".join(protocol_names()) or "none here"
            raise InputError(f"no protocol named {name}; there are: {known}; or give the path of a YAML file")
    if not path.is_file():
        raise InputError(f"the protocol file {path} does not exist")
    with door(path, "a protocol"):
        return _from_values(read_yaml(path), path)


def protocol_names() -> list[str]:
    """Names of the protocols that come with the package."""
    return sorted(p.stem for p in protocol_folder().glob("*.yaml"))


def protocol_folder() -> Path:
    """Where the protocols that come with the package lie: in a checkout, or in the installed package."""
    inside = Path(__file__).resolve().parent / "protocols"
    return inside if inside.is_dir() else Path(__file__).resolve().parents[2] / "eval" / "protocols"


def _from_values(values: object, path: Path) -> Protocol:
    if not isinstance(values, dict):
        raise InputError(f"{path}: expected keys and values, but found {type(values).__name__}")
    known = {f.name: f for f in fields(Protocol)}
    unknown = [str(key) for key in values if key not in known]
    if unknown:
        raise InputError(f"{path}: unknown key {unknown[0]!r}; there are: {', '.join(known)}")
    absent = [key for key in ("name", "title", "dataset") if key not in values]
    if absent:
        raise InputError(f"{path}: {absent[0]} is missing")
    try:
        return Protocol(**{key: _typed(key, value, known[key].type) for key, value in values.items()})
    except (TypeError, ValueError) as error:
        if isinstance(error, InputError):
            raise InputError(f"{path}: {error}") from error
        raise InputError(f"{path}: {error}") from error


def _typed(key: str, value: Any, kind: Any) -> Any:
    """A value of the file as the field's type; a number where text is expected is text (serial numbers)."""
    if kind == "str":
        return str(value)
    if kind == "bool":
        if not isinstance(value, bool):
            raise InputError(f"{key} must be true or false, but is {value!r}")
        return value
    if kind == "int":
        if not isinstance(value, int) or isinstance(value, bool):
            raise InputError(f"{key} must be a whole number, but is {value!r}")
        return value
    if kind == "float":
        if not isinstance(value, (int, float)) or isinstance(value, bool):
            raise InputError(f"{key} must be a number, but is {value!r}")
        return float(value)
    if not isinstance(value, list):
        raise InputError(f"{key} must be a list, but is {value!r}")
    return tuple(float(v) for v in value) if "float" in kind else tuple(str(v) for v in value)


def _one_of(key: str, value: str, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise InputError(f"{key} must be one of {', '.join(allowed)}, but is {value!r}")
