"""The camera on the command line: a file, or its numbers."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dexman_pose.data import Camera, Clip


def camera_given(args: argparse.Namespace, clip: Clip) -> Camera | str | None:
    """What ``--camera`` or ``--K`` tells; None where neither was given."""
    if args.k is None:
        camera: str | None = args.camera
        return camera
    from dexman_pose.data.camera_file import parse_k

    return parse_k(args.k, clip.width, clip.height)
