"""Single pictures, no idea of the pose: a cube of one colour, a can in clutter, a bottle with a second depth camera."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dexman_pose.arrays import Array, Bools
from dexman_pose.benchmarks.real.cache import Cache
from dexman_pose.benchmarks.real.engine import (
    Found,
    box_around,
    estimate,
    mask_in_box,
    outline,
    read_depth,
    read_rgb,
)
from dexman_pose.benchmarks.real.scores import (
    Report,
    Row,
    average_distance,
    cube_symmetry,
    nearest_distance,
    overlap,
    pose_error,
    rigid,
    symmetric_error,
)
from dexman_pose.benchmarks.real.sheets import Tile, write_sheet
from dexman_pose.data import Camera, Mesh, align_depth, load_camera
from dexman_pose.data.files import write_npz
from dexman_pose.geometry import se3
from dexman_pose.meshing import load_mesh
from dexman_pose.render import Rasterizer

Picture = NDArray[np.uint8]

_LOST = float("inf")


@dataclass
class Still:
    """One picture searched once.

    Attributes:
        name: frame, or how the box was drawn.
        image: (H, W, 3) uint8.
        mask: (H, W) bool the search was given.
        found: what came of it.
        true: (4, 4) known pose, or None.
        mask_iou: overlap of the mask with the true outline, or with that of the estimate where there is no truth.
        errors: figures by name; infinite where there is no estimate.
    """

    name: str
    image: Picture
    mask: Bools
    found: Found
    true: Array | None
    mask_iou: float
    errors: dict[str, float] = field(default_factory=dict)
    best: str = ""
    """Which of estimate and alternatives is nearest to the truth."""

    @property
    def pose(self) -> Array | None:
        """(4, 4) estimate, or None."""
        return None if self.found.estimate is None else self.found.estimate.camera_from_object


def run_rbt_cube(data: Path, cache: Cache, out: Path | None) -> Report:
    """All 33 frames, RGB and RGB-D; a cube of one colour looks the same from 24 sides."""
    folder = data / "rgbd" / "rbt_cube"
    known = json.loads((folder / "poses.json").read_text())
    mesh = load_mesh(folder / "mesh" / "cube.obj")
    symmetry, rasterizer = cube_symmetry(mesh.center), Rasterizer(mesh)
    rng = np.random.default_rng(0)
    stills: dict[str, list[Still]] = {"RGB": [], "RGB-D": []}
    for name, frame in known["frames"].items():
        image, true = (
            read_rgb(folder / f"color_image_{int(name):04d}.png"),
            rigid(frame["camera_from_object"]),
        )
        depth = read_depth(folder / f"depth_{int(name):04d}.png")
        camera = Camera(np.array(known["K"]), image.shape[1], image.shape[0])
        visible = outline(rasterizer, true, camera)
        mask = cached_mask(cache, image, box_around(visible, rng.uniform(3.0, 8.0, 4)))
        for kind, measured in (("RGB", None), ("RGB-D", depth)):
            found = estimate(mesh, image, mask, camera, depth=measured)
            still = Still(name, image, mask, found, true, overlap(mask, visible))
            still.errors = dict.fromkeys(("mm", "deg", "deg as drawn"), _LOST)
            if still.pose is not None:
                shift, turn, _ = symmetric_error(still.pose, true, mesh.center, symmetry)
                as_drawn = float(pose_error(still.pose, true, mesh.center)[1])
                still.errors = {"mm": shift, "deg": turn, "deg as drawn": as_drawn}
                still.best = nearest_of(found, _turn_from(true, mesh.center, symmetry), "deg")
            stills[kind].append(still)
    rows: list[Row] = []
    for kind, limits in (("RGB", (4.0, 1.0)), ("RGB-D", (3.0, 0.8))):
        mm, degrees, drawn = (_column(stills[kind], k) for k in ("mm", "deg", "deg as drawn"))
        rows += [
            Row(f"{kind}: median translation, mm", float(np.median(mm)), limits[0]),
            Row(
                f"{kind}: median rotation modulo the cube's 24 turns, deg",
                float(np.median(degrees)),
                limits[1],
            ),
            Row(f"{kind}: worst translation, mm", float(mm.max()), 12.0),
            Row(f"{kind}: worst rotation modulo the cube's 24 turns, deg", float(degrees.max()), 4.0),
            Row(
                f"{kind}: share within 12 mm and 4 deg, %", 100 * float(((mm <= 12) & (degrees <= 4)).mean())
            ),
            Row(f"{kind}: median rotation as drawn in the mesh file, deg", float(np.median(drawn))),
            Row(f"{kind}: seconds a frame", float(np.mean([s.found.seconds for s in stills[kind]]))),
        ]
    rows.append(Row("mask against the true outline, median IoU", _median_iou(stills["RGB"]), digits=3))
    for kind, tag in (("RGB", "rgb"), ("RGB-D", "rgbd")):
        save(out, f"rbt_cube_{tag}", stills[kind], mesh, camera)
    return Report("rbt_cube", rows, _paired(stills))


def run_can(data: Path, cache: Cache, out: Path | None) -> Report:
    """One picture of a can in clutter, six boxes; MegaPose's published estimate is the figure to beat."""
    folder = data / "rgbd" / "lmo_can"
    mesh = load_mesh(folder / "obj_000005.ply")
    image, depth = read_rgb(folder / "rgb.png"), read_depth(folder / "depth.png")
    k = np.array(json.loads((folder / "camera.json").read_text())["cam_K"]).reshape(3, 3)
    camera = Camera(k, image.shape[1], image.shape[0])
    true = rigid(json.loads((folder / "pose.json").read_text())["camera_from_object"])
    visible = outline(Rasterizer(mesh), true, camera)
    stills: dict[str, list[Still]] = {"RGB": [], "RGB-D": []}
    for margin in range(3, 9):
        mask = cached_mask(cache, image, box_around(visible, float(margin)))
        for kind, measured in (("RGB", None), ("RGB-D", depth)):
            found = estimate(mesh, image, mask, camera, depth=measured)
            still = Still(f"margin {margin}", image, mask, found, true, overlap(mask, visible))
            still.errors = dict.fromkeys(("ADD", "ADD-S", "mm", "deg"), _LOST)
            if still.pose is not None:
                mm, degrees = pose_error(still.pose, true, mesh.center)
                still.errors = {
                    "ADD": average_distance(mesh.vertices, still.pose, true),
                    "ADD-S": nearest_distance(mesh.vertices, still.pose, true),
                    "mm": float(mm),
                    "deg": float(degrees),
                }
                still.best = nearest_of(found, lambda p: average_distance(mesh.vertices, p, true), "ADD")
            stills[kind].append(still)
    rows: list[Row] = []
    for kind, measured_stills in stills.items():
        for name, target in (("ADD", 9.34), ("ADD-S", 4.35)):
            values = _column(measured_stills, name)
            rows.append(Row(f"{kind}: median {name} over six boxes, mm", float(np.median(values)), target))
            rows.append(Row(f"{kind}: worst {name}, mm", float(values.max()), target))
        seconds = float(np.mean([s.found.seconds for s in measured_stills]))
        rows.append(Row(f"{kind}: seconds a picture", seconds))
    for kind, tag in (("RGB", "rgb"), ("RGB-D", "rgbd")):
        save(out, f"can_{tag}", stills[kind], mesh, camera)
    return Report("can", rows, _paired(stills))


def run_bottle(data: Path, cache: Cache, out: Path | None) -> Report:
    """Two pictures of a bottle without colours; the depth camera looks from 15 mm beside."""
    folder = data / "rgbd" / "m3t_bottle"
    mesh = load_mesh(folder / "schauma.obj")
    color, _ = read_m3t_camera(folder / "color_camera.yaml", 960, 540)
    sensor, color_from_sensor = read_m3t_camera(folder / "depth_camera.yaml", 848, 480)
    true = rigid(json.loads((folder / "pose.json").read_text())["camera_from_object"])
    rasterizer = Rasterizer(mesh)
    # The bottle stands nearly still from one picture to the next: the box of the first, looser, holds it in both.
    boxes = {200: 6.0, 201: 8.0}
    stills: dict[str, list[Still]] = {"RGB": [], "RGB-D": []}
    for frame, margin in boxes.items():
        image = read_rgb(folder / f"color_camera_image_{frame}.png")
        raw = read_depth(folder / f"depth_camera_image_{frame}.png")
        depth = align_depth(raw, sensor, color_from_sensor, color)
        mask = cached_mask(cache, image, box_around(outline(rasterizer, true, color), margin))
        for kind, measured in (("RGB", None), ("RGB-D", depth)):
            found = estimate(mesh, image, mask, color, depth=measured)
            still = Still(str(frame), image, mask, found, true if frame == 200 else None, 0.0)
            still.errors = {"IoU": 0.0} | dict.fromkeys(
                ("mm", "deg", "deg mod half turn") if frame == 200 else (), _LOST
            )
            if still.pose is not None:
                still.mask_iou = overlap(outline(rasterizer, still.pose, color), mask)
                still.errors["IoU"] = still.mask_iou
                if still.true is not None:
                    mm, degrees = pose_error(still.pose, still.true, mesh.center)
                    half = symmetric_error(still.pose, true, mesh.center, half_turn(mesh))[1]
                    still.errors |= {"mm": float(mm), "deg": float(degrees), "deg mod half turn": half}
                    still.best = nearest_of(
                        found, lambda p: float(pose_error(p, true, mesh.center)[1]), "deg"
                    )
            stills[kind].append(still)
    rows: list[Row] = []
    for kind, both in stills.items():
        for still in both:
            iou = still.errors["IoU"]
            rows.append(Row(f"{kind}, frame {still.name}: outline on mask, IoU", iou, 0.93, True, 3))
        rows += [
            Row(f"{kind}, frame 200: translation from the given pose, mm", both[0].errors["mm"]),
            Row(f"{kind}, frame 200: rotation from the given pose, deg", both[0].errors["deg"]),
            Row(
                f"{kind}, frame 200: the same modulo the bottle's half turn",
                both[0].errors["deg mod half turn"],
            ),
            Row(f"{kind}: seconds a picture", float(np.mean([s.found.seconds for s in both]))),
        ]
    reached = overlap(outline(rasterizer, true, color), stills["RGB"][0].mask)
    rows.append(Row("frame 200: outline of the given pose on mask, IoU", reached, digits=3))
    for kind, tag in (("RGB", "rgb"), ("RGB-D", "rgbd")):
        save(out, f"bottle_{tag}", stills[kind], mesh, color)
    return Report("bottle", rows, _paired(stills))


def nearest_of(found: Found, error: Callable[[Array], float], unit: str) -> str:
    """The rank of the estimate nearest to the truth among all that were given, 0 the first, and its error."""
    if found.estimate is None:
        return ""
    poses = [found.estimate.camera_from_object, *(a.camera_from_object for a in found.estimate.alternatives)]
    errors = [error(pose) for pose in poses]
    rank = int(np.argmin(errors))
    return f"best {errors[rank]:.1f} {unit} at {rank} of {len(poses)}"


def half_turn(mesh: Mesh) -> Array:
    """(2, 4, 4): identity, and half a turn about the mesh's longest axis through its centre."""
    _, _, axes = np.linalg.svd(mesh.vertices - mesh.vertices.mean(0), full_matrices=False)
    turn = 2.0 * np.outer(axes[0], axes[0]) - np.eye(3)
    return np.stack([np.eye(4), se3(turn, mesh.center - turn @ mesh.center)])


def cached_mask(cache: Cache, image: Picture, box: Array) -> Bools:
    """The mask in a box, kept."""
    made = cache.get(
        "still", (image, box), ("segmentation",), lambda: {"mask": np.packbits(mask_in_box(image, box))}
    )
    count = image.shape[0] * image.shape[1]
    return np.unpackbits(made["mask"], count=count).reshape(image.shape[:2]).astype(bool)


def read_m3t_camera(path: Path, width: int, height: int) -> tuple[Camera, Array]:
    """Intrinsics, and world_from_camera out of the matrix ``camera2world_pose``."""
    numbers = path.read_text().partition("camera2world_pose")[2].partition("data:")[2]
    values = numbers.partition("[")[2].partition("]")[0].split(",")
    return load_camera(path, width, height), np.array([float(x) for x in values]).reshape(4, 4)


def _turn_from(true: Array, center: Array, symmetry: Array) -> Callable[[Array], float]:
    """How far a pose (4, 4) is turned from the true one, degrees, up to symmetry."""
    return lambda pose: symmetric_error(pose, true, center, symmetry)[1]


def save(out: Path | None, name: str, stills: list[Still], mesh: Mesh, camera: Camera) -> None:
    """Poses and a sheet, the worst picture first."""
    if out is None:
        return
    held = np.array([s.pose is not None for s in stills])
    poses = np.stack([np.eye(4) if s.pose is None else s.pose for s in stills])
    keys = list(dict.fromkeys(key for s in stills for key in s.errors))
    errors = {f"error_{key}": np.array([s.errors.get(key, np.nan) for s in stills]) for key in keys}
    names = np.array([s.name for s in stills])
    write_npz(out / f"{name}.npz", {"camera_from_object": poses, "valid": held, "names": names, **errors})
    worst = sorted(stills, key=_badness, reverse=True)
    tiles = [
        Tile(s.image, mesh, s.pose, s.true, _caption(s), s.mask, creases=len(mesh.faces) < 100) for s in worst
    ]
    write_sheet(out / f"{name}.png", tiles, camera, size=300, columns=6)


def _badness(still: Still) -> float:
    for key, size in (("ADD", 1.0), ("mm", 1.0)):
        if key in still.errors:
            return max(still.errors[key] / size, 3.0 * still.errors.get("deg", 0.0))
    return 1.0 - still.errors.get("IoU", 0.0)


def _caption(still: Still) -> str:
    return f"{still.name}: " + " ".join(
        f"{k} {v:.2f}" if k == "IoU" else f"{k} {v:.1f}" for k, v in still.errors.items()
    )


def _column(stills: list[Still], key: str) -> Array:
    return np.array([s.errors[key] for s in stills])


def _median_iou(stills: list[Still]) -> float:
    return float(np.median([s.mask_iou for s in stills]))


def _paired(stills: dict[str, list[Still]]) -> list[str]:
    """A line per picture with the errors of both kinds."""
    lines = ["  picture by picture (mask IoU; " + " | ".join(stills) + ")"]
    for group in zip(*stills.values()):
        figures = []
        for still in group:
            estimate_ = still.found.estimate
            text = " ".join(
                f"{k} {v:.3f}" if k == "IoU" else f"{k} {v:6.1f}" for k, v in still.errors.items()
            )
            text += f" ({still.best})" if still.best else ""
            figures.append(text if estimate_ is not None else f"no pose: {still.found.reason}")
        lines.append(f"    {group[0].name:>9}  {group[0].mask_iou:.3f}  " + "  |  ".join(figures))
    return lines
