"""What a mesh backend is asked, and what it answers."""

from __future__ import annotations

from dataclasses import dataclass

from dexman_pose.data import Camera, Clip, DepthSequence, MaskSequence, Mesh


@dataclass(frozen=True)
class MeshRequest:
    """One object of a clip that has no mesh.

    Attributes:
        clip: the frames.
        masks: label images of the same frames.
        name: of the object.
        camera: pinhole.
        depth: depth images, metres, or None.
    """

    clip: Clip
    masks: MaskSequence
    name: str
    camera: Camera
    depth: DepthSequence | None = None


@dataclass(frozen=True)
class MadeMesh:
    """A mesh that was made.

    Attributes:
        mesh: closed, its origin at its middle. Metres where ``metric``; else its longest side is 0.1.
        metric: whether its size is true.
        frame: that it was made of; None for many.
        notes: sentences for whoever reads the result.
    """

    mesh: Mesh
    metric: bool
    frame: int | None = None
    notes: tuple[str, ...] = ()
