"""``dexman-pose run``: from a video to a trajectory."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dexman_pose.cli.parts.boxes import SHAPE, prompts_of_boxes
from dexman_pose.cli.parts.camera import camera_given
from dexman_pose.cli.parts.console import add_quiet
from dexman_pose.cli.parts.device import add_device
from dexman_pose.cli.parts.words import prompts_of_words
from dexman_pose.errors import InputError

if TYPE_CHECKING:
    from dexman_pose.data import ObjectPrompt

UNITS = ("auto", "m", "cm", "mm", "inch")


def add(subparsers: Any) -> None:
    """Add the command to the parser."""
    p: argparse.ArgumentParser = subparsers.add_parser(
        "run",
        help="reconstruct objects and hands of a video",
        description="Reconstruct objects and hands of a video. The results of all stages are kept in the run "
        "folder; the same command again goes on where it was stopped and redoes only what has changed.",
    )
    p.add_argument("video", metavar="VIDEO", help="video file, or folder of images")
    p.add_argument(
        "--prompts",
        metavar="FILE",
        help='JSON: {"frame": 0, "objects": {"cube": [x0, y0, x1, y1]}}, or {"clips": {...}} of many clips; not '
        "needed with --masks",
    )
    p.add_argument(
        "--box",
        action="append",
        default=[],
        metavar=SHAPE,
        help="box around an object in pixels, in place of a prompt file or beside it; may be repeated",
    )
    p.add_argument(
        "--objects",
        metavar="WORDS[@FRAME]",
        help="words for objects, found by Grounding DINO in a frame, the first one by default: 'ladle, red bowl@12' "
        "(docs/backends.md)",
    )
    p.add_argument("--out", required=True, metavar="DIR", help="run folder")
    p.add_argument(
        "--mesh",
        action="append",
        default=[],
        metavar="NAME=PATH",
        help="mesh of an object; without one its shape is made from the clip; may be repeated",
    )
    p.add_argument(
        "--mesh-unit",
        choices=UNITS,
        default="auto",
        help="unit of mesh files (default: metres for glTF, by their size for others; what was guessed is said)",
    )
    p.add_argument(
        "--mesh-scale",
        action="append",
        default=[],
        metavar="[NAME=]unknown",
        help="meshes of no certain size, as generated ones: one factor on each is found; may be repeated with names",
    )
    camera = p.add_mutually_exclusive_group()
    camera.add_argument(
        "--camera",
        metavar="FILE",
        help="camera file of any common tool (docs/cameras.md); estimated when not given",
    )
    camera.add_argument("--K", dest="k", metavar="FX,FY,CX,CY", help="intrinsics in pixels of the video")
    p.add_argument(
        "--segmentation",
        default="grabcut",
        metavar="NAME[:WEIGHTS]",
        help="how masks are made: grabcut (default), sam, sam2, edgetam, with a model's name or path: "
        "sam2:sam2.1-large (docs/backends.md)",
    )
    p.add_argument(
        "--mesh-from",
        default="silhouette",
        metavar="NAME",
        help="how objects without a mesh get one: silhouette (default), depth, depth_open3d, "
        "shap_e:FOLDER, outside:FILE.yaml (docs/backends.md)",
    )
    _add_given(p)
    p.add_argument("--max-frames", type=positive, metavar="N", help="use only the first N frames")
    p.add_argument(
        "--overwrite", action="store_true", help="remove the run of another clip from the run folder first"
    )
    p.add_argument("--no-overlay", action="store_true", help="draw no overlay.mp4 and no report.html")
    add_device(p)
    add_quiet(p)
    p.set_defaults(handler=handle)


def _add_given(p: argparse.ArgumentParser) -> None:
    """Options for what other programs made; docs/inputs.md describes the formats."""
    p.add_argument(
        "--masks",
        action="append",
        default=[],
        metavar="[NAME=]PATH",
        help="masks of another program: folder, .npz, .json, video; may be repeated with names",
    )
    p.add_argument(
        "--hands", default="mediapipe", metavar="NAME|FILE", help="hand detector, a file of hands, or none"
    )
    p.add_argument("--hands-order", default="auto", metavar="NAME", help="order of the joints of given hands")
    p.add_argument(
        "--poses",
        action="append",
        default=[],
        metavar="[NAME=]PATH",
        help="poses of another program: BOP .csv, folder of matrices, .npy; may be repeated with names",
    )
    p.add_argument(
        "--poses-as",
        choices=("start", "fixed"),
        default="start",
        help="given poses start the track, or are the result",
    )
    p.add_argument(
        "--depth",
        metavar="DIR|FILE",
        help="depth images named as the frames: 16-bit PNG, TIFF, EXR, .npy",
    )
    p.add_argument(
        "--depth-unit", default="auto", metavar="UNIT", help="m, cm, mm, or metres of one step as 1/4000"
    )
    p.add_argument(
        "--depth-camera",
        metavar="FILE",
        help="where depth is not registered: its K and color_from_depth as JSON or YAML",
    )


def named_paths(options: Sequence[str], names: Sequence[str], option: str) -> Any:
    """One path, or paths by name, of a ``[NAME=]PATH`` option that may be repeated; None where it is not given."""
    if not options:
        return None
    parts = [text.partition("=") for text in options]
    named = [bool(equals) and "/" not in name for name, equals, _ in parts]
    if len(options) == 1 and not named[0]:
        return options[0]
    if not all(named):
        raise InputError(f"{option} must be NAME=PATH when it is repeated, but got {', '.join(options)}")
    found = {name: path for name, _, path in parts}
    unknown = [name for name in found if names and name not in names]
    if unknown:
        raise InputError(f"{option}: no object is named {unknown[0]!r}; the objects are {', '.join(names)}")
    return found


def _objects(args: argparse.Namespace) -> dict[str, Any]:
    """Prompts with their meshes; with masks alone, names with meshes."""
    if args.prompts is not None or args.box or args.objects or not args.masks:
        return dict(with_meshes(_prompts(args), args.mesh))
    meshes = [option.partition("=") for option in args.mesh]
    for name, equals, path in meshes:
        if not name or not equals or not path:
            raise InputError(f"--mesh must be NAME=PATH, but got {name + equals + path!r}")
    names = [
        name for name, equals, _ in (text.partition("=") for text in args.masks) if equals and "/" not in name
    ]
    out: dict[str, Any] = dict.fromkeys(names)
    out.update({name: Path(path).expanduser() for name, _, path in meshes})
    return out or {"object": None}


def _has_mesh(value: Any) -> bool:
    """Whether an object of a run has a mesh: in its prompt, or in its place."""
    return value is not None and getattr(value, "mesh", value) is not None


def handle(args: argparse.Namespace) -> int:
    """Run the pipeline and print what came out."""
    from dexman_pose._memory import large_blocks_apart
    from dexman_pose.cli.parts.console import print_stage, shown
    from dexman_pose.pipeline import reconstruct
    from dexman_pose.pipeline.inputs import open_clip

    large_blocks_apart(0)  # before the first thread
    objects = _objects(args)
    objects = scaled_meshes(objects, args.mesh_scale)
    if args.mesh_unit != "auto" and not any(_has_mesh(value) for value in objects.values()):
        raise InputError(f"--mesh-unit {args.mesh_unit}: no object has a mesh; give one by --mesh NAME=PATH")
    with shown(args.quiet):
        clip = open_clip(args.video, args.max_frames)
        result = reconstruct(
            clip,
            objects,
            camera=camera_given(args, clip),
            depth=args.depth,
            hands=None if args.hands.lower() == "none" else args.hands,
            masks=named_paths(args.masks, list(objects), "--masks"),
            poses=named_paths(args.poses, list(objects), "--poses"),
            poses_as=args.poses_as,
            hands_order=args.hands_order,
            depth_unit=args.depth_unit,
            depth_camera=args.depth_camera,
            segmentation=args.segmentation,
            mesh=args.mesh_from,
            out=args.out,
            mesh_unit=args.mesh_unit,
            overlay=not args.no_overlay,
            overwrite=args.overwrite,
            device=args.device,
            progress=sys.stderr.isatty() and not args.quiet,
            on_stage=None if args.quiet else print_stage,
        )
    from dexman_pose.viewer import describe

    if not args.quiet:
        print(describe(result))
    print_files(Path(args.out))
    return 0


def _prompts(args: argparse.Namespace) -> dict[str, ObjectPrompt]:
    """The prompts of the file, of the boxes, and of the words."""
    from dexman_pose.networks.device import networks_on
    from dexman_pose.pipeline import load_prompts

    boxes = prompts_of_boxes(args.box)
    if args.objects:
        with networks_on(args.device):
            boxes |= prompts_of_words(args.objects, args.video, known=[*boxes])
    if args.prompts is None:
        if not boxes:
            raise InputError(
                f"say where the objects are: --box {SHAPE} for each, or --prompts FILE, --objects WORDS, --masks PATH "
                "(see dexman-pose run --help)"
            )
        return boxes
    prompts = load_prompts(args.prompts, args.video)
    twice = sorted(set(prompts) & set(boxes))
    if twice:
        raise InputError(f"--box {twice[0]}=...: {args.prompts} names {twice[0]!r} too; give it once")
    return prompts | boxes


def with_meshes(prompts: dict[str, ObjectPrompt], options: Sequence[str]) -> dict[str, ObjectPrompt]:
    """The prompts with the meshes of ``NAME=PATH`` options put in."""
    out = dict(prompts)
    for option in options:
        name, equals, path = option.partition("=")
        if not equals or not path:
            raise InputError(f"--mesh must be NAME=PATH, but got {option!r}")
        if name not in out:
            raise InputError(
                f"--mesh {option}: no object is named {name!r}; the prompts name {', '.join(out)}"
            )
        out[name] = replace(out[name], mesh=Path(path).expanduser())
    return out


def scaled_meshes(objects: dict[str, Any], options: Sequence[str]) -> dict[str, Any]:
    """The objects, the meshes of some or all of them said to be of unknown scale by ``[NAME=]unknown`` options."""
    out = dict(objects)
    for option in options:
        name, equals, scale = option.rpartition("=")
        if scale not in ("known", "unknown"):
            raise InputError(f"--mesh-scale must be unknown or NAME=unknown, but got {option!r}")
        if equals and name not in out:
            raise InputError(
                f"--mesh-scale {option}: no object is named {name!r}; there are {', '.join(out)}"
            )
        chosen = [name] if equals else [n for n, value in out.items() if _has_mesh(value)]
        if not chosen or not all(_has_mesh(out[n]) for n in chosen):
            raise InputError(f"--mesh-scale {option}: there is no mesh; give one by --mesh NAME=PATH")
        for n in chosen:
            if not hasattr(out[n], "mesh_scale"):
                raise InputError(
                    f"--mesh-scale {option}: with --masks alone the size of meshes is taken as known; "
                    f"say where {n!r} is by --box or --prompts too"
                )
            out[n] = replace(out[n], mesh_scale=scale)
    return out


def print_files(folder: Path) -> None:
    """Name the result files that lie in a run folder."""
    for name in ("trajectory.npz", "overlay.mp4", "report.html"):
        if (folder / name).is_file():
            print(folder / name)


def positive(text: str) -> int:
    """A whole number from 1, as an argument type."""
    try:
        value = int(text)
    except ValueError:
        value = 0
    if value < 1:
        raise argparse.ArgumentTypeError(f"must be a whole number from 1, but is {text!r}")
    return value
