"""All kinds of shapes that are tried: one small function each, from an outline and the direction up to guesses."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from dexman_pose.arrays import Array
from dexman_pose.data import Mesh
from dexman_pose.errors import EstimationError
from dexman_pose.meshing.hypotheses.appendages import body_and_appendages
from dexman_pose.meshing.hypotheses.extruded import boxed, extruded_slab, slab_mesh
from dexman_pose.meshing.hypotheses.guesses import ShapeGuess
from dexman_pose.meshing.hypotheses.lathe import turned_mesh
from dexman_pose.meshing.hypotheses.mirror import mirror_line
from dexman_pose.meshing.hypotheses.options import (
    ExtrudedOptions,
    RevolvedOptions,
    SwollenOptions,
)
from dexman_pose.meshing.hypotheses.outlines import Outline
from dexman_pose.meshing.hypotheses.revolved import Profile, revolved_profile
from dexman_pose.meshing.hypotheses.swollen import swollen_on
from dexman_pose.meshing.inflate import SwollenOutline


@dataclass(frozen=True)
class GuessOptions:
    """Which shapes are tried.

    Attributes:
        swelling: factors on the half thickness of swollen outlines.
        thicknesses: of slabs, in the longest side of the outline.
        steep: sine of the angle between camera and table's normal below which nothing is seen from the side.
        alike: overlap of an outline with its mirror image from which on it may be that of a body on its side.
        tall: extent upwards over that across from which on a swollen outline may stand.
        long: a handle longer than this, in the diameter of its body, lies across the axis; a shorter one along it.
        revolved: of bodies of revolution.
        extruded: of slabs.
        swollen: of swollen outlines.
    """

    swelling: tuple[float, ...] = (0.8, 0.45)
    thicknesses: tuple[float, ...] = (0.035, 0.07, 0.14, 0.28, 0.55, 0.9, 1.2)
    steep: float = 0.35
    alike: float = 0.88
    tall: float = 1.2
    long: float = 0.6
    revolved: RevolvedOptions = field(default_factory=RevolvedOptions)
    extruded: ExtrudedOptions = field(default_factory=ExtrudedOptions)
    swollen: SwollenOptions = field(default_factory=SwollenOptions)


Guesser = Callable[[Sequence[Outline], Array, GuessOptions], list[ShapeGuess]]
"""From outlines, the direction up (3,) in the object frame, and options to guesses."""


def swollen_lying(views: Sequence[Outline], up: Array, options: GuessOptions) -> list[ShapeGuess]:
    """The outline swollen about a plane parallel to the table."""
    view = views[0]
    out = []
    for factor in options.swelling:
        outline = SwollenOutline(view.mask, view.camera, view.camera_from_object, factor)
        mesh = swollen_on(outline, up, view.size, options=options.swollen)
        out.append(ShapeGuess("lying", replace(mesh, source="lying"), up, numbers={"swelling": factor}))
    return out


def swollen_standing(views: Sequence[Outline], up: Array, options: GuessOptions) -> list[ShapeGuess]:
    """The outline swollen about an upright plane that faces the camera, where it is taller than wide."""
    toward = np.array([0.0, 0.0, -1.0])
    normal = toward - (toward @ up) * up
    length = float(np.linalg.norm(normal))
    if length < options.steep or slenderness(views[0], up) < options.tall:
        return []
    found = swollen_lying(views, normal / length, replace(options, swelling=options.swelling[:1]))
    return [replace(g, kind="standing", mesh=replace(g.mesh, source="standing"), axis=up) for g in found]


def revolved_standing(views: Sequence[Outline], up: Array, options: GuessOptions) -> list[ShapeGuess]:
    """A body of revolution that stands upright, full and as a vessel."""
    return [g for kind in ("revolved", "vessel") for g in _revolved(views, up, options, kind)]


def revolved_lying(views: Sequence[Outline], up: Array, options: GuessOptions) -> list[ShapeGuess]:
    """A body of revolution that lies on its side, where the outline is like its own mirror image."""
    view = views[0]
    body, _ = body_and_appendages(view.small, view.options)
    line, alike = mirror_line(body)
    if alike < options.alike or abs(float(up[2])) < options.steep:
        return []
    along = view.camera_from_object[:3, :3].T @ np.array([line[0], line[1], 0.0])
    axis = along - np.array([0.0, 0.0, float(along @ up) / float(up[2])])
    return _revolved(views, axis / np.linalg.norm(axis), options, "rolled")


def extruded_upwards(views: Sequence[Outline], up: Array, options: GuessOptions) -> list[ShapeGuess]:
    """Slabs of several thicknesses that lie or stand on the table."""
    return [g for share in options.thicknesses for g in _slab(views, up, options, "extruded", share)]


def boxes(views: Sequence[Outline], up: Array, options: GuessOptions) -> list[ShapeGuess]:
    """Boxes of several heights that lie or stand on the table."""
    return [g for share in options.thicknesses for g in _slab(views, up, options, "box", share)]


GUESSERS: dict[str, Guesser] = {
    "lying": swollen_lying,
    "standing": swollen_standing,
    "revolved": revolved_standing,
    "rolled": revolved_lying,
    "extruded": extruded_upwards,
    "box": boxes,
}
"""Every family by its name."""


def guesses(
    view: Outline, up: Array, index: int = 0, options: GuessOptions | None = None
) -> list[ShapeGuess]:
    """Every guess of every family; one that does not fit the outline gives none.

    Args:
        view: the outline.
        up: (3,) unit, object frame.
        index: what the guesses call that direction.
        options: what is tried.
    """
    o = options or GuessOptions()
    out = []
    for guesser in GUESSERS.values():
        try:
            out += guesser([view], up, o)
        except EstimationError:
            continue
    return [replace(guess, up=index) for guess in out]


def remade(
    guess: ShapeGuess,
    views: Sequence[Outline],
    *,
    axis: Array | None = None,
    thickness: float | None = None,
    options: GuessOptions | None = None,
) -> ShapeGuess | None:
    """A guess made anew: from more views, about another axis, or of another thickness; None where it does not fit.

    Args:
        guess: what is kept where nothing else is said.
        views: the first one is that the guess was made from.
        axis: (3,) unit, object frame.
        thickness: of a slab, in the longest side of the outline; factor of a swollen outline.
        options: how it is made.
    """
    o = options or GuessOptions()
    about = guess.axis if axis is None else axis
    try:
        if guess.kind == "lying":
            factor = guess.numbers["swelling"] if thickness is None else thickness
            found = swollen_lying(views, about, replace(o, swelling=(factor,)))
        elif guess.kind == "standing":
            factor = guess.numbers["swelling"] if thickness is None else thickness
            found = swollen_standing(views, about, replace(o, swelling=(factor,)))
        elif guess.kind in ("revolved", "vessel", "rolled"):
            found = _revolved(views, about, o, guess.kind)
        else:
            share = guess.numbers["thickness"] if thickness is None else thickness
            found = _slab(views, about, o, guess.kind, share)
    except EstimationError:
        return None
    return replace(found[0], up=guess.up) if found else None


def _slab(
    views: Sequence[Outline], normal: Array, options: GuessOptions, kind: str, share: float
) -> list[ShapeGuess]:
    slab = extruded_slab(views, normal, share * views[0].size, options=options.extruded)
    if slab is not None and kind == "box":
        slab = boxed(slab, options=options.extruded)
    if slab is None:
        return []
    mesh = replace(slab_mesh(slab, options=options.extruded), source=kind)
    return [ShapeGuess(kind, mesh, normal, numbers={"thickness": share})]


def _revolved(views: Sequence[Outline], axis: Array, options: GuessOptions, kind: str) -> list[ShapeGuess]:
    view = views[0]
    body, thin = body_and_appendages(view.small, view.options)
    profile = revolved_profile(views, axis, body=body, options=options.revolved)
    if profile is None:
        return []
    handle = handle_mesh(view, thin, profile, kind != "rolled", options) if thin.any() else None
    mesh = turned_mesh(profile, hollow=kind == "vessel", options=options.revolved)
    mesh = replace(mesh if handle is None else joined(mesh, handle), source=kind)
    return [ShapeGuess(kind, mesh, axis, numbers={"handle": float(handle is not None)})]


def handle_mesh(
    view: Outline, thin: NDArray[np.bool_], profile: Profile, stands: bool, options: GuessOptions
) -> Mesh | None:
    """What sticks out of a body, swollen: a long handle of what stands across the axis, others along it."""
    y, x = np.nonzero(thin)
    length = float(np.hypot(np.ptp(x), np.ptp(y))) * view.metres_per_cell
    diameter = 2.0 * float(profile.radii.max())
    outline = SwollenOutline(view.in_picture(thin), view.camera, view.camera_from_object, 1.0)
    across = stands and length > options.long * diameter
    normal = profile.axis if across else np.array([0.0, 0.0, 1.0])
    place = profile.base + (profile.heights[-1] - 0.1 * diameter) * profile.axis if across else profile.base
    try:
        return swollen_on(outline, normal, view.size, place=place, options=options.swollen)
    except EstimationError:
        return None


def slenderness(view: Outline, up: Array) -> float:
    """Extent of an outline along a direction of space (3,) over that across it, as seen."""
    y, x = np.nonzero(view.small)
    along = view.cells((0.1 * view.size * up)[None])[0] - view.cells(np.zeros((1, 3)))[0]
    along = along / max(float(np.linalg.norm(along)), np.finfo(float).tiny)
    at = np.stack([x, y], 1)
    return float(np.ptp(at @ along) + 1) / float(np.ptp(at @ np.array([-along[1], along[0]])) + 1)


def joined(mesh: Mesh, part: Mesh) -> Mesh:
    """Two meshes as one."""
    return Mesh(
        np.concatenate([mesh.vertices, part.vertices]),
        np.concatenate([mesh.faces, part.faces + len(mesh.vertices)]),
        source=mesh.source,
    )
