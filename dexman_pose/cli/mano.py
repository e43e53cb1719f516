"""``dexman-pose mano``: MANO parameters of a run's hands, or joints of parameters, by the user's own MANO files."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dexman_pose.cli.run import positive
from dexman_pose.errors import InputError

if TYPE_CHECKING:
    import numpy as np

    from dexman_pose.data import Trajectory
    from dexman_pose.hands.mano.fit import ManoCoding, ManoFit

_MM = 1000.0


def add(subparsers: Any) -> None:
    """Add the command to the parser."""
    p: argparse.ArgumentParser = subparsers.add_parser(
        "mano",
        help="fit MANO to the hands of a run, by your own MANO files",
        description="Fit MANO's parameters to the joints of a run's hands and write them, with how they are to be "
        "read; or, with --joints, make joints of another program's parameters for `run --hands`. The files "
        "MANO_RIGHT.pkl and MANO_LEFT.pkl are not part of this package: they come from https://mano.is.tue.mpg.de "
        "under their own licence.",
    )
    p.add_argument(
        "run", metavar="RUN", help="run folder or trajectory file; with --joints a file of parameters"
    )
    p.add_argument(
        "--joints",
        action="store_true",
        help="RUN holds MANO parameters of another program: write their 21 joints as .json",
    )
    p.add_argument("--right", type=Path, metavar="FILE", help="MANO_RIGHT.pkl, or a copy as .pkl, .npz, .npy")
    p.add_argument("--left", type=Path, metavar="FILE", help="MANO_LEFT.pkl, or a copy")
    p.add_argument(
        "--out", type=Path, required=True, metavar="FILE", help=".npz to write; with --joints .json"
    )
    p.add_argument(
        "--frame", choices=("camera", "world"), default="camera", help="of the parameters (default: camera)"
    )
    p.add_argument(
        "--zero",
        choices=("flat", "mean"),
        help="the pose that zeros mean: the flat hand, or the file's mean pose (default: flat; with --joints what "
        "the parameters say, and to be given where they do not)",
    )
    p.add_argument(
        "--pca", type=positive, metavar="N", help="write N coefficients of principal components, not angles"
    )
    p.add_argument(
        "--places",
        choices=("wrist", "template"),
        help="what the translation places: the wrist, or the template turned about it (default: wrist; with --joints "
        "template)",
    )
    p.add_argument(
        "--tips", default="smplx", metavar="NAME", help="vertices of fingertips: smplx, manopth, freihand"
    )
    p.add_argument(
        "--left-shape",
        choices=("mended", "as-is"),
        help="whether the wrong sign in x of the left file's shape directions is mended (default: mended; with "
        "--joints to be given for left hands)",
    )
    p.set_defaults(handler=handle)


def handle(args: argparse.Namespace) -> int:
    """Fit the hands of a run, or make joints of parameters."""
    files = {side: path for side, path in (("left", args.left), ("right", args.right)) if path is not None}
    if not files:
        raise InputError("no MANO file is given: give --right FILE, --left FILE or both")
    suffix = ".json" if args.joints else ".npz"
    if args.out.suffix != suffix:
        raise InputError(f"--out must be a {suffix} file, but is {args.out}")
    return _write_joints(args, files) if args.joints else _write_fits(args, files)


def _write_joints(args: argparse.Namespace, files: dict[str, Path]) -> int:
    """The joints of another program's parameters, where ``run --hands`` reads them."""
    from dexman_pose.data.files import write_json
    from dexman_pose.given.hand_mano import ManoReading, plain_values, with_mano_joints
    from dexman_pose.hands.mano.file import load_mano

    how = ManoReading(
        {side: load_mano(path, side) for side, path in files.items()},
        flat_hand_mean=None if args.zero is None else args.zero == "flat",
        left_fixed=None if args.left_shape is None else args.left_shape == "mended",
        center_joint=0 if args.places == "wrist" else None,
        tips=args.tips,
    )
    found = with_mano_joints(Path(args.run), how)
    print(write_json(args.out.expanduser(), plain_values(found)))
    return 0


def _write_fits(args: argparse.Namespace, files: dict[str, Path]) -> int:
    """Fit every hand whose file is given, write the parameters, print how far off the joints are."""
    from dexman_pose.data import Trajectory
    from dexman_pose.hands.mano.export import write_mano

    result = Trajectory.load(Path(args.run).expanduser())
    joints = _joints(result, args.frame)
    fits: dict[str, ManoFit] = {}
    for side in ("left", "right"):
        found = _fit(result, side, files, joints, args)
        if found is not None:
            fits[side] = found
            print(_told(found, joints[side]), flush=True)
    if not fits:
        raise InputError(f"{args.run} has no hand that a MANO file was given for; it has: {_hands(result)}")
    print(write_mano(args.out.expanduser(), fits, joints, result.frame_times))
    return 0


def _joints(result: Trajectory, frame: str) -> dict[str, np.ndarray]:
    """(T, 21, 3) joints by side, in the frame asked for."""
    from dexman_pose.geometry import transform_points

    seen = {side: hand.joints for side, hand in result.hands.items()}
    if frame == "camera":
        return seen
    return {side: transform_points(result.world_from_camera, joints) for side, joints in seen.items()}


def _fit(
    result: Trajectory,
    side: str,
    files: dict[str, Path],
    joints: dict[str, np.ndarray],
    args: argparse.Namespace,
) -> ManoFit | None:
    """The fit of one side, or None and a line that says why there is none."""
    from dexman_pose.hands.mano.file import load_mano
    from dexman_pose.hands.mano.fit import fit_mano

    hand = result.hands.get(side)
    if side not in files:
        if hand is not None:
            print(f"{side} hand: left out, no --{side} FILE is given")
        return None
    file = load_mano(files[side], side)
    if hand is None or not hand.valid.any():
        print(f"{side} hand: not seen in {args.run}")
        return None
    return fit_mano(joints[side], file, hand.valid, frame=args.frame, coding=_coding(args))


def _coding(args: argparse.Namespace) -> ManoCoding:
    from dexman_pose.hands.mano.fit import ManoCoding

    return ManoCoding(
        flat_hand_mean=args.zero != "mean",
        pca=args.pca,
        center_joint=None if args.places == "template" else 0,
        left_fixed=args.left_shape != "as-is",
        tips=args.tips,
    )


def _told(fit: ManoFit, measured: np.ndarray) -> str:
    """Frames, and the median error of all joints and of each."""
    from dexman_pose.data import JOINT_NAMES
    from dexman_pose.hands.mano.export import joint_error

    errors = fit.errors(measured) * _MM
    lines = [
        f"{fit.parameters.side} hand: {int(fit.valid.sum())} of {len(fit.valid)} frames, joints "
        f"{float(_median(errors)):.1f} mm from the run's (median; largest {errors.max():.1f})"
    ]
    each = joint_error(fit, measured) * _MM
    for first in (0, *range(1, len(JOINT_NAMES), 4)):
        names = JOINT_NAMES[first : first + (1 if first == 0 else 4)]
        lines.append("  " + "  ".join(f"{n} {e:.1f}" for n, e in zip(names, each[first:])))
    return "\n".join(lines)


def _median(values: np.ndarray) -> float:
    import numpy as np

    return float(np.median(values))


def _hands(result: Trajectory) -> str:
    return ", ".join(result.hands) or "none"
