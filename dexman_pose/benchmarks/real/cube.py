"""The cube clip: a textured metric mesh, a box in frame 0, hands; through the pipeline's own stages up to poses."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dexman_pose.arrays import Array, Bools
from dexman_pose.benchmarks.real.cache import Cache
from dexman_pose.benchmarks.real.engine import known, lifted_of, masks_of
from dexman_pose.benchmarks.real.scores import (
    Report,
    Row,
    median_or_lost,
    pose_error,
    ranges,
    rigid,
    spread,
    within,
)
from dexman_pose.benchmarks.real.sheets import Tile, write_sheet
from dexman_pose.data import Camera, Clip, MaskSequence, Mesh, ObjectPrompt, RigidObject
from dexman_pose.meshing import load_mesh
from dexman_pose.meshing.paint import fit_texture
from dexman_pose.pose import reconstruct_objects
from dexman_pose.pose.matching.texture import texture_evidence
from dexman_pose.pose.observation.view import ObjectView
from dexman_pose.render import Rasterizer

FRAMES = 800
REST = 81
"""Frames 0 to 80: the cube rests on the table, untouched."""

PHASES = {"at rest": (0, 90), "in the hand": (90, 430), "behind a mug": (430, 760), "again": (760, 800)}


@dataclass(frozen=True)
class Truth:
    """Known poses of the clip, one row per frame; rows that are not ``ok`` say nothing."""

    camera_from_object: Array
    ok: Bools


def run(data: Path, cache: Cache, out: Path | None) -> Report:
    """Measure, and save poses and pictures."""
    folder = data / "clips" / "cube"
    known_poses = json.loads((folder / "poses.json").read_text())
    camera = Camera(np.array(known_poses["K"]), known_poses["width"], known_poses["height"])
    clip = Clip.open(folder / "cube_video.mp4", max_frames=FRAMES)
    mesh = load_mesh(folder / "cube.obj")
    given = json.loads((data / "clips" / "prompts.json").read_text())["clips"]["cube/cube_video.mp4"]
    prompt = ObjectPrompt(box=np.array(given["objects"]["cube"], np.float64), frame=given["frame"])
    prompt, masks = masks_of(cache, clip, "cube", prompt, mesh, camera)
    hands = lifted_of(cache, clip, "cube", camera)
    begin = time.perf_counter()
    options = known(reconstruct_objects, hands=hands)
    found = reconstruct_objects(clip, masks, {"cube": prompt}, {"cube": mesh}, camera, **options)["cube"]
    seconds = time.perf_counter() - begin
    truth = read_truth(known_poses, clip.num_frames)
    rows = score(found, truth, mesh.center)
    rows.append(Row("pose stage, ms a frame", 1e3 * seconds / clip.num_frames, digits=1))
    rows += fit_rows(clip, masks, camera, mesh, found, truth)
    if out is not None:
        mm, degrees = pose_error(found.camera_from_object, truth.camera_from_object, mesh.center)
        np.savez_compressed(
            out / "cube.npz",
            camera_from_object=found.camera_from_object,
            valid=found.valid,
            confidence=found.confidence,
            true=truth.camera_from_object,
            ok=truth.ok,
            error_mm=mm,
            error_deg=degrees,
            seconds=seconds,
        )
        write_sheet(out / "cube.png", tiles(clip, found, truth, mesh), camera)
    return Report("cube", rows, listing(found, truth, mesh.center))


def read_truth(poses: dict[str, object], count: int) -> Truth:
    """Truth out of ``poses.json``; frames it leaves out are not ok."""
    frames = poses["frames"]
    assert isinstance(frames, dict)
    known_poses = np.repeat(np.eye(4)[None], count, 0)
    ok = np.zeros(count, bool)
    for key, entry in frames.items():
        if int(key) < count:
            known_poses[int(key)] = rigid(entry["camera_from_object"])
            ok[int(key)] = entry["ok"]
    return Truth(known_poses, ok)


def score(found: RigidObject, truth: Truth, center: Array) -> list[Row]:
    """The figures over the frames whose truth is ok."""
    mm, degrees = pose_error(found.camera_from_object, truth.camera_from_object, center)
    ok, valid = truth.ok, found.valid
    good = within(mm, degrees, valid, 8.0, 4.0)
    rest = found.camera_from_object[:REST][valid[:REST]]
    rest_mm, rest_deg = spread(rest, center)
    wrong = valid & ok & ((mm > 10.0) | (degrees > 6.0))
    return [
        Row("share of ok frames within 8 mm and 4 deg, %", 100.0 * float(good[ok].mean()), 97.0, True),
        Row("median translation, mm (no pose counts as lost)", median_or_lost(mm[ok], valid[ok]), 3.0),
        Row("median rotation, deg", median_or_lost(degrees[ok], valid[ok]), 1.5),
        Row("spread at rest (frames 0-80, rms), mm", rest_mm, 0.5),
        Row("spread at rest, deg", rest_deg, 0.3),
        Row("frames without a pose in 0-80", float(REST - len(rest)), 0.0, digits=0),
        Row("share of ok frames with a pose, %", 100.0 * float(valid[ok].mean())),
        Row("frames valid but over 10 mm or 6 deg", float(wrong.sum()), digits=0),
        Row("frames scored", float(ok.sum()), digits=0),
        Row("error in the prompted frame, mm", float(mm[0])),
        Row("error in the prompted frame, deg", float(degrees[0])),
    ]


def fit_rows(
    clip: Clip, masks: MaskSequence, camera: Camera, mesh: Mesh, found: RigidObject, truth: Truth
) -> list[Row]:
    """How far found and known poses lie off the picture itself, median over every 10th frame whose truth is ok.

    Where the known poses are farther off than those found, the errors above say little.
    """
    rasterizer = Rasterizer(fit_texture(mesh, 160.0))
    rows = []
    for name, (start, stop) in PHASES.items():
        frames = [i for i in range(start, stop, 10 if stop - start > 60 else 3) if truth.ok[i]]
        for whose, poses in (("found", found.camera_from_object), ("known", truth.camera_from_object)):
            off = [_off(rasterizer, poses[i], clip.frame(i), camera, masks.labels(i)) for i in frames]
            for what, values in zip(("points", "edges"), zip(*off)):
                held = [v for v in values if v is not None]
                if held:
                    rows.append(
                        Row(f"{name}: {what} of the picture off the {whose} pose, px", float(np.median(held)))
                    )
    return rows


def _off(
    rasterizer: Rasterizer, pose: Array, image: NDArray[np.uint8], camera: Camera, labels: NDArray[np.uint8]
) -> tuple[float | None, float | None]:
    """Pixels by which points of the texture (median) and edges of the outline (rms) lie off a pose."""
    seen = texture_evidence(rasterizer, pose, ObjectView(image, labels, 1, camera))

    def drawn(points: Array) -> Array:
        return camera.project(points @ pose[:3, :3].T + pose[:3, 3])

    points = edges = None
    if seen.matches is not None:
        points = float(np.median(np.linalg.norm(seen.matches.pixels - drawn(seen.matches.points), axis=1)))
    if seen.edges is not None:
        across = ((seen.edges.pixels - drawn(seen.edges.points)) * seen.edges.normal).sum(1)
        edges = float(np.sqrt(np.mean(across**2)))
    return points, edges


def listing(found: RigidObject, truth: Truth, center: Array) -> list[str]:
    """Ranges of frames that miss the bounds, with what is wrong in them."""
    mm, degrees = pose_error(found.camera_from_object, truth.camera_from_object, center)
    good = within(mm, degrees, found.valid, 8.0, 4.0)
    bad = truth.ok & ~good
    lines = ["  by phase (share within 8 mm and 4 deg; median error)"]
    for name, (start, stop) in PHASES.items():
        these = np.arange(start, stop)[truth.ok[start:stop]]
        share = 100 * float(good[these].mean()) if len(these) else 0.0
        middle = [median_or_lost(e[these], found.valid[these]) for e in (mm, degrees)]
        lines.append(
            f"    {name:<14} {len(these):3d} frames  {share:5.1f} %  {middle[0]:5.1f} mm {middle[1]:5.1f} deg"
        )
    lines.append("  bad frames (first-last: count, of which without a pose; median error of those with one)")
    for first, last, count in ranges(bad, np.arange(len(bad))):
        these = np.arange(first, last + 1)[bad[first : last + 1]]
        held = these[found.valid[these]]
        what = f"    {first:4d}-{last:<4d} {count:3d}, {count - len(held):3d} lost"
        if len(held):
            what += f"; {np.median(mm[held]):6.1f} mm {np.median(degrees[held]):6.1f} deg"
        lines.append(what)
    return lines


def tiles(clip: Clip, found: RigidObject, truth: Truth, mesh: Mesh, count: int = 30) -> list[Tile]:
    """The worst frames first, at most one in five neighbours; a frame without a pose is the worst there is."""
    mm, degrees = pose_error(found.camera_from_object, truth.camera_from_object, mesh.center)
    badness = np.where(found.valid, np.maximum(mm / 8.0, degrees / 4.0), np.inf)
    badness[~truth.ok] = -1.0
    chosen: list[int] = []
    for frame in np.argsort(-badness, kind="stable").tolist():
        if badness[frame] >= 0 and all(abs(frame - other) >= 5 for other in chosen):
            chosen.append(frame)
        if len(chosen) == count:
            break
    return [
        Tile(
            clip.frame(i),
            mesh,
            found.camera_from_object[i] if found.valid[i] else None,
            truth.camera_from_object[i],
            f"{i}: {mm[i]:.0f} mm {degrees[i]:.0f} deg" + ("" if found.valid[i] else " LOST"),
        )
        for i in chosen
    ]
