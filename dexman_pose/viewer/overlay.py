"""The estimate drawn over the picture it was made from, one frame or a whole video."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dexman_pose.arrays import Array
from dexman_pose.data import BACKGROUND, OCCLUDER, Camera, MaskSequence, Trajectory
from dexman_pose.data.accept import ClipLike, ImageLike, as_clip, as_picture
from dexman_pose.data.numbers import count, instance
from dexman_pose.data.tracks import SIDES
from dexman_pose.data.video.writer import write_video
from dexman_pose.errors import InputError
from dexman_pose.imaging.resize import resize_labels, resize_picture
from dexman_pose.imaging.undistorted_inputs import undistorted_clip
from dexman_pose.progress import progress
from dexman_pose.threads import ahead
from dexman_pose.viewer.canvas import Canvas, TextLine
from dexman_pose.viewer.corners import Corner, freest_corner, shown_at
from dexman_pose.viewer.describe import contact_text
from dexman_pose.viewer.outline import SceneOutlines, bent
from dexman_pose.viewer.palette import AXIS_COLORS, GREY, HAND_COLORS, RGB, mixed, object_colors
from dexman_pose.viewer.skeleton import draw_contacts, draw_hand
from dexman_pose.viewer.table_grid import TableGrid

Image = NDArray[np.uint8]

MAX_WIDTH = 1280
"""Of the pictures drawn, pixels."""

_TINT = 0.28
_QUICK = "subme=1:trellis=0:ref=1"  # a quarter less time than the preset, the same quality, files 6 % larger


class OverlayRenderer:
    """Draws frames of one trajectory; holds the meshes ready, so that many frames are quick.

    Args:
        trajectory: what to draw.
        masks: tint the pixels they give to each object and to hands; None for no tint.
        max_width: pictures wider than this are made smaller, outlines stay sharp.
        outlines: of its objects, by :func:`drawn_camera`; made here when left out.
        panel: whether numbers and contacts are written onto the pictures.
    """

    def __init__(
        self,
        trajectory: Trajectory,
        *,
        masks: MaskSequence | None = None,
        max_width: int = MAX_WIDTH,
        outlines: SceneOutlines | None = None,
        panel: bool = True,
    ) -> None:
        instance(
            trajectory, Trajectory, "trajectory", "dexman_pose.reconstruct gives one, or Trajectory.load"
        )
        if masks is not None:
            instance(masks, MaskSequence, "masks", "segment_clip gives one")
        max_width = count(max_width, "max_width")
        if max_width < 16:
            raise InputError(f"max_width must be at least 16 pixels, but got {max_width}")
        self.trajectory, self.masks, self._with_panel = trajectory, masks, panel
        self.colors = object_colors([*trajectory.objects, *_extra_names(trajectory, masks)])
        self._camera = drawn_camera(trajectory.camera, max_width)
        # The middle and size of a mesh take longer to compute than a whole hand to draw.
        self._middles = {n: (o.mesh.center, o.mesh.radius) for n, o in trajectory.objects.items()}
        self._outlines = outlines or SceneOutlines(trajectory.objects, self._camera)
        self._tints = _label_colors(masks, self.colors)
        self._grid = TableGrid(trajectory, self._camera)
        self._corner = self._freest() if panel else Corner(False, False)

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels of the pictures drawn."""
        return self._camera.width, self._camera.height

    def draw(self, image: ImageLike, index: int) -> Image:
        """Frame ``index`` drawn over its picture.

        Args:
            image: (H, W, 3) uint8 RGB, a picture of the trajectory's camera. Not changed.
            index: frame of the trajectory.

        Returns:
            (h, w, 3) uint8 RGB, at most ``max_width`` wide.

        Raises:
            InputError: no such frame, or a picture of another size.
        """
        image, index = as_picture(image), count(index, "index", least=-1)
        self._check(image, index)
        if image.shape[1::-1] == self.size:
            canvas = Canvas(np.array(image, order="C"))
        else:
            canvas = Canvas(resize_picture(image, self.size))
        labels = None if self.masks is None else resize_labels(self.masks.labels(index), self.size)
        self._grid.draw(canvas.image, None if labels is None else labels == BACKGROUND)
        if labels is not None:
            canvas.tint(labels, self._tints, _TINT)
        self._draw_objects(canvas, index)
        for side, hand in self.trajectory.hands.items():
            if hand.valid[index]:
                draw_hand(canvas, hand, index, self._pixels)
                draw_contacts(canvas, self.trajectory, side, index, self._pixels, self.colors)
        if self._with_panel:
            canvas.panel(self._panel(index), right=self._corner.right, bottom=self._corner.bottom)
        return canvas.image

    def _check(self, image: Image, index: int) -> None:
        count, camera = self.trajectory.num_frames, self.trajectory.camera
        if not 0 <= index < count:
            raise InputError(f"the trajectory has frames 0 to {count - 1}, but frame {index} was asked for")
        if image.shape != (camera.height, camera.width, 3) or image.dtype != np.uint8:
            raise InputError(
                f"the picture must be uint8 RGB of the camera's size {camera.width}x{camera.height}, "
                f"but got {image.dtype} of shape {image.shape}"
            )

    def _draw_objects(self, canvas: Canvas, index: int) -> None:
        for name, curves in self._outlines.trace(index).items():
            obj, color = self.trajectory.objects[name], self.colors[name]
            shown = [c for c in (bent(curve, self._camera) for curve in curves) if len(c)]
            if obj.valid[index]:
                canvas.lines(shown, color, 2.0, closed=True)
                self._draw_axes(canvas, obj.camera_from_object[index], *self._middles[name])
            else:
                for curve in shown:
                    canvas.dashes(curve, mixed(color, GREY, 0.6), 2.0)

    def _draw_axes(self, canvas: Canvas, pose: Array, center: Array, radius: float) -> None:
        """The directions of the object frame, drawn from the middle of its mesh."""
        ends = center + np.concatenate([np.zeros((1, 3)), 0.4 * radius * np.eye(3)])
        points = ends @ pose[:3, :3].T + pose[:3, 3]
        if (points[:, 2] <= 0.01).any():
            return
        pixels = self._pixels(points)
        for k in np.argsort(-points[1:, 2]):  # the axis that points at the viewer last
            canvas.lines([pixels[[0, k + 1]]], AXIS_COLORS[k], 2.0)

    def _pixels(self, points: Array) -> Array:
        """Pixels (N, 2) in the picture drawn of camera-frame points (N, 3) with positive z."""
        return self._camera.project_finite(points)

    def _freest(self) -> Corner:
        """The corner for the text: one for the whole clip, so that it stays where it is."""
        canvas = Canvas(np.zeros((self._camera.height, self._camera.width, 3), np.uint8))
        frames = shown_at(self.trajectory)
        sizes = [canvas.panel_size(self._panel(int(index))) for index in frames]
        return freest_corner(self.trajectory, self._camera, frames, np.array(sizes).reshape(-1, 2))

    def _panel(self, index: int) -> list[TextLine]:
        t = self.trajectory
        lines = [TextLine(f"frame {index} / {t.num_frames - 1}   {t.frame_times[index]:.3f} s")]
        for name, obj in t.objects.items():
            if obj.valid[index]:
                iou = obj.track.mask_iou
                text = f"{name}: confidence {obj.confidence[index]:.2f}"
                text += "" if iou is None else f", mask IoU {iou[index]:.2f}"
                lines.append(TextLine(text, self.colors[name]))
            else:
                lines.append(TextLine(f"{name}: not valid", mixed(self.colors[name], GREY, 0.6), dim=True))
        for side in SIDES:
            if side in t.hands:
                text = contact_text(t, side, index)
                lines.append(TextLine(text, HAND_COLORS[side], dim=not t.hands[side].valid[index]))
        return lines


def overlay_frame(
    trajectory: Trajectory,
    image: ImageLike,
    index: int,
    *,
    masks: MaskSequence | None = None,
    max_width: int = MAX_WIDTH,
) -> Image:
    """One frame drawn over its picture; for many frames, :class:`OverlayRenderer` prepares the meshes once.

    Args:
        trajectory: what to draw.
        image: (H, W, 3) uint8 RGB of the camera's size.
        index: frame of the trajectory.
        masks: tint the pixels they give to each object and to hands.
        max_width: a wider picture is made smaller.

    Returns:
        (h, w, 3) uint8 RGB.

    Raises:
        InputError: no such frame, or a picture of another size.
    """
    return OverlayRenderer(trajectory, masks=masks, max_width=max_width).draw(image, index)


def write_overlay(
    trajectory: Trajectory,
    clip: ClipLike,
    path: str | Path,
    *,
    masks: MaskSequence | None = None,
    max_width: int = MAX_WIDTH,
    outlines: SceneOutlines | None = None,
) -> Path:
    """Write the whole clip with the estimate drawn over it as an mp4 (H.264); memory does not grow with its
    length.

    Per frame: the outline of what is visible of each object (dashed and dimmed where its pose is not valid),
    the axes of its frame (x red, y green, z blue), a faint grid of 10 cm on the table where it is
    known, hand skeletons (hollow joints where bridged), a filled disc in the object's colour at joints that touch it,
    frame number and time, confidence and contacts as text, in the corner where objects and hands are least.

    Args:
        trajectory: what to draw.
        clip: the video it was made from, with at least as many frames; undistorted here where the trajectory is.
        path: the mp4 file; appears only when complete.
        masks: tint the pixels they give to each object and to hands.
        max_width: wider pictures are made smaller.
        outlines: of its objects, some of them traced ahead.

    Returns:
        ``path``.

    Raises:
        InputError: the clip has fewer frames or another size than the trajectory.
    """
    instance(trajectory, Trajectory, "trajectory", "dexman_pose.reconstruct gives one, or Trajectory.load")
    clip = as_clip(clip)
    if clip.num_frames < trajectory.num_frames:
        raise InputError(
            f"the clip has {clip.num_frames} frames, but the trajectory covers {trajectory.num_frames}; "
            "give the video that the trajectory was made from"
        )
    clip = undistorted_clip(clip, trajectory.filmed_camera)
    renderer = OverlayRenderer(trajectory, masks=masks, max_width=max_width, outlines=outlines)

    def drawn() -> Iterator[Image]:
        frames = clip.frames(0, trajectory.num_frames)
        for index, image in progress(frames, "overlay", total=trajectory.num_frames):
            yield renderer.draw(image, index)

    with closing(ahead(drawn())) as pictures:  # the next one is drawn while the last one is coded
        return write_video(
            path, pictures, frame_times=trajectory.frame_times, crf=21, preset="veryfast", x264=_QUICK
        )


def drawn_camera(camera: Camera, max_width: int = MAX_WIDTH) -> Camera:
    """The camera of the pictures that are drawn, which are at most so wide."""
    # Its exact factors follow from the rounded size.
    scale = min(1.0, max_width / camera.width)
    width, height = max(1, round(camera.width * scale)), max(1, round(camera.height * scale))
    sx, sy = width / camera.width, height / camera.height
    k = camera.K.copy()
    k[0] *= sx
    k[1] *= sy
    k[0, 2] = (camera.cx + 0.5) * sx - 0.5
    k[1, 2] = (camera.cy + 0.5) * sy - 0.5
    return replace(camera, K=k, width=width, height=height)


def _extra_names(trajectory: Trajectory, masks: MaskSequence | None) -> list[str]:
    return [] if masks is None else [name for name in masks.names if name not in trajectory.objects]


def _label_colors(masks: MaskSequence | None, colors: dict[str, RGB]) -> NDArray[np.uint8]:
    """(256, 3) colour per label value."""
    table = np.zeros((256, 3), np.uint8)
    table[OCCLUDER] = GREY
    for i, name in enumerate(masks.names if masks is not None else ()):
        table[i + 1] = colors[name]
    return table
