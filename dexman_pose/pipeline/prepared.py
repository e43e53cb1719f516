"""What the stages after the hands will need, made ready while hands are detected: that leaves one core idle."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from threading import Event, Thread

from dexman_pose.data.frames.texture_png import coded_texture
from dexman_pose.pipeline.inputs import Inputs
from dexman_pose.threads import cores

_log = logging.getLogger(__name__)

_ENGINE = (
    "pipeline.prompts_from_mesh",
    "segmentation.grabcut.backend",
    "pipeline.before_masks.stage",
    "imaging.camera_motion",
    "pose.clip.objects",
    "pipeline.given_objects",
    "pipeline.with_contact.pictures_ahead",
    "contact",
    "scene",
)
"""Modules whose import takes two or three seconds together, in the order in which they are needed."""
_ROOMS = (*_ENGINE, "viewer")
"""What is imported ahead."""


@contextmanager
def prepared_beside(inputs: Inputs, *, kept: bool) -> Iterator[None]:
    """Import the engine, find the symmetries of meshes and code their textures, beside what is done in the block.

    All of it is kept where those who need it look first. Nothing is left running behind the block: modules must not be
    imported by two threads at once.

    Args:
        inputs: of the run.
        kept: whether the run writes files, which hold the textures.
    """
    stop = Event()
    thread = Thread(target=_prepare, args=(inputs, kept, stop), name="prepared", daemon=True)
    if cores() > 1:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        if thread.ident is not None:
            thread.join()


def import_engine() -> None:
    """Import what several threads are about to use: two must not begin to import the same at once."""
    for room in _ENGINE:
        import_module(f"dexman_pose.{room}")


def _prepare(inputs: Inputs, kept: bool, stop: Event) -> None:
    """One thing after another until told to stop; what fails here fails again, and is told, where it belongs."""
    try:
        for room in _ROOMS:
            if stop.is_set():
                return
            import_module(f"dexman_pose.{room}")
        from dexman_pose.symmetry.cache import symmetry_of

        for mesh in inputs.meshes.values():
            if mesh is None or stop.is_set():
                continue
            symmetry_of(mesh)
            if kept and mesh.texture is not None and not stop.is_set():
                coded_texture(mesh.texture)
    except Exception as error:
        _log.debug("not prepared: %s", error)
