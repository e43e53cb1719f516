"""The first step of an evaluation: the default pipeline on every recording, each kept in a run folder of its own."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dexman_pose.data import Camera, Clip, ObjectPrompt, Trajectory
from dexman_pose.data.video.writer import write_video
from dexman_pose.datasets.recording import Recording
from dexman_pose.errors import InputError
from dexman_pose.evaluation.protocol import Protocol
from dexman_pose.render import Rasterizer


@dataclass(frozen=True)
class Outcome:
    """How the prediction of one recording went: ``error`` is "" where it worked."""

    key: str
    folder: Path
    error: str = ""


def predict_recording(recording: Recording, protocol: Protocol, folder: Path) -> Trajectory:
    """Run the default pipeline on a recording, with a box around each true outline for a prompt.

    Args:
        recording: video or images, camera and meshes are taken from it, and the prompts; nothing else of the truth.
        protocol: which objects, and whether the dataset's mesh is given.
        folder: run folder; a second call goes on where the first stopped.

    Raises:
        InputError: there is no video, or no frame in which all objects are seen.
    """
    from dexman_pose.pipeline import reconstruct

    video, camera = _pictures(recording, protocol, folder)
    prompts = prompts_of(recording, protocol)
    return reconstruct(
        video,
        prompts,
        camera=camera,
        hands="mediapipe" if recording.hands or recording.mano else None,
        out=folder,
        overlay=False,
    )


def prompts_of(recording: Recording, protocol: Protocol) -> dict[str, ObjectPrompt]:
    """For each object the box around its true outline in the first frame in which all of them are well in sight."""
    names = [
        name
        for name in recording.objects
        if not protocol.objects or {name, recording.object_ids.get(name, name)} & set(protocol.objects)
    ]
    rasterizers = {name: Rasterizer(recording.objects[name].mesh) for name in names}
    prompts: dict[str, ObjectPrompt] = {}
    for name in names:
        valid = np.flatnonzero(recording.objects[name].valid)
        for frame in valid[:: max(1, len(valid) // 30)]:
            box = _box(recording, rasterizers[name], name, int(frame), protocol.prompt_margin)
            if box is not None:
                mesh = recording.objects[name].mesh if protocol.mesh == "given" else None
                prompts[name] = ObjectPrompt(box=box, frame=int(frame), mesh=mesh)
                break
        else:
            raise InputError(f"{recording.key}: {name} is in sight in no frame that was tried")
    return prompts


def _box(
    recording: Recording, rasterizer: Rasterizer, name: str, frame: int, margin: float
) -> NDArray[np.float64] | None:
    """(4,) box around the true outline, widened; None where less than half of it is in the picture."""
    camera = recording.camera
    pose = recording.objects[name].camera_from_object[frame][None]
    shifted = camera.K.copy()
    shifted[:2, 2] += (
        camera.width / 2,
        camera.height / 2,
    )  # a canvas of twice the size shows what is cut off
    whole = rasterizer.render(pose, shifted, 2 * camera.width, 2 * camera.height).mask[0]
    inside = whole[
        camera.height // 2 : camera.height // 2 + camera.height,
        camera.width // 2 : camera.width // 2 + camera.width,
    ]
    if inside.sum() < max(0.5 * whole.sum(), 30):
        return None
    v, u = np.nonzero(inside)
    low = np.maximum([u.min() - margin, v.min() - margin], 0.0)
    high = np.minimum([u.max() + margin, v.max() + margin], [camera.width - 1.0, camera.height - 1.0])
    return np.array([*low, *high], np.float64)


def _pictures(recording: Recording, protocol: Protocol, folder: Path) -> tuple[Clip, Camera]:
    """The clip and the camera that belongs to it: freed of lens distortion where the protocol says so."""
    if recording.video is not None:
        clip = Clip.open(recording.video)
    elif recording.images:
        clip = Clip.from_images(recording.images)
    else:
        raise InputError(
            f"{recording.key}: has no video: {'; '.join(recording.missing) or 'none in the dataset'}"
        )
    camera = recording.camera
    if (clip.width, clip.height) != (camera.width, camera.height):
        raise InputError(
            f"{recording.key}: the video is {clip.width}x{clip.height}, but its camera {camera.width}x{camera.height}"
        )
    if camera.distortion is None or not protocol.undistort:
        return clip, camera.without_lens()
    return _undistorted(clip, camera, folder), camera.without_lens()


def _undistorted(clip: Clip, camera: Camera, folder: Path) -> Clip:
    """The clip as the ideal pinhole would have seen it, kept beside the run folder."""
    import cv2

    path = folder.parent / f"{folder.name}-undistorted.mp4"
    if not path.is_file():
        size = (camera.width, camera.height)
        maps = cv2.initUndistortRectifyMap(
            camera.K, camera.distortion, np.eye(3), camera.K, size, cv2.CV_32FC1
        )
        straight = (cv2.remap(image, *maps, cv2.INTER_LINEAR) for _, image in clip.frames())
        write_video(path, straight, frame_times=clip.frame_times)
    return Clip.open(path)
