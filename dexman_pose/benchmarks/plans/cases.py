"""Clips that a skill is learnt from, and what is true in them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from dexman_pose.arrays import Array, Bools
from dexman_pose.benchmarks.grasps.motion import YCB_MASSES
from dexman_pose.benchmarks.scene.run import film_of, true_meshes
from dexman_pose.data import Camera, Clip
from dexman_pose.data.camera_file import load_camera
from dexman_pose.data.prompts import ObjectPrompt
from dexman_pose.errors import InputError
from dexman_pose.meshing import load_mesh
from dexman_pose.pipeline import load_prompts
from dexman_pose.synthetic import render_demo
from dexman_pose.synthetic.demo.files import OBJECT_NAME, DemoTruth
from dexman_pose.synthetic.grasps.casting import Casting
from dexman_pose.synthetic.grasps.record import FilmRecord, prompted

CUBE_FRAMES = 430
"""Of the cube clip: tumbled over an edge, turned on the table, lifted and put back."""
CUBE_TUMBLE = (0.0, 6.6)
"""Seconds of the cube clip in which the cube is tumbled over one of its edges: the table bears it all the time."""


@dataclass(frozen=True)
class TruePoses:
    """True poses of an object: (T, 4, 4) camera from object, metres, and (T,) frames in which they are known."""

    camera_from_object: Array
    known: Bools


@dataclass(frozen=True)
class VideoCase:
    """A clip and what the pipeline is given.

    Attributes:
        name: of the case.
        clip: the pictures.
        prompts: boxes and meshes by object.
        camera: intrinsics.
        truth: of each object, where there is one.
        masses: kg, of objects that somebody has weighed.
        seconds: of the clip that are planned, from and to; None for all of it.
        clip_name: of the clip, where a case is a part of it; one reconstruction serves all parts.
    """

    name: str
    clip: Clip
    prompts: dict[str, ObjectPrompt]
    camera: Camera
    truth: Mapping[str, TruePoses] = field(default_factory=dict)
    masses: Mapping[str, float] = field(default_factory=dict)
    seconds: tuple[float, float] | None = None
    clip_name: str = ""

    @property
    def folder(self) -> str:
        """Name of what is kept of the clip's reconstruction."""
        return self.clip_name or self.name


def demo_case(folder: Path) -> VideoCase:
    """The demonstration clip, rendered into a folder where it is not there."""
    if not (folder / "truth.npz").is_file():
        render_demo(folder)
    truth, clip = DemoTruth.load(folder), Clip.open(folder / "video.mp4")
    prompts = {
        name: ObjectPrompt(box=p.box, frame=p.frame, mesh=load_mesh(folder / "object.obj", "m"))
        for name, p in load_prompts(folder / "prompts.json").items()
    }
    camera = load_camera(folder / "camera.json", clip.width, clip.height)
    poses = TruePoses(truth.camera_from_object, truth.object_valid)
    return VideoCase("demo", clip, prompts, camera, {OBJECT_NAME: poses})


def film_case(casting: Casting, seed: int, root: Path) -> VideoCase:
    """The rendered grasp film of a seed, rendered into a folder of ``root`` where it is not there."""
    return case_of_film(film_of(casting, seed, root), f"film {seed}")


def case_of_film(record: FilmRecord, name: str) -> VideoCase:
    """A rendered film with boxes, meshes and camera."""
    meshes = true_meshes(record)
    prompts = {
        thing: ObjectPrompt(frame=frame, box=np.array(box), mesh=meshes[thing])
        for thing, (frame, box) in prompted(record).items()
    }
    known = np.ones(record.truth.num_frames, np.bool_)
    truth = {
        thing: TruePoses(poses, known)
        for thing, poses in zip(record.truth.objects, record.truth.camera_from_object)
    }
    weighed = {
        thing: YCB_MASSES[own]
        for thing in record.truth.objects
        if (own := thing.removesuffix("_mirrored")) in YCB_MASSES
    }
    return VideoCase(name, Clip.open(record.video), prompts, record.truth.camera, truth, weighed)


def cube_case(data: Path, seconds: tuple[float, float] | None = None) -> VideoCase:
    """The real clip of a hand that lifts, turns and puts back a printed cube.

    Args:
        data: the folder of test data.
        seconds: of the clip that are planned, from and to; None for all of it.

    Raises:
        InputError: the clip is not there.
    """
    folder = data / "clips" / "cube"
    if not (folder / "poses.json").is_file():
        raise InputError(f"there is no cube clip in {folder}; give --data the folder that holds clips/")
    told = json.loads((folder / "poses.json").read_text(encoding="utf-8"))
    asked = json.loads((data / "clips" / "prompts.json").read_text(encoding="utf-8"))
    asked = asked["clips"]["cube/cube_video.mp4"]
    mesh = load_mesh(folder / "cube.obj", "m")
    prompts = {"cube": ObjectPrompt(box=asked["objects"]["cube"], frame=asked["frame"], mesh=mesh)}
    poses, known = np.tile(np.eye(4), (CUBE_FRAMES, 1, 1)), np.zeros(CUBE_FRAMES, np.bool_)
    for frame in range(CUBE_FRAMES):
        one = told["frames"].get(str(frame))
        if one is not None and one["ok"]:
            poses[frame], known[frame] = one["camera_from_object"], True
    clip = Clip.open(folder / "cube_video.mp4", max_frames=CUBE_FRAMES)
    camera = Camera(np.array(told["K"]), told["width"], told["height"])
    name = "cube" if seconds is None else f"cube {seconds[0]:g} to {seconds[1]:g} s"
    truth = {"cube": TruePoses(poses, known)}
    return VideoCase(name, clip, prompts, camera, truth, seconds=seconds, clip_name="cube")
