"""What is killed: a run of a rendered clip, a batch of small ones, a rendering of two films."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from dexman_pose.benchmarks.endurance.clips import write_clips
from dexman_pose.benchmarks.endurance.kills import Killable
from dexman_pose.data.files import make_folder, write_npz

NAMES = ("run", "batch", "synth")
_FRAMES = 24
_CLIPS = 3
_GRASP = 28
_SMALL = (160, 120)
_RUN_OPTIONS = "--hands none --no-overlay --K 190,190,79.5,59.5"


def killables(folder: Path) -> dict[str, Killable]:
    """Write the inputs into a folder; the commands by their names."""
    return {
        "run": _run(folder / "clip"),
        "batch": _batch(folder / "clips"),
        "synth": _synth(folder / "grasps"),
    }


def _run(folder: Path) -> Killable:
    """The demonstration clip, short, with a hand and an overlay."""
    from dexman_pose.synthetic import render_demo

    make_folder(folder)
    render_demo(folder, num_frames=_FRAMES)
    given = ["--prompts", str(folder / "prompts.json"), "--camera", str(folder / "camera.json")]
    mesh = ["--mesh", f"tin={folder / 'object.obj'}", "--mesh-unit", "m"]
    return Killable("run", ("run", str(folder / "video.mp4"), *given, *mesh))


def _batch(folder: Path) -> Killable:
    make_folder(folder)
    write_clips(folder, _CLIPS, 0)
    given = ("--prompts", str(folder / "prompts.json"), "--workers", "2", f"--options={_RUN_OPTIONS}")
    return Killable("batch", ("batch", str(folder), *given))


def _synth(folder: Path) -> Killable:
    """Two films of the demonstration's grasp."""
    from dexman_pose.synthetic.demo.clip import SyntheticClip
    from dexman_pose.synthetic.demo.files import write_obj

    make_folder(folder)
    clip = SyntheticClip(_GRASP, *_SMALL)
    frames = _GRASP // 2
    write_npz(
        folder / "tin.npz",
        {
            "T_cam_obj": clip.truth.camera_from_object[:frames],
            "hand_joints_cam": clip.truth.joints[:frames],
            "hand_valid": np.ones(frames, np.bool_),
            "side": np.array("right"),
            "object": np.array("tin"),
        },
    )
    write_obj(folder / "tin.obj", clip.mesh)
    given = ("--grasps", str(folder), "--meshes", str(folder), "--stories", "lift")
    return Killable("synth", ("synth", *given, "--frames", "6", "--size", "160x120", "--seeds", "4,5"))
