"""The replay as HTML: pictures, scene and side view, their controls, and the script that moves them."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
from collections.abc import Collection
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dexman_pose.data import OCCLUDER, Clip, MaskSequence, Trajectory
from dexman_pose.viewer.bundled import BUNDLED, WEB
from dexman_pose.viewer.html import escape
from dexman_pose.viewer.overlay import drawn_camera
from dexman_pose.viewer.palette import GREY, hex_color, object_colors
from dexman_pose.viewer.replay.contents import contents
from dexman_pose.viewer.replay.curves import charts
from dexman_pose.viewer.replay.drawings import Drawings
from dexman_pose.viewer.replay.pack import Pack
from dexman_pose.viewer.replay.pictures import Pictures, pictures
from dexman_pose.viewer.replay.shown import ReplayOptions, shown_frames

_SCRIPTS = ("unpack", "pictures", "drawing", "side", "scene", "player")
_LAYERS = (
    ("outline", "object", "M2 12L9 2H22L28 8V14H9Z", "what is visible of an object at its pose; solid in the scene"),
    ("ghosts", "not valid", "M2 12L9 2H22L28 8V14H9Z", "dashed, a grey ghost in the scene: a pose not to be used"),
    ("tint", "mask", "M2 12L9 2H22L28 8V14H9Z", "the pixels of an object by its mask, grey: of a hand or arm"),
    ("axes", "axes", "", "of the object's frame: x red, y green, z blue"),
    ("hands", "hand", "M3 13L13 4L27 8", "bones and joints; hollow where a hand was not seen but bridged"),
    ("contacts", "contact", "", "a disc with a white ring: a joint that touches the object of that colour"),
    ("table", "table", "M2 13H28M5 8H25M8 3H22M15 3V13", "a grid of 10 cm on the table"),
    ("paths", "path", "M2 13C8 0 18 14 28 3", "the way of an object's middle, in the scene"),
)  # fmt: skip
_VIEWS = (
    ("orbit", "From above"), ("filmed", "As filmed"), ("side", "From the side"), ("top", "From the top"),
)  # fmt: skip


@dataclass(frozen=True)
class Replay:
    """Pieces of HTML.

    Attributes:
        head: style and policy, for the head of the page.
        stage: pictures, scene and side view.
        charts: curves over time.
        tail: controls, data and script, for the end of the page.
        kept: pictures of frames that were asked for.
    """

    head: str
    stage: str
    charts: list[str]
    tail: str
    kept: dict[int, NDArray[np.uint8]]


def replay(
    trajectory: Trajectory,
    clip: Clip | None,
    masks: MaskSequence | None,
    options: ReplayOptions | None = None,
    *,
    keep: Collection[int] = (),
) -> Replay:
    """Make what moves in the page.

    Args:
        trajectory: what is shown; of one without frames nothing moves.
        clip: its pictures, undistorted; without it there are none.
        masks: tint the pictures.
        options: how much of it all.
        keep: frames of the clip that are handed back, so that nobody must look for them again.
    """
    o = options or ReplayOptions()
    if trajectory.num_frames == 0:
        return Replay(f"<style>{_web('replay.css')}</style>", "", [], "", {})
    frames, camera, pack = (
        shown_frames(trajectory.num_frames, o),
        drawn_camera(trajectory.camera, o.width),
        Pack(),
    )
    meta = contents(trajectory, frames, camera, pack, o)
    drawings = Drawings(trajectory, camera, masks)
    coded: Pictures | None = None
    if clip is None:
        for frame in frames:
            drawings.add(int(frame))
    else:
        size, times = (camera.width, camera.height), trajectory.frame_times[frames]
        coded = pictures(clip, frames, times, size, o, lambda i: drawings.add(int(frames[i])), keep)
    drawings.into(pack)
    curves = charts(trajectory, frames, pack)
    meta |= {
        "labels": _labels(trajectory, masks),
        "pictures": None if coded is None else coded.about,
        "arrays": pack.index,
    }
    script = _script()
    return Replay(
        _head(script),
        _stage(trajectory, frames.size),
        curves,
        _tail(meta, pack, coded, script, frames.size),
        {} if coded is None else coded.kept,
    )


def _labels(trajectory: Trajectory, masks: MaskSequence | None) -> list[dict[str, str]]:
    """Name and colour of every area of the masks, in the order in which they are drawn."""
    if masks is None:
        return []
    colors = object_colors([*trajectory.objects, *(n for n in masks.names if n not in trajectory.objects)])
    found = [{"name": name, "color": hex_color(colors[name])} for name in masks.names]
    return [*found, {"name": f"label {OCCLUDER}", "color": hex_color(GREY)}]


def _head(script: str) -> str:
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode("ascii")
    policy = (
        f"default-src 'none'; script-src 'sha256-{digest}' blob:; style-src 'unsafe-inline'; "
        "img-src data: blob:; media-src data: blob: file: 'self'"
    )
    return (
        f'<meta http-equiv="Content-Security-Policy" content="{escape(policy)}">\n'
        f"<style>{_web('replay.css')}</style>"
    )


def _stage(trajectory: Trajectory, count: int) -> str:
    camera = trajectory.camera
    views = "".join(
        f'<button type="button" data-view="{k}" aria-pressed="false">{w}</button>' for k, w in _VIEWS
    )
    views += (
        '<button type="button" id="nearer" aria-label="nearer">+</button>'
        '<button type="button" id="farther" aria-label="farther">&minus;</button>'
    )
    every = (
        ""
        if count == trajectory.num_frames
        else f" Of {trajectory.num_frames} frames {count} can be seen here."
    )
    return (
        "<noscript><p>Pictures, scene and side view need JavaScript; all else is below.</p></noscript>\n"
        f'<section class="moving" style="--ratio:{camera.width / camera.height:.5f}" aria-label="Replay">\n'
        '<div class="panes" id="stage">\n'
        '<div class="pane"><h3>The pictures, and the estimate over them</h3>'
        '<canvas id="picture" role="img" aria-label="picture of the frame with the estimate drawn over it"></canvas>'
        '<p class="hint" id="picture-note" hidden></p></div>\n'
        '<div class="pane"><h3>The scene in 3D</h3>'
        '<canvas id="scene" tabindex="0" role="img" aria-label="the scene in three dimensions, drag to turn it">'
        "</canvas>"
        '<p class="hint" id="scene-note" role="status" hidden></p>'
        f'<div class="buttons views">{views}</div></div>\n</div>\n'
        f'<div class="legend" role="group" aria-label="what is drawn">{_legend()}</div>\n'
        '<p class="hint">Space plays; arrow keys step, with shift by ten; Home and End go to the ends, a click into a '
        "curve there. Drag the scene to turn it, with shift or two fingers to move it; once it is clicked, the wheel "
        "brings it nearer."
        f"{every}</p>\n"
        '<div class="lower"><div class="pane"><h3>From the side, to scale; thin: six frames of the clip</h3>'
        '<canvas id="side" role="img" aria-label="the scene from the left of the camera"></canvas></div>\n'
        '<div><h3>In this frame</h3><dl class="now" id="now"></dl></div></div>\n</section>'
    )


def _legend() -> str:
    out = []
    for layer, word, path, text in _LAYERS:
        sign = f'<svg viewBox="0 0 30 16" aria-hidden="true">{_sign(layer, path)}</svg>'
        words = f"<span><strong>{escape(word)}</strong> {escape(text)}</span>"
        look = f'type="button" data-layer="{layer}" aria-pressed="true" title="click to hide or show"'
        out.append(f"<button {look}>{sign}{words}</button>")
    return "".join(out)


def _sign(layer: str, path: str) -> str:
    """A small picture of what a layer draws."""
    if layer == "axes":
        ends = (("#e13c32", "M9 11H28"), ("#46be46", "M9 11V0"), ("#3c6ef0", "M9 11L1 16"))
        return "".join(f'<path d="{d}" stroke="{c}" stroke-width="2"/>' for c, d in ends)
    if layer == "contacts":
        return (
            '<circle cx="15" cy="8" r="7" fill="#fff" stroke="#8d939c" stroke-width=".8"/>'
            '<circle cx="15" cy="8" r="4.6" fill="#009e73"/>'
        )
    looks = {
        "outline": 'fill="none" stroke="#009e73" stroke-width="2"',
        "ghosts": 'fill="none" stroke="#7c8a86" stroke-width="2" stroke-dasharray="4 3"',
        "tint": 'fill="#009e73" opacity=".4"',
        "hands": 'fill="none" stroke="#e69f00" stroke-width="2.5"',
        "table": 'fill="none" stroke="#8d939c"',
        "paths": 'fill="none" stroke="#009e73" stroke-width="1.5"',
    }
    dots = '<circle cx="13" cy="4" r="3" fill="#e69f00"/><circle cx="26" cy="8" r="2.2" fill="none" stroke="#e69f00"/>'
    return f'<path d="{path}" {looks[layer]}/>' + (dots if layer == "hands" else "")


def _tail(meta: dict[str, Any], pack: Pack, coded: Pictures | None, script: str, count: int) -> str:
    rates = "".join(
        f'<option value="{r}"{" selected" if r == 1 else ""}>{r:g}x</option>' for r in (0.1, 0.25, 0.5, 1, 2)
    )
    blocks = [
        '<div class="transport" role="group" aria-label="frame">'
        '<button type="button" id="play" aria-pressed="false">Play</button>'
        '<button type="button" id="back" aria-label="one frame back">&lsaquo;</button>'
        '<button type="button" id="on" aria-label="one frame on">&rsaquo;</button>'
        f'<input type="range" id="frame" min="0" max="{count - 1}" value="0" step="1" aria-label="frame">'
        f'<select id="rate" aria-label="speed">{rates}</select><span id="where"></span></div>',
        _block("replay-meta", "application/json", in_script(meta)),
        _block("replay-data", "text/plain", _base64(pack.data())),
        _block("replay-three", "text/plain", _base64(_three())),
    ]
    if coded is not None:
        blocks.append(_block("replay-pictures", "text/plain", _base64(coded.data)))
    return "\n".join([*blocks, f'<script type="module">{script}</script>'])


def in_script(value: Any) -> str:
    """JSON that nothing in a text can end: no element begins in it."""
    text = json.dumps(value, ensure_ascii=True, separators=(",", ":"), allow_nan=False)
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _block(name: str, kind: str, text: str) -> str:
    return f'<script type="{kind}" id="{name}">{text}</script>'


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


@cache
def _web(name: str) -> str:
    return (WEB / name).read_text(encoding="utf-8")


@cache
def _script() -> str:
    return "\n" + "\n".join(_web(f"{name}.js") for name in _SCRIPTS)


@cache
def _three() -> bytes:
    return gzip.compress(_web(BUNDLED[0].file).encode(), mtime=0)
