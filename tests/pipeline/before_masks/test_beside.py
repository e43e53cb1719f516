"""A network that loses an object of known shape is shown it again by its pose."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import dexman_pose.backends as registry
from dexman_pose.data import Clip, HandObservations, MaskSequence, Mesh, ObjectPrompt
from dexman_pose.pipeline import reconstruct
from dexman_pose.pipeline.backends import Backends
from dexman_pose.pipeline.before_masks.beside import expected_of, followed_beside
from dexman_pose.pipeline.inputs import Fingerprints
from dexman_pose.pipeline.results.mask_faults import mask_fault_notices
from dexman_pose.pipeline.run_folder import RunFolder
from dexman_pose.pipeline.runner import Runner
from dexman_pose.pipeline.stages import Stages
from dexman_pose.segmentation import expects
from dexman_pose.segmentation.prompted.options import DEFAULTS
from dexman_pose.segmentation.prompted.passes import follow_both_ways
from dexman_pose.segmentation.prompted.seen import Seen
from tests.pipeline.before_masks.scenes import inputs_of


class Straying:
    """Knows the true masks, and turns to a corner of the picture until it is shown the object again."""

    def __init__(self, truth: NDArray[np.bool_]) -> None:
        self.truth, self.index, self.shown = truth, -1, 0

    def look(self, index: int, rgb: NDArray[np.uint8]) -> None:
        self.index = index

    def start(self, name: str, prompt: ObjectPrompt) -> Seen:
        self.shown += 1  # a mask is no sign of it: the outline of a coloured mesh takes the place of the box
        return self._seen(self.truth[self.index] if prompt.mask is None else prompt.mask)

    def follow(self, name: str) -> Seen:
        corner = np.zeros_like(self.truth[0])
        corner[:20, -20:] = True
        return self._seen(corner if self.shown == 1 else self.truth[self.index])

    def _seen(self, mask: NDArray[np.bool_]) -> Seen:
        return Seen(np.where(mask, 6.0, -6.0).astype(np.float32), 0.95)


@pytest.fixture
def straying(tiny_scene: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Such a network as another package's backend."""
    from dexman_pose.render import Rasterizer

    s = tiny_scene
    drawn = Rasterizer(s.mesh).render(s.camera_from_object, s.camera.K, s.camera.width, s.camera.height)
    truth = np.asarray(drawn.mask)

    def segment(
        clip: Clip,
        prompts: dict[str, ObjectPrompt],
        hands: HandObservations | None,
        expected: MaskSequence | None = None,
    ) -> MaskSequence:
        return follow_both_ways(clip, prompts, hands, lambda reverse: Straying(truth), DEFAULTS, expected)

    class Entry:
        name = "straying"

        def load(self) -> object:
            return segment

    group = registry.SEGMENTATION.group
    monkeypatch.setattr(registry, "entry_points", lambda group_=None, **k: [Entry()] * (k["group"] == group))
    registry._installed.cache_clear()
    yield "straying"
    registry._installed.cache_clear()


def test_only_what_can_be_shown_again_is_followed_beside(tiny_scene: Any, straying: str) -> None:
    inputs = inputs_of(tiny_scene)
    assert list(followed_beside(inputs, straying)) == ["box"]
    assert not followed_beside(inputs, "grabcut") and not expects("outside")
    assert expects("sam") and expects("sam2") and expects("edgetam")
    assert expected_of(inputs_of(tiny_scene, meshes={"box": None}), {}, None, straying) is None
    assert expected_of(inputs_of(tiny_scene, camera=None), {}, None, straying) is None


def test_masks_return_to_the_object_and_say_so(tiny_scene: Any, straying: str) -> None:
    inputs = inputs_of(tiny_scene)
    stage = Stages(inputs, Fingerprints.of(inputs), Backends(None, straying)).masks(inputs.prompts, None)
    masks = stage.compute()
    assert not masks.mask(1, "box")[:20, -20:].all()  # one frame astray, which the gate took away
    _, u = np.nonzero(masks.mask(3, "box"))
    assert u.mean() < 70 and len(u) > 300
    assert masks.faults is not None and (masks.faults[2, 0] & 64) and not masks.faults[3, 0]
    (notice,) = mask_fault_notices(masks)
    assert "unlike the pose followed beside, and shown again by it, in frames 2" in notice


def test_the_run_is_right_in_the_end(tiny_scene: Any, straying: str) -> None:
    s = tiny_scene
    prompts = {"box": ObjectPrompt(box=s.box, mesh=s.mesh)}
    result = reconstruct(
        np.stack(s.frames), prompts, camera=s.camera, hands=None, segmentation=straying, progress=False
    )
    assert result.provenance["mask_faults"]["box"]["shown_again"] == 1
    track = result.objects["box"]
    off = np.linalg.norm(track.camera_from_object[:, :3, 3] - s.camera_from_object[:, :3, 3], axis=1)
    assert track.valid[[0, 2, 3]].all() and off[[0, 2, 3]].max() < 0.012


def test_masks_are_made_again_for_another_shape_alone(tiny_scene: Any, straying: str, tmp_path: Path) -> None:
    """A prompt stays what it was where a mesh without colours becomes another one; outlines of poses do not."""
    plain = Mesh(tiny_scene.mesh.vertices, tiny_scene.mesh.faces)
    larger = Mesh(plain.vertices * 1.1, plain.faces)

    def made(mesh: Mesh, **more: Any) -> bool:
        inputs = inputs_of(tiny_scene, prompt={"mesh": mesh}, **more)
        stages = Stages(inputs, Fingerprints.of(inputs), Backends(None, straying))
        with RunFolder.open(tmp_path) as folder:
            runner = Runner(folder, 2)
            stage = stages.masks(runner.run(stages.prompts(None)), None)
            due = runner.is_due(stage)
            runner.run(replace(stage, compute=lambda: drawn))
        return due

    drawn = MaskSequence(("box",), tiny_scene.camera.height, tiny_scene.camera.width, len(tiny_scene.frames))
    assert made(plain) and not made(plain)
    assert made(larger) and not made(larger)
    assert made(larger, camera=None) and not made(plain, camera=None)  # not followed: its shape says nothing
