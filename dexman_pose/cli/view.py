"""``dexman-pose view``: what a run found, in words, pictures and pages."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dexman_pose.errors import InputError

if TYPE_CHECKING:
    from dexman_pose.data import Clip, MaskSequence, Trajectory


def add(subparsers: Any) -> None:
    """Add the command to the parser."""
    p: argparse.ArgumentParser = subparsers.add_parser(
        "view",
        help="say what a run found; draw a frame, the overlay, the report",
        description="Print a summary of a run folder or trajectory file, and draw it again where asked.",
    )
    p.add_argument("run", metavar="RUN", help="run folder or trajectory file")
    p.add_argument("--video", metavar="FILE", help="the video, when it is not where the run found it")
    p.add_argument("--frame", type=int, default=0, metavar="N", help="frame to draw (default: 0)")
    p.add_argument("--png", metavar="FILE", help="draw that frame into a picture")
    p.add_argument("--export-overlay", action="store_true", help="write overlay.mp4 and report.html again")
    p.add_argument(
        "--3d",
        dest="in_3d",
        action="store_true",
        help="write scene.rrd, the whole run for the Rerun viewer (extra view3d)",
    )
    p.add_argument("--json", action="store_true", help="print the summary as JSON")
    p.set_defaults(handler=handle)


def handle(args: argparse.Namespace) -> int:
    """Print the summary and write what was asked for."""
    from dexman_pose._memory import large_blocks_apart
    from dexman_pose.cli.parts.console import shown
    from dexman_pose.data import Trajectory
    from dexman_pose.viewer import describe, figures

    large_blocks_apart(0)  # before the first thread
    path = Path(args.run).expanduser()
    result = Trajectory.load(path)
    print(json.dumps(figures(result), indent=1) if args.json else describe(result))
    folder = path if path.is_dir() else path.parent
    if args.in_3d:
        with shown():
            _write_3d(result, folder, args.video)
    if args.png is None and not args.export_overlay:
        return 0
    with shown():
        clip = run_clip(folder, args.video, result)
        masks = run_masks(folder, result)
        if args.png is not None:
            print(_draw_frame(result, clip, masks, args.frame, Path(args.png).expanduser()))
        if args.export_overlay:
            _draw_all(result, clip, masks, folder)
    return 0


def run_clip(folder: Path, video: str | None, result: Trajectory) -> Clip:
    """The frames the run was made from."""
    from dexman_pose.imaging.undistorted_inputs import undistorted_clip
    from dexman_pose.pipeline.inputs import open_clip

    path = video or _recorded_video(folder)
    clip = open_clip(path, result.num_frames)
    camera = result.camera
    found = f"{clip.num_frames} frames of {clip.width}x{clip.height}"
    wanted = f"{result.num_frames} of {camera.width}x{camera.height}"
    if found.replace(" frames", "") != wanted:
        raise InputError(f"{path} has {found}, but the run has {wanted}; give its own video with --video")
    return undistorted_clip(clip, result.filmed_camera)


def _recorded_video(folder: Path) -> str:
    try:
        video = json.loads((folder / "run.json").read_text(encoding="utf-8"))["video"]
    except (OSError, ValueError, KeyError, TypeError):
        video = None
    if not isinstance(video, str):
        raise InputError(f"{folder} does not say which video it was made from; give it with --video FILE")
    return video


def run_masks(folder: Path, result: Trajectory) -> MaskSequence | None:
    """The outlines of the run, when they are there and fit."""
    from dexman_pose.pipeline.artefacts import load_masks

    path = folder / "stages" / "masks.npz"
    if not path.is_file():
        return None
    masks = load_masks(path)
    return masks if masks.num_frames == result.num_frames else None


def _draw_frame(result: Trajectory, clip: Clip, masks: MaskSequence | None, frame: int, png: Path) -> Path:
    from PIL import Image

    from dexman_pose.data.files import unwritable_is_bad_input
    from dexman_pose.viewer import overlay_frame

    picture = overlay_frame(result, clip.frame(frame), frame, masks=masks)
    with unwritable_is_bad_input(png):
        png.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(picture).save(png, format="PNG")
    return png


def _draw_all(result: Trajectory, clip: Clip, masks: MaskSequence | None, folder: Path) -> None:
    from dexman_pose.viewer import write_overlay, write_report

    write_overlay(result, clip, folder / "overlay.mp4", masks=masks)
    print(folder / "overlay.mp4")
    write_report(result, folder / "report.html", clip=clip, masks=masks)
    print(folder / "report.html")


def _write_3d(result: Trajectory, folder: Path, video: str | None) -> None:
    """The recording, without pictures where the video is not found and none was given."""
    from dexman_pose._optional import require
    from dexman_pose.exports import export

    require("rerun", "view3d", "the 3D view")
    masks = run_masks(folder, result)
    try:
        clip = run_clip(folder, video, result)
    except InputError as error:
        if video is not None:
            raise
        print(f"without pictures: {error}")
        clip = None
    path = export(result, "rerun", folder / "scene.rrd", clip=clip, masks=masks)
    print(f"{path} (open it with: rerun {path})")
