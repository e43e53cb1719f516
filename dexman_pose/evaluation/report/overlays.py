"""Pictures of the worst frames: the true outline and the estimated one, cut out around the object."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from dexman_pose.arrays import Array
from dexman_pose.data import Camera, Mesh, PoseTrack, RigidObject
from dexman_pose.errors import InputError
from dexman_pose.evaluation.columns import protocol_number
from dexman_pose.evaluation.results import ObjectScores, Results
from dexman_pose.imaging.resize import Way, resize_picture
from dexman_pose.progress import progress
from dexman_pose.viewer.canvas import Canvas, TextLine
from dexman_pose.viewer.outline import SceneOutlines, bent
from dexman_pose.viewer.palette import RGB

Image = NDArray[np.uint8]
FrameView: TypeAlias = tuple[Image, Camera, Mesh, Array, Array | None]
"""Picture (H, W, 3) RGB uint8, its camera, the object's mesh, true and estimated camera_from_object (4, 4), the
estimate None where there is none."""
FrameOf: TypeAlias = Callable[[ObjectScores, int], FrameView | None]

TRUE_COLOR: RGB = (60, 220, 90)
ESTIMATE_COLOR: RGB = (240, 60, 50)
_WIDTH, _HEIGHT = 560, 420
_MARGIN = 0.35  # of the object's size in the picture, on every side
_LEAST = 64.0  # pixels of the original that a cut-out shows at least


def worst_pictures(
    results: Results, frame_of: FrameOf, count: int = 12
) -> dict[str, list[tuple[str, Image]]]:
    """Pictures of the worst frames, of as many tracks as possible.

    Tracks are taken from the worst on, by their ADD-S AUC: first the worst frame of each, then a frame without a
    prediction, then the worst frame far from both.

    Args:
        results: of a run.
        frame_of: gives what is to be drawn for a track and a frame number (a value of ``scores.frames``), or None
            where there is no picture, e.g. because the video is not at hand.
        count: how many pictures at most.

    Returns:
        By the track's key: caption (sequence, view, object, frame, ADD-S) and picture, uint8 RGB.

    Raises:
        InputError: a picture does not have its camera's size.
    """
    tried = 3 * count  # pictures may be missing; but do not search through a whole dataset
    found: dict[str, list[tuple[str, Image]]] = {}
    drawn = 0
    for scores, index in progress(chosen_frames(results, tried), "pictures", total=None):
        if drawn >= count:
            break
        view = frame_of(scores, int(scores.frames[index]))
        if view is not None:
            found.setdefault(scores.key, []).append((caption(scores, index), draw_pair(view)))
            drawn += 1
    return found


def chosen_frames(results: Results, count: int) -> list[tuple[ObjectScores, int]]:
    """The worst frames, as track and index into its frames: one of each track, then a second, then a third."""
    top = protocol_number(results.protocol, "auc_threshold")
    ranked = sorted((s for s in results.objects if len(s.frames)), key=lambda s: (-_badness(s, top), s.key))
    moments = [_moments(s) for s in ranked[:count]]
    deepest = max((len(m) for m in moments), default=0)
    chosen = [(s, m[k]) for k in range(deepest) for s, m in zip(ranked, moments) if k < len(m)]
    return chosen[:count]


def caption(scores: ObjectScores, index: int) -> str:
    """Recording, object, frame and error in words."""
    where = f"{scores.sequence} / {scores.view} / {scores.name}, frame {int(scores.frames[index])}"
    if not scores.valid[index]:
        return f"{where}: no prediction"
    name = _error_name(scores)
    if name is None:
        return where
    error = 1000 * float(scores.errors[name][index])
    return f"{where}: {name.upper().replace('_', '-')} {error:.4g} mm"


def draw_pair(view: FrameView) -> Image:
    """The true outline (green) and the estimated one (red) on the picture, cut out around both.

    Args:
        view: as ``frame_of`` of :func:`worst_pictures` gives it.

    Returns:
        (h, w, 3) uint8 RGB.

    Raises:
        InputError: the picture does not have its camera's size.
    """
    image, camera, mesh, true, estimated = view
    if image.shape != (camera.height, camera.width, 3) or image.dtype != np.uint8:
        raise InputError(
            f"the picture must be uint8 RGB of the camera's size {camera.width}x{camera.height}, "
            f"but got {image.dtype} of shape {image.shape}"
        )
    truth = _curves(mesh, camera, true)
    guess = [] if estimated is None else _curves(mesh, camera, estimated)
    box = _crop_box([*truth, *guess], camera)
    canvas, scale = _cut(image, box)
    canvas.lines([_mapped(c, box, scale) for c in truth], TRUE_COLOR, 2.4, closed=True)
    canvas.lines([_mapped(c, box, scale) for c in guess], ESTIMATE_COLOR, 2.4, closed=True)
    canvas.panel(_legend(bool(truth), estimated is not None, bool(guess)), size=12.0)
    return canvas.image


def _legend(truth: bool, predicted: bool, seen: bool) -> list[TextLine]:
    said = "estimate" if seen else "estimate out of the picture" if predicted else "no estimate"
    return [
        TextLine("truth" if truth else "truth out of the picture", TRUE_COLOR),
        TextLine(said, ESTIMATE_COLOR, dim=not seen),
    ]


def _badness(scores: ObjectScores, top: float) -> float:
    name = _error_name(scores)
    if name is None:
        return 0.0
    return float(np.where(scores.valid, np.minimum(scores.errors[name], top), top).mean())


def _error_name(scores: ObjectScores) -> str | None:
    return next((n for n in ("add_s", "add", "translation") if n in scores.errors), None)


def _moments(scores: ObjectScores) -> list[int]:
    """Indices of the worst frame, of a missing one, and of the worst frame far from both."""
    name = _error_name(scores)
    errors = scores.errors[name] if name is not None else np.zeros(len(scores.frames))
    errors = np.where(scores.valid, errors, -1.0)
    found = [int(np.argmax(errors))] if scores.valid.any() else []
    lost = np.flatnonzero(~scores.valid)
    if len(lost):
        found.append(int(lost[len(lost) // 2]))
    away = np.min([np.abs(np.arange(len(errors)) - i) for i in found], axis=0)
    rest = np.where(away > len(errors) // 4, errors, -1.0)
    if rest.max() >= 0:
        found.append(int(np.argmax(rest)))
    return found


def _curves(mesh: Mesh, camera: Camera, pose: Array) -> list[Array]:
    """Outline of a mesh at a pose, closed curves (N, 2) in pixels of the picture as it is, with its distortion."""
    track = PoseTrack(np.asarray(pose, dtype=np.float64)[None], np.ones(1, bool), np.ones(1))
    curves = SceneOutlines({"it": RigidObject("it", mesh, track)}, camera).trace(0)["it"]
    return [shown for shown in (bent(curve, camera) for curve in curves) if len(shown)]


def _crop_box(curves: list[Array], camera: Camera) -> tuple[int, int, int, int]:
    """x0, y0, width, height of the part of the picture around all curves, in the shape of a cut-out."""
    size = np.array([camera.width, camera.height], dtype=np.float64)
    if curves:
        points = np.concatenate(curves)
        low, high = np.clip(points.min(0), 0, size - 1), np.clip(points.max(0), 0, size - 1)
    else:
        low, high = np.zeros(2), size - 1
    middle, extent = (low + high) / 2, np.maximum((high - low) * (1 + 2 * _MARGIN), _LEAST)
    height = max(extent[1], extent[0] * _HEIGHT / _WIDTH)
    extent = np.minimum(np.ceil([height * _WIDTH / _HEIGHT, height]), size)
    corner = np.clip(np.round(middle - extent / 2), 0, size - extent)
    return int(corner[0]), int(corner[1]), int(extent[0]), int(extent[1])


def _cut(image: Image, box: tuple[int, int, int, int]) -> tuple[Canvas, float]:
    """A canvas on the part of the picture in ``box``, resized, and the factor of that."""
    x0, y0, width, height = box
    scale = min(_WIDTH / width, _HEIGHT / height)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    way = Way.AREA if scale < 1 else Way.CUBIC
    part = np.array(
        image[y0 : y0 + height, x0 : x0 + width], order="C"
    )  # drawn on, so never the picture itself
    return Canvas(np.ascontiguousarray(resize_picture(part, size, way))), scale


def _mapped(curve: Array, box: tuple[int, int, int, int], scale: float) -> Array:
    """Pixels of the picture as pixels of the cut-out."""
    return (curve - np.array(box[:2]) + 0.5) * scale - 0.5
