"""Settings of worlds in Genesis."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class GenesisOptions:
    """How Genesis is set, so that a hand can hold something.

    Its default cone, a pyramid, drops everything: the cone is elliptic. Joints whose file names no armature would get
    0.1 kg m2, with which a finger hardly moves: the model's own is taken.

    Attributes:
        backend: ``cpu`` or ``gpu``.
        iterations: of the solver, at most.
        quiet: whether Genesis tells nothing but errors.
    """

    backend: str = "cpu"
    iterations: int = 50
    quiet: bool = True
