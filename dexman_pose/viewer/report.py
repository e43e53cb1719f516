"""One self-contained HTML page about a trajectory, which loads nothing and works offline."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Sequence
from os import PathLike
from pathlib import Path
from urllib.parse import quote

import numpy as np
from numpy.typing import NDArray

from dexman_pose._version import __version__
from dexman_pose.data import Clip, MaskSequence, Trajectory
from dexman_pose.data.accept import ClipLike, as_clip
from dexman_pose.data.files import write_bytes
from dexman_pose.data.numbers import described, instance
from dexman_pose.data.tracks import SIDES
from dexman_pose.errors import InputError
from dexman_pose.imaging.undistorted_inputs import undistorted_clip
from dexman_pose.viewer import html
from dexman_pose.viewer._text import percent
from dexman_pose.viewer.describe import (
    ObjectSummary,
    camera_text,
    duration,
    summarize_hand,
    summarize_object,
    world_text,
)
from dexman_pose.viewer.notices import Notice, noted
from dexman_pose.viewer.overlay import OverlayRenderer
from dexman_pose.viewer.palette import HAND_COLORS, hex_color, object_colors
from dexman_pose.viewer.replay.page import Replay, replay
from dexman_pose.viewer.replay.pictures import jpeg

KEY_FRAMES = 8
_KEY_WIDTH = 640
_QUALITY = 86
_LARGEST_EMBEDDED = 8_000_000
_JUMP = '<button type="button" class="jump" data-frame="{}">{}</button>'
_FRAMES = re.compile(r"\bframes:? (\d+(?:-\d+)?(?:, \d+(?:-\d+)?)*)")


def write_report(
    trajectory: Trajectory,
    path: str | Path,
    *,
    clip: ClipLike | None = None,
    masks: MaskSequence | None = None,
    overlay: str | Path | None = None,
    truth_errors: dict[str, str] | None = None,
    title: str | None = None,
) -> Path:
    """Write the report of a trajectory: a replay of it, summary, what to be careful with, key frames, curves.

    The replay shows pictures, the scene in 3D and from the side, and a line in every curve, of one frame at a time. Its
    script asks nothing of the network, and the page forbids it to; without WebGL it does without the 3D.

    Args:
        trajectory: what to report on.
        path: the HTML file; appears only when complete.
        clip: the video it was made from; without it there are no pictures.
        masks: tint the pictures with them.
        overlay: an overlay video; put into the page below 8 MB, else linked by its relative path.
        truth_errors: what was measured against ground truth, in words, by object or quantity.
        title: heading; the clip's name when None.

    Returns:
        ``path``.

    Raises:
        InputError: the overlay does not exist, or the clip does not fit the trajectory.
    """
    instance(trajectory, Trajectory, "trajectory", "dexman_pose.reconstruct gives one, or Trajectory.load")
    if clip is not None:
        clip = as_clip(clip)
    if masks is not None:
        instance(masks, MaskSequence, "masks", "segment_clip gives one")
    if not isinstance(path, (str, PathLike)):
        raise InputError(f"path must be that of a file, but got {described(path)}")
    target = Path(path)
    clip = None if clip is None else undistorted_clip(clip, trajectory.filmed_camera)
    if clip is not None and clip.num_frames < trajectory.num_frames:
        raise InputError(
            f"the clip has {clip.num_frames} frames, but the trajectory covers {trajectory.num_frames}; "
            "give the video that the trajectory was made from"
        )
    shown = None if overlay is None else _video(Path(overlay), target)
    heading, wanted = title or _title(trajectory, clip), key_frames(trajectory)
    moving = replay(trajectory, clip, masks, keep=wanted)
    warnings = noted(trajectory)
    body = [_header(heading, trajectory, len(warnings)), moving.stage]
    if warnings:
        body.append(html.section("Before you use the numbers", _note_table(warnings), name="notes"))
    body.append(html.section("Summary", _object_table(trajectory), _hand_table(trajectory)))
    if truth_errors:
        rows = [(html.escape(k), html.escape(v)) for k, v in truth_errors.items()]
        body.append(html.section("Against ground truth", html.table(("what", "error"), rows)))
    body.append(html.section("Over time, in seconds", *_curves(trajectory, moving)))
    if clip is not None:
        body.append(html.section("Key frames", _contact_sheet(trajectory, wanted, moving.kept, masks)))
    if shown is not None:
        body.append(html.section("Overlay", shown))
    body += [html.section("Provenance", _provenance(trajectory)), moving.tail]
    # A lone surrogate (an undecodable byte of a file name) has no UTF-8 form.
    content = html.page(heading, body, head=moving.head)
    return write_bytes(target, content.encode("utf-8", errors="replace"))


def key_frames(trajectory: Trajectory, count: int = KEY_FRAMES) -> dict[int, str]:
    """Frames worth a look and why: ``count`` spread evenly, and the worst mask overlap of each object."""
    last = trajectory.num_frames - 1
    if last < 0:
        return {}
    chosen = {int(i): "" for i in np.unique(np.linspace(0, last, count).round().astype(int))}
    for obj in list(trajectory.objects.values())[:4]:
        worst = summarize_object(obj)
        if worst.worst_frame is not None and worst.worst_iou is not None:
            why = f"lowest mask IoU of {obj.name}: {worst.worst_iou:.2f}"
            before = chosen.get(worst.worst_frame, "")
            chosen[worst.worst_frame] = f"{before}; {why}" if before else why
    return dict(sorted(chosen.items()))


def _header(heading: str, trajectory: Trajectory, warnings: int) -> str:
    things = "one thing" if warnings == 1 else f"{warnings} things"
    link = (
        f'<a class="warn" href="#notes">{things} to note before you use the numbers</a>' if warnings else ""
    )
    return f'<header><h1>{html.escape(heading)}</h1><p class="lead">{_lead(trajectory)}</p>{link}</header>'


def _note_table(warnings: Sequence[Notice]) -> str:
    """What is to note, a row each; frames that a sentence names can be gone to."""
    rows = [(html.escape(n.about), _with_jumps(n.text.removeprefix(f"{n.about}: "))) for n in warnings]
    return '<div class="noted">' + html.table(("about", "to note"), rows) + "</div>"


def _with_jumps(text: str) -> str:
    out, end = [], 0
    for found in _FRAMES.finditer(text):
        out.append(html.escape(text[end : found.start(1)]))
        out += [
            piece if k % 2 else _JUMP.format(int(piece.split("-")[0]), piece)
            for k, piece in enumerate(re.split("(, )", found[1]))
        ]
        end = found.end(1)
    return "".join([*out, html.escape(text[end:])])


def _title(trajectory: Trajectory, clip: Clip | None) -> str:
    if clip is not None and clip.path is not None:
        return Path(clip.path).name
    return ", ".join(trajectory.objects) or "Trajectory"


def _lead(trajectory: Trajectory) -> str:
    parts = [f"{trajectory.num_frames} frames", f"{duration(trajectory):.2f} s", camera_text(trajectory)]
    parts += world_text(trajectory)
    return html.escape(" - ".join(parts)).replace(" - ", " &middot; ")


def _object_table(trajectory: Trajectory) -> str:
    head = (
        "object", "valid frames", "confidence", "mean IoU", "worst IoU (frame)", "size (mm)", "scale",
        "scale from", "mesh faces", "mesh from", "carried by",
    )  # fmt: skip
    colors = object_colors(trajectory.objects)
    rows = [
        _object_row(summarize_object(o), hex_color(colors[name])) for name, o in trajectory.objects.items()
    ]
    return html.table(head, rows, numbers=frozenset((1, 2, 3, 4, 5, 6, 8))) if rows else "<p>No objects.</p>"


def _object_row(s: ObjectSummary, color: str) -> list[str]:
    worst = "-" if s.worst_iou is None else f"{s.worst_iou:.3f} ({s.worst_frame})"
    texts = [
        percent(s.valid), _number(s.confidence, 2), _number(s.mean_iou, 3), worst,
        " x ".join(f"{1000 * v:.0f}" for v in s.extents), f"{s.scale:.4g}", s.scale_source, f"{s.faces:,}",
        s.source, s.carried or "-",
    ]  # fmt: skip
    return [html.mark(color) + html.escape(s.name), *(html.escape(t) for t in texts)]


def _hand_table(trajectory: Trajectory) -> str:
    rows = []
    for side in SIDES:
        if side not in trajectory.hands:
            continue
        s = summarize_hand(trajectory, side)
        held = ", ".join(f"{name} {percent(share)}" for name, share in s.touching.items() if share > 0)
        source = trajectory.hands[side].scale_source
        texts = [percent(s.detected), percent(s.bridged), held or "nothing", source]
        name = html.mark(hex_color(HAND_COLORS[side])) + html.escape(side)
        rows.append([name, *(html.escape(t) for t in texts)])
    head = ("hand", "seen", "bridged", "touches (share of frames)", "scale from")
    return html.table(head, rows, numbers=frozenset((1, 2))) if rows else "<p>No hands.</p>"


def _number(value: float | None, digits: int) -> str:
    return "-" if value is None else f"{value:.{digits}f}"


def _contact_sheet(
    trajectory: Trajectory,
    wanted: dict[int, str],
    found: dict[int, NDArray[np.uint8]],
    masks: MaskSequence | None,
) -> str:
    renderer = OverlayRenderer(trajectory, masks=masks, max_width=_KEY_WIDTH, panel=False)
    figures = []
    for index, why in wanted.items():
        picture = renderer.draw(found[index], index)
        caption = f"frame {index}, {trajectory.frame_times[index]:.2f} s" + (f" - {why}" if why else "")
        figures.append(
            html.figure(html.image(jpeg(picture, _QUALITY), "jpeg", f"overlay of frame {index}"), caption)
        )
    return '<div class="frames">\n' + "\n".join(figures) + "\n</div>"


def _video(overlay: Path, target: Path) -> str:
    if not overlay.is_file():
        raise InputError(f"the overlay video {overlay} does not exist")
    if overlay.stat().st_size < _LARGEST_EMBEDDED:
        source = html.data_uri(overlay.read_bytes(), "video/mp4")
    else:
        relative = Path(os.path.relpath(overlay.resolve(), target.parent.resolve())).as_posix()
        source = quote(relative if relative.startswith(".") else f"./{relative}")
    video = f'<video controls loop muted playsinline preload="metadata" src="{html.escape(source)}"></video>'
    return html.figure(video, overlay.name)


def _curves(trajectory: Trajectory, moving: Replay) -> list[str]:
    if trajectory.num_frames == 0:
        return ["<p>No frames.</p>"]
    return moving.charts or ["<p>Nothing to plot.</p>"]


def _provenance(trajectory: Trajectory) -> str:
    content = json.dumps(trajectory.provenance, indent=2, sort_keys=True, default=str, ensure_ascii=False)
    world = np.array2string(trajectory.world_from_camera, precision=4, suppress_small=True)
    matrix = np.array2string(trajectory.camera.K, precision=3, suppress_small=True)
    text = f"{content}\n\ncamera matrix K (pixels)\n{matrix}\n\nworld_from_camera\n{world}"
    return f'<pre>{html.escape(text)}</pre>\n<p class="lead">dexman_pose {html.escape(__version__)}</p>'
