"""A hand as it is drawn: skinned, with a sleeve over the forearm, in a tone of skin."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from dexman_pose.arrays import Array
from dexman_pose.data import Mesh
from dexman_pose.hands.model.hand_model import HandModel, vertex_normals
from dexman_pose.synthetic.studio.colors import FloatImage, linear

_HEM = 0.003
_CREASES = ((0.22, 75.0, 40.0, -25.0), (0.16, 118.0, -60.0, 45.0), (0.2, 33.0, 25.0, 60.0))
_BEND = 23.0
_CLOTH, _FOLD, _FOLDS, _WAVES = 0.0065, 0.25, 160.0, 60.0


class Drawn(Protocol):
    """A hand of any kind in the world, as it is drawn.

    Attributes:
        vertices: (V, 3) metres.
        normals: (V, 3) unit, outward.
        shadow: mesh that casts its shadow.
        both_sides: whether backs of faces are drawn: of many parts it takes longer to find out which are hidden.
    """

    vertices: Array
    normals: Array
    shadow: Mesh
    both_sides: bool

    @property
    def faces(self) -> NDArray[np.int32]:
        """(F, 3) of the vertices."""

    def cloth(self) -> Array:
        """(V,) 1 where it is dull, 0 on skin."""

    def albedo(self) -> FloatImage:
        """(V, 3) linear colours."""


@dataclass(frozen=True)
class HandLook:
    """Skin and sleeve.

    Attributes:
        sleeve: (3,) colour of the cloth, 0..255.
        sleeve_start: metres, x of the hem in the frame of a hand of scale 1; below the wrist it is negative.
        skin: (3,) factors on the linear light that the skin gives back.
        rumple: phase of irregular folds; None for even ones.
    """

    sleeve: tuple[float, float, float] = (52.0, 72.0, 104.0)
    sleeve_start: float = -0.085
    skin: tuple[float, float, float] = (1.0, 1.0, 1.0)
    rumple: float | None = None


class PosedHand:
    """A hand in the world, with a sleeve over the forearm.

    Args:
        model: the hand that is seen.
        coarse: the same hand with fewer vertices, which casts the shadows.
        pose: (15, 3) rotation vectors.
        world_from_hand: (4, 4).
        forearm: (3,) rotation vector of the forearm.
        look: of skin and sleeve.
    """

    both_sides = False

    def __init__(
        self,
        model: HandModel,
        coarse: HandModel,
        pose: Array,
        world_from_hand: Array,
        forearm: Array,
        look: HandLook | None = None,
    ) -> None:
        self.model, self.look = model, look or HandLook()
        skin = model.vertices(pose, world_from_hand, forearm=forearm)
        self.vertices = _dressed(model, skin, self.look)
        self.normals = vertex_normals(self.vertices, model.faces)
        cast = _dressed(coarse, coarse.vertices(pose, world_from_hand, forearm=forearm), self.look)
        self.shadow = Mesh(cast, coarse.faces)

    @property
    def faces(self) -> NDArray[np.int32]:
        """(F, 3) of the vertices."""
        return self.model.faces

    def cloth(self) -> Array:
        """(V,) 1 on the sleeve, 0 on skin."""
        return _sleeve_share(self.model, self.look.sleeve_start)

    def albedo(self) -> FloatImage:
        """(V, 3) linear colours of skin and sleeve."""
        skin = linear(self.model.vertex_colors / 255.0) * np.array(self.look.skin, np.float32)
        cloth = self.cloth()[:, None].astype(np.float32)
        return skin + cloth * (linear(np.array(self.look.sleeve) / 255.0) - skin)


def _sleeve_share(model: HandModel, start: float) -> Array:
    """(V,) 1 on the sleeve, 0 on skin, with a soft hem: the mesh is too coarse for a sharp one."""
    out: Array = np.clip((start * model.scale - model.rest_vertices[:, 0]) / _HEM, 0, 1)
    return out


def _dressed(model: HandModel, vertices: Array, look: HandLook) -> Array:
    """Vertices (V, 3) with those of the forearm a few millimetres out: the cloth of a sleeve, with folds."""
    rest = model.rest_vertices / model.scale
    if look.rumple is None:
        folds = 1.0 + _FOLD * np.sin(rest[:, 0] * _FOLDS + 2.0 * np.sin(rest[:, 1] * _WAVES))
    else:
        folds = 1.0 + _rumpled(rest, look.rumple)
    thickness = _CLOTH * _sleeve_share(model, look.sleeve_start) * folds
    out: Array = vertices + thickness[:, None] * vertex_normals(vertices, model.faces)
    return out


def _rumpled(rest: Array, phase: float) -> Array:
    """Heights (V,) of folds, shares of the cloth's thickness: waves that run askew and disturb each other."""
    x, y, z = rest.T
    out = np.zeros(len(rest))
    for k, (strength, along, across, up) in enumerate(_CREASES):
        shift = phase * (k + 1) + 2.0 * np.sin(_BEND * x + k + phase)
        out += strength * np.sin(along * x + across * y + up * z + shift)
    return out
