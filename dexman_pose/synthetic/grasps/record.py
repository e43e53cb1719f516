"""A film with everything true about it: rendered once, kept in a folder."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from dexman_pose.arrays import Array
from dexman_pose.data.files import make_folder, write_bytes, write_json, write_npz
from dexman_pose.data.masks import OCCLUDER
from dexman_pose.data.video.writer import write_video
from dexman_pose.errors import InputError
from dexman_pose.geometry.se3 import inverse
from dexman_pose.imaging.resize import Way, resize_picture
from dexman_pose.synthetic.demo.files import write_obj
from dexman_pose.synthetic.grasps.filming import Film
from dexman_pose.synthetic.grasps.placed import FPS
from dexman_pose.synthetic.grasps.touch import TouchOptions
from dexman_pose.synthetic.grasps.truth import FILE, FilmTruth

DEPTH_UNITS_PER_METRE = 4000.0
BOX_MARGIN = 4
"""Pixels by which a box that a person draws is loose."""
CLEARLY_SEEN = 0.6
"""Share of an object's outline to be seen in the frame in which a person points at it."""
_SHEET = (2, 4)


@dataclass(frozen=True)
class FilmRecord:
    """A film as it lies in its folder.

    Attributes:
        folder: holds ``video.mp4``, ``sheet.png`` (some of its frames, small), ``camera.json``, ``prompts.json``,
            ``objects/<name>.obj`` in metres, ``truth.npz``, ``masks.npz`` and ``depth.npz``.
        truth: poses, joints, contacts.
        labels: (T, H, W) uint8: 0 background, 1, 2, ... the objects, 255 a hand.
        hand_ids: (T, H, W) uint8: 0 no hand, 1, 2, ... the hands of ``truth.sides``.
        depth: (T, H, W) uint16, exact, :data:`DEPTH_UNITS_PER_METRE`.
    """

    folder: Path
    truth: FilmTruth
    labels: NDArray[np.uint8]
    hand_ids: NDArray[np.uint8]
    depth: NDArray[np.uint16]

    @property
    def video(self) -> Path:
        """The film."""
        return self.folder / "video.mp4"

    def mesh_path(self, name: str) -> Path:
        """The mesh of an object."""
        return self.folder / "objects" / f"{name}.obj"

    def depth_image(self, index: int) -> NDArray[np.float32]:
        """(H, W) metres of a frame, without noise."""
        return self.depth[index].astype(np.float32) / np.float32(DEPTH_UNITS_PER_METRE)

    @classmethod
    def load(cls, folder: str | Path) -> FilmRecord:
        """Read what :func:`write_film` wrote.

        Raises:
            InputError: the folder holds no film.
        """
        folder = Path(folder)
        truth = FilmTruth.load(folder)
        try:
            with np.load(folder / "masks.npz") as masks, np.load(folder / "depth.npz") as depth:
                return cls(folder, truth, masks["labels"], masks["hand_ids"], depth["depth"])
        except (OSError, KeyError) as error:
            raise InputError(f"{folder} holds no whole film: {error}") from error


def write_film(
    folder: str | Path,
    film: Film,
    *,
    fit_error: Array | None = None,
    on_frame: Callable[[int, NDArray[np.uint8]], None] | None = None,
) -> FilmRecord:
    """Render a film into a folder.

    Args:
        folder: made when it is not there.
        film: what is rendered.
        fit_error: (H,) metres, of the fitted hands, for the truth.
        on_frame: gets every frame as it is written.
    """
    folder = Path(folder)
    make_folder(folder / "objects")
    labels, hands, depths, visible, frames = [], [], [], [], []
    for index, picture in enumerate(film.pictures()):
        frame = film.frame(index, picture)
        frames.append(frame)
        labels.append(picture.labels)
        hands.append(picture.hand_ids)
        depths.append(np.clip(np.rint(picture.depth * DEPTH_UNITS_PER_METRE), 0, 65535).astype(np.uint16))
        seen = [(picture.labels == k + 1).sum() for k in range(len(picture.outlines))]
        visible.append(np.array(seen) / np.maximum(picture.outlines.sum((1, 2)), 1))
        if on_frame is not None:
            on_frame(index, frame)
    write_video(folder / "video.mp4", frames, FPS)
    write_bytes(folder / "sheet.png", _sheet(frames))
    shown = np.stack(hands)
    truth = film_truth(film, np.minimum(np.stack(visible, axis=1), 1.0), shown, fit_error)
    truth.save(folder / FILE)
    record = FilmRecord(folder, truth, np.stack(labels), shown, np.stack(depths))
    write_npz(folder / "masks.npz", {"labels": record.labels, "hand_ids": record.hand_ids})
    write_npz(folder / "depth.npz", {"depth": record.depth})
    for thing in film.objects:
        write_obj(record.mesh_path(thing.name), thing.mesh)
    camera = film.camera
    write_json(
        folder / "camera.json", {"K": camera.K.tolist(), "width": camera.width, "height": camera.height}
    )
    asked = {name: {"frame": frame, "box": box} for name, (frame, box) in prompted(record).items()}
    write_json(folder / "prompts.json", {"objects": asked})
    return record


def _sheet(frames: list[NDArray[np.uint8]]) -> bytes:
    """Some frames side by side, half as large, as a PNG."""
    rows, columns = _SHEET
    chosen = np.linspace(0, len(frames) - 1, rows * columns).round().astype(int)
    height, width = frames[0].shape[:2]
    small = [resize_picture(frames[k], (width // 2, height // 2), Way.AREA) for k in chosen]
    grid = np.concatenate([np.concatenate(small[r * columns : (r + 1) * columns], 1) for r in range(rows)])
    png = io.BytesIO()
    Image.fromarray(np.asarray(grid, np.uint8)).save(png, format="PNG")
    return png.getvalue()


def boxes(record: FilmRecord, frame: int = 0) -> dict[str, list[float]]:
    """x0, y0, x1, y1 in pixels around what is seen of each object in a frame, a little loose; by name."""
    out: dict[str, list[float]] = {}
    height, width = record.labels.shape[1:]
    for label, name in enumerate(record.truth.objects, 1):
        v, u = np.nonzero(record.labels[frame] == label)
        if len(u) == 0:
            continue
        low = [max(int(u.min()) - BOX_MARGIN, 0), max(int(v.min()) - BOX_MARGIN, 0)]
        high = [min(int(u.max()) + BOX_MARGIN, width - 1), min(int(v.max()) + BOX_MARGIN, height - 1)]
        out[name] = [float(n) for n in (*low, *high)]
    return out


def prompted(record: FilmRecord) -> dict[str, tuple[int, list[float]]]:
    """The frame in which a person would point at each object, and the box around it there; by name.

    That is the first frame in which most of it is to be seen, or the one that shows most of it. Objects that are never
    seen are left out.
    """
    out = {}
    for name, visible in zip(record.truth.objects, record.truth.visible):
        clear = np.flatnonzero(visible >= CLEARLY_SEEN)
        frame = int(clear[0] if len(clear) else visible.argmax())
        box = boxes(record, frame).get(name)
        if box is not None:
            out[name] = frame, box
    return out


def film_truth(
    film: Film, visible: Array, hand_ids: NDArray[np.uint8], fit_error: Array | None = None
) -> FilmTruth:
    """What is true in a film.

    Args:
        film: what was rendered.
        visible: (N, T) seen share of each object's outline.
        hand_ids: (T, H, W) which hand the pictures show, 0 none.
        fit_error: (H,) metres.
    """
    camera, pose, gaps = film.camera, film.camera_from_world, film.gaps()
    joints = film.joints
    size = np.array([camera.width, camera.height])
    pixels = camera.project(np.maximum(joints, [-np.inf, -np.inf, 1e-3]))
    inside = ((pixels > 0) & (pixels < size - 1)).all(-1)
    u, v = np.moveaxis(np.clip(np.rint(pixels), 0, size - 1).astype(int), -1, 0)
    frame = np.arange(film.num_frames)[None, :, None]
    own = np.arange(1, len(joints) + 1)[:, None, None]
    seen = inside & (hand_ids[frame, v, u] == own)
    up = pose[:3, 2]
    offset = inverse(pose)[2, 3]
    return FilmTruth(
        objects=tuple(t.name for t in film.objects),
        sides=film.sides,
        K=camera.K,
        size=(camera.width, camera.height),
        frame_times=np.arange(film.num_frames) / FPS,
        camera_from_world=pose,
        camera_from_object=film.camera_from_object,
        visible=visible,
        joints=joints,
        hand_visible=inside.mean(-1),
        hand_seen=seen.mean(-1),
        bone_lengths=film.bone_lengths,
        gaps=gaps,
        touching=gaps < TouchOptions().touching,
        held=film.held,
        gravity=-up,
        table=np.array([*up, offset]),
        fit_error=np.zeros(len(joints)) if fit_error is None else np.asarray(fit_error, np.float64),
    )


def hand_mask(record: FilmRecord, frame: int) -> NDArray[np.bool_]:
    """(H, W) pixels of any hand or arm in a frame."""
    out: NDArray[np.bool_] = record.labels[frame] == OCCLUDER
    return out
