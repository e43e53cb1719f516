"""The unit of a mesh: stated, fixed by the file's format, or judged by the size of what hands can handle."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

import numpy as np

from dexman_pose.data.mesh import Mesh, MeshUnit
from dexman_pose.errors import MeshError

UNITS: dict[str, float] = {"m": 1.0, "cm": 0.01, "mm": 0.001, "inch": 0.0254}
"""Metres of one unit of length."""

_SPELLINGS: dict[str, str] = {
    **dict.fromkeys(("m", "meter", "meters", "metre", "metres"), "m"),
    **dict.fromkeys(("cm", "centimeter", "centimeters", "centimetre", "centimetres"), "cm"),
    **dict.fromkeys(("mm", "millimeter", "millimeters", "millimetre", "millimetres"), "mm"),
    **dict.fromkeys(("in", "inch", "inches"), "inch"),
}


@dataclass(frozen=True)
class UnitOptions:
    """What sizes are plausible, and how common units are. Lengths in metres.

    Attributes:
        smallest: least longest side of an object that a hand handles.
        largest: greatest longest side of one whose unit nobody stated.
        stated_largest: greatest longest side where the unit was stated: furniture is filmed too.
        typical: the most usual longest side.
        spread: standard deviation of the logarithm of the longest side about ``typical``.
        common: how often mesh files come in a unit. CAD programs and the BOP data sets write millimetres, scanners
            and simulators metres; the rest is so rare that a longest side from 10 up is taken for millimetres.
        normalised: relative tolerance within which a longest side of 1 or 2 is the mark of a mesh without a size:
            generators of meshes fill a box of that size.
        odds: a guess that is less than so many times as plausible as the next one is warned of.
    """

    smallest: float = 0.002
    largest: float = 1.5
    stated_largest: float = 5.0
    typical: float = 0.13
    spread: float = 0.9
    common: tuple[tuple[str, float], ...] = (("m", 1.0), ("mm", 1.0), ("cm", 0.0177), ("inch", 0.003))
    normalised: float = 1e-3
    odds: float = 20.0


_DEFAULTS = UnitOptions()


def unit_of(word: str) -> str | None:
    """The unit a word names ("millimetres", "mm"), or None."""
    return _SPELLINGS.get(word.strip().lower())


def plausible_units(longest: float, options: UnitOptions = _DEFAULTS) -> tuple[str, ...]:
    """Units in which a longest side is that of a handled object, 2 mm to 1.5 m; the most plausible first.

    Args:
        longest: longest side of the bounding box in the unit of the file.
        options: the sizes and how common the units are.
    """
    weights = _weights(longest, options)
    return tuple(sorted(weights, key=lambda name: -weights[name]))


def hard_to_tell(longest: float, options: UnitOptions = _DEFAULTS) -> bool:
    """Whether a second unit is nearly as plausible as the first, so that a guess deserves a warning."""
    best = sorted(_weights(longest, options).values())[-2:]
    return len(best) == 2 and best[1] - best[0] < np.log(options.odds)


def _weights(longest: float, options: UnitOptions) -> dict[str, float]:
    """Logarithm of how plausible each unit is, of those that are."""
    weights = {}
    for name, share in options.common:
        metres = longest * UNITS[name]
        if options.smallest <= metres <= options.largest * (1 + 1e-9):
            away = np.log(metres / options.typical) / options.spread
            weights[name] = float(np.log(share) - 0.5 * away**2)
    return weights


def detect_unit(longest: float, what: str = "the mesh", options: UnitOptions = _DEFAULTS) -> str:
    """The most plausible unit of a longest side that nobody stated; see :func:`plausible_units`.

    Raises:
        MeshError: no unit gives a handled object.
    """
    return settle_unit(longest, "auto", what, options=options).name


def settle_unit(
    longest: float,
    stated: str,
    what: str,
    *,
    standard: str | None = None,
    hint: str | None = None,
    options: UnitOptions = _DEFAULTS,
) -> MeshUnit:
    """The unit of a mesh, and who said so.

    Args:
        longest: longest side of the bounding box in the unit of the file.
        stated: the user's word, a key of :data:`UNITS`, or ``"auto"``.
        what: what messages call the mesh.
        standard: the unit that the file's format prescribes. A mesh that would be no handled object in it, or that
            was normalised to a box of size 1 or 2, was not written by the standard: its unit is guessed.
        hint: a unit that the file's name speaks of; it goes first where it is plausible.
        options: the sizes and how common the units are.

    Raises:
        MeshError: the stated unit is none, or makes the mesh smaller or larger than anything that is handled; or
            nobody stated one and none is plausible.
    """
    if stated != "auto":
        if stated not in UNITS:
            raise MeshError(f"mesh unit must be auto, {', '.join(UNITS)}, but got {stated!r}")
        refuse_size(longest, stated, what, options)
        return MeshUnit(stated, "given")
    found = plausible_units(longest, options)
    if not found:
        raise MeshError(
            f"the longest side of {what} is {longest:g}, which is no handled object in metres, centimetres, "
            f"millimetres or inches; state its unit: {', '.join(UNITS)}"
        )
    if standard in found and not _normalised(longest, options):
        return MeshUnit(standard, "standard")
    first = hint if hint in found else standard if standard in found else found[0]
    return MeshUnit(first, "guessed", tuple(name for name in found if name != first))


def refuse_size(longest: float, unit: str, what: str, options: UnitOptions = _DEFAULTS) -> None:
    """Raise :class:`MeshError` where a stated unit makes a mesh smaller or larger than anything handled.

    Args:
        longest: longest side in that unit.
        unit: a key of :data:`UNITS`.
        what: what the message calls the mesh.
        options: ``smallest`` and ``stated_largest`` are read.
    """
    metres = longest * UNITS[unit]
    if options.smallest <= metres <= options.stated_largest:
        return
    found = plausible_units(longest, options)
    advice = " or ".join(f"{name} ({length_text(longest * UNITS[name])})" for name in found)
    raise MeshError(
        f"in the unit {unit}, {what} would be {length_text(metres)} long, too "
        f"{'small' if metres < options.smallest else 'large'} for a handled object; "
        + (f"a plausible unit is {advice}" if advice else "scale it to its true size")
    )


def in_unit(mesh: Mesh, name: str, unit: MeshUnit) -> Mesh:
    """A mesh that was read in another unit, as if it had been read in ``name``; ``unit`` is what it says of it."""
    before = mesh.unit.name if mesh.unit is not None else "m"
    return replace(mesh.scaled(UNITS[name] / UNITS[before]), unit=unit)


def unit_in_name(stem: str) -> str | None:
    """The unit that the end of a file's name speaks of, as in ``mug_cm``, ``part-mm``; None without one."""
    words = re.split(r"[_\-. ]", stem)
    return unit_of(words[-1]) if len(words) > 1 and words[-1].lower() != "in" else None


def length_text(metres: float) -> str:
    """A length for people, in millimetres below a metre: ``"0.122 mm"``, ``"84.5 mm"``, ``"12 m"``."""
    return f"{1000 * metres:.3g} mm" if metres < 1 else f"{metres:.3g} m"


def _normalised(longest: float, options: UnitOptions) -> bool:
    return any(abs(longest / size - 1) < options.normalised for size in (1.0, 2.0))
