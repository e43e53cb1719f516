"""One recording against one prediction: errors of every frame whose truth is known."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from dexman_pose.arrays import Array, Bools
from dexman_pose.data import Camera
from dexman_pose.datasets.recording import Recording
from dexman_pose.errors import DexmanError, InputError
from dexman_pose.evaluation.diagnosis import diagnose
from dexman_pose.evaluation.hand_scoring import score_contacts, score_hands
from dexman_pose.evaluation.prediction import ObjectPrediction, Prediction
from dexman_pose.evaluation.protocol import Protocol
from dexman_pose.evaluation.results import ContactScores, Finding, HandScores, ObjectScores
from dexman_pose.geometry.symmetry import SymmetryGroup
from dexman_pose.metrics import points, poses
from dexman_pose.metrics.depth_agreement import depth_agreement
from dexman_pose.metrics.scene_depth import scene_depth
from dexman_pose.metrics.shape import align_generated_mesh
from dexman_pose.metrics.silhouette import failure_rate
from dexman_pose.metrics.stability import first_frame_aligned, jitter, stability
from dexman_pose.metrics.vsd import vsd
from dexman_pose.render import Rasterizer

DepthOf = Callable[[int], NDArray[np.float32]]
SymmetryOf = Callable[[Recording, str], tuple[SymmetryGroup, str]]
"""The symmetry of an object of a recording, and its name and source in words."""


@dataclass(frozen=True)
class RecordingScores:
    """All scores of one recording."""

    objects: list[ObjectScores]
    hands: list[HandScores]
    contacts: list[ContactScores]
    findings: list[Finding]


def score_recording(
    recording: Recording, prediction: Prediction | None, protocol: Protocol, symmetry_of: SymmetryOf
) -> RecordingScores:
    """Score a prediction; where there is none, every frame is a failure.

    Args:
        recording: the truth.
        prediction: what is said of it, or None.
        protocol: what is scored and how.
        symmetry_of: the symmetry of an object of a recording, and where it is known from.
    """
    found = prediction or Prediction({}, notes=("no prediction",))
    scene = _Scene(recording, protocol)
    wanted = [name for name in recording.objects if _wanted(recording, name, protocol)]
    objects = []
    findings = [Finding("suspicious", recording.key, text) for text in recording.suspicions]
    for name in wanted:
        scores = _score_object(recording, name, found, protocol, symmetry_of, scene)
        objects.append(scores)
        findings += diagnose(recording, name, found, scores)
    hands = score_hands(recording, found, protocol) if protocol.hands else []
    contacts = score_contacts(recording, found, protocol) if protocol.contacts else []
    said = (*recording.missing, *scene.notes)
    objects = [replace(scores, notes=(*scores.notes, *said)) for scores in objects]
    return RecordingScores(objects, hands, contacts, findings)


def frames_to_score(recording: Recording, name: str, protocol: Protocol) -> NDArray[np.int64]:
    """Frames of an object whose truth is known, every ``stride``-th of the recording."""
    frames = np.arange(0, recording.num_frames, protocol.stride)
    known: NDArray[np.int64] = frames[recording.objects[name].valid[frames]]
    return known


def _wanted(recording: Recording, name: str, protocol: Protocol) -> bool:
    return not protocol.objects or bool({name, recording.object_ids.get(name, name)} & set(protocol.objects))


class _Scene:
    """Depth images of a recording by the protocol's choice, each made once; the camera they belong to."""

    def __init__(self, recording: Recording, protocol: Protocol) -> None:
        self.notes: tuple[str, ...] = ()
        self.recording, self.protocol = recording, protocol
        self.camera: Camera = recording.camera.without_lens()
        self._rasterizers: dict[str, Rasterizer] = {}
        self._kept: dict[int, NDArray[np.float32]] = {}
        self.depth: DepthOf | None = None
        if protocol.depth == "truth_scene":
            self.depth = self._true_scene
        elif protocol.depth == "sensor":
            if recording.depth is None:
                self.notes = ("no depth sensor in this view: no VSD",)
            elif recording.camera.distortion is not None:
                self.notes = ("the depth camera has lens distortion: no VSD",)
            else:
                self.depth = recording.depth

    def _true_scene(self, frame: int) -> NDArray[np.float32]:
        if frame not in self._kept:
            if len(self._kept) > 64:
                self._kept.clear()
            parts = [
                (self.rasterizer(name), o.camera_from_object[frame])
                for name, o in self.recording.objects.items()
                if o.valid[frame]
            ]
            self._kept[frame] = scene_depth(parts, self.camera)
        return self._kept[frame]

    def rasterizer(self, name: str) -> Rasterizer:
        """Of an object's mesh, built once."""
        if name not in self._rasterizers:
            self._rasterizers[name] = Rasterizer(self.recording.objects[name].mesh)
        return self._rasterizers[name]


def _score_object(
    recording: Recording,
    name: str,
    found: Prediction,
    protocol: Protocol,
    symmetry_of: SymmetryOf,
    scene: _Scene,
) -> ObjectScores:
    truth = recording.objects[name]
    frames = frames_to_score(recording, name, protocol)
    symmetry, source = symmetry_of(recording, name)
    estimated, valid, notes = _aligned(recording, name, found, protocol, frames)
    diameter = float(poses.diameter(truth.mesh.vertices))
    scores = ObjectScores(
        sequence=recording.name,
        view=recording.view,
        group=recording.group,
        split=recording.split,
        name=name,
        object_id=recording.object_ids.get(name, name),
        diameter=diameter,
        symmetry=source,
        frames=frames,
        valid=valid,
        errors=_errors(estimated, truth.camera_from_object[frames], valid, recording, name, symmetry),
        notes=(*found.notes, *notes),
    )
    scores = _with_depth(scores, estimated, recording, scene, protocol)
    if protocol.failure:
        scores = _with_failure(scores, estimated, recording, scene)
    return _with_motion(scores, estimated, recording)


def _aligned(
    recording: Recording, name: str, found: Prediction, protocol: Protocol, frames: NDArray[np.int64]
) -> tuple[Array, Bools, tuple[str, ...]]:
    """Poses (F, 4, 4) of the dataset's mesh as predicted, brought to the truth as the protocol says."""
    truth = recording.objects[name]
    predicted = found.objects.get(name)
    if predicted is None:
        return truth.camera_from_object[frames], np.zeros(len(frames), np.bool_), ("no prediction",)
    estimated, valid = predicted.camera_from_object[frames], predicted.valid[frames]
    notes: tuple[str, ...] = ()
    if protocol.mesh == "generated":
        estimated, notes = _of_true_mesh(estimated, predicted, recording, name, protocol)
    if protocol.alignment == "first_frame" and valid.any():
        true = truth.camera_from_object[frames]
        # In the world, so that a moving camera's own motion is no part of what is aligned.
        world = np.linalg.inv(recording.camera_from_world[frames])
        moved = first_frame_aligned(world @ estimated, world @ true, valid)
        estimated = recording.camera_from_world[frames] @ moved
    return estimated, valid, notes


def _of_true_mesh(
    estimated: Array, predicted: ObjectPrediction, recording: Recording, name: str, protocol: Protocol
) -> tuple[Array, tuple[str, ...]]:
    """Poses of the dataset's mesh, where those given are of a generated one: one transform for the whole sequence."""
    if predicted.mesh is None:
        return estimated, ("the prediction holds no mesh: its poses were taken to be of the dataset's",)
    both = np.flatnonzero(predicted.valid & recording.objects[name].valid)
    prefer = None
    if len(
        both
    ):  # of placements that fit the shape equally well, the one that the first common frame speaks for
        first = both[0]
        prefer = (
            np.linalg.inv(recording.objects[name].camera_from_object[first])
            @ predicted.camera_from_object[first]
        )
    fit = align_generated_mesh(
        predicted.mesh, recording.objects[name].mesh, scale=protocol.generated_scale, prefer=prefer
    )
    note = f"generated mesh aligned by its shape, once: residual {1e3 * fit.residual:.1f} mm"
    if protocol.generated_scale:
        note += f", scaled by {fit.scale:.3f}"
    if len(fit.alternatives):
        note += f", {len(fit.alternatives)} other placements fit as well"
    return estimated @ fit.generated_from_true, (note,)


def _errors(
    estimated: Array,
    true: Array,
    valid: Bools,
    recording: Recording,
    name: str,
    symmetry: SymmetryGroup,
) -> dict[str, Array]:
    """Errors by name, (F,) each, 0 where there is no prediction."""
    vertices = recording.objects[name].mesh.vertices
    e, t = estimated[valid], true[valid]
    camera = recording.camera.without_lens()
    values = {
        "add": points.add(e, t, vertices),
        "add_s": points.add_s(e, t, vertices),
        "mssd": points.mssd(e, t, vertices, symmetry),
        "mspd": points.mspd(e, t, vertices, camera, symmetry, image_width_normalized=True),
        "translation": poses.translation_error(e, t),
        "rotation": poses.rotation_error(e, t, symmetry),
        "rotation_plain": poses.rotation_error(e, t),
    }
    out = {}
    for key, value in values.items():
        out[key] = np.zeros(len(valid))
        out[key][valid] = value
    return out


def _with_depth(
    scores: ObjectScores, estimated: Array, recording: Recording, scene: _Scene, protocol: Protocol
) -> ObjectScores:
    """VSD and depth agreement of every n-th scored frame that has a prediction."""
    chosen = np.arange(0, len(scores.frames), protocol.vsd_stride)
    chosen = chosen[scores.valid[chosen]]
    if scene.depth is None:
        return scores
    every = np.arange(0, len(scores.frames), protocol.vsd_stride)
    values = np.ones((len(every), len(protocol.vsd_taus)))
    agree = np.zeros(len(every))
    held = scores.valid[every]
    depth_of, frames = scene.depth, scores.frames[every]
    if held.any():
        truth = recording.objects[scores.name]
        numbers, poses_held = frames[held], estimated[every][held]
        true = truth.camera_from_object[numbers]
        try:
            values[held] = vsd(
                poses_held,
                true,
                truth.mesh,
                scene.camera,
                lambda i: depth_of(int(numbers[i])),
                delta=protocol.vsd_delta,
                taus=protocol.vsd_taus,
                diameter=scores.diameter,
            )
            agree[held] = _agreement(poses_held, numbers, recording, scores.name, scene, protocol)
        except InputError as error:
            return replace(scores, notes=(*scores.notes, f"no VSD: {error}"))
    return replace(scores, vsd=values, vsd_frames=every, agreement=agree)


def _agreement(
    estimated: Array,
    frames: NDArray[np.int64],
    recording: Recording,
    name: str,
    scene: _Scene,
    protocol: Protocol,
) -> Array:
    """The paper's depth agreement of each frame; the visible mask is where the true object is the nearest."""
    assert scene.depth is not None
    vertices = recording.objects[name].mesh.vertices
    out = np.zeros(len(frames))
    for i, frame in enumerate(frames):
        depth = scene.depth(int(frame))
        mask = _visible(recording, name, int(frame), scene, depth)
        out[i] = depth_agreement(
            estimated[i],
            vertices,
            scene.camera,
            depth,
            mask,
            delta=protocol.agreement_delta,
            surface=scene.rasterizer(name),
        )
    return out


def _visible(
    recording: Recording, name: str, frame: int, scene: _Scene, depth: NDArray[np.float32] | None
) -> Bools:
    """(H, W) where an object is seen: the dataset's mask, or the rendered truth where nothing is in front of it."""
    labels = recording.masks(frame) if recording.masks is not None else None
    if labels is not None:
        own: Bools = labels == list(recording.objects).index(name) + 1
        return own
    pose = recording.objects[name].camera_from_object[frame][None]
    camera = scene.camera
    drawn = scene.rasterizer(name).render(pose, camera.K, camera.width, camera.height)
    mask, surface = drawn.mask[0], drawn.depth
    if depth is None or surface is None:
        return mask
    seen: Bools = mask & ((depth <= 0) | (surface[0] <= depth + scene.protocol.vsd_delta))
    return seen


def _with_failure(
    scores: ObjectScores, estimated: Array, recording: Recording, scene: _Scene
) -> ObjectScores:
    """The paper's failures: frames without a pose, or whose outline hardly meets the visible mask."""
    known = np.zeros(len(scores.frames), np.bool_)
    failed = np.zeros(len(scores.frames), np.bool_)
    vertices = recording.objects[scores.name].mesh.vertices
    for i, frame in enumerate(scores.frames):
        depth = scene.depth(int(frame)) if scene.protocol.depth == "truth_scene" and scene.depth else None
        mask = _visible(recording, scores.name, int(frame), scene, depth)
        if not mask.any():
            continue
        known[i] = True
        result = failure_rate(estimated[i][None], scores.valid[i : i + 1], vertices, scene.camera, mask[None])
        failed[i] = bool(result.failed[0])
    return replace(scores, failed=failed, failure_known=known)


def _with_motion(scores: ObjectScores, estimated: Array, recording: Recording) -> ObjectScores:
    """Stability and jitter, in the world."""
    if len(scores.frames) < 2:
        return scores
    world = np.linalg.inv(recording.camera_from_world[scores.frames])
    true = world @ recording.objects[scores.name].camera_from_object[scores.frames]
    found = world @ estimated
    rate = _rate(recording.frame_times[scores.frames])
    try:
        steady = stability(found, true, scores.valid)
        shaken = jitter(found, scores.valid, rate, true=true)
    except DexmanError as error:
        return replace(scores, notes=(*scores.notes, f"no stability: {error}"))
    return replace(scores, stability=steady.scores, jitter=shaken.relative)


def _rate(times: Array) -> float:
    steps = np.diff(times)
    step = float(np.median(steps)) if len(steps) else 0.0
    return 1.0 / step if step > 0 else 30.0
