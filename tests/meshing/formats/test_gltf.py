"""glTF by its standard: linear light, texture transforms, quantised numbers, ways to wrap, extensions, damage."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import trimesh

from dexman_pose.errors import MeshError
from dexman_pose.meshing import load_mesh

XYZ = np.array([[0, 0, 0], [0.1, 0, 0], [0.1, 0.1, 0], [0, 0.1, 0]], np.float32)
UV = np.array([[0, 1], [1, 1], [1, 0], [0, 0]], np.float32)  # v downwards: the first corner is the lower left
RED, GREEN, BLUE, YELLOW = [255, 0, 0], [0, 255, 0], [0, 0, 255], [255, 255, 0]
PICTURE = np.kron(np.array([[RED, GREEN], [BLUE, YELLOW]]), np.ones((8, 8, 1), int)).astype(np.uint8)
TEXTURED: dict[str, Any] = {"pbrMetallicRoughness": {"baseColorTexture": {"index": 0}}}
BLENDER = {"version": "2.0", "generator": "Khronos glTF Blender I/O v4.2.57"}
HALF = 188  # linear 0.5 shown by the sRGB curve: 1.055 * 0.5 ** (1 / 2.4) - 0.055 = 0.7354


def textured(**more: Any) -> dict[str, Any]:
    return {"pbrMetallicRoughness": {"baseColorTexture": {"index": 0, **more}}}


def test_factors_are_linear_light(write_glb: Any) -> None:
    grey = {"pbrMetallicRoughness": {"baseColorFactor": [0.5, 0.25, 0.0, 0.3]}}
    mesh = load_mesh(write_glb({"POSITION": XYZ}, material=grey), "m")
    np.testing.assert_array_equal(mesh.vertex_colors, [[HALF, 137, 0]] * 4)


def test_a_material_that_names_no_colour_gives_none(write_glb: Any) -> None:
    mesh = load_mesh(write_glb({"POSITION": XYZ}, material={"doubleSided": True}), "m")
    assert mesh.vertex_colors is None and mesh.texture is None


@pytest.mark.parametrize("channels", [3, 4])
@pytest.mark.parametrize("kind", ["uint8", "uint16", "float32"])
@pytest.mark.parametrize("material", [None, {}, {"pbrMetallicRoughness": {"baseColorFactor": [1, 1, 1, 1]}}])
def test_vertex_colours_are_linear_light(write_glb: Any, channels: int, kind: str, material: Any) -> None:
    most = 1.0 if kind == "float32" else np.iinfo(kind).max
    colors = np.array([[1, 0, 0, 1], [0, 0.5, 0, 1], [0, 0, 1, 0.5], [0.5, 0.5, 0.5, 1]])[:, :channels] * most
    if kind != "float32":
        colors = np.rint(colors)
    path = write_glb(
        {"POSITION": XYZ, "COLOR_0": colors.astype(kind)},
        material=material,
        change=lambda d: d.update(asset=BLENDER),
    )
    found = load_mesh(path, "m").vertex_colors
    assert found is not None
    expected = np.array([RED, [0, HALF, 0], BLUE, [HALF] * 3])
    assert np.abs(found.astype(int) - expected).max() <= 1


@pytest.mark.parametrize("generator", [None, "https://github.com/mikedh/trimesh", "Open3D"])
def test_integer_colours_of_writers_that_know_no_linear_light_are_as_shown(
    write_glb: Any, generator: Any
) -> None:
    colors = np.array([[128, 0, 10, 255]] * 4, np.uint8)
    asset = {"version": "2.0"} | ({} if generator is None else {"generator": generator})
    path = write_glb({"POSITION": XYZ, "COLOR_0": colors}, change=lambda d: d.update(asset=asset))
    np.testing.assert_array_equal(load_mesh(path, "m").vertex_colors, [[128, 0, 10]] * 4)


def test_colours_survive_the_library_that_writes_them_as_shown(tmp_path: Path) -> None:
    box = trimesh.creation.box((0.1, 0.2, 0.3))
    box.visual.vertex_colors = np.arange(24).reshape(8, 3).astype(np.uint8) * 10
    box.export(tmp_path / "a.glb")
    found = load_mesh(tmp_path / "a.glb")
    order = np.lexsort(found.vertices.T)
    assert found.vertex_colors is not None
    expected = np.asarray(box.visual.vertex_colors)[np.lexsort(box.vertices.T), :3]
    np.testing.assert_array_equal(found.vertex_colors[order], expected)


def test_vertex_colours_times_factor(write_glb: Any) -> None:
    material = {"pbrMetallicRoughness": {"baseColorFactor": [0.5, 1, 1, 1]}}
    path = write_glb({"POSITION": XYZ, "COLOR_0": np.ones((4, 3), np.float32)}, material=material)
    np.testing.assert_array_equal(load_mesh(path, "m").vertex_colors, [[HALF, 255, 255]] * 4)


def test_texture_times_factor(write_glb: Any, sample: Any) -> None:
    material = textured()
    material["pbrMetallicRoughness"]["baseColorFactor"] = [0.5, 1, 1, 1]
    mesh = load_mesh(write_glb({"POSITION": XYZ, "TEXCOORD_0": UV}, picture=PICTURE, material=material), "m")
    assert sample(mesh, 0, (0.02, 0.02, 0.96)) == GREEN
    assert sample(mesh, 1, (0.02, 0.02, 0.96)) == [HALF, 0, 0]


def test_texture_times_vertex_colours(write_glb: Any, sample: Any) -> None:
    """White and black picture; the light falls from 1 at the left to 0.5 at the right."""
    picture = np.full((64, 64, 3), 255, np.uint8)
    picture[:8] = 0
    light = np.array([[1.0] * 3, [0.5] * 3, [0.5] * 3, [1.0] * 3], np.float32)
    attributes = {"POSITION": XYZ, "TEXCOORD_0": UV, "COLOR_0": light}
    mesh = load_mesh(write_glb(attributes, picture=picture, material=TEXTURED), "m")
    assert sample(mesh, 0, (0.98, 0.01, 0.01))[0] >= 253
    assert abs(sample(mesh, 0, (0.01, 0.98, 0.01))[0] - HALF) <= 2
    middle = 1.055 * 0.75 ** (1 / 2.4) - 0.055
    assert abs(sample(mesh, 0, (0.5, 0.4, 0.1))[0] - 255 * middle) <= 3
    assert sample(mesh, 1, (0.01, 0.01, 0.98)) == [0, 0, 0]


def test_vertex_colours_over_a_picture_of_one_colour_become_vertex_colours(write_glb: Any) -> None:
    light = np.array([[1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 1, 1]], np.float32)
    attributes = {"POSITION": XYZ, "TEXCOORD_0": UV, "COLOR_0": light}
    white = np.full((4, 4, 3), 255, np.uint8)
    mesh = load_mesh(write_glb(attributes, picture=white, material=TEXTURED), "m")
    np.testing.assert_array_equal(mesh.vertex_colors, 255 * light)


@pytest.mark.parametrize("kind", ["uint8", "uint16", "float32"])
def test_texture_coordinates_of_every_type(write_glb: Any, sample: Any, kind: str) -> None:
    most = 1 if kind == "float32" else np.iinfo(kind).max
    mesh = load_mesh(
        write_glb(
            {"POSITION": XYZ, "TEXCOORD_0": (UV * most).astype(kind)}, picture=PICTURE, material=TEXTURED
        ),
        "m",
    )
    assert sample(mesh, 0, (0.9, 0.05, 0.05)) == BLUE
    assert sample(mesh, 0, (0.05, 0.05, 0.9)) == GREEN


@pytest.mark.parametrize(
    ("moved", "expected"),
    [
        ({"offset": [0.5, 0], "scale": [0.5, 0.5]}, [[0.5, 0.5], [1, 0.5], [1, 1], [0.5, 1]]),
        # The extension's own example: the lower left quarter of the picture, turned.
        (
            {"offset": [0, 1], "rotation": np.pi / 2, "scale": [0.5, 0.5]},
            [[0.5, 0], [0.5, 0.5], [0, 0.5], [0, 0]],
        ),
        ({"offset": [0, 1], "scale": [1, -1]}, [[0, 1], [1, 1], [1, 0], [0, 0]]),
    ],
)
def test_texture_transforms(write_glb: Any, moved: dict[str, Any], expected: Any) -> None:
    """Expected from the bottom left, for the corners lower left, lower right, upper right, upper left."""
    material = textured(extensions={"KHR_texture_transform": moved})
    path = write_glb(
        {"POSITION": XYZ, "TEXCOORD_0": UV},
        picture=PICTURE,
        material=material,
        change=lambda d: d.update(extensionsRequired=["KHR_texture_transform"]),
    )
    mesh = load_mesh(path, "m")
    assert mesh.uv is not None
    np.testing.assert_allclose(mesh.uv[0], np.array(expected)[[0, 1, 2]], atol=1e-6)
    np.testing.assert_allclose(mesh.uv[1], np.array(expected)[[0, 2, 3]], atol=1e-6)


def test_a_transform_may_name_another_set_of_coordinates(write_glb: Any) -> None:
    material = textured(extensions={"KHR_texture_transform": {"texCoord": 1}})
    attributes = {"POSITION": XYZ, "TEXCOORD_0": 0 * UV, "TEXCOORD_1": UV}
    mesh = load_mesh(write_glb(attributes, picture=PICTURE, material=material), "m")
    assert mesh.uv is not None and np.ptp(mesh.uv[0], axis=0).tolist() == [1, 1]


def wrapped(t: float, mode: int) -> float:
    """A texture coordinate as a sampler takes it."""
    if mode == 33071:
        return min(max(t, 0.0), 1.0 - 1e-9)
    t = t % 2.0 if mode == 33648 else t % 1.0
    return 2.0 - t - 1e-9 if t > 1.0 else t


@pytest.mark.parametrize(
    "modes", [(10497, 10497), (33071, 33071), (33648, 33648), (33071, 33648), (10497, 33071)]
)
def test_ways_to_go_on_beyond_the_edge(write_glb: Any, sample: Any, modes: tuple[int, int]) -> None:
    uv = UV * [2.4, 2.4] - [0.7, 0.7]

    def change(document: dict[str, Any]) -> None:
        document["samplers"] = [{"wrapS": modes[0], "wrapT": modes[1]}]
        document["textures"][0]["sampler"] = 0

    attributes = {"POSITION": XYZ, "TEXCOORD_0": uv.astype(np.float32)}
    mesh = load_mesh(write_glb(attributes, picture=PICTURE, material=TEXTURED, change=change), "m")
    rng = np.random.default_rng(0)
    for _ in range(60):
        weights = rng.dirichlet([1, 1, 1])
        face = int(rng.integers(2))
        u, v = weights @ uv[[[0, 1, 2], [0, 2, 3]][face]]
        if min(abs(u * 2 - round(u * 2)), abs(v * 2 - round(v * 2))) < 0.02:
            continue  # on the line between two colours
        expected = PICTURE[int(wrapped(v, modes[1]) * 16), int(wrapped(u, modes[0]) * 16)].tolist()
        assert sample(mesh, face, weights) == expected, (u, v)


def test_quantised_positions(write_glb: Any) -> None:
    def change(document: dict[str, Any]) -> None:
        document["extensionsRequired"] = ["KHR_mesh_quantization"]
        document["nodes"][0] |= {"scale": [1e-3, 1e-3, 1e-3], "translation": [0.5, 0, 0]}

    mesh = load_mesh(write_glb({"POSITION": np.rint(XYZ * 1000).astype(np.int16)}, change=change), "m")
    np.testing.assert_allclose(mesh.vertices, XYZ + [0.5, 0, 0], atol=1e-7)


@pytest.mark.parametrize("name", ["KHR_draco_mesh_compression", "EXT_meshopt_compression", "EXT_new"])
def test_extensions_that_are_needed_and_not_understood_are_named(write_glb: Any, name: str) -> None:
    path = write_glb({"POSITION": XYZ}, change=lambda d: d.update(extensionsRequired=[name]))
    with pytest.raises(MeshError, match=f"needs the extension {name}, which is not understood"):
        load_mesh(path, "m")


def test_compressed_faces_without_a_plain_copy_are_named(write_glb: Any) -> None:
    def change(document: dict[str, Any]) -> None:
        document["meshes"][0]["primitives"][0]["extensions"] = {"KHR_draco_mesh_compression": {}}
        del document["accessors"][0]["bufferView"]

    with pytest.raises(MeshError, match="KHR_draco_mesh_compression"):
        load_mesh(write_glb({"POSITION": XYZ}, change=change), "m")


@pytest.mark.parametrize(("mode", "faces"), [(4, [0, 1, 2, 0, 2, 3]), (5, [0, 1, 3, 2]), (6, [0, 1, 2, 3])])
@pytest.mark.parametrize("scale", [[1, 1, 1], [-1, 1, 1]])
def test_triangles_strips_and_fans_face_the_same_way(
    write_glb: Any, mode: int, faces: list[int], scale: list[float]
) -> None:
    def change(document: dict[str, Any]) -> None:
        document["meshes"][0]["primitives"][0]["mode"] = mode
        document["nodes"][0]["scale"] = scale

    mesh = load_mesh(write_glb({"POSITION": XYZ}, faces, change=change), "m")
    a, b, c = (mesh.vertices[mesh.faces[:, i]] for i in range(3))
    np.testing.assert_allclose(np.cross(b - a, c - a)[:, 2], 0.01, atol=1e-7)


def test_nodes_are_put_together(write_glb: Any) -> None:
    """A quarter turn about z in the parent, a shift in the child, as matrix and as parts."""

    def change(document: dict[str, Any]) -> None:
        half = np.sqrt(0.5)
        matrix = np.eye(4)
        matrix[:3, 3] = [1, 2, 3]
        document["nodes"] = [
            {"children": [1, 2], "rotation": [0, 0, half, half]},
            {"mesh": 0, "matrix": matrix.T.reshape(-1).tolist()},
            {"mesh": 0, "translation": [0, 0, 0.5], "scale": [2, 1, 1]},
        ]

    mesh = load_mesh(write_glb({"POSITION": XYZ}, change=change), "m")
    turned = np.array([[0, -1, 0], [1, 0, 0], [0, 0, 1]])
    expected = np.concatenate([(XYZ + [1, 2, 3]) @ turned.T, (XYZ * [2, 1, 1] + [0, 0, 0.5]) @ turned.T])
    np.testing.assert_allclose(mesh.vertices, expected, atol=1e-6)


def test_sparse_values(write_glb: Any) -> None:
    def change(document: dict[str, Any]) -> None:
        del document["accessors"][0]["bufferView"]
        document["accessors"][0]["sparse"] = {
            "count": 4,
            "indices": {"bufferView": 1, "componentType": 5121},
            "values": {"bufferView": 0},
        }
        document["meshes"][0]["primitives"][0]["attributes"].pop("JOINTS_0")

    order = np.array([[0], [1], [2], [3]], np.uint8)
    mesh = load_mesh(write_glb({"POSITION": XYZ, "JOINTS_0": order}, change=change), "m")
    np.testing.assert_allclose(mesh.vertices, XYZ)


def test_gltf_with_files_beside_it(write_glb: Any, tmp_path: Path) -> None:
    data = write_glb({"POSITION": XYZ}).read_bytes()
    length = int.from_bytes(data[12:16], "little")
    document = json.loads(data[20 : 20 + length])
    document["buffers"][0]["uri"] = "my%20data.bin"
    (tmp_path / "my data.bin").write_bytes(data[28 + length :])
    (tmp_path / "a.gltf").write_text(json.dumps(document))
    np.testing.assert_allclose(load_mesh(tmp_path / "a.gltf", "m").vertices, XYZ)
    (tmp_path / "my data.bin").unlink()
    with pytest.raises(MeshError, match=r"my%20data.bin that it names is not beside it"):
        load_mesh(tmp_path / "a.gltf", "m")


def test_every_cut_is_refused(write_glb: Any) -> None:
    path = write_glb({"POSITION": XYZ, "TEXCOORD_0": UV}, picture=PICTURE, material=TEXTURED)
    data = path.read_bytes()
    for end in range(0, len(data), 37):
        path.write_bytes(data[:end])
        with pytest.raises(MeshError) as caught:
            load_mesh(path, "m")
        assert "\n" not in str(caught.value) and path.name in str(caught.value)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda d: d["nodes"][0].update(children=[0]), "node 0 is its own child"),
        (lambda d: d["nodes"][0].update(mesh=5), "asks for 5 of 1 meshes"),
        (lambda d: d["nodes"][0].update(rotation=[0, 0, 0, 0]), "all zeros"),
        (lambda d: d["nodes"][0].update(scale="big"), "cannot be read as GLB"),
        (lambda d: d["accessors"][0].update(count=10**9), "is cut short"),
        (lambda d: d["accessors"][0].update(componentType=1), "componentType 1"),
        (lambda d: d["accessors"][1].update(count=4), "4 indices make no triangles"),
        (lambda d: d["bufferViews"][0].update(byteOffset=10**9), "is cut short"),
        (lambda d: d.update(asset={"version": "1.0"}), "export it as glTF 2.0"),
        (lambda d: d.update(accessors="x"), "cannot be read as GLB"),
    ],
)
def test_damage_is_said_in_one_line(write_glb: Any, change: Any, message: str) -> None:
    with pytest.raises(MeshError, match=message) as caught:
        load_mesh(write_glb({"POSITION": XYZ}, change=change), "m")
    assert "\n" not in str(caught.value)


def test_a_picture_that_cannot_be_read_is_told(write_glb: Any, caplog: pytest.LogCaptureFixture) -> None:
    def change(document: dict[str, Any]) -> None:
        document["images"] = [{"uri": "gone.png"}]

    attributes = {"POSITION": XYZ, "TEXCOORD_0": UV}
    mesh = load_mesh(write_glb(attributes, picture=PICTURE, material=TEXTURED, change=change), "m")
    assert mesh.texture is None and mesh.vertex_colors is None
    assert (
        "goes without a texture" in caplog.text
        and "gone.png" in caplog.text
        and "Traceback" not in caplog.text
    )
