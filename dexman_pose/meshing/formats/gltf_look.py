"""Colours and textures of glTF faces as shown: factors and vertex colours are linear light, pictures are not.

The colour of a face is its picture times the factor of its material times the colours of its vertices, multiplied as
linear light. A mesh here has display bytes, so the product is encoded by the sRGB curve.
"""

from __future__ import annotations

from functools import cache
from logging import getLogger
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dexman_pose.arrays import Array
from dexman_pose.data.files import one_line
from dexman_pose.data.meshes.light import linear_light
from dexman_pose.meshing.colors import Bytes, encoded_light
from dexman_pose.meshing.formats.gltf_values import Document
from dexman_pose.meshing.formats.pictures import clamped, mirrored, opened
from dexman_pose.meshing.parts import Part

log = getLogger(__name__)

_CLAMP, _MIRROR = 33071, 33648  # ways of a sampler to go on beyond the edge
_BEYOND = 1.5  # texels beyond a triangle's edges that are lit as it is: what lies between texels is a mixture
_LARGEST = 1 << 24  # pixels of a picture that is lit texel by texel
_SPECULAR = "KHR_materials_pbrSpecularGlossiness"
_SHOWN_BYTES = ("trimesh", "open3d", "pymeshlab")
"""Writers whose integer vertex colours are display bytes, whatever the standard says."""


class Looks:
    """Gives the faces of a document's primitives their texture and colours.

    Args:
        document: the file.
    """

    def __init__(self, document: Document) -> None:
        self._document = document
        generator = str(document.content["asset"].get("generator", "")).lower()
        self._bytes_are_shown = not generator or any(name in generator for name in _SHOWN_BYTES)
        self._picture = cache(self._read_picture)

    def part(self, primitive: dict[str, Any], faces: NDArray[np.int64], count: int) -> Part:
        """The looks of one primitive.

        Args:
            primitive: the entry of the document.
            faces: (F, 3) indices of its ``count`` vertices.
            count: number of its vertices.
        """
        material: dict[str, Any] = {}
        if "material" in primitive:
            material = self._document.item("materials", primitive["material"])
        factor, texture = _base(material)
        own = self._vertex_light(primitive, count)
        light = np.ones((len(faces), 3, 3)) if own is None else own[faces]
        light = light if factor is None else light * factor
        found = None if texture is None else self._textured(primitive, texture, faces, count)
        if found is None:
            if own is None and factor is None:
                return Part(faces)
            return Part(faces, corners=encoded_light(light))
        return _multiplied(Part(faces, *found), light)

    def _vertex_light(self, primitive: dict[str, Any], count: int) -> Array | None:
        """(V, 3) linear light of the vertices, or None.

        Integers of writers that do not know of linear light are display bytes.
        """
        index = primitive.get("attributes", {}).get("COLOR_0")
        if index is None:
            return None
        values = self._document.values(index)
        if len(values) != count or values.shape[1] not in (3, 4):
            raise self._document.wrong(f"{len(values)} vertex colours for {count} vertices")
        raw_kind = self._document.raw(index).dtype
        if raw_kind.kind == "u":
            if not self._document.item("accessors", index).get("normalized"):
                values = values / np.iinfo(raw_kind).max
            if self._bytes_are_shown:
                return linear_light(np.rint(255.0 * values[:, :3]).clip(0, 255).astype(np.uint8))
        light: Array = np.nan_to_num(values[:, :3]).clip(0.0, 1.0)
        return light

    def _textured(
        self, primitive: dict[str, Any], texture: dict[str, Any], faces: NDArray[np.int64], count: int
    ) -> tuple[Array, Bytes] | None:
        """Texture coordinates (F, 3, 2) from the bottom left, and the picture they repeat in; None without either."""
        moved = texture.get("extensions", {}).get("KHR_texture_transform", {})
        which = moved.get("texCoord", texture.get("texCoord", 0))
        index = primitive.get("attributes", {}).get(f"TEXCOORD_{which}")
        if index is None:
            log.warning(
                "%s: a texture goes unused, its faces have no texture coordinates", self._document.path
            )
            return None
        uv = self._document.values(index)
        if uv.shape != (count, 2):
            raise self._document.wrong(f"{len(uv)} texture coordinates for {count} vertices")
        entry = self._document.item("textures", texture["index"])
        image = self._picture(_source(entry))
        if image is None or not np.isfinite(uv).all():
            return None
        corners = _transformed(uv, moved)[faces]
        corners[..., 1] = 1.0 - corners[..., 1]
        sampler = self._document.item("samplers", entry["sampler"]) if "sampler" in entry else {}
        modes = (sampler.get("wrapS"), sampler.get("wrapT"))
        if _MIRROR in modes:
            corners, image = mirrored(corners, image, (modes[0] == _MIRROR, modes[1] == _MIRROR))
        if _CLAMP in modes:
            corners, image = clamped(corners, image, (modes[0] == _CLAMP, modes[1] == _CLAMP))
        return corners, image

    def _read_picture(self, index: int | None) -> Bytes | None:
        """The picture of an image entry; None, and a line in the log, where it cannot be read."""
        try:
            if index is None:
                raise ValueError("it has no picture in a format that is understood")
            entry = self._document.item("images", index)
            if "bufferView" in entry:
                return opened(self._document.view(entry["bufferView"])[0])
            return opened(self._document.resource(str(entry["uri"])))
        except Exception as error:  # readers of pictures raise whatever damaged bytes lead them to
            log.warning("%s goes without a texture: %s", self._document.path, one_line(error))
            return None


def _base(material: dict[str, Any]) -> tuple[Array | None, dict[str, Any] | None]:
    """(3,) linear factor and the texture entry of a material's own colour, each None where it says nothing."""
    old = material.get("extensions", {}).get(_SPECULAR)
    if old is not None:
        factor, texture = old.get("diffuseFactor"), old.get("diffuseTexture")
    else:
        pbr = material.get("pbrMetallicRoughness", {})
        factor, texture = pbr.get("baseColorFactor"), pbr.get("baseColorTexture")
    if factor is None:
        return None, texture
    return np.nan_to_num(np.array(factor[:3], dtype=np.float64)).clip(0.0, 1.0), texture


def _source(texture: dict[str, Any]) -> int | None:
    webp = texture.get("extensions", {}).get("EXT_texture_webp", {})
    source: int | None = webp.get("source", texture.get("source"))
    return source


def _transformed(uv: Array, moved: dict[str, Any]) -> Array:
    """Texture coordinates (V, 2), v downwards, after KHR_texture_transform: scaled, turned, moved.

    A positive rotation turns them counter-clockwise as seen in the picture. The shader code printed in the extension's
    text turns the other way than its words, its example and its viewers.
    """
    angle = float(moved.get("rotation", 0.0))
    c, s = np.cos(angle), np.sin(angle)
    out: Array = uv * np.array(moved.get("scale", [1.0, 1.0]), dtype=np.float64)
    return out @ np.array([[c, s], [-s, c]]).T + np.array(moved.get("offset", [0.0, 0.0]), dtype=np.float64)


def _multiplied(part: Part, light: Array) -> Part:
    """A textured part whose picture is multiplied by the linear light (F, 3, 3) of its corners.

    One picture for faces of different light: each texel takes the light of the face that it belongs to. A picture of
    one colour becomes colours of corners instead.
    """
    assert part.uv is not None and part.image is not None
    flat = light.reshape(-1, 3)
    if np.ptp(flat, axis=0).max(initial=0.0) < 1e-6:
        if flat.min(initial=1.0) < 1.0 - 1e-6:
            part.image = _dimmed(part.image, flat[0])
        return part
    if (part.image == part.image[0, 0]).all():
        return Part(part.faces, corners=encoded_light(light * linear_light(part.image[0, 0])))
    height, width = part.image.shape[:2]
    if part.uv.min() < 0.0 or part.uv.max() > 1.0 or height * width > _LARGEST:
        log.warning("vertex colours over a repeating or very large texture were taken at their mean")
        part.image = _dimmed(part.image, flat.mean(0))
    else:
        part.image = encoded_light(
            linear_light(part.image) * _light_in_picture(part.uv, light, height, width)
        )
    return part


def _dimmed(image: Bytes, light: Array) -> Bytes:
    """A picture in (3,) linear light, by a table for each channel."""
    every = linear_light(np.arange(256, dtype=np.uint8))
    return np.stack([encoded_light(every * light[i])[image[..., i]] for i in range(3)], -1)


def _light_in_picture(uv: Array, light: Array, height: int, width: int) -> Array:
    """(H, W, 3) light of the faces where they lie in the picture, one texel beyond their edges too; else the mean."""
    out = np.tile(light.reshape(-1, 3).mean(0), (height, width, 1))
    pixels = np.stack([uv[..., 0] * width - 0.5, (1.0 - uv[..., 1]) * height - 0.5], -1)
    for corners, values in zip(pixels, light):
        low = np.maximum(np.floor(corners.min(0)).astype(int) - 1, 0)
        high = np.minimum(np.ceil(corners.max(0)).astype(int) + 2, [width, height])
        edges = corners[1:] - corners[0]
        area = edges[0, 0] * edges[1, 1] - edges[0, 1] * edges[1, 0]
        if abs(area) < 1e-12 or (high <= low).any():
            continue
        x, y = np.meshgrid(np.arange(low[0], high[0]), np.arange(low[1], high[1]))
        at = np.stack([x, y], -1) - corners[0]
        b = (at[..., 0] * edges[1, 1] - at[..., 1] * edges[1, 0]) / area
        c = (at[..., 1] * edges[0, 0] - at[..., 0] * edges[0, 1]) / area
        covered = _in_triangle(at, edges, area)
        value = values[0] + b[..., None] * (values[1] - values[0]) + c[..., None] * (values[2] - values[0])
        window = out[low[1] : high[1], low[0] : high[0]]
        window[covered] = value[covered].clip(0.0, 1.0)
    return out


def _in_triangle(at: Array, edges: Array, area: float) -> NDArray[np.bool_]:
    """(h, w) which places (h, w, 2), from its first corner, lie in a triangle or a little beyond its edges.

    Args:
        at: texels.
        edges: (2, 2) from the first corner to the other two.
        area: twice that of the triangle, with the sign of its turn.
    """
    corners = np.vstack([np.zeros(2), edges])
    inside = np.ones(at.shape[:-1], np.bool_)
    for one, other in zip(corners, np.roll(corners, -1, axis=0)):
        x, y = np.sign(area) * (other - one) / np.linalg.norm(other - one)
        inside &= x * (at[..., 1] - one[1]) - y * (at[..., 0] - one[0]) >= -_BEYOND
    return inside
