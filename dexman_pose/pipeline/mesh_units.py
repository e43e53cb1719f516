"""The size of the user's meshes against what else is known: the size of handled things, and depth images.

A mesh file has no unit. Where nobody stated it, depth decides between the plausible ones; where somebody did, depth may
say that it cannot be. Both need only the order of magnitude: units of length are a factor of 2.5 or more apart.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from dexman_pose.arrays import Mask
from dexman_pose.data.camera import Camera
from dexman_pose.data.depth import DepthSequence
from dexman_pose.data.mesh import Mesh, MeshUnit
from dexman_pose.data.prompts import ObjectPrompt
from dexman_pose.errors import InputError, MeshError
from dexman_pose.meshing.units import UNITS, in_unit, length_text, refuse_size

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class SizeOptions:
    """How a size in depth is read, and how far a mesh may be from it. Set by reasoning on what views and boxes do.

    Attributes:
        border: share of a box along its sides that is not looked at.
        near: percentile of the depth in a box that is taken for the object's: what is handled is in front.
        pixels: fewer measured pixels than this tell nothing.
        agree: a unit is taken when it brings the mesh within this factor of the size seen. An object seen end on, or
            half hidden, looks smaller by up to three, one in a wide box larger.
        contradict: a stated unit is refused beyond this factor.
        rare: factor by which inches must fit better than other units: they lie close to centimetres.
    """

    border: float = 0.1
    near: float = 10.0
    pixels: int = 30
    agree: float = 4.0
    contradict: float = 6.0
    rare: float = 1.5


_DEFAULTS = SizeOptions()


def sized_meshes(
    meshes: Mapping[str, Mesh | None],
    prompts: Mapping[str, ObjectPrompt],
    camera: Camera,
    depth: DepthSequence | None,
    options: SizeOptions = _DEFAULTS,
) -> dict[str, Mesh | None]:
    """The meshes in the unit that fits what is known.

    Args:
        meshes: in metres as far as they know, None where one has to be made.
        prompts: where each object is; one whose ``mesh_scale`` is not ``"known"`` is left as it is.
        camera: intrinsics, given or assumed.
        depth: metres, registered to the camera, or None.
        options: how sizes are compared.

    Raises:
        InputError: a mesh is too small or too large for a handled object, or far from the size that depth shows.
    """
    out = dict(meshes)
    for name, mesh in meshes.items():
        prompt = prompts[name]
        if mesh is None or prompt.mesh_scale != "known":
            continue
        longest = float(mesh.extents.max())
        try:
            refuse_size(longest, "m", "its mesh")
        except MeshError as error:
            raise MeshError(f"object {name!r}: {error}") from error
        seen = None if depth is None else seen_size(prompt, camera, depth, options)
        if seen is None:
            continue
        unit = mesh.unit
        if unit is not None and unit.source == "guessed":
            out[name] = _decided(name, mesh, unit, seen, options)
        elif not 1 / options.contradict <= seen / longest <= options.contradict:
            stated = "in metres" if unit is None else f"in the unit {unit.name}"
            raise InputError(
                f"object {name!r}: {stated} its mesh is {length_text(longest)} long, but depth shows about "
                f"{length_text(seen)} there; check the unit of the mesh (m, cm, mm, inch) and that of the depth"
            )
    return out


def seen_size(
    prompt: ObjectPrompt, camera: Camera, depth: DepthSequence, options: SizeOptions = _DEFAULTS
) -> float | None:
    """Metres across what the prompt shows, by depth: the diagonal of its box at the object's distance.

    None where the prompt has neither box nor mask, or depth measured too little there.
    """
    if prompt.frame >= len(depth):
        return None
    measured = np.asarray(depth.frame(prompt.frame), np.float64)
    if prompt.mask is not None and prompt.mask.shape == measured.shape and prompt.mask.any():
        region, (w, h), percentile = prompt.mask, _span(prompt.mask), 50.0
    elif prompt.box is not None:
        x0, y0, x1, y1 = (float(v) for v in prompt.box)
        w, h, percentile = x1 - x0, y1 - y0, options.near
        inset = options.border * np.array([w, h])
        region = np.zeros(measured.shape, np.bool_)
        rows = slice(max(int(y0 + inset[1]), 0), int(np.ceil(y1 - inset[1])))
        region[rows, max(int(x0 + inset[0]), 0) : int(np.ceil(x1 - inset[0]))] = True
    else:
        return None
    values = measured[region & (measured > 0)]
    if len(values) < options.pixels:
        return None
    z = float(np.percentile(values, percentile))
    return float(np.hypot(w / camera.fx, h / camera.fy)) * z


def _span(mask: Mask) -> tuple[float, float]:
    """(width, height) of the box around a mask."""
    y, x = np.nonzero(mask)
    return float(np.ptp(x) + 1), float(np.ptp(y) + 1)


def _decided(name: str, mesh: Mesh, unit: MeshUnit, seen: float, options: SizeOptions) -> Mesh:
    """The mesh in the plausible unit that is nearest to the size seen; as it was where none is near."""
    longest = float(mesh.extents.max()) / UNITS[unit.name]
    misfit = {
        u: abs(np.log(seen / (longest * UNITS[u]))) * (options.rare if u == "inch" else 1.0)
        for u in (unit.name, *unit.others)
    }
    best = min(misfit, key=lambda u: misfit[u])
    if misfit[best] > np.log(options.agree):
        _log.warning(
            "object %s: depth shows about %s, which no unit of its mesh explains; %s stays a guess",
            name,
            length_text(seen),
            unit.name,
        )
        return mesh
    _log.info("object %s: depth shows about %s, so its mesh is in %s", name, length_text(seen), best)
    return in_unit(mesh, best, replace(unit, name=best, source="depth", others=()))
