"""The examples that call other programs: what of them needs none of these programs."""

from __future__ import annotations

import importlib.util
import sys
import types
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import trimesh

from dexman_pose.networks.outside.environment import Environment

FOLDER = Path(__file__).resolve().parents[3] / "examples" / "outside"
FILES = sorted(FOLDER.glob("*.yaml"))


def example(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"example_{name}", FOLDER / f"{name}.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("file", FILES, ids=[f.stem for f in FILES])
def test_every_file_names_a_function_that_is_there(file: Path) -> None:
    environment = Environment.read(file)
    module, _, function = environment.function.partition(":")
    assert callable(getattr(example(module), function))
    assert [p.resolve() for p in environment.paths] == [FOLDER]


def test_meshes_of_trimesh_become_arrays() -> None:
    arrays_of = example("meshes").arrays_of
    plain = trimesh.creation.box((1, 2, 3))
    plain.visual.vertex_colors = np.full((8, 4), 77, np.uint8)
    got = arrays_of(trimesh.Scene(plain))
    assert got["vertices"].shape == (8, 3) and got["faces"].shape == (12, 3)
    assert (got["vertex_colors"] == 77).all()
    from PIL import Image

    material = trimesh.visual.material.SimpleMaterial(image=Image.new("RGB", (4, 4), (9, 8, 7)))
    plain.visual = trimesh.visual.TextureVisuals(uv=np.zeros((8, 2)), material=material)
    got = arrays_of(plain)
    assert got["uv"].shape == (12, 3, 2) and (got["texture"][0, 0] == [9, 8, 7]).all()


def test_the_object_is_put_before_grey() -> None:
    rgba = np.zeros((2, 1, 4), np.uint8)
    rgba[0, 0] = [200, 100, 0, 255]
    rgba[1, 0] = [200, 100, 0, 0]
    assert example("meshes").over_grey(rgba)[:, 0].tolist() == [[200, 100, 0], [127, 127, 127]]


def test_triposr_is_called_as_it_wants_to_be(monkeypatch: pytest.MonkeyPatch) -> None:
    """With a stand-in that has the signatures of its classes; it checks what it is given."""

    class TSR:
        def __init__(self) -> None:
            self.renderer = types.SimpleNamespace(set_chunk_size=lambda size: None)

        @classmethod
        def from_pretrained(cls, path: str, config_name: str, weight_name: str) -> TSR:
            assert path == "stabilityai/TripoSR"
            return cls()

        def to(self, device: str) -> TSR:
            return self

        def __call__(self, images: list[object], device: str) -> list[int]:
            assert images[0].size == (8, 8) and images[0].mode == "RGB"  # type: ignore[attr-defined]
            return [0]

        def extract_mesh(
            self, codes: list[int], has_vertex_color: bool, resolution: int = 256
        ) -> list[object]:
            mesh = trimesh.creation.icosphere(subdivisions=1)
            return [trimesh.Trimesh(mesh.vertices, mesh.faces, vertex_colors=np.full((42, 3), 0.5))]

    system = types.ModuleType("tsr.system")
    system.TSR = TSR  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "tsr", types.ModuleType("tsr"))
    monkeypatch.setitem(sys.modules, "tsr.system", system)
    got = example("meshes").triposr(np.zeros((1, 8, 8, 3)), {"rgba": np.zeros((8, 8, 4), np.uint8)}, {})
    assert got["vertices"].shape == (42, 3) and got["vertex_colors"].shape == (42, 3)


def test_a_left_hand_is_mirrored_back_in_pixels_and_in_space() -> None:
    of_the_hand = example("hands").of_the_hand
    in_crop, local = np.full((2, 21, 2), 0.25), np.full((2, 21, 3), 0.01)
    center, size = np.array([[100.0, 50.0], [100.0, 50.0]]), np.array([40.0, 40.0])
    pixels, joints = of_the_hand(in_crop, local, center, size, np.array([True, False]))
    assert (pixels[0] == [110, 60]).all() and (pixels[1] == [90, 60]).all()
    assert (joints[0] == 0.01).all() and (joints[1] == [-0.01, 0.01, 0.01]).all()


def test_the_crop_is_that_of_the_networks_camera() -> None:
    """Pixels by the crop are those that their own translation for the whole picture gives."""
    rng = np.random.default_rng(0)
    joints, s, t = rng.normal(0, 0.05, (1, 21, 3)), 1.1, np.array([0.02, -0.03])
    center, size, picture, focal = (
        np.array([[410.0, 200.0]]),
        np.array([180.0]),
        np.array([640.0, 480.0]),
        5000.0,
    )
    side = 256.0
    depth = 2 * focal / (side * s)
    camera = joints + [t[0], t[1], depth]
    in_crop = camera[..., :2] / camera[..., 2:] * focal / side
    pixels, _ = example("hands").of_the_hand(in_crop, joints, center, size, np.array([True]))
    whole = focal / side * picture.max()
    b = size[0] * s
    shift = np.array(
        [2 * (center[0, 0] - 320) / b + t[0], 2 * (center[0, 1] - 240) / b + t[1], 2 * whole / b]
    )
    placed = joints + shift
    full = whole * placed[..., :2] / placed[..., 2:] + picture / 2
    assert np.abs(full - pixels).max() < 1.5


def test_one_hand_of_each_side_is_kept() -> None:
    kept = example("hands").one_of_each_side(
        np.arange(12.0).reshape(3, 4), np.array([True, True, False]), np.array([0.4, 0.9, 0.5])
    )
    assert kept[0][:, 0].tolist() == [8.0, 4.0] and kept[1].tolist() == [False, True]


def test_chunks_of_depth_share_a_frame_and_are_brought_to_one_scale() -> None:
    depths = example("depths")
    assert depths.chunks(50, 24) == [(0, 24), (23, 47), (46, 50)]
    assert depths.chunks(1, 24) == [(0, 1)]
    assert depths.vggt_size(480, 640) == (392, 518)
    true = np.random.default_rng(0).uniform(0.5, 2.0, (20, 30))
    assert depths.shared_factor(true, 3.0 * true) == pytest.approx(1 / 3)
