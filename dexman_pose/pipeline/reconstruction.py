"""The whole way from a video to a trajectory."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from dexman_pose.data.files import unwritable_is_bad_input, write_json
from dexman_pose.data.prompts import ObjectPrompt
from dexman_pose.data.trajectory import Trajectory
from dexman_pose.pipeline.backends import Backends, check_backends
from dexman_pose.pipeline.inputs import CameraLike, DepthLike, Fingerprints, Inputs, VideoLike
from dexman_pose.pipeline.run_folder import RunFolder
from dexman_pose.pipeline.runner import Runner
from dexman_pose.pipeline.stage import StageListener
from dexman_pose.pipeline.stages import Stages

RUN_FILE = "run.json"


def reconstruct(
    video: VideoLike,
    objects: Mapping[str, ObjectPrompt],
    *,
    camera: CameraLike | None = None,
    depth: DepthLike | None = None,
    hands: str | None = "mediapipe",
    segmentation: str = "grabcut",
    mesh: str = "silhouette",
    out: str | Path | None = None,
    max_frames: int | None = None,
    mesh_unit: str = "auto",
    overlay: bool = True,
    on_stage: StageListener | None = None,
) -> Trajectory:
    """Reconstruct objects and hands of a clip filmed by a fixed camera.

    Args:
        video: a video file, a folder of images in natural order, or an open clip.
        objects: one prompt per object, by the name it shall have in the result. A prompt's ``mesh`` is a
            :class:`~dexman_pose.data.Mesh`, a path, or None to make the shape from the clip.
        camera: intrinsics in pixels of the video: a camera, a camera file, or a 3x3 matrix. None estimates
            them; ``result.camera.source`` says which it was.
        depth: depth images, or a folder of them; None works from colour alone.
        hands: hand detector by name; None leaves hands and contacts out.
        segmentation: mask backend by name.
        mesh: how to make the shape of objects given without a mesh, by name.
        out: run folder; every stage's result is kept there, and a second call with the same folder goes on
            where the first one stopped and redoes only what has changed. None keeps nothing.
        max_frames: use only the first frames of the video.
        mesh_unit: unit of mesh files: ``m``, ``cm``, ``mm``, ``inch``, or ``auto``: glTF is in metres, of others the
            unit is judged by the size of handled things, and by depth where there is any; ``scale_source`` and the
            notices say so.
        overlay: with ``out``, also draw ``overlay.mp4`` and ``report.html``.
        on_stage: called when a stage starts and ends.

    Returns:
        The trajectory: metres, OpenCV camera axes, ``camera_from_object`` per frame with ``valid`` flags.
        With ``out`` it is also in ``out/trajectory.npz``.

    Raises:
        InputError: something given cannot be used; all inputs are checked before the first stage starts.
        MissingModelError: a backend's weights are not on this machine.
        EstimationError: the inputs were fine, but nothing could be estimated from them.
    """
    backends = Backends(hands, segmentation, mesh)
    check_backends(backends)
    inputs = Inputs.check(
        video, objects, camera=camera, depth=depth, max_frames=max_frames, mesh_unit=mesh_unit
    )
    with ExitStack() as stack:
        folder = stack.enter_context(RunFolder.open(out)) if out is not None else None
        if folder is not None:
            _describe(folder, inputs, backends)
        stages = Stages(inputs, Fingerprints.of(inputs), backends)
        total = 6 + (3 if hands is not None else 0) + (2 if folder is not None and overlay else 0)
        runner = Runner(folder, total, on_stage)
        return _run(stages, runner, folder, overlay)


def _run(stages: Stages, runner: Runner, folder: RunFolder | None, overlay: bool) -> Trajectory:
    backend = stages.backends.hands
    observations = runner.run(stages.hands(backend)) if backend is not None else None
    prompts = runner.run(stages.prompts(observations))
    masks = runner.run(stages.masks(prompts, observations))
    motion = runner.run(stages.camera_motion(masks))
    camera = runner.run(stages.camera(masks, observations))
    hands = runner.run(stages.lift(observations, camera, motion)) if observations is not None else {}
    objects = runner.run(stages.objects(masks, camera, hands, motion))
    contacts = runner.run(stages.contacts(objects, hands)) if observations is not None else None
    result = runner.run(stages.trajectory(camera, objects, hands, contacts, motion))
    if folder is None:
        return result
    for drawing in (stages.overlay(result, masks), stages.report(result, masks)):
        if overlay:
            runner.run(drawing)
        else:
            folder.discard_outdated(drawing)
    return result


def _describe(folder: RunFolder, inputs: Inputs, backends: Backends) -> None:
    """Say in the run folder what it was made from, for people and for later drawing."""
    clip = inputs.clip
    described: dict[str, Any] = {
        "video": str(Path(clip.path).absolute()) if clip.path is not None else None,
        "frames": clip.num_frames,
        "objects": list(inputs.prompts),
        "camera": "given" if inputs.camera is not None else "estimated",
        "depth": inputs.depth is not None,
        "hands": backends.hands,
        "segmentation": backends.segmentation,
        "mesh": backends.mesh,
    }
    path = folder.path / RUN_FILE
    with unwritable_is_bad_input(path):
        write_json(path, described)
