"""Right files of masks, hands, depth, poses and prompts, as other programs write them."""

from __future__ import annotations

import json
import pickle
import runpy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import trimesh
from PIL import Image

from dexman_pose.data import Camera
from dexman_pose.datasets.bop.results import BopEstimate, write_bop_results
from dexman_pose.geometry import se3, so3_exp
from dexman_pose.geometry.se3 import quaternion_from_matrix

TESTS = Path(__file__).resolve().parents[1]
COUNT, HEIGHT, WIDTH = 3, 48, 64
CAMERA = Camera.from_focal(70.0, WIDTH, HEIGHT)
MASK = np.zeros((COUNT, HEIGHT, WIDTH), np.bool_)
MASK[:, 10:30, 12:40] = True
DEPTH = (0.4 + 0.001 * np.indices((HEIGHT, WIDTH)).sum(0)).astype(np.float32)
POSES = np.stack([se3(so3_exp([0.3, 0.2 * t, -0.4]), [0.01 * t, -0.02, 0.5]) for t in range(COUNT)])
Write = Callable[[Path], Path]

_runs_of = runpy.run_path(str(TESTS / "given/test_rle.py"))
_exr_bytes = runpy.run_path(str(TESTS / "given/test_depth.py"))["exr_bytes"]
_moved = runpy.run_path(str(TESTS / "given/test_hands.py"))["moved"]


def _labels(folder: Path) -> Path:
    for t in range(COUNT):
        Image.fromarray(MASK[t].astype(np.uint8) * 3).save(folder / f"{t:04d}.png")
    return folder


def _folders(folder: Path) -> Path:
    for name in ("cup", "spoon"):
        (folder / name).mkdir()
        for t in range(COUNT):
            Image.fromarray(MASK[t].astype(np.uint8) * 255).save(folder / name / f"{t:04d}.jpg")
    return folder


def _segments(folder: Path) -> Path:
    np.savez(folder / "m.npz", **{f"{t}/1": MASK[t] for t in range(COUNT)})
    return folder / "m.npz"


def _array(folder: Path) -> Path:
    np.save(folder / "m.npy", MASK)
    return folder / "m.npy"


def _rle(folder: Path) -> Path:
    runs = [
        {"size": [HEIGHT, WIDTH], "counts": _runs_of["packed"](_runs_of["runs_of"](MASK[t]))}
        for t in range(COUNT)
    ]
    (folder / "m.json").write_text(json.dumps({str(t): {"cup": runs[t]} for t in range(COUNT)}))
    return folder / "m.json"


def _coco(folder: Path) -> Path:
    annotations = [
        {
            "image_id": t,
            "category_id": 1,
            "segmentation": {"size": [HEIGHT, WIDTH], "counts": _runs_of["runs_of"](MASK[t])},
        }
        for t in range(COUNT)
    ]
    images = [{"id": t, "file_name": f"{t}.png"} for t in range(COUNT)]
    content = {"images": images, "annotations": annotations, "categories": [{"id": 1, "name": "cup"}]}
    (folder / "m.json").write_text(json.dumps(content))
    return folder / "m.json"


def _pickled_masks(folder: Path) -> Path:
    (folder / "m.pkl").write_bytes(pickle.dumps({t: {1: MASK[t]} for t in range(COUNT)}))
    return folder / "m.pkl"


def _hands(suffix: str) -> Write:
    def write(folder: Path) -> Path:
        joints = np.asarray(_moved())[:COUNT]
        columns = {"frame": np.arange(COUNT), "is_right": np.ones(COUNT), "joints_3d": joints}
        path = folder / f"h{suffix}"
        if suffix == ".npz":
            np.savez(path, **columns)
        elif suffix == ".pkl":
            path.write_bytes(pickle.dumps(columns))
        else:
            path.write_text(json.dumps({k: v.tolist() for k, v in columns.items()}))
        return path

    return write


def _hand_records(folder: Path) -> Path:
    joints = np.asarray(_moved())[:COUNT]
    records = [
        {
            "frame": t,
            "side": "right",
            "joints_2d": CAMERA.project(j).tolist(),
            "joints_3d": j.tolist(),
            "score": 0.9,
        }
        for t, j in enumerate(joints)
    ]
    (folder / "h.json").write_text(json.dumps(records))
    return folder / "h.json"


def _depth(suffix: str) -> Write:
    def write(folder: Path) -> Path:
        for t in range(COUNT):
            path = folder / f"{t:04d}{suffix}"
            if suffix == ".npy":
                np.save(path, DEPTH)
            elif suffix == ".exr":
                path.write_bytes(_exr_bytes(DEPTH, 3, False))
            elif suffix == ".tiff":
                Image.fromarray(DEPTH).save(path)
            else:
                cv2.imwrite(str(path), np.rint(1000 * DEPTH).astype(np.uint16))
        return folder

    return write


def _depth_stack(folder: Path) -> Path:
    np.savez(folder / "d.npz", depth=np.stack([DEPTH] * COUNT))
    return folder / "d.npz"


def _pose_texts(folder: Path) -> Path:
    for t, pose in enumerate(POSES):
        np.savetxt(folder / f"{t:06d}.txt", pose)
    return folder


def _pose_array(folder: Path) -> Path:
    np.save(folder / "p.npy", POSES)
    return folder / "p.npy"


def _bop(folder: Path) -> Path:
    rows = [BopEstimate(1, t, 5, 0.5, pose, 0.1) for t, pose in enumerate(POSES)]
    write_bop_results(folder / "r.csv", rows)
    return folder / "r.csv"


def _tum(folder: Path) -> Path:
    rows = []
    for t, pose in enumerate(POSES):
        w, x, y, z = quaternion_from_matrix(pose[:3, :3])
        rows.append([t / 30, *pose[:3, 3], x, y, z, w])
    np.savetxt(folder / "t.txt", rows, header="time x y z qx qy qz qw")
    return folder / "t.txt"


def _prompts(folder: Path) -> Path:
    objects: dict[str, Any] = {
        "cup": [12, 10, 40, 30],
        "spoon": {"points": [[20, 20, 1], [1, 1, 0]], "frame": 1},
        "box": {"mask": "box.png", "mesh": "box.obj"},
    }
    Image.fromarray(MASK[0].astype(np.uint8) * 255).save(folder / "box.png")
    trimesh.creation.box((0.08, 0.05, 0.12)).export(folder / "box.obj")
    (folder / "p.json").write_text(json.dumps({"clips": {"rgb": {"frame": 0, "objects": objects}}}))
    return folder / "p.json"


WRITERS: dict[str, dict[str, Write]] = {
    "masks": {
        "label pictures": _labels,
        "folder per object": _folders,
        "npz": _segments,
        "npy": _array,
        "rle": _rle,
        "coco": _coco,
        "pkl": _pickled_masks,
    },
    "hands": {
        "json columns": _hands(".json"),
        "npz": _hands(".npz"),
        "pkl": _hands(".pkl"),
        "json records": _hand_records,
    },
    "depth": {
        "png": _depth(".png"),
        "tif": _depth(".tif"),
        "tiff, floats": _depth(".tiff"),
        "npy": _depth(".npy"),
        "exr": _depth(".exr"),
        "npz": _depth_stack,
    },
    "poses": {"text": _pose_texts, "npy": _pose_array, "bop": _bop, "tum": _tum},
    "prompts": {"prompts": _prompts},
}
"""By kind and form: writes into a folder and names what the user gives."""
