"""``dexman-pose demo``: a clip with known truth, rendered here, through the default pipeline, and the errors."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dexman_pose.cli.parts.console import add_quiet
from dexman_pose.cli.run import positive, print_files, with_meshes

LINES = {
    "object_valid_share": ("frames with a pose of the object", 100, "%"),
    "object_good_share": ("... within 5 cm and 20 degrees", 100, "%"),
    "translation_mm_median": ("object, translation, median", 1, "mm"),
    "translation_mm_max": ("object, translation, worst frame", 1, "mm"),
    "rotation_deg_median": ("object, rotation, median", 1, "degrees"),
    "rotation_deg_max": ("object, rotation, worst frame", 1, "degrees"),
    "hand_valid_share": ("frames with the hand", 100, "%"),
    "hand_joint_mm_median": ("hand, mean joint error, median", 1, "mm"),
    "hand_relative_mm_median": ("... relative to the wrist", 1, "mm"),
    "contact_agreement": ("frames in which touching is told rightly", 100, "%"),
    "gravity_deg": ("gravity", 1, "degrees"),
    "table_mm": ("table under the object", 1, "mm"),
}
"""Text, factor and unit of each number of the comparison with the truth."""

ERRORS = "errors.json"
"""File in the run folder that holds them."""


def add(subparsers: Any) -> None:
    """Add the command to the parser."""
    p: argparse.ArgumentParser = subparsers.add_parser(
        "demo",
        help="reconstruct a rendered clip and compare with its truth",
        description="Render a clip of a hand moving an object, run the default pipeline on it exactly as 'run' does, "
        "and print how far the result is from the truth.",
    )
    p.add_argument("--out", default="out/demo", metavar="DIR", help="run folder (default: out/demo)")
    p.add_argument(
        "--frames", type=positive, default=150, metavar="N", help="length of the clip (default: 150)"
    )
    p.add_argument("--hands", default="mediapipe", metavar="NAME", help="hand detector, or none")
    add_quiet(p)
    p.set_defaults(handler=handle)


def handle(args: argparse.Namespace) -> int:
    """Render, reconstruct, compare."""
    from dexman_pose.cli.parts.console import print_stage, shown
    from dexman_pose.data.files import make_folder, write_json
    from dexman_pose.pipeline import load_prompts, reconstruct
    from dexman_pose.pipeline.backends import Backends, check_backends
    from dexman_pose.synthetic import compare_with_truth, render_demo

    hands = None if args.hands.lower() == "none" else args.hands
    check_backends(Backends(hands))
    out = Path(args.out).expanduser()
    make_folder(out / "clip")
    with shown(args.quiet):
        if not args.quiet:
            print(f"rendering {args.frames} frames into {out / 'clip'}", flush=True)
        truth = render_demo(out / "clip", num_frames=args.frames)
        prompts = load_prompts(out / "clip/prompts.json")
        name = next(iter(prompts))
        result = reconstruct(
            out / "clip/video.mp4",
            with_meshes(prompts, [f"{name}={out / 'clip/object.obj'}"]),
            camera=out / "clip/camera.json",
            hands=hands,
            mesh_unit="m",
            out=out,
            on_stage=None if args.quiet else print_stage,
        )
    errors = compare_with_truth(result, truth)
    if not args.quiet:
        print_errors(errors)
    print_files(out)
    print(write_json(out / ERRORS, {"frames": args.frames, "hands": hands, "errors": errors}))
    return 0


def print_errors(errors: Mapping[str, float]) -> None:
    """Print errors against the truth as a table; what could not be computed is not there."""
    print("errors against the truth")
    for key, (text, factor, unit) in LINES.items():
        if key in errors:
            print(f"  {text:<42} {factor * errors[key]:8.2f} {unit}")
