"""The whole way from a video to a trajectory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import replace
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from dexman_pose._memory import large_blocks_apart
from dexman_pose.data.accept import CameraLike, PathText
from dexman_pose.data.files import unwritable_is_bad_input, write_json
from dexman_pose.data.mesh import Mesh
from dexman_pose.data.numbers import described, flag
from dexman_pose.data.prompts import ObjectPrompt
from dexman_pose.data.trajectory import Trajectory
from dexman_pose.errors import InputError
from dexman_pose.given.forms import HandsLike, MasksLike, PosesLike
from dexman_pose.networks.device import networks_on
from dexman_pose.pipeline.backends import Backends, check_backends
from dexman_pose.pipeline.given import GIVEN, Brought, detector_of
from dexman_pose.pipeline.inputs import DepthLike, Fingerprints, Inputs, VideoLike
from dexman_pose.pipeline.ownership import RUN_FILE, claim, identity
from dexman_pose.pipeline.results.drawings import drawing_stages
from dexman_pose.pipeline.results.trajectory import Findings, trajectory_stage
from dexman_pose.pipeline.run_folder import MANIFESTS, RunFolder
from dexman_pose.pipeline.runner import Runner
from dexman_pose.pipeline.stage import StageEvent, StageListener, stage_line
from dexman_pose.pipeline.stages import Stages
from dexman_pose.pipeline.versions import versions
from dexman_pose.pipeline.world.stage import placed_objects, scene_stage
from dexman_pose.progress import is_chosen, is_shown, progress_shown, say
from dexman_pose.threads import native_threads

if TYPE_CHECKING:
    from dexman_pose.given.depth import DepthCamera


CHANNELS = 3
"""Of a picture, a byte each."""


class _Ahead(Protocol):
    """Work that another thread does ahead of its stage."""

    def begun(self) -> AbstractContextManager[Any]: ...


Ahead = TypeVar("Ahead", bound=_Ahead)


def reconstruct(
    video: VideoLike,
    objects: Mapping[str, ObjectPrompt | Mesh | str | Path | None] | Sequence[str],
    *,
    camera: CameraLike | None = None,
    depth: DepthLike | None = None,
    hands: HandsLike | None = "mediapipe",
    masks: MasksLike | None = None,
    poses: PosesLike | None = None,
    poses_as: str = "start",
    hands_order: str = "auto",
    depth_unit: str | float = "auto",
    depth_camera: DepthCamera | str | Path | None = None,
    segmentation: str = "grabcut",
    mesh: str = "silhouette",
    out: PathText | None = None,
    max_frames: int | None = None,
    mesh_unit: str = "auto",
    overlay: bool = True,
    overwrite: bool = False,
    device: str = "auto",
    progress: bool | None = None,
    on_stage: StageListener | None = None,
) -> Trajectory:
    """Reconstruct objects and hands of a clip filmed by a fixed camera.

    Args:
        video: a video file, a folder of images in natural order, an open clip, or frames in memory.
        objects: one prompt per object, by the name it shall have in the result. A prompt's ``mesh`` is a
            :class:`~dexman_pose.data.Mesh`, a path, a mesh of trimesh, or None to make the shape from the clip. With
            ``masks`` a mesh, a path, or None stands for a prompt.
        camera: intrinsics in pixels of the video: a camera, a camera file, or a 3x3 matrix. None estimates
            them; ``result.camera.source`` says which it was.
        depth: depth images, or a folder of them; None works from colour alone.
        hands: hand detector by name; or hands of another program, a file or its content, see ``docs/inputs.md``; None
            leaves hands and contacts out.
        masks: masks of another program, a folder, file, or arrays; they replace segmentation, and ``objects`` may then
            be names with meshes or a list of names.
        poses: poses of another program, a file, folder, or arrays (T, 4, 4); or a dict of these by object.
        poses_as: ``start``: tracks begin at a given pose. ``fixed``: given poses are the result.
        hands_order: order of the joints of given hands: ``openpose``, ``mano``, ``interhand``, or ``auto``.
        depth_unit: unit of depth files: ``m``, ``cm``, ``mm``, metres of one step, or ``auto``.
        depth_camera: where depth is not registered to colour: its camera, or the file of it.
        segmentation: mask backend by name: ``grabcut``, ``sam``, ``sam2``, ``edgetam``, or another package's; a
            colon and a model's name or path may follow: ``sam2:sam2.1-large``.
        mesh: how to make the shape of objects given without a mesh, by name.
        out: run folder; every stage's result is kept there, and a second call with the same folder goes on
            where the first one stopped and redoes only what has changed. None keeps nothing. A folder that holds
            the run of another clip is refused.
        max_frames: use only the first frames of the video.
        mesh_unit: unit of mesh files: ``m``, ``cm``, ``mm``, ``inch``, or ``auto``: glTF is in metres, of others the
            unit is judged by the size of handled things, and by depth where there is any; ``scale_source`` and the
            notices say so.
        overlay: with ``out``, also draw ``overlay.mp4`` and ``report.html``.
        overwrite: whether a run of another clip in ``out`` is removed first; without it that is an error.
        device: where networks run, as ``cpu`` or ``cuda:0``; ``auto`` takes a graphics card that torch sees. The engine
            itself computes on the CPU.
        progress: whether stages and bars are shown on standard error; None: in a terminal or a notebook.
        on_stage: called when a stage starts and ends.

    Returns:
        The trajectory: metres, OpenCV camera axes, ``camera_from_object`` per frame with ``valid`` flags.
        With ``out`` it is also in ``out/trajectory.npz``.

    Raises:
        InputError: something given cannot be used; all inputs are checked before the first stage starts.
        MissingModelError: a backend's weights are not on this machine.
        EstimationError: the inputs were fine, but nothing could be estimated from them.
    """
    large_blocks_apart(0)  # before the first thread
    detector, own_hands = detector_of(hands)
    backends = Backends(detector, segmentation, mesh)
    check_backends(replace(backends, hands=None if detector == GIVEN else detector))
    brought = Brought(masks, own_hands, poses, poses_as, hands_order, depth_unit, depth_camera)
    overlay, overwrite = flag(overlay, "overlay"), flag(overwrite, "overwrite")
    if out is not None and (not isinstance(out, (str, PathLike)) or not str(out)):
        raise InputError(f"out must be the path of a folder, but got {described(out)}")
    if on_stage is not None and not callable(on_stage):
        raise InputError(f"on_stage must be a function of a StageEvent, but got {described(on_stage)}")
    shown = is_shown() if progress is None else flag(progress, "progress")
    if (
        shown and on_stage is None and not (progress is None and is_chosen())
    ):  # a caller tells stages by itself
        on_stage = _say_stage
    inputs = Inputs.check(
        video,
        objects,
        camera=camera,
        depth=depth,
        max_frames=max_frames,
        mesh_unit=mesh_unit,
        brought=brought,
    )
    with ExitStack() as stack:
        stack.enter_context(progress_shown(shown))
        stack.enter_context(networks_on(device))
        folder = stack.enter_context(RunFolder.open(out)) if out is not None else None
        fingerprints = Fingerprints.of(inputs)
        if folder is not None:
            content = _filmed_content(inputs, fingerprints)
            claim(folder, inputs.filmed_clip, content, overwrite=overwrite)
            _describe(folder, inputs, content, backends)
        stack.enter_context(native_threads())
        large_blocks_apart((CHANNELS + 1) * inputs.clip.width * inputs.clip.height)
        stack.enter_context(inputs.clip.keeping(None if folder is None else folder.path / MANIFESTS))
        stages = Stages(inputs, fingerprints, backends, kept=folder is not None)
        total = (
            (7 if masks is None else 6)
            + (4 if detector is not None else 0)
            + (1 if stages.follows() else 0)
            + (2 if folder is not None and overlay else 0)
        )
        runner = Runner(folder, total, on_stage)
        result = _run(stages, runner, folder, overlay)
        if folder is not None:
            _describe(folder, inputs, content, backends, result)
        return result


def _run(stages: Stages, runner: Runner, folder: RunFolder | None, overlay: bool) -> Trajectory:
    backend = stages.backends.hands
    observations = runner.run(stages.hands(backend)) if backend is not None else None
    with ExitStack() as beside:
        foreseen, followed, pictures = None, None, None
        if stages.inputs.given.masks is not None:
            masks = runner.run(stages.given_masks(observations))
        else:
            if stages.follows() and runner.is_due(stages.prompts(observations)):
                pictures = _begun(stages.pictures(observations, stages.inputs.camera), beside)
            prompts = runner.run(stages.prompts(observations))
            if stages.follows():
                followed = runner.run(stages.follow(prompts, observations))
            known = followed is not None and followed.makes_masks
            due = runner.is_due(stages.masks(prompts, observations, None, followed))
            if due and not known:
                foreseen = _begun(stages.foreseen(observations, None, None, pictures), beside)
            masks = runner.run(stages.masks(prompts, observations, foreseen, followed))
            if due and known:
                foreseen = _begun(stages.foreseen(observations, masks, followed, pictures), beside)
        motion = runner.run(stages.camera_motion(masks))
        camera = runner.run(stages.camera(masks, observations, foreseen))
        hands = (
            {} if observations is None else runner.run(stages.lift(observations, camera, motion, foreseen))
        )
        if foreseen is not None and pictures is None:
            pictures = _begun(stages.pictures(observations, camera, lambda: hands), beside)
        objects = runner.run(stages.objects(masks, camera, observations, hands, motion, foreseen, followed))
    scene = runner.run(
        scene_stage(
            stages.inputs,
            stages.marks,
            masks,
            camera,
            objects,
            hands,
            motion,
            with_hands=observations is not None,
        )
    )
    objects = placed_objects(objects, scene, camera, hands, stages.inputs)
    contacts, grips, traced = None, None, None
    if observations is not None:
        with ExitStack() as beside:
            stage = stages.grips(objects, hands, observations, camera, pictures, scene.table)
            if overlay and folder is not None and runner.is_due(stage):
                traced = _begun(stages.outlines(objects, camera), beside)
            grips = runner.run(stage)
            hands, objects = grips.hands, {**objects, **grips.moved}
            contacts = runner.run(stages.contacts(objects, grips))
    found = Findings(camera, objects, hands, contacts, motion, scene, followed, grips, masks)
    result = runner.run(trajectory_stage(stages.inputs, stages.marks, stages.backends, found))
    if folder is None:
        return result
    stale = traced is None or (grips is not None and grips.moved)
    outlines = None if stale or traced is None else traced.outlines
    drawings = drawing_stages(stages.inputs, stages.marks, result, masks, outlines)
    if overlay:
        runner.run_beside(*drawings)
    else:
        for drawing in drawings:
            folder.discard_outdated(drawing)
    return result


def _begun(work: Ahead | None, beside: ExitStack) -> Ahead | None:
    """Work on another thread, begun, and ended where the stack is closed; None where there is none."""
    if work is not None:
        beside.enter_context(work.begun())
    return work


def _filmed_content(inputs: Inputs, fingerprints: Fingerprints) -> str:
    """Hash of the clip as it was filmed: with another lens it is still the same clip."""
    filmed = inputs.filmed_clip
    return fingerprints.content if filmed is inputs.clip else filmed.sha256()


def _describe(
    folder: RunFolder, inputs: Inputs, content: str, backends: Backends, result: Trajectory | None = None
) -> None:
    """Say in the run folder what it was made from, for people and later drawing; in the end what the result says."""
    clip = inputs.filmed_clip
    described: dict[str, Any] = {
        **identity(clip, content),
        "frames": clip.num_frames,
        "objects": list(inputs.prompts),
        "finished": result is not None,
        "camera": "given" if inputs.camera is not None else None if result is None else result.camera.source,
        "depth": "given" if inputs.depth is not None else "none",
        "hands": backends.hands,
        "segmentation": backends.segmentation,
        "mesh": backends.mesh,
        "given": inputs.given.provenance(),
        "versions": versions() if result is None else result.provenance["versions"],
    }
    path = folder.path / RUN_FILE
    with unwritable_is_bad_input(path):
        write_json(path, described)


def _say_stage(event: StageEvent) -> None:
    """A line on standard error when a stage is done."""
    if event.state != "started":
        say(stage_line(event))
