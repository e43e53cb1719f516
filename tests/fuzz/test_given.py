"""Mutated files of masks, hands, depth, poses and prompts: each is read or refused in one line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from given_files import CAMERA, COUNT, HEIGHT, WIDTH, WRITERS
from inputs import fuzz, seeds_of, told
from PIL import Image

from dexman_pose.data import Clip
from dexman_pose.given.depth import read_depth
from dexman_pose.given.hands import read_hands
from dexman_pose.given.masks import named_masks, read_masks
from dexman_pose.given.poses import read_poses
from dexman_pose.pipeline import load_prompts

CLIP = Clip.from_frames([np.zeros((HEIGHT, WIDTH, 3), np.uint8)] * COUNT)
FORMS = {kind: list(forms) for kind, forms in WRITERS.items()}
CASES = [(kind, form) for kind, forms in FORMS.items() for form in forms]
OPTIONS = {"masks": "--masks", "hands": "--hands", "depth": "--depth", "poses": "--poses"}


def _objects(form: str) -> list[str]:
    return ["obj_000005"] if form == "bop" else ["cup"]


def _look(kind: str, form: str, path: Path) -> None:
    """Read one thing as a run does, and all of its frames."""
    if kind == "masks":
        found = read_masks(path, CLIP)
        several = form == "folder per object"
        masks = named_masks(found, dict.fromkeys(("cup", "spoon") if several else ("cup",)))
        for t in range(COUNT):
            assert masks.mask(t, "cup").shape == (HEIGHT, WIDTH)
    elif kind == "hands":
        hands, _ = read_hands(path, CLIP, CAMERA)
        assert np.isfinite(hands.joints_2d).all() and np.isfinite(hands.joints_local).all()
    elif kind == "depth":
        depth = read_depth(path, CLIP).depth
        for t in range(COUNT):
            assert np.isfinite(depth.frame(t)).all() and (depth.frame(t) >= 0).all()
    elif kind == "poses":
        for poses in read_poses(path, _objects(form), CLIP).values():
            assert np.isfinite(poses.camera_from_object[poses.given]).all()
    else:
        load_prompts(path, "somewhere/rgb")


@pytest.mark.parametrize("slow", [False, pytest.param(True, marks=pytest.mark.slow)])
@pytest.mark.parametrize(("kind", "form"), CASES)
def test_mutated_files_are_read_or_refused(tmp_path: Path, kind: str, form: str, slow: bool) -> None:
    path = WRITERS[kind][form](tmp_path)
    seeds = seeds_of(kind, slow)
    assert fuzz(form, tmp_path, lambda: _look(kind, form, path), seeds) > 0


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "form"), CASES)
def test_the_command_line_refuses_them_in_one_line(tmp_path: Path, kind: str, form: str, capsys: Any) -> None:
    given, frames = tmp_path / "given", tmp_path / "rgb"
    given.mkdir()
    frames.mkdir()
    for t in range(COUNT):
        Image.fromarray(np.zeros((HEIGHT, WIDTH, 3), np.uint8)).save(frames / f"{t:04d}.png")
    path = WRITERS[kind][form](given)
    arguments = ["run", str(frames), "--K", "70,70,31.5,23.5", "--no-overlay", "--out", str(tmp_path / "out")]
    arguments += [] if kind == "hands" else ["--hands", "none"]
    if kind == "prompts":
        arguments += ["--prompts", str(path)]
    else:
        arguments += ["--box", f"{_objects(form)[0]}=12,10,40,30", OPTIONS[kind], str(path)]
        if form == "folder per object":
            arguments += ["--box", "spoon=12,10,40,30"]
    told(given, lambda: _look(kind, form, path), arguments, capsys, -(-24 // len(FORMS[kind])), form)
