"""``dexman-pose depth``: depth of a video as a network guesses it."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from dexman_pose.cli.parts.device import add_device


def add(subparsers: Any) -> None:
    """Add the command to the parser."""
    p: argparse.ArgumentParser = subparsers.add_parser(
        "depth",
        help="guess the depth of a video with a network",
        description="Write the depth that a network guesses, (T, H, W) float32, to a .npy file. It is a guess: look "
        "at it before you give it to run as --depth, which takes depth for measured.",
    )
    p.add_argument("video", metavar="VIDEO", help="video file, or folder of images")
    p.add_argument("--out", required=True, type=Path, metavar="FILE.npy")
    p.add_argument(
        "--backend",
        default="depth_anything",
        metavar="NAME[:WEIGHTS]",
        help="depth_anything (default), depth_pro, outside:FILE.yaml",
    )
    p.add_argument("--camera", metavar="FILE", help="camera file, for networks that guess the focal length")
    add_device(p)
    p.set_defaults(handler=handle)


def handle(args: argparse.Namespace) -> int:
    """Guess depth and say what it is."""
    import numpy as np

    from dexman_pose.backends import DEPTH
    from dexman_pose.cli.parts.console import shown
    from dexman_pose.depth import predict_depth
    from dexman_pose.errors import InputError
    from dexman_pose.networks.device import networks_on
    from dexman_pose.pipeline.backends import check_needs
    from dexman_pose.pipeline.inputs import open_clip

    if args.out.suffix != ".npy":
        raise InputError(f"--out must be a .npy file, but got {args.out}")
    check_needs(DEPTH, args.backend)
    with shown(), networks_on(args.device):
        found = predict_depth(open_clip(args.video), camera=args.camera, backend=args.backend, out=args.out)
    middle = found.frames.frame(len(found.frames) // 2)
    unit = "m" if found.kind == "metric" else "(inverse depth, of unknown scale and shift: not for --depth)"
    low, high = np.quantile(middle, [0.05, 0.95])
    print(f"{args.out}: {len(found.frames)} frames, {found.kind}")
    print(f"most of the middle frame is {low:.3g} to {high:.3g} {unit}")
    if found.focal_length is not None:
        print(f"focal length {np.median(found.focal_length):.1f} px")
    return 0
