"""Objects without a mesh get one of a backend, in a whole run."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
import trimesh

from dexman_pose import reconstruct
from dexman_pose.data import Camera, DepthSequence, Mesh
from dexman_pose.geometry import se3, so3_exp
from dexman_pose.render import Rasterizer

CAMERA = Camera(np.array([[300.0, 0, 95.5], [0, 300.0, 71.5], [0, 0, 1]]), 192, 144)


def film() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Pictures, masks and depth of a speckled box that turns before grey."""
    box = trimesh.creation.box((0.09, 0.07, 0.05))
    vertices, faces = trimesh.remesh.subdivide_to_size(box.vertices, box.faces, 0.006)
    rng = np.random.default_rng(3)
    colors = rng.integers(30, 226, (len(vertices), 3)).astype(np.uint8)
    rasterizer = Rasterizer(Mesh(vertices, faces, vertex_colors=colors))
    images, masks, depths = [], [], []
    for angle in np.linspace(-0.25, 0.25, 6):
        pose = se3(so3_exp(np.array([0.5, 0.6 + angle, 0.0])), np.array([0.0, 0.0, 0.45]))
        seen = rasterizer.render(pose[None], CAMERA.K, 192, 144, attributes=("depth", "color"))
        assert seen.depth is not None and seen.color is not None
        mask = seen.mask[0]
        image = np.where(mask[..., None], 255 * seen.color[0], 110.0) + 2 * rng.standard_normal((144, 192, 3))
        images.append(image.clip(0, 255).astype(np.uint8))
        masks.append(mask)
        depths.append(np.where(mask, seen.depth[0], 0.9).astype(np.float32))
    return np.stack(images), np.stack(masks), np.stack(depths)


@pytest.mark.slow
def test_a_mesh_of_depth_has_its_true_size() -> None:
    images, masks, depths = film()
    result = reconstruct(
        images,
        {"toy": None},
        camera=CAMERA,
        masks={"toy": masks},
        depth=DepthSequence.from_arrays(list(depths)),
        hands=None,
        mesh="depth",
        progress=False,
    )
    found = result.objects["toy"]
    assert found.valid.all() and found.scale_source == "depth" and found.mesh.source == "depth"
    np.testing.assert_allclose(np.sort(found.mesh.extents), [0.05, 0.07, 0.09], atol=0.002)
    (note,) = result.provenance["objects"]["toy"]["mesh_notes"]
    assert "depth images" in note and f"toy: {note}." in result.provenance["notices"]


@pytest.mark.slow
def test_a_mesh_of_another_environment_gets_pose_and_size_in_the_clip(tmp_path: Path) -> None:
    """The function returns the right shape in a wrong size and frame; depth tells the size."""
    (tmp_path / "inside_run_mesh.py").write_text(
        "import numpy as np\n"
        "def make(frames, inputs, options):\n"
        "    c = np.array([[x, y, z] for x in (0, 7) for y in (0, 5) for z in (0, 9)], float)\n"
        "    f = [[0,1,3],[0,3,2],[4,6,7],[4,7,5],[0,4,5],[0,5,1],[2,3,7],[2,7,6],[0,2,6],[0,6,4],[1,5,7],[1,7,3]]\n"
        "    return {'vertices': c, 'faces': np.array(f)}\n"
    )
    file = tmp_path / "method.yaml"
    file.write_text(f"python: {sys.executable}\nfunction: inside_run_mesh:make\npaths: [.]\n")
    images, masks, depths = film()
    result = reconstruct(
        images,
        {"toy": None},
        camera=CAMERA,
        masks={"toy": masks},
        depth=DepthSequence.from_arrays(list(depths)),
        hands=None,
        mesh=f"outside:{file}",
        progress=False,
    )
    found = result.objects["toy"]
    assert found.mesh.source == "inside_run_mesh" and found.scale_source == "depth"
    np.testing.assert_allclose(np.sort(found.mesh.extents), [0.05, 0.07, 0.09], atol=0.004)
    assert result.provenance["objects"]["toy"]["mesh"] == "inside_run_mesh"
    assert "made by inside_run_mesh" in result.provenance["objects"]["toy"]["mesh_notes"][0]
