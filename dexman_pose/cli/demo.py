"""``dexman-pose demo``: a clip with known truth, rendered here, through the default pipeline, and the errors."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dexman_pose.cli.run import positive, print_files, with_meshes

if TYPE_CHECKING:
    from dexman_pose.data import HandTrack, RigidObject, Trajectory
    from dexman_pose.datasets import DemoTruth

CLOSE_M, CLOSE_DEG = 0.005, 5.0
"""A frame counts as right when its pose is this close to the truth."""


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
    p.set_defaults(handler=handle)


def handle(args: argparse.Namespace) -> int:
    """Render, reconstruct, compare."""
    from dexman_pose.cli.console import print_stage, shown
    from dexman_pose.datasets import render_demo
    from dexman_pose.pipeline import load_prompts, reconstruct
    from dexman_pose.pipeline.backends import Backends, check_backends
    from dexman_pose.pipeline.files import make_folder

    hands = None if args.hands.lower() == "none" else args.hands
    check_backends(Backends(hands))
    out = Path(args.out).expanduser()
    make_folder(out / "clip")
    with shown():
        print(f"rendering {args.frames} frames into {out / 'clip'}", flush=True)
        truth = render_demo(out / "clip", num_frames=args.frames)
        prompts = load_prompts(out / "clip/prompts.json")
        name = next(iter(prompts))
        result = reconstruct(
            out / "clip/video.mp4",
            with_meshes(prompts, [f"{name}={out / 'clip/object.obj'}"]),
            camera=out / "clip/camera.json",
            hands=hands,
            out=out,
            on_stage=print_stage,
        )
    print_errors(result, truth)
    print_files(out)
    return 0


def print_errors(result: Trajectory, truth: DemoTruth) -> None:
    """Print how far objects and hands are from the truth."""
    print("errors against the truth")
    for name, obj in result.objects.items():
        print(f"  {name}: {object_errors(obj, truth)}")
    for side, hand in result.hands.items():
        print(f"  {side} hand: {hand_errors(hand, truth)}")


def object_errors(obj: RigidObject, truth: DemoTruth) -> str:
    """Errors of an object's poses in words; a frame without a pose counts as wrong."""
    from dexman_pose.geometry import inverse, rotation_angle

    found, true = obj.camera_from_object, truth.camera_from_object
    metres = np.linalg.norm(found[:, :3, 3] - true[:, :3, 3], axis=-1)
    degrees = np.degrees(rotation_angle(inverse(true) @ found))
    good = obj.valid & (metres < CLOSE_M) & (degrees < CLOSE_DEG)
    text = f"{good.sum()} of {len(good)} frames within {1000 * CLOSE_M:.0f} mm and {CLOSE_DEG:.0f} degrees"
    if not obj.valid.any():
        return text
    return f"{text}; {_spread(1000 * metres[obj.valid], 'mm')}, {_spread(degrees[obj.valid], 'degrees')}"


def hand_errors(hand: HandTrack, truth: DemoTruth) -> str:
    """Errors of a hand's joints in words, over the frames in which hand and truth are there."""
    both = hand.valid & truth.hand_valid
    text = f"found in {both.sum()} of {truth.hand_valid.sum()} frames"
    if not both.any():
        return text
    metres = np.linalg.norm(hand.joints[both] - truth.joints[both], axis=-1).mean(-1)
    return f"{text}; mean joint error {_spread(1000 * metres, 'mm')}"


def _spread(values: NDArray[np.float64], unit: str) -> str:
    """Median and 90th percentile."""
    return f"median {np.median(values):.2f} {unit} (90 %: {np.percentile(values, 90):.2f})"
